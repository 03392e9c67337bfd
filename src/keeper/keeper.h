/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

/*
 * The keeper: one thread, one loop, and everything that needs privilege. Each member is
 * the state of one module; this struct only ties them together. What passes through:
 *
 *   requests of the core  → keeper/request.c → spawn, signals, notes
 *   ends of processes     → keeper/reap.c → the table, the state file, the core
 *   signals to ourselves  → keeper/main.c
 */

#include <signal.h>
#include <sys/resource.h>

#include "base/near.h"
#include "keeper/cgroup.h"
#include "keeper/charge.h"
#include "keeper/core.h"
#include "keeper/journal.h"
#include "keeper/logs.h"
#include "keeper/look.h"
#include "keeper/loop.h"
#include "keeper/options.h"
#include "keeper/owed.h"
#include "keeper/runtime.h"
#include "keeper/state.h"
#include "keeper/sweep.h"
#include "keeper/upward.h"
#include "keeper/users.h"
#include "unit/unit.h"

/* Descriptors with fixed numbers: keeper/spawn.c hands them to the executor, whose table
 * has nothing above them. */
#define KEEPER_FIRST_FREE_FD 6

enum keeper_phase {
	KEEPER_RUNNING,
	KEEPER_STOPPING, /* the core was told to stop the tree */
	KEEPER_KILLING, /* no more patience */
	KEEPER_DONE,
};

struct keeper {
	struct options options;
	struct loop loop;
	struct runtime runtime;
	struct state state;
	struct charges charges;
	struct cgroup cgroup;
	struct near near;
	struct users users;
	struct upward upward;
	struct core core;

	struct unit_context context;
	struct unit_set *set;
	int snapshot_fd;
	uint32_t n_units;
	struct map policies; /* name → struct kept_policy, keeper/spawn.c */

	struct journal journal;
	struct logs logs;
	struct rlimit nofile; /* as it was before the keeper raised its own */
	bool has_oom_score; /* not the default: the children's is reset */
	struct orphans orphans;
	uint64_t turns; /* of the loop: what was seen in an earlier one is old */
	bool members_are_due; /* keeper/members.h: look after this event */
	bool has_earlier; /* unit files of an earlier keeper were in force */
	bool vanished_are_due; /* keeper/load.h: forget them after this event */
	bool was_ready;
	uint64_t look_again_usec; /* whether units are empty; 0: not due */
	struct list owed; /* keeper/owed.h */
	struct sweep sweep;
	unsigned int events_before_reaping; /* keeper/reap.h; 0: nothing is due */

	int signal_fd;
	struct loop_source signal_source;
	enum keeper_phase phase;
	uint64_t stop_deadline_usec; /* CLOCK_MONOTONIC */
	/* Who asked for the stop: see is_said_twice. */
	uint64_t stop_asked_usec;
	uint32_t stop_signal;
	pid_t stop_sender;
	uint64_t next_watchdog_usec;
	int exit_status;
};

/*
 * The definition of a unit, made for the caller, who frees it: the loaded one, or the one
 * under which a removed unit's processes were started. -ENOENT: unknown; -ENOMEM.
 */
MUST_CHECK int keeper_open_unit(
		const struct keeper *keeper, const char *name, struct unit **ret_unit);
/* Whether there is one. */
bool keeper_knows(const struct keeper *keeper, const char *name);

#endif
