/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <pthread.h>
#include <stdlib.h>

#include "unit/rt/fixture.h"

enum {
	MSG_DOUBLE = AIRS_MSG_USER,
	MSG_LATER,
	MSG_NEVER,
	MSG_TWICE,
	MSG_DIE,
	MSG_DIE_LATER,
	MSG_FORWARD,
	MSG_FLUSH,
	MSG_DONE,
};

/* A request that is answered after its handler. */
static struct airs_from owed;

static int server(struct airs_actor *self, struct airs_message *message)
{
	uint64_t value;

	if (!message)
		return 0;
	switch (message->type) {
	case MSG_DOUBLE:
		ck_assert_uint_eq(message->size, sizeof(value));
		memcpy(&value, message->data, sizeof(value));
		value *= 2;
		return airs_reply(self, airs_message_from(message), 11, &value,
				sizeof(value));
	case MSG_LATER:
		owed = airs_message_from(message);
		return airs_send(self, airs_self(self), MSG_FLUSH, NULL, 0);
	case MSG_FLUSH:
		ck_assert_int_eq(airs_reply(self, owed, 12, NULL, 0), 0);
		return airs_reply(self, owed, 13, NULL, 0);
	case MSG_TWICE:
		ck_assert_int_eq(airs_reply(self, airs_message_from(message), 1, NULL, 0),
				0);
		return airs_reply(self, airs_message_from(message), 2, NULL, 0);
	case MSG_DIE:
		return exit_with(self, 21);
	case MSG_DIE_LATER:
		return airs_send(self, airs_self(self), MSG_DIE, NULL, 0);
	default:
		return 0;
	}
}

static int ask_double(struct airs_actor *self, struct airs_message *message)
{
	static uint64_t value;
	static airs_pid pid;
	static airs_ref call;
	uint64_t answer;

	if (!message) {
		value = 1;
		pid = act_spawn(self, server, 0, NULL);
	} else {
		ck_assert_uint_eq(message->type, AIRS_MSG_REPLY);
		ck_assert_uint_eq(message->ref, call);
		ck_assert_uint_eq(message->from, pid);
		ck_assert_int_eq(message->status, 11);
		memcpy(&answer, message->data, sizeof(answer));
		ck_assert_uint_eq(answer, value * 2);
		value = answer;
		if (value > UINT64_C(1) << 40) {
			finish(self);
			return 0;
		}
	}
	return airs_call(self,
			&(struct airs_request){ .to = pid,
					.type = MSG_DOUBLE,
					.data = &value,
					.size = sizeof(value),
					.timeout_usec = 1000000000 },
			&call);
}

START_TEST(each_call_gets_its_reply)
{
	run_everywhere(ask_double);
}
END_TEST

/* Cases of which each ends with exactly one reply, and then a flush through the same
 * server. */
struct ask {
	uint32_t type;
	uint64_t timeout_usec;
	int status, code;
};

static const struct ask asks[] = {
	{ MSG_LATER, AIRS_INFINITY, 12, 0 },
	{ MSG_TWICE, AIRS_INFINITY, 1, 0 },
	{ MSG_NEVER, 1000, -ETIMEDOUT, 0 },
	{ MSG_NEVER, 0, -ETIMEDOUT, 0 },
	{ MSG_DIE, AIRS_INFINITY, -ESRCH, 21 },
	{ MSG_DIE_LATER, AIRS_INFINITY, -ESRCH, 21 },
};
static const struct ask *ask;

static int ask_once(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref call, timer;
	static int n_replies;
	airs_pid pid;

	if (!message) {
		n_replies = 0;
		pid = act_spawn(self, server, 0, NULL);
		return airs_call(self,
				&(struct airs_request){ .to = pid,
						.type = ask->type,
						.timeout_usec = ask->timeout_usec },
				&call);
	}
	if (message->type == AIRS_MSG_REPLY) {
		n_replies++;
		ck_assert_uint_eq(message->ref, call);
		ck_assert_int_eq(message->status, ask->status);
		if (ask->status == -ESRCH)
			ck_assert_int_eq(reason_of(message)->code, ask->code);
		else
			ck_assert_uint_eq(message->size, 0);
		return airs_timer_start(self, 2000, 0, &timer);
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_TIMER);
	ck_assert_int_eq(n_replies, 1);
	finish(self);
	return 0;
}

START_TEST(each_call_ends_exactly_once)
{
	size_t i;

	for (i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		ask = &asks[i];
		run_everywhere(ask_once);
	}
}
END_TEST

static int ask_dead(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref call;

	if (!message)
		return airs_call(self,
				&(struct airs_request){ .to = UINT64_C(0x99999999),
						.type = MSG_NEVER,
						.data = "x",
						.size = 1,
						.timeout_usec = 5000 },
				&call);
	ck_assert_uint_eq(message->type, AIRS_MSG_REPLY);
	ck_assert_int_eq(message->status, -ESRCH);
	ck_assert_uint_eq(message->ref, call);
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_NOPROC);
	finish(self);
	return 0;
}

START_TEST(a_call_to_nobody_fails_with_noproc)
{
	run_everywhere(ask_dead);
}
END_TEST

