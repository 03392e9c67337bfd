/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Delays before restarts, children that are given up, and what the observer is told of
 * it. */
#include <errno.h>
#include <stdio.h>

#include "supervised.h"
#include "support/test.h"

static struct worker a = { .id = "a" }, b = { .id = "b" }, c = { .id = "c" };

static void supervise_with_backoff(
		enum airs_strategy strategy, const struct airs_backoff *backoff)
{
	world_begin(1);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_PERMANENT), child_of(&c, AIRS_PERMANENT) };
	struct airs_supervisor_options options = options_of(children, 3, strategy);

	children[1].backoff = *backoff;
	options.intensity = 100;
	supervise(&options);
	assert_trace("+a +b +c ");
}

static const struct airs_backoff one_second = { .initial_usec = SEC };
static const struct airs_backoff doubling = { .initial_usec = SEC,
	.max_usec = 8 * SEC,
	.steps = 3,
	.reset_after_usec = 100 * SEC };

START_TEST(restart_waits_for_its_delay)
{
	supervise_with_backoff(AIRS_ONE_FOR_ONE, &one_second);
	crash(&b);
	assert_trace("-b ");
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RESTARTING);
	ck_assert_uint_eq(look_at("b")->pid, AIRS_PID_NONE);
	world_pass(SEC - 1);
	assert_trace("");
	world_pass(1);
	assert_trace("+b ");
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	world_end();
}
END_TEST

START_TEST(others_are_restarted_while_one_waits)
{
	supervise_with_backoff(AIRS_ONE_FOR_ONE, &one_second);
	crash(&b);
	crash(&a);
	assert_trace("-b -a +a ");
	world_pass(SEC);
	assert_trace("+b ");
	world_end();
}
END_TEST

START_TEST(delay_grows_and_a_stable_run_resets_it)
{
	const uint64_t delays[] = { SEC, 2 * SEC, 4 * SEC, 8 * SEC, 8 * SEC };

	supervise_with_backoff(AIRS_ONE_FOR_ONE, &doubling);
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		crash(&b);
		ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_BACKOFF, "b", i)->delay_usec,
				delays[i]);
		ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_BACKOFF, "b", i)->attempt,
				i + 1);
		world_pass(delays[i] - 1);
		ck_assert_uint_eq(b.starts, i + 1);
		world_pass(1);
		ck_assert_uint_eq(b.starts, i + 2);
	}
	world_pass(100 * SEC - 1);
	crash(&b);
	ck_assert_uint_eq(
			event_of(AIRS_EVENT_CHILD_BACKOFF, "b", 5)->delay_usec, 8 * SEC);
	world_pass(8 * SEC);
	world_pass(100 * SEC);
	crash(&b);
	ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_BACKOFF, "b", 6)->delay_usec, SEC);
	ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_BACKOFF, "b", 6)->attempt, 1);
	world_end();
}
END_TEST

START_TEST(run_as_long_as_the_period_is_stable_unless_said_otherwise)
{
	const struct airs_backoff growing = {
		.initial_usec = SEC, .max_usec = 8 * SEC, .steps = 3
	};

	supervise_with_backoff(AIRS_ONE_FOR_ONE, &growing);
	crash(&b);
	world_pass(SEC);
	world_pass(5 * SEC - 1);
	crash(&b);
	ck_assert_uint_eq(
			event_of(AIRS_EVENT_CHILD_BACKOFF, "b", 1)->delay_usec, 2 * SEC);
	world_pass(2 * SEC);
	world_pass(5 * SEC);
	crash(&b);
	ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_BACKOFF, "b", 2)->delay_usec, SEC);
	world_end();
}
END_TEST

START_TEST(failed_attempts_wait_too)
{
	supervise_with_backoff(AIRS_ONE_FOR_ONE, &doubling);
	b.failures = 2;
	crash(&b);
	world_pass(SEC);
	assert_trace("-b !b ");
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RESTARTING);
	world_pass(2 * SEC);
	assert_trace("!b ");
	world_pass(4 * SEC);
	assert_trace("+b ");
	world_end();
}
END_TEST

