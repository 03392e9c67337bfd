/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_UNITS_H
#define CTL_UNITS_H

/*
 * The list of all units, as ListUnits answers it, and what a state means for the reader.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "ctl/command.h"
#include "ctl/terminal.h"

/* One unit; the texts are borrowed from the reply. */
struct unit_row {
	const char *name, *kind, *supervisor, *state, *substate, *description;
	uint32_t pid;
	uint64_t since_usec; /* realtime; 0: never */
	uint64_t restarts;
	const char *status_text, *last_end;
};

/* In tree order: parents before children, children in start order. */
struct unit_rows {
	struct unit_row *items;
	size_t count;
	sd_bus_message *reply; /* holds the texts */
};

/* Ask the instance; connects first when that has not been done. On failure says why. */
MUST_CHECK enum ctl_exit units_load(struct ctl *ctl, struct unit_rows *ret_rows);
/* The same over a connection that is there, without a word on failure. */
MUST_CHECK int units_read(
		struct client *c, uint64_t timeout_usec, struct unit_rows *ret_rows);
/* Read them out of a reply of ListUnits, which is kept as long as they are. */
MUST_CHECK int units_parse(sd_bus_message *reply, struct unit_rows *ret_rows);
void units_fini(struct unit_rows *rows);
/* NULL when absent. */
const struct unit_row *units_find(const struct unit_rows *rows, const char *name);

/* Members of the object that j is in. */
void unit_row_json(const struct unit_row *row, struct json *j);

/*
 * How much a state asks for attention, the most first: for summaries and colors.
 */
enum unit_mood {
	MOOD_BAD, /* failed */
	MOOD_BUSY, /* on its way: starting, stopping, reloading, backoff */
	MOOD_GOOD, /* running, exited */
	MOOD_IDLE, /* stopped */
};

bool state_is_known(const char *state);
enum unit_mood state_mood(const char *state);
enum style state_style(const char *state);
/* One cell. */
const char *state_glyph(const struct terminal *t, const char *state);
/* Whether "status" calls it running. */
bool state_is_running(const char *state);

#define auto_units __attribute__((cleanup(units_fini))) struct unit_rows

#endif
