/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_TRANSIENT_UID_H
#define KEEPER_TRANSIENT_UID_H

/*
 * A user number that nobody else has, for as long as it is held. The range is the one that
 * systemd sets aside for DynamicUser=, and so is the lock where systemd is there: neither
 * it nor another keeper takes the same number.
 */

#include <sys/types.h>

#include "base/macro.h"
#include "keeper/users.h"

#define TRANSIENT_UID_FIRST 61184
#define TRANSIENT_UID_LAST  65519

struct transient_uid {
	uid_t uid;
	int folder_fd, lock_fd; /* -1: none */
};

/*
 * Take one that is in no local file and that no process runs under. lock_folder is
 * systemd's; where it is not there, an abstract socket is the lock. -EUSERS: all are taken;
 * or the errno of the lock.
 */
MUST_CHECK int transient_uid_take(const char *lock_folder, struct users *users,
		struct transient_uid *ret_uid);
void transient_uid_release(struct transient_uid *uid);

#endif
