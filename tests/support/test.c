/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "support/guard.h"

/* Generous: the machine may be busy, and sanitizers are slow. */
#define TEST_TIMEOUT_SEC                                                                 \
	240 /* a test that hangs; sanitizers on a busy machine are slow */

static char private_folder[4096];

/* Keeps what is never freed in sight of the leak checker. */
static char *kept[4096];

char *test_keep(char *s)
{
	static size_t count;

	ck_assert_ptr_nonnull(s);
	ck_assert_uint_lt(count, ARRAY_SIZE(kept));
	kept[count++] = s;
	return s;
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
		struct FTW *at UNUSED)
{
	return remove(path);
}

struct run {
	const char *name;
	const TTest *const *tests;
	size_t count;
};

static int run_suite(void *data)
{
	const struct run *run = data;
	Suite *suite = suite_create(run->name);
	TCase *tcase = tcase_create(run->name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, TEST_TIMEOUT_SEC);
	for (size_t i = 0; i < run->count; i++)
		tcase_add_test(tcase, run->tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int test_run(const char *name, const TTest *const *tests, size_t count)
{
	struct run run = { .name = name, .tests = tests, .count = count };
	const char *parent = getenv("TMPDIR"), *fork_mode = getenv("CK_FORK");
	int status;

	(void)snprintf(private_folder, sizeof(private_folder), "%s/airssys-test.XXXXXX",
			parent && *parent ? parent : "/tmp");
	if (!mkdtemp(private_folder)) {
		perror(private_folder);
		return EXIT_FAILURE;
	}
	/* In one process as a debugger likes it, when that is asked for. */
	if (fork_mode && strcmp(fork_mode, "no") == 0)
		status = run_suite(&run);
	else
		status = guard_run(run_suite, &run);
	(void)nftw(private_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return status;
}

const char *test_path(const char *folder, const char *name)
{
	return test_keep(text_format("%s/%s", folder, name));
}

const char *test_folder(void)
{
	char *folder = test_keep(text_format("%s/XXXXXX", private_folder));

	ck_assert_msg(mkdtemp(folder), "cannot make %s", folder);
	return folder;
}

char *test_format(const char *format, ...)
{
	auto_text text = { 0 };
	va_list ap;

	va_start(ap, format);
	text_vprintf(&text, format, ap);
	va_end(ap);
	return test_keep(text_take(&text));
}

void test_write(const char *path, const char *content, unsigned int mode)
{
	size_t size = strlen(content);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_msg(fd >= 0, "cannot write %s", path);
	ck_assert_int_eq(write(fd, content, size), (ssize_t)size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close_fd(fd);
}
