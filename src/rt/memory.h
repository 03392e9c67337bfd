/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_MEMORY_H
#define RT_MEMORY_H

/*
 * Memory for messages, relations and small actor states.
 *
 * Blocks come in size classes. Each worker has a cache of two magazines per class, so
 * that allocating and freeing touch no shared line; full magazines travel between workers
 * through a depot, one lock for MAGAZINE_SIZE blocks. Fresh blocks are carved one by one
 * from spans (span.h), each of one class; what a burst has left is given back by
 * memory_trim. Larger blocks, and those of threads outside of the system (cache NULL),
 * come from malloc.
 *
 * A class number travels with each block; whoever frees it hands it back.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "rt/lock.h"
#include "rt/span.h"

#define MEMORY_CLASSES   6 /* 16, 32, 64, 128, 256, 512 bytes */
#define MEMORY_CLASS_MIN 16
#define MEMORY_HEAP      0xffu
#define MEMORY_MUST_MAX  128 /* the largest block that memory_alloc_must gives */
#define MAGAZINE_SIZE    64
#define CACHE_LINE       64

#define MEMORY_CLASS_HALF 1u /* of half a CACHE_LINE */
#define MEMORY_CLASS_LINE 2u /* of CACHE_LINE bytes */

/* The address sanitizer sees each block by itself when it comes from malloc. */
#if defined(__SANITIZE_ADDRESS__)
#	define MEMORY_POOLED 0
#elif defined(__has_feature)
#	if __has_feature(address_sanitizer)
#		define MEMORY_POOLED 0
#	endif
#endif
#ifndef MEMORY_POOLED
#	define MEMORY_POOLED 1
#endif

struct memory_block {
	struct memory_block *next;
	struct memory_block
			*next_batch; /* in the depot, in the first block of a magazine */
};

struct magazine {
	struct memory_block *head;
	unsigned int count;
};

/* One worker's; used by that worker only. */
struct memory_cache {
	struct magazine current[MEMORY_CLASSES], spare[MEMORY_CLASSES];
	struct {
		char *next, *end;
	} fresh[MEMORY_CLASSES]; /* the span that is being carved */
	struct span_source spans;
};

struct memory {
	struct {
		struct spin lock;
		struct memory_block *full; /* magazines of MAGAZINE_SIZE blocks */
		struct memory_block *loose; /* single blocks */
		_Atomic size_t count; /* of both; written under the lock */
	} depot[MEMORY_CLASSES];
	struct spin lock; /* of reserve */
	struct memory_block *reserve; /* of MEMORY_MUST_MAX bytes */
	struct span_store spans;
	atomic_bool is_trimming; /* one worker at a time */
	_Atomic size_t untrimmed; /* free bytes that the last trim could not give back */
};

/* -ENOMEM. */
MUST_CHECK int memory_init(struct memory *m);
/* Every block is gone afterwards, except those of malloc. */
void memory_fini(struct memory *m);

/*
 * Whether so much is free, here and in the depot, that a trim is worth its while. For a
 * worker that has nothing else to do.
 */
bool memory_wants_trim(struct memory *m, const struct memory_cache *cache);
/* Give the pages that hold nothing but free blocks of the depot and of this cache back to
 * the kernel. */
void memory_trim(struct memory *m, struct memory_cache *cache);

/*
 * At most MEMORY_MUST_MAX bytes for a signal that must not be lost. Falls back to a
 * reserve; when that is used up too the process ends, since links and monitors could no
 * longer be trusted.
 */
void *memory_alloc_must(struct memory *m, struct memory_cache *cache, size_t size,
		uint8_t *ret_class);

/* The test seam: that many further allocations succeed, then all fail. SIZE_MAX: no
 * limit. */
void memory_fail_after(size_t allocations);

/* How many allocations may still succeed. SIZE_MAX: no limit. */
extern atomic_size_t memory_allowed __attribute__((visibility("hidden")));

MUST_CHECK void *memory_alloc_any(struct memory *m, struct memory_cache *cache,
		size_t size, uint8_t *ret_class);
void memory_free_any(struct memory *m, struct memory_cache *cache, void *ptr,
		uint8_t size_class);

/* A block of this class; NULL when none is at hand. */
static inline void *memory_take(struct memory_cache *cache, unsigned int size_class)
{
	struct magazine *magazine = &cache->current[size_class];
	struct memory_block *block = magazine->head;

	if (UNLIKELY(!block ||
			    atomic_load_explicit(&memory_allowed, memory_order_relaxed) !=
					    SIZE_MAX))
		return NULL;
	magazine->head = block->next;
	magazine->count--;
	return block;
}

/* Uninitialised; NULL when memory ran out. One cache line, which most messages need, is
 * taken here. */
MUST_CHECK static inline void *memory_alloc(struct memory *m, struct memory_cache *cache,
		size_t size, uint8_t *ret_class)
{
	void *block;

	if (LIKELY(cache && size == CACHE_LINE)) {
		block = memory_take(cache, MEMORY_CLASS_LINE);
		if (LIKELY(block)) {
			*ret_class = MEMORY_CLASS_LINE;
			return block;
		}
	}
	return memory_alloc_any(m, cache, size, ret_class);
}

/* Frees a block of class MEMORY_CLASS_LINE. */
static inline void memory_free_line(
		struct memory *m, struct memory_cache *cache, void *ptr)
{
	struct magazine *magazine = &cache->current[MEMORY_CLASS_LINE];
	struct memory_block *block = ptr;

	if (UNLIKELY(magazine->count >= MAGAZINE_SIZE)) {
		memory_free_any(m, cache, ptr, MEMORY_CLASS_LINE);
		return;
	}
	block->next = magazine->head;
	magazine->head = block;
	magazine->count++;
}

static inline void memory_free(struct memory *m, struct memory_cache *cache, void *ptr,
		uint8_t size_class)
{
	struct memory_block *block = ptr;
	struct magazine *magazine;

	if (LIKELY(cache && size_class != MEMORY_HEAP)) {
		magazine = &cache->current[size_class];
		if (LIKELY(magazine->count < MAGAZINE_SIZE)) {
			block->next = magazine->head;
			magazine->head = block;
			magazine->count++;
			return;
		}
	}
	memory_free_any(m, cache, ptr, size_class);
}

#endif
