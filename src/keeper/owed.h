/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_OWED_H
#define KEEPER_OWED_H

/*
 * A signal to all processes of a unit. Those that the keeper started get it at once. The
 * rest, which only the cgroup knows, gets it some milliseconds later when the keeper has
 * nothing else to do, and before anything else is done to the unit: most services are one
 * process, and of a thousand that are stopped together nearly all are gone by then, so
 * that their folders need not be looked into.
 */

#include <stdint.h>

#include "base/list.h"
#include "base/macro.h"
#include "keeper/signals.h"

struct keeper;
struct charge;

struct owed {
	struct list link; /* struct keeper.owed */
	struct charge *charge;
	struct signals signals;
	uint64_t since_usec; /* CLOCK_MONOTONIC */
};

/* 0; -ESRCH: nobody is there; or the errno of the cgroup. */
MUST_CHECK int owed_signal(
		struct keeper *keeper, struct charge *charge, struct signals signals);

/* The unit is to be spawned into or signalled again: the rest gets its signal now. */
void owed_settle(struct keeper *keeper, struct charge *charge);
/* Nothing of the unit is left. */
void owed_drop(struct charge *charge);

/* From when on an idle keeper has something to settle, CLOCK_MONOTONIC; USEC_INFINITY:
 * nothing is owed. */
uint64_t owed_next_usec(const struct keeper *keeper);
/* Nothing else is to be done: settle what is due. */
void owed_settle_due(struct keeper *keeper, uint64_t now_usec);
/* However much there is to be done, nobody waits for ever. */
void owed_settle_late(struct keeper *keeper, uint64_t now_usec);

#endif
