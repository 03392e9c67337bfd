/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "unit/service/fixture.h"

#define SIMPLE "[Service]\nExecStart=/bin/sleep 1000\n"
#define BIT(n) (UINT64_C(1) << (n))

/* Started, with what was asked for until then out of the way. */
static struct world *running(const char *text)
{
	struct world *w = world_new(text);

	world_start(w);
	world_expect(&w->told, "started; ");
	text_clear(&w->asked);
	text_clear(&w->states);
	return w;
}

START_TEST(simple_service_is_ready_when_it_is_spawned)
{
	struct world *w = world_new(SIMPLE);

	world_start(w);
	world_expect(&w->asked, "ExecStart 0; ");
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.state, "running");
	ck_assert_int_eq(w->report.main_pid, 100);
	ck_assert_uint_eq(w->report.start_realtime_usec, 500);
	world_free(w);
}
END_TEST

START_TEST(commands_around_the_start_run_in_order)
{
	struct world *w =
			world_new("[Service]\nExecStartPre=/bin/a\nExecStartPre=/bin/b\n"
				  "ExecStart=/bin/c\nExecStartPost=/bin/d\n"
				  "ExecStop=/bin/e\nExecStopPost=/bin/f\n");

	world_start(w);
	world_expect(&w->asked,
			"ExecStartPre 0; ACK 1; ExecStartPre 1; ACK 2; ExecStart 0; "
			"ExecStartPost 0; ACK 4; ");
	world_expect(&w->told, "started; ");
	world_stop(w);
	world_expect(&w->asked,
			"ExecStop 0 (success - -); ACK 5; SIGNAL all TERM CONT; ExecStopPost 0 (success killed TERM); ACK 6; "
			"ACK 3; ");
	world_expect(&w->told, "ended shutdown; ");
	world_free(w);
}
END_TEST

START_TEST(failed_command_before_the_start_fails_the_start)
{
	struct world *w = world_new("[Service]\nExecStartPre=/bin/a\nExecStart=/bin/c\n"
				    "ExecStopPost=/bin/f\nRestart=on-failure\n");

	w->control_status[UNIT_EXEC_START_PRE] = 4;
	world_start(w);
	world_expect(&w->asked,
			"ExecStartPre 0; ACK 1; ExecStopPost 0 (exit-code - -); ACK 2; ");
	world_expect(&w->told,
			"start failed: exited with status 4; ended exited with status 4; ");
	ck_assert_str_eq(w->report.state, "failed");
	ck_assert_str_eq(w->report.result, "exit-code");
	world_free(w);
}
END_TEST

START_TEST(failure_of_a_command_with_a_dash_is_ignored)
{
	struct world *w =
			world_new("[Service]\nExecStartPre=-/bin/a\nExecStart=/bin/c\n");

	w->control_status[UNIT_EXEC_START_PRE] = 4;
	world_start(w);
	world_expect(&w->told, "started; ");
	world_free(w);
}
END_TEST

START_TEST(program_that_cannot_be_executed_is_told_with_its_step)
{
	struct world *w = world_new(SIMPLE "Restart=on-failure\n");

	w->spawn_error[UNIT_EXEC_START] = ENOENT;
	world_start(w);
	ck_assert_ptr_nonnull(strstr(text_get(&w->told), "start failed: "));
	ck_assert_int_eq(w->reason.reason_class, AIRS_REASON_ERROR);
	ck_assert_int_eq(w->reason.code, ENOENT);
	ck_assert_str_eq(w->report.failed_step, "EXEC");
	ck_assert_int_eq(w->report.failed_errno, ENOENT);
	ck_assert_str_eq(w->report.failed_detail, "no such file");
	ck_assert_str_eq(w->report.result, "resources");
	ck_assert_ptr_nonnull(w->report.last);
	world_free(w);
}
END_TEST

START_TEST(failed_start_that_is_not_restarted_is_acknowledged_first)
{
	struct world *w = world_new(SIMPLE "Restart=no\n");

	w->spawn_error[UNIT_EXEC_START] = ENOENT;
	world_start(w);
	ck_assert_int_eq(strncmp(text_get(&w->told), "started; ended ", 15), 0);
	ck_assert(airs_reason_is_orderly(&w->reason));
	ck_assert_str_eq(w->report.state, "failed");
	world_free(w);
}
END_TEST

