/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

/*
 * The command line: one table of options, of which some belong to all commands and the
 * others to those that it names. Options may stand before and after the command.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/text.h"
#include "ctl/terminal.h"

#define OPTIONS_ALL_LINES UINT64_MAX
#define OPTIONS_NO_LINES  (UINT64_MAX - 1)

enum instance_choice {
	INSTANCE_DEFAULT,
	INSTANCE_SYSTEM,
	INSTANCE_USER,
};

struct options {
	uint64_t given; /* bit n: entry n of the table */
	/* of all commands */
	bool json, help, version;
	const char *runtime_dir, *socket; /* borrowed from argv; NULL: not given */
	enum instance_choice instance;
	enum color_mode color;
	uint64_t timeout_usec;
	bool timeout_given;
	/* of some */
	bool all, follow, names_only, strict;
	uint64_t lines; /* OPTIONS_NO_LINES: not given */
	uint64_t since_usec, until_usec; /* realtime; 0: not given */
	const char *journal_directory;
	const char *whom;
	int signal;
	struct strv keys, states;
};

struct option_info {
	const char *name; /* "runtime-dir" */
	char letter; /* 0: none */
	const char *argument; /* "DIR"; NULL: takes none */
	const char *fallback; /* the value when none is given; NULL: one must be */
	const char *commands; /* names between blanks; NULL: all commands */
	const char *help; /* one line without a full stop */
	/* 0, or a negative errno: the value cannot be understood. value is borrowed from
	 * argv, NULL when the option takes none. */
	int (*apply)(struct options *options, const char *value);
};

/* All options; ends with an entry without a name. */
extern const struct option_info option_table[];

/* Whether the option may be given to this command. */
bool option_fits(const struct option_info *option, const char *command);

void options_fini(struct options *options);

/*
 * Read the options out of argv and move what is left to its end. 0 with the index of
 * the first of these, or -EINVAL with a sentence in message (else -ENOMEM).
 */
MUST_CHECK int options_parse(struct options *options, int argc, char **argv,
		struct text *message, int *ret_first);

/* The first option given that does not fit this command, or NULL. */
const struct option_info *options_find_misplaced(
		const struct options *options, const char *command);

#endif
