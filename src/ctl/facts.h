/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_FACTS_H
#define CTL_FACTS_H

/*
 * What an instance says about one unit: the a{sv} of GetUnit, by key. Keys that this
 * version does not know are kept and shown as they are, so that an older airssysctl can
 * look at a newer instance.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "base/text.h"
#include "ctl/json.h"

enum fact_type {
	FACT_TEXT,
	FACT_NUMBER,
	FACT_BOOL,
	FACT_LIST,
};

struct fact {
	char *key;
	enum fact_type type;
	char *text;
	uint64_t number; /* FACT_BOOL too */
	struct strv list;
};

struct facts {
	struct fact *items; /* in the order of the answer */
	size_t count;
};

/* Read them out of a reply. 0, -ENOMEM, or another negative errno for a reply of the
 * wrong form; then nothing is kept. */
MUST_CHECK int facts_read(sd_bus_message *reply, struct facts *ret_facts);
void facts_fini(struct facts *facts);

/* NULL when absent. */
const struct fact *facts_find(const struct facts *facts, const char *key);
/* "" when absent or of another type. */
const char *facts_text(const struct facts *facts, const char *key);
/* 0 when absent or of another type. */
uint64_t facts_number(const struct facts *facts, const char *key);
/* An empty one when absent or of another type. */
const struct strv *facts_list(const struct facts *facts, const char *key);

/* The value for people: lists between blanks, booleans as yes and no. */
void fact_append(const struct fact *fact, struct text *t);
void fact_json(const struct fact *fact, struct json *j);

#define auto_facts __attribute__((cleanup(facts_fini))) struct facts

#endif