START_TEST(stop_ends_with_the_reason_of_the_request)
{
	struct world *w = running(SIMPLE);

	world_stop(w);
	world_expect(&w->asked, "SIGNAL all TERM CONT; ACK 1; ");
	world_expect(&w->told, "ended shutdown; ");
	ck_assert_str_eq(w->report.state, "stopped");
	ck_assert_str_eq(w->report.result, "success");
	ck_assert_uint_eq(w->report.final, 1);
	ck_assert_ptr_nonnull(w->report.last);
	ck_assert_uint_eq(w->report.last->cpu_usec, 77);
	world_free(w);
}
END_TEST

/* The main process ends this way; what is recorded of it. */
static void expect_record(const char *settings, int code, int status, const char *record)
{
	struct world *w = running(settings);

	world_end(w, world_main(w), code, status);
	world_run(w);
	world_expect(&w->recorded, record);
	world_free(w);
}

START_TEST(record_of_an_end_says_whether_it_is_the_last)
{
	expect_record(SIMPLE "Restart=always\n", CLD_KILLED, SIGTERM, "service-ended; ");
	expect_record(SIMPLE "Restart=always\n", CLD_EXITED, 0, "service-ended; ");
	expect_record(SIMPLE "Restart=on-failure\n", CLD_KILLED, SIGTERM,
			"service-done; ");
	expect_record(SIMPLE "Restart=on-failure\n", CLD_EXITED, 3, "service-failed; ");
	expect_record(SIMPLE "Restart=no\n", CLD_EXITED, 3, "service-failed; ");
}
END_TEST

START_TEST(stop_on_request_is_recorded_as_one)
{
	struct world *w = running(SIMPLE "Restart=always\n");

	world_stop(w);
	world_expect(&w->recorded, "service-stopped; ");
	world_free(w);
}
END_TEST

START_TEST(end_that_was_the_last_needs_no_further_word)
{
	struct world *w = world_new("[Service]\nExecStart=/bin/x\nRestart=on-failure\n");

	w->tells_last = true;
	world_start(w);
	world_stop(w);
	world_expect(&w->asked, "ExecStart 0; SIGNAL all TERM CONT; ACK 1; ");
	world_expect(&w->told, "started; ended shutdown; ");
	world_start(w);
	world_end(w, world_main(w), CLD_EXITED, 1);
	world_expect(&w->asked, "ExecStart 0; ACK 2; ");
	world_free(w);
}
END_TEST

START_TEST(process_that_ignores_term_is_killed_after_the_timeout)
{
	struct world *w = world_new(SIMPLE "TimeoutStopSec=10\n");

	w->ignored = BIT(SIGTERM);
	world_start(w);
	text_clear(&w->asked);
	world_stop(w);
	world_expect(&w->asked, "SIGNAL all TERM CONT; ");
	world_advance(w, 9900 * USEC_PER_MSEC);
	world_expect(&w->asked, "");
	world_advance(w, 200 * USEC_PER_MSEC);
	world_expect(&w->asked, "SIGNAL all KILL; ACK 1; ");
	ck_assert_str_eq(w->report.result, "timeout");
	ck_assert_str_eq(w->report.state, "failed");
	world_free(w);
}
END_TEST

START_TEST(what_does_not_even_die_of_kill_is_left_behind_and_told)
{
	struct world *w = world_new(SIMPLE "TimeoutStopSec=10\n");

	w->ignored = BIT(SIGTERM) | BIT(SIGKILL);
	world_start(w);
	text_clear(&w->told);
	world_stop(w);
	world_advance(w, 21 * USEC_PER_SEC);
	world_expect(&w->told, "ended shutdown; ");
	ck_assert_str_eq(w->report.result, "unkillable");
	world_free(w);
}
END_TEST

START_TEST(stop_waits_until_the_whole_tree_is_gone)
{
	struct world *w = world_new(SIMPLE "TimeoutStopSec=10\nKillMode=control-group\n");

	w->leaves_rest = true;
	world_start(w);
	text_clear(&w->told);
	world_stop(w);
	world_expect(&w->told, "");
	ck_assert_str_eq(w->report.substate, "stop-sigterm");
	world_advance(w, 11 * USEC_PER_SEC);
	world_expect(&w->told, "ended shutdown; ");
	world_free(w);
}
END_TEST

