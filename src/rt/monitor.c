/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Monitors. The watcher's half says that it still wants to know; the target's half, whom
 * to tell. A DOWN that finds no half at the watcher was overtaken by airs_demonitor and
 * is dropped, which is OTP's flush.
 */

#include <errno.h>

#include "airssys/actor.h"
#include "rt/signals.h"
#include "rt/system.h"

int airs_monitor(struct airs_actor *self, airs_pid to, airs_ref *ret_monitor)
{
	struct worker *w = self->worker;
	airs_pid pid = actor_pid(self);
	airs_ref ref = ref_new(w->system, w);
	struct relation *own, *peers;
	struct node *n;

	if (to == pid) {
		*ret_monitor = ref;
		return 0;
	}
	own = relation_new(w->system, w, RELATION_MONITOR, ref, to);
	peers = relation_new(w->system, w, RELATION_MONITORED, ref, pid);
	n = node_new(w->system, w, NODE_MONITOR, 0);
	if (!own || !peers || !n) {
		relation_free(w->system, w, own);
		relation_free(w->system, w, peers);
		if (n)
			node_free(w->system, w, n);
		return -ENOMEM;
	}
	relation_insert(self, own);
	counter_add(&self->n_monitors, 1);
	n->from = pid;
	n->to = to;
	n->ref = ref;
	n->payload = PAYLOAD_RELATION;
	n->u.relation = peers;
	*ret_monitor = ref;
	node_post(w->system, w, n);
	return 0;
}

/* Tell the target that nobody watches any more. Consumes r. */
static void send_removal(struct worker *w, struct airs_actor *a, struct relation *r)
{
	struct node *n = node_new_must(w->system, w, NODE_DEMONITOR, 0);

	n->from = actor_pid(a);
	n->to = r->peer;
	n->ref = r->key;
	relation_free(w->system, w, r);
	node_post(w->system, w, n);
}

void airs_demonitor(struct airs_actor *self, airs_ref monitor)
{
	struct relation *own = relation_take(self, RELATION_MONITOR, monitor);

	if (!own)
		return;
	counter_add(&self->n_monitors, -1);
	send_removal(self->worker, self, own);
}

void monitor_receive(struct worker *w, struct airs_actor *a, struct node *n)
{
	(void)w;
	relation_insert(a, n->u.relation);
	n->payload = PAYLOAD_NONE;
	counter_add(&a->n_monitored_by, 1);
}

void monitor_receive_removal(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *own = relation_take(a, RELATION_MONITORED, n->ref);

	if (!own)
		return;
	counter_add(&a->n_monitored_by, -1);
	relation_free(w->system, w, own);
}

void monitor_receive_down(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *own = relation_take(a, RELATION_MONITOR, n->ref);

	if (!own)
		return;
	counter_add(&a->n_monitors, -1);
	relation_free(w->system, w, own);
	n->type = AIRS_MSG_DOWN;
	actor_deliver(w, a, n);
}

void monitor_end(struct worker *w, struct airs_actor *a, struct relation *r)
{
	send_removal(w, a, r);
}

void monitored_end(struct worker *w, struct airs_actor *a, struct relation *r,
		const struct airs_reason *reason)
{
	struct node *n = node_new_reason(w->system, w, NODE_DOWN, reason);

	n->from = actor_pid(a);
	n->to = r->peer;
	n->ref = r->key;
	relation_free(w->system, w, r);
	node_post(w->system, w, n);
}
