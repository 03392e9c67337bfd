/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/intensity.h"

#include "support/test.h"

START_TEST(more_than_the_limit_within_the_period_exceeds)
{
	struct intensity w = { 0 };

	ck_assert_int_eq(intensity_add(&w, 100, 2, 50), INTENSITY_WITHIN);
	ck_assert_int_eq(intensity_add(&w, 110, 2, 50), INTENSITY_WITHIN);
	ck_assert_int_eq(intensity_add(&w, 120, 2, 50), INTENSITY_EXCEEDED);
	intensity_fini(&w);
}
END_TEST

START_TEST(limit_zero_exceeds_at_once)
{
	struct intensity w = { 0 };

	ck_assert_int_eq(intensity_add(&w, 5, 0, 50), INTENSITY_EXCEEDED);
	ck_assert_int_eq(intensity_add(&w, 5000, 0, 50), INTENSITY_EXCEEDED);
	intensity_fini(&w);
}
END_TEST

START_TEST(one_exactly_a_period_old_counts_and_an_older_one_does_not)
{
	struct intensity w = { 0 };

	ck_assert_int_eq(intensity_add(&w, 100, 1, 50), INTENSITY_WITHIN);
	ck_assert_int_eq(intensity_add(&w, 150, 1, 50), INTENSITY_EXCEEDED);
	intensity_reset(&w);
	ck_assert_int_eq(intensity_add(&w, 100, 1, 50), INTENSITY_WITHIN);
	ck_assert_int_eq(intensity_add(&w, 151, 1, 50), INTENSITY_WITHIN);
	intensity_fini(&w);
}
END_TEST

START_TEST(period_before_the_first_microsecond_does_not_wrap)
{
	struct intensity w = { 0 };

	ck_assert_int_eq(intensity_add(&w, 0, 1, 50), INTENSITY_WITHIN);
	ck_assert_int_eq(intensity_add(&w, 10, 1, 50), INTENSITY_EXCEEDED);
	intensity_fini(&w);
}
END_TEST

START_TEST(infinite_period_never_forgets)
{
	struct intensity w = { 0 };

	ck_assert_int_eq(intensity_add(&w, 1, 1, UINT64_MAX), INTENSITY_WITHIN);
	ck_assert_int_eq(intensity_add(&w, UINT64_MAX / 2, 1, UINT64_MAX),
			INTENSITY_EXCEEDED);
	intensity_fini(&w);
}
END_TEST

START_TEST(count_tells_how_many_lie_in_the_window)
{
	struct intensity w = { 0 };

	ck_assert_uint_eq(intensity_count(&w, 100, 50), 0);
	for (uint64_t t = 10; t <= 100; t += 10)
		ck_assert_int_eq(intensity_add(&w, t, 20, 1000), INTENSITY_WITHIN);
	ck_assert_uint_eq(intensity_count(&w, 100, 1000), 10);
	ck_assert_uint_eq(intensity_count(&w, 100, 50), 6);
	ck_assert_uint_eq(intensity_count(&w, 105, 50), 5);
	ck_assert_uint_eq(intensity_count(&w, 1000, 50), 0);
	intensity_fini(&w);
}
END_TEST

/* The rule as OTP states it: a list, newest first, cut before the first that is too old.
 */
static int naive_exceeds(
		uint64_t *times, size_t *n, uint64_t now, uint32_t limit, uint64_t period)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		if (now < period || times[i] >= now - period)
			times[kept++] = times[i];
	times[kept++] = now;
	*n = kept;
	return kept > limit;
}

START_TEST(ring_agrees_with_a_list_over_random_times)
{
	static uint64_t times[4096];
	uint64_t x = 88172645463325252ull;

	for (uint32_t limit = 0; limit < 40; limit++) {
		struct intensity w = { 0 };
		uint64_t now = 0;
		size_t n = 0;

		for (int i = 0; i < 2000; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			now += x % 20;
			ck_assert_int_eq(intensity_add(&w, now, limit, 300) ==
							INTENSITY_EXCEEDED,
					naive_exceeds(times, &n, now, limit, 300));
		}
		ck_assert_uint_le(w.capacity, limit + 1);
		intensity_fini(&w);
	}
}
END_TEST

START_TEST(restarts_that_cannot_be_counted_exceed)
{
	struct intensity w = { 0 };
	enum intensity_verdict verdict;

	alloc_fail_at(1);
	verdict = intensity_add(&w, 1, 100, 50);
	ck_assert_int_eq(alloc_fail_stop(), 1);
	ck_assert_int_eq(verdict, INTENSITY_EXCEEDED);
	intensity_fini(&w);
}
END_TEST

START_TEST(memory_follows_the_restarts_and_not_the_limit)
{
	struct intensity w = { 0 };

	for (uint64_t t = 0; t < 100; t++)
		ck_assert_int_eq(
				intensity_add(&w, t, UINT32_MAX, 1000), INTENSITY_WITHIN);
	ck_assert_uint_le(w.capacity, 256);
	intensity_fini(&w);
}
END_TEST

TEST_MAIN("intensity", more_than_the_limit_within_the_period_exceeds,
		limit_zero_exceeds_at_once,
		one_exactly_a_period_old_counts_and_an_older_one_does_not,
		period_before_the_first_microsecond_does_not_wrap,
		infinite_period_never_forgets, count_tells_how_many_lie_in_the_window,
		ring_agrees_with_a_list_over_random_times,
		restarts_that_cannot_be_counted_exceed,
		memory_follows_the_restarts_and_not_the_limit)
