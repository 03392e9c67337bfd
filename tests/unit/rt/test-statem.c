/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "airssys/statem.h"

#include <stdarg.h>
#include <stdio.h>

#include "unit/rt/fixture.h"

/*
 * State machines, on the seeded scheduler. Each test has its states, which write down what
 * they are called with: a letter for the kind and a number. Names that end in _otp are
 * OTP's.
 */

enum {
	MSG_EVENT = AIRS_MSG_USER,
	MSG_ASK,
	MSG_INSERTED,
};

enum { FIRST, SECOND, THIRD };

static struct {
	const struct airs_statem_table *table;
	char trace[512];
	airs_pid pid;
} play;

struct player {
	struct airs_statem machine;
	uint64_t count;
};

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
	size_t n = strlen(play.trace);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(play.trace + n, sizeof(play.trace) - n, format, arguments);
	va_end(arguments);
}

static uint64_t number_of(const struct airs_statem_event *event)
{
	uint64_t n = event->message->value;

	if (event->message->size == sizeof(n))
		memcpy(&n, event->message->data, sizeof(n));
	return n;
}

/* Writes the event down: enter, call, cast, info, internal, the timeouts. */
static uint64_t see(const struct airs_statem_event *event)
{
	uint64_t n;

	if (event->kind == AIRS_STATEM_ENTER) {
		note("e%u ", event->state);
		return 0;
	}
	n = number_of(event);
	note("%c%llu ", "?acinset"[event->kind], (unsigned long long)n);
	return n;
}

static int player_init(
		struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct player *p = state;

	(void)args;
	(void)size;
	return airs_statem_begin(&p->machine, self, play.table, FIRST, p);
}

static int player_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	struct player *p = state;

	return airs_statem_handle(&p->machine, self, message);
}

static void player_release(void *state)
{
	struct player *p = state;

	airs_statem_fini(&p->machine);
}

static const struct airs_behaviour player = {
	.size = sizeof(player),
	.name = "player",
	.state_size = sizeof(struct player),
	.init = player_init,
	.handle = player_handle,
	.release = player_release,
};

static struct airs_system *begin(const struct airs_statem_table *table)
{
	struct airs_system *system = seeded_system(1);

	play.table = table;
	play.trace[0] = '\0';
	ck_assert_int_eq(airs_system_start(system), 0);
	ck_assert_int_eq(airs_system_spawn(system, &player, NULL, &play.pid), 0);
	return system;
}

static void tell(struct airs_system *system, uint64_t n)
{
	ck_assert_int_eq(airs_system_send(system, play.pid, MSG_EVENT, &n, sizeof(n)), 0);
}

/* Let this much time pass. */
static void pass(struct airs_system *system, uint64_t usec)
{
	ck_assert_int_eq(airs_system_run(system, airs_system_now(system) + usec), 0);
}

static void assert_trace(const char *expected)
{
	ck_assert_str_eq(play.trace, expected);
	play.trace[0] = '\0';
}