START_TEST(rest_of_a_service_that_ended_by_itself_is_ended_too)
{
	struct world *w = world_new(SIMPLE "TimeoutStopSec=10\nRestart=on-failure\n");

	w->leaves_rest = true;
	world_start(w);
	text_clear(&w->told);
	text_clear(&w->asked);
	world_end(w, world_main(w), CLD_EXITED, 1);
	world_expect(&w->asked, "");
	world_advance(w, 100 * USEC_PER_MSEC);
	world_expect(&w->asked, "SIGNAL all TERM CONT; ");
	world_advance(w, 11 * USEC_PER_SEC);
	world_expect(&w->asked, "SIGNAL all KILL; ACK 1; ");
	world_expect(&w->told, "ended exited with status 1; ");
	world_free(w);
}
END_TEST

START_TEST(kill_mode_mixed_kills_the_others_when_the_main_process_is_gone)
{
	struct world *w = world_new(SIMPLE "KillMode=mixed\n");

	w->leaves_rest = true;
	world_start(w);
	text_clear(&w->asked);
	world_stop(w);
	world_expect(&w->asked, "SIGNAL main TERM CONT; SIGNAL all KILL; ACK 1; ");
	ck_assert_str_eq(w->report.state, "stopped");
	world_free(w);
}
END_TEST

START_TEST(kill_mode_process_leaves_the_others)
{
	struct world *w = world_new(SIMPLE "KillMode=process\n");

	w->leaves_rest = true;
	world_start(w);
	text_clear(&w->told);
	text_clear(&w->asked);
	world_stop(w);
	world_expect(&w->asked, "SIGNAL main TERM CONT; ACK 1; ");
	world_expect(&w->told, "ended shutdown; ");
	ck_assert(w->rest);
	world_free(w);
}
END_TEST

START_TEST(kill_mode_none_leaves_everything)
{
	struct world *w = running(SIMPLE "KillMode=none\n");

	world_stop(w);
	world_expect(&w->asked, "");
	world_expect(&w->told, "ended shutdown; ");
	ck_assert_ptr_nonnull(world_main(w));
	world_free(w);
}
END_TEST

START_TEST(kill_signal_of_its_own_is_used_and_no_failure)
{
	struct world *w = running(SIMPLE "KillSignal=SIGQUIT\nSendSIGHUP=yes\n");

	world_stop(w);
	world_expect(&w->asked, "SIGNAL all QUIT HUP CONT; ACK 1; ");
	ck_assert_str_eq(w->report.result, "success");
	world_free(w);
}
END_TEST

#define RESTARTED SIMPLE "KillSignal=SIGINT\nRestartKillSignal=SIGQUIT\n"

START_TEST(stop_that_is_half_of_a_restart_has_a_signal_of_its_own)
{
	struct world *w = running(RESTARTED);

	w->is_restarting = true;
	world_stop(w);
	world_expect(&w->asked, "SIGNAL all QUIT CONT; ACK 1; ");
	ck_assert_str_eq(w->report.result, "success");
	world_free(w);
	w = running(RESTARTED);
	world_stop(w);
	world_expect(&w->asked, "SIGNAL all INT CONT; ACK 1; ");
	world_free(w);
	w = running(SIMPLE "KillSignal=SIGINT\n");
	w->is_restarting = true;
	world_stop(w);
	world_expect(&w->asked, "SIGNAL all INT CONT; ACK 1; ");
	world_free(w);
}
END_TEST

START_TEST(late_stop_command_does_not_hold_up_the_stop)
{
	struct world *w = world_new(SIMPLE "ExecStop=/bin/x\nTimeoutStopSec=10\n");

	w->control_status[UNIT_EXEC_STOP] = -1;
	world_start(w);
	text_clear(&w->told);
	world_stop(w);
	ck_assert_str_eq(w->report.substate, "stop");
	ck_assert_int_eq(w->report.control_pid, 101);
	world_advance(w, 11 * USEC_PER_SEC);
	world_expect(&w->told, "ended shutdown; ");
	ck_assert_str_eq(w->report.result, "timeout");
	world_free(w);
}
END_TEST

START_TEST(stop_while_the_keeper_spawns_ends_what_was_spawned)
{
	struct world *w = world_new(SIMPLE);

	w->silent = true;
	world_start(w);
	world_stop(w);
	world_expect(&w->told, "");
	w->silent = false;
	world_run(w);
	world_expect(&w->asked, "ExecStart 0; SIGNAL all TERM CONT; ACK 1; ");
	world_expect(&w->told, "start failed: shutdown; ended shutdown; ");
	world_free(w);
}
END_TEST

