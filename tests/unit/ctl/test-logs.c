/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ctl/log-trust.h"
#include "run.h"
#include "support/test.h"

static struct fake fake;
static struct run run;
static const char *log_path;

static void setup(const char *content)
{
	fake_start(&fake);
	log_path = test_path(fake.folder, "db.log");
	fake.log_file = log_path;
	test_write(log_path, content, 0644);
}

static void append(const char *path, const char *content)
{
	auto_close int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, content, strlen(content)), 0);
}

START_TEST(whole_file_is_printed_escaped)
{
	setup("one\n\ntw\033[31mo\nunfinished");
	run_ctl(&run, &fake, "logs", "db");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.out), "one\n\ntw\\x1b[31mo\nunfinished\n");
}
END_TEST

START_TEST(last_lines_are_found_from_the_end)
{
	static const char *const expected[][2] = {
		{ "0", "" },
		{ "1", "three\n" },
		{ "2", "two\nthree\n" },
		{ "3", "one\ntwo\nthree\n" },
		{ "9", "one\ntwo\nthree\n" },
		{ "all", "one\ntwo\nthree\n" },
	};

	setup("one\ntwo\nthree\n");
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		run_ctl(&run, &fake, "logs", "db", "-n", expected[i][0]);
		ck_assert_int_eq(run.status, 0);
		ck_assert_str_eq(text_get(&run.out), expected[i][1]);
		run_fini(&run);
	}
}
END_TEST

START_TEST(lines_without_a_number_are_ten)
{
	setup("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n");
	run_ctl(&run, &fake, "logs", "-n", "db");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.out), "2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n");
	run_fini(&run);
	run_ctl(&run, &fake, "logs", "--lines", "1", "db");
	ck_assert_str_eq(text_get(&run.out), "11\n");
}
END_TEST

START_TEST(lines_of_a_file_have_no_times_and_this_is_said_once)
{
	setup("1\n2\n");
	run_ctl(&run, &fake, "logs", "db", "--since=-1h");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.out), "1\n2\n");
	ck_assert_str_eq(text_get(&run.err),
			"airssysctl: the lines of a file have no times: all of them are "
			"shown\n");
	run_fini(&run);
	run_ctl(&run, &fake, "logs", "db", "--since=tomorrow");
	ck_assert_str_eq(text_get(&run.out), "");
}
END_TEST

START_TEST(file_beside_an_empty_journal_is_read_and_followed)
{
	setup("old\n");
	fake.has_journal = true;
	run_ctl(&run, &fake, "logs", "db", "--journal-directory", fake.folder);
	ck_assert_str_eq(text_get(&run.out), "old\n");
	run_fini(&run);
	ck_assert_int_eq(unlink(log_path), 0);
	run_ctl(&run, &fake, "logs", "db", "--journal-directory", fake.folder);
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.out), "");
	run_fini(&run);
	append(log_path, "one\n");
	run_start(&run, &fake, RUN_PIPES, NULL,
			(const char *const[]){ "logs", "-f", "db", "--journal-directory",
					fake.folder, NULL });
	run_until(&run, "one\n");
	ck_assert_int_eq(unlink(log_path), 0);
	append(log_path, "two\n");
	run_until(&run, "two\n");
	run_fini(&run);
}
END_TEST

START_TEST(log_is_found_without_an_instance)
{
	const char *runtime = test_folder(), *folder = test_path(runtime, "log");
	const char *socket = test_path(runtime, "control");

	ck_assert_int_eq(mkdir(folder, 0700), 0);
	test_write(test_path(folder, "db.log"), "left behind\n", 0644);
	run_ctl(&run, NULL, "--socket", socket, "logs", "db.actor");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.out), "left behind\n");
	run_fini(&run);
	run_ctl(&run, NULL, "--runtime-dir", runtime, "logs", "db");
	ck_assert_str_eq(text_get(&run.out), "left behind\n");
	run_fini(&run);
	run_ctl(&run, NULL, "--socket", socket, "logs", "other", "--json");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "no instance is running at");
	expect_contains(&run.err, "no log of other can be read in the journal or in");
	expect_json(&run.out);
}
END_TEST

START_TEST(last_lines_of_a_large_file_cross_blocks)
{
	auto_text content = { 0 }, tail = { 0 };

	for (int i = 0; i < 20000; i++)
		text_printf(i < 15000 ? &content : &tail, "line number %d\n", i);
	text_append(&content, text_get(&tail));
	setup(text_get(&content));
	run_ctl(&run, &fake, "logs", "db", "--lines=5000");
	ck_assert_str_eq(text_get(&run.out), text_get(&tail));
	run_fini(&run);
	run_ctl(&run, &fake, "logs", "db");
	ck_assert_str_eq(text_get(&run.out), text_get(&content));
}
END_TEST

START_TEST(endless_line_comes_in_pieces)
{
	auto_text content = { 0 };

	for (int i = 0; i < 100000; i++)
		text_append_char(&content, 'x');
	setup(text_get(&content));
	run_ctl(&run, &fake, "logs", "db", "--json");
	ck_assert_int_eq(run.status, 0);
	expect_json_lines(&run.out, 2);
}
END_TEST

START_TEST(json_is_one_object_per_line)
{
	setup("one\n\"two\"\n");
	run_ctl(&run, &fake, "logs", "db", "--json");
	ck_assert_str_eq(text_get(&run.out),
			"{\"message\":\"one\"}\n{\"message\":\"\\\"two\\\"\"}\n");
}
END_TEST

