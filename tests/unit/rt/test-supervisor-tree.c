/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Supervisors of supervisors. */
#include <errno.h>
#include <string.h>

#include "supervised.h"
#include "support/test.h"

static struct worker a = { .id = "a" }, b = { .id = "b" }, c = { .id = "c" },
		     d = { .id = "d" };

static struct airs_child_spec subtree_of(
		const char *id, const struct airs_supervisor_options *options)
{
	struct airs_child_spec spec = {
		.size = sizeof(spec),
		.id = id,
		.supervisor = options,
		.restart = AIRS_PERMANENT,
		.shutdown_usec = AIRS_INFINITY,
		.cookie = 1000,
	};

	return spec;
}

/*
 * root (one-for-one, 1 in 5 s)
 *   a
 *   left (rest-for-one, 1 in 5 s): b c
 *   d
 */
static void supervise_tree(enum airs_restart restart)
{
	world_begin(1);
	struct airs_child_spec leaves[] = { child_of(&b, AIRS_PERMANENT),
		child_of(&c, AIRS_PERMANENT) };
	struct airs_supervisor_options left = options_of(leaves, 2, AIRS_REST_FOR_ONE);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		subtree_of("left", &left), child_of(&d, AIRS_PERMANENT) };
	struct airs_supervisor_options root = options_of(children, 3, AIRS_ONE_FOR_ONE);

	left.name = "left";
	left.observer = AIRS_PID_NONE;
	children[1].restart = restart;
	supervise(&root);
	ck_assert_int_eq(world.start_status, 0);
	assert_trace("+a +b +c +d ");
}

START_TEST(tree)
{
	airs_pid left;

	supervise_tree(AIRS_PERMANENT);
	left = airs_whereis(world.system, "left");
	ck_assert_uint_eq(look_at("left")->pid, left);
	crash(&b);
	assert_trace("-b -c +b +c ");
	ck_assert_uint_eq(airs_whereis(world.system, "left"), left);
	/* The second one escalates: the subtree ends and starts again, the others stay.
	 */
	crash(&c);
	assert_trace("-c -b +b +c ");
	ck_assert_uint_ne(airs_whereis(world.system, "left"), left);
	ck_assert_uint_eq(a.starts, 1);
	ck_assert_uint_eq(d.starts, 1);
	ck_assert_int_eq(world.ended, 0);
	/* Its window began anew; the root's did not. */
	crash(&c);
	assert_trace("-c +c ");
	crash(&c);
	assert_trace("-c -b -d -a ");
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_SHUTDOWN);
	ck_assert_uint_eq(airs_system_actor_count(world.system), 2);
	world_end();
}
END_TEST

START_TEST(transient_subtree_that_escalates_stays_down)
{
	supervise_tree(AIRS_TRANSIENT);
	crash(&b);
	crash(&b);
	ck_assert_int_eq(state_of("left"), AIRS_CHILD_STOPPED);
	ck_assert_int_eq(world.ended, 0);
	ck_assert_int_eq(do_restart("left"), 0);
	ck_assert_uint_eq(b.starts, 3);
	world_end();
}
END_TEST

START_TEST(killed_subtree_is_restarted_with_its_children)
{
	supervise_tree(AIRS_PERMANENT);
	kill_pid_later(airs_whereis(world.system, "left"));
	world_run();
	ck_assert_int_eq(state_of("left"), AIRS_CHILD_RUNNING);
	ck_assert_uint_eq(b.starts, 2);
	ck_assert_uint_eq(c.starts, 2);
	ck_assert_uint_eq(a.starts, 1);
	/* root, left, boss, observer, four workers */
	ck_assert_uint_eq(airs_system_actor_count(world.system), 8);
	world_end();
}
END_TEST

START_TEST(whole_tree_stops_in_reverse_order)
{
	supervise_tree(AIRS_PERMANENT);
	tell_to_end();
	assert_trace("-d -c -b -a ");
	ck_assert_int_eq(world.ended, 1);
	world_end();
}
END_TEST

START_TEST(subtree_tells_that_it_is_stopping_before_it_has_ended)
{
	const struct airs_supervisor_event *e;

	supervise_tree(AIRS_PERMANENT);
	b.manner = WORKER_IS_DEAF;
	ck_assert_int_eq(do_terminate("left"), -EINPROGRESS);
	ck_assert_uint_eq(count_events(AIRS_EVENT_SUPERVISOR_STOPPING, NULL), 1);
	e = event_of(AIRS_EVENT_SUPERVISOR_STOPPING, NULL, 0);
	ck_assert_uint_eq(e->cookie, 1000);
	ck_assert_str_eq(e->supervisor_name, "left");
	ck_assert_uint_eq(e->reason.reason_class, AIRS_REASON_SHUTDOWN);
	ck_assert_uint_eq(count_events(AIRS_EVENT_SUPERVISOR_ENDED, NULL), 0);
	world_end();
}
END_TEST

START_TEST(count_children_supervisor)
{
	struct airs_child_counts counts;

	supervise_tree(AIRS_PERMANENT);
	counts = count_children();
	ck_assert_uint_eq(counts.specs, 3);
	ck_assert_uint_eq(counts.active, 3);
	ck_assert_uint_eq(counts.supervisors, 1);
	ck_assert_uint_eq(counts.workers, 2);
	ck_assert_uint_eq(look_at("left")->is_supervisor, 1);
	ck_assert_uint_eq(look_at("a")->is_supervisor, 0);
	world_end();
}
END_TEST

