/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fnmatch.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/cmd.h"
#include "ctl/table.h"
#include "ctl/units.h"
#include "ctl/when.h"

static const struct table_column columns[] = {
	{ "NAME", TABLE_LEFT },
	{ "KIND", TABLE_LEFT },
	{ "STATE", TABLE_LEFT },
	{ "DETAIL", TABLE_LEFT },
	{ "PID", TABLE_RIGHT },
	{ "RESTARTS", TABLE_RIGHT },
	{ "SINCE", TABLE_LEFT },
	{ "DESCRIPTION", TABLE_LEFT },
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

static void add_row(struct ctl *ctl, struct table *table, const struct unit_row *row)
{
	auto_text since = { 0 };

	table_add_safe(table, &ctl->terminal, STYLE_PLAIN, row->name);
	table_add_safe(table, &ctl->terminal, STYLE_PLAIN, row->kind);
	table_add_safe(table, &ctl->terminal, state_style(row->state), row->state);
	table_add_safe(table, &ctl->terminal, STYLE_DIM, row->substate);
	table_add_number(table, row->pid);
	table_add_number(table, row->restarts);
	if (row->since_usec > 0)
		when_append_relative(&since, row->since_usec, clock_realtime_usec());
	table_add(table, STYLE_PLAIN, text_get(&since));
	table_add_safe(table, &ctl->terminal, STYLE_PLAIN, row->description);
}

static int print_text(struct ctl *ctl, const struct unit_rows *rows, char **patterns,
		size_t n_patterns)
{
	struct table table;
	int r;

	table_init(&table, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < rows->count; i++)
		if (is_wanted(&ctl->options, &rows->items[i], patterns, n_patterns))
			add_row(ctl, &table, &rows->items[i]);
	r = table_print(&table, &ctl->terminal, &ctl->out);
	table_fini(&table);
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

static enum ctl_exit run_list(struct ctl *ctl, char **patterns, size_t n_patterns)
{
	auto_units rows = { 0 };
	enum ctl_exit exit = units_load(ctl, &rows);
	int r = 0;

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
