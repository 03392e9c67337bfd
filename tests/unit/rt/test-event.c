/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "airssys/event.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/rt/fixture.h"

/*
 * Event managers. A boss does one step after the other: each sends a request, and the
 * answer to it, which is written down with what handlers see, leads to the next one.
 * Names that end in _otp are OTP's.
 */

enum {
	MSG_EVENT = AIRS_MSG_USER,
	MSG_FAIL,
	MSG_LEAVE,
	MSG_ASK,
};

static struct {
	char trace[1024];
	airs_pid manager;
	airs_ref call;
	int step, releases;
} play;

static void note(const char *what, const char *id, long n)
{
	size_t used = strlen(play.trace);

	(void)snprintf(play.trace + used, sizeof(play.trace) - used, "%s%s%ld ", what, id,
			n);
}

/* Its state: a letter, a count, and memory of its own. */
struct listener {
	char name[2];
	long count;
	char *memory;
};

static int listen_init(
		struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct listener *l = state;
	const struct listener *before = args;

	(void)self;
	l->memory = malloc(8);
	if (size == sizeof(*before)) { /* A swap: it goes on where the old one was. */
		memcpy(l->name, "s", 2);
		l->count = before->count;
		return 0;
	}
	memcpy(l->name, args, 2);
	return l->name[0] == 'x' ? -ENODATA : 0;
}

static int listen(
		struct airs_actor *self, void *state, const struct airs_message *message)
{
	struct listener *l = state;

	(void)self;
	note("", l->name, ++l->count);
	if (l->name[0] != 'a')
		return 0;
	if (message->type == MSG_FAIL)
		return -ENOTTY;
	return message->type == MSG_LEAVE ? AIRS_EVENT_REMOVE : 0;
}

static int listen_ask(
		struct airs_actor *self, void *state, const struct airs_message *request)
{
	struct listener *l = state;

	if (request->type == MSG_FAIL)
		return -ENOTTY;
	ck_assert_str_eq(request->data, "question");
	return airs_reply(self, airs_message_from(request), (int32_t)l->count, NULL, 0);
}

static void listen_end(
		struct airs_actor *self, void *state, const struct airs_reason *reason)
{
	struct listener *l = state;

	(void)self;
	note("-", l->name, reason->reason_class);
}

static void listen_release(void *state)
{
	struct listener *l = state;

	play.releases++;
	free(l->memory);
}

static const struct airs_event_handler listener = {
	.size = sizeof(listener),
	.state_size = sizeof(struct listener),
	.init = listen_init,
	.handle = listen,
	.ask = listen_ask,
	.terminate = listen_end,
	.release = listen_release,
};

static const struct airs_event_handler bare = { .size = sizeof(bare) };

static struct airs_event_spec spec_of(const char *id, unsigned int flags)
{
	struct airs_event_spec spec = {
		.size = sizeof(spec),
		.id = id,
		.handler = &listener,
		.args = id,
		.args_size = 2,
		.flags = flags,
	};

	return spec;
}

static void add(struct airs_actor *self, const char *id, unsigned int flags)
{
	struct airs_event_spec spec = spec_of(id, flags);

	ck_assert_int_eq(airs_event_add(self, play.manager, &spec, AIRS_INFINITY,
					 &play.call),
			0);
}

static void swap(struct airs_actor *self, const char *id, const char *new_id)
{
	struct airs_event_spec spec = spec_of(new_id, 0);

	spec.args = NULL;
	spec.args_size = 0;
	spec.replaces = id;
	ck_assert_int_eq(airs_event_swap(self, play.manager, &spec, AIRS_INFINITY,
					 &play.call),
			0);
}

static void drop(struct airs_actor *self, const char *id)
{
	ck_assert_int_eq(airs_event_remove(self, play.manager, id, AIRS_INFINITY,
					 &play.call),
			0);
}

static struct airs_request request_of(uint32_t type)
{
	return (struct airs_request){ .to = play.manager,
		.type = type,
		.data = "question",
		.size = 9,
		.timeout_usec = AIRS_INFINITY };
}

static void notify_and_wait(struct airs_actor *self, uint32_t type)
{
	struct airs_request request = request_of(type);

	ck_assert_int_eq(airs_call(self, &request, &play.call), 0);
}

static void ask(struct airs_actor *self, const char *id, uint32_t type)
{
	struct airs_request request = request_of(type);

	ck_assert_int_eq(airs_event_ask(self, id, &request, &play.call), 0);
}

static void which(struct airs_actor *self)
{
	ck_assert_int_eq(airs_event_which(self, play.manager, AIRS_INFINITY, &play.call),
			0);
}

