/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * A turn: running what lies in an actor's mailbox. The most common one is in turn.h.
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
#include "rt/turn.h"

#define NEXT_SPINS 64

static int deliver_continue(struct worker *w, struct airs_actor *a)
{
	const struct airs_behaviour *behaviour =
			atomic_load_explicit(&a->behaviour, memory_order_relaxed);

	w->after = 0;
	w->message = (struct airs_message){
		.from = actor_pid(a),
		.type = AIRS_MSG_CONTINUE,
		.value = w->continue_value,
	};
	atomic_store_explicit(&a->handled,
			atomic_load_explicit(&a->handled, memory_order_relaxed) + 1,
			memory_order_relaxed);
	return behaviour->handle ? behaviour->handle(a, a->state, &w->message) : 0;
}

void turn_after(struct worker *w, struct airs_actor *a, int r)
{
	struct airs_reason reason;

	while (r >= 0 && w->after == AFTER_CONTINUE)
		r = deliver_continue(w, a);
	if (r >= 0 && !(w->after & AFTER_EXIT))
		return;
	reason = w->after & AFTER_EXIT ? w->reason
				       : airs_reason_make(AIRS_REASON_ERROR, -r, NULL);
	actor_end(w, a, &reason, ACTOR_ENDS_ITSELF);
}

void actor_deliver_value(
		struct worker *w, struct airs_actor *a, struct node *n, uint64_t value)
{
	const struct airs_behaviour *behaviour =
			atomic_load_explicit(&a->behaviour, memory_order_relaxed);
	int r;

	/* Of a timer it is the place in the heap. */
	w->message.status = n->kind == NODE_TIMER ? 0 : n->status;
	w->message.ref = n->ref;
	w->message.value = value;
	r = turn_handle(w, a, behaviour, n, node_data(n));
	if (UNLIKELY(w->after || r < 0))
		turn_after(w, a, r);
}

void actor_deliver(struct worker *w, struct airs_actor *a, struct node *n)
{
	actor_deliver_value(w, a, n, n->payload == PAYLOAD_VALUE ? n->u.timer.value : 0);
}

static void handle_request(struct worker *w, struct airs_actor *a, struct node *n)
{
	w->request = n->ref;
	w->request_from = n->from;
	actor_deliver(w, a, n);
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

	a->live = n->to;
	a->flags |= ACTOR_STARTING | (n->flags & AIRS_SPAWN_ACK ? ACTOR_ACK : 0u);
	if (actor_is_killed(a, n->to))
		return; /* NODE_KILL follows. */
	r = call_init(a, n);
	if (w->after & AFTER_EXIT) {
		fail_start(w, a, &w->reason);
	} else if (r < 0 || r > AIRS_INIT_IGNORE) {
		reason = airs_reason_make(AIRS_REASON_ERROR, r < 0 ? -r : EINVAL, NULL);
		fail_start(w, a, &reason);
	} else if (r == AIRS_INIT_IGNORE) {
		actor_tell_started(w, a, AIRS_INIT_IGNORE, NULL);
		actor_end(w, a, &reason, ACTOR_ENDS_ITSELF);
	} else {
		if (r == 0)
			actor_tell_started(w, a, 0, NULL);
		if (w->after)
			turn_after(w, a, 0);
	}
}

static void handle_kill(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct airs_reason reason = { .reason_class = AIRS_REASON_KILLED };

	(void)n;
	actor_end(w, a, &reason, ACTOR_IS_ENDED);
}

static void handle_data(struct worker *w, struct airs_actor *a, struct node *n)
{
	n->status = 0;
	n->ref = 0;
	actor_deliver(w, a, n);
}

typedef void (*node_handler)(struct worker *w, struct airs_actor *a, struct node *n);

static const node_handler handlers[] = {
	[NODE_NOTHING] = NULL,
	[NODE_START] = handle_start,
	[NODE_DATA] = handle_data,
	[NODE_REQUEST] = handle_request,
	[NODE_STARTED] = tie_receive_started,
	[NODE_REPLY] = call_receive_reply,
	[NODE_TIMER] = timer_receive,
	[NODE_CALL_TIMEOUT] = call_receive_timeout,
	[NODE_FD] = watch_receive,
	[NODE_KILL] = handle_kill,
	[NODE_EXIT] = actor_exit_signal,
	[NODE_LINK_EXIT] = link_receive_exit,
	[NODE_LINK] = link_receive,
	[NODE_LINK_ACK] = link_receive_ack,
	[NODE_UNLINK] = link_receive_unlink,
	[NODE_UNLINK_ACK] = link_receive_unlink_ack,
	[NODE_MONITOR] = monitor_receive,
	[NODE_DEMONITOR] = monitor_receive_removal,
	[NODE_DOWN] = monitor_receive_down,
	[NODE_CALL_DONE] = call_receive_done,
	[NODE_CHILD_ENDED] = tie_receive_child_end,
	[NODE_PARENT_ENDED] = tie_receive_parent_end,
	[NODE_TIE_LOOSENED] = tie_receive_loosened,
};

static void handle_signal(struct worker *w, struct airs_actor *a, struct node *n)
{
	if (n->kind != NODE_NOTHING)
		handlers[n->kind](w, a, n);
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
	case NODE_TIE_LOOSENED:
		return true;
	case NODE_NOTHING:
	case NODE_DATA:
	case NODE_REQUEST:
	case NODE_STARTED:
	case NODE_REPLY:
	case NODE_TIMER:
	case NODE_CALL_TIMEOUT:
	case NODE_FD:
	case NODE_EXIT:
	case NODE_LINK_EXIT:
	case NODE_DOWN:
	case NODE_CHILD_ENDED:
	case NODE_PARENT_ENDED:
		return false;
	}
	return false;
}

