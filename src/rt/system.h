/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_SYSTEM_H
#define RT_SYSTEM_H

/*
 * The system, its pools, and the interface behind which the two schedulers stand.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "airssys/system.h"
#include "base/macro.h"
#include "rt/actor.h"
#include "rt/memory.h"
#include "rt/names.h"
#include "rt/reactor.h"
#include "rt/table.h"
#include "rt/worker.h"

/*
 * A scheduler. new and free are called once; the others between them.
 */
struct scheduler {
	MUST_CHECK int (*new)(struct airs_system *system);
	MUST_CHECK int (*start)(struct airs_system *system);
	int (*run)(struct airs_system *system, uint64_t until_usec);
	/* The stop flag was set. Any thread. */
	void (*stop)(struct airs_system *system);
	/* No worker runs when it returns. */
	void (*join)(struct airs_system *system);
	void (*free)(struct airs_system *system);
	/* Take over the right to run a. worker: the caller, or NULL. Any thread. */
	void (*ready)(struct airs_system *system, struct worker *worker,
			struct airs_actor *a);
	/* Any thread. */
	uint64_t (*now)(struct airs_system *system);
	/* When a delay that begins now is over for certain. */
	uint64_t (*deadline)(struct airs_system *system, uint64_t delay_usec);
};

extern const struct scheduler scheduler_threads, scheduler_seeded;

struct airs_pool {
	struct airs_system *system;
	struct airs_pool *next;
	char name[16];
	struct reactor *reactor;
	unsigned int n_workers;
	struct worker *workers; /* the threaded scheduler's */

	/* Written by senders of other pools and by workers that go to sleep. */
	_Atomic(struct airs_actor *) injected __attribute__((aligned(CACHE_LINE)));
	atomic_uint idle; /* workers that sleep, or are about to */
	atomic_bool waking; /* a wake-up is under way */
};

struct airs_system {
	const struct scheduler *scheduler;
	struct airs_system_options options;
	struct memory memory;
	struct table table;
	struct names names;
	struct airs_pool *pools, *default_pool, *main_pool;
	struct seeded *seeded;
	atomic_bool is_stopping;
	bool is_started;
	_Atomic uint64_t refs;
	_Atomic uint64_t spawned_outside;

	/* Threads in airs_system_call. The mutex guards every struct outside_call. */
	pthread_mutex_t call_lock;
	pthread_cond_t call_done;
};

static inline struct memory_cache *worker_memory(struct worker *w)
{
	return w ? &w->memory : NULL;
}

static inline uint64_t system_now(struct airs_system *system)
{
	return system->scheduler->now(system);
}

/* The actor's slot, or NULL for a number that was never a pid. */
static inline struct airs_actor *system_find(struct airs_system *system, airs_pid pid)
{
	return table_find(&system->table, pid & PID_SLOT_MASK);
}

/* Memory of a pool and its reactor; the workers are the scheduler's. */
MUST_CHECK int pool_new(struct airs_system *system, const char *name,
		unsigned int n_workers, struct airs_pool **ret_pool);

/* Prepare a worker of this system. */
void worker_init(struct worker *w, struct airs_system *system, struct airs_pool *pool,
		uint64_t seed);

#endif
