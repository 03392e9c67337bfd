/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_SWEEP_H
#define KEEPER_SWEEP_H

/*
 * The removal of a thousand leaves of the cgroup tree is a third of a stop's work, and most
 * of it is the kernel's. A process beside the keeper does it, on another processor where
 * there is one, and answers which leaves were empty and are gone: the end of a unit's last
 * process is told to the core when that is known.
 *
 * The helper holds nothing but the folder and a socket, and does nothing but remove folders
 * that are named to it. Where it cannot be made, has ended, or is slow to read, the keeper
 * removes them itself.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "keeper/loop.h"

struct keeper;
struct charge;

#define SWEEP_BATCH 16 /* leaves that are named, and answered, together */
#define SWEEP_ROOM  2048 /* for their names */

struct sweep {
	struct keeper *keeper;
	struct loop_source source;
	int fd; /* to the helper; -1: there is none */
	pid_t pid; /* until its end was waited for; 0: none */
	struct list asked; /* [struct swept.link], in this order they are answered */
	uint64_t heard_usec; /* CLOCK_MONOTONIC: since then an answer is missing */
	unsigned int n_named; /* the last so many of them, not sent yet */
	size_t size;
	char names[SWEEP_ROOM]; /* each with its zero */
};

void sweep_init(struct sweep *sweep, struct keeper *keeper);
/* A stop begins: make the helper, when there is enough to do. */
void sweep_begin(struct sweep *sweep);
/*
 * The last known process of the unit, with this spawn id, has ended: have its leaf removed;
 * reap_end_of_unit is called with the answer. False: nobody will.
 */
bool sweep_ask(struct sweep *sweep, struct charge *charge, uint64_t spawn_id);
/* This child has ended and was waited for: its number may be another's from now on. Whether
 * it was the helper. */
bool sweep_on_end(struct sweep *sweep, pid_t pid);
/* Before the keeper sleeps. */
void sweep_flush(struct sweep *sweep);
/* Answers are to come: what is told then needs not be looked for now. */
static inline bool sweep_is_busy(const struct sweep *sweep)
{
	return !list_is_empty(&sweep->asked);
}
/* When the helper is taken to be lost, CLOCK_MONOTONIC; and what is due by then. */
uint64_t sweep_next_usec(const struct sweep *sweep);
void sweep_on_time(struct sweep *sweep, uint64_t now_usec);
/* Something else is to be done to a unit, or to all: every answer is waited for, at most for
 * a second, and without the helper afterwards. */
void sweep_settle(struct sweep *sweep);
/* Settles, and ends the helper. */
void sweep_fini(struct sweep *sweep);

#endif
