/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/instance-status.h"

#include <string.h>

#include "base/clock.h"
#include "ctl/units.h"
#include "ctl/when.h"

/* In the order of the summary: what asks for attention comes first. */
static const char *const known_states[] = { "failed", "refused", "backoff", "stopping",
	"starting", "reloading", "running", "exited", "stopped" };

static size_t count_state(const struct unit_rows *rows, const char *state)
{
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++)
		count += strcmp(rows->items[i].state, state) == 0;
	return count;
}

static void print_counts(struct ctl *ctl, const struct unit_rows *rows)
{
	const char *separator = ": ";
	size_t count;

	text_printf(&ctl->out, "%zu unit%s", rows->count, rows->count == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_SIZE(known_states); i++) {
		count = count_state(rows, known_states[i]);
		if (count == 0)
			continue;
		text_printf(&ctl->out, "%s%zu ", separator, count);
		terminal_append_styled(&ctl->terminal, &ctl->out,
				state_style(known_states[i]), known_states[i]);
		separator = ", ";
	}
	text_append_char(&ctl->out, '\n');
}

static void print_row(struct ctl *ctl, const struct unit_row *row)
{
	struct text *out = &ctl->out;

	text_append(out, "  ");
	terminal_append_styled(&ctl->terminal, out, state_style(row->state),
			state_glyph(&ctl->terminal, row->state));
	text_append_char(out, ' ');
	terminal_append_safe(&ctl->terminal, out, row->name);
	text_append_char(out, ' ');
	terminal_append_safe(&ctl->terminal, out, row->state);
	if (row->since_usec > 0) {
		text_append_char(out, ' ');
		when_append_relative(out, row->since_usec, clock_realtime_usec());
	}
	if (row->last_end[0]) {
		text_append(out, ": ");
		terminal_append_safe(&ctl->terminal, out, row->last_end);
	}
	text_append_char(out, '\n');
}

static void print_troubled(
		struct ctl *ctl, const struct unit_rows *rows, enum unit_mood mood)
{
	for (size_t i = 0; i < rows->count; i++)
		if (state_mood(rows->items[i].state) == mood)
			print_row(ctl, &rows->items[i]);
}

void instance_status_print(
		struct ctl *ctl, const struct unit_rows *rows, const char *version)
{
	text_append(&ctl->out, "airssys ");
	terminal_append_safe(&ctl->terminal, &ctl->out, version);
	text_append(&ctl->out, " at ");
	terminal_append_safe(&ctl->terminal, &ctl->out, ctl->client.path);
	text_append_char(&ctl->out, '\n');
	print_counts(ctl, rows);
	print_troubled(ctl, rows, MOOD_BAD);
	print_troubled(ctl, rows, MOOD_BUSY);
}

static void json_troubled(
		const struct unit_rows *rows, enum unit_mood mood, struct json *j)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (state_mood(rows->items[i].state) != mood)
			continue;
		json_begin_object(j);
		unit_row_json(&rows->items[i], j);
		json_end_object(j);
	}
}

void instance_status_json(
		struct ctl *ctl, const struct unit_rows *rows, const char *version)
{
	struct json j = { .out = &ctl->out };

	json_begin_object(&j);
	json_member_text(&j, "version", version);
	json_member_text(&j, "socket", ctl->client.path);
	json_member_number(&j, "units", rows->count);
	json_key(&j, "states");
	json_begin_object(&j);
	for (size_t i = 0; i < ARRAY_SIZE(known_states); i++)
		json_member_number(
				&j, known_states[i], count_state(rows, known_states[i]));
	json_end_object(&j);
	json_key(&j, "attention");
	json_begin_array(&j);
	json_troubled(rows, MOOD_BAD, &j);
	json_troubled(rows, MOOD_BUSY, &j);
	json_end_array(&j);
	json_end_object(&j);
	text_append_char(&ctl->out, '\n');
}