START_TEST(status_shows_the_last_ten_lines)
{
	setup("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n");
	run_ctl(&run, &fake, "status", "db");
	expect_contains(&run.out, "/db.log):\n  2\n  3\n");
	expect_contains(&run.out, "\n  11\n");
	run_fini(&run);
	run_ctl(&run, &fake, "status", "db", "-n", "1", "--json");
	expect_json(&run.out);
	expect_contains(&run.out, "\"Log\":[{\"message\":\"11\"}]");
}
END_TEST

START_TEST(follow_prints_what_comes)
{
	setup("old\n");
	run_start(&run, &fake, RUN_PIPES, NULL,
			(const char *const[]){ "logs", "-f", "db", NULL });
	run_until(&run, "old\n");
	append(log_path, "new\nhalf");
	run_until(&run, "new\n");
	append(log_path, " whole\n");
	run_until(&run, "half whole\n");
	run_fini(&run);
}
END_TEST

START_TEST(follow_survives_rotation)
{
	const char *rotated;

	setup("old\n");
	rotated = test_path(fake.folder, "db.log.1");
	run_start(&run, &fake, RUN_PIPES, NULL,
			(const char *const[]){ "logs", "-f", "db", NULL });
	run_until(&run, "old\n");
	ck_assert_int_eq(rename(log_path, rotated), 0);
	append(rotated, "still to the old one\n");
	run_until(&run, "still to the old one\n");
	append(log_path, "first of the new one\n");
	run_until(&run, "first of the new one\n");
	append(log_path, "second\n");
	run_until(&run, "second\n");
	ck_assert_int_eq(unlink(log_path), 0);
	append(log_path, "after removal\n");
	run_until(&run, "after removal\n");
	run_fini(&run);
}
END_TEST

START_TEST(follow_survives_truncation)
{
	setup("a long line that was there before\n");
	run_start(&run, &fake, RUN_PIPES, NULL,
			(const char *const[]){ "logs", "-f", "db", NULL });
	run_until(&run, "before\n");
	ck_assert_int_eq(truncate(log_path, 0), 0);
	append(log_path, "anew\n");
	run_until(&run, "anew\n");
	run_fini(&run);
}
END_TEST

START_TEST(follow_ends_when_nobody_reads)
{
	setup("old\n");
	run_start(&run, &fake, RUN_PIPES, NULL,
			(const char *const[]){ "logs", "-f", "db", NULL });
	run_until(&run, "old\n");
	run.out_fd = close_fd(run.out_fd);
	run_wait(&run);
	ck_assert_int_eq(run.status, 0);
}
END_TEST

START_TEST(log_that_is_no_file_is_refused)
{
	setup("");
	ck_assert_int_eq(unlink(log_path), 0);
	ck_assert_int_eq(mkfifo(log_path, 0600), 0);
	run_ctl(&run, &fake, "logs", "db");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "is no regular file");
	run_fini(&run);
	ck_assert_int_eq(unlink(log_path), 0);
	run_ctl(&run, &fake, "logs", "db", "--json");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "No such file or directory");
	expect_json(&run.out);
}
END_TEST

START_TEST(unit_without_a_log_says_so)
{
	setup("");
	run_ctl(&run, &fake, "logs", "probe");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "probe has no log");
	run_fini(&run);
	run_ctl(&run, &fake, "logs", "nope");
	ck_assert_int_eq(run.status, 4);
}
END_TEST

START_TEST(cgroup_of_a_unit_is_its_folder_and_what_is_below)
{
	ck_assert(log_trust_is_of_unit("/a/i", "/a/i/web.actor", "web"));
	ck_assert(log_trust_is_of_unit("/a/i", "/a/i/web.actor/worker/1", "web"));
	ck_assert(log_trust_is_of_unit("", "/web.actor", "web"));
	ck_assert(!log_trust_is_of_unit("/a/i", "/a/i/web.actors", "web"));
	ck_assert(!log_trust_is_of_unit("/a/i", "/a/i/db.actor/web.actor", "web"));
	ck_assert(!log_trust_is_of_unit("/a/i", "/a/i", "web"));
	ck_assert(!log_trust_is_of_unit("/a/i", "/b/a/i/web.actor", "web"));
	ck_assert(!log_trust_is_of_unit("/a/i", "/a/ii/web.actor", "web"));
}
END_TEST

START_TEST(empty_journal_prints_nothing)
{
	fake_start(&fake);
	run_ctl(&run, &fake, "logs", "db", "--journal-directory", fake.folder);
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.out), "");
	run_fini(&run);
	run_ctl(&run, &fake, "logs", "db", "--journal-directory=/nowhere/at/all");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "from the journal: No such file or directory");
}
END_TEST

TEST_MAIN("logs", whole_file_is_printed_escaped, last_lines_are_found_from_the_end,
		lines_without_a_number_are_ten,
		lines_of_a_file_have_no_times_and_this_is_said_once,
		file_beside_an_empty_journal_is_read_and_followed,
		log_is_found_without_an_instance, last_lines_of_a_large_file_cross_blocks,
		endless_line_comes_in_pieces, json_is_one_object_per_line,
		status_shows_the_last_ten_lines, follow_prints_what_comes,
		follow_survives_rotation, follow_survives_truncation,
		follow_ends_when_nobody_reads, log_that_is_no_file_is_refused,
		unit_without_a_log_says_so, empty_journal_prints_nothing,
		cgroup_of_a_unit_is_its_folder_and_what_is_below)
