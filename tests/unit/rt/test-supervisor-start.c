/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* How supervisors start. Names that begin with "sup_", "child_" or "faulty_" are OTP's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervised.h"
#include "support/test.h"

static struct worker a = { .id = "a" }, b = { .id = "b" }, c = { .id = "c" };

static void supervise_abc(enum airs_order order)
{
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_PERMANENT), child_of(&c, AIRS_PERMANENT) };
	struct airs_supervisor_options options =
			options_of(children, 3, AIRS_ONE_FOR_ONE);

	options.order = order;
	supervise(&options);
}

START_TEST(sup_start_normal)
{
	struct airs_supervisor_options options = options_of(NULL, 0, AIRS_ONE_FOR_ONE);

	world_begin(1);
	supervise(&options);
	ck_assert_int_eq(world.started, 1);
	ck_assert_int_eq(world.start_status, 0);
	tell_to_end();
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_SHUTDOWN);
	ck_assert_str_eq(world.end_reason.text, "told");
	world_end();
}
END_TEST

START_TEST(children_start_in_order_each_after_the_one_before)
{
	world_begin(1);
	a.init_result = b.init_result = AIRS_INIT_LATER;
	a.start_usec = b.start_usec = SEC;
	supervise_abc(AIRS_ORDERED);
	assert_trace("+a ");
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_STARTING);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_STOPPED);
	world_pass(SEC);
	assert_trace("+b ");
	ck_assert_int_eq(world.started, 0);
	world_pass(SEC);
	assert_trace("+c ");
	ck_assert_int_eq(world.started, 1);
	ck_assert_int_eq(state_of("c"), AIRS_CHILD_RUNNING);
	world_end();
}
END_TEST

START_TEST(parallel_children_start_without_waiting)
{
	world_begin(1);
	a.init_result = b.init_result = c.init_result = AIRS_INIT_LATER;
	a.start_usec = 3 * SEC;
	b.start_usec = 2 * SEC;
	c.start_usec = 1 * SEC;
	supervise_abc(AIRS_PARALLEL);
	ck_assert_uint_eq(a.starts + b.starts + c.starts, 3);
	world_pass(2 * SEC);
	ck_assert_int_eq(world.started, 0);
	world_pass(1 * SEC);
	ck_assert_int_eq(world.started, 1);
	ck_assert_int_eq(world.start_status, 0);
	world_end();
}
END_TEST

START_TEST(sup_start_ignore_child)
{
	struct airs_child_counts counts;

	world_begin(1);
	a.init_result = AIRS_INIT_IGNORE;
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_PERMANENT) };
	struct airs_supervisor_options options =
			options_of(children, 2, AIRS_ONE_FOR_ONE);

	supervise(&options);
	assert_trace("~a +b ");
	ck_assert_int_eq(world.start_status, 0);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_STOPPED);
	ck_assert_uint_eq(look_at("a")->pid, AIRS_PID_NONE);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	counts = count_children();
	ck_assert_uint_eq(counts.specs, 2);
	ck_assert_uint_eq(counts.active, 1);
	ck_assert_uint_eq(counts.supervisors, 0);
	ck_assert_uint_eq(counts.workers, 2);
	world_end();
}
END_TEST

START_TEST(sup_start_ignore_temporary_child)
{
	world_begin(1);
	a.init_result = AIRS_INIT_IGNORE;
	struct airs_child_spec children[] = { child_of(&a, AIRS_TEMPORARY),
		child_of(&b, AIRS_PERMANENT) };
	struct airs_supervisor_options options =
			options_of(children, 2, AIRS_ONE_FOR_ONE);

	supervise(&options);
	ck_assert_int_eq(state_of("a"), -1);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	world_end();
}
END_TEST

