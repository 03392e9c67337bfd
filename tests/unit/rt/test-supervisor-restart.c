/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Restart types, strategies and the intensity window. Names without a verb are OTP's.
 */
#include <errno.h>
#include <stdio.h>

#include "supervised.h"
#include "support/test.h"

static struct worker a = { .id = "a" }, b = { .id = "b" }, c = { .id = "c" },
		     d = { .id = "d" };

static void supervise_one(enum airs_restart restart)
{
	struct airs_child_spec child;
	struct airs_supervisor_options options;

	world_begin(1);
	child = child_of(&a, restart);
	options = options_of(&child, 1, AIRS_ONE_FOR_ONE);
	supervise(&options);
	assert_trace("+a ");
}

static void supervise_four(enum airs_strategy strategy, uint32_t intensity)
{
	world_begin(1);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_PERMANENT), child_of(&c, AIRS_PERMANENT),
		child_of(&d, AIRS_PERMANENT) };
	struct airs_supervisor_options options = options_of(children, 4, strategy);

	options.intensity = intensity;
	supervise(&options);
	assert_trace("+a +b +c +d ");
}

static void assert_escalated(void)
{
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_SHUTDOWN);
}

static void assert_kept(int state)
{
	assert_trace("-a ");
	ck_assert_int_eq(state_of("a"), state);
	ck_assert_int_eq(world.ended, 0);
}

START_TEST(permanent_normal)
{
	supervise_one(AIRS_PERMANENT);
	airs_pid before = a.pid;

	end_with(&a, AIRS_REASON_NORMAL);
	assert_trace("-a +a ");
	ck_assert_uint_ne(a.pid, before);
	ck_assert_uint_eq(look_at("a")->pid, a.pid);
	ck_assert_uint_eq(count_children().active, 1);
	world_end();
}
END_TEST

START_TEST(transient_normal)
{
	supervise_one(AIRS_TRANSIENT);
	end_with(&a, AIRS_REASON_NORMAL);
	assert_kept(AIRS_CHILD_STOPPED);
	ck_assert_uint_eq(count_children().specs, 1);
	ck_assert_uint_eq(count_children().active, 0);
	world_end();
}
END_TEST

START_TEST(temporary_normal)
{
	supervise_one(AIRS_TEMPORARY);
	end_with(&a, AIRS_REASON_NORMAL);
	assert_kept(-1);
	ck_assert_uint_eq(count_children().specs, 0);
	world_end();
}
END_TEST

START_TEST(permanent_shutdown)
{
	supervise_one(AIRS_PERMANENT);
	end_with(&a, AIRS_REASON_SHUTDOWN);
	assert_trace("-a +a ");
	world_pass(6 * SEC);
	end_shutdown_with(&a, AIRS_REASON_USER);
	assert_trace("-a +a ");
	world_end();
}
END_TEST

START_TEST(transient_shutdown)
{
	supervise_one(AIRS_TRANSIENT);
	end_with(&a, AIRS_REASON_SHUTDOWN);
	assert_kept(AIRS_CHILD_STOPPED);
	ck_assert_int_eq(do_restart("a"), 0);
	assert_trace("+a ");
	end_shutdown_with(&a, AIRS_REASON_USER);
	assert_kept(AIRS_CHILD_STOPPED);
	world_end();
}
END_TEST

START_TEST(temporary_shutdown)
{
	supervise_one(AIRS_TEMPORARY);
	end_with(&a, AIRS_REASON_SHUTDOWN);
	assert_kept(-1);
	world_end();
}
END_TEST

START_TEST(permanent_abnormal)
{
	supervise_one(AIRS_PERMANENT);
	crash(&a);
	assert_trace("-a +a ");
	world_end();
}
END_TEST

START_TEST(transient_abnormal)
{
	supervise_one(AIRS_TRANSIENT);
	crash(&a);
	assert_trace("-a +a ");
	world_pass(6 * SEC);
	kill_worker(&a);
	assert_trace("+a ");
	world_end();
}
END_TEST

START_TEST(temporary_abnormal)
{
	supervise_one(AIRS_TEMPORARY);
	crash(&a);
	assert_kept(-1);
	world_end();
}
END_TEST

