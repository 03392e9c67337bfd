/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Links. Each end has its half: linked or not, and how many of its own LINK and UNLINK
 * signals the peer has not acknowledged.
 *
 * - An exit signal is valid when the half is linked and no UNLINK is outstanding. Signals
 * arrive in order, so an exit that comes before the acknowledgement belongs to a link
 * that was removed since; one that comes after it belongs to the present link.
 * - When both ends change the link at the same time they must come to the same result.
 * The end with the smaller pid decides: it applies what arrives; the other one, while
 * signals of its own are outstanding, does not, since those will be applied after what
 * arrives. So both end up with the last change in the order in which the smaller pid saw
 * them.
 * - A half stays until everything is acknowledged, even when it is not linked. A dead
 * peer acknowledges too (node_refuse).
 */

#include <errno.h>

#include "airssys/actor.h"
#include "rt/signals.h"
#include "rt/system.h"

static void set_linked(struct airs_actor *a, struct relation *r, bool is_linked)
{
	if (r->u.link.is_linked != is_linked)
		counter_add(&a->n_links, is_linked ? 1 : -1);
	r->u.link.is_linked = is_linked;
}

static void forget_if_done(struct worker *w, struct airs_actor *a, struct relation *r)
{
	if (!r->u.link.is_linked && r->u.link.pending == 0)
		relation_free(w->system, w, relation_take(a, RELATION_LINK, r->key));
}

/* Whether a change by the peer counts, or one of our own that is under way comes after
 * it. */
static bool is_decided_by_peer(struct airs_actor *a, const struct relation *r)
{
	return actor_pid(a) < r->peer || r->u.link.pending == 0;
}

static void acknowledge(struct worker *w, const struct node *n, enum node_kind kind)
{
	struct node *ack = node_new_must(w->system, w, kind, 0);

	ack->from = n->to;
	ack->to = n->from;
	node_post(w->system, w, ack);
}

int airs_link(struct airs_actor *self, airs_pid to)
{
	struct worker *w = self->worker;
	airs_pid pid = actor_pid(self);
	struct relation *own = relation_find(self, RELATION_LINK, to), *mine = NULL,
			*peers;
	struct node *n;

	if (to == pid || (own && own->u.link.is_linked) || tie_is_linked(self, to))
		return 0;
	n = node_new(w->system, w, NODE_LINK, 0);
	peers = relation_new(w->system, w, RELATION_LINK, pid, pid);
	if (!own)
		own = mine = relation_new(w->system, w, RELATION_LINK, to, to);
	if (!n || !peers || !own) {
		if (n)
			node_free(w->system, w, n);
		relation_free(w->system, w, peers);
		relation_free(w->system, w, mine);
		return -ENOMEM;
	}
	if (mine)
		relation_insert(self, mine);
	set_linked(self, own, true);
	own->u.link.pending++;
	n->from = pid;
	n->to = to;
	n->payload = PAYLOAD_RELATION;
	n->u.relation = peers;
	node_post(w->system, w, n);
	return 0;
}

void airs_unlink(struct airs_actor *self, airs_pid to)
{
	struct worker *w = self->worker;
	struct relation *own = relation_find(self, RELATION_LINK, to);
	struct node *n;

	tie_unlink(w, self, to);
	if (!own || !own->u.link.is_linked)
		return;
	set_linked(self, own, false);
	own->u.link.pending++;
	own->u.link.pending_unlinks++;
	n = node_new_must(w->system, w, NODE_UNLINK, 0);
	n->from = actor_pid(self);
	n->to = to;
	node_post(w->system, w, n);
}

void link_receive(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *own = relation_find(a, RELATION_LINK, n->from);

	if (!own) {
		own = n->u.relation;
		n->payload = PAYLOAD_NONE;
		relation_insert(a, own);
	}
	if (is_decided_by_peer(a, own))
		set_linked(a, own, true);
	acknowledge(w, n, NODE_LINK_ACK);
}

void link_receive_ack(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *own = relation_find(a, RELATION_LINK, n->from);

	if (!own)
		return;
	own->u.link.pending--;
	forget_if_done(w, a, own);
}

void link_receive_unlink(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *own = relation_find(a, RELATION_LINK, n->from);

	acknowledge(w, n, NODE_UNLINK_ACK);
	if (!own || !is_decided_by_peer(a, own))
		return;
	set_linked(a, own, false);
	forget_if_done(w, a, own);
}

void link_receive_unlink_ack(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *own = relation_find(a, RELATION_LINK, n->from);

	if (!own)
		return;
	own->u.link.pending--;
	own->u.link.pending_unlinks--;
	forget_if_done(w, a, own);
}

void link_receive_exit(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *own = relation_find(a, RELATION_LINK, n->from);
	bool is_valid;

	if (!own)
		return;
	if (n->status == LINK_EXIT_REFUSED)
		own->u.link.pending--;
	is_valid = own->u.link.is_linked && own->u.link.pending_unlinks == 0;
	if (is_valid)
		set_linked(a, own, false);
	forget_if_done(w, a, own);
	if (is_valid)
		actor_exit_signal(w, a, n);
}

void link_end(struct worker *w, struct airs_actor *a, struct relation *r,
		const struct airs_reason *reason)
{
	struct node *n;

	if (r->u.link.is_linked) {
		n = node_new_reason(w->system, w, NODE_LINK_EXIT, reason);
		n->from = actor_pid(a);
		n->to = r->peer;
		n->status = LINK_EXIT_ENDED;
		node_post(w->system, w, n);
	}
	relation_free(w->system, w, r);
}
