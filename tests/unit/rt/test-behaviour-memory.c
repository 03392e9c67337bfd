/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Memory that runs out in a state machine and in an event manager, at every allocation in
 * turn: each says so or ends, and nothing leaks. Nothing is asserted while allocations
 * fail.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/airssys.h"
#include "support/test.h"

enum { TRIES_MAX = 200, MSG_EVENT = AIRS_MSG_USER };

static struct airs_system *tested;
static int arrived; /* what the last state has seen */

struct box {
	struct airs_statem machine;
};

static int wait_for_two(struct airs_actor *self, struct airs_statem *m, void *data,
		const struct airs_statem_event *event)
{
	uint64_t n;
	int r;

	(void)self;
	(void)data;
	memcpy(&n, event->message->data, sizeof(n));
	if (n == 1)
		return airs_statem_postpone(m);
	r = airs_statem_insert(m, MSG_EVENT, &n, sizeof(n));
	if (r == 0)
		r = airs_statem_state_timeout(m, 10, 0);
	if (r == 0)
		r = airs_statem_timeout(m, 1, 0, 0);
	return r < 0 ? r : airs_statem_next(m, 1);
}

static int count(struct airs_actor *self, struct airs_statem *m, void *data,
		const struct airs_statem_event *event)
{
	(void)self;
	(void)m;
	(void)data;
	(void)event;
	arrived++;
	return 0;
}

static airs_statem_fn *const states[] = { wait_for_two, count };
static const struct airs_statem_table table = {
	.size = sizeof(table), .states = states, .n_states = 2
};

static int box_init(struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct box *b = state;

	(void)args;
	(void)size;
	return airs_statem_begin(&b->machine, self, &table, 0, NULL);
}

static int box_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	struct box *b = state;

	return airs_statem_handle(&b->machine, self, message);
}

static void box_release(void *state)
{
	struct box *b = state;

	airs_statem_fini(&b->machine);
}

static const struct airs_behaviour box = {
	.size = sizeof(box),
	.name = "box",
	.state_size = sizeof(struct box),
	.init = box_init,
	.handle = box_handle,
	.release = box_release,
};

static void begin(void)
{
	struct airs_system_options options = {
		.size = sizeof(options), .scheduler = AIRS_SCHEDULER_SEEDED, .seed = 1
	};

	ck_assert_int_eq(airs_system_new(&options, &tested), 0);
	ck_assert_int_eq(airs_system_start(tested), 0);
}

static void pass(void)
{
	(void)airs_system_run(tested, airs_system_now(tested) + 1000);
}

START_TEST(a_machine_without_memory_ends)
{
	int reached = 1;

	for (unsigned int n = 1; reached; n++) {
		airs_pid pid;
		int r = 0;

		ck_assert_uint_lt(n, TRIES_MAX);
		begin();
		ck_assert_int_eq(airs_system_spawn(tested, &box, NULL, &pid), 0);
		pass();
		arrived = 0;
		alloc_fail_at(n);
		for (uint64_t i = 1; i <= 2 && r == 0; i++)
			r = airs_system_send(tested, pid, MSG_EVENT, &i, sizeof(i));
		if (r == 0)
			pass();
		reached = alloc_fail_stop();
		/* Everything has arrived, or it was not sent, or the machine has ended. */
		ck_assert_msg(r == -ENOMEM || arrived == 4 || !airs_is_alive(tested, pid),
				"allocation %u: %d", n, arrived);
		if (!reached)
			ck_assert_int_eq(arrived, 4);
		airs_system_free(tested);
	}
}
END_TEST

struct listener {
	void *memory;
};

static int listen_init(
		struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct listener *l = state;

	(void)self;
	(void)args;
	(void)size;
	l->memory = malloc(8);
	return l->memory ? 0 : -ENOMEM;
}

static void listen_release(void *state)
{
	struct listener *l = state;

	free(l->memory);
}

static const struct airs_event_handler listener = {
	.size = sizeof(listener),
	.state_size = sizeof(struct listener),
	.init = listen_init,
	.release = listen_release,
};

static airs_pid manager;
static int n_failed, n_done;

/* Adds two handlers, swaps one, and counts what came of it. */
static int boss_init(struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct airs_event_spec spec = {
		.size = sizeof(spec),
		.id = "a",
		.handler = &listener,
		.flags = AIRS_EVENT_OWNED,
	};
	airs_ref call;

	(void)state;
	(void)args;
	(void)size;
	n_failed += airs_event_add(self, manager, &spec, 100, &call) < 0;
	spec.id = "b";
	n_failed += airs_event_add(self, manager, &spec, 100, &call) < 0;
	spec.id = "c";
	spec.replaces = "a";
	n_failed += airs_event_swap(self, manager, &spec, 100, &call) < 0;
	n_failed += airs_event_which(self, manager, 100, &call) < 0;
	return 0;
}

static int boss_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)self;
	(void)state;
	if (message->type == AIRS_MSG_REPLY && message->status == 0)
		n_done++;
	else if (message->type == AIRS_MSG_REPLY)
		n_failed++;
	return 0;
}

static const struct airs_behaviour boss = {
	.size = sizeof(boss), .name = "boss", .init = boss_init, .handle = boss_handle
};

START_TEST(a_request_to_a_manager_without_memory_fails_and_leaves_nothing)
{
	int reached = 1;

	for (unsigned int n = 1; reached; n++) {
		airs_pid pid;
		int r;

		ck_assert_uint_lt(n, TRIES_MAX);
		begin();
		ck_assert_int_eq(airs_system_spawn(tested, airs_event_manager(), NULL,
						 &manager),
				0);
		pass();
		n_failed = n_done = 0;
		alloc_fail_at(n);
		r = airs_system_spawn(tested, &boss, NULL, &pid);
		if (r == 0)
			pass();
		reached = alloc_fail_stop();
		ck_assert_int_eq(airs_is_alive(tested, manager), 1);
		if (r == 0)
			ck_assert_int_eq(n_failed + n_done, 4);
		ck_assert(reached || n_done == 4);
		airs_system_free(tested);
	}
}
END_TEST

TEST_MAIN("behaviour-memory", a_machine_without_memory_ends,
		a_request_to_a_manager_without_memory_fails_and_leaves_nothing)
