/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/assert.h"

#define REGION_FIRST ((size_t)64 * 1024)
#define REGION_HUGE  ((size_t)2 * 1024 * 1024)
#define REGIONS_SMALL                                                                    \
	12 /* of a worker come before huge ones: a small system pays for what it touches \
	    */
#define RESERVE_COUNT 64
#define FRESH_BYTES   1024

_Thread_local unsigned int locks_held;

atomic_size_t memory_allowed = SIZE_MAX;

void memory_fail_after(size_t allocations)
{
	atomic_store_explicit(&memory_allowed, allocations, memory_order_relaxed);
}

static bool is_exhausted(void)
{
	size_t left = atomic_load_explicit(&memory_allowed, memory_order_relaxed);

	if (LIKELY(left == SIZE_MAX))
		return false;
	if (left == 0)
		return true;
	atomic_store_explicit(&memory_allowed, left - 1, memory_order_relaxed);
	return false;
}

static size_t class_size(unsigned int size_class)
{
	return (size_t)MEMORY_CLASS_MIN << size_class;
}

static unsigned int class_of(size_t size)
{
	if (size <= MEMORY_CLASS_MIN)
		return 0;
	return (unsigned int)(64 - __builtin_clzl(size - 1)) - 4;
}

/* Large regions are aligned for, and ask for, huge pages: first touches are a spawn's
 * main cost. */
static void *map_region(size_t size)
{
	size_t slack = size >= REGION_HUGE ? REGION_HUGE : 0;
	char *start, *aligned;

	start = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return NULL;
	if (!slack)
		return start;
	aligned = (char *)(((uintptr_t)start + slack - 1) & ~(uintptr_t)(slack - 1));
	if (aligned > start)
		(void)munmap(start, (size_t)(aligned - start));
	if (aligned < start + slack)
		(void)munmap(aligned + size, (size_t)(start + slack - aligned));
	(void)madvise(aligned, size, MADV_HUGEPAGE); /* Advice only. */
	return aligned;
}

static int add_region(struct memory *m, struct memory_cache *cache)
{
	size_t size = cache->region_size ? cache->region_size : REGION_FIRST;
	struct memory_region *region = map_region(size);

	if (!region)
		return -ENOMEM;
	region->size = size;
	spin_lock(&m->lock);
	region->next = m->regions;
	m->regions = region;
	spin_unlock(&m->lock);
	cache->fresh = (char *)region + CACHE_LINE;
	cache->fresh_end = (char *)region + size;
	cache->n_regions++;
	cache->region_size = MIN_OF(size * 2,
			cache->n_regions < REGIONS_SMALL ? REGION_HUGE / 2 : REGION_HUGE);
	return 0;
}

static void *carve(struct memory *m, struct memory_cache *cache, unsigned int size_class)
{
	size_t size = class_size(size_class), align = MIN_OF(size, (size_t)CACHE_LINE);
	char *start;

	for (;;) {
		start = (char *)(((uintptr_t)cache->fresh + align - 1) &
				~(uintptr_t)(align - 1));
		if (cache->fresh && start + size <= cache->fresh_end)
			break;
		if (add_region(m, cache) < 0)
			return NULL;
	}
	cache->fresh = start + size;
	return start;
}

/* Some fresh blocks for the empty magazine, about as many as fit in FRESH_BYTES, and one
 * more. */
static void *carve_some(
		struct memory *m, struct memory_cache *cache, unsigned int size_class)
{
	struct magazine *current = &cache->current[size_class];
	size_t n = MAX_OF(FRESH_BYTES / class_size(size_class), (size_t)1);
	struct memory_block *block, *first = carve(m, cache, size_class);

	for (; first && current->count < MIN_OF(n, (size_t)MAGAZINE_SIZE);
			current->count++) {
		block = carve(m, cache, size_class);
		if (!block)
			break;
		block->next = current->head;
		current->head = block;
	}
	return first;
}