static void bystander(enum airs_strategy strategy, const char *trace)
{
	world_begin(1);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_TEMPORARY) };
	struct airs_supervisor_options options = options_of(children, 2, strategy);

	supervise(&options);
	assert_trace("+a +b ");
	crash(&a);
	assert_trace(trace);
	ck_assert_int_eq(state_of("b"), -1);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	ck_assert_uint_eq(count_children().specs, 1);
	ck_assert_int_eq(world.ended, 0);
	world_end();
}

START_TEST(temporary_bystander)
{
	bystander(AIRS_ONE_FOR_ALL, "-a -b +a ");
	bystander(AIRS_REST_FOR_ONE, "-a -b +a ");
}
END_TEST

START_TEST(temporary_child_does_not_restart_its_group)
{
	world_begin(1);
	struct airs_child_spec children[] = { child_of(&a, AIRS_TEMPORARY),
		child_of(&b, AIRS_PERMANENT) };
	struct airs_supervisor_options options =
			options_of(children, 2, AIRS_ONE_FOR_ALL);

	supervise(&options);
	assert_trace("+a +b ");
	crash(&a);
	assert_trace("-a ");
	world_end();
}
END_TEST

START_TEST(transient_child_that_was_done_starts_again_with_its_group)
{
	world_begin(1);
	struct airs_child_spec children[] = { child_of(&a, AIRS_TRANSIENT),
		child_of(&b, AIRS_PERMANENT) };
	struct airs_supervisor_options options =
			options_of(children, 2, AIRS_ONE_FOR_ALL);

	supervise(&options);
	end_with(&a, AIRS_REASON_NORMAL);
	assert_trace("+a +b -a ");
	crash(&b);
	assert_trace("-b +a +b ");
	world_end();
}
END_TEST

START_TEST(multiple_restarts)
{
	struct airs_child_spec child;
	struct airs_supervisor_options options;

	world_begin(1);
	child = child_of(&a, AIRS_PERMANENT);
	options = options_of(&child, 1, AIRS_ONE_FOR_ONE);
	options.period_usec = SEC;
	supervise(&options);
	for (unsigned int i = 1; i <= 10; i++) {
		crash(&a);
		ck_assert_uint_eq(a.starts, i + 1);
		world_pass(SEC + 1);
	}
	/* One microsecond less, and the one before counts too. */
	crash(&a);
	world_pass(SEC);
	crash(&a);
	assert_escalated();
	ck_assert_uint_eq(a.starts, 12);
	world_end();
}
END_TEST

START_TEST(intensity_zero_ends_at_the_first_crash)
{
	supervise_four(AIRS_ONE_FOR_ONE, 0);
	crash(&b);
	assert_trace("-b -d -c -a ");
	assert_escalated();
	world_end();
}
END_TEST

START_TEST(one_for_one)
{
	supervise_four(AIRS_ONE_FOR_ONE, 2);
	crash(&b);
	assert_trace("-b +b ");
	crash(&a);
	assert_trace("-a +a ");
	ck_assert_int_eq(world.ended, 0);
	crash(&b);
	assert_trace("-b -d -c -a ");
	assert_escalated();
	ck_assert_str_eq(world.end_reason.text, "restart intensity exceeded");
	world_end();
}
END_TEST

START_TEST(one_for_one_escalation)
{
	supervise_four(AIRS_ONE_FOR_ONE, 4);
	b.failures = 100;
	crash(&b);
	assert_trace("-b !b !b !b !b -d -c -a ");
	assert_escalated();
	world_end();
}
END_TEST

START_TEST(one_for_all)
{
	airs_pid before;

	supervise_four(AIRS_ONE_FOR_ALL, 2);
	before = d.pid;
	crash(&b);
	assert_trace("-b -d -c -a +a +b +c +d ");
	ck_assert_uint_ne(d.pid, before);
	crash(&d);
	assert_trace("-d -c -b -a +a +b +c +d ");
	crash(&a);
	assert_trace("-a -d -c -b ");
	assert_escalated();
	world_end();
}
END_TEST

START_TEST(one_for_all_escalation)
{
	supervise_four(AIRS_ONE_FOR_ALL, 2);
	d.failures = 100;
	crash(&a);
	assert_trace("-a -d -c -b +a +b +c !d -c -b -a +a +b +c !d -c -b -a ");
	assert_escalated();
	world_end();
}
END_TEST

START_TEST(one_for_all_other_child_fails_restart)
{
	supervise_four(AIRS_ONE_FOR_ALL, 5);
	c.failures = 1;
	crash(&a);
	assert_trace("-a -d -c -b +a +b !c -b -a +a +b +c +d ");
	ck_assert_int_eq(world.ended, 0);
	world_end();
}
END_TEST