static void start_manager(struct airs_actor *self, unsigned int flags)
{
	struct airs_spawn_options options = { .size = sizeof(options), .flags = flags };

	memset(&play, 0, sizeof(play));
	ck_assert_int_eq(airs_spawn(self, airs_event_manager(), &options, &play.manager),
			0);
}

/* Writes an answer down: its status, and ids. */
static void see_answer(const struct airs_message *message)
{
	const char(*ids)[AIRS_EVENT_ID_SIZE] = message->data;

	ck_assert_uint_eq(message->type, AIRS_MSG_REPLY);
	ck_assert_uint_eq(message->ref, play.call);
	if (message->status == 0)
		for (size_t i = 0; i < message->size / sizeof(*ids); i++)
			note("?", ids[i], (long)i);
	note("=", "", message->status);
}

static void assert_trace(const char *expected)
{
	ck_assert_str_eq(play.trace, expected);
	play.trace[0] = '\0';
}

/* Handlers come and go. */

static int add_and_remove(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		start_manager(self, 0);
	else
		see_answer(message);
	switch (play.step++) {
	case 0:
		add(self, "a", 0);
		break;
	case 1:
		add(self, "b", 0);
		break;
	case 2:
		add(self, "a", 0);
		break;
	case 3:
		add(self, "x", 0); /* Its init fails. */
		break;
	case 4:
		assert_trace("=0 =0 =-17 =-61 ");
		which(self);
		break;
	case 5:
		assert_trace("?b0 ?a1 =0 ");
		notify_and_wait(self, MSG_EVENT);
		break;
	case 6:
		assert_trace("b1 a1 =0 ");
		drop(self, "b");
		break;
	case 7:
		drop(self, "b");
		break;
	case 8:
		assert_trace("-b0 =0 =-2 ");
		notify_and_wait(self, MSG_LEAVE);
		break;
	case 9:
		which(self);
		break;
	default:
		assert_trace("a2 -a0 =0 =0 ");
		ck_assert_int_eq(play.releases, 3);
		finish(self);
	}
	return 0;
}

START_TEST(add_and_delete_handler_otp)
{
	run_everywhere(add_and_remove);
}
END_TEST

/* A handler that fails goes alone, and its owner is told. */
static int fail_one(struct airs_actor *self, struct airs_message *message)
{
	const struct airs_event_gone *gone;

	if (!message)
		start_manager(self, 0);
	else if (message->type == AIRS_MSG_EVENT) {
		gone = message->data;
		ck_assert_str_eq(gone->id, "a");
		ck_assert_int_eq(gone->reason.code, ENOTTY);
		note("gone", gone->id, 0);
		return 0;
	} else {
		see_answer(message);
	}
	switch (play.step++) {
	case 0:
		add(self, "b", 0);
		break;
	case 1:
		add(self, "a", AIRS_EVENT_OWNED);
		break;
	case 2:
		notify_and_wait(self, MSG_FAIL);
		break;
	case 3:
		assert_trace("=0 =0 a1 -a5 b1 gonea0 =0 ");
		notify_and_wait(self, MSG_EVENT);
		break;
	default:
		assert_trace("b2 =0 ");
		finish(self);
	}
	return 0;
}

START_TEST(a_handler_that_fails_is_removed_alone)
{
	/* The order of its writing down: one worker. */
	for (uint64_t seed = 0; seed < 20; seed++)
		run_seeded(seed, fail_one);
}
END_TEST

static int swap_some(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		start_manager(self, 0);
	else
		see_answer(message);
	switch (play.step++) {
	case 0:
		add(self, "a", 0);
		break;
	case 1:
		add(self, "b", 0);
		break;
	case 2:
		notify_and_wait(self, MSG_EVENT);
		break;
	case 3:
		swap(self, "c", "d");
		break;
	case 4:
		swap(self, "a", "b");
		break;
	case 5:
		assert_trace("=0 =0 b1 a1 =0 =-2 =-17 ");
		swap(self, "a", "a");
		break;
	case 6:
		notify_and_wait(self, MSG_EVENT);
		break;
	default:
		/* It went on at the count of the old one. */
		assert_trace("-a0 =0 s2 b2 =0 ");
		ck_assert_int_eq(play.releases, 1);
		finish(self);
	}
	return 0;
}

START_TEST(swap_handler_otp)
{
	run_everywhere(swap_some);
}
END_TEST

