/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"

START_TEST(empty_map_finds_nothing)
{
	struct map m = { 0 };
	size_t cursor = 0;

	ck_assert_ptr_null(map_find(&m, "a"));
	ck_assert_ptr_null(map_find_number(&m, 1));
	ck_assert_ptr_null(map_remove(&m, "a"));
	ck_assert_ptr_null(map_next(&m, &cursor));
	map_fini(&m);
}
END_TEST

START_TEST(key_is_present_once)
{
	struct map m = { 0 };
	int a, b;

	ck_assert_int_eq(map_put(&m, "key", &a), 0);
	ck_assert_int_eq(map_put(&m, "key", &b), -EEXIST);
	ck_assert_ptr_eq(map_find(&m, "key"), &a);
	ck_assert_ptr_null(map_find(&m, "kez"));
	ck_assert_ptr_eq(map_remove(&m, "key"), &a);
	ck_assert_ptr_null(map_find(&m, "key"));
	ck_assert_int_eq(map_put(&m, "key", &b), 0);
	ck_assert_ptr_eq(map_find(&m, "key"), &b);
	map_fini(&m);
}
END_TEST

START_TEST(numbers_of_every_kind_are_keys)
{
	static const uint64_t keys[] = { 0, 1, UINT64_MAX, UINT64_C(1) << 63, 8, 16 };
	struct map m = { 0 };
	int values[ARRAY_SIZE(keys)];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		ck_assert_int_eq(map_put_number(&m, keys[i], &values[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		ck_assert_ptr_eq(map_find_number(&m, keys[i]), &values[i]);
	ck_assert_ptr_null(map_find_number(&m, 2));
	map_fini(&m);
}
END_TEST

#define N_KEYS 400

/* Compares the map with an array after each of many random changes. */
START_TEST(random_changes_agree_with_an_array)
{
	static char keys[N_KEYS][16];
	bool present[N_KEYS] = { false };
	uint64_t seed = 12345;
	struct map m = { 0 };
	size_t count = 0;

	for (int i = 0; i < N_KEYS; i++)
		(void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
	for (int step = 0; step < 50000; step++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		size_t i = (seed >> 33) % N_KEYS;
		bool put = seed >> 62 & 1;
		char copy[16];

		memcpy(copy, keys[i], sizeof(copy));
		if (put)
			ck_assert_int_eq(map_put(&m, keys[i], keys[i]),
					present[i] ? -EEXIST : 0);
		else
			ck_assert_ptr_eq(map_remove(&m, copy),
					present[i] ? keys[i] : NULL);
		count += put && !present[i];
		count -= !put && present[i];
		present[i] = put;
		ck_assert_uint_eq(m.count, count);
		ck_assert_uint_le(m.used * 4, m.capacity * 3);
		ck_assert_ptr_eq(map_find(&m, copy), put ? keys[i] : NULL);
	}
	for (size_t i = 0; i < N_KEYS; i++)
		ck_assert_ptr_eq(map_find(&m, keys[i]), present[i] ? keys[i] : NULL);
	map_fini(&m);
}
END_TEST

START_TEST(churn_does_not_grow_the_table)
{
	struct map m = { 0 };
	int value;

	for (uint64_t i = 0; i < 100000; i++) {
		ck_assert_int_eq(map_put_number(&m, i, &value), 0);
		ck_assert_ptr_eq(map_remove_number(&m, i), &value);
	}
	ck_assert_uint_le(m.capacity, 16);
	map_fini(&m);
}
END_TEST

START_TEST(map_that_is_empty_again_has_given_back_what_a_burst_took)
{
	struct map m = { 0 };
	static char values[1000];

	for (uint64_t i = 0; i < ARRAY_SIZE(values); i++)
		ck_assert_int_eq(map_put_number(&m, i, &values[i]), 0);
	ck_assert_uint_ge(m.capacity, ARRAY_SIZE(values));
	for (uint64_t i = 0; i < ARRAY_SIZE(values); i++)
		ck_assert_ptr_eq(map_remove_number(&m, i), &values[i]);
	ck_assert_uint_eq(m.capacity, 0);
	/* It is as good as new, for keys of any kind. */
	ck_assert_int_eq(map_put(&m, "a", values), 0);
	ck_assert_ptr_eq(map_find(&m, "a"), values);
	map_fini(&m);
}
END_TEST

START_TEST(iteration_meets_each_entry_once_while_removing)
{
	struct map m = { 0 };
	int seen[100] = { 0 }, *value;
	size_t cursor;

	for (uint64_t i = 0; i < 100; i++)
		ck_assert_int_eq(map_put_number(&m, i, &seen[i]), 0);
	map_foreach(&m, cursor, value) {
		(*value)++;
		ck_assert_ptr_eq(map_remove_number(&m, (uint64_t)(value - seen)), value);
	}
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(seen[i], 1);
	ck_assert_uint_eq(m.count, 0);
	map_fini(&m);
}
END_TEST

START_TEST(failed_growth_keeps_the_map)
{
	struct map m = { 0 };
	int values[64];
	int failures = 0;

	for (uint64_t i = 0; i < 64; i++) {
		alloc_fail_at(1);
		int r = map_put_number(&m, i, &values[i]);

		if (alloc_fail_stop()) {
			ck_assert_int_eq(r, -ENOMEM);
			failures++;
			r = map_put_number(&m, i, &values[i]);
		}
		ck_assert_int_eq(r, 0);
		for (uint64_t j = 0; j <= i; j++)
			ck_assert_ptr_eq(map_find_number(&m, j), &values[j]);
	}
	ck_assert_int_ge(failures, 4);
	map_fini(&m);
}
END_TEST

TEST_MAIN("map", empty_map_finds_nothing, key_is_present_once,
		numbers_of_every_kind_are_keys, random_changes_agree_with_an_array,
		churn_does_not_grow_the_table,
		map_that_is_empty_again_has_given_back_what_a_burst_took,
		iteration_meets_each_entry_once_while_removing,
		failed_growth_keeps_the_map)