START_TEST(sup_start_ignore_temporary_child_start_child)
{
	struct airs_supervisor_options options = options_of(NULL, 0, AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec;
	const struct answer *answer;

	world_begin(1);
	a.init_result = AIRS_INIT_IGNORE;
	supervise(&options);
	spec = child_of(&a, AIRS_TEMPORARY);
	answer = ask_start(&spec);
	world_run();
	ck_assert_int_eq(answer->arrived, 1);
	ck_assert_int_eq(answer->status, 0);
	ck_assert_uint_eq(answer->pid, AIRS_PID_NONE);
	ck_assert_int_eq(state_of("a"), -1);
	world_end();
}
END_TEST

START_TEST(sup_start_fail)
{
	world_begin(1);
	c.init_result = -ENOSPC;
	supervise_abc(AIRS_ORDERED);
	assert_trace("+a +b !c -b -a ");
	ck_assert_int_eq(world.started, 1);
	ck_assert_int_lt(world.start_status, 0);
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_ERROR);
	ck_assert_int_eq(world.end_reason.code, ENOSPC);
	ck_assert_uint_eq(world.end_reason.flags, AIRS_REASON_F_SHUTDOWN);
	ck_assert_str_eq(world.end_reason.text, "failed to start c");
	ck_assert_mem_eq(
			&world.start_reason, &world.end_reason, sizeof(world.end_reason));
	ck_assert_uint_eq(airs_whereis(world.system, "sup"), AIRS_PID_NONE);
	world_end();
}
END_TEST

START_TEST(failing_start_of_parallel_children_stops_those_that_are_starting)
{
	world_begin(1);
	a.init_result = AIRS_INIT_LATER;
	b.init_result = -ENOSPC;
	supervise_abc(AIRS_PARALLEL);
	ck_assert_int_lt(world.start_status, 0);
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(a.terminates, 1);
	ck_assert_int_eq(airs_is_alive(world.system, a.pid), 0);
	ck_assert_int_eq(airs_is_alive(world.system, c.pid), 0);
	world_end();
}
END_TEST

START_TEST(sup_start_child_returns_error)
{
	struct airs_supervisor_options options = options_of(NULL, 0, AIRS_ONE_FOR_ONE);
	struct airs_child_spec spec;
	const struct answer *answer;

	world_begin(1);
	a.init_result = -ENOSPC;
	supervise(&options);
	spec = child_of(&a, AIRS_PERMANENT);
	answer = ask_start(&spec);
	world_run();
	ck_assert_int_eq(answer->status, -ENOSPC);
	ck_assert_uint_eq(answer->reason.reason_class, AIRS_REASON_ERROR);
	ck_assert_int_eq(answer->reason.code, ENOSPC);
	ck_assert_uint_eq(count_children().specs, 0);
	ck_assert_int_eq(world.ended, 0);
	world_end();
}
END_TEST

START_TEST(sup_start_restart_child_returns_error)
{
	world_begin(1);
	supervise_abc(AIRS_ORDERED);
	ck_assert_int_eq(do_terminate("b"), 0);
	b.failures = 1;
	ck_assert_int_eq(do_restart("b"), -ENODATA);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_STOPPED);
	ck_assert_int_eq(do_restart("b"), 0);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	world_end();
}
END_TEST

START_TEST(child_specs)
{
	static const struct airs_behaviour behaviour = { .size = sizeof(behaviour) };
	const struct airs_child_spec good = {
		.size = sizeof(good), .id = "x", .behaviour = &behaviour
	};
	struct airs_supervisor_options nested = options_of(NULL, 0, AIRS_ONE_FOR_ONE);
	char long_id[257];
	struct airs_child_spec bad[15] = { 0 };
	struct airs_supervisor_options options = options_of(bad, 1, AIRS_ONE_FOR_ONE);
	const char *what = NULL;

	memset(long_id, 'x', 256);
	long_id[256] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].size--;
	bad[1].id = NULL;
	bad[2].id = "";
	bad[3].id = long_id;
	bad[4].behaviour = NULL;
	bad[5].supervisor = &nested;
	bad[6].restart = AIRS_TEMPORARY + 1;
	bad[7].initial = AIRS_INITIAL_HOLD + 1;
	bad[8].args_size = 1;
	bad[9].args = &nested, bad[9].args_size = 65537;
	bad[10].backoff.jitter_percent = 101;
	bad[11].backoff.initial_usec = 5, bad[11].backoff.max_usec = 4;
	bad[12].backoff.max_usec = 4;
	bad[13].backoff.initial_usec = AIRS_INFINITY;
	bad[14].behaviour = NULL, bad[14].supervisor = &nested, nested.period_usec = 0;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		options.children = &bad[i];
		what = NULL;
		ck_assert_msg(airs_supervisor_check(&options, &what) == -EINVAL,
				"case %zu", i);
		ck_assert_ptr_nonnull(what);
	}
	options.children = &good;
	ck_assert_int_eq(airs_supervisor_check(&options, NULL), 0);
}
END_TEST

