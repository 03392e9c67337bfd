/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "run.h"
#include "support/test.h"

static struct fake fake;
static struct run run;

/* Every command that talks to an instance. */
static const char *const verbs[] = { "tree", "list", "status", "daemon-reload",
	"shutdown" };
static const char *const unit_verbs[] = { "status", "start", "stop", "restart", "reload",
	"logs", "cat", "show" };

static void expect_failure(const char *verb, const char *name, const char *part)
{
	run_ctl(&run, &fake, verb, "--timeout=300ms", "--json", name);
	ck_assert_msg(run.status == 1, "%s exits %d", verb, run.status);
	expect_contains(&run.err, part);
	expect_json(&run.out);
	run_fini(&run);
}

/* Of all commands in this mood. */
static void expect_failures(enum fake_mood mood, const char *part)
{
	fake_start(&fake);
	fake.mood = mood;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		expect_failure(verbs[i], NULL, part);
	for (size_t i = 0; i < ARRAY_SIZE(unit_verbs); i++)
		expect_failure(unit_verbs[i], "db", part);
}

START_TEST(no_instance_is_told_with_path_and_remedy)
{
	fake_start(&fake);
	fake_stop(&fake);
	run_ctl(&run, &fake, "tree");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, fake.socket);
	expect_contains(&run.err, "no instance is running");
	expect_contains(&run.err, "--runtime-dir=");
}
END_TEST

START_TEST(every_command_fails_without_an_instance)
{
	fake_start(&fake);
	fake_stop(&fake);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		expect_failure(verbs[i], NULL, "no instance is running");
	for (size_t i = 0; i < ARRAY_SIZE(unit_verbs); i++)
		expect_failure(unit_verbs[i], "db", "no instance is running");
}
END_TEST

START_TEST(socket_that_nobody_listens_on_is_no_instance)
{
	fake_start(&fake);
	fake.listener = close_fd(fake.listener);
	run_ctl(&run, &fake, "tree");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "no instance is running");
}
END_TEST

START_TEST(silent_instance_times_out)
{
	expect_failures(FAKE_SILENT, "did not answer in time");
}
END_TEST

START_TEST(instance_that_greets_and_says_no_more_times_out)
{
	uint64_t begin_usec;

	expect_failures(FAKE_DEAF, "did not answer in time");
	begin_usec = clock_monotonic_usec();
	run_ctl(&run, &fake, "tree", "--timeout=100ms");
	ck_assert_int_eq(run.status, 1);
	ck_assert_uint_ge(clock_monotonic_usec() - begin_usec, 100000);
}
END_TEST

START_TEST(instance_that_hangs_up_is_told)
{
	fake_start(&fake);
	fake.mood = FAKE_HANGS_UP;
	run_ctl(&run, &fake, "tree");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "closed the connection");
	run_fini(&run);
	run_ctl(&run, &fake, "stop", "left", "probe", "--json");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "closed the connection");
	expect_json(&run.out);
}
END_TEST

START_TEST(garbage_instead_of_a_greeting_is_an_error)
{
	fake_start(&fake);
	fake.mood = FAKE_BABBLES;
	run_ctl(&run, &fake, "tree", "--timeout=5");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, fake.socket);
}
END_TEST

START_TEST(answer_of_the_wrong_form_is_an_error)
{
	fake_start(&fake);
	fake.mood = FAKE_FOREIGN;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i], "shutdown") != 0)
			expect_failure(verbs[i], NULL, "not understood");
}
END_TEST

START_TEST(runtime_folder_is_found_by_option_and_variable)
{
	auto_free char *option = NULL, *variable = NULL;

	fake_start(&fake);
	option = text_format("--runtime-dir=%s", fake.folder);
	variable = text_format("AIRSSYS_RUNTIME_DIR=%s", fake.folder);
	run_start(&run, NULL, RUN_PIPES, NULL,
			(const char *const[]){ option, "list", "--names", NULL });
	run.fake = &fake;
	run_wait(&run);
	ck_assert_int_eq(run.status, 0);
	run_fini(&run);
	run_start(&run, NULL, RUN_PIPES, (const char *const[]){ variable, NULL },
			(const char *const[]){ "list", "--names", NULL });
	run.fake = &fake;
	run_wait(&run);
	ck_assert_int_eq(run.status, 0);
	run_fini(&run);
	run_start(&run, NULL, RUN_PIPES,
			(const char *const[]){ "XDG_RUNTIME_DIR=/nowhere/here", NULL },
			(const char *const[]){ "list", "--user", NULL });
	run_wait(&run);
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "/nowhere/here/airssys/control");
}
END_TEST

START_TEST(path_longer_than_a_socket_address_works)
{
	auto_text folder = { 0 };
	auto_free char *option = NULL;
	auto_free char *socket = NULL;

	fake_start(&fake);
	text_append(&folder, fake.folder);
	for (int i = 0; i < 3; i++) {
		text_append(&folder,
				"/a-folder-with-a-name-of-fifty-characters-or-nearly");
		ck_assert_int_eq(mkdir(text_get(&folder), 0700), 0);
	}
	socket = text_format("%s/control", text_get(&folder));
	ck_assert_int_eq(rename(fake.socket, socket), 0);
	option = text_format("--runtime-dir=%s", text_get(&folder));
	run_start(&run, NULL, RUN_PIPES, NULL,
			(const char *const[]){ option, "list", "--names", NULL });
	run.fake = &fake;
	run_wait(&run);
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "db\n");
}
END_TEST

START_TEST(output_that_cannot_be_written_is_a_failure)
{
	auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	fake_start(&fake);
	ck_assert_int_ge(full, 0);
	ck_assert_int_eq(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
	run_start(&run, &fake, RUN_INHERIT, NULL, (const char *const[]){ "list", NULL });
	run_wait(&run);
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "cannot write the output: No space left on device");
}
END_TEST

TEST_MAIN("trouble", no_instance_is_told_with_path_and_remedy,
		every_command_fails_without_an_instance,
		socket_that_nobody_listens_on_is_no_instance, silent_instance_times_out,
		instance_that_greets_and_says_no_more_times_out,
		instance_that_hangs_up_is_told, garbage_instead_of_a_greeting_is_an_error,
		answer_of_the_wrong_form_is_an_error,
		runtime_folder_is_found_by_option_and_variable,
		path_longer_than_a_socket_address_works,
		output_that_cannot_be_written_is_a_failure)
