/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

/*
 * Whether a file can be opened, entered or executed without waiting for anybody: a server
 * that does not answer (NFS, SMB, 9p …) or a program that serves a file system (FUSE,
 * autofs). Who must never hang does not touch such a file. A disk that hangs is beyond this.
 */

#include <stdbool.h>
#include <stddef.h>

/* Starts as zeros. */
struct near {
	bool is_open; /* mounts_fd is: /proc/self/mountinfo */
	int mounts_fd;
	int *far; /* mounts of a kind that may make wait */
	size_t n_far;
	bool is_unknown; /* the kernel is too old to say: everything counts as near */
};

void near_fini(struct near *near);

/*
 * Whether path, with its links, lies where nobody has to be asked. What is not there, or
 * may not be looked at, is near: the error comes at once. NULL is near; a relative path is
 * if the kernel has all of it in memory. Reads local disks.
 */
bool near_has(struct near *near, const char *path);

#endif
