/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "manager/names.h"
#include "run.h"
#include "support/test.h"

static struct fake fake;
static struct run run;

START_TEST(each_verb_calls_its_method)
{
	static const char *const verbs[][3] = {
		{ "start", "Start probe", "probe started\n" },
		{ "stop", "Stop probe", "probe stopped\n" },
		{ "restart", "Restart probe", "probe restarted\n" },
		{ "reload", "ReloadUnit probe", "probe reloaded\n" },
		{ "kill", "Kill probe all 15", "probe signalled\n" },
	};

	fake_start(&fake);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		run_ctl(&run, &fake, verbs[i][0], "probe.actor");
		ck_assert_int_eq(run.status, 0);
		ck_assert_str_eq(fake.last_call, verbs[i][1]);
		ck_assert_str_eq(text_get(&run.out), verbs[i][2]);
		run_fini(&run);
	}
}
END_TEST

START_TEST(kill_passes_signal_and_whom)
{
	fake_start(&fake);
	run_ctl(&run, &fake, "kill", "db", "-s", "KILL", "--whom=main");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(fake.last_call, "Kill db main 9");
	run_fini(&run);
	run_ctl(&run, &fake, "kill", "--signal=1", "db");
	ck_assert_str_eq(fake.last_call, "Kill db all 1");
	run_fini(&run);
	run_ctl(&run, &fake, "kill", "cache");
	ck_assert_int_eq(run.status, 3);
	expect_contains(&run.err, "cache is not running");
}
END_TEST

START_TEST(what_was_so_already_is_done)
{
	fake_start(&fake);
	run_ctl(&run, &fake, "start", "db");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.out), "db was already running\n");
	run_fini(&run);
	run_ctl(&run, &fake, "stop", "db");
	ck_assert_str_eq(text_get(&run.out), "db was not running\n");
}
END_TEST

START_TEST(several_names_are_sent_before_an_answer_is_waited_for)
{
	fake_start(&fake);
	run_ctl(&run, &fake, "restart", "left", "right");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "left restarted\n");
	expect_contains(&run.out, "right restarted\n");
}
END_TEST

START_TEST(failure_of_one_leaves_the_others_done)
{
	fake_start(&fake);
	run_ctl(&run, &fake, "start", "web", "probe", "cache");
	ck_assert_int_eq(run.status, 1);
	ck_assert_str_eq(text_get(&run.out), "probe started\ncache started\n");
	ck_assert_str_eq(text_get(&run.err),
			"airssysctl: web: failed at step CAPABILITIES: "
			"Operation not permitted\n");
	run_fini(&run);
	run_ctl(&run, &fake, "start", "web", "probe", "--json");
	ck_assert_int_eq(run.status, 1);
	expect_json(&run.out);
	expect_contains(&run.out, "{\"name\":\"web\",\"result\":\"failed\",\"message\":");
	expect_contains(&run.out,
			"{\"name\":\"probe\",\"result\":\"done\",\"exit_status\":0}");
}
END_TEST

START_TEST(exit_status_is_the_common_reason_of_all_failures)
{
	fake_start(&fake);
	run_ctl(&run, &fake, "start", "nope", "probe");
	ck_assert_int_eq(run.status, 4);
	run_fini(&run);
	run_ctl(&run, &fake, "start", "nope", "web");
	ck_assert_int_eq(run.status, 1);
	run_fini(&run);
	run_ctl(&run, &fake, "reload", "cache");
	ck_assert_int_eq(run.status, 3);
	run_fini(&run);
	run_ctl(&run, &fake, "start",
			"b\xff"
			"d");
	ck_assert_int_eq(run.status, 4);
	expect_contains(&run.err, "there is no unit 'b\\xffd'");
}
END_TEST

START_TEST(all_means_the_children_of_the_root)
{
	fake_start(&fake);
	run_ctl(&run, &fake, "restart", "--all");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.out), "shop restarted\nprobe restarted\n");
	run_fini(&run);
	run_ctl(&run, &fake, "stop", "--all", "db");
	ck_assert_int_eq(run.status, 2);
}
END_TEST

