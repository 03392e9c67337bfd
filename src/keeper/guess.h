/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_GUESS_H
#define KEEPER_GUESS_H

/* Which process is the service when nothing names it: GuessMainPID= of Type=forking. */

#include <sys/types.h>

#include "base/macro.h"

struct charge;
struct keeper;

/*
 * The one process of the unit that has lost its parent, which is what a program that puts
 * itself into the background is. -ESRCH when there is none, or more than one.
 */
MUST_CHECK int guess_main(struct keeper *keeper, struct charge *charge, pid_t *ret_pid);

#endif
