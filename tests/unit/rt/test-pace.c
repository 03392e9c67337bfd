/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/rt/fixture.h"

/*
 * What paces an actor beside messages and single timers: intervals, the idle timeout and
 * what goes on before the next message.
 */

enum {
	MSG_GO = AIRS_MSG_USER,
	MSG_LATER,
	MSG_ASK,
};

#define INTERVAL UINT64_C(100)

/* Intervals. */

static int see_ticks(struct airs_actor *self, struct airs_message *message)
{
	static uint64_t start_usec, n_ticks, left;
	static airs_ref timer;

	if (!message) {
		n_ticks = 0;
		start_usec = airs_now(self);
		ck_assert_int_eq(airs_timer_start_interval(self, 30, INTERVAL, 7, &timer),
				0);
		ck_assert_int_eq(airs_timer_read(self, timer, &left), 0);
		ck_assert_uint_le(left, 30);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_TIMER);
	ck_assert_uint_eq(message->ref, timer);
	ck_assert_uint_eq(message->value, 7);
	ck_assert_int_eq(message->status, 0);
	ck_assert_uint_eq(message->from, airs_self(self));
	/* Virtual time jumps from one deadline to the next. */
	ck_assert_uint_eq(airs_now(self), start_usec + 30 + n_ticks * INTERVAL);
	ck_assert_int_eq(airs_timer_read(self, timer, &left), 0);
	ck_assert_uint_eq(left, INTERVAL);
	if (++n_ticks < 20)
		return 0;
	ck_assert_int_eq(airs_timer_cancel(self, timer), 0);
	ck_assert_int_eq(airs_timer_cancel(self, timer), -ENOENT);
	ck_assert_int_eq(airs_timer_read(self, timer, &left), -ENOENT);
	finish(self);
	return 0;
}

/* The run ends, so nothing of the interval is left. */
START_TEST(an_interval_ticks_without_drift_until_it_is_cancelled)
{
	for (uint64_t seed = 0; seed < 20; seed++)
		run_seeded(seed, see_ticks);
}
END_TEST

static int tick_on_threads(struct airs_actor *self, struct airs_message *message)
{
	static uint64_t start_usec, n_ticks;
	static airs_ref timer;

	if (!message) {
		n_ticks = 0;
		start_usec = airs_now(self);
		return airs_timer_start_interval(self, 0, 50, 0, &timer);
	}
	ck_assert_uint_ge(airs_now(self), start_usec + n_ticks * 50);
	if (++n_ticks == 100)
		finish(self);
	return 0;
}

/* It ends with the system and its timer armed, or on its way. */
START_TEST(an_interval_is_never_early)
{
	run_threaded(1, tick_on_threads);
	run_threaded(3, tick_on_threads);
}
END_TEST

static int be_slow(struct airs_actor *self, struct airs_message *message)
{
	static uint64_t n_ticks, start_usec;
	static airs_ref timer;

	if (!message) {
		n_ticks = 0;
		start_usec = airs_now(self);
		return airs_timer_start_interval(self, 1000, 1000, 0, &timer);
	}
	n_ticks++;
	/* As long as five and a half of them, the first time. */
	while (n_ticks == 1 && airs_now(self) < start_usec + 6500)
		;
	/* The second one had waited; the third is not another one of those. */
	if (n_ticks == 3) {
		ck_assert_uint_ge(airs_now(self), start_usec + 7000);
		finish(self);
	}
	return 0;
}

START_TEST(ticks_that_came_too_late_are_left_out)
{
	run_threaded(1, be_slow);
}
END_TEST

static int start_and_die(struct airs_actor *self, struct airs_message *message)
{
	airs_ref timer;

	if (!message)
		return airs_timer_start_interval(self, 10, INTERVAL, 0, &timer);
	return act_state(self)->argument++ < 3 ? 0 : exit_with(self, 1);
}

static int see_ticker_die(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;

	if (!message)
		act_spawn(self, start_and_die, AIRS_SPAWN_MONITOR, &monitor);
	else
		finish(self);
	return 0;
}

START_TEST(an_interval_ends_with_its_actor)
{
	run_everywhere(see_ticker_die);
}
END_TEST

static int wait_for_kill(struct airs_actor *self, struct airs_message *message)
{
	airs_ref timer;

	return message ? 0 : airs_timer_start_interval(self, 0, 1, 0, &timer);
}

static int kill_ticker(struct airs_actor *self, struct airs_message *message)
{
	const struct airs_reason kill = airs_reason_make(AIRS_REASON_KILL, 0, NULL);
	static airs_ref monitor, timer;
	static airs_pid pid;

	if (!message) {
		pid = act_spawn(self, wait_for_kill, AIRS_SPAWN_MONITOR, &monitor);
		return airs_timer_start(self, 500, 0, &timer);
	}
	if (message->type == AIRS_MSG_TIMER)
		airs_exit_signal(self, pid, &kill);
	else
		finish(self);
	return 0;
}

START_TEST(an_interval_ends_when_its_actor_is_killed)
{
	run_everywhere(kill_ticker);
}
END_TEST

static int refuse_none(struct airs_actor *self, struct airs_message *message)
{
	airs_ref timer;
	uint64_t left;

	if (message)
		return 0;
	ck_assert_int_eq(airs_timer_start_interval(self, 1, 0, 0, &timer), -EINVAL);
	ck_assert_int_eq(airs_timer_read(self, 12345, &left), -ENOENT);
	finish(self);
	return 0;
}

START_TEST(an_interval_of_nothing_is_refused)
{
	run_seeded(1, refuse_none);
}
END_TEST

/* The idle timeout. */

