/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/*
 * Open addressing with linear probing in a table whose size is a power of two. A removed
 * entry leaves a mark that keeps longer probes going; marks vanish when the table is next
 * rebuilt, which happens when entries and marks together fill three quarters of it. The
 * hashes have no secret: the same insertions give the same order in each run, which
 * replayed tests need.
 */

#define CAPACITY_MIN 8

static char deleted_mark;
#define MAP_DELETED ((void *)&deleted_mark)

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static uint64_t hash_text(const char *s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return mix(hash);
}

static bool is_live(const struct map_entry *e)
{
	return e->value && e->value != MAP_DELETED;
}

static bool has_key(const struct map_entry *e, const char *text, uint64_t number)
{
	if (!is_live(e) || e->number != number || !e->text != !text)
		return false;
	return !text || strcmp(e->text, text) == 0;
}

static size_t start_of(const struct map *m, const char *text, uint64_t number)
{
	return (text ? number : mix(number)) & (m->capacity - 1);
}

/* The live entry with this key, or NULL. */
static struct map_entry *find_entry(
		const struct map *m, const char *text, uint64_t number)
{
	if (m->capacity == 0)
		return NULL;
	for (size_t i = start_of(m, text, number);; i = (i + 1) & (m->capacity - 1)) {
		if (!m->entries[i].value)
			return NULL;
		if (has_key(&m->entries[i], text, number))
			return &m->entries[i];
	}
}

/* Puts an entry whose key is known to be absent into a table with room. */
static void place(struct map *m, const struct map_entry *e)
{
	size_t i = start_of(m, e->text, e->number);

	while (is_live(&m->entries[i]))
		i = (i + 1) & (m->capacity - 1);
	if (!m->entries[i].value)
		m->used++;
	m->entries[i] = *e;
	m->count++;
}

static int rebuild(struct map *m, size_t capacity)
{
	struct map bigger = { .capacity = capacity };

	bigger.entries = calloc(capacity, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -ENOMEM;
	for (size_t i = 0; i < m->capacity; i++)
		if (is_live(&m->entries[i]))
			place(&bigger, &m->entries[i]);
	free(m->entries);
	*m = bigger;
	return 0;
}

static int make_room(struct map *m)
{
	if (m->capacity == 0)
		return rebuild(m, CAPACITY_MIN);
	if ((m->used + 1) * 4 <= m->capacity * 3)
		return 0;
	return rebuild(m, m->count * 2 < m->capacity ? m->capacity : m->capacity * 2);
}

static int put(struct map *m, const struct map_entry *e)
{
	int r;

	bug_unless(e->value);
	if (find_entry(m, e->text, e->number))
		return -EEXIST;
	r = make_room(m);
	if (r < 0)
		return r;
	place(m, e);
	return 0;
}

static void *take(struct map *m, struct map_entry *e)
{
	void *value;

	if (!e)
		return NULL;
	value = e->value;
	*e = (struct map_entry){ .value = MAP_DELETED };
	m->count--;
	return value;
}

void map_fini(struct map *m)
{
	free(m->entries);
	*m = (struct map){ 0 };
}

int map_put(struct map *m, const char *key, void *value)
{
	return put(m, &(struct map_entry){ key, hash_text(key), value });
}

int map_put_number(struct map *m, uint64_t key, void *value)
{
	return put(m, &(struct map_entry){ NULL, key, value });
}

void *map_find(const struct map *m, const char *key)
{
	const struct map_entry *e = find_entry(m, key, hash_text(key));

	return e ? e->value : NULL;
}

void *map_find_number(const struct map *m, uint64_t key)
{
	const struct map_entry *e = find_entry(m, NULL, key);

	return e ? e->value : NULL;
}

void *map_remove(struct map *m, const char *key)
{
	return take(m, find_entry(m, key, hash_text(key)));
}

void *map_remove_number(struct map *m, uint64_t key)
{
	return take(m, find_entry(m, NULL, key));
}

void map_rebind(struct map *m, const char *key)
{
	struct map_entry *e = find_entry(m, key, hash_text(key));

	if (e)
		e->text = key;
}

void *map_next(const struct map *m, size_t *cursor)
{
	while (*cursor < m->capacity) {
		const struct map_entry *e = &m->entries[(*cursor)++];

		if (is_live(e))
			return e->value;
	}
	return NULL;
}
