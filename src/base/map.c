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
/* The largest table that an empty map keeps: what came with a burst goes with it. */
#define CAPACITY_KEPT 64

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

/* A key that is looked for, with its hash. */
struct wanted {
	enum map_kind kind;
	const char *text;
	uint64_t number, hash;
};

static struct wanted want_text(const char *text)
{
	return (struct wanted){ MAP_BY_TEXT, text, 0, hash_text(text) };
}

static struct wanted want_number(uint64_t number)
{
	return (struct wanted){ MAP_BY_NUMBER, NULL, number, mix(number) };
}

static bool has_key(const struct map_entry *e, const struct wanted *wanted)
{
	if (!is_live(e))
		return false;
	return wanted->kind == MAP_BY_TEXT ? strcmp(e->key.text, wanted->text) == 0
					   : e->key.number == wanted->number;
}

/* The live entry with this key, or NULL. */
static struct map_entry *find_entry(const struct map *m, struct wanted wanted)
{
	if (m->count == 0 || m->kind != wanted.kind)
		return NULL;
	for (size_t i = wanted.hash & (m->capacity - 1);;
			i = (i + 1) & (m->capacity - 1)) {
		if (!m->entries[i].value)
			return NULL;
		if (has_key(&m->entries[i], &wanted))
			return &m->entries[i];
	}
}

/* Puts an entry whose key is known to be absent into a table with room. */
static void place(struct map *m, const struct map_entry *e, uint64_t hash)
{
	size_t i = hash & (m->capacity - 1);

	while (is_live(&m->entries[i]))
		i = (i + 1) & (m->capacity - 1);
	if (!m->entries[i].value)
		m->used++;
	m->entries[i] = *e;
	m->count++;
}

/* Kept nowhere: memory is dearer than the time of a rebuild. */
static uint64_t hash_of(const struct map *m, const struct map_entry *e)
{
	return m->kind == MAP_BY_TEXT ? hash_text(e->key.text) : mix(e->key.number);
}

static int rebuild(struct map *m, size_t capacity)
{
	struct map bigger = { .capacity = capacity, .kind = m->kind };

	bigger.entries = calloc(capacity, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -ENOMEM;
	for (size_t i = 0; i < m->capacity; i++)
		if (is_live(&m->entries[i]))
			place(&bigger, &m->entries[i], hash_of(m, &m->entries[i]));
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

static int put(struct map *m, struct wanted wanted, const struct map_entry *e)
{
	int r;

	bug_unless(e->value);
	bug_unless(m->count == 0 || m->kind == wanted.kind);
	if (find_entry(m, wanted))
		return -EEXIST;
	m->kind = wanted.kind;
	r = make_room(m);
	if (r < 0)
		return r;
	place(m, e, wanted.hash);
	return 0;
}

void map_fini(struct map *m)
{
	free(m->entries);
	*m = (struct map){ 0 };
}

static void *take(struct map *m, struct map_entry *e)
{
	void *value;

	if (!e)
		return NULL;
	value = e->value;
	*e = (struct map_entry){ .value = MAP_DELETED };
	m->count--;
	if (m->count == 0 && m->capacity > CAPACITY_KEPT)
		map_fini(m);
	return value;
}

int map_put(struct map *m, const char *key, void *value)
{
	return put(m, want_text(key),
			&(struct map_entry){ .key.text = key, .value = value });
}

int map_put_number(struct map *m, uint64_t key, void *value)
{
	return put(m, want_number(key),
			&(struct map_entry){ .key.number = key, .value = value });
}

void *map_find(const struct map *m, const char *key)
{
	const struct map_entry *e = find_entry(m, want_text(key));

	return e ? e->value : NULL;
}

void *map_find_number(const struct map *m, uint64_t key)
{
	const struct map_entry *e = find_entry(m, want_number(key));

	return e ? e->value : NULL;
}

void *map_remove(struct map *m, const char *key)
{
	return take(m, find_entry(m, want_text(key)));
}

void *map_remove_number(struct map *m, uint64_t key)
{
	return take(m, find_entry(m, want_number(key)));
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
