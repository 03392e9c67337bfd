/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_USERS_H
#define KEEPER_USERS_H

/*
 * Users and groups as the local files /etc/passwd and /etc/group know them, without the
 * system's name service, which may load code and wait for a network. Who is not found
 * here is left to the executor. Answers are remembered until users_forget.
 */

#include <sys/types.h>

#include "base/map.h"

struct user {
	char *asked; /* the name or number that was asked for */
	uid_t uid;
	gid_t gid;
	char *name, *home, *shell; /* NULL for a number that the files do not have */
	gid_t *groups; /* supplementary ones, the primary one among them */
	uint32_t n_groups;
	int error; /* 0, or -ESRCH: not in the files */
};

struct users {
	struct map by_name, groups_by_name;
};

/* 0 with a borrowed answer; -ESRCH when the files do not have it, -ENOMEM. */
MUST_CHECK int users_find(
		struct users *users, const char *name, const struct user **ret_user);
MUST_CHECK int users_find_uid(
		struct users *users, uid_t uid, const struct user **ret_user);
/* A number is taken as it is. */
MUST_CHECK int users_find_group(struct users *users, const char *name, gid_t *ret_gid);

/* Read the files again at the next question. */
void users_forget(struct users *users);

#endif
