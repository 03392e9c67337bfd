/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_PROGRAMS_H
#define UNIT_PROGRAMS_H

/*
 * Which programs command lines name, and whether they are there; the same of policies. Who reads the unit files
 * looks for them, each once, but not on file systems that may keep it waiting: such a
 * program counts as there; the answers travel with the snapshot, so that whoever parses
 * it later comes to the same units without a look at the file system, and without the
 * right to look.
 */

#include <stdbool.h>

#include "base/macro.h"
#include "base/map.h"
#include "base/near.h"

struct unit_context;

struct unit_program {
	char *name; /* as the command line has it */
	char *path; /* where it was found; NULL: where the name says, or nowhere */
	int error; /* 0, or the negative errno that says why it cannot be executed */
};

struct unit_programs {
	struct map by_name; /* struct unit_program */
	struct map policies; /* struct unit_program, whose path is NULL */
	struct near near;
	bool is_closed; /* nothing is looked for any more */
};

void unit_programs_fini(struct unit_programs *programs);

/*
 * What is known of a program: *ret_program is borrowed, or NULL when it is there where
 * its absolute name says. It is looked for unless the answers are closed; then only what
 * was found wrong or elsewhere is known, and everything else is taken for right. -ENOMEM.
 */
MUST_CHECK int unit_programs_find(struct unit_programs *programs, const char *name,
		const struct unit_program **ret_program);

/* Whether it is not just there where its name says. */
bool unit_program_is_odd(const struct unit_program *program);

/*
 * What is known of a policy: *ret_error is 0 or -ENOENT. The context's find_policy is
 * asked unless the answers are closed. -ENOMEM.
 */
MUST_CHECK int unit_programs_find_policy(struct unit_programs *programs,
		const struct unit_context *context, const char *name, int *ret_error);

/* Take an answer over; texts are copied. -EEXIST, -ENOMEM. */
MUST_CHECK int unit_programs_add(
		struct unit_programs *programs, const struct unit_program *program);
MUST_CHECK int unit_programs_add_policy(
		struct unit_programs *programs, const struct unit_program *policy);

#endif
