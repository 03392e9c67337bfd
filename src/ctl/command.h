/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

/*
 * What a command is, and what each of them is given: the options, the terminal, the text
 * that standard output gets at the end, and the connection to the instance.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"
#include "base/text.h"
#include "ctl/client.h"
#include "ctl/exit.h"
#include "ctl/json.h"
#include "ctl/options.h"
#include "ctl/terminal.h"

struct ctl;

struct command {
	const char *name;
	const char *arguments; /* as in the synopsis; "" when there are none */
	const char *summary; /* one line without a full stop */
	const char *help; /* paragraphs */
	unsigned int min_names, max_names;
	enum ctl_exit (*run)(struct ctl *ctl, char **names, size_t n_names);
};

struct ctl {
	const struct command *command; /* NULL before the arguments are understood */
	struct options options;
	struct terminal terminal;
	struct text out; /* written to standard output when the command is done */
	struct client client;
	const char *problem_kind; /* of the last ctl_fail, for --json */
	struct text problem;
};

/* All commands in the order of the help; ends with NULL. */
extern const struct command *const commands[];
/* NULL when absent. */
const struct command *command_find(const char *name);

/*
 * Say on standard error that the command failed, remember it for --json, and return exit
 * for the caller to pass on.
 */
PRINTF_LIKE(3, 4)
enum ctl_exit ctl_fail(struct ctl *ctl, enum ctl_exit exit, const char *format, ...);
enum ctl_exit ctl_out_of_memory(struct ctl *ctl);

/* A remark on standard error. */
PRINTF_LIKE(2, 3) void ctl_note(struct ctl *ctl, const char *format, ...);

/* Connect to the instance that the options name; on failure says why. */
MUST_CHECK enum ctl_exit ctl_connect(struct ctl *ctl);

/* Why client_connect(path) failed and what to do, as a sentence; NULL when out of memory.
 * The caller frees it. */
MUST_CHECK char *ctl_explain_connect(const char *path, int error);

/*
 * Say what went wrong with a call, name being the unit it was about (NULL: none), and
 * return the exit status for it.
 */
enum ctl_exit ctl_fail_call(struct ctl *ctl, int error, const char *name);

/* How long to wait for an answer that should come at once, and for the end of a job. */
uint64_t ctl_query_timeout(const struct ctl *ctl);
uint64_t ctl_job_timeout(const struct ctl *ctl);

/* Folder of the instance's runtime files; NULL when out of memory. The caller frees it.
 */
MUST_CHECK char *ctl_runtime_dir(const struct ctl *ctl);

/* The control socket of the instance that the options name; as above. */
MUST_CHECK char *ctl_control_path(const struct ctl *ctl);

/* Write out what was collected so far. */
MUST_CHECK enum ctl_exit ctl_flush(struct ctl *ctl);

/* "db" of "db", "db.actor" and "db.supervisor", in place. */
void ctl_trim_name(char *name);

#endif
