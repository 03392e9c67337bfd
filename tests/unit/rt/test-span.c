/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/span.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "rt/memory.h"
#include "unit/rt/fixture.h"

/*
 * What a burst leaves goes back to the kernel: pages with nothing but free blocks, and no
 * others. With the address sanitizer blocks come from malloc and nothing is to be given
 * back.
 */

enum { BLOCKS = 4096, SIZE = 64, PER_SPAN = 4096 / SIZE };

static struct memory memory;
static struct memory_cache caches[2];
static unsigned char *blocks[BLOCKS];

static void take_all(struct memory_cache *cache)
{
	uint8_t size_class;

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = memory_alloc(&memory, cache, SIZE, &size_class);
		ck_assert_ptr_nonnull(blocks[i]);
		memset(blocks[i], i % 251, SIZE);
	}
}

static void give(struct memory_cache *cache, int i)
{
	memory_free(&memory, cache, blocks[i],
			MEMORY_POOLED ? MEMORY_CLASS_LINE : MEMORY_HEAP);
	blocks[i] = NULL;
}

static size_t resident(void)
{
	size_t n = 0;

	for (struct region *region = memory.spans.regions; region;
			region = region->next) {
		unsigned char pages[SPAN_COUNT];

		ck_assert_int_eq(mincore(region, REGION_SIZE, pages), 0);
		for (size_t i = 0; i < SPAN_COUNT; i++)
			n += pages[i] & 1;
	}
	return n;
}

static void begin(void)
{
	memset(caches, 0, sizeof(caches));
	ck_assert_int_eq(memory_init(&memory), 0);
}

START_TEST(pages_that_hold_free_blocks_only_are_given_back)
{
	size_t before;

	begin();
	take_all(&caches[0]);
	ck_assert(!memory_wants_trim(&memory, &caches[0]));
	before = resident();
	for (int i = 0; i < BLOCKS; i++)
		give(&caches[0], i);
	if (MEMORY_POOLED) {
		ck_assert(memory_wants_trim(&memory, &caches[0]));
		memory_trim(&memory, &caches[0]);
		/* All but the page that is still carved from. */
		ck_assert_uint_le(resident() + BLOCKS / PER_SPAN, before + 1);
	}
	memory_fini(&memory);
}
END_TEST

START_TEST(pages_that_hold_a_block_in_use_are_kept)
{
	begin();
	take_all(&caches[0]);
	for (int i = 0; i < BLOCKS; i++)
		if (i % (2 * PER_SPAN) != 0)
			give(&caches[0], i);
	memory_trim(&memory, &caches[0]);
	for (int i = 0; i < BLOCKS; i += 2 * PER_SPAN)
		for (int j = 0; j < SIZE; j++)
			ck_assert_uint_eq(blocks[i][j], i % 251);
	if (MEMORY_POOLED)
		ck_assert_uint_ge(resident(), 1 + (size_t)BLOCKS / PER_SPAN / 2);
	/* What could not be given back does not make a trim worth its while again. */
	ck_assert(!memory_wants_trim(&memory, &caches[0]));
	for (int i = 0; i < BLOCKS; i += 2 * PER_SPAN)
		give(&caches[0], i);
	memory_fini(&memory);
}
END_TEST

/* Each block is handed out once only, whatever its span went through. */
START_TEST(what_was_given_back_is_used_again)
{
	size_t before;

	begin();
	take_all(&caches[0]);
	before = resident();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < BLOCKS; i++)
			give(&caches[round % 2], i);
		memory_trim(&memory, &caches[round % 2]);
		take_all(&caches[(round + 1) % 2]);
		for (int i = 0; i < BLOCKS; i++)
			for (int j = 0; j < SIZE; j++)
				ck_assert_uint_eq(blocks[i][j], i % 251);
	}
	/* The pages that two workers carve from, and the second one's region. */
	ck_assert_uint_le(resident(), before + 4);
	for (int i = 0; i < BLOCKS; i++)
		give(&caches[0], i);
	memory_fini(&memory);
}
END_TEST

START_TEST(blocks_that_another_worker_holds_keep_their_pages)
{
	begin();
	take_all(&caches[0]);
	/* The last ones stay in the other worker's magazines, free. */
	for (int i = 0; i < BLOCKS; i++)
		give(&caches[i < BLOCKS - PER_SPAN ? 0 : 1], i);
	memory_trim(&memory, &caches[0]);
	take_all(&caches[1]);
	for (int i = 0; i < BLOCKS; i++)
		ck_assert_uint_eq(blocks[i][SIZE - 1], i % 251);
	for (int i = 0; i < BLOCKS; i++)
		give(&caches[1], i);
	memory_fini(&memory);
}
END_TEST

TEST_MAIN("span", pages_that_hold_free_blocks_only_are_given_back,
		pages_that_hold_a_block_in_use_are_kept,
		what_was_given_back_is_used_again,
		blocks_that_another_worker_holds_keep_their_pages)