/* A reply after the timeout, and one after a cancel, are never seen. */
static int late_server(struct airs_actor *self, struct airs_message *message)
{
	static struct airs_from late;
	static airs_ref timer;

	if (!message)
		return 0;
	if (message->type == AIRS_MSG_TIMER)
		return airs_reply(self, late, 0, NULL, 0);
	late = airs_message_from(message);
	return airs_timer_start(self, 3000, 0, &timer);
}

static int impatient(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref call, timer;
	static airs_pid pid;
	static int n_replies;

	if (!message) {
		n_replies = 0;
		pid = act_spawn(self, late_server, 0, NULL);
		ck_assert_int_eq(airs_timer_start(self, 20000, 0, &timer), 0);
		return airs_call(self,
				&(struct airs_request){ .to = pid,
						.type = MSG_LATER,
						.timeout_usec = 1000 },
				&call);
	}
	if (message->type == AIRS_MSG_REPLY) {
		ck_assert_int_eq(message->status, -ETIMEDOUT);
		ck_assert_int_eq(n_replies++, 0);
		ck_assert_int_eq(
				airs_call(self,
						&(struct airs_request){ .to = pid,
								.type = MSG_LATER,
								.timeout_usec = AIRS_INFINITY },
						&call),
				0);
		airs_call_cancel(self, call);
		airs_call_cancel(self, call);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_TIMER);
	ck_assert_int_eq(n_replies, 1);
	finish(self);
	return 0;
}

START_TEST(late_replies_never_arrive)
{
	run_everywhere(impatient);
}
END_TEST

/* A request may be answered by somebody else. */
static int delegate(struct airs_actor *self, struct airs_message *message)
{
	struct airs_from from;

	if (!message)
		return 0;
	memcpy(&from, message->data, sizeof(from));
	return airs_reply(self, from, 5, "deputy", 7);
}

static int delegating_server(struct airs_actor *self, struct airs_message *message)
{
	struct airs_from from;

	if (!message || !message->ref)
		return 0;
	from = airs_message_from(message);
	return airs_send(self, act_spawn(self, delegate, 0, NULL), MSG_FORWARD, &from,
			sizeof(from));
}

static int ask_delegated(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref call;

	if (!message)
		return airs_call(self,
				&(struct airs_request){
						.to = act_spawn(self, delegating_server,
								0, NULL),
						.type = MSG_FORWARD,
						.timeout_usec = AIRS_INFINITY },
				&call);
	ck_assert_uint_eq(message->ref, call);
	ck_assert_int_eq(message->status, 5);
	ck_assert_str_eq(message->data, "deputy");
	finish(self);
	return 0;
}

START_TEST(somebody_else_may_reply)
{
	run_everywhere(ask_delegated);
}
END_TEST

static struct airs_system *outside;
static airs_pid outside_server;

static void *call_from_outside(void *arg)
{
	uint64_t i, value, *answer;
	size_t size;
	void *data;
	int r;

	(void)arg;
	for (i = 1; i <= 100; i++) {
		value = i;
		data = NULL;
		r = airs_system_call(outside,
				&(struct airs_request){ .to = outside_server,
						.type = MSG_DOUBLE,
						.data = &value,
						.size = sizeof(value),
						.timeout_usec = 30000000 },
				&data, &size);
		answer = data;
		if (r != 11 || size != sizeof(value) || *answer != 2 * i)
			return (void *)(uintptr_t) "wrong answer";
		free(data);
	}
	if (airs_system_call(outside,
			    &(struct airs_request){ .to = outside_server,
					    .type = MSG_NEVER,
					    .timeout_usec = 1000 },
			    NULL, NULL) != -ETIMEDOUT)
		return (void *)(uintptr_t) "no timeout";
	if (airs_system_call(outside,
			    &(struct airs_request){ .to = 12,
					    .type = MSG_NEVER,
					    .timeout_usec = 1000 },
			    &data, &size) != -ESRCH)
		return (void *)(uintptr_t) "no -ESRCH";
	return NULL;
}

START_TEST(foreign_threads_can_call)
{
	pthread_t threads[3];
	void *complaint;
	int i;

	outside = threaded_system(2);
	outside_server = act_start(outside, server);
	ck_assert_int_eq(airs_system_start(outside), 0);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, call_from_outside,
						 NULL),
				0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &complaint), 0);
		ck_assert_msg(!complaint, "%s", (const char *)complaint);
	}
	airs_system_free(outside);
}
END_TEST

static void *call_for_ever(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)airs_system_call(outside,
			&(struct airs_request){ .to = outside_server,
					.type = MSG_NEVER,
					.timeout_usec = AIRS_INFINITY },
			NULL, NULL);
}

static int stop_when_asked(struct airs_actor *self, struct airs_message *message)
{
	if (message)
		finish(self);
	return 0;
}

START_TEST(a_foreign_call_ends_when_the_system_stops)
{
	pthread_t thread;
	void *result;

	outside = threaded_system(1);
	outside_server = act_start(outside, stop_when_asked);
	ck_assert_int_eq(airs_system_start(outside), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, call_for_ever, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_int_eq((int)(intptr_t)result, -ESHUTDOWN);
	airs_system_free(outside);
}
END_TEST

TEST_MAIN("call", each_call_gets_its_reply, each_call_ends_exactly_once,
		a_call_to_nobody_fails_with_noproc, late_replies_never_arrive,
		somebody_else_may_reply, foreign_threads_can_call,
		a_foreign_call_ends_when_the_system_stops)