START_TEST(stop_during_a_command_before_the_start_ends_the_start)
{
	struct world *w = world_new("[Service]\nExecStartPre=/bin/a\nExecStart=/bin/c\n");

	w->control_status[UNIT_EXEC_START_PRE] = -1;
	world_start(w);
	world_stop(w);
	world_expect(&w->asked, "ExecStartPre 0; SIGNAL all TERM CONT; ACK 1; ");
	world_expect(&w->told, "start failed: shutdown; ended shutdown; ");
	world_free(w);
}
END_TEST

START_TEST(start_that_takes_too_long_is_a_timeout)
{
	struct world *w = world_new("[Service]\nExecStartPre=/bin/a\nExecStart=/bin/c\n"
				    "TimeoutStartSec=7\nRestart=on-failure\n");

	w->control_status[UNIT_EXEC_START_PRE] = -1;
	world_start(w);
	world_advance(w, 6900 * USEC_PER_MSEC);
	world_expect(&w->told, "");
	world_advance(w, 200 * USEC_PER_MSEC);
	ck_assert_int_eq(w->reason.reason_class, AIRS_REASON_TIMEOUT);
	ck_assert_str_eq(w->report.result, "timeout");
	world_free(w);
}
END_TEST

START_TEST(oneshot_runs_all_commands_and_then_ends_orderly)
{
	struct world *w = world_new(
			"[Service]\nType=oneshot\nExecStart=/bin/a\nExecStart=/bin/b\n");

	w->main_status = 0;
	world_start(w);
	world_expect(&w->asked, "ExecStart 0; ACK 1; ExecStart 1; ACK 2; ");
	world_expect(&w->told, "started; ended normal; ");
	ck_assert_str_eq(w->report.state, "stopped");
	world_free(w);
}
END_TEST

START_TEST(oneshot_is_not_ready_before_its_last_command_has_ended)
{
	struct world *w = world_new("[Service]\nType=oneshot\nExecStart=/bin/a\n"
				    "RemainAfterExit=yes\nExecStop=/bin/b\n");

	world_start(w);
	world_expect(&w->told, "");
	world_end(w, world_main(w), CLD_EXITED, 0);
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.state, "exited");
	ck_assert_int_eq(w->report.main_pid, 0);
	text_clear(&w->asked);
	world_stop(w);
	world_expect(&w->asked, "ExecStop 0 (success exited 0); ACK 2; ACK 1; ");
	world_expect(&w->told, "ended shutdown; ");
	world_free(w);
}
END_TEST

START_TEST(failed_oneshot_stops_at_the_command_that_failed)
{
	struct world *w = world_new(
			"[Service]\nType=oneshot\nExecStart=/bin/a\nExecStart=/bin/b\n");

	w->main_status = 9;
	world_start(w);
	world_expect(&w->asked, "ExecStart 0; ACK 1; ");
	world_expect(&w->told,
			"started; ended shutdown: exited with status 9 (orderly); ");
	ck_assert_str_eq(w->report.state, "failed");
	world_free(w);
}
END_TEST

START_TEST(oneshot_without_a_start_command_is_ready_at_once)
{
	struct world *w = world_new("[Service]\nType=oneshot\nRemainAfterExit=yes\n"
				    "ExecStop=/bin/b\n");

	world_start(w);
	world_expect(&w->asked, "");
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.state, "exited");
	world_free(w);
}
END_TEST

START_TEST(forking_service_without_pid_file_lives_until_its_processes_are_gone)
{
	struct world *w = world_new(
			"[Service]\nType=forking\nExecStart=/bin/a\nRestart=no\n");

	w->leaves_rest = true;
	world_start(w);
	world_expect(&w->told, "");
	world_end(w, world_main(w), CLD_EXITED, 0);
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.state, "running");
	ck_assert_int_eq(w->report.main_pid, 0);
	w->rest = false;
	world_send(w, &(struct protocol_message){ .type = PROTOCOL_EMPTY, .unit = "db" },
			-1);
	ck_assert_str_eq(text_get(&w->told), "ended normal; ");
	world_free(w);
}
END_TEST

