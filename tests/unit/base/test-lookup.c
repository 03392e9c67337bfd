/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/lookup.h"

#include <errno.h>

#include "support/test.h"

struct item {
	uint64_t key;
	int seen;
};

static uint64_t hash_key(const void *item)
{
	return lookup_hash_number(((const struct item *)item)->key);
}

static bool has_key(const void *item, const void *key)
{
	return ((const struct item *)item)->key == *(const uint64_t *)key;
}

/* All items in one chain. */
static uint64_t hash_badly(const void *item)
{
	(void)item;
	return UINT64_MAX;
}

static struct item *find(const struct lookup *l, uint64_t key)
{
	return lookup_find(l, lookup_hash_number(key), has_key, &key);
}

START_TEST(empty_table_finds_nothing)
{
	struct lookup l = { 0 };
	struct item item = { 0 };
	size_t cursor = 0;

	ck_assert_ptr_null(find(&l, 1));
	ck_assert(!lookup_remove(&l, hash_key, &item));
	ck_assert_ptr_null(lookup_next(&l, &cursor));
	lookup_fini(&l);
}
END_TEST

#define N_ITEMS 400

/* Compares the table with an array after each of many random changes. */
static void change_at_random(lookup_hash_fn *hash, int steps)
{
	static struct item items[N_ITEMS];
	bool present[N_ITEMS] = { false };
	uint64_t seed = 12345;
	struct lookup l = { 0 };
	size_t count = 0;

	for (int i = 0; i < N_ITEMS; i++)
		items[i].key = (uint64_t)i;
	for (int step = 0; step < steps; step++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		size_t i = (seed >> 33) % N_ITEMS;
		bool put = seed >> 62 & 1;
		uint64_t key = i;

		if (put && !present[i])
			ck_assert_int_eq(lookup_put(&l, hash, &items[i]), 0);
		if (!put)
			ck_assert_int_eq(lookup_remove(&l, hash, &items[i]), present[i]);
		count += put && !present[i];
		count -= !put && present[i];
		present[i] = put;
		ck_assert_uint_eq(l.count, count);
		ck_assert_uint_le(l.used * 4, l.capacity * 3);
		ck_assert_ptr_eq(lookup_find(&l, hash(&items[i]), has_key, &key),
				put ? &items[i] : NULL);
	}
	lookup_fini(&l);
}

START_TEST(random_changes_agree_with_an_array)
{
	change_at_random(hash_key, 50000);
}
END_TEST

START_TEST(items_of_one_hash_are_told_apart)
{
	change_at_random(hash_badly, 5000);
}
END_TEST

START_TEST(churn_does_not_grow_the_table)
{
	struct lookup l = { 0 };
	struct item item = { 0 };

	for (uint64_t i = 0; i < 100000; i++) {
		item.key = i;
		ck_assert_int_eq(lookup_put(&l, hash_key, &item), 0);
		ck_assert(lookup_remove(&l, hash_key, &item));
	}
	ck_assert_uint_le(l.capacity, 16);
	lookup_fini(&l);
}
END_TEST

START_TEST(table_of_a_thousand_is_small)
{
	static struct item items[1000];
	struct lookup l = { 0 };

	for (uint64_t i = 0; i < 1000; i++) {
		items[i].key = i;
		ck_assert_int_eq(lookup_put(&l, hash_key, &items[i]), 0);
	}
	ck_assert_uint_le(l.capacity, 2000);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_ptr_eq(find(&l, i), &items[i]);
	ck_assert_ptr_null(find(&l, 1000));
	lookup_fini(&l);
}
END_TEST

START_TEST(iteration_meets_each_item_once_while_removing)
{
	struct lookup l = { 0 };
	struct item items[100] = { 0 }, *item;
	size_t cursor = 0;

	for (uint64_t i = 0; i < 100; i++) {
		items[i].key = i;
		ck_assert_int_eq(lookup_put(&l, hash_key, &items[i]), 0);
	}
	while ((item = lookup_next(&l, &cursor))) {
		item->seen++;
		ck_assert(lookup_remove(&l, hash_key, item));
	}
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(items[i].seen, 1);
	ck_assert_uint_eq(l.count, 0);
	lookup_fini(&l);
}
END_TEST

START_TEST(failed_growth_keeps_the_table)
{
	struct lookup l = { 0 };
	struct item items[64] = { 0 };
	int failures = 0, r;

	for (uint64_t i = 0; i < 64; i++) {
		items[i].key = i;
		alloc_fail_at(1);
		r = lookup_put(&l, hash_key, &items[i]);
		if (alloc_fail_stop()) {
			ck_assert_int_eq(r, -ENOMEM);
			failures++;
			r = lookup_put(&l, hash_key, &items[i]);
		}
		ck_assert_int_eq(r, 0);
		for (uint64_t j = 0; j <= i; j++)
			ck_assert_ptr_eq(find(&l, j), &items[j]);
	}
	ck_assert_int_ge(failures, 4);
	lookup_fini(&l);
}
END_TEST

TEST_MAIN("lookup", empty_table_finds_nothing, random_changes_agree_with_an_array,
		items_of_one_hash_are_told_apart, churn_does_not_grow_the_table,
		table_of_a_thousand_is_small,
		iteration_meets_each_item_once_while_removing,
		failed_growth_keeps_the_table)