#define MACHINE(name_, flags_, ...)                                                      \
	static airs_statem_fn *const name_##_states[] = { __VA_ARGS__ };                 \
	static const struct airs_statem_table name_ = {                                  \
		.size = sizeof(struct airs_statem_table),                                \
		.states = name_##_states,                                                \
		.n_states = sizeof(name_##_states) / sizeof(name_##_states[0]),          \
		.flags = (flags_),                                                       \
	}

static int insert(struct airs_statem *m, uint64_t n)
{
	return airs_statem_insert(m, MSG_INSERTED, &n, sizeof(n));
}

/* Order. */

static int collect(struct airs_actor *self, struct airs_statem *m, void *data,
		const struct airs_statem_event *event)
{
	(void)self;
	(void)data;
	if (event->kind == AIRS_STATEM_ENTER)
		return 0;
	if (number_of(event) < 50)
		return airs_statem_postpone(m);
	see(event);
	if (number_of(event) == 50)
		return airs_statem_next(m, FIRST);
	if (number_of(event) == 51)
		return airs_statem_repeat(m);
	ck_assert_int_eq(insert(m, 1), 0);
	ck_assert_int_eq(insert(m, 2), 0);
	return airs_statem_next(m, SECOND);
}

static int show(struct airs_actor *self, struct airs_statem *m, void *data,
		const struct airs_statem_event *event)
{
	(void)self;
	(void)data;
	if (see(event) == 1)
		return insert(m, 9); /* Before the others. */
	return 0;
}

MACHINE(ordered, AIRS_STATEM_ENTERS, collect, show);

START_TEST(event_order_otp)
{
	struct airs_system *system = begin(&ordered);

	for (uint64_t n = 11; n < 14; n++)
		tell(system, n);
	tell(system, 50); /* Keeps the state: nothing comes back. */
	tell(system, 51); /* Nor does it when the state is repeated. */
	tell(system, 52);
	tell(system, 14);
	pass(system, 0);
	assert_trace("c50 c51 c52 e0 n1 n9 n2 c11 c12 c13 c14 ");
	airs_system_free(system);
}
END_TEST

/* What was postponed is not lost, nor kept, when the actor ends. */
START_TEST(events_that_are_kept_end_with_the_actor)
{
	const struct airs_reason kill = airs_reason_make(AIRS_REASON_KILL, 0, NULL);
	struct airs_system *system = begin(&ordered);

	tell(system, 1);
	tell(system, 2);
	pass(system, 0);
	airs_system_exit_signal(system, play.pid, &kill);
	pass(system, 0);
	ck_assert_uint_eq(airs_system_actor_count(system), 0);
	airs_system_free(system);
}
END_TEST

/* Entering. */

static int entered(struct airs_actor *self, struct airs_statem *m, void *data,
		const struct airs_statem_event *event)
{
	struct player *p = data;
	uint64_t n;

	(void)self;
	n = see(event);
	if (event->kind == AIRS_STATEM_ENTER) {
		ck_assert_int_eq(airs_statem_next(m, SECOND), -EINVAL);
		ck_assert_int_eq(airs_statem_postpone(m), -EINVAL);
		ck_assert_int_eq(airs_statem_repeat(m), -EINVAL);
		return p->count++ == 0 ? insert(m, 70) : 0;
	}
	if (n == 1)
		return airs_statem_next(m, airs_statem_get_state(m)); /* Keeps it. */
	if (n == 2)
		return airs_statem_repeat(m);
	if (n == 3)
		return airs_statem_next(m, SECOND);
	ck_assert_int_eq(airs_statem_next(m, THIRD), -EINVAL);
	return 0;
}

MACHINE(entering, AIRS_STATEM_ENTERS, entered, entered);
MACHINE(quiet, 0, entered, entered);

START_TEST(state_enter_otp)
{
	struct airs_system *system = begin(&entering);

	pass(system, 0);
	assert_trace("e0 n70 ");
	tell(system, 1);
	pass(system, 0);
	assert_trace("c1 ");
	tell(system, 2);
	pass(system, 0);
	assert_trace("c2 e0 ");
	tell(system, 3);
	pass(system, 0);
	assert_trace("c3 e0 ");
	tell(system, 2);
	pass(system, 0);
	assert_trace("c2 e1 ");
	airs_system_free(system);
}
END_TEST

START_TEST(enter_calls_are_made_only_when_they_are_wanted)
{
	struct airs_system *system = begin(&quiet);

	tell(system, 2);
	tell(system, 3);
	pass(system, 0);
	assert_trace("c2 c3 ");
	airs_system_free(system);
}
END_TEST

/* Timeouts. */

static int timed(struct airs_actor *self, struct airs_statem *m, void *data,
		const struct airs_statem_event *event)
{
	uint64_t n = see(event);
	airs_ref own;

	(void)data;
	if (event->kind != AIRS_STATEM_CAST)
		return 0;
	switch (n) {
	case 1:
		return airs_statem_state_timeout(m, 100, 11);
	case 2:
		return airs_statem_next(m, SECOND);
	case 3:
		ck_assert_int_eq(airs_statem_state_timeout(m, 100, 13), 0);
		return airs_statem_next(m, THIRD);
	case 4:
		return airs_statem_state_timeout(m, AIRS_INFINITY, 0);
	case 5:
		return airs_statem_event_timeout(m, 100, 15);
	case 6:
		ck_assert_int_eq(airs_statem_event_timeout(m, 0, 16), 0);
		return insert(m, 60);
	case 7:
		ck_assert_int_eq(airs_statem_state_timeout(m, 0, 17), 0);
		return insert(m, 61);
	case 8:
		ck_assert_int_eq(airs_statem_timeout(m, 1, 100, 18), 0);
		return airs_statem_timeout(m, 2, 50, 19);
	case 9:
		ck_assert_int_eq(airs_statem_timeout(m, 2, 300, 20), 0);
		return airs_statem_timeout(m, 1, AIRS_INFINITY, 0);
	case 10:
		return airs_timer_start(self, 10, 99, &own);
	default:
		return 0;
	}
}

MACHINE(timing, 0, timed, timed, timed);

START_TEST(state_timeout_otp)
{
	struct airs_system *system = begin(&timing);

	tell(system, 1);
	pass(system, 50);
	tell(system, 0); /* An event does not take it back, */
	pass(system, 50);
	assert_trace("c1 c0 s11 ");
	tell(system, 1);
	tell(system, 2); /* but a change does, */
	pass(system, 1000);
	assert_trace("c1 c2 ");
	tell(system, 1);
	pass(system, 60);
	tell(system, 1); /* setting it anew delays it, */
	pass(system, 99);
	assert_trace("c1 c1 ");
	pass(system, 1);
	assert_trace("s11 ");
	tell(system, 1);
	tell(system, 4); /* and infinity takes it back. */
	pass(system, 1000);
	assert_trace("c1 c4 ");
	tell(system, 3); /* With a change it is the new state's. */
	pass(system, 100);
	assert_trace("c3 s13 ");
	tell(system, 7); /* 0 comes behind what was inserted and before the mailbox. */
	tell(system, 0);
	pass(system, 0);
	assert_trace("c7 n61 s17 c0 ");
	airs_system_free(system);
}
END_TEST

START_TEST(any_event_takes_the_event_timeout_back)
{
	struct airs_system *system = begin(&timing);

	tell(system, 5);
	pass(system, 100);
	assert_trace("c5 e15 ");
	tell(system, 5);
	pass(system, 99);
	tell(system, 0);
	pass(system, 1000);
	assert_trace("c5 c0 ");
	tell(system, 6);
	pass(system, 1000);
	assert_trace("c6 n60 ");
	airs_system_free(system);
}
END_TEST

START_TEST(generic_timers_otp)
{
	struct airs_system *system = begin(&timing);

	tell(system, 8);
	tell(system, 2); /* Neither event nor change concerns them. */
	pass(system, 50);
	assert_trace("c8 c2 t19 ");
	pass(system, 50);
	assert_trace("t18 ");
	tell(system, 8);
	tell(system, 9);
	pass(system, 299);
	assert_trace("c8 c9 ");
	pass(system, 1);
	assert_trace("t20 ");
	airs_system_free(system);
}
END_TEST

START_TEST(timers_of_the_actor_itself_are_infos)
{
	struct airs_system *system = begin(&timing);

	tell(system, 10);
	pass(system, 10);
	assert_trace("c10 i99 ");
	airs_system_free(system);
}
END_TEST

/* A request that comes too early is answered in its time. */
static int closed(struct airs_actor *self, struct airs_statem *m, void *data,
		const struct airs_statem_event *event)
{
	(void)self;
	(void)data;
	return event->kind == AIRS_STATEM_CALL ? airs_statem_postpone(m)
					       : airs_statem_next(m, SECOND);
}

static int open_now(struct airs_actor *self, struct airs_statem *m, void *data,
		const struct airs_statem_event *event)
{
	(void)m;
	(void)data;
	if (event->kind != AIRS_STATEM_CALL)
		return 0;
	return airs_reply(self, airs_message_from(event->message),
			(int32_t)number_of(event), NULL, 0);
}

MACHINE(door, 0, closed, open_now);

static int ask_at_door(struct airs_actor *self, struct airs_message *message)
{
	static int n_replies;
	uint64_t n;
	airs_ref call;

	if (message) {
		ck_assert_uint_eq(message->type, AIRS_MSG_REPLY);
		ck_assert_int_eq(message->status, ++n_replies);
		if (n_replies == 3)
			finish(self);
		return 0;
	}
	n_replies = 0;
	play.table = &door;
	ck_assert_int_eq(airs_spawn(self, &player, NULL, &play.pid), 0);
	for (n = 1; n <= 3; n++)
		ck_assert_int_eq(
				airs_call(self,
						&(struct airs_request){ .to = play.pid,
								.type = MSG_ASK,
								.data = &n,
								.size = sizeof(n),
								.timeout_usec = AIRS_INFINITY },
						&call),
				0);
	return airs_send(self, play.pid, MSG_EVENT, NULL, 0);
}

START_TEST(a_postponed_request_is_answered_in_another_state)
{
	run_everywhere(ask_at_door);
}
END_TEST

static int end_in_enter(struct airs_actor *self, struct airs_statem *m, void *data,
		const struct airs_statem_event *event)
{
	(void)m;
	(void)data;
	return event->kind == AIRS_STATEM_ENTER ? exit_with(self, 6) : 0;
}

MACHINE(short_lived, AIRS_STATEM_ENTERS, end_in_enter);

static int see_early_end(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.flags = AIRS_SPAWN_MONITOR,
		.ret_monitor = &monitor,
	};

	if (message) {
		ck_assert_int_eq(reason_of(message)->code, 6);
		finish(self);
		return 0;
	}
	play.table = &short_lived;
	return airs_spawn(self, &player, &options, &play.pid);
}

START_TEST(a_machine_may_end_where_it_enters)
{
	run_everywhere(see_early_end);
}
END_TEST

TEST_MAIN("statem", event_order_otp, events_that_are_kept_end_with_the_actor,
		state_enter_otp, enter_calls_are_made_only_when_they_are_wanted,
		state_timeout_otp, any_event_takes_the_event_timeout_back,
		generic_timers_otp, timers_of_the_actor_itself_are_infos,
		a_postponed_request_is_answered_in_another_state,
		a_machine_may_end_where_it_enters)
