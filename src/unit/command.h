/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_COMMAND_H
#define UNIT_COMMAND_H

/*
 * Command lines of Exec…= (systemd.service(5), "Command lines"): prefix characters,
 * quoting, escapes, specifiers, several commands separated by a lone semicolon.
 */

#include "unit/specifier.h"
#include "unit/unit.h"

/* What is to be told about a command line. */
struct command_report {
	const char *problem, *remedy; /* after -EINVAL; static */
	char specifier; /* the one that is wrong, or '\0' */
	bool has_unknown_escape; /* also on success: it was kept as it is written */
};

/*
 * Parse a value and append its commands. -EINVAL with the problem in *ret_report,
 * -ENOMEM; then commands is unchanged.
 */
MUST_CHECK int command_parse(const char *value, const struct specifier_scope *scope,
		struct unit_commands *commands, struct command_report *ret_report);

/*
 * Look a name without slashes up in the folders where programs are. -ENOENT; why the first
 * file of that name cannot be executed; -ENOMEM.
 */
MUST_CHECK int command_find_program(const char *name, char **ret_path);

/* Whether path is a file that may be executed: 0 or the negative errno that says why not.
 */
MUST_CHECK int command_check_program(const char *path);

/* The command in the form of a file, so that parsing it again gives the same. */
void command_dump(const struct unit_command *command, struct text *t);
/* A word, quoted when it must be, percent signs doubled. */
void command_dump_word(const char *word, struct text *t);

void command_fini(struct unit_command *command);
void commands_fini(struct unit_commands *commands);

#endif
