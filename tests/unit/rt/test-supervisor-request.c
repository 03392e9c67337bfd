/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Requests to supervisors, above all in awkward moments. */
#include <errno.h>

#include "supervised.h"
#include "support/test.h"

static struct worker a = { .id = "a" }, b = { .id = "b" }, c = { .id = "c" };

static void supervise_two(enum airs_strategy strategy)
{
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_PERMANENT) };
	struct airs_supervisor_options options = options_of(children, 2, strategy);

	options.intensity = 100;
	supervise(&options);
}

START_TEST(child_adm)
{
	struct airs_child_spec spec;
	const struct answer *answer;

	world_begin(1);
	supervise_two(AIRS_ONE_FOR_ONE);
	spec = child_of(&c, AIRS_PERMANENT);
	/* Start. */
	answer = ask_start(&spec);
	world_run();
	ck_assert_int_eq(answer->status, 0);
	ck_assert_uint_eq(answer->pid, c.pid);
	ck_assert_int_eq(do_start(&spec), -EEXIST);
	ck_assert_uint_eq(count_children().specs, 3);
	/* What a running one refuses. */
	ck_assert_int_eq(do_restart("c"), -EBUSY);
	ck_assert_int_eq(do_delete("c"), -EBUSY);
	/* Terminate, twice. */
	ck_assert_int_eq(do_terminate("c"), 0);
	ck_assert_int_eq(state_of("c"), AIRS_CHILD_STOPPED);
	ck_assert_uint_eq(look_at("c")->pid, AIRS_PID_NONE);
	ck_assert_int_eq(do_terminate("c"), 0);
	ck_assert_int_eq(do_start(&spec), -EEXIST);
	/* Restart. */
	answer = ask_restart("c");
	world_run();
	ck_assert_int_eq(answer->status, 0);
	ck_assert_uint_eq(answer->pid, c.pid);
	/* Delete. */
	ck_assert_int_eq(do_terminate("c"), 0);
	ck_assert_int_eq(do_delete("c"), 0);
	ck_assert_int_eq(state_of("c"), -1);
	ck_assert_int_eq(do_delete("c"), -ENOENT);
	ck_assert_int_eq(do_terminate("c"), -ENOENT);
	ck_assert_int_eq(do_restart("c"), -ENOENT);
	ck_assert_int_eq(do_start(&spec), 0);
	ck_assert_uint_eq(count_children().active, 3);
	world_end();
}
END_TEST