#define FORKING                                                                          \
	"[Service]\nType=forking\nExecStart=/bin/a\nPIDFile=/run/a.pid\n"                \
	"TimeoutStartSec=5\nRestart=on-failure\n"

START_TEST(forking_service_is_ready_when_its_pid_file_names_a_process)
{
	struct world *w = world_new(FORKING);

	w->leaves_rest = true;
	world_start(w);
	world_end(w, world_main(w), CLD_EXITED, 0);
	world_advance(w, USEC_PER_SEC);
	world_expect(&w->told, "");
	ck_assert_ptr_nonnull(strstr(text_get(&w->asked), "SET_MAIN 0; SET_MAIN 0; "));
	text_clear(&w->asked);
	w->pid_file = 4711;
	world_advance(w, USEC_PER_SEC);
	world_expect(&w->told, "started; ");
	world_expect(&w->asked, "SET_MAIN 0; ACK 1; ");
	ck_assert_int_eq(w->report.main_pid, 4711);
	w->leaves_rest = false;
	world_end(w, world_main(w), CLD_KILLED, SIGSEGV);
	ck_assert_int_eq(w->reason.reason_class, AIRS_REASON_PROCESS);
	ck_assert_int_eq(w->reason.status, SIGSEGV);
	world_free(w);
}
END_TEST

START_TEST(main_process_of_a_forking_service_is_guessed)
{
	struct world *w = world_new(
			"[Service]\nType=forking\nExecStart=/bin/a\nRestart=no\n");

	w->leaves_rest = true;
	w->pid_file = 4711;
	world_start(w);
	world_end(w, world_main(w), CLD_EXITED, 0);
	world_expect(&w->told, "started; ");
	ck_assert_int_eq(w->report.main_pid, 4711);
	world_free(w);
}
END_TEST

START_TEST(main_process_is_not_guessed_when_the_file_says_so)
{
	struct world *w = world_new("[Service]\nType=forking\nExecStart=/bin/a\n"
				    "GuessMainPID=no\nRestart=no\n");

	w->leaves_rest = true;
	w->pid_file = 4711;
	world_start(w);
	world_end(w, world_main(w), CLD_EXITED, 0);
	world_expect(&w->told, "started; ");
	ck_assert_int_eq(w->report.main_pid, 0);
	ck_assert_ptr_null(strstr(text_get(&w->asked), "SET_MAIN"));
	world_free(w);
}
END_TEST

START_TEST(pid_file_that_names_a_stranger_is_not_believed)
{
	struct world *w = world_new(FORKING);

	w->leaves_rest = true;
	w->set_main_error = EPERM;
	w->pid_file = 1;
	world_start(w);
	world_end(w, world_main(w), CLD_EXITED, 0);
	world_advance(w, 6 * USEC_PER_SEC);
	ck_assert_str_eq(w->report.result, "timeout");
	ck_assert_int_eq(w->report.main_pid, 0);
	world_free(w);
}
END_TEST

START_TEST(forking_service_whose_start_fails_is_a_failure)
{
	struct world *w = world_new(
			"[Service]\nType=forking\nExecStart=/bin/a\nRestart=on-failure\n");

	w->main_status = 1;
	world_start(w);
	ck_assert_ptr_nonnull(
			strstr(text_get(&w->told), "start failed: exited with status 1"));
	world_free(w);
}
END_TEST

START_TEST(reload_runs_its_commands_and_answers)
{
	struct world *w = running(SIMPLE "ExecReload=/bin/r\nExecReload=/bin/s\n");

	world_call(w, SERVICE_RELOAD, NULL, 0);
	world_expect(&w->asked, "ExecReload 0; ACK 2; ExecReload 1; ACK 3; ");
	world_expect(&w->told, "reply 0; ");
	world_expect(&w->states, "reload running ");
	world_free(w);
}
END_TEST

START_TEST(failed_reload_leaves_the_service_running)
{
	struct world *w = running(SIMPLE "ExecReload=/bin/r\n");

	w->control_status[UNIT_EXEC_RELOAD] = 1;
	world_call(w, SERVICE_RELOAD, NULL, 0);
	world_expect(&w->told, "reply EIO; ");
	ck_assert_str_eq(w->report.state, "running");
	ck_assert_str_eq(w->report.result, "success");
	world_free(w);
}
END_TEST

