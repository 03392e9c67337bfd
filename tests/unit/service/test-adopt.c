/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "unit/service/fixture.h"

#define SIMPLE  "[Service]\nExecStart=/bin/sleep 1000\nRestart=on-failure\n"
#define ONESHOT "[Service]\nType=oneshot\nExecStart=/bin/a\n"
#define BIT(n)  (UINT64_C(1) << (n))

/* Started, and then the core is another one. */
/* The core was lost, and the next one starts the service's actor. */
static void come_back(struct world *w)
{
	world_restart_core(w, NULL);
	text_clear(&w->told);
	world_start(w);
}

static struct world *restarted(const char *text)
{
	struct world *w = world_new(text);

	world_start(w);
	world_restart_core(w, NULL);
	text_clear(&w->told);
	return w;
}

START_TEST(living_service_is_taken_over_without_a_spawn)
{
	struct world *w = restarted(SIMPLE "ExecStartPre=/bin/p\nExecStartPost=/bin/q\n");

	world_start(w);
	world_expect(&w->asked, "");
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.state, "running");
	ck_assert_uint_eq(w->report.adopted, 1);
	ck_assert_int_eq(w->report.main_pid, 101);
	ck_assert_uint_eq(w->report.start_realtime_usec, 500);
	world_stop(w);
	world_expect(&w->asked, "SIGNAL all TERM CONT; ACK 2; ");
	world_free(w);
}
END_TEST

START_TEST(end_in_between_counts_as_if_it_had_just_happened)
{
	struct world *w = world_new(SIMPLE "ExecStopPost=/bin/p\n");

	world_start(w);
	w->straws[0].alive = false; /* nobody was told: status 3 */
	come_back(w);
	world_expect(&w->told, "started; ended exited with status 3; ");
	world_expect(&w->asked, "ExecStopPost 0 (exit-code exited 3); ACK 2; ACK 1; ");
	ck_assert_ptr_nonnull(w->report.last);
	world_free(w);
}
END_TEST

START_TEST(end_after_the_account_and_before_the_actor_counts_too)
{
	struct world *w = restarted(SIMPLE);

	world_end(w, world_main(w), CLD_KILLED, SIGSEGV);
	world_expect(&w->asked, "");
	world_start(w);
	world_expect(&w->told, "started; ended killed by SIGSEGV; ");
	world_expect(&w->asked, "ACK 1; ");
	world_free(w);
}
END_TEST

START_TEST(lost_status_is_a_failure)
{
	struct world *w = restarted(SIMPLE);

	world_end(w, world_main(w), -1, 0);
	world_start(w);
	ck_assert_str_eq(w->report.result, "lost-status");
	ck_assert_int_eq(w->reason.reason_class, AIRS_REASON_ERROR);
	ck_assert(!airs_reason_is_orderly(&w->reason));
	world_free(w);
}
END_TEST

START_TEST(rest_of_a_main_process_that_ended_in_between_is_ended)
{
	struct world *w = world_new(SIMPLE "TimeoutStopSec=5\n");

	world_start(w);
	w->straws[0].alive = false;
	w->rest = true;
	come_back(w);
	world_expect(&w->told, "started; ");
	world_advance(w, 6 * USEC_PER_SEC);
	world_expect(&w->asked, "SIGNAL all TERM CONT; SIGNAL all KILL; ACK 1; ");
	world_expect(&w->told, "ended exited with status 3; ");
	world_free(w);
}
END_TEST

START_TEST(oneshot_that_remains_is_not_run_again)
{
	struct world *w = world_new(ONESHOT "RemainAfterExit=yes\n");

	w->main_status = 0;
	world_start(w);
	ck_assert_str_eq(w->report.state, "exited");
	come_back(w);
	world_expect(&w->asked, "");
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.state, "exited");
	world_free(w);
}
END_TEST

START_TEST(service_that_was_done_is_not_run_again)
{
	struct world *w = world_new(ONESHOT);

	w->main_status = 4;
	world_start(w);
	ck_assert_str_eq(w->report.state, "failed");
	come_back(w);
	world_expect(&w->asked, "");
	world_expect(&w->told,
			"started; ended shutdown: exited with status 4 (orderly); ");
	ck_assert_str_eq(w->report.state, "failed");
	ck_assert_str_eq(w->report.result, "exit-code");
	/* The next actor is a request of somebody. */
	text_clear(&w->told);
	world_start(w);
	ck_assert_ptr_nonnull(strstr(text_get(&w->asked), "ExecStart 0; "));
	world_free(w);
}
END_TEST

