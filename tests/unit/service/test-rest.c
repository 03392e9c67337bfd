/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "unit/service/fixture.h"

/* What a service actor has only while it does something. */

#define SIMPLE "[Service]\nExecStart=/bin/sleep 1000\n"

static struct world *running(const char *text)
{
	struct world *w = world_new(text);

	world_start(w);
	ck_assert_str_eq(w->report.state, "running");
	text_clear(&w->asked);
	text_clear(&w->told);
	return w;
}

static void ask_to_kill(struct world *w)
{
	struct service_kill kill = { PROTOCOL_MAIN, SIGCONT };

	world_call(w, SERVICE_KILL, &kill, sizeof(kill));
	world_expect(&w->asked, "SIGNAL main CONT; ");
	world_expect(&w->told, "reply 0; ");
}

START_TEST(settings_are_made_once_for_a_start_and_once_for_an_end)
{
	struct world *w = running("[Service]\nExecStartPre=/bin/a\nExecStart=/bin/b\n"
				  "ExecStartPost=/bin/c\nExecStopPost=/bin/d\n");

	ck_assert_uint_eq(w->opened, 1);
	world_end(w, world_main(w), CLD_EXITED, 0);
	ck_assert_str_eq(w->report.state, "stopped");
	ck_assert_uint_eq(w->opened, 2);
	world_free(w);
}
END_TEST

START_TEST(start_that_follows_an_end_at_once_makes_no_settings_again)
{
	struct world *w = running(SIMPLE "Restart=always\n");

	world_end(w, world_main(w), CLD_EXITED, 0);
	ck_assert_uint_eq(w->opened, 2);
	ck_assert_ptr_nonnull(w->identity.kept);
	world_start(w);
	ck_assert_str_eq(w->report.state, "running");
	ck_assert_uint_eq(w->opened, 2);
	ck_assert_ptr_null(w->identity.kept);
	/* One that nobody wants to run again leaves nothing. */
	world_stop(w);
	ck_assert_ptr_null(w->identity.kept);
	world_free(w);
}
END_TEST

/* The core ends then; since the end was not acknowledged, the next one hears of it. */
START_TEST(end_that_cannot_be_judged_is_left_to_another_core)
{
	struct world *w = running(SIMPLE);

	w->open_error = -ENOMEM;
	world_end(w, world_main(w), CLD_EXITED, 0);
	/* By the end, and by the word that nothing is left. */
	world_expect(&w->told, "given up: ENOMEM; given up: ENOMEM; ");
	world_expect(&w->asked, "");
	ck_assert_str_eq(w->report.state, "running");
	world_free(w);
}
END_TEST

START_TEST(service_that_rests_answers_as_ever)
{
	struct world *w = running(SIMPLE);

	for (int i = 0; i < 3; i++)
		ask_to_kill(w);
	world_call(w, SERVICE_RELOAD, NULL, 0);
	world_expect(&w->told, "reply EOPNOTSUPP; ");
	world_call(w, SERVICE_FAIL, "no", sizeof("no"));
	ck_assert_str_eq(w->report.result, "failed-by-probe");
	world_free(w);
}
END_TEST

START_TEST(watchdog_runs_while_the_service_rests)
{
	struct world *w = running(SIMPLE "WatchdogSec=5s\n");
	unsigned int opened = w->opened;

	world_advance(w, 4 * USEC_PER_SEC);
	ck_assert_str_eq(w->report.state, "running");
	ck_assert_uint_eq(w->opened, opened);
	world_advance(w, 2 * USEC_PER_SEC);
	ck_assert_str_eq(w->report.result, "watchdog");
	world_free(w);
}
END_TEST

START_TEST(end_is_judged_by_the_settings_of_its_start)
{
	struct world *w = running(SIMPLE "SuccessExitStatus=3\n");
	const struct unit *kept;

	world_parse(w, SIMPLE);
	kept = w->identity.kept;
	ck_assert_ptr_nonnull(kept);
	ask_to_kill(w); /* uses them, and leaves them where they were */
	ck_assert_ptr_eq(w->identity.kept, kept);
	world_parse(w, SIMPLE "UMask=0077\n");
	ck_assert_ptr_eq(w->identity.kept, kept);
	world_end(w, world_main(w), CLD_EXITED, 3);
	ck_assert_str_eq(w->report.result, "success");
	/* The next start is one with those in force. */
	ck_assert_ptr_null(w->identity.kept);
	ck_assert(!w->identity.is_outdated);
	world_start(w);
	world_end(w, world_main(w), CLD_EXITED, 3);
	ck_assert_str_eq(w->report.result, "exit-code");
	world_free(w);
}
END_TEST

START_TEST(reload_by_new_settings_leaves_those_of_the_start)
{
	struct world *w = running(SIMPLE "SuccessExitStatus=3\nExecReload=/bin/old\n");

	w->control_status[UNIT_EXEC_RELOAD] = 0;
	world_parse(w, SIMPLE "ExecReload=/bin/r\nExecReload=/bin/s\n");
	world_call(w, SERVICE_RELOAD, NULL, 0);
	world_expect(&w->asked, "ExecReload 0; ACK 2; ExecReload 1; ACK 3; ");
	world_expect(&w->told, "reply 0; ");
	ck_assert_ptr_nonnull(w->identity.kept);
	world_end(w, world_main(w), CLD_EXITED, 3);
	ck_assert_str_eq(w->report.result, "success");
	world_free(w);
}
END_TEST

START_TEST(failure_that_was_ignored_is_told_on)
{
	struct world *w =
			world_new("[Service]\nExecStartPre=-/bin/a\nExecStart=/bin/b\n");

	w->spawn_error[UNIT_EXEC_START_PRE] = ENOENT;
	world_start(w);
	ck_assert_str_eq(w->report.state, "running");
	text_clear(&w->asked);
	text_clear(&w->told);
	ask_to_kill(w);
	world_call(w, SERVICE_FAIL, "no", sizeof("no"));
	ck_assert_str_eq(w->report.failed_step, "EXEC");
	ck_assert_int_eq(w->report.failed_errno, ENOENT);
	world_free(w);
}
END_TEST

TEST_MAIN("rest", settings_are_made_once_for_a_start_and_once_for_an_end,
		start_that_follows_an_end_at_once_makes_no_settings_again,
		end_that_cannot_be_judged_is_left_to_another_core,
		service_that_rests_answers_as_ever, watchdog_runs_while_the_service_rests,
		end_is_judged_by_the_settings_of_its_start,
		reload_by_new_settings_leaves_those_of_the_start,
		failure_that_was_ignored_is_told_on)
