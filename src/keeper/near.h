/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_NEAR_H
#define KEEPER_NEAR_H

/*
 * Whether a file can be opened, entered or executed without waiting for anybody: a server
 * that does not answer (NFS, SMB, 9p …) or a program that serves a file system (FUSE,
 * autofs). The keeper must not touch such a file itself. A disk that hangs is beyond this.
 */

#include <stdbool.h>
#include <stddef.h>

struct near {
	int mounts_fd; /* of /proc/self/mountinfo, -1: not open yet */
	int *far; /* mounts of a kind that may make wait */
	size_t n_far;
	bool is_unknown; /* the kernel is too old to say: everything counts as near */
};

void near_init(struct near *near);
void near_fini(struct near *near);

/*
 * Whether path, with its links, lies where nobody has to be asked, and is known to the
 * kernel already. What the kernel knows not to be there, or may not be looked at, is near:
 * the error comes at once. NULL is near.
 */
bool near_has(struct near *near, const char *path);

#endif
