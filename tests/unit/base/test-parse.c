/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <inttypes.h>
#include <limits.h>

#include "base/clock.h"
#include "base/text.h"
#include "support/test.h"

START_TEST(booleans_have_systemds_words)
{
	static const char *const yes[] = { "1", "yes", "y", "true", "t", "on", "YES",
		"On" };
	static const char *const no[] = { "0", "no", "n", "false", "f", "off", "NO" };
	static const char *const bad[] = { "", "2", "ja", "yes ", " no", "tru", "01" };
	bool value;

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		ck_assert(parse_bool(yes[i], &value) == 0 && value);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		ck_assert(parse_bool(no[i], &value) == 0 && !value);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(parse_bool(bad[i], &value) == -EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(unsigned_numbers_end_at_their_range)
{
	uint64_t value = 7;

	ck_assert_int_eq(parse_u64("18446744073709551615", &value), 0);
	ck_assert_uint_eq(value, UINT64_MAX);
	ck_assert_int_eq(parse_u64("0010", &value), 0);
	ck_assert_uint_eq(value, 10);
	ck_assert_int_eq(parse_u64("18446744073709551616", &value), -ERANGE);
	ck_assert_int_eq(parse_u64("99999999999999999999", &value), -ERANGE);
	ck_assert_int_eq(parse_u64("99999999999999999999x", &value), -EINVAL);
	ck_assert_int_eq(parse_u64("", &value), -EINVAL);
	ck_assert_int_eq(parse_u64("+1", &value), -EINVAL);
	ck_assert_int_eq(parse_u64("-1", &value), -EINVAL);
	ck_assert_int_eq(parse_u64(" 1", &value), -EINVAL);
	ck_assert_int_eq(parse_u64("1 ", &value), -EINVAL);
	ck_assert_int_eq(parse_u64("0x10", &value), -EINVAL);
	ck_assert_uint_eq(value, 10);
}
END_TEST

START_TEST(signed_numbers_end_at_their_range)
{
	int64_t value;
	int small;

	ck_assert_int_eq(parse_i64("-9223372036854775808", &value), 0);
	ck_assert_int_eq(value, INT64_MIN);
	ck_assert_int_eq(parse_i64("9223372036854775807", &value), 0);
	ck_assert_int_eq(value, INT64_MAX);
	ck_assert_int_eq(parse_i64("+5", &value), 0);
	ck_assert_int_eq(value, 5);
	ck_assert_int_eq(parse_i64("-0", &value), 0);
	ck_assert_int_eq(value, 0);
	ck_assert_int_eq(parse_i64("9223372036854775808", &value), -ERANGE);
	ck_assert_int_eq(parse_i64("-9223372036854775809", &value), -ERANGE);
	ck_assert_int_eq(parse_i64("-", &value), -EINVAL);
	ck_assert_int_eq(parse_i64("+-1", &value), -EINVAL);
	ck_assert_int_eq(parse_i64("--1", &value), -EINVAL);
	ck_assert_int_eq(parse_int("-2147483648", &small), 0);
	ck_assert_int_eq(small, INT_MIN);
	ck_assert_int_eq(parse_int("2147483648", &small), -ERANGE);
	ck_assert_int_eq(parse_int("x", &small), -EINVAL);
}
END_TEST

START_TEST(small_numbers_end_at_their_range)
{
	unsigned int value;
	pid_t pid;
	mode_t mode;

	ck_assert_int_eq(parse_uint("4294967295", &value), 0);
	ck_assert_uint_eq(value, UINT_MAX);
	ck_assert_int_eq(parse_uint("4294967296", &value), -ERANGE);
	ck_assert_int_eq(parse_uint("-1", &value), -EINVAL);
	ck_assert_int_eq(parse_pid("1", &pid), 0);
	ck_assert_int_eq(pid, 1);
	ck_assert_int_eq(parse_pid("2147483647", &pid), 0);
	ck_assert_int_eq(parse_pid("0", &pid), -ERANGE);
	ck_assert_int_eq(parse_pid("2147483648", &pid), -ERANGE);
	ck_assert_int_eq(parse_pid("-5", &pid), -EINVAL);
	ck_assert_int_eq(parse_mode("0755", &mode), 0);
	ck_assert_uint_eq(mode, 0755);
	ck_assert_int_eq(parse_mode("7777", &mode), 0);
	ck_assert_int_eq(parse_mode("10000", &mode), -ERANGE);
	ck_assert_int_eq(parse_mode("77777777777777777777777777", &mode), -ERANGE);
	ck_assert_int_eq(parse_mode("0788", &mode), -EINVAL);
	ck_assert_int_eq(parse_mode("", &mode), -EINVAL);
}
END_TEST

static const struct value_case {
	const char *s;
	int r;
	uint64_t value;
} byte_cases[] = {
	{ "0", 0, 0 },
	{ "512", 0, 512 },
	{ "512B", 0, 512 },
	{ "1K", 0, 1024 },
	{ "512M", 0, UINT64_C(512) << 20 },
	{ "1.5G", 0, UINT64_C(3) << 29 },
	{ "0.5K", 0, 512 },
	{ ".25K", 0, 256 },
	{ "2T", 0, UINT64_C(2) << 40 },
	{ "1P", 0, UINT64_C(1) << 50 },
	{ "15E", 0, UINT64_C(15) << 60 },
	{ "15.999E", 0, UINT64_C(18445591152204944769) },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "infinity", 0, UINT64_MAX },
	{ "16E", -ERANGE, 0 },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "99999999999999999999K", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "K", -EINVAL, 0 },
	{ ".", -EINVAL, 0 },
	{ "1.K", -EINVAL, 0 },
	{ "1.5", -EINVAL, 0 },
	{ "1.5B", -EINVAL, 0 },
	{ "1k", -EINVAL, 0 },
	{ "1KB", -EINVAL, 0 },
	{ "1 K", -EINVAL, 0 },
	{ "-1K", -EINVAL, 0 },
	{ "Infinity", -EINVAL, 0 },
};

