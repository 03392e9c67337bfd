/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_WORKER_H
#define RT_WORKER_H

/*
 * A worker: whoever runs actors. The threaded scheduler has one per thread, the seeded
 * one has a single one. Everything here belongs to the worker's thread, except what is
 * marked.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "airssys/message.h"
#include "airssys/types.h"
#include "rt/lock.h"
#include "rt/memory.h"

#define SLOT_CACHE 64

enum lane {
	LANE_WOKEN, /* were idle and got a message */
	LANE_CONTINUING, /* used up a turn */
	LANE_COUNT
};

/* Owner and thieves. */
struct run_queue {
	struct spin lock;
	struct airs_actor *head[LANE_COUNT], *tail[LANE_COUNT];
	_Atomic uint32_t count[LANE_COUNT];
};

#define AFTER_EXIT     1u /* airs_exit was called */
#define AFTER_CONTINUE 2u /* airs_continue was called */

struct worker_sight; /* what a worker remembers of another, see sched-threads.c */

struct worker {
	struct airs_system *system;
	struct airs_pool *pool; /* NULL: serves every pool */

	/* The message that is being handled. */
	airs_ref request; /* its call, when not answered yet */
	airs_pid request_from;
	uint8_t after; /* AFTER_…: what follows its handler */
	uint64_t continue_value;
	struct airs_reason reason;

	/* What the handler sees; here because a local one would cost a stack guard. */
	struct airs_message message;

	/* Messages that went behind others in one mailbox and are not counted there yet.
	 */
	struct airs_actor *behind;
	unsigned int n_behind;

	/* The actor that ended last here, and why: for the calls that lie in its mailbox.
	 */
	airs_pid ended;
	struct airs_reason ended_reason;

	struct memory_cache memory;
	uint64_t ref_next, ref_end;
	uint64_t random;
	struct airs_actor *free_slots;
	unsigned int n_free_slots;
	_Atomic uint64_t spawned, ended_count; /* read by any thread */

	/* The threaded scheduler's. */
	struct airs_actor *handoff; /* runs next */
	unsigned int handoffs_left; /* until the queues are looked at */
	unsigned int next_lane;
	struct run_queue queue;
	_Atomic uint64_t turns; /* read by thieves */
	_Atomic uint32_t turn_cost_ns; /* moving average; read by thieves */
	uint64_t tick_turns, tick_usec; /* at the last look at the clock */
	unsigned int tick_every; /* turns */
	uint64_t tick_at; /* turns */
	uint64_t poll_usec; /* the last look at the descriptors */
	unsigned int index; /* in the pool */
	struct worker_sight *sights; /* one for each worker of the pool */
	pthread_t thread;
	bool has_thread;
} __attribute__((aligned(CACHE_LINE)));

/* A fresh reference. worker may be NULL. */
airs_ref ref_new(struct airs_system *system, struct worker *worker);

/* The next number of a splitmix64 sequence. */
uint64_t random_next(uint64_t *state);

#endif
