/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_LOOKUP_H
#define BASE_LOOKUP_H

/*
 * A hash table of items that have their keys in them: eight bytes a slot and about
 * thirteen an item, where a map (base/map.h) takes up to forty. For what there may be
 * thousands of.
 *
 * Items are borrowed and not NULL. Iteration order is unspecified; an item may be removed
 * while iterating only if it is the current one. Zero-initialised is a valid empty table.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

typedef uint64_t lookup_hash_fn(const void *item);
typedef bool lookup_is_fn(const void *item, const void *key);

struct lookup {
	void **slots;
	uint32_t capacity, count, used; /* used counts removed items as well */
};

void lookup_fini(struct lookup *l);
/* The same function for all items of a table. Nobody looks whether the key is there
 * already. -ENOMEM. */
MUST_CHECK int lookup_put(struct lookup *l, lookup_hash_fn *hash, void *item);
/* NULL when absent. hash is the key's. */
void *lookup_find(
		const struct lookup *l, uint64_t hash, lookup_is_fn *is, const void *key);
/* Whether it was there. */
bool lookup_remove(struct lookup *l, lookup_hash_fn *hash, const void *item);
/* Iterates: *cursor starts at 0; NULL ends. */
void *lookup_next(const struct lookup *l, size_t *cursor);

/* No secret is in them: the same insertions give the same order in each run. */
uint64_t lookup_hash_text(const char *s);
uint64_t lookup_hash_number(uint64_t x);

#endif