START_TEST(subtree_that_cannot_start_fails_the_tree)
{
	world_begin(1);
	struct airs_child_spec leaves[] = { child_of(&b, AIRS_PERMANENT),
		child_of(&c, AIRS_PERMANENT) };
	struct airs_supervisor_options left = options_of(leaves, 2, AIRS_ONE_FOR_ONE);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		subtree_of("left", &left), child_of(&d, AIRS_PERMANENT) };
	struct airs_supervisor_options root = options_of(children, 3, AIRS_ONE_FOR_ONE);

	left.name = "left";
	c.init_result = -ENOSPC;
	supervise(&root);
	assert_trace("+a +b !c -b -a ");
	ck_assert_int_eq(world.ended, 1);
	ck_assert_int_eq(world.end_reason.code, ENOSPC);
	ck_assert_uint_eq(world.end_reason.flags, AIRS_REASON_F_SHUTDOWN);
	ck_assert_str_eq(world.end_reason.text, "failed to start left: c");
	world_end();
}
END_TEST

START_TEST(subtree_waits_for_its_slow_child_before_the_next_starts)
{
	world_begin(1);
	struct airs_child_spec leaf = child_of(&b, AIRS_PERMANENT);
	struct airs_supervisor_options left = options_of(&leaf, 1, AIRS_ONE_FOR_ONE);
	struct airs_child_spec children[] = { subtree_of("left", &left),
		child_of(&d, AIRS_PERMANENT) };
	struct airs_supervisor_options root = options_of(children, 2, AIRS_ONE_FOR_ONE);

	left.name = NULL;
	b.init_result = AIRS_INIT_LATER;
	b.start_usec = SEC;
	supervise(&root);
	assert_trace("+b ");
	world_pass(SEC);
	assert_trace("+d ");
	ck_assert_int_eq(world.started, 1);
	world_end();
}
END_TEST

START_TEST(nested_supervisors_tell_the_same_observer)
{
	const struct airs_supervisor_event *e;

	supervise_tree(AIRS_PERMANENT);
	e = event_of(AIRS_EVENT_CHILD_STARTED, "b", 0);
	ck_assert_str_eq(e->supervisor_name, "left");
	ck_assert_uint_eq(e->supervisor, airs_whereis(world.system, "left"));
	/* About itself it tells the cookie of its own specification. */
	e = event_of(AIRS_EVENT_SUPERVISOR_STARTED, NULL, 0);
	ck_assert_str_eq(e->supervisor_name, "left");
	ck_assert_uint_eq(e->cookie, 1000);
	e = event_of(AIRS_EVENT_SUPERVISOR_STARTED, NULL, 1);
	ck_assert_str_eq(e->supervisor_name, "sup");
	ck_assert_uint_eq(e->cookie, 0);
	world_end();
}
END_TEST

START_TEST(stuck_subtree_is_killed_after_its_time)
{
	world_begin(1);
	struct airs_child_spec leaf = child_of(&b, AIRS_PERMANENT);
	struct airs_supervisor_options left = options_of(&leaf, 1, AIRS_ONE_FOR_ONE);
	struct airs_child_spec child = subtree_of("left", &left);
	struct airs_supervisor_options root = options_of(&child, 1, AIRS_ONE_FOR_ONE);

	left.name = "left";
	leaf.shutdown_usec = AIRS_INFINITY;
	child.shutdown_usec = 3 * SEC;
	b.manner = WORKER_IS_DEAF;
	supervise(&root);
	tell_to_end();
	world_pass(3 * SEC);
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(airs_whereis(world.system, "left"), AIRS_PID_NONE);
	world_end();
}
END_TEST

START_TEST(patient_root_outlives_its_subtrees)
{
	world_begin(1);
	struct airs_child_spec leaf = child_of(&b, AIRS_PERMANENT);
	struct airs_supervisor_options left = options_of(&leaf, 1, AIRS_ONE_FOR_ONE);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		subtree_of("left", &left) };
	struct airs_supervisor_options root = options_of(children, 2, AIRS_ONE_FOR_ONE);

	left.name = "left";
	root.escalation = AIRS_ESCALATE_CHILD;
	supervise(&root);
	for (int i = 0; i < 4; i++)
		crash(&b);
	ck_assert_int_eq(state_of("left"), AIRS_CHILD_FAILED);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	ck_assert_int_eq(world.ended, 0);
	ck_assert_int_eq(do_restart("left"), 0);
	ck_assert_int_eq(airs_is_alive(world.system, b.pid), 1);
	world_end();
}
END_TEST

TEST_MAIN("supervisor-tree", tree, transient_subtree_that_escalates_stays_down,
		killed_subtree_is_restarted_with_its_children,
		whole_tree_stops_in_reverse_order,
		subtree_tells_that_it_is_stopping_before_it_has_ended,
		count_children_supervisor, subtree_that_cannot_start_fails_the_tree,
		subtree_waits_for_its_slow_child_before_the_next_starts,
		nested_supervisors_tell_the_same_observer,
		stuck_subtree_is_killed_after_its_time,
		patient_root_outlives_its_subtrees)