START_TEST(oneshot_goes_on_with_its_next_command)
{
	struct world *w = world_new(ONESHOT "ExecStart=/bin/b\n");

	world_start(w);
	come_back(w);
	world_expect(&w->told, "");
	w->main_status = 0;
	world_end(w, world_main(w), CLD_EXITED, 0);
	world_expect(&w->asked, "ACK 1; ExecStart 1; ACK 2; ");
	world_expect(&w->told, "started; ended normal; ");
	world_free(w);
}
END_TEST

START_TEST(command_before_the_start_is_ended_and_the_start_begins_anew)
{
	struct world *w = world_new("[Service]\nExecStartPre=/bin/p\nExecStart=/bin/x\n");

	w->control_status[UNIT_EXEC_START_PRE] = -1;
	world_start(w);
	world_restart_core(w, NULL);
	w->control_status[UNIT_EXEC_START_PRE] = 0;
	text_clear(&w->told);
	world_start(w);
	world_expect(&w->asked,
			"SIGNAL all TERM CONT; ACK 1; ExecStartPre 0; ACK 2; "
			"ExecStart 0; ");
	world_expect(&w->told, "started; ");
	ck_assert_uint_eq(w->report.adopted, 0);
	world_free(w);
}
END_TEST

START_TEST(stop_that_was_asked_for_is_finished_before_the_next_start)
{
	struct world *w = world_new(SIMPLE);

	w->ignored = BIT(SIGTERM);
	world_start(w);
	world_stop(w);
	ck_assert_str_eq(w->report.state, "stopping");
	come_back(w);
	world_expect(&w->asked, "SIGNAL all TERM CONT; ");
	/* Also when the core is lost once more. */
	come_back(w);
	world_expect(&w->asked, "SIGNAL all TERM CONT; ");
	w->ignored = 0;
	world_end(w, world_main(w), CLD_EXITED, 0);
	world_expect(&w->asked, "ACK 1; ExecStart 0; ");
	world_expect(&w->told, "started; ");
	world_free(w);
}
END_TEST

START_TEST(failure_is_still_one_after_the_core_came_back)
{
	struct world *w = world_new(SIMPLE);

	w->ignored = BIT(SIGTERM);
	world_start(w);
	world_call(w, SERVICE_FAIL, "does not answer", 16);
	come_back(w);
	world_end(w, world_main(w), CLD_EXITED, 0);
	ck_assert_int_eq(w->reason.reason_class, AIRS_REASON_USER);
	ck_assert_str_eq(w->reason.text, "does not answer");
	ck_assert_str_eq(w->report.result, "failed-by-probe");
	world_free(w);
}
END_TEST

START_TEST(service_that_was_not_ready_still_has_to_become_it)
{
	struct world *w = world_new("[Service]\nType=notify\nExecStart=/bin/x\n"
				    "TimeoutStartSec=5\nRestart=on-failure\n");

	world_start(w);
	come_back(w);
	world_expect(&w->told, "");
	ck_assert_str_eq(w->report.state, "starting");
	world_advance(w, 6 * USEC_PER_SEC);
	ck_assert_str_eq(w->report.result, "timeout");
	world_free(w);
}
END_TEST

START_TEST(forking_service_without_main_process_is_asked_whether_it_lives)
{
	struct world *w = world_new(
			"[Service]\nType=forking\nExecStart=/bin/a\nRestart=no\n");

	w->leaves_rest = true;
	world_start(w);
	world_end(w, world_main(w), CLD_EXITED, 0);
	ck_assert_str_eq(w->report.state, "running");
	come_back(w);
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.state, "running");
	w->rest = false;
	come_back(w);
	world_expect(&w->told, "started; ended normal; ");
	world_free(w);
}
END_TEST

START_TEST(status_that_is_lost_while_it_is_stopped_is_no_failure)
{
	struct world *w = restarted(SIMPLE);

	world_start(w);
	text_clear(&w->told);
	w->straws[0].ignored = BIT(SIGTERM);
	world_stop(w);
	world_end(w, world_main(w), -1, 0);
	world_expect(&w->told, "ended shutdown; ");
	ck_assert_str_eq(w->report.result, "success");
	ck_assert_str_eq(w->report.state, "stopped");
	world_free(w);
}
END_TEST

START_TEST(unit_that_is_not_started_any_more_is_discarded)
{
	struct world *w = restarted(SIMPLE);

	world_discard(w);
	world_expect(&w->asked, "SIGNAL all KILL; ACK 1; ");
	ck_assert_uint_eq(w->note_size, 0);
	world_free(w);
}
END_TEST

