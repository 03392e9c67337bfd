/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/owed.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "keeper/keeper.h"

#define GRACE_USEC    (5 * USEC_PER_MSEC) /* for the processes that have got it */
#define PATIENCE_USEC (100 * USEC_PER_MSEC)

/* How many of the unit's own children got it. */
static int signal_children(const struct charge *charge, struct signals signals)
{
	const struct process *process;
	int count = 0;

	list_foreach(process, &charge->processes, link)
		if (process_is_live(process) && !process->is_foreign)
			count += signals_to_child(process->pid, signals) == 0;
	return count;
}

static int owe(struct keeper *keeper, struct charge *charge, struct signals signals)
{
	struct owed *owed = calloc(1, sizeof(*owed));

	if (!owed)
		return -ENOMEM;
	owed->charge = charge;
	owed->signals = signals;
	owed->since_usec = clock_monotonic_usec();
	list_append(&keeper->owed, &owed->link);
	charge->owed = owed;
	return 0;
}

int owed_signal(struct keeper *keeper, struct charge *charge, struct signals signals)
{
	if (signals.first == SIGKILL) {
		owed_drop(charge);
		return cgroup_signal(&keeper->cgroup, charge, signals);
	}
	owed_settle(keeper, charge);
	if (signal_children(charge, signals) == 0)
		return cgroup_signal(&keeper->cgroup, charge, signals);
	if (owe(keeper, charge, signals) < 0)
		return cgroup_signal_rest(&keeper->cgroup, charge, signals);
	return 0;
}

void owed_drop(struct charge *charge)
{
	if (!charge->owed)
		return;
	list_remove(&charge->owed->link);
	free(charge->owed);
	charge->owed = NULL;
}

void owed_settle(struct keeper *keeper, struct charge *charge)
{
	struct signals signals;

	if (!charge->owed)
		return;
	signals = charge->owed->signals;
	owed_drop(charge);
	/* That nobody else is there is the rule. */
	IGNORE_RESULT(cgroup_signal_rest(&keeper->cgroup, charge, signals));
}

static void settle_older(struct keeper *keeper, uint64_t now_usec, uint64_t age_usec)
{
	struct owed *first;

	while ((first = list_first(&keeper->owed, struct owed, link)) &&
			usec_sub(now_usec, first->since_usec) >= age_usec)
		owed_settle(keeper, first->charge);
}

uint64_t owed_next_usec(const struct keeper *keeper)
{
	const struct owed *first = list_first(&keeper->owed, struct owed, link);

	return first ? usec_add(first->since_usec, GRACE_USEC) : USEC_INFINITY;
}

void owed_settle_due(struct keeper *keeper, uint64_t now_usec)
{
	settle_older(keeper, now_usec, GRACE_USEC);
}

void owed_settle_late(struct keeper *keeper, uint64_t now_usec)
{
	settle_older(keeper, now_usec, PATIENCE_USEC);
}
