/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Ties: what binds an actor to the one that spawned it with AIRS_SPAWN_CHILD. A link and
 * a monitor would do the same with twice the relations and one signal more: the parent
 * learns of the end by a DOWN that carries its tag, the child by an exit signal.
 *
 * Each side has one relation, by the other's pid. Its peer is that pid while the exit
 * signal is wanted, and nobody once either side has unlinked the other.
 */

#include "airssys/actor.h"
#include "rt/signals.h"
#include "rt/system.h"

static bool is_linked(const struct relation *r)
{
	return r->peer != AIRS_PID_NONE;
}

static void loosen(struct airs_actor *a, struct relation *r)
{
	r->peer = AIRS_PID_NONE;
	counter_add(&a->n_links, -1);
}

static bool is_parents(const struct airs_actor *a, const struct relation *r)
{
	/* An actor's parent was there before it, so it is not its child as well. */
	return atomic_load_explicit(&a->parent, memory_order_relaxed) != r->key;
}

bool tie_is_linked(const struct airs_actor *a, airs_pid to)
{
	const struct relation *r = relation_find(a, RELATION_TIE, to);

	return r && is_linked(r);
}

void tie_unlink(struct worker *w, struct airs_actor *a, airs_pid to)
{
	struct relation *r = relation_find(a, RELATION_TIE, to);
	struct node *n;

	if (!r || !is_linked(r))
		return;
	loosen(a, r);
	n = node_new_must(w->system, w, NODE_TIE_LOOSENED, 0);
	n->from = actor_pid(a);
	n->to = to;
	node_post(w->system, w, n);
}

void tie_receive_loosened(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *r = relation_find(a, RELATION_TIE, n->from);

	(void)w;
	if (r && is_linked(r))
		loosen(a, r);
}

void tie_receive_started(struct worker *w, struct airs_actor *a, struct node *n)
{
	const struct relation *r = relation_find(a, RELATION_TIE, n->from);

	actor_deliver_value(w, a, n, r ? r->u.tag : 0);
}

void tie_receive_child_end(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *r = relation_take(a, RELATION_TIE, n->from);
	uint64_t tag;

	if (!r)
		return;
	tag = r->u.tag;
	if (is_linked(r))
		loosen(a, r);
	counter_add(&a->n_monitors, -1);
	relation_free(w->system, w, r);
	n->type = AIRS_MSG_DOWN;
	actor_deliver_value(w, a, n, tag);
}

void tie_receive_parent_end(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *r = relation_take(a, RELATION_TIE, n->from);
	bool is_valid;

	if (!r)
		return;
	is_valid = is_linked(r);
	if (is_valid)
		loosen(a, r);
	counter_add(&a->n_monitored_by, -1);
	relation_free(w->system, w, r);
	if (is_valid)
		actor_exit_signal(w, a, n);
}

void tie_end(struct worker *w, struct airs_actor *a, struct relation *r,
		const struct airs_reason *reason)
{
	struct node *n = node_new_reason(w->system, w,
			is_parents(a, r) ? NODE_PARENT_ENDED : NODE_CHILD_ENDED, reason);

	n->from = actor_pid(a);
	n->to = r->key;
	relation_free(w->system, w, r);
	node_post(w->system, w, n);
}
