/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_MAP_H
#define BASE_MAP_H

/*
 * Hash map from text or from a 64-bit number to a pointer. Keys of text are borrowed:
 * they must live as long as their entry (usually inside the value). Values are borrowed
 * and not NULL. Iteration order is unspecified; an entry may be removed while iterating
 * only if it is the current one. Zero-initialised is a valid empty map that is keyed by
 * its first insertion.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

struct map_entry {
	union {
		const char *text;
		uint64_t number;
	} key;
	void *value; /* NULL: free; MAP_DELETED: was removed */
};

enum map_kind { MAP_BY_NUMBER, MAP_BY_TEXT };

struct map {
	struct map_entry *entries;
	size_t capacity, count, used; /* used counts deleted entries as well */
	enum map_kind kind; /* while it has entries */
};

void map_fini(struct map *m);
/* -EEXIST when the key is present, -ENOMEM. */
MUST_CHECK int map_put(struct map *m, const char *key, void *value);
MUST_CHECK int map_put_number(struct map *m, uint64_t key, void *value);
/* NULL when absent. */
void *map_find(const struct map *m, const char *key);
void *map_find_number(const struct map *m, uint64_t key);
/* Returns the value that was removed, or NULL. */
void *map_remove(struct map *m, const char *key);
void *map_remove_number(struct map *m, uint64_t key);
/* Iterates: *cursor starts at 0; NULL ends. */
void *map_next(const struct map *m, size_t *cursor);

#define map_foreach(m, cursor, value)                                                    \
	for (cursor = 0; (value = map_next(m, &cursor)) != NULL;)

#endif
