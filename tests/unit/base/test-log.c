/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/text.h"
#include "support/test.h"

static int saved_stderr;

/* Standard error becomes a pipe; the result is its reading end. */
static int capture(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close_fd(ends[1]);
	return ends[0];
}

/* What was written; ends the capture. */
static char *release(int fd)
{
	char *data;
	size_t size;

	ck_assert_int_eq(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(fd_read_all(fd, 1 << 20, &data, &size), 0);
	close_fd(fd);
	return data;
}

/* Names the file at standard error as the journal's stream, its inode off by some. */
static void announce_journal(unsigned long long off)
{
	auto_free char *line = NULL;
	struct stat st;

	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	line = text_format("JOURNAL_STREAM=%llu:%llu", (unsigned long long)st.st_dev,
			(unsigned long long)st.st_ino + off);
	ck_assert_ptr_nonnull(line);
	ck_assert_int_eq(putenv(TAKE_PTR(line)), 0);
}

START_TEST(lines_carry_the_program)
{
	int fd = capture();

	log_open("prog", LOG_LEVEL_NOTICE);
	log_error("first %d", 1);
	log_notice("second");
	auto_free char *out = release(fd);
	ck_assert_str_eq(out, "prog: first 1\nprog: second\n");
}
END_TEST

START_TEST(what_was_not_asked_for_is_silent)
{
	int fd = capture();

	log_open("prog", LOG_LEVEL_WARNING);
	log_notice("quiet");
	log_info("quiet");
	log_debug("quiet");
	log_warning("loud");
	auto_free char *out = release(fd);
	ck_assert_str_eq(out, "prog: loud\n");
}
END_TEST

START_TEST(journal_gets_the_priority)
{
	int fd = capture();

	announce_journal(0);
	log_open("prog", LOG_LEVEL_DEBUG);
	log_error("one");
	log_debug("two");
	auto_free char *out = release(fd);
	ck_assert_str_eq(out, "<3>one\n<7>two\n");
}
END_TEST

START_TEST(redirected_output_is_no_journal)
{
	int fd = capture();

	announce_journal(1);
	log_open("prog", LOG_LEVEL_NOTICE);
	log_error("one");
	auto_free char *out = release(fd);
	ck_assert_str_eq(out, "prog: one\n");
}
END_TEST

START_TEST(malformed_journal_stream_is_no_journal)
{
	int fd = capture();
	char line[] = "JOURNAL_STREAM=:";

	ck_assert_int_eq(putenv(line), 0);
	log_open("prog", LOG_LEVEL_NOTICE);
	log_error("one");
	auto_free char *out = release(fd);
	ck_assert_str_eq(out, "prog: one\n");
}
END_TEST

START_TEST(message_cannot_forge_a_second_line)
{
	int fd = capture();

	log_open("prog", LOG_LEVEL_NOTICE);
	log_error("a\nprog: b\r\x1b[2J");
	auto_free char *out = release(fd);
	ck_assert_str_eq(out, "prog: a prog: b  [2J\n");
}
END_TEST

START_TEST(long_message_is_cut_to_one_line)
{
	int fd = capture();
	char word[5000];

	memset(word, 'x', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	log_open("prog", LOG_LEVEL_NOTICE);
	log_error("%s", word);
	auto_free char *out = release(fd);
	ck_assert_uint_gt(strlen(out), 1000);
	ck_assert_uint_lt(strlen(out), 4096);
	ck_assert_ptr_eq(strchr(out, '\n'), out + strlen(out) - 1);
}
END_TEST

START_TEST(errno_outlives_a_line)
{
	int fd = capture();

	log_open("prog", LOG_LEVEL_NOTICE);
	errno = ENOTTY;
	log_error("%m");
	ck_assert_int_eq(errno, ENOTTY);
	close_fd(STDERR_FILENO);
	log_error("to nobody");
	ck_assert_int_eq(errno, ENOTTY);
	auto_free char *out = release(fd);
	ck_assert(has_suffix(out, "\n"));
}
END_TEST

/* A reader that has stopped; the result is its end of the pipe. */
static int capture_full(void)
{
	char block[4096] = { 0 };
	int fd = capture(), flags = fcntl(STDERR_FILENO, F_GETFL);

	ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK), 0);
	while (write(STDERR_FILENO, block, sizeof(block)) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETFL, flags), 0);
	return fd;
}

START_TEST(reader_that_has_stopped_is_not_waited_for)
{
	static char block[1 << 20];
	int fd = capture_full();

	log_open("prog", LOG_LEVEL_NOTICE);
	log_error("one");
	log_text("two\n", 4);
	log_error("three");
	ck_assert_int_gt(read(fd, block, sizeof(block)), 0);
	log_error("four");
	auto_free char *out = release(fd);
	ck_assert_str_eq(out,
			"prog: four\nprog: nobody read what was said: 3 lines were "
			"lost\n");
}
END_TEST

START_TEST(long_text_arrives_as_it_is)
{
	static char text[20000];
	int fd = capture();

	memset(text, 'x', sizeof(text));
	log_text(text, sizeof(text));
	log_text(NULL, 0);
	auto_free char *out = release(fd);
	ck_assert_uint_eq(strlen(out), sizeof(text));
}
END_TEST

TEST_MAIN("log", lines_carry_the_program, reader_that_has_stopped_is_not_waited_for,
		long_text_arrives_as_it_is, what_was_not_asked_for_is_silent,
		journal_gets_the_priority, redirected_output_is_no_journal,
		malformed_journal_stream_is_no_journal,
		message_cannot_forge_a_second_line, long_message_is_cut_to_one_line,
		errno_outlives_a_line)
