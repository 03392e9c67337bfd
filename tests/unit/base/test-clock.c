/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/fd.h"
#include "support/test.h"

static uint64_t read_monotonic(void *data)
{
	return *(uint64_t *)data;
}

static uint64_t read_realtime(void *data)
{
	return *(uint64_t *)data + 1;
}

static uint64_t read_random(void *data)
{
	return *(uint64_t *)data + 2;
}

START_TEST(system_clock_goes_forward)
{
	uint64_t before = clock_monotonic_usec(), after = clock_monotonic_usec();

	ck_assert_uint_ge(after, before);
	ck_assert_uint_gt(clock_realtime_usec(), UINT64_C(1600000000) * USEC_PER_SEC);
	ck_assert_uint_ne(clock_random(), clock_random());
}
END_TEST

START_TEST(replaced_source_is_asked)
{
	uint64_t value = 41;
	struct clock_source source = { read_monotonic, read_realtime, read_random,
		&value };

	clock_replace(&source);
	ck_assert_uint_eq(clock_monotonic_usec(), 41);
	ck_assert_uint_eq(clock_realtime_usec(), 42);
	ck_assert_uint_eq(clock_random(), 43);
	clock_replace(NULL);
	ck_assert_uint_gt(clock_realtime_usec(), UINT64_C(1600000000) * USEC_PER_SEC);
}
END_TEST

START_TEST(infinity_absorbs)
{
	ck_assert_uint_eq(usec_add(1, 2), 3);
	ck_assert_uint_eq(usec_add(USEC_INFINITY, 1), USEC_INFINITY);
	ck_assert_uint_eq(usec_add(1, USEC_INFINITY), USEC_INFINITY);
	ck_assert_uint_eq(usec_add(USEC_INFINITY - 1, 5), USEC_INFINITY);
	ck_assert_uint_eq(usec_sub(3, 1), 2);
	ck_assert_uint_eq(usec_sub(1, 3), 0);
	ck_assert_uint_eq(usec_sub(USEC_INFINITY, 3), USEC_INFINITY);
}
END_TEST

START_TEST(false_assertion_aborts)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close_fd(STDERR_FILENO);
		bug_unless(pid != 0);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	bug_unless(pid > 0);
}
END_TEST

TEST_MAIN("clock", system_clock_goes_forward, replaced_source_is_asked, infinity_absorbs,
		false_assertion_aborts)
