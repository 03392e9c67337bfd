/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/json.h"

#include <inttypes.h>

#include "base/assert.h"

/* What stands before a value at this place. */
static void begin_value(struct json *j)
{
	bug_unless(!j->done);
	if (j->depth == 0)
		return;
	if (j->in_object[j->depth - 1]) {
		bug_unless(j->has_key);
		j->has_key = false;
		return;
	}
	if (j->has_items[j->depth - 1])
		text_append_char(j->out, ',');
	j->has_items[j->depth - 1] = true;
}

static void end_value(struct json *j)
{
	if (j->depth == 0)
		j->done = true;
}

static void begin(struct json *j, char bracket)
{
	begin_value(j);
	bug_unless(j->depth < JSON_DEPTH_MAX);
	j->in_object[j->depth] = bracket == '{';
	j->has_items[j->depth] = false;
	j->depth++;
	text_append_char(j->out, bracket);
}

static void end(struct json *j, char bracket)
{
	bug_unless(j->depth > 0 && !j->has_key);
	bug_unless(j->in_object[j->depth - 1] == (bracket == '}'));
	j->depth--;
	text_append_char(j->out, bracket);
	end_value(j);
}

void json_begin_object(struct json *j)
{
	begin(j, '{');
}

void json_end_object(struct json *j)
{
	end(j, '}');
}

void json_begin_array(struct json *j)
{
	begin(j, '[');
}

void json_end_array(struct json *j)
{
	end(j, ']');
}

void json_key(struct json *j, const char *key)
{
	bug_unless(j->depth > 0 && j->in_object[j->depth - 1] && !j->has_key);
	if (j->has_items[j->depth - 1])
		text_append_char(j->out, ',');
	j->has_items[j->depth - 1] = true;
	text_append_json(j->out, key);
	text_append_char(j->out, ':');
	j->has_key = true;
}

void json_text(struct json *j, const char *value)
{
	begin_value(j);
	if (value)
		text_append_json(j->out, value);
	else
		text_append(j->out, "null");
	end_value(j);
}

void json_number(struct json *j, uint64_t value)
{
	begin_value(j);
	text_printf(j->out, "%" PRIu64, value);
	end_value(j);
}

void json_bool(struct json *j, bool value)
{
	begin_value(j);
	text_append(j->out, value ? "true" : "false");
	end_value(j);
}

void json_raw(struct json *j, const char *value)
{
	begin_value(j);
	text_append(j->out, value);
	end_value(j);
}

void json_member_text(struct json *j, const char *key, const char *value)
{
	json_key(j, key);
	json_text(j, value);
}

void json_member_number(struct json *j, const char *key, uint64_t value)
{
	json_key(j, key);
	json_number(j, value);
}

void json_member_bool(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_bool(j, value);
}

void json_member_list(struct json *j, const char *key, const struct strv *values)
{
	json_key(j, key);
	json_begin_array(j);
	for (size_t i = 0; i < values->count; i++)
		json_text(j, values->items[i]);
	json_end_array(j);
}
