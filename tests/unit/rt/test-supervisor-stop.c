/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* How supervisors end their children and themselves. Names that begin with "sup_" are
 * OTP's. */
#include <errno.h>

#include "supervised.h"
#include "support/test.h"

static struct worker a = { .id = "a" }, b = { .id = "b" }, c = { .id = "c" },
		     d = { .id = "d" };

static void supervise_three(enum airs_order order, uint64_t shutdown_usec)
{
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_TRANSIENT), child_of(&c, AIRS_TEMPORARY) };
	struct airs_supervisor_options options =
			options_of(children, 3, AIRS_ONE_FOR_ONE);

	for (size_t i = 0; i < 3; i++)
		children[i].shutdown_usec = shutdown_usec;
	options.order = order;
	supervise(&options);
	if (order == AIRS_ORDERED)
		assert_trace("+a +b +c ");
}

static void assert_all_gone(void)
{
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_SHUTDOWN);
	ck_assert_int_eq(airs_is_alive(world.system, a.pid), 0);
	ck_assert_int_eq(airs_is_alive(world.system, b.pid), 0);
	ck_assert_int_eq(airs_is_alive(world.system, c.pid), 0);
	/* Boss and observer. */
	ck_assert_uint_eq(airs_system_actor_count(world.system), 2);
}

START_TEST(sup_stop_infinity)
{
	world_begin(1);
	c.manner = WORKER_IS_SLOW;
	c.stop_usec = 3600 * SEC;
	supervise_three(AIRS_ORDERED, AIRS_INFINITY);
	tell_to_end();
	assert_trace("");
	world_pass(3600 * SEC - 1);
	ck_assert_int_eq(world.ended, 0);
	world_pass(1);
	assert_trace("-c -b -a ");
	assert_all_gone();
	world_end();
}
END_TEST

START_TEST(sup_stop_timeout)
{
	world_begin(1);
	b.manner = WORKER_IS_DEAF;
	supervise_three(AIRS_ORDERED, 2 * SEC);
	tell_to_end();
	assert_trace("-c ");
	world_pass(2 * SEC - 1);
	ck_assert_int_eq(world.ended, 0);
	world_pass(1);
	assert_trace("-a ");
	assert_all_gone();
	ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_STOPPED, "b", 0)->reason.reason_class,
			AIRS_REASON_KILLED);
	ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_STOPPED, "a", 0)->reason.reason_class,
			AIRS_REASON_SHUTDOWN);
	world_end();
}
END_TEST

START_TEST(sup_stop_brutal_kill)
{
	world_begin(1);
	supervise_three(AIRS_ORDERED, AIRS_SHUTDOWN_BRUTAL);
	tell_to_end();
	assert_trace("");
	assert_all_gone();
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(event_of(AIRS_EVENT_CHILD_STOPPED, NULL, i)
						  ->reason.reason_class,
				AIRS_REASON_KILLED);
	world_end();
}
END_TEST

START_TEST(sup_stop_race)
{
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct airs_reason reason =
				airs_reason_make(AIRS_REASON_SHUTDOWN, 0, NULL);

		a.pid = b.pid = c.pid = 0;
		world_begin(seed);
		supervise_three(AIRS_ORDERED, 2 * SEC);
		airs_system_exit_signal(world.system, c.pid, &reason);
		kill_pid_later(a.pid);
		tell_to_end();
		world_pass(10 * SEC);
		assert_all_gone();
		world_end();
	}
}
END_TEST

START_TEST(sup_stop_non_shutdown_exit)
{
	world_begin(1);
	a.manner = b.manner = c.manner = WORKER_IS_ODD;
	supervise_three(AIRS_ORDERED, 2 * SEC);
	tell_to_end();
	assert_trace("-c -b -a ");
	assert_all_gone();
	world_end();
}
END_TEST

START_TEST(child_unlink)
{
	airs_pid before;

	world_begin(1);
	a.manner = b.manner = WORKER_LEFT;
	supervise_three(AIRS_ORDERED, SEC);
	before = a.pid;
	crash(&a);
	ck_assert_uint_ne(a.pid, before);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	ck_assert_int_eq(do_terminate("b"), 0);
	ck_assert_int_eq(airs_is_alive(world.system, b.pid), 0);
	tell_to_end();
	assert_all_gone();
	world_end();
}
END_TEST