void turn_dispatch(struct worker *w, struct airs_actor *a, struct node *n)
{
	static const struct airs_reason noproc = { .reason_class = AIRS_REASON_NOPROC };
	static const struct airs_reason killed = { .reason_class = AIRS_REASON_KILLED };
	airs_pid pid = actor_pid(a);

	/* Before NODE_START a pid can only have been guessed. */
	if (n->to != pid || (a->live != pid && n->kind != NODE_START)) {
		node_refuse(w->system, w, n,
				n->to == w->ended ? &w->ended_reason : &noproc);
		return;
	}
	a->worker = w;
	if (UNLIKELY(actor_is_killed(a, pid)) &&
			!survives_kill((enum node_kind)n->kind)) {
		node_refuse(w->system, w, n, &killed);
		return;
	}
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

/* As turn_leave; the slot is given back with the right to run. */
static bool leave_ended(struct worker *w, struct airs_actor *a, struct node *n)
{
	a->runner &= (uint8_t)~RUNNER_ENDED;
	if (turn_leave(a, n)) {
		table_give(&w->system->table, w, a);
		return true;
	}
	a->runner |= RUNNER_ENDED;
	return false;
}

/* A sender that has exchanged the tail keeps us waiting: n stays in front, handled. */
static struct node *keep_in_front(struct worker *w, struct node *n)
{
	if (n->payload != PAYLOAD_KEPT)
		node_release_payload(w->system, w, n);
	n->kind = NODE_NOTHING;
	return n;
}

/*
 * Go past n, which was handled, and free it. Returns the node behind it; NULL when the
 * right to run is gone.
 */
static inline struct node *advance(struct worker *w, struct airs_actor *a, struct node *n)
{
	/* Acquire: pairs with the release store of next in push. */
	struct node *next = atomic_load_explicit(&n->next, memory_order_acquire);

	if (!next) {
		if (UNLIKELY(a->runner & RUNNER_ENDED) ? leave_ended(w, a, n)
						       : turn_leave(a, n)) {
			node_free(w->system, w, n);
			return NULL;
		}
		next = await_next(n);
		if (UNLIKELY(!next))
			return keep_in_front(w, n);
	}
	node_free(w->system, w, n);
	return next;
}

/*
 * Data that was counted when it was posted leaves the count: that of a bounded mailbox at
 * once, so that there is room while the message is handled; the others at the end of the
 * turn, where this is summed up.
 */
static int32_t counted(struct airs_actor *a, const struct node *n, bool is_behind)
{
	if (n->kind != NODE_DATA && n->kind != NODE_REQUEST)
		return 0;
	if (!(n->flags & NODE_F_COUNTED))
		return is_behind;
	(void)atomic_fetch_sub_explicit(&a->queued, 1, memory_order_relaxed);
	return 0;
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
	(void)w->system->scheduler->ready(w->system, w, a);
	return TURN_MOVED;
}

void turn_count_behind(struct worker *w)
{
	if (w->n_behind)
		(void)atomic_fetch_add_explicit(&w->behind->queued, (int32_t)w->n_behind,
				memory_order_relaxed);
	w->n_behind = 0;
}

static void count_handled(struct worker *w, struct airs_actor *a, int32_t n_counted)
{
	turn_count_behind(w);
	if (n_counted)
		(void)atomic_fetch_sub_explicit(
				&a->queued, n_counted, memory_order_relaxed);
}

/* n_counted nodes of a were handled and have left the count. */
static enum turn end_turn(struct worker *w, struct airs_actor *a, struct node *n,
		bool is_behind, int32_t n_counted)
{
	if ((uint32_t)n_counted | w->n_behind)
		count_handled(w, a, n_counted);
	return n ? put_back(w, a, n, is_behind) : TURN_IDLE;
}

static inline void handle_any(struct worker *w, struct airs_actor *a, struct node *n,
		bool is_behind, int32_t *n_counted)
{
	if (LIKELY(turn_is_plain(a, n))) {
		*n_counted += is_behind;
		turn_deliver_plain(w, a, n);
		return;
	}
	*n_counted += counted(a, n, is_behind);
	turn_dispatch(w, a, n);
}

enum turn turn_rest(struct worker *w, struct airs_actor *a, struct node *n,
		struct node *last, unsigned int budget)
{
	struct node *next;
	int32_t n_counted = 0;
	enum turn turn;

	/* n was the first one, which nobody counted. */
	for (;;) {
		next = advance(w, a, n);
		if (!next || next == n || n == last || --budget == 0 ||
				UNLIKELY(is_misplaced(w, a, next)))
			break;
		n = next;
		handle_any(w, a, n, true, &n_counted);
	}
	turn = end_turn(w, a, next, true, n_counted);
	return turn == TURN_MORE && budget == 0 ? TURN_USED_UP : turn;
}

enum turn turn_full(struct worker *w, struct airs_actor *a, unsigned int budget)
{
	/* Relaxed: only compared. */
	struct node *last = atomic_load_explicit(&a->tail, memory_order_relaxed);
	struct node *n = a->first;
	bool is_behind = a->runner & RUNNER_BEHIND;
	int32_t n_counted = 0;
	enum turn turn;

	a->runner &= (uint8_t)~RUNNER_BEHIND;
	if (is_misplaced(w, a, n))
		return put_back(w, a, n, is_behind);
	handle_any(w, a, n, is_behind, &n_counted);
	turn = turn_rest(w, a, n, last, budget);
	/* May have gone to another worker: only the count is shared. */
	if (n_counted)
		(void)atomic_fetch_sub_explicit(
				&a->queued, n_counted, memory_order_relaxed);
	return turn;
}
