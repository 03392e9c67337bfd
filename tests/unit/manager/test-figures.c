/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/figures.h"

#include <errno.h>
#include <unistd.h>

#include "support/test.h"

START_TEST(stat_is_read_behind_any_name)
{
	uint64_t cpu, threads;

	ck_assert_int_eq(
			figures_parse_stat(
					"7 (a) b) (c) S 1 7 7 0 -1 4194560 9 9 9 9 100 50 20 30 20 0 4 0 5",
					100, &cpu, &threads),
			0);
	ck_assert_uint_eq(cpu, 2 * 1000000);
	ck_assert_uint_eq(threads, 4);
	ck_assert_int_eq(figures_parse_stat("7 (x) S 1 7", 100, &cpu, &threads), -EINVAL);
	ck_assert_int_eq(figures_parse_stat("", 100, &cpu, &threads), -EINVAL);
}
END_TEST

START_TEST(key_is_found_whole)
{
	uint64_t value = 0;

	ck_assert_int_eq(figures_parse_key("xusage_usec 1\nusage_usec 42\nuser_usec 7\n",
					 "usage_usec", &value),
			0);
	ck_assert_uint_eq(value, 42);
	ck_assert_int_eq(figures_parse_key("usage_usecs 1\n", "usage_usec", &value),
			-ENOENT);
	ck_assert_int_lt(figures_parse_key("usage_usec x\n", "usage_usec", &value), 0);
	ck_assert_int_eq(figures_parse_key("", "a", &value), -ENOENT);
}
END_TEST

START_TEST(own_figures_are_there_without_a_cgroup)
{
	struct figures figures;

	figures_read(&figures, NULL, getpid());
	ck_assert_uint_ne(figures.memory_bytes, FIGURES_UNKNOWN);
	ck_assert_uint_gt(figures.memory_bytes, 100000);
	ck_assert_uint_ge(figures.tasks, 1);
	ck_assert_uint_ne(figures.cpu_usec, FIGURES_UNKNOWN);
}
END_TEST

START_TEST(cgroup_comes_first)
{
	const char *folder = test_folder();
	struct figures figures;

	test_write(test_path(folder, "memory.current"), "4096\n", 0644);
	test_write(test_path(folder, "pids.current"), "3\n", 0644);
	test_write(test_path(folder, "cpu.stat"), "usage_usec 99\n", 0644);
	figures_read(&figures, folder, getpid());
	ck_assert_uint_eq(figures.memory_bytes, 4096);
	ck_assert_uint_eq(figures.tasks, 3);
	ck_assert_uint_eq(figures.cpu_usec, 99);
	ck_assert_uint_eq(figures.memory_peak_bytes, FIGURES_UNKNOWN);
}
END_TEST

START_TEST(nothing_is_known_of_nobody)
{
	struct figures figures;

	figures_read(&figures, "/no/such/folder", 0);
	ck_assert_uint_eq(figures.memory_bytes, FIGURES_UNKNOWN);
	ck_assert_uint_eq(figures.tasks, FIGURES_UNKNOWN);
	ck_assert_uint_eq(figures.cpu_usec, FIGURES_UNKNOWN);
}
END_TEST

TEST_MAIN("figures", stat_is_read_behind_any_name, key_is_found_whole,
		own_figures_are_there_without_a_cgroup, cgroup_comes_first,
		nothing_is_known_of_nobody)
