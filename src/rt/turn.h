/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_TURN_H
#define RT_TURN_H

/*
 * A turn, as far as it is inline in the schedulers: one plain message to an actor that
 * goes idle again, which is what most turns are. Everything else is in actor.c.
 */

#include <string.h>

#include "rt/system.h"

/* What a turn left behind. */
enum turn {
	TURN_IDLE, /* the right to run is gone */
	TURN_MORE, /* nodes have come since: put it behind the others */
	TURN_USED_UP, /* the same, and the budget was used up */
	TURN_MOVED, /* it belongs to another pool and was put there */
};

/* A turn from its beginning. budget is not 0. */
enum turn turn_full(struct worker *w, struct airs_actor *a, unsigned int budget);
/* The rest of a turn whose first node was handled. last was the tail when it began. */
enum turn turn_rest(struct worker *w, struct airs_actor *a, struct node *n,
		struct node *last, unsigned int budget);
/* Do with n what its kind asks for. */
void turn_dispatch(struct worker *w, struct airs_actor *a, struct node *n);
/* What the handler, or init, has left to do: go on, or end with r or by airs_exit. */
void turn_after(struct worker *w, struct airs_actor *a, int r);
/* Tell the mailbox at w->behind what w has counted for it. */
void turn_count_behind(struct worker *w);

/* Whether n is a message that a's handler gets and nothing else needs to be looked at. */
static inline bool turn_is_plain(const struct airs_actor *a, const struct node *n)
{
	return node_is_plain(n) && n->to == a->live && !actor_is_killed(a, n->to);
}

/* Run the handler. The caller has set status, ref and value of the message. */
static inline int turn_handle(struct worker *w, struct airs_actor *a,
		const struct airs_behaviour *behaviour, struct node *n, void *data)
{
	struct airs_message *message = &w->message;

	/* One by one: a wider load would wait for the narrower stores of the sender. */
	message->from = n->from;
	message->type = n->type;
	message->data = data;
	message->size = n->size;
	/* Relaxed: read by airs_actor_get_info. */
	atomic_store_explicit(&a->handled,
			atomic_load_explicit(&a->handled, memory_order_relaxed) + 1,
			memory_order_relaxed);
	return LIKELY(behaviour->handle) ? behaviour->handle(a, a->state, message) : 0;
}

static inline void turn_deliver_plain(
		struct worker *w, struct airs_actor *a, struct node *n)
{
	const struct airs_behaviour *behaviour =
			atomic_load_explicit(&a->behaviour, memory_order_relaxed);
	int r;

	a->worker = w;
	w->message.status = 0;
	w->message.ref = 0;
	w->message.value = 0;
	r = turn_handle(w, a, behaviour, n, n->size ? n->u.bytes : NULL);
	if (UNLIKELY(r < 0 || w->after))
		turn_after(w, a, r);
}

/*
 * Give up the right to run behind n, which is the last node. Fails when a sender has
 * exchanged the tail.
 */
static inline bool turn_leave(struct airs_actor *a, struct node *n)
{
	struct node *tail = n;

	/*
	 * Release: hands first, run_next and the rest of the slot to the sender that will
	 * find NULL (acquire in push).
	 */
	return atomic_compare_exchange_strong_explicit(&a->tail, &tail, NULL,
			memory_order_release, memory_order_relaxed);
}

/*
 * Run what was in the mailbox when the turn began, at most budget nodes (not 0). The
 * calling worker holds the right to run.
 */
static inline enum turn turn_run(
		struct worker *w, struct airs_actor *a, unsigned int budget)
{
	struct node *n = a->first, *last;

	if (UNLIKELY(a->runner || n->flags || n->kind == NODE_START))
		return turn_full(w, a, budget);
	/* Relaxed: only compared. */
	last = atomic_load_explicit(&a->tail, memory_order_relaxed);
	if (LIKELY(turn_is_plain(a, n)))
		turn_deliver_plain(w, a, n);
	else
		turn_dispatch(w, a, n);
	/*
	 * Acquire: pairs with the release store of next in node_push_end. runner: the
	 * actor may have ended.
	 */
	if (UNLIKELY(a->runner) || atomic_load_explicit(&n->next, memory_order_acquire) ||
			UNLIKELY(!turn_leave(a, n)))
		return turn_rest(w, a, n, last, budget);
	if (LIKELY(node_is_plain(n)))
		memory_free_line(&w->system->memory, &w->memory, n);
	else
		node_free(w->system, w, n);
	if (UNLIKELY(w->n_behind))
		turn_count_behind(w);
	return TURN_IDLE;
}

#endif
