/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * A turn: running what lies in an actor's mailbox.
 *
 * A node is handled while it is still in the list, since the right to run lasts as long
 * as the tail is not NULL. Then the runner goes to the next one; when there is none it
 * swaps the tail from this node to NULL and has thereby given up the right to run. If the
 * swap fails a sender has exchanged the tail and is about to store next; it may have lost
 * its processor between the two, so the runner waits only a moment and then leaves a
 * handled node (NODE_NOTHING) in front and takes another actor.
 */

#include "rt/actor.h"

#include <errno.h>

#include "base/assert.h"
#include "rt/signals.h"
#include "rt/system.h"

#define NEXT_SPINS 64

/* The handler, or init, has said how the actor ends. Apart, to keep its locals off the
 * hot path. */
static __attribute__((noinline)) void end_after_handler(
		struct worker *w, struct airs_actor *a, int r)
{
	struct airs_reason reason = w->is_exiting
			? w->reason
			: airs_reason_make(AIRS_REASON_ERROR, -r, NULL);

	actor_end(w, a, &reason, ACTOR_ENDS_ITSELF);
}

static inline void deliver(struct worker *w, struct airs_actor *a, struct node *n)
{
	const struct airs_behaviour *behaviour =
			atomic_load_explicit(&a->behaviour, memory_order_relaxed);
	struct airs_message message = {
		.from = n->from,
		.type = n->type,
		.status = n->status,
		.ref = n->ref,
		.value = n->payload == PAYLOAD_VALUE ? n->u.timer.value : 0,
		.data = node_data(n),
		.size = n->size,
	};
	int r = 0;

	atomic_store_explicit(&a->handled,
			atomic_load_explicit(&a->handled, memory_order_relaxed) + 1,
			memory_order_relaxed);
	if (LIKELY(behaviour->handle))
		r = behaviour->handle(a, a->state, &message);
	if (UNLIKELY(w->is_exiting || r < 0))
		end_after_handler(w, a, r);
}

void actor_deliver(struct worker *w, struct airs_actor *a, struct node *n)
{
	deliver(w, a, n);
}

static inline void handle_data(struct worker *w, struct airs_actor *a, struct node *n)
{
	if (!n->ref) {
		deliver(w, a, n);
		return;
	}
	w->request = n->ref;
	w->request_from = n->from;
	deliver(w, a, n);
	if (w->request)
		call_keep_request(w, a);
}

static void fail_start(
		struct worker *w, struct airs_actor *a, const struct airs_reason *reason)
{
	struct airs_reason copy = *reason;

	actor_tell_started(w, a,
			copy.reason_class == AIRS_REASON_ERROR ? -copy.code : -ECANCELED,
			&copy);
	actor_end(w, a, &copy, ACTOR_ENDS_ITSELF);
}

static int call_init(struct airs_actor *a, struct node *n)
{
	const struct airs_behaviour *behaviour =
			atomic_load_explicit(&a->behaviour, memory_order_relaxed);

	return behaviour->init ? behaviour->init(a, a->state, node_data(n), n->size) : 0;
}

static void handle_start(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct airs_reason reason = { .reason_class = AIRS_REASON_NORMAL };
	int r;

	a->runner |= RUNNER_LIVE;
	a->flags |= ACTOR_STARTING | (n->flags & AIRS_SPAWN_ACK ? ACTOR_ACK : 0u);
	if (atomic_load_explicit(&a->kill, memory_order_relaxed) == actor_pid(a))
		return; /* NODE_KILL follows. */
	r = call_init(a, n);
	if (w->is_exiting) {
		fail_start(w, a, &w->reason);
	} else if (r < 0 || r > AIRS_INIT_IGNORE) {
		reason = airs_reason_make(AIRS_REASON_ERROR, r < 0 ? -r : EINVAL, NULL);
		fail_start(w, a, &reason);
	} else if (r == AIRS_INIT_IGNORE) {
		actor_tell_started(w, a, AIRS_INIT_IGNORE, NULL);
		actor_end(w, a, &reason, ACTOR_ENDS_ITSELF);
	} else if (r == 0) {
		actor_tell_started(w, a, 0, NULL);
	}
}

