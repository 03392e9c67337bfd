/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fnmatch.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/cmd.h"
#include "ctl/grid.h"
#include "ctl/units.h"
#include "ctl/when.h"

static const struct grid_column columns[] = {
	{ "NAME", GRID_LEFT, 0 },
	{ "KIND", GRID_LEFT, 1 },
	{ "STATE", GRID_LEFT, 0 },
	{ "DETAIL", GRID_LEFT, 2 },
	{ "PID", GRID_RIGHT, 0 },
	{ "RESTARTS", GRID_RIGHT, 1 },
	{ "SINCE", GRID_LEFT, 3 },
	{ "DESCRIPTION", GRID_LEFT, 0 },
};

static bool is_wanted(const struct options *options, const struct unit_row *row,
		char **patterns, size_t n_patterns)
{
	if (options->states.count > 0 && !strv_contains(&options->states, row->state))
		return false;
	for (size_t i = 0; i < n_patterns; i++)
		if (fnmatch(patterns[i], row->name, 0) == 0)
			return true;
	return n_patterns == 0;
}

static void add_row(struct ctl *ctl, struct grid *grid, const struct unit_row *row)
{
	auto_text since = { 0 };

	grid_add_safe(grid, &ctl->terminal, STYLE_PLAIN, row->name);
	grid_add_safe(grid, &ctl->terminal, STYLE_PLAIN, row->kind);
	grid_add_safe(grid, &ctl->terminal, state_style(row->state), row->state);
	/* Most states have no other. */
	grid_add_safe(grid, &ctl->terminal, STYLE_DIM,
			strcmp(row->substate, row->state) == 0 ? "" : row->substate);
	grid_add_number(grid, row->pid);
	grid_add_number(grid, row->restarts);
	if (row->since_usec > 0)
		when_append_relative(&since, row->since_usec, clock_realtime_usec());
	grid_add(grid, STYLE_PLAIN, text_get(&since));
	grid_add_safe(grid, &ctl->terminal, STYLE_PLAIN,
			strcmp(row->state, "refused") == 0 ? row->last_end
							   : row->description);
}

static int print_text(struct ctl *ctl, const struct unit_rows *rows, char **patterns,
		size_t n_patterns)
{
	struct grid grid;
	int r;

	grid_init(&grid, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < rows->count; i++)
		if (is_wanted(&ctl->options, &rows->items[i], patterns, n_patterns))
			add_row(ctl, &grid, &rows->items[i]);
	r = grid_print(&grid, &ctl->terminal, &ctl->out);
	grid_fini(&grid);
	return r;
}

static void print_names(struct ctl *ctl, const struct unit_rows *rows, char **patterns,
		size_t n_patterns)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (!is_wanted(&ctl->options, &rows->items[i], patterns, n_patterns))
			continue;
		terminal_append_safe(&ctl->terminal, &ctl->out, rows->items[i].name);
		text_append_char(&ctl->out, '\n');
	}
}

static void print_json(struct ctl *ctl, const struct unit_rows *rows, char **patterns,
		size_t n_patterns)
{
	struct json j = { .out = &ctl->out };

	json_begin_array(&j);
	for (size_t i = 0; i < rows->count; i++) {
		if (!is_wanted(&ctl->options, &rows->items[i], patterns, n_patterns))
			continue;
		if (ctl->options.names_only) {
			json_text(&j, rows->items[i].name);
			continue;
		}
		json_begin_object(&j);
		unit_row_json(&rows->items[i], &j);
		json_end_object(&j);
	}
	json_end_array(&j);
	text_append_char(&ctl->out, '\n');
}

static enum ctl_exit check_states(struct ctl *ctl)
{
	const struct strv *states = &ctl->options.states;

	for (size_t i = 0; i < states->count; i++)
		if (!state_is_known(states->items[i]))
			return ctl_fail(ctl, CTL_USAGE,
					"there is no state '%s': see airssysctl(1)",
					states->items[i]);
	return CTL_DONE;
}

static enum ctl_exit run_list(struct ctl *ctl, char **patterns, size_t n_patterns)
{
	auto_units rows = { 0 };
	enum ctl_exit exit = check_states(ctl);
	int r = 0;

	if (exit == CTL_DONE)
		exit = units_load(ctl, &rows);
	if (exit != CTL_DONE)
		return exit;
	if (ctl->options.json)
		print_json(ctl, &rows, patterns, n_patterns);
	else if (ctl->options.names_only)
		print_names(ctl, &rows, patterns, n_patterns);
	else
		r = print_text(ctl, &rows, patterns, n_patterns);
	return r < 0 ? ctl_out_of_memory(ctl) : CTL_DONE;
}

const struct command cmd_list = {
	.name = "list",
	.arguments = "[PATTERN...]",
	.summary = "print all units as a table",
	.help = "Units stand in the order of the tree: parents before children, children in "
		"the order in which they are started. A pattern like 'web*' leaves out what "
		"does not match.",
	.max_names = UINT32_MAX,
	.run = run_list,
};