START_TEST(stop_that_was_asked_for_is_finished_when_nothing_is_to_run_after_it)
{
	struct world *w = world_new(SIMPLE "ExecStopPost=/bin/p\n");

	w->ignored = BIT(SIGTERM);
	world_start(w);
	world_stop(w);
	world_restart_core(w, NULL);
	text_clear(&w->told);
	w->wish = SERVICE_LEAVING;
	world_start(w);
	/* Nobody has to wait for it. */
	world_expect(&w->told, "started; ");
	world_expect(&w->asked, "SIGNAL all TERM CONT; ");
	world_stop(w);
	world_expect(&w->asked, "");
	world_end(w, world_main(w), CLD_KILLED, SIGTERM);
	world_expect(&w->asked, "ExecStopPost 0 (success killed TERM); ACK 2; ACK 1; ");
	world_expect(&w->told, "ended shutdown; ");
	world_expect(&w->recorded, "service-stopped; ");
	ck_assert_str_eq(w->report.state, "stopped");
	world_free(w);
}
END_TEST

START_TEST(service_that_is_to_be_stopped_runs_until_then_and_not_again)
{
	struct world *w = restarted(SIMPLE "ExecStop=/bin/s\nRestart=always\n");

	w->wish = SERVICE_LEAVING;
	world_start(w);
	world_expect(&w->told, "started; ");
	world_expect(&w->asked, "");
	ck_assert_str_eq(w->report.state, "running");
	world_stop(w);
	world_expect(&w->asked,
			"ExecStop 0 (success - -); ACK 2; SIGNAL all TERM CONT; "
			"ACK 1; ");
	world_expect(&w->told, "ended shutdown; ");
	world_free(w);

	w = restarted(SIMPLE "Restart=always\n");
	w->wish = SERVICE_LEAVING;
	world_start(w);
	world_end(w, world_main(w), CLD_KILLED, SIGKILL);
	world_expect(&w->told, "started; ended shutdown: killed by SIGKILL (orderly); ");
	world_expect(&w->asked, "ACK 1; ");
	world_free(w);
}
END_TEST

START_TEST(service_that_is_to_be_stopped_and_is_down_is_not_started)
{
	struct world *w = world_new(SIMPLE);

	w->wish = SERVICE_LEAVING;
	world_start(w);
	world_expect(&w->asked, "");
	world_expect(&w->told, "started; ended normal; ");
	w->wish = SERVICE_HELD;
	text_clear(&w->states);
	world_start(w);
	world_expect(&w->asked, "");
	world_expect(&w->told, "nothing to do; ended normal; ");
	world_expect(&w->states, "");
	w->wish = SERVICE_WANTED;
	world_start(w);
	world_expect(&w->asked, "ExecStart 0; ");
	world_free(w);
}
END_TEST

START_TEST(start_that_is_not_wanted_any_more_holds_nobody_up)
{
	struct world *w = world_new("[Service]\nType=notify\nExecStart=/bin/x\n");

	world_start(w);
	world_restart_core(w, NULL);
	text_clear(&w->told);
	w->wish = SERVICE_LEAVING;
	world_start(w);
	world_expect(&w->told, "started; ");
	world_stop(w);
	world_expect(&w->told, "ended shutdown; ");
	world_free(w);
}
END_TEST

TEST_MAIN("adopt", living_service_is_taken_over_without_a_spawn,
		end_in_between_counts_as_if_it_had_just_happened,
		end_after_the_account_and_before_the_actor_counts_too,
		lost_status_is_a_failure,
		rest_of_a_main_process_that_ended_in_between_is_ended,
		oneshot_that_remains_is_not_run_again,
		service_that_was_done_is_not_run_again,
		oneshot_goes_on_with_its_next_command,
		command_before_the_start_is_ended_and_the_start_begins_anew,
		stop_that_was_asked_for_is_finished_before_the_next_start,
		failure_is_still_one_after_the_core_came_back,
		service_that_was_not_ready_still_has_to_become_it,
		forking_service_without_main_process_is_asked_whether_it_lives,
		status_that_is_lost_while_it_is_stopped_is_no_failure,
		unit_that_is_not_started_any_more_is_discarded,
		stop_that_was_asked_for_is_finished_when_nothing_is_to_run_after_it,
		service_that_is_to_be_stopped_runs_until_then_and_not_again,
		service_that_is_to_be_stopped_and_is_down_is_not_started,
		start_that_is_not_wanted_any_more_holds_nobody_up)
