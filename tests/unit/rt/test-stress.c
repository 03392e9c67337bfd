/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "unit/rt/fixture.h"

/*
 * Real threads, under load, with what must hold afterwards. The sizes are bounded so that
 * the thread sanitizer is done in time.
 */

enum {
	MSG_NUMBER = AIRS_MSG_USER,
	MSG_GO,
	MSG_DONE,
	MSG_ASK,
};

/* Producers send numbers to one consumer; each producer's arrive in order and none is
 * lost. */
#define PRODUCERS 8
#define NUMBERS   4000

struct number {
	uint32_t producer, n;
};

static airs_pid consumer;

static int consume(struct airs_actor *self, struct airs_message *message)
{
	static uint32_t next[PRODUCERS * 2], total;
	struct number number;

	if (!message) {
		memset(next, 0, sizeof(next));
		total = 0;
		return 0;
	}
	memcpy(&number, message->data, sizeof(number));
	ck_assert_uint_eq(number.n, next[number.producer]);
	next[number.producer]++;
	if (++total == (message->from == AIRS_PID_NONE ? 3u : PRODUCERS) * NUMBERS)
		finish(self);
	return 0;
}

static int produce(struct airs_actor *self, struct airs_message *message)
{
	struct act *own = act_state(self);
	struct number number = { .producer = (uint32_t)own->argument };
	static uint32_t sent[PRODUCERS];
	int i;

	if (!message)
		return 0;
	if (message->type == MSG_GO) {
		memcpy(&own->argument, message->data, sizeof(own->argument));
		number.producer = (uint32_t)own->argument;
		sent[number.producer] = 0;
	}
	for (i = 0; i < 50; i++) {
		number.n = sent[number.producer]++;
		ck_assert_int_eq(airs_send(self, consumer, MSG_NUMBER, &number,
						 sizeof(number)),
				0);
	}
	if (sent[number.producer] == NUMBERS)
		return 0;
	return airs_send(self, airs_self(self), MSG_NUMBER, NULL, 0);
}

static int start_producers(struct airs_actor *self, struct airs_message *message)
{
	uint64_t i;

	consumer = act_spawn(self, consume, 0, NULL);
	for (i = 0; !message && i < PRODUCERS; i++)
		ck_assert_int_eq(airs_send(self, act_spawn(self, produce, 0, NULL),
						 MSG_GO, &i, sizeof(i)),
				0);
	return 0;
}

START_TEST(eight_producers_keep_their_order)
{
	int round;

	for (round = 0; round < 3; round++)
		run_threaded(4, start_producers);
}
END_TEST

/* The same from threads outside. */
static struct airs_system *outside;

static void *send_numbers(void *arg)
{
	struct number number = { .producer = (uint32_t)(uintptr_t)arg };

	for (number.n = 0; number.n < NUMBERS; number.n++)
		if (airs_system_send(outside, consumer, MSG_NUMBER, &number,
				    sizeof(number)) < 0)
			return (void *)(uintptr_t) "cannot send";
	return NULL;
}

START_TEST(three_foreign_threads_keep_their_order)
{
	pthread_t threads[3];
	void *complaint;
	uintptr_t i;

	outside = threaded_system(2);
	consumer = act_start(outside, consume);
	ck_assert_int_eq(airs_system_start(outside), 0);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, send_numbers,
						 (void *)i),
				0);
	ck_assert_int_eq(airs_system_run(outside, AIRS_INFINITY), 0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &complaint), 0);
		ck_assert_ptr_null(complaint);
	}
	airs_system_free(outside);
}
END_TEST

/* Spawn and end, with everybody sending to pids that may be gone. */
#define SPAWNERS 6
#define CHILDREN 1500

static _Atomic uint64_t rumours[64];

static int mayfly(struct airs_actor *self, struct airs_message *message)
{
	uint64_t pid = atomic_load(&rumours[airs_random(self) % 64]);

	if (message && message->type == MSG_GO)
		return exit_with(self, 1);
	ck_assert_int_eq(airs_send(self, pid, MSG_NUMBER, "x", 1), 0);
	/* A neighbour that may not exist yet. */
	pid = airs_self(self) + airs_random(self) % 64;
	ck_assert_int_eq(airs_send(self, pid, MSG_NUMBER, "x", 1), 0);
	if (message)
		return 0;
	atomic_store(&rumours[airs_random(self) % 64], airs_self(self));
	return airs_send(self, airs_self(self), MSG_GO, NULL, 0);
}

