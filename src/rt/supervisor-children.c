/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "rt/supervisor-internal.h"

static void free_waiters(struct child *c)
{
	struct waiter *w, *tmp;

	list_foreach_safe(w, tmp, &c->waiters, link) {
		list_remove(&w->link);
		free(w);
	}
}

static void free_child(struct child *c)
{
	free_waiters(c);
	intensity_fini(&c->window);
	spec_unref(c->spec);
	free(c);
}

int children_add(struct supervisor *s, struct spec *spec, struct child **ret_child)
{
	struct child *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	r = map_put(&s->by_id, spec->id, c);
	if (r < 0) {
		free(c);
		return r;
	}
	c->spec = spec_ref(spec);
	c->sequence = ++s->next_sequence;
	c->state = AIRS_CHILD_STOPPED;
	c->want = spec->initial == AIRS_INITIAL_HOLD ? WANT_DOWN : WANT_UP;
	list_init(&c->waiters);
	list_init(&c->failed_link);
	list_append(&s->children, &c->link);
	s->n_children++;
	*ret_child = c;
	return 0;
}

void children_update(struct supervisor *s, struct child *c, struct spec *spec)
{
	struct spec *old = c->spec;

	map_rebind(&s->by_id, spec->id);
	c->spec = spec_ref(spec);
	spec_unref(old);
}

void children_remove(struct supervisor *s, struct child *c)
{
	bug_unless(c->pid == AIRS_PID_NONE);
	bug_unless(list_is_empty(&c->waiters));
	(void)map_remove(&s->by_id, c->spec->id);
	list_remove(&c->failed_link);
	list_remove(&c->link);
	s->n_children--;
	free_child(c);
}

void children_fini(struct supervisor *s)
{
	struct child *c, *tmp;

	list_foreach_safe(c, tmp, &s->children, link) {
		list_remove(&c->link);
		free_child(c);
	}
	map_fini(&s->by_id);
	map_fini(&s->by_pid);
	map_fini(&s->by_ref);
}

struct child *children_next(struct supervisor *s, struct child *c)
{
	struct list *next = c ? c->link.next : s->children.next;

	return next == &s->children ? NULL : list_entry(next, struct child, link);
}

struct child *children_previous(struct supervisor *s, struct child *c)
{
	struct list *previous = c ? c->link.prev : s->children.prev;

	return previous == &s->children ? NULL : list_entry(previous, struct child, link);
}
