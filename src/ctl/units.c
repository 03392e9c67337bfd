/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/units.h"

#include <string.h>

#include "manager/names.h"

struct state_info {
	const char *name;
	enum unit_mood mood;
	const char *glyph, *ascii;
};

/* The first is for states that this version does not know. */
static const struct state_info states[] = {
	{ "", MOOD_BUSY, "?", "?" },
	{ "running", MOOD_GOOD, "●", "*" },
	{ "exited", MOOD_GOOD, "✓", "=" },
	{ "starting", MOOD_BUSY, "◐", "~" },
	{ "reloading", MOOD_BUSY, "◐", "~" },
	{ "stopping", MOOD_BUSY, "◑", "~" },
	{ "backoff", MOOD_BUSY, "↻", "@" },
	{ "stopped", MOOD_IDLE, "○", "o" },
	{ "failed", MOOD_BAD, "×", "x" },
	{ "refused", MOOD_BAD, "!", "!" },
};

static const struct state_info *find_state(const char *name)
{
	for (size_t i = 1; i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i].name, name) == 0)
			return &states[i];
	return &states[0];
}

bool state_is_known(const char *state)
{
	return find_state(state) != &states[0];
}

enum unit_mood state_mood(const char *state)
{
	return find_state(state)->mood;
}

enum style state_style(const char *state)
{
	static const enum style styles[] = {
		[MOOD_BAD] = STYLE_BAD,
		[MOOD_BUSY] = STYLE_BUSY,
		[MOOD_GOOD] = STYLE_GOOD,
		[MOOD_IDLE] = STYLE_DIM,
	};

	return styles[state_mood(state)];
}

const char *state_glyph(const struct terminal *t, const char *state)
{
	return t->utf8 ? find_state(state)->glyph : find_state(state)->ascii;
}

bool state_is_running(const char *state)
{
	return state_mood(state) == MOOD_GOOD || strcmp(state, "reloading") == 0;
}

/* 1 for a row, 0 at the end, or a negative errno. */
static int read_row(sd_bus_message *m, struct unit_row *row)
{
	return sd_bus_message_read(m, NAMES_LIST_SIGNATURE, &row->name, &row->kind,
			&row->supervisor, &row->state, &row->substate, &row->description,
			&row->pid, &row->since_usec, &row->restarts, &row->status_text,
			&row->last_end);
}

static int read_rows(sd_bus_message *m, struct unit_rows *rows)
{
	size_t capacity = 0;
	struct unit_row row, *items;
	int r;

	r = sd_bus_message_enter_container(m, 'a', NAMES_LIST_SIGNATURE);
	if (r < 0)
		return r;
	while ((r = read_row(m, &row)) > 0) {
		if (rows->count == capacity) {
			capacity = capacity ? capacity * 2 : 64;
			items = reallocarray(rows->items, capacity, sizeof(*items));
			if (!items)
				return -ENOMEM;
			rows->items = items;
		}
		rows->items[rows->count++] = row;
	}
	return r;
}

void units_fini(struct unit_rows *rows)
{
	free(rows->items);
	sd_bus_message_unref(rows->reply);
	*rows = (struct unit_rows){ 0 };
}

int units_parse(sd_bus_message *reply, struct unit_rows *ret_rows)
{
	struct unit_rows rows = { .reply = sd_bus_message_ref(reply) };
	int r = read_rows(reply, &rows);

	if (r < 0) {
		units_fini(&rows);
		return r;
	}
	*ret_rows = rows;
	return 0;
}

int units_read(struct client *c, uint64_t timeout_usec, struct unit_rows *ret_rows)
{
	auto_message reply = NULL;
	int r = client_call(c, timeout_usec, "ListUnits", NULL, &reply);

	return r < 0 ? r : units_parse(reply, ret_rows);
}

enum ctl_exit units_load(struct ctl *ctl, struct unit_rows *ret_rows)
{
	enum ctl_exit exit = ctl->client.bus ? CTL_DONE : ctl_connect(ctl);
	int r;

	if (exit != CTL_DONE)
		return exit;
	r = units_read(&ctl->client, ctl_query_timeout(ctl), ret_rows);
	return r < 0 ? ctl_fail_call(ctl, r, NULL) : CTL_DONE;
}

const struct unit_row *units_find(const struct unit_rows *rows, const char *name)
{
	for (size_t i = 0; i < rows->count; i++)
		if (strcmp(rows->items[i].name, name) == 0)
			return &rows->items[i];
	return NULL;
}

void unit_row_json(const struct unit_row *row, struct json *j)
{
	json_member_text(j, "name", row->name);
	json_member_text(j, "kind", row->kind);
	json_member_text(j, "supervisor", row->supervisor);
	json_member_text(j, "state", row->state);
	json_member_text(j, "substate", row->substate);
	json_member_text(j, "description", row->description);
	json_member_number(j, "pid", row->pid);
	json_member_number(j, "since_usec", row->since_usec);
	json_member_number(j, "restarts", row->restarts);
	json_member_text(j, "status_text", row->status_text);
	json_member_text(j, "last_end", row->last_end);
}
