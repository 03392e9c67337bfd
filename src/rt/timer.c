/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Timers of actors. The node that will be the message lies in the reactor's heap until it
 * is due, so expiry allocates nothing. RELATION_TIMER lasts until the message is
 * delivered; a message that finds none was cancelled.
 */

#include <errno.h>

#include "airssys/message.h"
#include "rt/signals.h"
#include "rt/system.h"

static struct reactor *reactor_of(struct airs_actor *a)
{
	return atomic_load_explicit(&a->pool, memory_order_relaxed)->reactor;
}

int airs_timer_start(struct airs_actor *self, uint64_t delay_usec, uint64_t value,
		airs_ref *ret_timer)
{
	struct worker *w = self->worker;
	airs_pid pid = actor_pid(self);
	struct relation *own = relation_new(
			w->system, w, RELATION_TIMER, ref_new(w->system, w), pid);
	struct node *n = node_new(w->system, w, NODE_TIMER, 0);
	int r = -ENOMEM;

	if (own && n) {
		n->to = pid;
		n->from = pid;
		n->type = AIRS_MSG_TIMER;
		n->ref = own->key;
		n->payload = PAYLOAD_VALUE;
		n->u.timer.value = value;
		n->u.timer.deadline_usec =
				w->system->scheduler->deadline(w->system, delay_usec);
		own->u.timer = n;
		r = reactor_add_timer(reactor_of(self), n);
	}
	if (r < 0) {
		if (n)
			node_free(w->system, w, n);
		relation_free(w->system, w, own);
		return r;
	}
	relation_insert(self, own);
	*ret_timer = own->key;
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

void timer_receive(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *own = relation_take(a, RELATION_TIMER, n->ref);

	if (!own)
		return;
	relation_free(w->system, w, own);
	n->status = 0;
	actor_deliver(w, a, n);
}
