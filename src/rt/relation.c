/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/relation.h"

#include <stdlib.h>

#include "rt/actor.h"
#include "rt/node.h"
#include "rt/system.h"

#define LIST_MAX      8u
#define BUCKETS_FIRST 32u

_Static_assert(sizeof(struct relation) == CACHE_LINE / 2, "");
_Static_assert((PID_MASK >> 60) == 0, "a pid fits the peer of a relation");

static uint32_t bucket_of(const struct relation_table *t, uint64_t key)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & t->mask;
}

static struct relation *fill(struct relation *r, enum relation_kind kind, uint64_t key,
		airs_pid peer, uint8_t size_class)
{
	*r = (struct relation){
		.key = key,
		.peer = peer & PID_MASK,
		.kind = kind,
		.is_heap = size_class == MEMORY_HEAP,
	};
	return r;
}

/*
 * Those that come and go take a block of the size of a message. So they do not lie among
 * those that stay, whose pages could not be given back when they are gone.
 */
static bool is_brief(enum relation_kind kind)
{
	return kind == RELATION_CALL || kind == RELATION_REQUEST ||
			kind == RELATION_TIMER;
}

static size_t size_of(enum relation_kind kind)
{
	return is_brief(kind) ? CACHE_LINE : sizeof(struct relation);
}

struct relation *relation_new(struct airs_system *system, struct worker *worker,
		enum relation_kind kind, uint64_t key, airs_pid peer)
{
	uint8_t size_class;
	void *block = memory_alloc(&system->memory, worker_memory(worker), size_of(kind),
			&size_class);

	return block ? fill(block, kind, key, peer, size_class) : NULL;
}

struct relation *relation_new_must(struct airs_system *system, struct worker *worker,
		enum relation_kind kind, uint64_t key, airs_pid peer)
{
	uint8_t size_class;
	void *block = memory_alloc_must(&system->memory, worker_memory(worker),
			size_of(kind), &size_class);

	return fill(block, kind, key, peer, size_class);
}

void relation_free(struct airs_system *system, struct worker *worker, struct relation *r)
{
	unsigned int size_class = MEMORY_HEAP;

	if (!r)
		return;
	if (!r->is_heap)
		size_class = is_brief((enum relation_kind)r->kind) ? MEMORY_CLASS_LINE
								   : MEMORY_CLASS_HALF;
	memory_free(&system->memory, worker_memory(worker), r, (uint8_t)size_class);
}

static struct relation_table *table_new(uint32_t n)
{
	struct relation_table *t =
			calloc(1, sizeof(*t) + (size_t)n * sizeof(struct relation *));

	if (t)
		t->mask = n - 1;
	return t;
}

static void table_insert(struct relation_table *t, struct relation *r)
{
	struct relation **bucket = &t->buckets[bucket_of(t, r->key)];

	r->next = *bucket;
	*bucket = r;
	t->count++;
}

static void list_to_table(struct airs_actor *a)
{
	struct relation_table *t = table_new(BUCKETS_FIRST);
	struct relation *r;

	if (!t)
		return; /* The list goes on; the next insertion tries again. */
	while ((r = a->relations.list)) {
		a->relations.list = r->next;
		table_insert(t, r);
	}
	a->relations.table = t;
	a->flags |= ACTOR_HASHED;
}

static void table_grow(struct airs_actor *a)
{
	struct relation_table *old = a->relations.table,
			      *t = table_new((old->mask + 1) * 2);
	struct relation *r;
	uint32_t i;

	if (!t)
		return;
	for (i = 0; i <= old->mask; i++)
		while ((r = old->buckets[i])) {
			old->buckets[i] = r->next;
			table_insert(t, r);
		}
	free(old);
	a->relations.table = t;
}

void relation_insert(struct airs_actor *a, struct relation *r)
{
	if (!(a->flags & ACTOR_HASHED)) {
		if (a->relation_count < LIST_MAX) {
			a->relation_count++;
			r->next = a->relations.list;
			a->relations.list = r;
			return;
		}
		list_to_table(a);
	}
	if (!(a->flags & ACTOR_HASHED)) {
		r->next = a->relations.list;
		a->relations.list = r;
		return;
	}
	if (a->relations.table->count > a->relations.table->mask)
		table_grow(a);
	table_insert(a->relations.table, r);
}

static struct relation **chain_of(struct airs_actor *a, uint64_t key)
{
	if (!(a->flags & ACTOR_HASHED))
		return &a->relations.list;
	return &a->relations.table->buckets[bucket_of(a->relations.table, key)];
}

static struct relation **find_place(
		struct airs_actor *a, enum relation_kind kind, uint64_t key)
{
	struct relation **place = chain_of(a, key);

	while (*place && ((*place)->key != key || (*place)->kind != kind))
		place = &(*place)->next;
	return place;
}

struct relation *relation_find(
		const struct airs_actor *a, enum relation_kind kind, uint64_t key)
{
	const struct relation *r;

	if (!a->relations.list)
		return NULL;
	r = *find_place((struct airs_actor *)(uintptr_t)a, kind, key);
	return (struct relation *)(uintptr_t)r;
}

static void uncount(struct airs_actor *a)
{
	if (a->flags & ACTOR_HASHED)
		a->relations.table->count--;
	else if (!a->relations.list)
		a->relation_count = 0; /* It may have stopped counting at LIST_MAX. */
	else if (a->relation_count > 1)
		a->relation_count--;
}

struct relation *relation_take(
		struct airs_actor *a, enum relation_kind kind, uint64_t key)
{
	struct relation **place, *r;

	if (!a->relations.list)
		return NULL;
	place = find_place(a, kind, key);
	r = *place;
	if (!r)
		return NULL;
	*place = r->next;
	uncount(a);
	return r;
}

static struct relation *take_any_hashed(struct airs_actor *a)
{
	struct relation_table *t = a->relations.table;
	struct relation *r;

	/* Emptied buckets are cut off, so that emptying the table is linear. */
	for (;; t->mask--) {
		r = t->buckets[t->mask];
		if (r) {
			t->buckets[t->mask] = r->next;
			t->count--;
			return r;
		}
		if (t->mask == 0)
			break;
	}
	free(t);
	a->relations.table = NULL;
	a->flags &= (uint8_t)~ACTOR_HASHED;
	return NULL;
}

struct relation *relation_take_any(struct airs_actor *a)
{
	struct relation *r;

	if (a->flags & ACTOR_HASHED)
		return take_any_hashed(a);
	r = a->relations.list;
	if (!r)
		return NULL;
	a->relations.list = r->next;
	a->relation_count = 0;
	return r;
}
