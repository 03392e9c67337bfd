/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <time.h>

#include "unit/rt/fixture.h"

enum {
	MSG_GO = AIRS_MSG_USER,
};

#define MANY 300

/* Timers fire in the order of their deadlines, equal ones in the order of their start. */
static int fire_in_order(struct airs_actor *self, struct airs_message *message)
{
	static uint64_t deadlines[MANY], last_deadline, last_value;
	static int n_fired;
	uint64_t i, delay;
	airs_ref timer;

	if (!message) {
		n_fired = 0;
		last_deadline = last_value = 0;
		for (i = 0; i < MANY; i++) {
			delay = airs_random(self) % 50 * 100;
			deadlines[i] = airs_now(self) + delay;
			ck_assert_int_eq(airs_timer_start(self, delay, i, &timer), 0);
		}
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_TIMER);
	ck_assert_int_eq(message->status, 0);
	i = message->value;
	ck_assert_uint_ge(airs_now(self), deadlines[i]);
	ck_assert_uint_ge(deadlines[i], last_deadline);
	if (deadlines[i] == last_deadline && n_fired)
		ck_assert_uint_gt(i, last_value);
	last_deadline = deadlines[i];
	last_value = i;
	if (++n_fired == MANY)
		finish(self);
	return 0;
}

START_TEST(timers_fire_in_the_order_of_their_deadlines)
{
	uint64_t seed;

	for (seed = 0; seed < 50; seed++)
		run_seeded(seed, fire_in_order);
}
END_TEST

static uint64_t real_nsec(void)
{
	struct timespec ts;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Against the real clock, in nanoseconds. */
static int never_early(struct airs_actor *self, struct airs_message *message)
{
	static uint64_t start_nsec, delay;
	static int round;
	airs_ref timer;

	if (!message)
		round = 0;
	else
		ck_assert_uint_ge(real_nsec() - start_nsec, delay * 1000);
	if (round++ == 200) {
		finish(self);
		return 0;
	}
	delay = (uint64_t)round % 40 * 13;
	start_nsec = real_nsec();
	return airs_timer_start(self, delay, 0, &timer);
}

START_TEST(timers_are_never_early)
{
	run_threaded(1, never_early);
	run_threaded(3, never_early);
}
END_TEST

/* Cancelled timers, queued or not, do not arrive. */
static int cancel(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref timers[3], guard;
	static int n_seen;

	if (!message) {
		n_seen = 0;
		ck_assert_int_eq(airs_timer_start(self, 5000, 1, &timers[0]), 0);
		ck_assert_int_eq(airs_timer_start(self, 1000, 2, &timers[1]), 0);
		ck_assert_int_eq(airs_timer_start(self, 1000, 3, &timers[2]), 0);
		ck_assert_int_eq(airs_timer_cancel(self, timers[0]), 0);
		ck_assert_int_eq(airs_timer_cancel(self, timers[0]), -ENOENT);
		ck_assert_int_eq(airs_timer_cancel(self, 42), -ENOENT);
		return 0;
	}
	n_seen++;
	if (n_seen == 1) {
		ck_assert_uint_eq(message->value, 2);
		ck_assert_uint_eq(message->ref, timers[1]);
		ck_assert_int_eq(airs_timer_cancel(self, timers[1]), -ENOENT);
		/* The third fired with the second: its message is in the mailbox or about
		 * to be. */
		ck_assert_int_eq(airs_timer_cancel(self, timers[2]), 0);
		return airs_timer_start(self, 10000, 4, &guard);
	}
	ck_assert_uint_eq(message->value, 4);
	finish(self);
	return 0;
}

START_TEST(cancelled_timers_do_not_arrive)
{
	run_everywhere(cancel);
}
END_TEST

/* Timers of an actor that ends go with it. */
static int arm_and_end(struct airs_actor *self, struct airs_message *message)
{
	airs_ref timer;
	int i;

	(void)message;
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(airs_timer_start(self, 3600000000u, 0, &timer), 0);
	return exit_with(self, 1);
}

START_TEST(timers_end_with_their_actor)
{
	struct airs_system *system = seeded_system(1);

	act_start(system, arm_and_end);
	airs_system_run(system, AIRS_INFINITY);
	/* The clock did not have to go to any of them. */
	ck_assert_uint_eq(airs_system_now(system), 0);
	airs_system_free(system);
}
END_TEST

static int count_ticks(struct airs_actor *self, struct airs_message *message)
{
	static uint64_t n_ticks;
	airs_ref timer;

	if (message)
		ck_assert_uint_eq(airs_now(self), ++n_ticks * 1000);
	else
		n_ticks = 0;
	return airs_timer_start(self, 1000, 0, &timer);
}

START_TEST(virtual_time_jumps_and_stops_where_it_is_told)
{
	struct airs_system *system = seeded_system(1);
	struct airs_actor_info info = { .size = sizeof(info) };
	airs_pid pid = act_start(system, count_ticks);

	airs_system_run(system, 10500);
	ck_assert_int_eq(airs_actor_get_info(system, pid, &info), 0);
	ck_assert_uint_eq(info.messages_handled, 10);
	ck_assert_uint_eq(airs_system_now(system), 10500);
	airs_system_run(system, UINT64_C(1000000000));
	ck_assert_int_eq(airs_actor_get_info(system, pid, &info), 0);
	ck_assert_uint_eq(info.messages_handled, 1000000);
	airs_system_free(system);
}
END_TEST

/* A timer set by an actor of the default pool while every worker sleeps, and one far away
 * before it. */
static int wake_sleepers(struct airs_actor *self, struct airs_message *message)
{
	airs_ref timer;

	if (!message) {
		ck_assert_int_eq(airs_timer_start(self, 60000000, 1, &timer), 0);
		return airs_timer_start(self, 20000, 2, &timer);
	}
	if (message->value == 3) {
		finish(self);
		return 0;
	}
	ck_assert_uint_eq(message->value, 2);
	return airs_timer_start(self, 20000, 3, &timer);
}

START_TEST(an_earlier_timer_moves_the_wake_up_forward)
{
	run_threaded(1, wake_sleepers);
	run_threaded(4, wake_sleepers);
}
END_TEST

TEST_MAIN("timer", timers_fire_in_the_order_of_their_deadlines, timers_are_never_early,
		cancelled_timers_do_not_arrive, timers_end_with_their_actor,
		virtual_time_jumps_and_stops_where_it_is_told,
		an_earlier_timer_moves_the_wake_up_forward)