START_TEST(bytes_have_suffixes_of_1024)
{
	for (size_t i = 0; i < ARRAY_SIZE(byte_cases); i++) {
		const struct value_case *c = &byte_cases[i];
		uint64_t value = 0;
		int r = parse_bytes(c->s, &value);

		ck_assert_msg(r == c->r && value == c->value, "\"%s\" gave %d, %" PRIu64,
				c->s, r, value);
	}
}
END_TEST

#define MIN  (60 * USEC_PER_SEC)
#define HOUR (60 * MIN)
#define DAY  (24 * HOUR)

static const struct value_case duration_cases[] = {
	{ "0", 0, 0 },
	{ "5", 0, 5 * USEC_PER_SEC },
	{ "5min 20s", 0, 320 * USEC_PER_SEC },
	{ "5min20s", 0, 320 * USEC_PER_SEC },
	{ " 5 min\t20 s ", 0, 320 * USEC_PER_SEC },
	{ "20s 5min 1s", 0, 321 * USEC_PER_SEC },
	{ "1min 5", 0, 65 * USEC_PER_SEC },
	{ "250ms", 0, 250 * USEC_PER_MSEC },
	{ "250msec", 0, 250 * USEC_PER_MSEC },
	{ "7us", 0, 7 },
	{ "7usec", 0, 7 },
	{ "7\xc2\xb5s", 0, 7 },
	{ "7\xce\xbcs", 0, 7 },
	{ "1.5s", 0, 1500 * USEC_PER_MSEC },
	{ ".5", 0, 500 * USEC_PER_MSEC },
	{ "0.000001s", 0, 1 },
	{ "0.0000019s", 0, 1 },
	{ "2.5h", 0, 150 * MIN },
	{ "1sec", 0, USEC_PER_SEC },
	{ "1second", 0, USEC_PER_SEC },
	{ "2seconds", 0, 2 * USEC_PER_SEC },
	{ "1m", 0, MIN },
	{ "1minute", 0, MIN },
	{ "2minutes", 0, 2 * MIN },
	{ "1hr", 0, HOUR },
	{ "1hour", 0, HOUR },
	{ "2hours", 0, 2 * HOUR },
	{ "1d", 0, DAY },
	{ "1day", 0, DAY },
	{ "2days", 0, 2 * DAY },
	{ "1w", 0, 7 * DAY },
	{ "1week", 0, 7 * DAY },
	{ "2weeks", 0, 14 * DAY },
	{ "1M", 0, 2629800 * USEC_PER_SEC },
	{ "1month", 0, 2629800 * USEC_PER_SEC },
	{ "2months", 0, 2 * 2629800 * USEC_PER_SEC },
	{ "1y", 0, 31557600 * USEC_PER_SEC },
	{ "1year", 0, 31557600 * USEC_PER_SEC },
	{ "2years", 0, 2 * 31557600 * USEC_PER_SEC },
	{ "infinity", 0, USEC_INFINITY },
	{ " infinity ", 0, USEC_INFINITY },
	{ "18446744073709551614us", 0, UINT64_MAX - 1 },
	{ "18446744073709551615us", -ERANGE, 0 },
	{ "18446744073709551614us 1us", -ERANGE, 0 },
	{ "584543y", -ERANGE, 0 },
	{ "99999999999999999999s", -ERANGE, 0 },
	{ "-5s", -ERANGE, 0 },
	{ "99999999999999999999s x", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
	{ "  ", -EINVAL, 0 },
	{ "s", -EINVAL, 0 },
	{ ".", -EINVAL, 0 },
	{ "5.", -EINVAL, 0 },
	{ "3.s", -EINVAL, 0 },
	{ "3.+1s", -EINVAL, 0 },
	{ "5 fortnights", -EINVAL, 0 },
	{ "5S", -EINVAL, 0 },
	{ "5 minx", -EINVAL, 0 },
	{ "1s -5s", -EINVAL, 0 },
	{ "1s, 5s", -EINVAL, 0 },
	{ "infinity 5", -EINVAL, 0 },
	{ "5 infinity", -EINVAL, 0 },
	{ "infinitys", -EINVAL, 0 },
};

START_TEST(durations_are_systemds)
{
	for (size_t i = 0; i < ARRAY_SIZE(duration_cases); i++) {
		const struct value_case *c = &duration_cases[i];
		uint64_t value = 0;
		int r = parse_duration(c->s, USEC_PER_SEC, &value);

		ck_assert_msg(r == c->r && value == c->value, "\"%s\" gave %d, %" PRIu64,
				c->s, r, value);
	}
}
END_TEST

START_TEST(bare_number_counts_the_default_unit)
{
	uint64_t value;

	ck_assert_int_eq(parse_duration("3", USEC_PER_MSEC, &value), 0);
	ck_assert_uint_eq(value, 3000);
	ck_assert_int_eq(parse_duration("3 4s", 1, &value), 0);
	ck_assert_uint_eq(value, 4 * USEC_PER_SEC + 3);
}
END_TEST

static void assert_duration(uint64_t usec, const char *wanted)
{
	auto_text t = { 0 };

	text_append_duration(&t, usec);
	ck_assert_str_eq(text_get(&t), wanted);
}

START_TEST(durations_show_their_two_largest_units)
{
	assert_duration(0, "0");
	assert_duration(USEC_INFINITY, "infinity");
	assert_duration(1, "1us");
	assert_duration(350 * USEC_PER_MSEC, "350ms");
	assert_duration(123 * USEC_PER_SEC, "2min 3s");
	assert_duration(123 * USEC_PER_SEC + 4000, "2min 3s");
	assert_duration(HOUR + 5 * USEC_PER_SEC, "1h 5s");
	assert_duration(7 * DAY, "1w");
	assert_duration(31557600 * USEC_PER_SEC, "1y");
}
END_TEST

START_TEST(shown_durations_of_two_units_parse_to_themselves)
{
	static const uint64_t values[] = { 1, 999, 1001, USEC_PER_SEC, 61 * USEC_PER_SEC,
		3 * DAY + 4 * HOUR, 2629800 * USEC_PER_SEC,
		31557600 * USEC_PER_SEC + DAY };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		auto_text t = { 0 };
		uint64_t back;

		text_append_duration(&t, values[i]);
		ck_assert_int_eq(parse_duration(text_get(&t), USEC_PER_SEC, &back), 0);
		ck_assert_uint_eq(back, values[i]);
	}
}
END_TEST

static void assert_bytes(uint64_t bytes, const char *wanted)
{
	auto_text t = { 0 };

	text_append_bytes(&t, bytes);
	ck_assert_str_eq(text_get(&t), wanted);
}

START_TEST(bytes_show_one_decimal)
{
	assert_bytes(0, "0B");
	assert_bytes(1023, "1023B");
	assert_bytes(1024, "1K");
	assert_bytes(UINT64_C(3) << 29, "1.5G");
	assert_bytes(UINT64_C(312) << 10, "312K");
	assert_bytes((UINT64_C(1) << 20) - 1, "1023.9K");
	assert_bytes(UINT64_MAX - 1, "15.9E");
	assert_bytes(UINT64_MAX, "infinity");
}
END_TEST

TEST_MAIN("parse", booleans_have_systemds_words, unsigned_numbers_end_at_their_range,
		signed_numbers_end_at_their_range, small_numbers_end_at_their_range,
		bytes_have_suffixes_of_1024, durations_are_systemds,
		bare_number_counts_the_default_unit,
		durations_show_their_two_largest_units,
		shown_durations_of_two_units_parse_to_themselves, bytes_show_one_decimal)
