/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/members.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/procid.h"
#include "keeper/keeper.h"
#include "keeper/look.h"
#include "keeper/reap.h"

#define ROUNDS_MAX 64

/* Orphans of an earlier keeper's processes are not our children. */
static int look_for(struct keeper *keeper, struct charge *charge, struct look *look)
{
	int r = charge->was_adopted ? -ENOENT : look_near(keeper, charge, look);

	if (r != -ENOENT)
		return r;
	look_fini(look);
	return look_far(keeper, look);
}

/* One signal to all processes of a unit, in as many looks as it takes. */
struct volley {
	struct keeper *keeper;
	struct charge *charge;
	struct signals signals;
	struct map seen;
	int n_strangers; /* of this look: those that the keeper did not start */
	int total;
};

/*
 * A child of ours has its number until it is waited for. Any other is pinned and compared
 * before it is signalled.
 */
static int signal_sight(struct volley *v, const struct sight *sight)
{
	const struct procid id = { .pid = sight->pid, .start_time = sight->start_time };
	const struct process *known = process_find_pid(&v->keeper->charges, sight->pid);
	auto_close int pidfd = -1;
	int r;

	if (map_find_number(&v->seen, (uint64_t)sight->pid))
		return 0;
	r = map_put_number(&v->seen, (uint64_t)sight->pid, v);
	if (r < 0)
		return r;
	if (known && known->charge == v->charge && !known->is_foreign) {
		v->total += signals_to_child(sight->pid, v->signals) == 0;
		return 0;
	}
	v->n_strangers++;
	if (procid_open(&id, &pidfd) == 0 && signals_to_pidfd(pidfd, v->signals) == 0)
		v->total++;
	return 0;
}

/* Signals those that were not there in the last look. */
static int signal_new(struct volley *v)
{
	struct look look = { 0 };
	int r = look_for(v->keeper, v->charge, &look);

	v->n_strangers = 0;
	for (size_t i = 0; i < look.count && r == 0; i++)
		if (look.sights[i].charge == v->charge)
			r = signal_sight(v, &look.sights[i]);
	look_fini(&look);
	return r;
}

int members_signal(struct keeper *keeper, struct charge *charge, struct signals signals)
{
	struct volley v = { .keeper = keeper, .charge = charge, .signals = signals };
	int r;

	if (!charge->is_occupied)
		return -ESRCH;
	charge->was_killed |= signals.first == SIGKILL;
	r = signal_new(&v);
	/* A service that is one process of ours needs no second look. */
	for (int round = 1; round < ROUNDS_MAX && r == 0 && v.n_strangers > 0; round++) {
		keeper->turns++; /* what the signal made orphans is to be seen */
		r = signal_new(&v);
	}
	map_fini(&v.seen);
	if (r < 0)
		return r;
	return v.total > 0 ? 0 : -ESRCH;
}

bool members_contain(struct keeper *keeper, struct charge *charge, pid_t pid)
{
	struct look look = { 0 };
	bool found = false;
	int r;

	keeper->turns++; /* it may have become an orphan just now */
	r = look_for(keeper, charge, &look);
	for (size_t i = 0; i < look.count && r == 0 && !found; i++)
		found = look.sights[i].pid == pid && look.sights[i].charge == charge;
	look_fini(&look);
	return found;
}

/* Follow a process that was left behind, so that its end is heard of. 0 as well when it
 * has ended. */
static int follow(struct keeper *keeper, const struct sight *sight)
{
	const struct procid id = { .pid = sight->pid, .start_time = sight->start_time };
	struct charges *charges = &keeper->charges;
	auto_close int pidfd = -1;
	struct process *process;
	int r;

	/* The others are met again when these have gone. */
	if (sight->charge->n_live >= CHARGE_REMNANTS_MAX ||
			process_find_pid(charges, sight->pid))
		return 0;
	r = procid_open(&id, &pidfd);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	/* Its environment tells nothing while it executes a program: so it can be missed by
	 * the signal that was to end it. */
	if (sight->charge->was_killed)
		(void)pidfd_signal(pidfd, SIGKILL);
	process = process_new(charges, sight->charge, charges->next_spawn_id++);
	if (!process)
		return -ENOMEM;
	process->is_remnant = true;
	process->stage = PROCESS_LIVES;
	process->start_time = sight->start_time;
	process->keeper = keeper;
	r = process_attach(charges, process, sight->pid);
	/* Our own child tells by SIGCHLD. */
	if (r == 0 && sight->parent != getpid()) {
		r = reap_watch_foreign(keeper, process, pidfd);
		if (r == 0)
			(void)take_fd(&pidfd);
	}
	if (r < 0)
		process_free(charges, process);
	return r;
}

/* Nothing of it is known to live; more may be left. */
static bool is_due(const struct charge *charge)
{
	return charge->is_occupied && charge->n_live == 0 && !charge->has_cgroup;
}

static bool is_far_look_due(const struct keeper *keeper)
{
	const struct charge *charge;
	size_t cursor;

	charges_foreach(&keeper->charges, cursor, charge)
		if (is_due(charge) && charge->was_adopted)
			return true;
	return false;
}

static int look_for_remnants(struct keeper *keeper, struct look *look)
{
	int r = is_far_look_due(keeper) ? -ENOENT : look_near(keeper, NULL, look);

	if (r != -ENOENT)
		return r;
	look_fini(look);
	return look_far(keeper, look);
}

void members_look(struct keeper *keeper)
{
	struct look look = { 0 };
	struct charge *charge;
	size_t cursor;
	int r;

	keeper->members_are_due = false;
	keeper->turns++;
	r = look_for_remnants(keeper, &look);
	for (size_t i = 0; i < look.count && r == 0; i++)
		if (look.sights[i].charge && is_due(look.sights[i].charge))
			r = follow(keeper, &look.sights[i]);
	look_fini(&look);
	if (r < 0)
		reap_look_again(keeper);
	charges_foreach(&keeper->charges, cursor, charge)
		if (r == 0 && is_due(charge))
			reap_tell_empty(keeper, charge);
}