static int spawn_mayflies(struct airs_actor *self, struct airs_message *message)
{
	struct act *own = act_state(self);
	airs_ref monitor;
	int i;

	if (!message) {
		for (i = 0; i < 20; i++)
			act_spawn(self, mayfly, AIRS_SPAWN_MONITOR, &monitor);
		return 0;
	}
	if (message->type != AIRS_MSG_DOWN)
		return 0;
	ck_assert_int_eq(reason_of(message)->code, 1);
	own->argument++;
	if (own->argument + 20 <= CHILDREN)
		act_spawn(self, mayfly, AIRS_SPAWN_MONITOR, &monitor);
	if (own->argument == CHILDREN)
		return airs_send(self, airs_parent(self), MSG_DONE, NULL, 0);
	return 0;
}

static int churn(struct airs_actor *self, struct airs_message *message)
{
	static int n_done;
	int i;

	if (!message) {
		n_done = 0;
		for (i = 0; i < SPAWNERS; i++)
			act_spawn(self, spawn_mayflies, 0, NULL);
		return 0;
	}
	if (++n_done == SPAWNERS)
		finish(self);
	return 0;
}

START_TEST(short_lives_are_each_told_and_stale_sends_hurt_nobody)
{
	run_threaded(4, churn);
}
END_TEST

/* Links and monitors made, removed and broken at random, from all workers at once. */
#define CROWD       32
#define CROWD_STEPS 200

static _Atomic uint64_t crowd[CROWD];

static int crowd_member(struct airs_actor *self, struct airs_message *message)
{
	struct act *own = act_state(self);
	airs_pid other = atomic_load(&crowd[airs_random(self) % CROWD]);
	struct airs_reason reason = reason_user(1);
	airs_ref ref;

	if (!message) {
		airs_trap_exit(self, AIRS_TRAP_ON);
		return airs_send(self, airs_self(self), MSG_GO, NULL, 0);
	}
	if (message->type != MSG_GO)
		return 0;
	switch (airs_random(self) % 5) {
	case 0:
		ck_assert_int_eq(airs_link(self, other), 0);
		break;
	case 1:
		airs_unlink(self, other);
		break;
	case 2:
		ck_assert_int_eq(airs_monitor(self, other, &ref), 0);
		break;
	case 3:
		ck_assert_int_eq(airs_monitor(self, other, &ref), 0);
		airs_demonitor(self, ref);
		break;
	default:
		airs_exit_signal(self, other, &reason);
	}
	if (++own->argument == CROWD_STEPS)
		return exit_with(self, 2);
	return airs_send(self, airs_self(self), MSG_GO, NULL, 0);
}

