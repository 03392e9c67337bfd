/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Descriptor watches of actors. The reactor knows the descriptor; RELATION_WATCH says
 * that the actor still wants the messages.
 */

#include <errno.h>

#include "airssys/message.h"
#include "rt/signals.h"
#include "rt/system.h"

static struct reactor *reactor_of(struct airs_actor *a)
{
	return atomic_load_explicit(&a->pool, memory_order_relaxed)->reactor;
}

int airs_fd_watch(struct airs_actor *self, int fd, uint32_t events, airs_ref *ret_watch)
{
	struct worker *w = self->worker;
	airs_ref ref = ref_new(w->system, w);
	struct relation *own = relation_new(w->system, w, RELATION_WATCH, ref, 0);
	int r;

	if (!own)
		return -ENOMEM;
	r = reactor_watch(reactor_of(self), actor_pid(self), ref, fd, events,
			&own->u.watch);
	if (r < 0) {
		relation_free(w->system, w, own);
		return r;
	}
	relation_insert(self, own);
	*ret_watch = ref;
	return 0;
}

int airs_fd_rearm(struct airs_actor *self, airs_ref watch, uint32_t events)
{
	const struct relation *own = relation_find(self, RELATION_WATCH, watch);

	if (!own)
		return -ENOENT;
	return reactor_rearm(reactor_of(self), own->u.watch, events);
}

void watch_end(struct worker *w, struct airs_actor *a, struct relation *r)
{
	reactor_unwatch(reactor_of(a), r->u.watch);
	relation_free(w->system, w, r);
}

void airs_fd_unwatch(struct airs_actor *self, airs_ref watch)
{
	struct relation *own = relation_take(self, RELATION_WATCH, watch);

	if (own)
		watch_end(self->worker, self, own);
}

void watch_receive(struct worker *w, struct airs_actor *a, struct node *n)
{
	if (relation_find(a, RELATION_WATCH, n->ref))
		actor_deliver(w, a, n);
}