/* A full magazine from the depot, or fresh blocks. */
static void *refill(struct memory *m, struct memory_cache *cache, unsigned int size_class)
{
	struct magazine *current = &cache->current[size_class];
	struct magazine *spare = &cache->spare[size_class];
	struct memory_block *block;

	if (spare->count) {
		*current = *spare;
		*spare = (struct magazine){ 0 };
	} else {
		spin_lock(&m->depot[size_class].lock);
		block = m->depot[size_class].full;
		if (block)
			m->depot[size_class].full = block->next_batch;
		spin_unlock(&m->depot[size_class].lock);
		if (!block)
			return carve_some(m, cache, size_class);
		*current = (struct magazine){ block, MAGAZINE_SIZE };
	}
	block = current->head;
	current->head = block->next;
	current->count--;
	return block;
}

static void flush_spare(
		struct memory *m, struct memory_cache *cache, unsigned int size_class)
{
	struct magazine *spare = &cache->spare[size_class];

	if (spare->count) {
		spin_lock(&m->depot[size_class].lock);
		spare->head->next_batch = m->depot[size_class].full;
		m->depot[size_class].full = spare->head;
		spin_unlock(&m->depot[size_class].lock);
	}
	*spare = cache->current[size_class];
	cache->current[size_class] = (struct magazine){ 0 };
}

int memory_init(struct memory *m)
{
	struct memory_block *block;
	int i;

	*m = (struct memory){ 0 };
	for (i = 0; i < RESERVE_COUNT; i++) {
		block = malloc(MEMORY_MUST_MAX);
		if (!block) {
			memory_fini(m);
			return -ENOMEM;
		}
		block->next = m->reserve;
		m->reserve = block;
	}
	return 0;
}

void memory_fini(struct memory *m)
{
	struct memory_region *region;
	struct memory_block *block;

	while ((block = m->reserve)) {
		m->reserve = block->next;
		free(block);
	}
	while ((region = m->regions)) {
		m->regions = region->next;
		(void)munmap(region, region->size);
	}
}

void *memory_alloc_any(struct memory *m, struct memory_cache *cache, size_t size,
		uint8_t *ret_class)
{
	struct memory_block *block;
	unsigned int size_class;

	if (UNLIKELY(is_exhausted()))
		return NULL;
	if (!MEMORY_POOLED || !cache || size > class_size(MEMORY_CLASSES - 1)) {
		*ret_class = MEMORY_HEAP;
		return malloc(size);
	}
	size_class = class_of(size);
	*ret_class = (uint8_t)size_class;
	block = cache->current[size_class].head;
	if (UNLIKELY(!block))
		return refill(m, cache, size_class);
	cache->current[size_class].head = block->next;
	cache->current[size_class].count--;
	return block;
}

void *memory_alloc_must(struct memory *m, struct memory_cache *cache, size_t size,
		uint8_t *ret_class)
{
	void *ptr = memory_alloc(m, cache, size, ret_class);
	struct memory_block *block;

	if (LIKELY(ptr))
		return ptr;
	bug_unless(size <= MEMORY_MUST_MAX);
	spin_lock(&m->lock);
	block = m->reserve;
	if (block)
		m->reserve = block->next;
	spin_unlock(&m->lock);
	bug_unless(block); /* Out of memory for a signal. */
	*ret_class = MEMORY_HEAP;
	return block;
}

void memory_free_any(struct memory *m, struct memory_cache *cache, void *ptr,
		uint8_t size_class)
{
	struct memory_block *block = ptr;

	if (size_class == MEMORY_HEAP) {
		free(ptr);
		return;
	}
	/* Without a worker the system is being freed, and the region goes as a whole. */
	if (!cache)
		return;
	if (UNLIKELY(cache->current[size_class].count == MAGAZINE_SIZE))
		flush_spare(m, cache, size_class);
	block->next = cache->current[size_class].head;
	cache->current[size_class].head = block;
	cache->current[size_class].count++;
}
