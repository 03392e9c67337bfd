/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Timers of actors. The node that will be the message lies in the reactor's heap until it
 * is due, so expiry allocates nothing. RELATION_TIMER lasts until the message is
 * delivered; a message that finds none was cancelled.
 */

#include <errno.h>

#include "airssys/message.h"
#include "base/clock.h"
#include "rt/signals.h"
#include "rt/system.h"

static struct reactor *reactor_of(struct airs_actor *a)
{
	return atomic_load_explicit(&a->pool, memory_order_relaxed)->reactor;
}

/* Behind the node of a timer that has one. */
static uint64_t *interval_of(struct node *n)
{
	return (uint64_t *)(n + 1);
}

/* A timer of this type and reference, not armed; interval_usec is 0 for once. */
static struct node *new_timer(struct airs_actor *self, enum airs_message_type type,
		airs_ref ref, uint64_t interval_usec)
{
	struct worker *w = self->worker;
	struct node *n = node_new(w->system, w, NODE_TIMER,
			interval_usec ? sizeof(n->u) + sizeof(interval_usec) : 0);

	if (!n)
		return NULL;
	n->to = n->from = actor_pid(self);
	n->type = type;
	n->ref = ref;
	n->payload = PAYLOAD_VALUE;
	if (interval_usec) {
		n->payload = PAYLOAD_KEPT;
		*interval_of(n) = interval_usec;
	}
	return n;
}

/* Consumes n, which may be NULL. */
static int arm(struct airs_actor *self, struct node *n, uint64_t delay_usec)
{
	struct worker *w = self->worker;
	struct relation *own;
	int r = -ENOMEM;

	if (!n)
		return r;
	n->u.timer.deadline_usec = w->system->scheduler->deadline(w->system, delay_usec);
	own = relation_new(w->system, w, RELATION_TIMER, n->ref, n->to);
	if (own) {
		own->u.timer = n;
		r = reactor_add_timer(reactor_of(self), n);
	}
	if (r < 0) {
		n->payload = PAYLOAD_VALUE;
		node_free(w->system, w, n);
		relation_free(w->system, w, own);
		return r;
	}
	relation_insert(self, own);
	return 0;
}

static int start(struct airs_actor *self, uint64_t delay_usec, uint64_t interval_usec,
		uint64_t value, airs_ref *ret_timer)
{
	airs_ref ref = ref_new(self->worker->system, self->worker);
	struct node *n = new_timer(self, AIRS_MSG_TIMER, ref, interval_usec);
	int r;

	if (n)
		n->u.timer.value = value;
	r = arm(self, n, delay_usec);
	if (r == 0)
		*ret_timer = ref;
	return r;
}

int airs_timer_start(struct airs_actor *self, uint64_t delay_usec, uint64_t value,
		airs_ref *ret_timer)
{
	return start(self, delay_usec, 0, value, ret_timer);
}

int airs_timer_start_interval(struct airs_actor *self, uint64_t delay_usec,
		uint64_t interval_usec, uint64_t value, airs_ref *ret_timer)
{
	if (interval_usec == 0 || interval_usec == AIRS_INFINITY)
		return -EINVAL;
	return start(self, delay_usec, interval_usec, value, ret_timer);
}

/* The actor's only timer without a reference. */
#define IDLE_REF 0

int airs_idle_timeout(struct airs_actor *self, uint64_t delay_usec)
{
	struct node *n;

	(void)airs_timer_cancel(self, IDLE_REF);
	if (delay_usec == AIRS_INFINITY)
		return 0;
	n = new_timer(self, AIRS_MSG_TIMEOUT, IDLE_REF, 0);
	/* Messages take it back by being counted, so they need not know of it. */
	if (n)
		n->u.timer.value = atomic_load_explicit(
				&self->handled, memory_order_relaxed);
	return arm(self, n, delay_usec);
}

int airs_timer_read(struct airs_actor *self, airs_ref timer, uint64_t *ret_left_usec)
{
	const struct relation *own = relation_find(self, RELATION_TIMER, timer);
	uint64_t now_usec = system_now(self->worker->system), deadline_usec;

	if (!own || timer == IDLE_REF)
		return -ENOENT;
	deadline_usec = own->u.timer->u.timer.deadline_usec;
	*ret_left_usec = deadline_usec > now_usec ? deadline_usec - now_usec : 0;
	return 0;
}

void timer_end(struct worker *w, struct airs_actor *a, struct relation *r)
{
	/* A timer that was not armed any more is in the mailbox, which frees it. */
	if (reactor_cancel_timer(reactor_of(a), r->u.timer))
		node_free(w->system, w, r->u.timer);
	relation_free(w->system, w, r);
}

int airs_timer_cancel(struct airs_actor *self, airs_ref timer)
{
	struct relation *own = relation_take(self, RELATION_TIMER, timer);

	if (!own)
		return -ENOENT;
	timer_end(self->worker, self, own);
	return 0;
}

/* The first one after now that lies a whole number of intervals behind the last. */
static uint64_t next_deadline(struct worker *w, struct node *n)
{
	uint64_t now_usec = system_now(w->system), last_usec = n->u.timer.deadline_usec;
	uint64_t behind_usec = now_usec > last_usec ? now_usec - last_usec : 0;
	uint64_t interval_usec = *interval_of(n);

	return usec_add(last_usec, (behind_usec / interval_usec + 1) * interval_usec);
}

void timer_receive(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *own = relation_find(a, RELATION_TIMER, n->ref);

	if (!own || own->u.timer != n)
		return;
	if (n->payload == PAYLOAD_KEPT) {
		/* The handler may cancel it: both node and relation are still there. */
		n->u.timer.deadline_usec = next_deadline(w, n);
		actor_deliver_value(w, a, n, n->u.timer.value);
		return;
	}
	relation_free(w->system, w, relation_take(a, RELATION_TIMER, n->ref));
	if (n->type == AIRS_MSG_TIMER)
		actor_deliver_value(w, a, n, n->u.timer.value);
	else if (n->u.timer.value ==
			atomic_load_explicit(&a->handled, memory_order_relaxed))
		actor_deliver_value(w, a, n, 0);
}

void timer_again(struct airs_system *system, struct node *n)
{
	struct airs_actor *a = system_find(system, n->to);

	n->kind = NODE_TIMER;
	reactor_add_again(reactor_of(a), n);
}