START_TEST(rest_for_one)
{
	airs_pid kept;

	supervise_four(AIRS_REST_FOR_ONE, 2);
	kept = a.pid;
	crash(&b);
	assert_trace("-b -d -c +b +c +d ");
	ck_assert_uint_eq(a.pid, kept);
	crash(&d);
	assert_trace("-d +d ");
	crash(&c);
	assert_trace("-c -d -b -a ");
	assert_escalated();
	world_end();
}
END_TEST

START_TEST(rest_for_one_escalation)
{
	supervise_four(AIRS_REST_FOR_ONE, 2);
	c.failures = 100;
	crash(&b);
	assert_trace("-b -d -c +b !c !c -b -a ");
	assert_escalated();
	world_end();
}
END_TEST

START_TEST(rest_for_one_other_child_fails_restart)
{
	supervise_four(AIRS_REST_FOR_ONE, 5);
	c.failures = 1;
	crash(&b);
	/* b, which has started again by then, is left alone. */
	assert_trace("-b -d -c +b !c +c +d ");
	world_end();
}
END_TEST

START_TEST(count_restarting_children)
{
	struct airs_child_counts counts;

	supervise_four(AIRS_ONE_FOR_ONE, 5000);
	b.init_result = c.init_result = AIRS_INIT_LATER;
	b.start_usec = c.start_usec = 0;
	kill_pid_later(b.pid);
	kill_pid_later(c.pid);
	world_run();
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_STARTING);
	counts = count_children();
	ck_assert_uint_eq(counts.specs, 4);
	ck_assert_uint_eq(counts.active, 4);
	ck_assert_int_eq(do_terminate("b"), 0);
	counts = count_children();
	ck_assert_uint_eq(counts.specs, 4);
	ck_assert_uint_eq(counts.active, 3);
	world_end();
}
END_TEST

START_TEST(failing_restarts_leave_room_for_requests)
{
	const struct answer *terminated;

	supervise_four(AIRS_ONE_FOR_ONE, UINT32_MAX);
	/* It would fail for ever. */
	b.failures = UINT32_MAX;
	kill_pid_later(b.pid);
	terminated = ask_terminate("b");
	world_run();
	ck_assert_int_eq(terminated->arrived, 1);
	ck_assert_int_eq(terminated->status, 0);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_STOPPED);
	ck_assert_int_eq(world.ended, 0);
	b.failures = 0;
	ck_assert_int_eq(do_restart("b"), 0);
	world_end();
}
END_TEST

START_TEST(crash_during_a_group_restart_of_a_child_already_started_begins_anew)
{
	supervise_four(AIRS_ONE_FOR_ALL, 5);
	c.init_result = AIRS_INIT_LATER;
	c.start_usec = SEC;
	crash(&d);
	assert_trace("-d -c -b -a +a +b +c ");
	crash(&a);
	assert_trace("-a -c -b +a +b +c ");
	world_pass(SEC);
	assert_trace("+d ");
	ck_assert_int_eq(world.ended, 0);
	ck_assert_uint_eq(count_events(AIRS_EVENT_CHILD_ENDED, NULL), 2);
	world_end();
}
END_TEST

START_TEST(crash_of_an_earlier_child_during_the_stop_widens_the_group)
{
	supervise_four(AIRS_REST_FOR_ONE, 5);
	d.manner = WORKER_IS_SLOW;
	d.stop_usec = SEC;
	crash(&c);
	assert_trace("-c ");
	ck_assert_int_eq(state_of("d"), AIRS_CHILD_STOPPING);
	crash(&a);
	assert_trace("-a ");
	world_pass(SEC);
	assert_trace("-d -b +a +b +c +d ");
	world_end();
}
END_TEST

START_TEST(crash_of_a_child_whose_group_is_being_stopped_does_not_count)
{
	supervise_four(AIRS_ONE_FOR_ALL, 1);
	d.manner = WORKER_IS_SLOW;
	d.stop_usec = SEC;
	crash(&b);
	assert_trace("-b ");
	crash(&a);
	assert_trace("-a ");
	world_pass(SEC);
	assert_trace("-d -c +a +b +c +d ");
	ck_assert_int_eq(world.ended, 0);
	ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_ENDED, "a", 0)->decision,
			AIRS_DECISION_GROUP);
	ck_assert_str_eq(event_of(AIRS_EVENT_CHILD_ENDED, "a", 0)->cause, "b");
	world_end();
}
END_TEST