START_TEST(many_jobs_stay_within_what_an_instance_takes_at_once)
{
	fake_start(&fake);
	fake.n_units = 300;
	run_ctl(&run, &fake, "stop", "--all");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "u300 stopped\n");
	ck_assert_uint_gt(fake.n_open_max, 16);
	ck_assert_uint_lt(fake.n_open_max, NAMES_PENDING_MAX);
}
END_TEST

START_TEST(terminal_shows_progress_and_a_summary)
{
	fake_start(&fake);
	run_start(&run, &fake, RUN_TERMINAL, NULL,
			(const char *const[]){ "stop", "never", "probe", "cache",
					"--timeout=1", NULL });
	run_until(&run, "2/3 stopped; waiting for never");
	run_wait(&run);
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.out, "2 of 3 stopped in ");
	/* The line is removed before something else is printed. */
	expect_contains(&run.out, "\r\033[Kairssysctl: ");
}
END_TEST

START_TEST(terminal_shows_what_a_unit_does_meanwhile)
{
	fake_start(&fake);
	run_start(&run, &fake, RUN_TERMINAL, NULL,
			(const char *const[]){
					"stop", "slow", "probe", "--timeout=10", NULL });
	run_until(&run, "waiting for slow (stop-sigterm)");
	run_fini(&run);
}
END_TEST

START_TEST(job_that_takes_too_long_is_given_up)
{
	fake_start(&fake);
	run_ctl(&run, &fake, "stop", "never", "probe", "--timeout=300ms");
	ck_assert_int_eq(run.status, 1);
	ck_assert_str_eq(text_get(&run.out), "probe stopped\n");
	expect_contains(&run.err, "did not answer in time");
}
END_TEST

START_TEST(shutdown_returns_when_the_instance_is_gone)
{
	fake_start(&fake);
	run_ctl(&run, &fake, "shutdown");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(fake.last_call, "Shutdown");
	ck_assert_int_eq(fake.listener, -1);
	expect_contains(&run.out, "stopped after ");
}
END_TEST

START_TEST(shutdown_waits_for_the_lock_of_the_keeper)
{
	const char *path;
	auto_close int fd = -1;

	fake_start(&fake);
	path = test_path(fake.folder, NAMES_LOCK);
	test_write(path, "", 0600);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	run_ctl(&run, &fake, "shutdown", "--timeout=1");
	ck_assert_int_eq(fake.listener, -1);
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "still stopping");
}
END_TEST

START_TEST(shutdown_shows_who_is_waited_for)
{
	fake_start(&fake);
	run_start(&run, &fake, RUN_TERMINAL, NULL,
			(const char *const[]){ "shutdown", NULL });
	run_until(&run, "waiting for db (up)");
	run_wait(&run);
	ck_assert_int_eq(run.status, 0);
}
END_TEST

START_TEST(shutdown_that_takes_too_long_is_told)
{
	fake_start(&fake);
	fake.shutdown_lists = 1000;
	run_ctl(&run, &fake, "shutdown", "--json", "--timeout=300ms");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.err, "still stopping");
	expect_json(&run.out);
}
END_TEST

TEST_MAIN("jobs", each_verb_calls_its_method, kill_passes_signal_and_whom,
		what_was_so_already_is_done,
		several_names_are_sent_before_an_answer_is_waited_for,
		failure_of_one_leaves_the_others_done,
		exit_status_is_the_common_reason_of_all_failures,
		all_means_the_children_of_the_root,
		many_jobs_stay_within_what_an_instance_takes_at_once,
		terminal_shows_progress_and_a_summary,
		terminal_shows_what_a_unit_does_meanwhile,
		job_that_takes_too_long_is_given_up,
		shutdown_returns_when_the_instance_is_gone,
		shutdown_waits_for_the_lock_of_the_keeper,
		shutdown_shows_who_is_waited_for, shutdown_that_takes_too_long_is_told)