START_TEST(two_children_of_one_id_are_refused)
{
	struct airs_child_spec children[2] = { 0 };
	struct airs_supervisor_options options =
			options_of(children, 2, AIRS_ONE_FOR_ONE);
	const char *what = NULL;

	children[0] = children[1] = child_of(&a, AIRS_PERMANENT);
	ck_assert_int_eq(airs_supervisor_check(&options, &what), -EINVAL);
	ck_assert_str_eq(what, "child: two children have the same id");
	ck_assert_int_eq(airs_supervisor_check(&options, NULL), -EINVAL);
}
END_TEST

START_TEST(options_that_contain_themselves_are_refused)
{
	struct airs_child_spec child = { .size = sizeof(child), .id = "x" };
	struct airs_supervisor_options options = options_of(&child, 1, AIRS_ONE_FOR_ONE);

	child.supervisor = &options;
	ck_assert_int_eq(airs_supervisor_check(&options, NULL), -EINVAL);
}
END_TEST

START_TEST(sup_flags)
{
	const struct airs_supervisor_options good = options_of(NULL, 0, AIRS_ONE_FOR_ONE);
	struct airs_supervisor_options bad[7];
	airs_pid pid = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].size++;
	bad[1].strategy = AIRS_REST_FOR_ONE + 1;
	bad[2].order = AIRS_PARALLEL + 1;
	bad[3].escalation = AIRS_ESCALATE_CHILD + 1;
	bad[4].period_usec = 0;
	bad[5].n_children = 1;
	bad[6].name = "";
	world_begin(1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *what = NULL;

		ck_assert_msg(airs_supervisor_check(&bad[i], &what) == -EINVAL,
				"case %zu", i);
		ck_assert_ptr_nonnull(what);
		ck_assert_int_eq(
				airs_system_supervisor_spawn(world.system, &bad[i], &pid),
				-EINVAL);
		ck_assert_uint_eq(pid, 0);
	}
	ck_assert_int_eq(airs_supervisor_check(&good, NULL), 0);
	world_end();
}
END_TEST

START_TEST(options_are_copied_deeply)
{
	char *id = strdup("leaf"), *name = strdup("inner"), *outer = strdup("outer");
	struct airs_child_spec *leaf = malloc(sizeof(*leaf)),
			       *child = calloc(1, sizeof(*child));
	struct airs_supervisor_options *nested = malloc(sizeof(*nested)), *options;

	options = malloc(sizeof(*options));
	world_begin(1);
	*leaf = child_of(&a, AIRS_PERMANENT);
	leaf->id = id;
	*nested = options_of(leaf, 1, AIRS_ONE_FOR_ONE);
	nested->name = name;
	*child = (struct airs_child_spec){ .size = sizeof(*child),
		.id = outer,
		.supervisor = nested,
		.shutdown_usec = AIRS_INFINITY };
	*options = options_of(child, 1, AIRS_ONE_FOR_ONE);
	supervise(options);
	memset(id, 'X', 4), memset(name, 'X', 5), memset(outer, 'X', 5);
	free(id), free(name), free(outer), free(leaf), free(child), free(nested),
			free(options);
	ck_assert_int_eq(world.start_status, 0);
	/* The inner one starts again from its copy. */
	kill_pid_later(airs_whereis(world.system, "inner"));
	world_run();
	ck_assert_int_eq(state_of("outer"), AIRS_CHILD_RUNNING);
	ck_assert_uint_eq(a.starts, 2);
	ck_assert_uint_ne(airs_whereis(world.system, "inner"), AIRS_PID_NONE);
	world_end();
}
END_TEST

