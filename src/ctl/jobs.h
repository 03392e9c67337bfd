/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_JOBS_H
#define CTL_JOBS_H

/*
 * One action on several units at once: every call is sent before the first answer is
 * waited for. On a terminal a line tells how many are done and who is waited for;
 * elsewhere every result is a line.
 */

#include "ctl/command.h"

struct job_action {
	const char *method; /* of the manager */
	const char *done; /* "started" */
	const char *already; /* "was already running"; NULL: cannot be */
	/* Append what the method takes beside the name; NULL: nothing. */
	int (*append)(struct ctl *ctl, sd_bus_message *call);
};

/*
 * Run it on these units, or with --all on every child of the root. Names are trimmed in
 * place. When all that failed did so for one reason, that is the exit status, else
 * CTL_FAILED.
 */
MUST_CHECK enum ctl_exit jobs_run(struct ctl *ctl, const struct job_action *action,
		char **names, size_t n_names);

#endif