START_TEST(jitter_spreads_restarts)
{
	const struct airs_backoff backoff = { .initial_usec = 10 * SEC,
		.jitter_percent = 50 };
	static struct worker workers[100];
	static char ids[100][8];
	static struct airs_child_spec children[100];
	struct airs_supervisor_options options;
	uint64_t low = UINT64_MAX, high = 0;

	world_begin(3);
	for (size_t i = 0; i < 100; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "w%zu", i);
		workers[i].id = ids[i];
		children[i] = child_of(&workers[i], AIRS_PERMANENT);
		children[i].backoff = backoff;
	}
	options = options_of(children, 100, AIRS_ONE_FOR_ONE);
	options.intensity = 100;
	supervise(&options);
	for (size_t i = 0; i < 100; i++)
		kill_pid_later(workers[i].pid);
	world_run();
	for (size_t i = 0; i < 100; i++) {
		uint64_t delay =
				event_of(AIRS_EVENT_CHILD_BACKOFF, ids[i], 0)->delay_usec;

		ck_assert_uint_ge(delay, 5 * SEC);
		ck_assert_uint_le(delay, 10 * SEC);
		low = MIN_OF(low, delay);
		high = MAX_OF(high, delay);
	}
	ck_assert_uint_gt(high - low, 3 * SEC);
	world_pass(10 * SEC);
	ck_assert_uint_eq(count_children().active, 100);
	world_end();
}
END_TEST

START_TEST(whole_group_waits_in_one_for_all)
{
	supervise_with_backoff(AIRS_ONE_FOR_ALL, &one_second);
	crash(&b);
	assert_trace("-b -c -a ");
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RESTARTING);
	ck_assert_int_eq(state_of("c"), AIRS_CHILD_RESTARTING);
	world_pass(SEC - 1);
	assert_trace("");
	world_pass(1);
	assert_trace("+a +b +c ");
	world_end();
}
END_TEST

START_TEST(rest_waits_in_rest_for_one)
{
	supervise_with_backoff(AIRS_REST_FOR_ONE, &one_second);
	crash(&b);
	assert_trace("-b -c ");
	/* One before them that crashes now begins at once, the two wait on. */
	world_pass(SEC / 2);
	crash(&a);
	assert_trace("-a +a ");
	world_pass(SEC / 2 - 1);
	assert_trace("");
	world_pass(1);
	assert_trace("+b +c ");
	world_end();
}
END_TEST

START_TEST(child_in_backoff_is_terminated_at_once)
{
	supervise_with_backoff(AIRS_ONE_FOR_ONE, &one_second);
	crash(&b);
	ck_assert_int_eq(do_restart("b"), -EAGAIN);
	ck_assert_int_eq(do_delete("b"), -EBUSY);
	ck_assert_int_eq(do_terminate("b"), 0);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_STOPPED);
	ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_STOPPED, "b", 0)->decision,
			AIRS_DECISION_REQUEST);
	world_pass(10 * SEC);
	ck_assert_uint_eq(b.starts, 1);
	ck_assert_int_eq(do_restart("b"), 0);
	ck_assert_uint_eq(b.starts, 2);
	world_end();
}
END_TEST

START_TEST(deleted_child_in_backoff_leaves_nothing_behind)
{
	supervise_with_backoff(AIRS_ONE_FOR_ONE, &one_second);
	crash(&b);
	ck_assert_int_eq(do_terminate("b"), 0);
	ck_assert_int_eq(do_delete("b"), 0);
	world_pass(10 * SEC);
	ck_assert_uint_eq(b.starts, 1);
	ck_assert_int_eq(state_of("b"), -1);
	world_end();
}
END_TEST

START_TEST(hanging_restart_loop)
{
	struct airs_child_spec spec;

	supervise_with_backoff(AIRS_ONE_FOR_ONE, &one_second);
	spec = child_of(&b, AIRS_PERMANENT);
	b.failures = 1000;
	crash(&b);
	for (int i = 0; i < 20; i++) {
		world_pass(SEC);
		ck_assert_int_eq(state_of("b"), AIRS_CHILD_RESTARTING);
	}
	ck_assert_int_eq(do_restart("b"), -EAGAIN);
	ck_assert_int_eq(do_delete("b"), -EBUSY);
	ck_assert_int_eq(do_start(&spec), -EEXIST);
	ck_assert_int_eq(do_terminate("b"), 0);
	ck_assert_int_eq(do_restart("b"), -ENODATA);
	b.failures = 0;
	ck_assert_int_eq(do_restart("b"), 0);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	world_end();
}
END_TEST

