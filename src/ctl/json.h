/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_JSON_H
#define CTL_JSON_H

/*
 * Writes one JSON document into a text. Commas and colons are placed here; a nesting that
 * would not be JSON (a value without its key in an object, an unbalanced end) is a bug
 * and stops the program. Text that is not UTF-8 is replaced, so that the document always
 * is.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define JSON_DEPTH_MAX 512

/* Zero-initialised except for out is ready to use; out is borrowed. */
struct json {
	struct text *out;
	unsigned int depth;
	bool in_object[JSON_DEPTH_MAX];
	bool has_items[JSON_DEPTH_MAX];
	bool has_key; /* a key waits for its value */
	bool done; /* the outermost value is complete */
};

void json_begin_object(struct json *j);
void json_end_object(struct json *j);
void json_begin_array(struct json *j);
void json_end_array(struct json *j);

/* The name of the next value; only within an object. */
void json_key(struct json *j, const char *key);

/* NULL writes null. */
void json_text(struct json *j, const char *value);
void json_number(struct json *j, uint64_t value);
void json_bool(struct json *j, bool value);
/* A value that is JSON already, for example of diag_item_print_json. */
void json_raw(struct json *j, const char *value);

/* Key and value at once. */
void json_member_text(struct json *j, const char *key, const char *value);
void json_member_number(struct json *j, const char *key, uint64_t value);
void json_member_bool(struct json *j, const char *key, bool value);
void json_member_list(struct json *j, const char *key, const struct strv *values);

#endif
