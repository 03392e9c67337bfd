/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/facts.h"

#include <inttypes.h>
#include <string.h>

static void fact_fini(struct fact *f)
{
	free(f->key);
	free(f->text);
	strv_fini(&f->list);
	*f = (struct fact){ 0 };
}

void facts_fini(struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++)
		fact_fini(&facts->items[i]);
	free(facts->items);
	*facts = (struct facts){ 0 };
}

static int read_list(sd_bus_message *m, struct fact *f)
{
	const char *s;
	int r;

	f->type = FACT_LIST;
	r = sd_bus_message_enter_container(m, 'a', "s");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "s", &s)) > 0)
		if (strv_append(&f->list, s) < 0)
			return -ENOMEM;
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_text(sd_bus_message *m, struct fact *f)
{
	const char *s;
	int r;

	f->type = FACT_TEXT;
	r = sd_bus_message_read(m, "s", &s);
	if (r < 0)
		return r;
	f->text = strdup(s);
	return f->text ? 0 : -ENOMEM;
}

static int read_number(sd_bus_message *m, struct fact *f, char type)
{
	uint32_t narrow = 0;
	int r;

	f->type = type == 'b' ? FACT_BOOL : FACT_NUMBER;
	if (type == 't' || type == 'x')
		return sd_bus_message_read_basic(m, type, &f->number);
	r = sd_bus_message_read_basic(m, type, &narrow);
	f->number = narrow;
	return r;
}

/* The value inside the variant; 0 for a type that is not known, which is skipped. */
static int read_value(sd_bus_message *m, const char *type, struct fact *f)
{
	int r;

	if (strcmp(type, "s") == 0)
		r = read_text(m, f);
	else if (strcmp(type, "as") == 0)
		r = read_list(m, f);
	else if (strlen(type) == 1 && strchr("tuxib", type[0]))
		r = read_number(m, f, type[0]);
	else
		return sd_bus_message_skip(m, type) < 0 ? -EBADMSG : 0;
	return r < 0 ? r : 1;
}

/* Takes the fact in every case. */
static int add(struct facts *facts, struct fact *f)
{
	struct fact *items = reallocarray(
			facts->items, facts->count + 1, sizeof(*facts->items));

	if (!items) {
		fact_fini(f);
		return -ENOMEM;
	}
	facts->items = items;
	items[facts->count++] = *f;
	return 0;
}

static int read_entry(sd_bus_message *m, struct facts *facts)
{
	struct fact f = { 0 };
	const char *key, *type;
	char kind;
	int r;

	r = sd_bus_message_read(m, "s", &key);
	if (r < 0)
		return r;
	r = sd_bus_message_peek_type(m, &kind, &type);
	if (r <= 0 || kind != 'v')
		return -EBADMSG;
	r = sd_bus_message_enter_container(m, 'v', type);
	if (r < 0)
		return r;
	f.key = strdup(key);
	r = f.key ? read_value(m, type, &f) : -ENOMEM;
	if (r <= 0) {
		fact_fini(&f);
		return r < 0 ? r : sd_bus_message_exit_container(m);
	}
	r = add(facts, &f);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_entries(sd_bus_message *m, struct facts *facts)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_entry(m, facts);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r;
}

int facts_read(sd_bus_message *reply, struct facts *ret_facts)
{
	struct facts facts = { 0 };
	int r;

	r = read_entries(reply, &facts);
	if (r < 0) {
		facts_fini(&facts);
		return r;
	}
	*ret_facts = facts;
	return 0;
}

const struct fact *facts_find(const struct facts *facts, const char *key)
{
	for (size_t i = 0; i < facts->count; i++)
		if (strcmp(facts->items[i].key, key) == 0)
			return &facts->items[i];
	return NULL;
}

const char *facts_text(const struct facts *facts, const char *key)
{
	const struct fact *f = facts_find(facts, key);

	return f && f->type == FACT_TEXT ? f->text : "";
}

uint64_t facts_number(const struct facts *facts, const char *key)
{
	const struct fact *f = facts_find(facts, key);

	return f && (f->type == FACT_NUMBER || f->type == FACT_BOOL) ? f->number : 0;
}

const struct strv *facts_list(const struct facts *facts, const char *key)
{
	static const struct strv empty;
	const struct fact *f = facts_find(facts, key);

	return f && f->type == FACT_LIST ? &f->list : &empty;
}

void fact_append(const struct fact *fact, struct text *t)
{
	switch (fact->type) {
	case FACT_TEXT:
		text_append(t, fact->text);
		break;
	case FACT_NUMBER:
		text_printf(t, "%" PRIu64, fact->number);
		break;
	case FACT_BOOL:
		text_append(t, fact->number ? "yes" : "no");
		break;
	case FACT_LIST:
		for (size_t i = 0; i < fact->list.count; i++)
			text_printf(t, "%s%s", i > 0 ? " " : "", fact->list.items[i]);
		break;
	}
}

void fact_json(const struct fact *fact, struct json *j)
{
	switch (fact->type) {
	case FACT_TEXT:
		json_member_text(j, fact->key, fact->text);
		break;
	case FACT_NUMBER:
		json_member_number(j, fact->key, fact->number);
		break;
	case FACT_BOOL:
		json_member_bool(j, fact->key, fact->number);
		break;
	case FACT_LIST:
		json_member_list(j, fact->key, &fact->list);
		break;
	}
}