START_TEST(hanging_restart_loop_rest_for_one)
{
	airs_pid kept;

	supervise_with_backoff(AIRS_REST_FOR_ONE, &one_second);
	kept = a.pid;
	b.failures = 1000;
	crash(&b);
	world_pass(5 * SEC);
	ck_assert_uint_eq(look_at("a")->pid, kept);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RESTARTING);
	ck_assert_uint_eq(look_at("c")->pid, AIRS_PID_NONE);
	/* Ours, not OTP's: what waited for b no longer has to. */
	ck_assert_int_eq(do_terminate("b"), 0);
	ck_assert_int_eq(state_of("c"), AIRS_CHILD_RUNNING);
	b.failures = 0;
	ck_assert_int_eq(do_restart("b"), 0);
	ck_assert_uint_eq(look_at("a")->pid, kept);
	ck_assert_uint_eq(a.starts, 1);
	world_end();
}
END_TEST

START_TEST(group_starts_when_the_child_it_waits_for_is_terminated)
{
	supervise_with_backoff(AIRS_ONE_FOR_ALL, &one_second);
	crash(&b);
	assert_trace("-b -c -a ");
	ck_assert_int_eq(do_terminate("b"), 0);
	assert_trace("+a +c ");
	world_pass(10 * SEC);
	assert_trace("");
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_STOPPED);
	world_end();
}
END_TEST

START_TEST(supervisor_ends_at_once_while_children_wait)
{
	supervise_with_backoff(AIRS_ONE_FOR_ONE, &one_second);
	crash(&b);
	tell_to_end();
	assert_trace("-b -c -a ");
	ck_assert_int_eq(world.ended, 1);
	world_pass(10 * SEC);
	ck_assert_uint_eq(b.starts, 1);
	world_end();
}
END_TEST

START_TEST(supervisor_ends_at_once_while_its_group_waits)
{
	supervise_with_backoff(AIRS_ONE_FOR_ALL, &one_second);
	crash(&b);
	tell_to_end();
	ck_assert_int_eq(world.ended, 1);
	assert_trace("-b -c -a ");
	world_pass(10 * SEC);
	assert_trace("");
	world_end();
}
END_TEST

static void supervise_patiently(enum airs_strategy strategy)
{
	world_begin(1);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_PERMANENT), child_of(&c, AIRS_PERMANENT) };
	struct airs_supervisor_options options = options_of(children, 3, strategy);

	options.escalation = AIRS_ESCALATE_CHILD;
	options.intensity = 2;
	supervise(&options);
	assert_trace("+a +b +c ");
}

START_TEST(child_that_exceeds_its_own_intensity_is_given_up)
{
	supervise_patiently(AIRS_ONE_FOR_ONE);
	for (int i = 0; i < 2; i++) {
		crash(&a);
		crash(&b);
	}
	/* Each has its own count. */
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	crash(&b);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_FAILED);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	ck_assert_int_eq(world.ended, 0);
	ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_GIVEN_UP, "b", 0)->decision,
			AIRS_DECISION_ESCALATE);
	ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_GIVEN_UP, "b", 0)->restarts_in_window,
			3);
	ck_assert_uint_eq(count_events(AIRS_EVENT_ESCALATED, NULL), 0);
	world_end();
}
END_TEST

START_TEST(child_that_was_given_up_starts_afresh_by_request)
{
	supervise_patiently(AIRS_ONE_FOR_ONE);
	for (int i = 0; i < 3; i++)
		crash(&b);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_FAILED);
	ck_assert_int_eq(do_restart("b"), 0);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	crash(&b);
	crash(&b);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	crash(&b);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_FAILED);
	ck_assert_int_eq(do_terminate("b"), 0);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_STOPPED);
	ck_assert_int_eq(do_restart("b"), 0);
	for (int i = 0; i < 3; i++)
		crash(&b);
	ck_assert_int_eq(do_delete("b"), 0);
	ck_assert_int_eq(state_of("b"), -1);
	world_end();
}
END_TEST

START_TEST(child_given_up_leaves_its_group_running)
{
	supervise_patiently(AIRS_ONE_FOR_ALL);
	b.failures = 1000;
	crash(&b);
	assert_trace("-b -c -a +a !b -a +a !b +c ");
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_FAILED);
	ck_assert_int_eq(state_of("c"), AIRS_CHILD_RUNNING);
	ck_assert_int_eq(world.ended, 0);
	world_end();
}
END_TEST

