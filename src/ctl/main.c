/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <locale.h>

#include "ctl/cmd.h"
#include "ctl/command.h"

static enum ctl_exit check_names(struct ctl *ctl, size_t n_names)
{
	const struct command *command = ctl->command;
	const struct option_info *misplaced =
			options_find_misplaced(&ctl->options, command->name);

	if (misplaced)
		return ctl_fail(ctl, CTL_USAGE, "--%s does not go with '%s'",
				misplaced->name, command->name);
	if (ctl->options.all && n_names > 0)
		return ctl_fail(ctl, CTL_USAGE, "give either names or --all");
	if (n_names < command->min_names && !ctl->options.all)
		return ctl_fail(ctl, CTL_USAGE, "'%s' needs more: airssysctl %s %s",
				command->name, command->name, command->arguments);
	if (n_names > command->max_names)
		return ctl_fail(ctl, CTL_USAGE, "'%s' takes less: airssysctl %s%s%s",
				command->name, command->name,
				command->arguments[0] ? " " : "", command->arguments);
	return CTL_DONE;
}

/* Picks the command and leaves its arguments in *names. */
static enum ctl_exit choose_command(struct ctl *ctl, char ***names, size_t *n_names)
{
	const char *word = *n_names > 0 ? (*names)[0] : NULL;

	if (ctl->options.version) {
		ctl->command = &cmd_version;
		*n_names = 0;
		return CTL_DONE;
	}
	if (!word && !ctl->options.help)
		return ctl_fail(ctl, CTL_USAGE,
				"no command is given: see airssysctl help");
	if (ctl->options.help) {
		ctl->command = &cmd_help;
		*n_names = MIN_OF(*n_names, (size_t)1);
		return CTL_DONE;
	}
	ctl->command = command_find(word);
	if (!ctl->command)
		return ctl_fail(ctl, CTL_USAGE,
				"there is no command '%s': see airssysctl help", word);
	(*names)++;
	(*n_names)--;
	return check_names(ctl, *n_names);
}

static enum ctl_exit run(struct ctl *ctl, int argc, char **argv)
{
	auto_text message = { 0 };
	enum ctl_exit exit;
	size_t n_names;
	char **names;
	int first = 0, r;

	ctl->options.lines = OPTIONS_NO_LINES;
	r = options_parse(&ctl->options, argc, argv, &message, &first);
	terminal_init(&ctl->terminal, ctl->options.color);
	if (r == -ENOMEM)
		return ctl_out_of_memory(ctl);
	if (r < 0)
		return ctl_fail(ctl, CTL_USAGE, "%s", text_get(&message));
	names = argv + first;
	n_names = (size_t)(argc - first);
	exit = choose_command(ctl, &names, &n_names);
	return exit != CTL_DONE ? exit : ctl->command->run(ctl, names, n_names);
}

/* A command that failed before it could print its document leaves this one. */
static void print_problem(struct ctl *ctl, enum ctl_exit exit)
{
	struct json j = { .out = &ctl->out };

	json_begin_object(&j);
	json_key(&j, "error");
	json_begin_object(&j);
	json_member_text(&j, "kind", ctl->problem_kind);
	json_member_text(&j, "message", text_get(&ctl->problem));
	json_member_number(&j, "exit_status", exit);
	json_end_object(&j);
	json_end_object(&j);
	text_append_char(&ctl->out, '\n');
}

int main(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	enum ctl_exit exit, flushed;

	/* Only for what the terminal shows: numbers and times do not follow the locale.
	 */
	(void)setlocale(LC_CTYPE, "");
	exit = run(&ctl, argc, argv);
	if (exit != CTL_DONE && ctl.options.json && ctl.out.size == 0 && ctl.problem_kind)
		print_problem(&ctl, exit);
	flushed = ctl_flush(&ctl);
	client_fini(&ctl.client);
	options_fini(&ctl.options);
	text_fini(&ctl.out);
	text_fini(&ctl.problem);
	return exit != CTL_DONE ? exit : flushed;
}