static void handle_kill(struct worker *w, struct airs_actor *a)
{
	struct airs_reason reason = { .reason_class = AIRS_REASON_KILLED };

	actor_end(w, a, &reason, ACTOR_IS_ENDED);
}

static void handle_signal(struct worker *w, struct airs_actor *a, struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case NODE_NOTHING:
		return;
	case NODE_START:
		handle_start(w, a, n);
		return;
	case NODE_DATA:
		handle_data(w, a, n);
		return;
	case NODE_STARTED:
		actor_deliver(w, a, n);
		return;
	case NODE_REPLY:
		call_receive_reply(w, a, n);
		return;
	case NODE_TIMER:
		timer_receive(w, a, n);
		return;
	case NODE_CALL_TIMEOUT:
		call_receive_timeout(w, a, n);
		return;
	case NODE_FD:
		watch_receive(w, a, n);
		return;
	case NODE_KILL:
		handle_kill(w, a);
		return;
	case NODE_EXIT:
		actor_exit_signal(w, a, n);
		return;
	case NODE_LINK_EXIT:
		link_receive_exit(w, a, n);
		return;
	case NODE_LINK:
		link_receive(w, a, n);
		return;
	case NODE_LINK_ACK:
		link_receive_ack(w, a, n);
		return;
	case NODE_UNLINK:
		link_receive_unlink(w, a, n);
		return;
	case NODE_UNLINK_ACK:
		link_receive_unlink_ack(w, a, n);
		return;
	case NODE_MONITOR:
		monitor_receive(w, a, n);
		return;
	case NODE_DEMONITOR:
		monitor_receive_removal(w, a, n);
		return;
	case NODE_DOWN:
		monitor_receive_down(w, a, n);
		return;
	case NODE_CALL_DONE:
		call_receive_done(w, a, n);
		return;
	}
}

/*
 * Whether a killed actor still looks at a node. Links and monitors that were asked for
 * before the kill must see KILLED and not NOPROC; everything that would run its code is
 * skipped.
 */
static bool survives_kill(enum node_kind kind)
{
	switch (kind) {
	case NODE_START:
	case NODE_KILL:
	case NODE_LINK:
	case NODE_LINK_ACK:
	case NODE_UNLINK:
	case NODE_UNLINK_ACK:
	case NODE_MONITOR:
	case NODE_DEMONITOR:
	case NODE_CALL_DONE:
		return true;
	case NODE_NOTHING:
	case NODE_DATA:
	case NODE_STARTED:
	case NODE_REPLY:
	case NODE_TIMER:
	case NODE_CALL_TIMEOUT:
	case NODE_FD:
	case NODE_EXIT:
	case NODE_LINK_EXIT:
	case NODE_DOWN:
		return false;
	}
	return false;
}

static void dispatch(struct worker *w, struct airs_actor *a, struct node *n)
{
	static const struct airs_reason noproc = { .reason_class = AIRS_REASON_NOPROC };
	static const struct airs_reason killed = { .reason_class = AIRS_REASON_KILLED };
	airs_pid pid = actor_pid(a);

	/* Before NODE_START a pid can only have been guessed. */
	if (UNLIKELY(n->to != pid) ||
			UNLIKELY(!(a->runner & RUNNER_LIVE) && n->kind != NODE_START)) {
		node_refuse(w->system, w, n,
				n->to == w->ended ? &w->ended_reason : &noproc);
		return;
	}
	a->worker = w;
	if (UNLIKELY(atomic_load_explicit(&a->kill, memory_order_relaxed) == pid) &&
			!survives_kill((enum node_kind)n->kind)) {
		node_refuse(w->system, w, n, &killed);
		return;
	}
	if (LIKELY(n->kind == NODE_DATA))
		handle_data(w, a, n);
	else
		handle_signal(w, a, n);
}