START_TEST(order_of_children)
{
	struct airs_child_spec spec;

	world_begin(1);
	supervise_three(AIRS_ORDERED, SEC);
	spec = child_of(&d, AIRS_PERMANENT);
	ck_assert_int_eq(do_start(&spec), 0);
	/* A restarted child keeps its place. */
	crash(&b);
	ck_assert_int_eq(do_terminate("a"), 0);
	ck_assert_int_eq(do_restart("a"), 0);
	assert_trace("+d -b +b -a +a ");
	tell_to_end();
	assert_trace("-d -c -b -a ");
	world_end();
}
END_TEST

START_TEST(parallel_children_stop_at_the_same_time)
{
	world_begin(1);
	a.manner = b.manner = c.manner = WORKER_IS_SLOW;
	a.stop_usec = b.stop_usec = c.stop_usec = SEC;
	supervise_three(AIRS_PARALLEL, 2 * SEC);
	tell_to_end();
	world_pass(SEC);
	assert_all_gone();
	ck_assert_uint_eq(a.terminates + b.terminates + c.terminates, 3);
	world_end();
}
END_TEST

START_TEST(ordered_children_stop_one_after_the_other)
{
	world_begin(1);
	a.manner = b.manner = c.manner = WORKER_IS_SLOW;
	a.stop_usec = b.stop_usec = c.stop_usec = SEC;
	supervise_three(AIRS_ORDERED, 2 * SEC);
	tell_to_end();
	assert_trace("");
	world_pass(SEC);
	assert_trace("-c ");
	world_pass(SEC);
	assert_trace("-b ");
	world_pass(SEC);
	assert_trace("-a ");
	assert_all_gone();
	world_end();
}
END_TEST

START_TEST(child_that_crashes_while_the_supervisor_stops_stays_down)
{
	world_begin(1);
	c.manner = WORKER_IS_SLOW;
	c.stop_usec = SEC;
	supervise_three(AIRS_ORDERED, 2 * SEC);
	tell_to_end();
	crash(&a);
	assert_trace("-a ");
	world_pass(SEC);
	assert_trace("-c -b ");
	assert_all_gone();
	ck_assert_uint_eq(a.starts, 1);
	world_end();
}
END_TEST

START_TEST(stop_of_a_stuck_child_under_way_is_part_of_the_end)
{
	world_begin(1);
	a.manner = WORKER_IS_DEAF;
	supervise_three(AIRS_ORDERED, 2 * SEC);
	ck_assert_int_eq(do_terminate("a"), -EINPROGRESS);
	world_pass(SEC);
	tell_to_end();
	assert_trace("-c -b ");
	world_pass(SEC);
	assert_all_gone();
	world_end();
}
END_TEST

START_TEST(first_reason_to_end_is_the_one_that_is_told)
{
	world_begin(1);
	c.manner = WORKER_IS_SLOW;
	c.stop_usec = SEC;
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&c, AIRS_PERMANENT) };
	struct airs_supervisor_options options =
			options_of(children, 2, AIRS_ONE_FOR_ONE);

	options.intensity = 0;
	supervise(&options);
	crash(&a);
	tell_to_end();
	world_pass(SEC);
	ck_assert_int_eq(world.ended, 1);
	ck_assert_str_eq(world.end_reason.text, "restart intensity exceeded");
	world_end();
}
END_TEST

START_TEST(killed_supervisor_takes_its_children_along)
{
	world_begin(1);
	a.manner = WORKER_IS_BARE;
	supervise_three(AIRS_ORDERED, 2 * SEC);
	kill_pid_later(world.supervisor);
	world_run();
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_KILLED);
	ck_assert_uint_eq(airs_system_actor_count(world.system), 2);
	world_end();
}
END_TEST

START_TEST(exit_signals_of_others_do_not_end_a_supervisor)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_ERROR, EIO, NULL);

	world_begin(1);
	supervise_three(AIRS_ORDERED, 2 * SEC);
	airs_system_exit_signal(world.system, world.supervisor, &reason);
	world_run();
	ck_assert_int_eq(world.ended, 0);
	assert_trace("");
	world_end();
}
END_TEST

TEST_MAIN("supervisor-stop", sup_stop_infinity, sup_stop_timeout, sup_stop_brutal_kill,
		sup_stop_race, sup_stop_non_shutdown_exit, child_unlink,
		order_of_children, parallel_children_stop_at_the_same_time,
		ordered_children_stop_one_after_the_other,
		child_that_crashes_while_the_supervisor_stops_stays_down,
		stop_of_a_stuck_child_under_way_is_part_of_the_end,
		first_reason_to_end_is_the_one_that_is_told,
		killed_supervisor_takes_its_children_along,
		exit_signals_of_others_do_not_end_a_supervisor)
