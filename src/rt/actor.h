/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_ACTOR_H
#define RT_ACTOR_H

/*
 * The actor as the core sees it: a slot of two cache lines in a table whose memory is
 * never unmapped.
 *
 * A pid is a slot and a generation. A sender finds the slot by arithmetic, compares the
 * generation and exchanges its node into the mailbox; no lock and no reference count is
 * needed since the slot is always there. When the actor ends between the comparison and
 * the exchange, the node lies in the mailbox of a dead or of another actor: whoever runs
 * that slot sees that the node was sent to another pid and refuses it. So the mailbox
 * words are never initialised again.
 *
 * Who may touch what: "senders" by atomics; "runner" is the worker that holds the right
 * to run the slot, which passes from the sender that found the mailbox empty, through a
 * run queue, to a worker, and ends when that worker swaps the tail to NULL; "spawner"
 * writes between taking the slot from the free list and posting NODE_START.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "airssys/actor.h"
#include "rt/node.h"
#include "rt/relation.h"

#define PID_SLOT_BITS       28
#define PID_SLOT_MASK       ((UINT64_C(1) << PID_SLOT_BITS) - 1)
#define PID_GENERATION_BITS 32
#define PID_GENERATION_MAX  (UINT64_C(1) << PID_GENERATION_BITS)
#define PID_MASK            ((UINT64_C(1) << (PID_SLOT_BITS + PID_GENERATION_BITS)) - 1)

/* Above the pid. FREE is the lowest: it makes a status differ from every pid. */
#define STATUS_FIRST_BIT (PID_SLOT_BITS + PID_GENERATION_BITS)
#define STATUS_FREE      (UINT64_C(1) << STATUS_FIRST_BIT) /* not spawned yet */
#define STATUS_DYING     (UINT64_C(2) << STATUS_FIRST_BIT) /* has begun to end */
#define STATUS_NAMED     (UINT64_C(4) << STATUS_FIRST_BIT) /* has a name */

#define RUNNER_BEHIND 1u /* first was posted behind another node */
#define RUNNER_ENDED  2u /* the slot goes to the free list when the mailbox is empty */

#define ACTOR_STARTING 1u /* its start handshake is not over */
#define ACTOR_ACK      2u /* the parent waits for AIRS_MSG_STARTED */
#define ACTOR_TRAPS    4u
#define ACTOR_HASHED   8u /* relations is a table */

struct airs_actor {
	/* Senders and runner. */
	_Atomic(struct node *) tail; /* newest node; NULL: idle */
	struct node *first; /* oldest; written by the sender that found NULL, then by the
			       runner */
	_Atomic uint64_t status; /* pid and STATUS_… */
	struct airs_actor
			*run_next; /* in a run queue; of whoever holds the right to run */
	_Atomic(struct airs_pool *) pool;
	_Atomic uint32_t kill; /* equals the generation: skip to NODE_KILL */
	_Atomic int32_t queued; /* data nodes that were posted behind others */
	_Atomic uint32_t mailbox_max; /* 0: unbounded */
	_Atomic uint32_t refused;
	_Atomic uint32_t n_links, n_monitors; /* the runner's */

	/* Runner, after the spawner. Atomic where airs_actor_get_info reads. */
	airs_pid live; /* the pid once NODE_START was handled, until the end; else 0 */
	_Atomic(const struct airs_behaviour *) behaviour;
	void *state;
	union relations relations;
	_Atomic uint64_t handled;
	_Atomic airs_pid parent;
	union {
		struct worker *worker; /* that runs it */
		struct airs_actor *free_next; /* on the free list */
	};
	uint8_t runner; /* RUNNER_…; the spawner leaves it alone */
	uint8_t flags; /* ACTOR_… */
	uint8_t state_class;
	uint8_t relation_count; /* while not hashed */
	_Atomic uint32_t n_monitored_by;
};

_Static_assert(sizeof(struct airs_actor) == 128, "an actor is two cache lines");

static inline airs_pid pid_make(uint64_t generation, uint32_t index)
{
	return generation << PID_SLOT_BITS | index;
}

static inline uint64_t pid_generation(airs_pid pid)
{
	return pid >> PID_SLOT_BITS;
}

/* The pid of the incarnation that status belongs to. */
static inline airs_pid actor_pid(const struct airs_actor *a)
{
	/* Relaxed: the caller runs or spawns the actor, or compares with a pid it was
	 * given. */
	return atomic_load_explicit(&a->status, memory_order_relaxed) & PID_MASK;
}

/* Whether pid was sent a kill. */
static inline bool actor_is_killed(const struct airs_actor *a, airs_pid pid)
{
	/* Relaxed: see send_exit. */
	return atomic_load_explicit(&a->kill, memory_order_relaxed) ==
			pid_generation(pid);
}

/* Whether the slot belongs to pid, begun to end or not. */
static inline bool actor_is(const struct airs_actor *a, airs_pid pid)
{
	/*
	 * Acquire: pairs with the release store that retires a generation in actor_end:
	 * who sees the actor gone has its last signals in the mailbox. And with the one
	 * in fill_slot. A number that never was a pid may name a free slot; it has a
	 * pool, whose workers refuse what they find in it.
	 */
	uint64_t status = atomic_load_explicit(&a->status, memory_order_acquire);

	return (status ^ pid) << (64 - STATUS_FIRST_BIT - 1) == 0;
}

/* Whether terminate runs. */
enum actor_ending {
	ACTOR_ENDS_ITSELF,
	ACTOR_IS_ENDED,
};

/*
 * End the actor that w runs: terminate, name, signals, memory; its generation is over
 * afterwards.
 */
void actor_end(struct worker *w, struct airs_actor *a, const struct airs_reason *reason,
		enum actor_ending ending);

/* An exit signal has arrived; n is its node. */
void actor_exit_signal(struct worker *w, struct airs_actor *a, struct node *n);

/* Hand a node to the handler as a message of its type. */
void actor_deliver(struct worker *w, struct airs_actor *a, struct node *n);

/* The same with this value in the message. */
void actor_deliver_value(
		struct worker *w, struct airs_actor *a, struct node *n, uint64_t value);

/* Send AIRS_MSG_STARTED if the parent waits for it. reason is NULL unless the start
 * failed. */
void actor_tell_started(struct worker *w, struct airs_actor *a, int32_t status,
		const struct airs_reason *reason);

/* Move a counter that only the runner writes. */
static inline void counter_add(_Atomic uint32_t *counter, int32_t n)
{
	atomic_store_explicit(counter,
			atomic_load_explicit(counter, memory_order_relaxed) + (uint32_t)n,
			memory_order_relaxed);
}

#endif
