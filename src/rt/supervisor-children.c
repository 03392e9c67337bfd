/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "rt/supervisor-internal.h"

static uint64_t hash_child(const void *item)
{
	const struct child *c = item;

	return lookup_hash_text(spec_id(c->spec));
}

static bool has_id(const void *item, const void *id)
{
	const struct child *c = item;

	return strcmp(spec_id(c->spec), id) == 0;
}

static void free_waiters(struct trouble *t)
{
	struct waiter *w, *tmp;

	list_foreach_safe(w, tmp, &t->waiters, link) {
		list_remove(&w->link);
		free(w);
	}
}

static void free_trouble(struct child *c)
{
	if (!c->trouble)
		return;
	free_waiters(c->trouble);
	intensity_fini(&c->trouble->window);
	free(c->trouble);
	c->trouble = NULL;
}

static void free_child(struct child *c)
{
	free_trouble(c);
	spec_unref(c->spec);
	free(c);
}

int child_trouble(struct child *c, struct trouble **ret_trouble)
{
	if (!c->trouble) {
		c->trouble = calloc(1, sizeof(*c->trouble));
		if (!c->trouble)
			return -ENOMEM;
		list_init(&c->trouble->waiters);
	}
	*ret_trouble = c->trouble;
	return 0;
}

void child_tidy(struct child *c)
{
	const struct trouble *t = c->trouble;

	if (t && t->timer == 0 && t->attempt == 0 && t->due_usec == 0 &&
			t->window.count == 0 && list_is_empty(&t->waiters))
		free_trouble(c);
}

struct child *children_find(const struct supervisor *s, const char *id)
{
	return lookup_find(&s->by_id, lookup_hash_text(id), has_id, id);
}

int children_add(struct supervisor *s, struct spec *spec, struct child **ret_child)
{
	struct child *c;
	int r;

	if (children_find(s, spec_id(spec)))
		return -EEXIST;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->spec = spec_ref(spec);
	c->sequence = ++s->next_sequence;
	c->state = AIRS_CHILD_STOPPED;
	c->want = spec->terms->initial == AIRS_INITIAL_HOLD ? WANT_DOWN : WANT_UP;
	r = lookup_put(&s->by_id, hash_child, c);
	if (r < 0) {
		free_child(c);
		return r;
	}
	list_append(&s->children, &c->link);
	s->n_children++;
	*ret_child = c;
	return 0;
}

void children_update(struct supervisor *s, struct child *c, struct spec *spec)
{
	struct spec *old = c->spec;

	(void)s;
	c->spec = spec_ref(spec);
	spec_unref(old);
}

void children_add_failed(struct supervisor *s, struct child *c)
{
	c->is_failed = true;
	c->next_failed = NULL;
	*s->failed.end = c;
	s->failed.end = &c->next_failed;
}

static void remove_failed(struct supervisor *s, struct child *c)
{
	struct child **place = &s->failed.first;

	if (!c->is_failed)
		return;
	while (*place != c)
		place = &(*place)->next_failed;
	*place = c->next_failed;
	if (!c->next_failed)
		s->failed.end = place;
	c->is_failed = false;
}

struct child *children_take_failed(struct supervisor *s)
{
	struct child *c = s->failed.first;

	if (c)
		remove_failed(s, c);
	return c;
}

void children_remove(struct supervisor *s, struct child *c)
{
	bug_unless(!c->is_alive);
	bug_unless(!c->trouble || list_is_empty(&c->trouble->waiters));
	bug_unless(lookup_remove(&s->by_id, hash_child, c));
	remove_failed(s, c);
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
	lookup_fini(&s->by_id);
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