START_TEST(children_are_listed_in_start_order)
{
	world_begin(1);
	supervise_two(AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec = child_of(&c, AIRS_PERMANENT);

	spec.cookie = 42;
	ck_assert_int_eq(do_start(&spec), 0);
	ck_assert_uint_eq(look_at("c")->cookie, 42);
	ck_assert_uint_eq(world.n_info, 3);
	ck_assert_str_eq(world.info[0].id, "a");
	ck_assert_str_eq(world.info[1].id, "b");
	ck_assert_str_eq(world.info[2].id, "c");
	ck_assert_uint_eq(world.info[1].pid, b.pid);
	world_end();
}
END_TEST

START_TEST(terminated_temporary_child_is_forgotten)
{
	world_begin(1);
	supervise_two(AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec = child_of(&c, AIRS_TEMPORARY);

	ck_assert_int_eq(do_start(&spec), 0);
	ck_assert_int_eq(do_terminate("c"), 0);
	ck_assert_int_eq(state_of("c"), -1);
	ck_assert_int_eq(do_start(&spec), 0);
	world_end();
}
END_TEST

START_TEST(child_that_starts_is_terminated_at_once)
{
	const struct answer *started, *terminated;

	world_begin(1);
	supervise_two(AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec = child_of(&c, AIRS_PERMANENT);

	c.init_result = AIRS_INIT_LATER;
	started = ask_start(&spec);
	world_run();
	ck_assert_int_eq(started->arrived, 0);
	ck_assert_int_eq(state_of("c"), AIRS_CHILD_STARTING);
	terminated = ask_terminate("c");
	world_run();
	ck_assert_int_eq(terminated->status, 0);
	ck_assert_int_eq(terminated->arrived, 1);
	ck_assert_int_eq(started->arrived, 1);
	ck_assert_int_eq(started->status, -ECANCELED);
	ck_assert_uint_eq(started->reason.reason_class, AIRS_REASON_SHUTDOWN);
	ck_assert_int_eq(state_of("c"), AIRS_CHILD_STOPPED);
	world_end();
}
END_TEST

START_TEST(requests_are_served_while_a_child_starts)
{
	const struct answer *started;

	world_begin(1);
	supervise_two(AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec = child_of(&c, AIRS_PERMANENT);

	c.init_result = AIRS_INIT_LATER;
	c.start_usec = SEC;
	started = ask_start(&spec);
	world_run();
	ck_assert_int_eq(do_start(&spec), -EEXIST);
	ck_assert_int_eq(do_restart("c"), -EBUSY);
	ck_assert_int_eq(do_delete("c"), -EBUSY);
	ck_assert_int_eq(do_terminate("a"), 0);
	ck_assert_uint_eq(count_children().specs, 3);
	crash(&b);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	world_pass(SEC);
	ck_assert_int_eq(started->arrived, 1);
	ck_assert_uint_eq(started->pid, c.pid);
	world_end();
}
END_TEST

START_TEST(requests_about_a_child_that_stops_are_served_in_their_order)
{
	const struct answer *terminated, *restarted, *again, *deleted, *late;

	world_begin(1);
	a.manner = WORKER_IS_SLOW;
	a.stop_usec = SEC;
	supervise_two(AIRS_ONE_FOR_ONE);
	terminated = ask_terminate("a");
	world_run();
	restarted = ask_restart("a");
	world_run();
	again = ask_terminate("a");
	world_run();
	deleted = ask_delete("a");
	world_run();
	late = ask_restart("a");
	world_run();
	ck_assert_int_eq(terminated->arrived + restarted->arrived + again->arrived, 0);
	world_pass(SEC);
	ck_assert_int_eq(terminated->arrived, 1);
	ck_assert_int_eq(terminated->status, 0);
	/* Started again, and on its way down again before that start was over or soon
	 * after. */
	world_pass(SEC);
	ck_assert_int_eq(restarted->arrived, 1);
	ck_assert_int_eq(again->arrived, 1);
	ck_assert_int_eq(again->status, 0);
	ck_assert_uint_eq(a.starts, 2);
	ck_assert_int_eq(deleted->arrived, 1);
	ck_assert_int_eq(deleted->status, 0);
	ck_assert_int_eq(late->arrived, 1);
	ck_assert_int_eq(late->status, -ENOENT);
	ck_assert_int_eq(state_of("a"), -1);
	world_end();
}
END_TEST

START_TEST(two_terminations_are_both_answered)
{
	const struct answer *first, *second;

	world_begin(1);
	a.manner = WORKER_IS_SLOW;
	a.stop_usec = SEC;
	supervise_two(AIRS_ONE_FOR_ONE);
	first = ask_terminate("a");
	second = ask_terminate("a");
	world_pass(SEC);
	ck_assert_int_eq(first->arrived, 1);
	ck_assert_int_eq(second->arrived, 1);
	ck_assert_int_eq(first->status, 0);
	ck_assert_int_eq(second->status, 0);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_STOPPED);
	world_end();
}
END_TEST

START_TEST(child_added_while_others_start_has_its_turn_after_them)
{
	const struct answer *started;

	world_begin(1);
	a.init_result = AIRS_INIT_LATER;
	a.start_usec = SEC;
	supervise_two(AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec = child_of(&c, AIRS_PERMANENT);

	started = ask_start(&spec);
	world_run();
	assert_trace("+a ");
	ck_assert_int_eq(started->arrived, 0);
	world_pass(SEC);
	assert_trace("+b +c ");
	ck_assert_int_eq(started->status, 0);
	ck_assert_uint_eq(started->pid, c.pid);
	ck_assert_int_eq(world.started, 1);
	world_end();
}
END_TEST

START_TEST(child_added_while_a_group_stops_starts_with_it)
{
	const struct answer *started;

	world_begin(1);
	b.manner = WORKER_IS_SLOW;
	b.stop_usec = SEC;
	supervise_two(AIRS_ONE_FOR_ALL);
	crash(&a);
	assert_trace("+a +b -a ");
	struct airs_child_spec spec = child_of(&c, AIRS_PERMANENT);

	started = ask_start(&spec);
	world_run();
	ck_assert_int_eq(started->arrived, 0);
	world_pass(SEC);
	assert_trace("-b +a +b +c ");
	ck_assert_int_eq(started->arrived, 1);
	ck_assert_int_eq(started->status, 0);
	world_end();
}
END_TEST

START_TEST(child_terminated_while_its_group_stops_stays_down)
{
	world_begin(1);
	b.manner = WORKER_IS_SLOW;
	b.stop_usec = SEC;
	supervise_two(AIRS_ONE_FOR_ALL);
	crash(&a);
	ck_assert_int_eq(do_terminate("b"), -EINPROGRESS);
	ck_assert_int_eq(do_restart("a"), -EAGAIN);
	world_pass(SEC);
	assert_trace("+a +b -a -b +a ");
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_STOPPED);
	world_end();
}
END_TEST

START_TEST(child_is_held_when_added_held)
{
	world_begin(1);
	supervise_two(AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec = child_of(&c, AIRS_PERMANENT);
	const struct answer *answer;

	spec.initial = AIRS_INITIAL_HOLD;
	answer = ask_start(&spec);
	world_run();
	ck_assert_int_eq(answer->status, 0);
	ck_assert_uint_eq(answer->pid, AIRS_PID_NONE);
	ck_assert_uint_eq(c.starts, 0);
	ck_assert_int_eq(do_restart("c"), 0);
	ck_assert_uint_eq(c.starts, 1);
	world_end();
}
END_TEST

START_TEST(bad_specification_is_refused_by_the_asker)
{
	world_begin(1);
	supervise_two(AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec = child_of(&c, AIRS_PERMANENT);
	airs_ref ref = 7;

	spec.id = "";
	ck_assert_int_eq(airs_supervisor_start_child(
					 NULL, world.supervisor, &spec, SEC, &ref),
			-EINVAL);
	ck_assert_int_eq(airs_supervisor_terminate_child(
					 NULL, world.supervisor, "", SEC, &ref),
			-EINVAL);
	ck_assert_uint_eq(ref, 7);
	world_end();
}
END_TEST

START_TEST(requests_to_a_supervisor_that_ends_are_answered)
{
	const struct answer *started, *restarted;

	world_begin(1);
	b.manner = WORKER_IS_SLOW;
	b.stop_usec = SEC;
	supervise_two(AIRS_ONE_FOR_ONE);
	ck_assert_int_eq(do_terminate("a"), 0);
	tell_to_end();
	struct airs_child_spec spec = child_of(&c, AIRS_PERMANENT);

	started = ask_start(&spec);
	restarted = ask_restart("a");
	world_run();
	ck_assert_int_eq(started->status, -ESHUTDOWN);
	ck_assert_int_eq(restarted->status, -ESHUTDOWN);
	ck_assert_int_eq(do_terminate("b"), -EINPROGRESS);
	world_pass(SEC);
	ck_assert_int_eq(world.ended, 1);
	ck_assert_int_eq(do_terminate("a"), -ESRCH);
	world_end();
}
END_TEST

START_TEST(restart_by_request_does_not_count)
{
	world_begin(1);
	struct airs_child_spec child = child_of(&a, AIRS_PERMANENT);
	struct airs_supervisor_options options = options_of(&child, 1, AIRS_ONE_FOR_ONE);

	supervise(&options);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(do_terminate("a"), 0);
		ck_assert_int_eq(do_restart("a"), 0);
	}
	crash(&a);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	ck_assert_int_eq(world.ended, 0);
	world_end();
}
END_TEST

START_TEST(child_started_by_request_crashes_like_any_other)
{
	world_begin(1);
	supervise_two(AIRS_REST_FOR_ONE);
	struct airs_child_spec spec = child_of(&c, AIRS_PERMANENT);

	ck_assert_int_eq(do_start(&spec), 0);
	crash(&b);
	assert_trace("+a +b +c -b -c +b +c ");
	c.failures = 1;
	crash(&c);
	assert_trace("-c !c +c ");
	world_end();
}
END_TEST

START_TEST(added_children_do_not_accumulate)
{
	world_begin(1);
	supervise_two(AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec = child_of(&c, AIRS_TEMPORARY);

	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(do_start(&spec), 0);
		end_with(&c, i % 2 ? AIRS_REASON_NORMAL : AIRS_REASON_USER);
		ck_assert_uint_eq(count_children().specs, 2);
	}
	world_end();
}
END_TEST

START_TEST(updated_child_runs_on_and_is_treated_by_its_new_specification)
{
	struct airs_child_spec spec;
	airs_pid before;

	world_begin(1);
	supervise_two(AIRS_ONE_FOR_ONE);
	before = a.pid;
	spec = child_of(&a, AIRS_TEMPORARY);
	spec.cookie = 7;
	ck_assert_int_eq(do_update(&spec), 0);
	ck_assert_uint_eq(a.pid, before);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	ck_assert_uint_eq(look_at("a")->cookie, 7);
	/* Found by its id afterwards, and no longer restarted. */
	ck_assert_int_eq(do_update(&spec), 0);
	crash(&a);
	ck_assert_int_eq(state_of("a"), -1);
	ck_assert_uint_eq(a.starts, 1);
	ck_assert_int_eq(do_update(&spec), -ENOENT);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	world_end();
}
END_TEST

TEST_MAIN("supervisor-request", child_adm,
		updated_child_runs_on_and_is_treated_by_its_new_specification,
		children_are_listed_in_start_order,
		terminated_temporary_child_is_forgotten,
		child_that_starts_is_terminated_at_once,
		requests_are_served_while_a_child_starts,
		requests_about_a_child_that_stops_are_served_in_their_order,
		two_terminations_are_both_answered,
		child_added_while_others_start_has_its_turn_after_them,
		child_added_while_a_group_stops_starts_with_it,
		child_terminated_while_its_group_stops_stays_down,
		child_is_held_when_added_held, bad_specification_is_refused_by_the_asker,
		requests_to_a_supervisor_that_ends_are_answered,
		restart_by_request_does_not_count,
		child_started_by_request_crashes_like_any_other,
		added_children_do_not_accumulate)
