/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_MEMBERS_H
#define KEEPER_MEMBERS_H

/*
 * The processes of a unit where there is no cgroup: descendants of those that the keeper
 * started, members of their sessions, and whoever carries the unit's INVOCATION_ID in its
 * first environment. The keeper is a subreaper, so orphans become its children and stay
 * to be found. A process that leaves all of that on purpose escapes.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/macro.h"
#include "keeper/signals.h"

struct charge;
struct keeper;

/* Signal every process of the unit until none appears any more. -ESRCH: there is none. */
MUST_CHECK int members_signal(
		struct keeper *keeper, struct charge *charge, struct signals signals);

/* Whether a process belongs to the unit. */
bool members_contain(struct keeper *keeper, struct charge *charge, pid_t pid);

/*
 * Look for what is left of all units whose known processes have ended: each process found
 * becomes a remnant of its unit; a unit without any is empty. Made once for all events of
 * a turn.
 */
void members_look(struct keeper *keeper);

#endif
