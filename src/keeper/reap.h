/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_REAP_H
#define KEEPER_REAP_H

/*
 * Ends of processes. Children are waited for when SIGCHLD says so; a process of an
 * earlier keeper is watched by its pidfd. The end is put into the table and the state
 * file, then told to the core, then it is looked whether the unit is empty.
 */

#include "base/macro.h"
#include "keeper/charge.h"

struct keeper;

/*
 * SIGCHLD came and named this pid (0: none): its end is dealt with at once, and
 * keeper->events_before_reaping counts down to a walk over all children, since one signal
 * may stand for several.
 */
void reap_child(struct keeper *keeper, pid_t pid);
/* Deal with every child that has ended. */
void reap_children(struct keeper *keeper);

/* What waitpid tells, as waitid does. */
void reap_split_status(int wait_status, int *ret_code, int *ret_status);

/* Watch a process that is not our child. */
MUST_CHECK int reap_watch_foreign(
		struct keeper *keeper, struct process *process, int pidfd);

/* Tell the core and forget the occupation when nothing of the unit is left. */
void reap_check_empty(struct keeper *keeper, struct charge *charge);
/* What became of a leaf that keeper/sweep.h was asked to remove; the unit and the process
 * of the question. */
void reap_end_of_unit(struct keeper *keeper, struct charge *charge, uint64_t spawn_id,
		bool leaf_is_gone);
/* It could not be seen now whether something is left: look again in a moment. */
void reap_look_again(struct keeper *keeper);
/* When that moment is, CLOCK_MONOTONIC; and what is due by then. */
uint64_t reap_next_usec(const struct keeper *keeper);
void reap_on_time(struct keeper *keeper, uint64_t now_usec);
/* Nothing is left. */
void reap_tell_empty(struct keeper *keeper, struct charge *charge);

#endif
