/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_SYSTEM_H
#define RT_SYSTEM_H

/*
 * The system, its pools, and the interface behind which the two schedulers stand.
 */

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

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
	/* Take over the right to run a. worker: the caller, or NULL. Any thread. 0. */
	int (*ready)(struct airs_system *system, struct worker *worker,
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
	atomic_bool is_stopping; /* a copy of the system's, for the hot path */
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

/*
 * What every message runs through, inline.
 */

static inline size_t node_block_size(size_t payload)
{
	return MAX_OF(sizeof(struct node), offsetof(struct node, u) + payload);
}

static inline void node_prepare(struct node *n, enum node_kind kind, uint8_t size_class)
{
	n->status = 0;
	n->ref = 0;
	n->size = 0;
	n->kind = (uint8_t)kind;
	n->size_class = size_class;
	n->payload = PAYLOAD_NONE;
	n->flags = 0;
}

/*
 * A node with room for size inline bytes, without payload; the caller sets to, from and
 * type. NULL: no memory.
 */
MUST_CHECK static inline struct node *node_new(struct airs_system *system,
		struct worker *worker, enum node_kind kind, size_t size)
{
	uint8_t size_class;
	struct node *n = memory_alloc(&system->memory, worker_memory(worker),
			node_block_size(size), &size_class);

	if (LIKELY(n))
		node_prepare(n, kind, size_class);
	return n;
}

/* Frees the node and what it carries. */
static inline void node_free(
		struct airs_system *system, struct worker *worker, struct node *n)
{
	if (UNLIKELY(n->payload >= PAYLOAD_MOVED)) {
		node_free_slowly(system, worker, n);
		return;
	}
	memory_free(&system->memory, worker_memory(worker), n, n->size_class);
}

/* Copies size bytes into a node that was made for them. */
static inline void node_set_data(struct node *n, const void *data, size_t size)
{
	if (size == 0)
		return;
	if (size == sizeof(uint64_t)) /* The most common one is worth its branch. */
		memcpy(n->u.bytes, data, sizeof(uint64_t));
	else
		memcpy((char *)n + offsetof(struct node, u), data, size);
	n->size = (uint32_t)size;
	n->payload = PAYLOAD_INLINE;
}

/* The payload, or NULL. */
static inline void *node_data(struct node *n)
{
	if (LIKELY(n->payload == PAYLOAD_INLINE))
		return (char *)n + offsetof(struct node, u);
	return n->payload == PAYLOAD_MOVED ? n->u.moved.data : NULL;
}

/*
 * n is the first in a's mailbox, which makes the caller the one who schedules a. The
 * most common case of the threaded scheduler's ready is worth its branch here; under the
 * seeded one a worker has no pool.
 */
static inline int actor_wake(struct worker *w, struct airs_actor *a, struct node *n)
{
	a->first = n;
	if (LIKELY(!w->handoff &&
			    w->pool ==
					    atomic_load_explicit(&a->pool,
							    memory_order_relaxed))) {
		w->handoff = a;
		return 0;
	}
	return w->system->scheduler->ready(w->system, w, a);
}

/*
 * The two halves of posting: taking the place in the mailbox, which fixes the order, and
 * making the node visible there or scheduling the actor. node_push_end returns whether n
 * went behind another node.
 */
static inline struct node *node_push_begin(struct airs_actor *a, struct node *n)
{
	atomic_store_explicit(&n->next, NULL, memory_order_relaxed);
	/*
	 * Release: hands the node's contents to the runner, which reads a tail or a next
	 * that leads to it. Acquire: pairs with the release that swapped the tail to NULL
	 * in advance, since finding NULL makes us the next owner of first, run_next and
	 * runner.
	 */
	return atomic_exchange_explicit(&a->tail, n, memory_order_acq_rel);
}

static inline bool node_push_end(struct airs_system *system, struct worker *worker,
		struct airs_actor *a, struct node *n, struct node *before)
{
	if (before) {
		/* Release: pairs with the acquire load of next in advance. */
		atomic_store_explicit(&before->next, n, memory_order_release);
		return true;
	}
	a->first = n;
	(void)system->scheduler->ready(system, worker, a);
	return false;
}

#endif
