/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Memory that runs out, at every allocation in turn: a supervisor refuses, or ends in
 * order, or goes on; it never leaks, loses a child or hangs. Nothing is asserted while
 * allocations fail.
 */
#include <errno.h>

#include "airssys/airssys.h"
#include "support/test.h"

#define SEC UINT64_C(1000000)

enum { TRIES_MAX = 400 };

static int ignore(struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)self;
	(void)state;
	(void)message;
	return 0;
}

static const struct airs_behaviour worker = { .size = sizeof(worker), .handle = ignore };

static struct airs_system *tested;
static airs_pid top;

static int supervise(enum airs_strategy strategy)
{
	struct airs_child_spec leaf = { .size = sizeof(leaf),
		.id = "leaf",
		.behaviour = &worker,
		.shutdown_usec = SEC };
	struct airs_supervisor_options inner = { .size = sizeof(inner),
		.name = "inner",
		.intensity = 1,
		.period_usec = SEC,
		.children = &leaf,
		.n_children = 1 };
	struct airs_child_spec children[] = { leaf,
		{ .size = sizeof(leaf),
				.id = "inner",
				.supervisor = &inner,
				.shutdown_usec = SEC },
		leaf };
	struct airs_supervisor_options options = { .size = sizeof(options),
		.strategy = strategy,
		.intensity = 5,
		.period_usec = SEC,
		.children = children,
		.n_children = 3 };

	children[0].args = "argument";
	children[0].args_size = 9;
	children[2].id = "delayed";
	children[2].backoff.initial_usec = SEC / 10;
	return airs_system_supervisor_spawn(tested, &options, &top);
}

static int begin(uint64_t seed)
{
	struct airs_system_options options = {
		.size = sizeof(options), .scheduler = AIRS_SCHEDULER_SEEDED, .seed = seed
	};

	top = AIRS_PID_NONE;
	return airs_system_new(&options, &tested);
}

static void pass(uint64_t usec)
{
	(void)airs_system_run(tested, airs_system_now(tested) + usec);
}

static void send_signal(airs_pid pid, enum airs_reason_class reason_class)
{
	struct airs_reason reason = airs_reason_make(reason_class, 0, NULL);

	airs_system_exit_signal(tested, pid, &reason);
}

static void end_and_check(unsigned int n)
{
	send_signal(top, AIRS_REASON_SHUTDOWN);
	pass(10 * SEC);
	ck_assert_msg(airs_system_actor_count(tested) == 0,
			"allocation %u: %lu actors are left", n,
			(unsigned long)airs_system_actor_count(tested));
	airs_system_free(tested);
}

START_TEST(start_without_memory_leaves_nothing)
{
	int reached = 1;

	for (unsigned int n = 1; reached; n++) {
		int r;

		ck_assert_uint_lt(n, TRIES_MAX);
		ck_assert_int_eq(begin(n), 0);
		alloc_fail_at(n);
		r = supervise(AIRS_ONE_FOR_ONE);
		if (r == 0)
			pass(0);
		reached = alloc_fail_stop();
		ck_assert(r == 0 || r == -ENOMEM);
		if (!reached)
			ck_assert_uint_eq(airs_system_actor_count(tested), 5);
		end_and_check(n);
	}
}
END_TEST

static void end_some(void)
{
	send_signal(airs_whereis(tested, "inner"), AIRS_REASON_KILL);
	pass(SEC / 2);
	send_signal(airs_whereis(tested, "inner"), AIRS_REASON_KILL);
	pass(SEC / 2);
}

static void restart_without_memory(enum airs_strategy strategy)
{
	int reached = 1;

	for (unsigned int n = 1; reached; n++) {
		ck_assert_uint_lt(n, TRIES_MAX);
		ck_assert_int_eq(begin(n), 0);
		ck_assert_int_eq(supervise(strategy), 0);
		pass(0);
		alloc_fail_at(n);
		end_some();
		reached = alloc_fail_stop();
		if (!reached)
			ck_assert_uint_eq(airs_system_actor_count(tested), 5);
		end_and_check(n);
	}
}

START_TEST(restart_without_memory_ends_in_order_or_goes_on)
{
	restart_without_memory(AIRS_ONE_FOR_ONE);
	restart_without_memory(AIRS_ONE_FOR_ALL);
}
END_TEST

/* An actor that asks for things and looks at nothing. */
static int asker_init(struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct airs_child_spec spec = { .size = sizeof(spec),
		.id = "new",
		.behaviour = &worker,
		.shutdown_usec = SEC };
	airs_ref ref;

	(void)state;
	(void)args;
	(void)size;
	(void)!airs_supervisor_start_child(self, top, &spec, SEC, &ref);
	(void)!airs_supervisor_which_children(self, top, SEC, &ref);
	(void)!airs_supervisor_terminate_child(self, top, "new", SEC, &ref);
	(void)!airs_supervisor_restart_child(self, top, "new", SEC, &ref);
	(void)!airs_supervisor_terminate_child(self, top, "leaf", SEC, &ref);
	(void)!airs_supervisor_delete_child(self, top, "leaf", SEC, &ref);
	return 0;
}

static const struct airs_behaviour asker = {
	.size = sizeof(asker), .init = asker_init, .handle = ignore
};

START_TEST(requests_without_memory_are_refused)
{
	int reached = 1;

	for (unsigned int n = 1; reached; n++) {
		airs_pid pid = AIRS_PID_NONE;

		ck_assert_uint_lt(n, TRIES_MAX);
		ck_assert_int_eq(begin(n), 0);
		ck_assert_int_eq(supervise(AIRS_REST_FOR_ONE), 0);
		pass(0);
		alloc_fail_at(n);
		(void)!airs_system_spawn(tested, &asker, NULL, &pid);
		pass(SEC);
		reached = alloc_fail_stop();
		send_signal(pid, AIRS_REASON_KILL);
		end_and_check(n);
	}
}
END_TEST

TEST_MAIN("supervisor-memory", start_without_memory_leaves_nothing,
		restart_without_memory_ends_in_order_or_goes_on,
		requests_without_memory_are_refused)