START_TEST(reload_that_takes_too_long_is_given_up)
{
	struct world *w = running(SIMPLE "ExecReload=/bin/r\nTimeoutStartSec=5\n");

	w->control_status[UNIT_EXEC_RELOAD] = -1;
	world_call(w, SERVICE_RELOAD, NULL, 0);
	world_expect(&w->told, "");
	world_advance(w, 6 * USEC_PER_SEC);
	world_expect(&w->told, "reply ETIMEDOUT; ");
	world_expect(&w->asked, "ExecReload 0; SIGNAL control KILL; ACK 2; ");
	ck_assert_str_eq(w->report.state, "running");
	world_free(w);
}
END_TEST

START_TEST(reload_without_a_command_is_refused)
{
	struct world *w = running(SIMPLE);

	world_call(w, SERVICE_RELOAD, NULL, 0);
	world_expect(&w->told, "reply EOPNOTSUPP; ");
	world_free(w);
}
END_TEST

START_TEST(stop_during_a_reload_answers_the_reload)
{
	struct world *w = running(SIMPLE "ExecReload=/bin/r\n");

	w->control_status[UNIT_EXEC_RELOAD] = -1;
	world_call(w, SERVICE_RELOAD, NULL, 0);
	world_stop(w);
	world_expect(&w->told, "reply ECANCELED; ended shutdown; ");
	world_free(w);
}
END_TEST

START_TEST(end_during_a_reload_is_seen_after_it)
{
	struct world *w = running(SIMPLE "ExecReload=/bin/r\nRestart=on-failure\n");

	w->control_status[UNIT_EXEC_RELOAD] = -1;
	world_call(w, SERVICE_RELOAD, NULL, 0);
	world_end(w, world_main(w), CLD_EXITED, 3);
	world_expect(&w->told, "");
	world_end(w, &w->straws[1], CLD_EXITED, 0);
	world_expect(&w->told, "reply 0; ended exited with status 3; ");
	world_free(w);
}
END_TEST

START_TEST(kill_passes_a_signal_and_the_answer_on)
{
	struct world *w = running(SIMPLE "Restart=on-failure\n");
	struct service_kill kill = { PROTOCOL_CONTROL, SIGUSR1 };

	world_call(w, SERVICE_KILL, &kill, sizeof(kill));
	world_expect(&w->told, "reply ESRCH; ");
	kill = (struct service_kill){ PROTOCOL_MAIN, SIGKILL };
	world_call(w, SERVICE_KILL, &kill, sizeof(kill));
	world_expect(&w->told, "reply 0; ended killed by SIGKILL; ");
	world_free(w);
}
END_TEST

START_TEST(malformed_kill_is_refused)
{
	struct world *w = running(SIMPLE);
	struct service_kill kill = { 77, SIGUSR1 };

	world_call(w, SERVICE_KILL, &kill, sizeof(kill));
	world_call(w, SERVICE_KILL, &kill, 3);
	kill = (struct service_kill){ PROTOCOL_MAIN, 4000 };
	world_call(w, SERVICE_KILL, &kill, sizeof(kill));
	world_expect(&w->told, "reply EINVAL; reply EINVAL; reply EINVAL; ");
	world_expect(&w->asked, "");
	world_free(w);
}
END_TEST

START_TEST(verdict_of_a_probe_stops_the_service_and_is_the_reason)
{
	struct world *w = running(SIMPLE "Restart=on-failure\n");

	world_call(w, SERVICE_FAIL, "does not answer", 16);
	world_expect(&w->asked, "SIGNAL all TERM CONT; ACK 1; ");
	ck_assert_int_eq(w->reason.reason_class, AIRS_REASON_USER);
	ck_assert_str_eq(w->reason.text, "does not answer");
	ck_assert(!airs_reason_is_orderly(&w->reason));
	ck_assert_str_eq(w->report.result, "failed-by-probe");
	ck_assert_str_eq(w->report.last->reason.text, "does not answer");
	world_free(w);
}
END_TEST

START_TEST(second_verdict_is_too_late)
{
	struct world *w = world_new(SIMPLE);

	w->ignored = BIT(SIGTERM);
	world_start(w);
	text_clear(&w->told);
	world_call(w, SERVICE_FAIL, "a", 2);
	world_call(w, SERVICE_FAIL, "b", 2);
	world_call(w, SERVICE_FAIL, "unterminated", 3);
	world_expect(&w->told, "reply 0; reply EBUSY; reply EINVAL; ");
	world_free(w);
}
END_TEST