static int see_idle(struct airs_actor *self, struct airs_message *message)
{
	static uint64_t set_usec;
	static int n_timeouts, n_messages;
	airs_ref timer;

	if (!message) {
		n_timeouts = n_messages = 0;
		ck_assert_int_eq(airs_timer_start(self, 40, 0, &timer), 0);
		return airs_idle_timeout(self, 100);
	}
	if (message->type == AIRS_MSG_TIMER && n_messages++ == 0) {
		/* Takes it back; this one is of its own. */
		set_usec = airs_now(self);
		return airs_idle_timeout(self, 100);
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_TIMEOUT);
	ck_assert_uint_eq(airs_now(self), set_usec + 100);
	ck_assert_int_eq(n_timeouts++, 0); /* It is not set again by itself. */
	finish(self);
	return 0;
}

START_TEST(the_idle_timeout_comes_when_nothing_else_has)
{
	for (uint64_t seed = 0; seed < 20; seed++)
		run_seeded(seed, see_idle);
}
END_TEST

static int see_no_timeout(struct airs_actor *self, struct airs_message *message)
{
	airs_ref timer;

	if (!message) {
		ck_assert_int_eq(airs_send(self, airs_self(self), MSG_GO, NULL, 0), 0);
		return airs_idle_timeout(self, 0);
	}
	ck_assert_uint_ne(message->type, AIRS_MSG_TIMEOUT);
	if (message->type == MSG_GO) {
		ck_assert_int_eq(airs_timer_start(self, 1000, 0, &timer), 0);
		ck_assert_int_eq(airs_idle_timeout(self, 10), 0);
		ck_assert_int_eq(airs_idle_timeout(self, AIRS_INFINITY), 0);
		return 0;
	}
	finish(self);
	return 0;
}

START_TEST(messages_that_wait_and_infinity_take_the_idle_timeout_back)
{
	run_everywhere(see_no_timeout);
}
END_TEST

/* Going on. */

static int go_on(struct airs_actor *self, struct airs_message *message)
{
	static uint64_t n_steps;

	if (!message) {
		n_steps = 0;
		ck_assert_int_eq(airs_send(self, airs_self(self), MSG_GO, NULL, 0), 0);
		airs_continue(self, 99);
		airs_continue(self, 1);
		return 0;
	}
	if (message->type == AIRS_MSG_CONTINUE) {
		ck_assert_uint_eq(message->value, ++n_steps);
		ck_assert_uint_eq(message->from, airs_self(self));
		ck_assert_uint_eq(message->ref, 0);
		/* Three in a chain from init, three more from a message. */
		if (n_steps % 3 != 0)
			airs_continue(self, n_steps + 1);
		return 0;
	}
	if (message->type == MSG_LATER) {
		ck_assert_uint_eq(n_steps, 6);
		finish(self);
		return 0;
	}
	ck_assert_uint_eq(n_steps, 3);
	airs_continue(self, 4);
	return airs_send(self, airs_self(self), MSG_LATER, NULL, 0);
}

START_TEST(what_goes_on_comes_before_the_next_message)
{
	run_everywhere(go_on);
}
END_TEST

static int go_on_and_stop(struct airs_actor *self, struct airs_message *message)
{
	if (!message) {
		airs_continue(self, 1);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_CONTINUE);
	ck_assert_uint_eq(message->value, 1);
	airs_continue(self, 2); /* Ending wins. */
	return exit_with(self, 8);
}

static int see_stop(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;
	static int n_started;

	if (!message) {
		n_started = 0;
		act_spawn(self, go_on_and_stop, AIRS_SPAWN_MONITOR | AIRS_SPAWN_ACK,
				&monitor);
		return 0;
	}
	if (message->type == AIRS_MSG_STARTED) {
		/* Init is over before it goes on. */
		ck_assert_int_eq(message->status, 0);
		n_started++;
		return 0;
	}
	ck_assert_int_eq(n_started, 1);
	ck_assert_int_eq(reason_of(message)->code, 8);
	finish(self);
	return 0;
}

START_TEST(an_actor_may_end_where_it_goes_on)
{
	run_everywhere(see_stop);
}
END_TEST

static int answer_later(struct airs_actor *self, struct airs_message *message)
{
	static struct airs_from from;

	if (!message)
		return 0;
	if (message->type == MSG_ASK) {
		from = airs_message_from(message);
		airs_continue(self, 5);
		return 0;
	}
	return airs_reply(self, from, (int32_t)message->value, NULL, 0);
}

static int ask(struct airs_actor *self, struct airs_message *message)
{
	struct airs_request request = { .type = MSG_ASK, .timeout_usec = AIRS_INFINITY };
	airs_ref call;

	if (!message) {
		request.to = act_spawn(self, answer_later, 0, NULL);
		return airs_call(self, &request, &call);
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_REPLY);
	ck_assert_int_eq(message->status, 5);
	finish(self);
	return 0;
}

START_TEST(a_request_is_answered_where_its_handler_goes_on)
{
	run_everywhere(ask);
}
END_TEST

TEST_MAIN("pace", an_interval_ticks_without_drift_until_it_is_cancelled,
		an_interval_is_never_early, ticks_that_came_too_late_are_left_out,
		an_interval_ends_with_its_actor,
		an_interval_ends_when_its_actor_is_killed,
		an_interval_of_nothing_is_refused,
		the_idle_timeout_comes_when_nothing_else_has,
		messages_that_wait_and_infinity_take_the_idle_timeout_back,
		what_goes_on_comes_before_the_next_message,
		an_actor_may_end_where_it_goes_on,
		a_request_is_answered_where_its_handler_goes_on)