START_TEST(start_that_takes_too_long_fails)
{
	struct airs_child_spec child;
	struct airs_supervisor_options options;

	world_begin(1);
	child = child_of(&a, AIRS_PERMANENT);
	options = options_of(&child, 1, AIRS_ONE_FOR_ONE);
	a.init_result = AIRS_INIT_LATER;
	child.start_timeout_usec = 3 * SEC;
	supervise(&options);
	world_pass(3 * SEC - 1);
	ck_assert_int_eq(world.started, 0);
	world_pass(1);
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_TIMEOUT);
	assert_trace("+a -a ");
	world_end();
}
END_TEST

START_TEST(start_that_takes_too_long_is_killed_when_it_does_not_listen)
{
	struct airs_child_spec child;
	struct airs_supervisor_options options;

	world_begin(1);
	child = child_of(&a, AIRS_PERMANENT);
	options = options_of(&child, 1, AIRS_ONE_FOR_ONE);
	a.init_result = AIRS_INIT_LATER;
	a.manner = WORKER_IS_DEAF;
	child.start_timeout_usec = 3 * SEC;
	supervise(&options);
	world_pass(3 * SEC);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_STOPPING);
	world_pass(5 * SEC);
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_TIMEOUT);
	world_end();
}
END_TEST

START_TEST(start_timeout_ends_with_the_start)
{
	struct airs_child_spec child;
	struct airs_supervisor_options options;

	world_begin(1);
	child = child_of(&a, AIRS_PERMANENT);
	options = options_of(&child, 1, AIRS_ONE_FOR_ONE);
	child.start_timeout_usec = 3 * SEC;
	supervise(&options);
	world_pass(60 * SEC);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	ck_assert_uint_eq(a.starts, 1);
	world_end();
}
END_TEST

START_TEST(held_child_waits_for_a_request)
{
	world_begin(1);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_PERMANENT) };
	struct airs_supervisor_options options =
			options_of(children, 2, AIRS_ONE_FOR_ALL);

	children[0].initial = AIRS_INITIAL_HOLD;
	supervise(&options);
	assert_trace("+b ");
	ck_assert_int_eq(world.started, 1);
	crash(&b);
	assert_trace("-b +b ");
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_STOPPED);
	ck_assert_int_eq(do_restart("a"), 0);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_RUNNING);
	world_end();
}
END_TEST

START_TEST(parent_that_ends_while_children_start_stops_them)
{
	world_begin(1);
	b.init_result = AIRS_INIT_LATER;
	supervise_abc(AIRS_ORDERED);
	assert_trace("+a +b ");
	tell_to_end();
	assert_trace("-b -a ");
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_SHUTDOWN);
	ck_assert_int_eq(world.started, 1);
	ck_assert_int_lt(world.start_status, 0);
	world_end();
}
END_TEST

START_TEST(child_that_dies_without_a_word_during_its_start_fails)
{
	world_begin(1);
	b.init_result = AIRS_INIT_LATER;
	supervise_abc(AIRS_ORDERED);
	kill_worker(&b);
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_KILLED);
	ck_assert_uint_eq(world.end_reason.flags, AIRS_REASON_F_SHUTDOWN);
	ck_assert_uint_eq(a.terminates, 1);
	ck_assert_uint_eq(c.starts, 0);
	world_end();
}
END_TEST

START_TEST(first_child_that_crashes_while_the_last_starts_is_restarted_at_once)
{
	world_begin(1);
	c.init_result = AIRS_INIT_LATER;
	c.start_usec = SEC;
	supervise_abc(AIRS_ORDERED);
	assert_trace("+a +b +c ");
	crash(&a);
	assert_trace("-a +a ");
	ck_assert_int_eq(world.started, 0);
	world_pass(SEC);
	ck_assert_int_eq(world.started, 1);
	ck_assert_int_eq(world.start_status, 0);
	world_end();
}
END_TEST

