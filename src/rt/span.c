/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/span.h"

#include <sys/mman.h>

#define REGIONS_SMALL                                                                    \
	4 /* of a worker come before huge pages: a small system pays for what it touches \
	   */

/* Large systems ask for huge pages: first touches are a spawn's main cost. */
static struct region *map_region(int advice)
{
	char *start, *aligned;

	start = mmap(NULL, 2 * REGION_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return NULL;
	aligned = (char *)(((uintptr_t)start + REGION_SIZE - 1) & ~(REGION_SIZE - 1));
	if (aligned > start)
		(void)munmap(start, (size_t)(aligned - start));
	if (aligned < start + REGION_SIZE)
		(void)munmap(aligned + REGION_SIZE,
				(size_t)(start + REGION_SIZE - aligned));
	(void)madvise(aligned, REGION_SIZE, advice); /* Advice only. */
	return (struct region *)aligned;
}

static void *take_released(struct span_store *store)
{
	struct region *region;
	char *start = NULL;

	/* Relaxed: a hint. */
	if (atomic_load_explicit(&store->n_released, memory_order_relaxed) == 0)
		return NULL;
	spin_lock(&store->lock);
	for (region = store->regions; region && !region->free; region = region->next)
		;
	if (region) {
		start = (char *)region + region->free * SPAN_SIZE;
		region->free = region->spans[region->free].next_free;
		atomic_store_explicit(&store->n_released,
				atomic_load_explicit(&store->n_released,
						memory_order_relaxed) -
						1,
				memory_order_relaxed);
	}
	spin_unlock(&store->lock);
	return start;
}

static int add_region(struct span_store *store, struct span_source *source)
{
	struct region *region =
			map_region(source->n_regions < REGIONS_SMALL ? MADV_NOHUGEPAGE
								     : MADV_HUGEPAGE);

	if (!region)
		return -1;
	spin_lock(&store->lock);
	region->next = store->regions;
	store->regions = region;
	spin_unlock(&store->lock);
	source->region = region;
	source->next = 1;
	source->n_regions++;
	return 0;
}

void *span_take(struct span_store *store, struct span_source *source)
{
	void *span = take_released(store);

	if (span)
		return span;
	if ((!source->region || source->next == SPAN_COUNT) &&
			add_region(store, source) < 0)
		return NULL;
	return (char *)source->region + source->next++ * SPAN_SIZE;
}

void span_fini(struct span_store *store)
{
	struct region *region;

	while ((region = store->regions)) {
		store->regions = region->next;
		(void)munmap(region, REGION_SIZE);
	}
	atomic_store_explicit(&store->n_released, 0, memory_order_relaxed);
}

/* The empty spans from first on that lie side by side. */
static unsigned int count_empty(const struct region *region, unsigned int first)
{
	unsigned int i = first;

	while (i < SPAN_COUNT && region->spans[i].is_empty)
		i++;
	return i - first;
}

/* The lock is held. */
static void add_released(
		struct span_store *store, struct region *region, unsigned int index)
{
	region->spans[index] = (struct span){ .next_free = region->free };
	region->free = (uint16_t)index;
	atomic_store_explicit(&store->n_released,
			atomic_load_explicit(&store->n_released, memory_order_relaxed) +
					1,
			memory_order_relaxed);
}

static void release_in(struct span_store *store, struct region *region)
{
	unsigned int i, n;

	for (i = 1; i < SPAN_COUNT; i += MAX_OF(n, 1u)) {
		n = count_empty(region, i);
		if (n == 0)
			continue;
		(void)madvise((char *)region + i * SPAN_SIZE, n * SPAN_SIZE,
				MADV_DONTNEED); /* What it keeps is used again. */
		spin_lock(&store->lock);
		for (unsigned int j = i; j < i + n; j++)
			add_released(store, region, j);
		spin_unlock(&store->lock);
	}
}

void span_release_empty(struct span_store *store)
{
	struct region *region;

	/* Regions are only added, in front. */
	spin_lock(&store->lock);
	region = store->regions;
	spin_unlock(&store->lock);
	for (; region; region = region->next)
		release_in(store, region);
}
