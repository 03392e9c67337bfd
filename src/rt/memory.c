/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/memory.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"

#define RESERVE_COUNT 64
#define FRESH_BYTES   1024
#define TRIM_BYTES    ((size_t)32 * 1024)

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

static void *carve(struct memory *m, struct memory_cache *cache, unsigned int size_class)
{
	char *start = cache->fresh[size_class].next;

	if (start == cache->fresh[size_class].end) {
		start = span_take(&m->spans, &cache->spans);
		if (!start)
			return NULL;
		cache->fresh[size_class].end = start + SPAN_SIZE;
	}
	cache->fresh[size_class].next = start + class_size(size_class);
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

/* The lock is held. */
static void count_depot(struct memory *m, unsigned int size_class, size_t n)
{
	/* Relaxed: a hint for readers without the lock. */
	atomic_store_explicit(&m->depot[size_class].count,
			atomic_load_explicit(&m->depot[size_class].count,
					memory_order_relaxed) +
					n,
			memory_order_relaxed);
}

/* The lock is held. */
static struct magazine take_loose(struct memory *m, unsigned int size_class)
{
	struct memory_block *first = m->depot[size_class].loose, *last = first;
	struct magazine magazine = { first, first != NULL };

	if (!first)
		return magazine;
	for (; magazine.count < MAGAZINE_SIZE && last->next; magazine.count++)
		last = last->next;
	m->depot[size_class].loose = last->next;
	last->next = NULL;
	return magazine;
}

static struct magazine take_from_depot(struct memory *m, unsigned int size_class)
{
	struct magazine magazine = { NULL, MAGAZINE_SIZE };

	spin_lock(&m->depot[size_class].lock);
	magazine.head = m->depot[size_class].full;
	if (magazine.head)
		m->depot[size_class].full = magazine.head->next_batch;
	else
		magazine = take_loose(m, size_class);
	count_depot(m, size_class, -(size_t)magazine.count);
	spin_unlock(&m->depot[size_class].lock);
	return magazine;
}

/* A magazine from the depot, or fresh blocks. */
static void *refill(struct memory *m, struct memory_cache *cache, unsigned int size_class)
{
	struct magazine *current = &cache->current[size_class];
	struct magazine *spare = &cache->spare[size_class];
	struct memory_block *block;

	if (spare->count) {
		*current = *spare;
		*spare = (struct magazine){ 0 };
	} else {
		*current = take_from_depot(m, size_class);
		if (!current->head)
			return carve_some(m, cache, size_class);
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
		count_depot(m, size_class, MAGAZINE_SIZE);
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
	struct memory_block *block;

	while ((block = m->reserve)) {
		m->reserve = block->next;
		free(block);
	}
	span_fini(&m->spans);
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

static size_t free_bytes(struct memory *m, const struct memory_cache *cache)
{
	size_t bytes = 0;
	unsigned int i;

	for (i = 0; i < MEMORY_CLASSES; i++)
		bytes += class_size(i) *
				(atomic_load_explicit(&m->depot[i].count,
						 memory_order_relaxed) +
						cache->current[i].count +
						cache->spare[i].count);
	return bytes;
}

bool memory_wants_trim(struct memory *m, const struct memory_cache *cache)
{
	size_t bytes = free_bytes(m, cache);

	/* Relaxed, as all that concerns trims but the blocks: hints. */
	if (bytes < atomic_load_explicit(&m->untrimmed, memory_order_relaxed))
		atomic_store_explicit(&m->untrimmed, bytes, memory_order_relaxed);
	return bytes >= TRIM_BYTES +
			atomic_load_explicit(&m->untrimmed, memory_order_relaxed);
}

/* Moves the blocks from one list to the front of another. */
static void move_blocks(struct memory_block *from, struct memory_block **to)
{
	struct memory_block *next;

	for (; from; from = next) {
		next = from->next;
		from->next = *to;
		*to = from;
	}
}

/* All free blocks of a class that the depot and this cache have, in one list. */
static struct memory_block *gather(
		struct memory *m, struct memory_cache *cache, unsigned int size_class)
{
	struct memory_block *full, *loose, *next, *all = NULL;

	spin_lock(&m->depot[size_class].lock);
	full = m->depot[size_class].full;
	loose = m->depot[size_class].loose;
	m->depot[size_class].full = m->depot[size_class].loose = NULL;
	atomic_store_explicit(&m->depot[size_class].count, 0, memory_order_relaxed);
	spin_unlock(&m->depot[size_class].lock);
	for (; full; full = next) {
		next = full->next_batch;
		move_blocks(full, &all);
	}
	move_blocks(loose, &all);
	move_blocks(cache->current[size_class].head, &all);
	move_blocks(cache->spare[size_class].head, &all);
	cache->current[size_class] = cache->spare[size_class] = (struct magazine){ 0 };
	return all;
}

static void give_loose(struct memory *m, unsigned int size_class,
		struct memory_block *first, size_t n)
{
	struct memory_block *last = first;

	if (!first)
		return;
	while (last->next)
		last = last->next;
	spin_lock(&m->depot[size_class].lock);
	last->next = m->depot[size_class].loose;
	m->depot[size_class].loose = first;
	count_depot(m, size_class, n);
	spin_unlock(&m->depot[size_class].lock);
}

static void trim_class(
		struct memory *m, struct memory_cache *cache, unsigned int size_class)
{
	struct memory_block *all = gather(m, cache, size_class), *kept = NULL, *b, *next;
	size_t n_kept = 0;

	for (b = all; b; b = b->next)
		span_count_free(b, (unsigned int)(SPAN_SIZE / class_size(size_class)));
	for (b = all; b; b = next) {
		next = b->next;
		if (span_settle(b))
			continue;
		b->next = kept;
		kept = b;
		n_kept++;
	}
	give_loose(m, size_class, kept, n_kept);
}

void memory_trim(struct memory *m, struct memory_cache *cache)
{
	unsigned int i;

	/* Acquire and release pair among those who trim: they share the spans' counts. */
	if (atomic_exchange_explicit(&m->is_trimming, true, memory_order_acquire))
		return;
	for (i = 0; i < MEMORY_CLASSES; i++)
		trim_class(m, cache, i);
	span_release_empty(&m->spans);
	atomic_store_explicit(&m->untrimmed, free_bytes(m, cache), memory_order_relaxed);
	atomic_store_explicit(&m->is_trimming, false, memory_order_release);
}
