/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef OSL_SYSCALL_H
#define OSL_SYSCALL_H

/*
 * System calls by name, and the groups of them that a policy may name. The groups have
 * the names and the meaning of those that systemd.exec(5) lists, so that a line of a
 * hardened service file keeps its meaning here. Numbers are those of the architecture
 * this was built for.
 */

#include <stdbool.h>
#include <stddef.h>

/* Numbers at and above this one are not known by any table here. */
#define SYSCALL_LIMIT 1024

/*
 * What syscall_number answers for a call that exists, but not on this architecture or not
 * yet in the libseccomp that is linked.
 */
#define SYSCALL_ABSENT (-1)

struct syscall_group {
	const char *name; /* with its "@" */
	const char *description; /* for people */
	/* Names of calls and of other groups, a blank between them. */
	const char *members;
};

/* NULL when there is none. */
const struct syscall_group *syscall_group_find(const char *name);

/* Iterates over all groups in the order of their names: index from 0; NULL ends. */
const struct syscall_group *syscall_group_at(size_t index);

/* The number of a call, SYSCALL_ABSENT, or -ENOENT when no table here knows the name. */
int syscall_number(const char *name);

/* Whether the table has a call of this number. */
bool syscall_is_known(int number);

/*
 * Whether libraries try the call and do without it where it does not exist. They take
 * ENOSYS for an answer and any other error for a failure.
 */
bool syscall_is_probed(int number);

#endif
