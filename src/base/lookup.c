/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/lookup.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Open addressing with linear probing. A removed item leaves a mark that keeps longer
 * probes going; marks vanish when the table is next rebuilt, which happens when items and
 * marks together fill three quarters of it. It grows by half and not to the double: the
 * hash is scaled to the size and not cut to its bits.
 */

#define CAPACITY_MIN 8

static char removed_mark;
#define REMOVED ((void *)&removed_mark)

uint64_t lookup_hash_number(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

uint64_t lookup_hash_text(const char *s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return lookup_hash_number(hash);
}

static uint32_t first_slot(const struct lookup *l, uint64_t hash)
{
	return (uint32_t)((hash >> 32) * l->capacity >> 32);
}

static uint32_t next_slot(const struct lookup *l, uint32_t slot)
{
	return slot + 1 == l->capacity ? 0 : slot + 1;
}

/* Into a table with room. */
static void place(struct lookup *l, uint64_t hash, void *item)
{
	uint32_t slot = first_slot(l, hash);

	while (l->slots[slot] && l->slots[slot] != REMOVED)
		slot = next_slot(l, slot);
	l->used += !l->slots[slot];
	l->slots[slot] = item;
	l->count++;
}

static int rebuild(struct lookup *l, lookup_hash_fn *hash, uint32_t capacity)
{
	struct lookup other = { .capacity = capacity };

	other.slots = calloc(capacity, sizeof(*other.slots));
	if (!other.slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->capacity; i++)
		if (l->slots[i] && l->slots[i] != REMOVED)
			place(&other, hash(l->slots[i]), l->slots[i]);
	free(l->slots);
	*l = other;
	return 0;
}

static int make_room(struct lookup *l, lookup_hash_fn *hash)
{
	if (l->capacity == 0)
		return rebuild(l, hash, CAPACITY_MIN);
	if ((uint64_t)(l->used + 1) * 4 <= (uint64_t)l->capacity * 3)
		return 0;
	if (l->capacity > UINT32_MAX / 2)
		return -ENOMEM;
	return rebuild(l, hash,
			l->count < l->capacity / 2 ? l->capacity
						   : l->capacity + l->capacity / 2);
}

void lookup_fini(struct lookup *l)
{
	free(l->slots);
	*l = (struct lookup){ 0 };
}

int lookup_put(struct lookup *l, lookup_hash_fn *hash, void *item)
{
	int r = make_room(l, hash);

	if (r == 0)
		place(l, hash(item), item);
	return r;
}

void *lookup_find(
		const struct lookup *l, uint64_t hash, lookup_is_fn *is, const void *key)
{
	if (l->count == 0)
		return NULL;
	for (uint32_t slot = first_slot(l, hash); l->slots[slot];
			slot = next_slot(l, slot))
		if (l->slots[slot] != REMOVED && is(l->slots[slot], key))
			return l->slots[slot];
	return NULL;
}

bool lookup_remove(struct lookup *l, lookup_hash_fn *hash, const void *item)
{
	if (l->count == 0)
		return false;
	for (uint32_t slot = first_slot(l, hash(item)); l->slots[slot];
			slot = next_slot(l, slot))
		if (l->slots[slot] == item) {
			l->slots[slot] = REMOVED;
			l->count--;
			return true;
		}
	return false;
}

void *lookup_next(const struct lookup *l, size_t *cursor)
{
	while (*cursor < l->capacity) {
		void *item = l->slots[(*cursor)++];

		if (item && item != REMOVED)
			return item;
	}
	return NULL;
}