START_TEST(failing_child_of_a_patient_supervisor_does_not_end_it)
{
	world_begin(1);
	struct airs_child_spec children[] = { child_of(&a, AIRS_PERMANENT),
		child_of(&b, AIRS_PERMANENT), child_of(&c, AIRS_TEMPORARY) };
	struct airs_supervisor_options options =
			options_of(children, 3, AIRS_ONE_FOR_ONE);

	options.escalation = AIRS_ESCALATE_CHILD;
	options.intensity = 2;
	a.init_result = -ENOSPC;
	c.init_result = -ENOSPC;
	supervise(&options);
	ck_assert_int_eq(world.start_status, 0);
	ck_assert_int_eq(world.started, 1);
	ck_assert_int_eq(state_of("a"), AIRS_CHILD_FAILED);
	ck_assert_uint_eq(a.starts, 3);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	ck_assert_int_eq(state_of("c"), -1);
	world_end();
}
END_TEST

START_TEST(supervisor_bears_its_name)
{
	world_begin(1);
	supervise_abc(AIRS_ORDERED);
	ck_assert_uint_eq(airs_whereis(world.system, "sup"), world.supervisor);
	world_end();
}
END_TEST

START_TEST(system_can_be_freed_at_any_moment)
{
	world_begin(1);
	b.init_result = AIRS_INIT_LATER;
	supervise_abc(AIRS_ORDERED);
	(void)ask_terminate("b");
	(void)ask_restart("a");
	world_end();
}
END_TEST

START_TEST(supervisor_that_never_ran_leaks_nothing)
{
	struct airs_child_spec child = child_of(&a, AIRS_PERMANENT);
	struct airs_supervisor_options options = options_of(&child, 1, AIRS_ONE_FOR_ONE);
	airs_pid pid;

	world_begin(1);
	ck_assert_int_eq(airs_system_supervisor_spawn(world.system, &options, &pid), 0);
	kill_pid_later(pid);
	world_run();
	ck_assert_int_eq(airs_is_alive(world.system, pid), 0);
	options.name = "other";
	ck_assert_int_eq(airs_system_supervisor_spawn(world.system, &options, &pid), 0);
	world_end();
	ck_assert_uint_eq(a.starts, 0);
}
END_TEST

START_TEST(supervisor_from_outside_ends_by_a_signal_from_outside)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, "enough");
	struct airs_child_spec child;
	struct airs_supervisor_options options;
	airs_pid pid;

	world_begin(1);
	child = child_of(&a, AIRS_PERMANENT);
	options = options_of(&child, 1, AIRS_ONE_FOR_ONE);
	ck_assert_int_eq(airs_system_supervisor_spawn(world.system, &options, &pid), 0);
	world_run();
	ck_assert_uint_eq(a.starts, 1);
	airs_system_exit_signal(world.system, pid, &reason);
	world_run();
	ck_assert_int_eq(airs_is_alive(world.system, pid), 0);
	ck_assert_uint_eq(a.terminates, 1);
	ck_assert_str_eq(event_of(AIRS_EVENT_SUPERVISOR_ENDED, NULL, 0)->reason.text,
			"enough");
	world_end();
}
END_TEST

TEST_MAIN("supervisor-start", sup_start_normal,
		children_start_in_order_each_after_the_one_before,
		parallel_children_start_without_waiting, sup_start_ignore_child,
		sup_start_ignore_temporary_child,
		sup_start_ignore_temporary_child_start_child, sup_start_fail,
		failing_start_of_parallel_children_stops_those_that_are_starting,
		sup_start_child_returns_error, sup_start_restart_child_returns_error,
		child_specs, two_children_of_one_id_are_refused,
		options_that_contain_themselves_are_refused, sup_flags,
		options_are_copied_deeply, start_that_takes_too_long_fails,
		start_that_takes_too_long_is_killed_when_it_does_not_listen,
		start_timeout_ends_with_the_start, held_child_waits_for_a_request,
		parent_that_ends_while_children_start_stops_them,
		child_that_dies_without_a_word_during_its_start_fails,
		first_child_that_crashes_while_the_last_starts_is_restarted_at_once,
		failing_child_of_a_patient_supervisor_does_not_end_it,
		supervisor_bears_its_name, system_can_be_freed_at_any_moment,
		supervisor_that_never_ran_leaks_nothing,
		supervisor_from_outside_ends_by_a_signal_from_outside)
