/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef EXEC_STEPS_H
#define EXEC_STEPS_H

/*
 * The numbered list of steps between the birth of a process and the first instruction of
 * a service. It is one list for every way in which a process is made, so that a service
 * behaves the same whichever way the keeper chose.
 *
 * No step allocates memory, takes a lock or looks anything up: the list may run in a
 * child that shares the keeper's memory (exec_spec_is_direct says when it may). What such
 * a child writes to struct exec_run is seen by the keeper.
 */

#include <stdint.h>

#include "exec/spec.h"

/*
 * The order is the order of execution, but for what airssysd itself does before. Numbers
 * are stable: they are exit statuses too.
 */
enum exec_step {
	EXEC_STEP_NONE,
	EXEC_STEP_DESCRIPTION, /* airssys-exec: the description is missing or damaged */
	EXEC_STEP_USER, /* airssys-exec: a name that only the system's name service knows
			 */
	EXEC_STEP_SESSION,
	EXEC_STEP_DESCRIPTORS,
	EXEC_STEP_OOM,
	EXEC_STEP_LIMITS,
	EXEC_STEP_STDIN,
	EXEC_STEP_STDOUT,
	EXEC_STEP_STDERR,
	EXEC_STEP_NICE,
	EXEC_STEP_UMASK,
	EXEC_STEP_CAPABILITIES,
	EXEC_STEP_GROUP,
	EXEC_STEP_CREDENTIALS,
	EXEC_STEP_CHDIR,
	EXEC_STEP_NO_NEW_PRIVILEGES,
	EXEC_STEP_SIGNALS,
	EXEC_STEP_FILTER,
	EXEC_STEP_EXEC,
	EXEC_STEP_ENVIRONMENT, /* airssysd: reads the files of EnvironmentFile= */
	EXEC_STEP_FOLDERS, /* airssysd: makes those of RuntimeDirectory=, StateDirectory=
			    */
	EXEC_STEP_COUNT
};

/* Exit status of a child that failed at a step: this and the number of the step. */
#define EXEC_STATUS_BASE 200

#define EXEC_DETAIL_SIZE 192

/* Why a process did not come to its first instruction. step NONE: it did. */
struct exec_report {
	uint32_t step; /* enum exec_step */
	int32_t error; /* positive errno */
	char detail[EXEC_DETAIL_SIZE]; /* the path or name concerned, or "" */
};

#define EXEC_JOURNAL_STREAM_SIZE 64

/* One run of the list, prepared by who makes the process. */
struct exec_run {
	const struct exec_spec *spec;
	/* NULL-terminated, its first item is free for JOURNAL_STREAM=. */
	char **envp;
	int program_fd; /* execute this instead of spec->path; -1: none */
	int keep_fd; /* moved to EXEC_KEPT_FD and passed on; -1: none */
	int report_fd; /* kept open until exec; -1: none. Not 0, 1, 2 or EXEC_KEPT_FD */
	struct exec_report report;
	char journal_stream[EXEC_JOURNAL_STREAM_SIZE];
};

#define EXEC_KEPT_FD 3

/*
 * The environment array of a run: the spec's with a free item in front. The array is the
 * caller's to free, its strings stay the spec's. NULL when memory is out.
 */
MUST_CHECK char **exec_run_environment(const struct exec_spec *spec);

/*
 * Do all steps and execute. Returns only when a step failed, with run->report filled: the
 * negative errno. Single-threaded caller; some steps may block on a file system.
 */
int exec_run(struct exec_run *run);

/*
 * Whether every step that this spec needs may run in a child that shares the keeper's
 * memory: no change of user (the kernel would change the dumpable flag of the common
 * memory), nothing that a stuck service of others could block for ever.
 */
bool exec_spec_is_direct(const struct exec_spec *spec);

/* "CHDIR"; "" for EXEC_STEP_NONE and for what is no step. */
const char *exec_step_name(uint32_t step);

#endif
