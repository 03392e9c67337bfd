/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <string.h>

#include "ctl/cmd.h"

#define OPTION_COLUMN 26
#define WRAP_COLUMN   80

static void append_padded(struct text *t, const char *s, size_t width)
{
	text_printf(t, "%-*s", (int)width, s);
}

/* Paragraphs of words, wrapped. */
static void append_wrapped(struct text *t, const char *s)
{
	size_t column = 0, n;

	for (; *s; s += n + strspn(s + n, " ")) {
		n = strcspn(s, " ");
		if (column > 0 && column + 1 + n > WRAP_COLUMN) {
			text_append_char(t, '\n');
			column = 0;
		}
		if (column > 0)
			text_append_char(t, ' ');
		text_append_n(t, s, n);
		column += n + (column > 0);
	}
	text_append_char(t, '\n');
}

static void append_option(struct text *t, const struct option_info *o)
{
	auto_text left = { 0 };

	text_append(&left, "  ");
	if (o->letter)
		text_printf(&left, "-%c, ", o->letter);
	text_printf(&left, "--%s%s%s", o->name, o->argument ? "=" : "",
			o->argument ? o->argument : "");
	append_padded(t, text_get(&left), OPTION_COLUMN);
	text_printf(t, " %s\n", o->help);
}

static void print_command(struct ctl *ctl, const struct command *command)
{
	struct text *out = &ctl->out;
	bool has_own = false;

	text_printf(out, "airssysctl [OPTION...] %s%s%s\n\n", command->name,
			command->arguments[0] ? " " : "", command->arguments);
	append_wrapped(out, command->help);
	for (const struct option_info *o = option_table; o->name; o++) {
		if (!o->commands || !option_fits(o, command->name))
			continue;
		text_append(out, has_own ? "" : "\n");
		has_own = true;
		append_option(out, o);
	}
}

static void print_all(struct ctl *ctl)
{
	struct text *out = &ctl->out;

	text_append(out, "airssysctl [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:\n");
	for (size_t i = 0; commands[i]; i++) {
		auto_text left = { 0 };

		text_printf(&left, "  %s %s", commands[i]->name, commands[i]->arguments);
		append_padded(out, text_get(&left), OPTION_COLUMN);
		text_printf(out, " %s\n", commands[i]->summary);
	}
	text_append(out, "\nOptions of all commands:\n");
	for (const struct option_info *o = option_table; o->name; o++)
		if (!o->commands)
			append_option(out, o);
	text_append(out,
			"\nairssysctl help COMMAND tells more. Exit status: 0 done, 1 "
			"failed, 2 wrong usage,\n3 not running, 4 no such unit.\n");
}

static void json_option(const struct option_info *o, struct json *j)
{
	json_begin_object(j);
	json_member_text(j, "name", o->name);
	if (o->letter)
		json_member_text(j, "letter", (char[]){ o->letter, '\0' });
	json_member_text(j, "argument", o->argument);
	json_member_text(j, "summary", o->help);
	json_end_object(j);
}

static void json_command(const struct command *command, struct json *j)
{
	json_begin_object(j);
	json_member_text(j, "name", command->name);
	json_member_text(j, "arguments", command->arguments);
	json_member_text(j, "summary", command->summary);
	json_member_text(j, "help", command->help);
	json_key(j, "options");
	json_begin_array(j);
	for (const struct option_info *o = option_table; o->name; o++)
		if (o->commands && option_fits(o, command->name))
			json_option(o, j);
	json_end_array(j);
	json_end_object(j);
}

static void print_json(struct ctl *ctl, const struct command *only)
{
	struct json j = { .out = &ctl->out };

	json_begin_object(&j);
	json_key(&j, "commands");
	json_begin_array(&j);
	for (size_t i = 0; commands[i]; i++)
		if (!only || commands[i] == only)
			json_command(commands[i], &j);
	json_end_array(&j);
	json_key(&j, "options");
	json_begin_array(&j);
	for (const struct option_info *o = option_table; o->name; o++)
		if (!o->commands)
			json_option(o, &j);
	json_end_array(&j);
	json_end_object(&j);
	text_append_char(&ctl->out, '\n');
}

static enum ctl_exit run_help(struct ctl *ctl, char **names, size_t n_names)
{
	const struct command *command = NULL;

	if (n_names > 0) {
		command = command_find(names[0]);
		if (!command)
			return ctl_fail(ctl, CTL_USAGE,
					"there is no command '%s': see airssysctl help",
					names[0]);
	}
	if (ctl->options.json)
		print_json(ctl, command);
	else if (command)
		print_command(ctl, command);
	else
		print_all(ctl);
	return CTL_DONE;
}

const struct command cmd_help = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "explain a command, or list all of them",
	.help = "With --json the commands and their options are listed for programs.",
	.max_names = 1,
	.run = run_help,
};
