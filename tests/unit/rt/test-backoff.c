/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/backoff.h"

#include "support/test.h"

START_TEST(nothing_set_is_no_delay)
{
	const struct airs_backoff b = { 0 };

	for (uint32_t n = 1; n < 10; n++)
		ck_assert_uint_eq(backoff_delay(&b, n, UINT64_MAX), 0);
}
END_TEST

START_TEST(without_steps_the_delay_stays)
{
	const struct airs_backoff b = { .initial_usec = 700, .max_usec = 9000 };

	ck_assert_uint_eq(backoff_delay(&b, 1, 0), 700);
	ck_assert_uint_eq(backoff_delay(&b, 100, 0), 700);
}
END_TEST

START_TEST(delay_doubles_when_the_steps_say_so)
{
	const struct airs_backoff b = {
		.initial_usec = 1000000, .max_usec = 16000000, .steps = 4
	};
	const uint64_t expected[] = { 1000000, 2000000, 4000000, 8000000, 16000000,
		16000000 };

	for (uint32_t n = 0; n < 6; n++)
		ck_assert_uint_eq(backoff_delay(&b, n + 1, 0), expected[n]);
	ck_assert_uint_eq(backoff_delay(&b, UINT32_MAX, 0), 16000000);
}
END_TEST

START_TEST(delay_grows_with_every_step_and_ends_at_the_longest)
{
	for (uint32_t steps = 1; steps < 50; steps++) {
		const struct airs_backoff b = {
			.initial_usec = 100000, .max_usec = 300000000, .steps = steps
		};
		uint64_t before = 0;

		for (uint32_t n = 1; n <= steps + 1; n++) {
			uint64_t delay = backoff_delay(&b, n, 0);

			ck_assert_uint_gt(delay, before);
			before = delay;
		}
		ck_assert_uint_eq(before, 300000000);
	}
}
END_TEST

START_TEST(jitter_takes_off_at_most_its_part)
{
	const struct airs_backoff b = { .initial_usec = 1000000, .jitter_percent = 25 };
	uint64_t low = UINT64_MAX, high = 0, x = 88172645463325252ull;

	for (int i = 0; i < 10000; i++) {
		uint64_t delay;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		delay = backoff_delay(&b, 1, x);
		ck_assert_uint_ge(delay, 750000);
		ck_assert_uint_le(delay, 1000000);
		low = delay < low ? delay : low;
		high = delay > high ? delay : high;
	}
	ck_assert_uint_lt(low, 751000);
	ck_assert_uint_gt(high, 999000);
}
END_TEST

START_TEST(long_delays_do_not_overflow)
{
	const struct airs_backoff b = { .initial_usec = UINT64_MAX / 2,
		.max_usec = UINT64_MAX - 1,
		.steps = 3,
		.jitter_percent = 100 };

	ck_assert_uint_eq(backoff_delay(&b, 1, 0), UINT64_MAX / 2);
	ck_assert_uint_eq(backoff_delay(&b, 9, 0), UINT64_MAX - 1);
	ck_assert_uint_eq(backoff_delay(&b, 9, UINT64_MAX - 1), 0);
}
END_TEST

TEST_MAIN("backoff", nothing_set_is_no_delay, without_steps_the_delay_stays,
		delay_doubles_when_the_steps_say_so,
		delay_grows_with_every_step_and_ends_at_the_longest,
		jitter_takes_off_at_most_its_part, long_delays_do_not_overflow)