START_TEST(child_terminated_by_request_stays_down_when_its_group_restarts)
{
	supervise_four(AIRS_ONE_FOR_ALL, 5);
	ck_assert_int_eq(do_terminate("c"), 0);
	assert_trace("-c ");
	crash(&a);
	assert_trace("-a -d -b +a +b +d ");
	ck_assert_int_eq(state_of("c"), AIRS_CHILD_STOPPED);
	world_end();
}
END_TEST

START_TEST(thousand_children_killed_at_once_all_come_back)
{
	static struct worker workers[1000];
	static char ids[1000][16];
	static struct airs_child_spec children[1000];
	struct airs_supervisor_options options;

	world_begin(7);
	for (size_t i = 0; i < 1000; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "w%zu", i);
		workers[i].id = ids[i];
		children[i] = child_of(&workers[i], AIRS_PERMANENT);
	}
	options = options_of(children, 1000, AIRS_ONE_FOR_ONE);
	options.intensity = 1000;
	supervise(&options);
	ck_assert_uint_eq(count_children().active, 1000);
	for (size_t i = 0; i < 1000; i++)
		kill_pid_later(workers[i].pid);
	world_run();
	ck_assert_uint_eq(count_children().active, 1000);
	for (size_t i = 0; i < 1000; i++) {
		ck_assert_uint_eq(workers[i].starts, 2);
		ck_assert_int_eq(airs_is_alive(world.system, workers[i].pid), 1);
	}
	kill_worker(&workers[500]);
	assert_escalated();
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(airs_is_alive(world.system, workers[i].pid), 0);
	world_end();
}
END_TEST

START_TEST(child_that_cannot_be_spawned_counts_and_escalates)
{
	world_begin(1);
	struct airs_child_spec inner = child_of(&a, AIRS_PERMANENT);
	struct airs_supervisor_options nested = options_of(&inner, 1, AIRS_ONE_FOR_ONE);
	struct airs_child_spec children[] = {
		{ .size = sizeof(children[0]), .id = "s", .supervisor = &nested },
		child_of(&b, AIRS_PERMANENT),
	};
	struct airs_supervisor_options options =
			options_of(children, 2, AIRS_ONE_FOR_ONE);
	airs_pid inner_pid;

	nested.name = "inner";
	options.intensity = 3;
	supervise(&options);
	inner_pid = airs_whereis(world.system, "inner");
	/* Its name is taken by somebody else from now on. */
	ck_assert_int_eq(airs_unregister(world.system, "inner"), 0);
	ck_assert_int_eq(airs_register(world.system, "inner", world.boss), 0);
	kill_pid_later(inner_pid);
	world_run();
	assert_escalated();
	ck_assert_uint_eq(count_events(AIRS_EVENT_CHILD_START_FAILED, "s"), 3);
	ck_assert_int_eq(event_of(AIRS_EVENT_CHILD_START_FAILED, "s", 0)->reason.code,
			EEXIST);
	ck_assert_uint_eq(b.terminates, 1);
	world_end();
}
END_TEST

TEST_MAIN("supervisor-restart", permanent_normal, transient_normal, temporary_normal,
		permanent_shutdown, transient_shutdown, temporary_shutdown,
		permanent_abnormal, transient_abnormal, temporary_abnormal,
		temporary_bystander, temporary_child_does_not_restart_its_group,
		transient_child_that_was_done_starts_again_with_its_group,
		multiple_restarts, intensity_zero_ends_at_the_first_crash, one_for_one,
		one_for_one_escalation, one_for_all, one_for_all_escalation,
		one_for_all_other_child_fails_restart, rest_for_one,
		rest_for_one_escalation, rest_for_one_other_child_fails_restart,
		count_restarting_children, failing_restarts_leave_room_for_requests,
		crash_during_a_group_restart_of_a_child_already_started_begins_anew,
		crash_of_an_earlier_child_during_the_stop_widens_the_group,
		crash_of_a_child_whose_group_is_being_stopped_does_not_count,
		child_terminated_by_request_stays_down_when_its_group_restarts,
		thousand_children_killed_at_once_all_come_back,
		child_that_cannot_be_spawned_counts_and_escalates)
