/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_SPAN_H
#define RT_SPAN_H

/*
 * Spans: where the blocks of memory.h are carved from, each span for blocks of one size.
 *
 * Spans are pages of regions, which are mapped one by one and stay until the end, so that
 * the region of a block is found by arithmetic. A span whose blocks are all free can be
 * released: its page goes back to the kernel, and the span is taken again before fresh
 * ones. Nothing is counted while blocks come and go; span_count_free and the rest are for
 * whoever holds all the free blocks of one size that it could gather, one at a time.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "rt/lock.h"

#define SPAN_SIZE   ((size_t)4096)
#define REGION_SIZE ((size_t)2 * 1024 * 1024)
#define SPAN_COUNT  (REGION_SIZE / SPAN_SIZE)

struct span {
	uint16_t n_free; /* blocks that span_count_free has seen */
	uint16_t next_free; /* on region.free */
	bool is_empty; /* all its blocks are free */
};

struct region {
	struct region *next;
	uint16_t free; /* released spans; 0: none, since that one holds this struct */
	struct span spans[SPAN_COUNT];
};

_Static_assert(sizeof(struct region) <= SPAN_SIZE, "the first span holds the region");

struct span_store {
	struct spin lock; /* of what follows, and of region.free */
	struct region *regions;
	_Atomic uint32_t n_released; /* a hint for readers without the lock */
};

/* Where one worker takes its fresh spans from. Zero-initialised is valid. */
struct span_source {
	struct region *region;
	unsigned int next; /* span of region; SPAN_COUNT: none is left */
	unsigned int n_regions;
};

/* SPAN_SIZE bytes, aligned to as much. NULL when memory ran out. */
MUST_CHECK void *span_take(struct span_store *store, struct span_source *source);
/* Unmaps everything. */
void span_fini(struct span_store *store);

static inline struct span *span_of(const void *block)
{
	struct region *region = (struct region *)((uintptr_t)block & ~(REGION_SIZE - 1));

	return &region->spans[((uintptr_t)block & (REGION_SIZE - 1)) / SPAN_SIZE];
}

/* One more free block; n_blocks lie in a span of this size. */
static inline void span_count_free(const void *block, unsigned int n_blocks)
{
	struct span *span = span_of(block);

	if (++span->n_free == n_blocks)
		span->is_empty = true;
}

/* Whether the block's span is going to be released. Its count is over. */
static inline bool span_settle(const void *block)
{
	struct span *span = span_of(block);

	span->n_free = 0;
	return span->is_empty;
}

/* Give the pages of all empty spans back. */
void span_release_empty(struct span_store *store);

#endif
