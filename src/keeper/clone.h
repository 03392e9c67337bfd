/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_CLONE_H
#define KEEPER_CLONE_H

/*
 * How the keeper makes a process.
 *
 * A shared child runs on the keeper's memory and descriptor table, on a stack of its own,
 * while the keeper waits until the child executes a program or ends: nothing is copied,
 * whatever the keeper's size. It must not allocate, lock, return to its caller's frame or
 * change its user, and must make the descriptor table its own before it changes it. A
 * copied child has its own memory and may do all that.
 *
 * Signal handlers are reset in the child; the signal mask is inherited.
 */

#include <sys/types.h>

#include "base/macro.h"

enum clone_memory {
	CLONE_SHARED,
	CLONE_COPIED,
};

struct clone_request {
	enum clone_memory memory;
	int (*child)(void *data); /* its result is the exit status */
	void *data;
	int cgroup_fd; /* cgroup v2 folder to be born in; -1: the keeper's */
};

/*
 * Make a process. 0 with its pid; -EAGAIN, -ENOMEM, or what the kernel says about the
 * cgroup. Only one thread of the keeper may call it. Blocks for CLONE_SHARED as told
 * above.
 */
MUST_CHECK int clone_process(const struct clone_request *request, pid_t *ret_pid);

#endif
