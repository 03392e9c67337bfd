/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

/*
 * Against what tests leave behind, also when they fail half way or are interrupted. The
 * guard runs a function in a child, in a cgroup of its own where it can make one, and is
 * the parent of every orphan. When the child has ended, what still lives after a moment is
 * told and killed, and the cgroup removed with all below it.
 */

/*
 * Run body in a child. Blocks until it and all of its descendants have ended.
 *
 * Returns what body returned, which is an exit status; 128 and the signal that ended it;
 * EXIT_FAILURE when it left a process or a cgroup behind or could not be run.
 */
int guard_run(int (*body)(void *data), void *data);

#endif