static int ask_some(struct airs_actor *self, struct airs_message *message)
{
	struct airs_event_spec spec = spec_of("bare", 0);

	if (!message)
		start_manager(self, 0);
	else
		see_answer(message);
	switch (play.step++) {
	case 0:
		add(self, "a", 0);
		break;
	case 1:
		spec.handler = &bare;
		ck_assert_int_eq(airs_event_add(self, play.manager, &spec, AIRS_INFINITY,
						 &play.call),
				0);
		break;
	case 2:
		notify_and_wait(self, MSG_EVENT);
		break;
	case 3:
		ask(self, "a", MSG_ASK);
		break;
	case 4:
		ask(self, "bare", MSG_ASK);
		break;
	case 5:
		ask(self, "nobody", MSG_ASK);
		break;
	case 6:
		ask(self, "a", MSG_FAIL);
		break;
	case 7:
		which(self);
		break;
	default:
		assert_trace("=0 =0 a1 =0 =1 =-38 =-2 -a5 =-3 ?bare0 =0 ");
		finish(self);
	}
	return 0;
}

START_TEST(call_otp)
{
	run_everywhere(ask_some);
}
END_TEST

/* An owner that ends when its handler is there. */
static int own_and_end(struct airs_actor *self, struct airs_message *message)
{
	struct airs_event_spec spec = spec_of("a", AIRS_EVENT_OWNED);
	airs_ref call;

	if (!message)
		return airs_event_add(self, play.manager, &spec, AIRS_INFINITY, &call);
	return exit_with(self, message->status == 0 ? 4 : 5);
}

static int see_owner_end(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;

	if (!message) {
		start_manager(self, 0);
		act_spawn(self, own_and_end, AIRS_SPAWN_MONITOR, &monitor);
		return 0;
	}
	if (message->type == AIRS_MSG_DOWN) {
		ck_assert_int_eq(reason_of(message)->code, 4);
		which(self);
		return 0;
	}
	if (play.step++ == 0) {
		/* The manager's own DOWN may be behind the first question. */
		which(self);
		return 0;
	}
	ck_assert_int_eq(message->status, 0);
	if (message->size > 0) {
		which(self);
		return 0;
	}
	assert_trace("-a11 ");
	ck_assert_int_eq(play.releases, 1);
	finish(self);
	return 0;
}

START_TEST(a_handler_goes_with_its_owner)
{
	run_everywhere(see_owner_end);
}
END_TEST

static enum airs_reason_class ends_with;

static int end_manager(struct airs_actor *self, struct airs_message *message)
{
	const struct airs_reason reason = airs_reason_make(ends_with, 0, NULL);

	if (!message) {
		start_manager(self, AIRS_SPAWN_CHILD);
		add(self, "a", AIRS_EVENT_OWNED);
		return 0;
	}
	if (message->type == AIRS_MSG_REPLY) {
		airs_exit_signal(self, play.manager, &reason);
		return 0;
	}
	if (message->type == AIRS_MSG_EVENT) {
		note("gone", "", 0);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_int_eq(play.releases, 1);
	assert_trace(ends_with == AIRS_REASON_KILL ? "" : "-a1 gone0 ");
	finish(self);
	return 0;
}

START_TEST(handlers_end_with_their_manager)
{
	ends_with = AIRS_REASON_SHUTDOWN;
	run_everywhere(end_manager);
	ends_with = AIRS_REASON_KILL;
	run_everywhere(end_manager);
}
END_TEST

static int refuse_bad(struct airs_actor *self, struct airs_message *message)
{
	char long_id[AIRS_EVENT_ID_SIZE + 1];
	struct airs_event_spec spec = spec_of("", 0);
	airs_ref call;

	if (message)
		return 0;
	memset(long_id, 'l', AIRS_EVENT_ID_SIZE);
	long_id[AIRS_EVENT_ID_SIZE] = '\0';
	ck_assert_int_eq(airs_event_add(self, 1, &spec, 0, &call), -EINVAL);
	spec = spec_of(long_id, 0);
	ck_assert_int_eq(airs_event_add(self, 1, &spec, 0, &call), -EINVAL);
	ck_assert_int_eq(airs_event_remove(self, 1, long_id, 0, &call), -EINVAL);
	ck_assert_int_eq(airs_event_remove(self, 1, NULL, 0, &call), -EINVAL);
	spec = spec_of("a", 2);
	ck_assert_int_eq(airs_event_add(self, 1, &spec, 0, &call), -EINVAL);
	spec = spec_of("a", 0);
	ck_assert_int_eq(airs_event_swap(self, 1, &spec, 0, &call), -EINVAL);
	spec.replaces = "a";
	ck_assert_int_eq(airs_event_swap(self, 1, &spec, 0, &call), -EINVAL);
	ck_assert_int_eq(airs_event_add(self, 1, &spec, 0, &call), -EINVAL);
	finish(self);
	return 0;
}

START_TEST(requests_that_name_nothing_are_refused)
{
	run_seeded(1, refuse_bad);
}
END_TEST

TEST_MAIN("event", add_and_delete_handler_otp, a_handler_that_fails_is_removed_alone,
		swap_handler_otp, call_otp, a_handler_goes_with_its_owner,
		handlers_end_with_their_manager, requests_that_name_nothing_are_refused)