START_TEST(events_tell_the_whole_story)
{
	const struct airs_supervisor_event *e;
	airs_pid before;

	world_begin(1);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_PERMANENT) };
	struct airs_supervisor_options options =
			options_of(children, 2, AIRS_REST_FOR_ONE);

	children[0].cookie = 11;
	children[1].cookie = 22;
	children[0].backoff = one_second;
	options.intensity = 1;
	supervise(&options);
	before = a.pid;
	crash(&a);
	world_pass(SEC);
	crash(&b);

	e = event_of(AIRS_EVENT_CHILD_STARTING, "a", 0);
	ck_assert_uint_eq(e->decision, AIRS_DECISION_NONE);
	ck_assert_uint_eq(e->child, before);
	e = event_of(AIRS_EVENT_SUPERVISOR_STARTED, NULL, 0);
	ck_assert_str_eq(e->supervisor_name, "sup");
	ck_assert_str_eq(e->id, "");
	ck_assert_uint_eq(e->supervisor, world.supervisor);
	e = event_of(AIRS_EVENT_CHILD_ENDED, "a", 0);
	ck_assert_uint_eq(e->decision, AIRS_DECISION_RESTART);
	ck_assert_uint_eq(e->strategy, AIRS_REST_FOR_ONE);
	ck_assert_uint_eq(e->restarts_in_window, 1);
	ck_assert_uint_eq(e->intensity, 1);
	ck_assert_uint_eq(e->attempt, 1);
	ck_assert_uint_eq(e->cookie, 11);
	ck_assert_uint_eq(e->child, before);
	ck_assert_uint_eq(e->delay_usec, SEC);
	ck_assert_uint_eq(e->reason.reason_class, AIRS_REASON_ERROR);
	ck_assert_str_eq(e->reason.text, "crash");
	e = event_of(AIRS_EVENT_CHILD_BACKOFF, "a", 0);
	ck_assert_uint_eq(e->delay_usec, SEC);
	e = event_of(AIRS_EVENT_CHILD_STOPPED, "b", 0);
	ck_assert_uint_eq(e->decision, AIRS_DECISION_GROUP);
	ck_assert_str_eq(e->cause, "a");
	ck_assert_uint_eq(e->cookie, 22);
	e = event_of(AIRS_EVENT_CHILD_STARTED, "a", 1);
	ck_assert_uint_eq(e->decision, AIRS_DECISION_RESTART);
	ck_assert_uint_eq(e->child, a.pid);
	e = event_of(AIRS_EVENT_CHILD_STARTED, "b", 1);
	ck_assert_uint_eq(e->decision, AIRS_DECISION_GROUP);
	ck_assert_str_eq(e->cause, "a");
	e = event_of(AIRS_EVENT_CHILD_ENDED, "b", 0);
	ck_assert_uint_eq(e->decision, AIRS_DECISION_ESCALATE);
	ck_assert_uint_eq(e->restarts_in_window, 2);
	e = event_of(AIRS_EVENT_ESCALATED, NULL, 0);
	ck_assert_uint_eq(e->restarts_in_window, 2);
	ck_assert_str_eq(e->reason.text, "crash");
	e = event_of(AIRS_EVENT_CHILD_STOPPED, "a", 0);
	ck_assert_uint_eq(e->decision, AIRS_DECISION_ESCALATE);
	e = event_of(AIRS_EVENT_SUPERVISOR_ENDED, NULL, 0);
	ck_assert_uint_eq(e->reason.reason_class, AIRS_REASON_SHUTDOWN);
	ck_assert_ptr_eq(e, &world.events[world.n_events - 1]);
	world_end();
}
END_TEST

TEST_MAIN("supervisor-backoff", restart_waits_for_its_delay,
		others_are_restarted_while_one_waits,
		delay_grows_and_a_stable_run_resets_it,
		run_as_long_as_the_period_is_stable_unless_said_otherwise,
		failed_attempts_wait_too, jitter_spreads_restarts,
		whole_group_waits_in_one_for_all, rest_waits_in_rest_for_one,
		child_in_backoff_is_terminated_at_once,
		deleted_child_in_backoff_leaves_nothing_behind, hanging_restart_loop,
		hanging_restart_loop_rest_for_one,
		group_starts_when_the_child_it_waits_for_is_terminated,
		supervisor_ends_at_once_while_children_wait,
		supervisor_ends_at_once_while_its_group_waits,
		child_that_exceeds_its_own_intensity_is_given_up,
		child_that_was_given_up_starts_afresh_by_request,
		child_given_up_leaves_its_group_running, events_tell_the_whole_story)