static int crowd_judge(struct airs_actor *self, struct airs_message *message)
{
	struct airs_actor_info info = { .size = sizeof(info) };
	static int n_ended;
	airs_ref monitor;
	int i;

	if (!message) {
		n_ended = 0;
		for (i = 0; i < CROWD; i++)
			atomic_store(&crowd[i],
					act_spawn(self, crowd_member, AIRS_SPAWN_MONITOR,
							&monitor));
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_int_eq(reason_of(message)->code, 2);
	if (++n_ended < CROWD)
		return 0;
	ck_assert_int_eq(airs_actor_get_info(
					 airs_actor_system(self), airs_self(self), &info),
			0);
	ck_assert_uint_eq(info.monitors, 0);
	ck_assert_uint_eq(info.monitored_by, 0);
	finish(self);
	return 0;
}

START_TEST(a_crowd_of_links_and_monitors_comes_to_an_end)
{
	int round;

	for (round = 0; round < 5; round++)
		run_threaded(4, crowd_judge);
}
END_TEST

/* Calls whose timeouts race with their replies: each ends exactly once. */
#define CALLERS 8
#define CALLS   300

static int slow_server(struct airs_actor *self, struct airs_message *message)
{
	static _Thread_local uint64_t spin;
	uint64_t until;

	if (!message || !message->ref)
		return 0;
	for (until = airs_now(self) + airs_random(self) % 12; airs_now(self) < until;)
		spin++;
	return airs_reply(self, airs_message_from(message), 0, &spin, sizeof(spin));
}

static int race_caller(struct airs_actor *self, struct airs_message *message)
{
	struct act *own = act_state(self);
	airs_ref call;

	if (message && message->type == MSG_GO) {
		own->argument = 0;
	} else if (message) {
		ck_assert_uint_eq(message->type, AIRS_MSG_REPLY);
		ck_assert_uint_eq(message->ref << 16, own->argument & ~UINT64_C(0xffff));
		ck_assert(message->status == 0 || message->status == -ETIMEDOUT);
	} else {
		return airs_send(self, airs_self(self), MSG_GO, NULL, 0);
	}
	if ((own->argument & 0xffff) == CALLS)
		return airs_send(self, airs_parent(self), MSG_DONE, NULL, 0);
	ck_assert_int_eq(
			airs_call(self,
					&(struct airs_request){ .to = consumer,
							.type = MSG_ASK,
							.timeout_usec = 1 +
									airs_random(self) %
											60 },
					&call),
			0);
	/* References begin with a one bit, which does not matter here. */
	own->argument = (call << 16) | ((own->argument & 0xffff) + 1);
	return 0;
}

static int race_calls(struct airs_actor *self, struct airs_message *message)
{
	static int n_done;
	int i;

	if (!message) {
		n_done = 0;
		consumer = act_spawn(self, slow_server, 0, NULL);
		for (i = 0; i < CALLERS; i++)
			act_spawn(self, race_caller, 0, NULL);
		return 0;
	}
	if (++n_done == CALLERS)
		finish(self);
	return 0;
}

START_TEST(calls_that_race_with_their_timeouts_end_once)
{
	run_threaded(4, race_calls);
}
END_TEST

/* Descriptors that become ready, are armed again, and whose actors end, all at once. */
#define PIPES  16
#define EVENTS 150

static int pipes[PIPES][2];

static int pipe_actor(struct airs_actor *self, struct airs_message *message)
{
	struct act *own = act_state(self);
	static _Thread_local airs_ref monitor;
	uint64_t slot;
	char c;

	if (!message)
		return 0;
	if (message->type == MSG_GO) {
		memcpy(&slot, message->data, sizeof(slot));
		own->argument = slot;
		ck_assert_int_eq(airs_fd_watch(self, pipes[slot][0], EPOLLIN, &monitor),
				0);
		return write(pipes[slot][1], "a", 1) == 1 ? 0 : -EIO;
	}
	slot = own->argument & 0xff;
	ck_assert_uint_eq(message->type, AIRS_MSG_FD);
	ck_assert_int_eq(read(pipes[slot][0], &c, 1), 1);
	own->argument += 0x100;
	if (own->argument >> 8 == EVENTS)
		return exit_with(self, 1);
	ck_assert_int_eq(write(pipes[slot][1], "a", 1), 1);
	return airs_fd_rearm(self, message->ref, EPOLLIN);
}

static int storm_pipes(struct airs_actor *self, struct airs_message *message)
{
	static int n_ended;
	airs_ref monitor;
	airs_pid pid;
	uint64_t i;

	if (message && message->type == AIRS_MSG_DOWN) {
		ck_assert_int_eq(reason_of(message)->code, 1);
		if (++n_ended == PIPES)
			finish(self);
		return 0;
	}
	n_ended = 0;
	for (i = 0; i < PIPES; i++) {
		ck_assert_int_eq(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK), 0);
		pid = act_spawn(self, pipe_actor, AIRS_SPAWN_MONITOR, &monitor);
		ck_assert_int_eq(airs_send(self, pid, MSG_GO, &i, sizeof(i)), 0);
	}
	return 0;
}

START_TEST(a_storm_of_descriptors_loses_no_event)
{
	run_threaded(4, storm_pipes);
}
END_TEST

/* Starting and stopping systems, with work in flight. */
static int chatter(struct airs_actor *self, struct airs_message *message)
{
	static bool is_over;
	airs_ref timer;
	airs_pid pid;

	if (!message) {
		is_over = false;
		ck_assert_int_eq(airs_timer_start(self, 300, 0, &timer), 0);
	} else if (message->type == AIRS_MSG_TIMER) {
		is_over = true;
		finish(self);
	}
	/* What else lies in the mailbox comes in the same turn. */
	if (is_over)
		return 0;
	pid = act_spawn(self, mayfly, AIRS_SPAWN_LINK, NULL);
	airs_trap_exit(self, AIRS_TRAP_ON);
	return airs_send(self, pid, MSG_NUMBER, "some bytes more than fit inline", 32);
}

START_TEST(a_system_can_be_stopped_at_any_time)
{
	int round;

	for (round = 0; round < 40; round++)
		run_threaded(1 + (unsigned int)round % 3, chatter);
}
END_TEST

TEST_MAIN("stress", eight_producers_keep_their_order,
		three_foreign_threads_keep_their_order,
		short_lives_are_each_told_and_stale_sends_hurt_nobody,
		a_crowd_of_links_and_monitors_comes_to_an_end,
		calls_that_race_with_their_timeouts_end_once,
		a_storm_of_descriptors_loses_no_event,
		a_system_can_be_stopped_at_any_time)