/* Whether n brings an actor to life that belongs to another pool's workers. */
static bool is_misplaced(
		const struct worker *w, struct airs_actor *a, const struct node *n)
{
	return n->kind == NODE_START && w->pool && n->to == actor_pid(a) &&
			atomic_load_explicit(&a->pool, memory_order_relaxed) != w->pool;
}

/* A sender has exchanged the tail and is about to store next: wait a moment. */
static struct node *await_next(struct node *n)
{
	struct node *next = NULL;
	int i;

	for (i = 0; i < NEXT_SPINS && !next; i++) {
		cpu_relax();
		next = atomic_load_explicit(
				&n->next, memory_order_acquire); /* as in advance */
	}
	return next;
}

/*
 * Go past n, which was handled, and free it. Returns the node behind it; NULL when the
 * right to run is gone.
 */
static struct node *advance(struct worker *w, struct airs_actor *a, struct node *n)
{
	/* Acquire: pairs with the release store of next in push. */
	struct node *next = atomic_load_explicit(&n->next, memory_order_acquire),
		    *tail = n;
	bool has_ended;

	if (!next) {
		has_ended = a->runner & RUNNER_ENDED;
		a->runner &= (uint8_t)~RUNNER_ENDED;
		/*
		 * Release: hands first, run_next and the rest of the slot to the sender
		 * that will find NULL (acquire in push).
		 */
		if (atomic_compare_exchange_strong_explicit(&a->tail, &tail, NULL,
				    memory_order_release, memory_order_relaxed)) {
			if (has_ended)
				table_give(&w->system->table, w, a);
			node_free(w->system, w, n);
			return NULL;
		}
		if (has_ended)
			a->runner |= RUNNER_ENDED;
		next = await_next(n);
	}
	if (UNLIKELY(!next)) {
		node_release_payload(w->system, w, n);
		n->kind = NODE_NOTHING;
		return n;
	}
	node_free(w->system, w, n);
	return next;
}

/* Data that was counted when it was posted leaves the count. */
static int32_t counted(struct airs_actor *a, const struct node *n, bool is_behind)
{
	if (n->kind != NODE_DATA)
		return 0;
	if (UNLIKELY(n->flags & NODE_F_COUNTED)) {
		/* At once, so that a bounded mailbox has room while its message is
		 * handled. */
		(void)atomic_fetch_sub_explicit(&a->queued, 1, memory_order_relaxed);
		return 0;
	}
	return is_behind;
}

/* The turn is over with n in front. */
static enum turn put_back(
		struct worker *w, struct airs_actor *a, struct node *n, bool is_behind)
{
	a->first = n;
	if (is_behind)
		a->runner |= RUNNER_BEHIND;
	if (!is_misplaced(w, a, n))
		return TURN_MORE;
	w->system->scheduler->ready(w->system, w, a);
	return TURN_MOVED;
}

enum turn actor_turn(struct worker *w, struct airs_actor *a, unsigned int budget,
		unsigned int *ret_handled)
{
	/* Relaxed: only compared. */
	struct node *last = atomic_load_explicit(&a->tail, memory_order_relaxed);
	struct node *n = a->first, *next;
	bool is_behind = a->runner & RUNNER_BEHIND;
	unsigned int handled = 0;
	int32_t n_counted = 0;

	a->runner &= (uint8_t)~RUNNER_BEHIND;
	while (n && handled < budget && !is_misplaced(w, a, n)) {
		n_counted += counted(a, n, is_behind);
		dispatch(w, a, n);
		handled++;
		if (n == last)
			budget = handled;
		next = advance(w, a, n);
		if (UNLIKELY(next == n))
			budget = handled;
		n = next;
		is_behind = true;
	}
	*ret_handled = handled;
	if (n_counted)
		(void)atomic_fetch_sub_explicit(
				&a->queued, n_counted, memory_order_relaxed);
	return n ? put_back(w, a, n, is_behind) : TURN_IDLE;
}
