/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

/*
 * What every unit test program shares: its main function, a private folder, and
 *allocations that fail when told.
 *
 *	#include "support/test.h"
 *	START_TEST(empty_map_finds_nothing) { … } END_TEST
 *	TEST_MAIN("map", empty_map_finds_nothing)
 *
 * Link with libtestsupport.la. Each test runs in a process of its own.
 */

#include <check.h>
#include <stddef.h>

#define TEST_MAIN(name, ...)                                                             \
	int main(void)                                                                   \
	{                                                                                \
		const TTest *const tests[] = { __VA_ARGS__ };                            \
                                                                                         \
		return test_run(name, tests, sizeof(tests) / sizeof(tests[0]));          \
	}

/* Runs all tests and prints TAP. Returns what main should return. */
int test_run(const char *name, const TTest *const *tests, size_t count);

/*
 * A new empty folder, mode 0700, beneath a private one that is removed when the program
 * ends. The path is absolute and never freed.
 */
const char *test_folder(void);

/* folder/name in memory that is never freed. */
const char *test_path(const char *folder, const char *name);

/* Takes memory that is not freed before the test ends; NULL fails the test. */
char *test_keep(char *memory);

/* printf into memory that is not freed before the test ends. */
char *test_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes a file with this mode, or fails the test. */
void test_write(const char *path, const char *content, unsigned int mode);

/*
 * Failing allocations: the nth allocation (1 is the next) of malloc, calloc, realloc,
 * reallocarray, strdup and strndup from our own objects answers NULL, once. Assert only
 *behind alloc_fail_stop, since assertions allocate too. Link the program with
 * $(ALLOC_FAIL_LINK).
 *
 *	for (unsigned int n = 1;; n++) {
 *		alloc_fail_at(n);
 *		r = thing_new(&thing);
 *		if (!alloc_fail_stop())
 *			break;		(it was not reached: all of them were tried)
 *		ck_assert_int_eq(r, -ENOMEM);
 *	}
 */
void alloc_fail_at(unsigned int n);

/* Ends it; nonzero when an allocation was made to fail. */
int alloc_fail_stop(void);

#endif