START_TEST(killed_actor_has_its_processes_killed_by_the_link)
{
	struct world *w = running(SIMPLE);
	struct airs_reason kill = airs_reason_make(AIRS_REASON_KILL, 0, NULL);

	airs_system_exit_signal(w->system, w->service, &kill);
	world_run(w);
	world_expect(&w->asked, "SIGNAL all KILL; ACK 1; ");
	world_expect(&w->told, "ended killed; ");
	world_start(w);
	world_expect(&w->asked, "ExecStart 0; ");
	world_free(w);
}
END_TEST

START_TEST(next_actor_waits_until_processes_without_owner_are_gone)
{
	struct world *w = world_new(SIMPLE);
	struct airs_reason kill = airs_reason_make(AIRS_REASON_KILL, 0, NULL);

	w->ignored = BIT(SIGKILL);
	world_start(w);
	airs_system_exit_signal(w->system, w->service, &kill);
	world_run(w);
	text_clear(&w->asked);
	world_start(w);
	world_expect(&w->asked, "");
	world_end(w, world_main(w), CLD_KILLED, SIGKILL);
	world_expect(&w->asked, "ACK 1; ExecStart 0; ");
	world_free(w);
}
END_TEST

START_TEST(settings_that_were_read_again_apply_to_the_stop)
{
	struct world *w = running(SIMPLE);

	world_parse(w, SIMPLE "ExecStop=/bin/e\n");
	world_stop(w);
	world_expect(&w->asked,
			"ExecStop 0 (success - -); ACK 2; SIGNAL all TERM CONT; ACK 1; ");
	world_free(w);
}
END_TEST

TEST_MAIN("service", record_of_an_end_says_whether_it_is_the_last,
		stop_on_request_is_recorded_as_one,
		simple_service_is_ready_when_it_is_spawned,
		commands_around_the_start_run_in_order,
		failed_command_before_the_start_fails_the_start,
		failure_of_a_command_with_a_dash_is_ignored,
		program_that_cannot_be_executed_is_told_with_its_step,
		failed_start_that_is_not_restarted_is_acknowledged_first,
		stop_ends_with_the_reason_of_the_request,
		end_that_was_the_last_needs_no_further_word,
		process_that_ignores_term_is_killed_after_the_timeout,
		what_does_not_even_die_of_kill_is_left_behind_and_told,
		stop_waits_until_the_whole_tree_is_gone,
		rest_of_a_service_that_ended_by_itself_is_ended_too,
		kill_mode_mixed_kills_the_others_when_the_main_process_is_gone,
		kill_mode_process_leaves_the_others, kill_mode_none_leaves_everything,
		kill_signal_of_its_own_is_used_and_no_failure,
		late_stop_command_does_not_hold_up_the_stop,
		stop_while_the_keeper_spawns_ends_what_was_spawned,
		stop_during_a_command_before_the_start_ends_the_start,
		start_that_takes_too_long_is_a_timeout,
		oneshot_runs_all_commands_and_then_ends_orderly,
		oneshot_is_not_ready_before_its_last_command_has_ended,
		failed_oneshot_stops_at_the_command_that_failed,
		oneshot_without_a_start_command_is_ready_at_once,
		forking_service_without_pid_file_lives_until_its_processes_are_gone,
		main_process_of_a_forking_service_is_guessed,
		main_process_is_not_guessed_when_the_file_says_so,
		stop_that_is_half_of_a_restart_has_a_signal_of_its_own,
		forking_service_is_ready_when_its_pid_file_names_a_process,
		pid_file_that_names_a_stranger_is_not_believed,
		forking_service_whose_start_fails_is_a_failure,
		reload_runs_its_commands_and_answers,
		failed_reload_leaves_the_service_running,
		reload_that_takes_too_long_is_given_up,
		reload_without_a_command_is_refused,
		stop_during_a_reload_answers_the_reload,
		end_during_a_reload_is_seen_after_it,
		kill_passes_a_signal_and_the_answer_on, malformed_kill_is_refused,
		verdict_of_a_probe_stops_the_service_and_is_the_reason,
		second_verdict_is_too_late,
		killed_actor_has_its_processes_killed_by_the_link,
		next_actor_waits_until_processes_without_owner_are_gone,
		settings_that_were_read_again_apply_to_the_stop)
