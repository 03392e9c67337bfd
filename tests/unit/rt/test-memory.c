/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/memory.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "unit/rt/fixture.h"

/*
 * Memory that runs out: every operation that allocates fails with -ENOMEM, changes
 * nothing and leaks nothing, for each allocation in it; and signals still arrive.
 */

enum {
	MSG_GO = AIRS_MSG_USER,
	MSG_DIE,
};

static int nothing(struct airs_actor *self, struct airs_message *message)
{
	return message && message->type == MSG_DIE ? exit_with(self, 1) : 0;
}

static int fds[2];
static airs_pid target;

typedef int operation_fn(struct airs_actor *self);

static int op_send(struct airs_actor *self)
{
	return airs_send(self, target, MSG_GO, "0123456789abcdef0123456789abcdef", 32);
}

static int op_send_moved(struct airs_actor *self)
{
	return airs_send_moved(self, target, MSG_GO,
			(struct airs_payload){ strdup("x"), 2, free });
}

static int op_call(struct airs_actor *self)
{
	airs_ref ref;

	return airs_call(self,
			&(struct airs_request){ .to = target,
					.type = MSG_GO,
					.data = "x",
					.size = 1,
					.timeout_usec = 1000 },
			&ref);
}

static int op_link(struct airs_actor *self)
{
	return airs_link(self, target);
}

static int op_monitor(struct airs_actor *self)
{
	airs_ref ref;

	return airs_monitor(self, target, &ref);
}

static int op_timer(struct airs_actor *self)
{
	airs_ref ref;

	return airs_timer_start(self, 10, 0, &ref);
}

static int op_watch(struct airs_actor *self)
{
	airs_ref ref;

	return airs_fd_watch(self, fds[0], EPOLLIN, &ref);
}

static int op_spawn(struct airs_actor *self)
{
	const struct act act = { .fn = nothing };
	airs_ref ref;
	airs_pid pid;
	const struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = &act,
		.args_size = sizeof(act),
		.flags = AIRS_SPAWN_LINK | AIRS_SPAWN_MONITOR,
		.ret_monitor = &ref,
	};

	return airs_spawn(self, &act_behaviour, &options, &pid);
}

static int op_spawn_moved(struct airs_actor *self)
{
	const struct act act = { .fn = nothing };
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args_size = sizeof(act),
		.free_args = free,
	};
	void *copy = malloc(sizeof(act));
	airs_pid pid;

	memcpy(copy, &act, sizeof(act));
	options.args = copy;
	return airs_spawn(self, &act_behaviour, &options, &pid);
}

static operation_fn *const operations[] = {
	op_send,
	op_send_moved,
	op_call,
	op_link,
	op_monitor,
	op_timer,
	op_watch,
	op_spawn,
	op_spawn_moved,
};

static struct airs_actor_info info_of(struct airs_actor *self)
{
	struct airs_actor_info info = { .size = sizeof(info) };

	ck_assert_int_eq(airs_actor_get_info(
					 airs_actor_system(self), airs_self(self), &info),
			0);
	return info;
}

/* Returns how many allocations had to be allowed. */
static size_t try_operation(struct airs_actor *self, operation_fn *operation)
{
	struct airs_actor_info before = info_of(self), after;
	size_t allowed;
	int r;

	for (allowed = 0;; allowed++) {
		memory_fail_after(allowed);
		r = operation(self);
		memory_fail_after(SIZE_MAX);
		if (r == 0)
			return allowed;
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_uint_lt(allowed, 20);
		after = info_of(self);
		ck_assert_uint_eq(after.links, before.links);
		ck_assert_uint_eq(after.monitors, before.monitors);
	}
}

static int fail_everything(struct airs_actor *self, struct airs_message *message)
{
	uint64_t count;
	size_t i;

	if (message)
		return 0;
	airs_trap_exit(self, AIRS_TRAP_ON);
	target = act_spawn(self, nothing, 0, NULL);
	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		count = airs_system_actor_count(airs_actor_system(self));
		ck_assert_uint_ge(try_operation(self, operations[i]), 1);
		ck_assert_uint_le(airs_system_actor_count(airs_actor_system(self)),
				count + 1);
	}
	atomic_store(&finished, 1);
	return 0;
}

START_TEST(each_failing_allocation_is_reported_and_changes_nothing)
{
	ck_assert_int_eq(pipe(fds), 0);
	run_seeded(1, fail_everything);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* With no memory at all from the moment of the death on, links and monitors are told. */
static int die_without_memory(struct airs_actor *self, struct airs_message *message)
{
	if (message)
		memory_fail_after(0);
	return message ? exit_with(self, 1) : 0;
}

static int see_death(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref refs[4];
	static int n_seen;
	airs_pid pid;
	int i;

	if (!message) {
		n_seen = 0;
		airs_trap_exit(self, AIRS_TRAP_ON);
		pid = act_spawn(self, die_without_memory, AIRS_SPAWN_LINK, NULL);
		for (i = 0; i < 4; i++)
			ck_assert_int_eq(airs_monitor(self, pid, &refs[i]), 0);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	ck_assert_int_eq(reason_of(message)->code, 1);
	if (++n_seen < 5)
		return 0;
	memory_fail_after(SIZE_MAX);
	finish(self);
	return 0;
}

START_TEST(signals_arrive_when_memory_has_run_out)
{
	run_seeded(1, see_death);
}
END_TEST

TEST_MAIN("memory", each_failing_allocation_is_reported_and_changes_nothing,
		signals_arrive_when_memory_has_run_out)
