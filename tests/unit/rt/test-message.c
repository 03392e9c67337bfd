/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdlib.h>

#include "unit/rt/fixture.h"

enum {
	MSG_PING = AIRS_MSG_USER,
	MSG_PONG,
	MSG_GO,
	MSG_STOP,
};

#define ROUNDS 200

static int echo(struct airs_actor *self, struct airs_message *message)
{
	if (message && message->type == MSG_PING)
		return airs_send(self, message->from, MSG_PONG, message->data,
				message->size);
	return 0;
}

static int play(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid peer;
	static uint64_t count;

	if (!message) {
		count = 0;
		peer = act_spawn(self, echo, 0, NULL);
	} else {
		ck_assert_uint_eq(message->type, MSG_PONG);
		ck_assert_uint_eq(message->from, peer);
		ck_assert_uint_eq(message->size, sizeof(count));
		ck_assert_mem_eq(message->data, &count, sizeof(count));
		if (++count == ROUNDS) {
			finish(self);
			return 0;
		}
	}
	return airs_send(self, peer, MSG_PING, &count, sizeof(count));
}

START_TEST(a_message_comes_back_as_it_was_sent)
{
	run_everywhere(play);
}
END_TEST

static const size_t sizes[] = { 0, 1, 15, 16, 17, 80, 81, 1000, 1024, 5000, 1000000 };

static int check_size(struct airs_actor *self, struct airs_message *message)
{
	static size_t next;
	const unsigned char *bytes;
	size_t i;

	if (!message) {
		next = 0;
		return 0;
	}
	bytes = message->data;
	ck_assert_uint_eq(message->size, sizes[next]);
	ck_assert_int_eq(!message->data, message->size == 0);
	for (i = 0; i < message->size; i++)
		if (bytes[i] != (unsigned char)(i * 7 + next))
			ck_abort_msg("byte %zu of size %zu differs", i, message->size);
	if (++next == sizeof(sizes) / sizeof(sizes[0]))
		finish(self);
	return 0;
}

static int send_sizes(struct airs_actor *self, struct airs_message *message)
{
	airs_pid to = act_spawn(self, check_size, 0, NULL);
	unsigned char *bytes = malloc(1000000);
	size_t i, j;

	(void)message;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (j = 0; j < sizes[i]; j++)
			bytes[j] = (unsigned char)(j * 7 + i);
		ck_assert_int_eq(airs_send(self, to, MSG_GO, bytes, sizes[i]), 0);
	}
	free(bytes);
	return 0;
}

START_TEST(payloads_of_every_size_arrive_whole_and_in_order)
{
	run_everywhere(send_sizes);
}
END_TEST

static int n_freed;

static void count_free(void *data)
{
	n_freed++;
	free(data);
}

static int take_moved(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		return 0;
	if (message->type == MSG_STOP) {
		finish(self);
		return 0;
	}
	ck_assert_int_eq(n_freed, 2);
	ck_assert_str_eq(message->data, "moved");
	return airs_send(self, airs_self(self), MSG_STOP, NULL, 0);
}

static int send_moved(struct airs_actor *self, struct airs_message *message)
{
	airs_pid to = act_spawn(self, take_moved, 0, NULL);

	(void)message;
	n_freed = 0;
	ck_assert_int_eq(airs_send_moved(self, to, 3,
					 (struct airs_payload){
							 strdup("x"), 2, count_free }),
			-EINVAL);
	ck_assert_int_eq(n_freed, 1);
	/* A dead target swallows it. */
	ck_assert_int_eq(airs_send_moved(self, 1, MSG_GO,
					 (struct airs_payload){
							 strdup("x"), 2, count_free }),
			0);
	ck_assert_int_eq(n_freed, 2);
	return airs_send_moved(self, to, MSG_GO,
			(struct airs_payload){ strdup("moved"), 6, count_free });
}

START_TEST(a_moved_payload_is_freed_once_whatever_happens)
{
	run_seeded(1, send_moved);
	ck_assert_int_eq(n_freed, 3);
}
END_TEST

static int send_wrongly(struct airs_actor *self, struct airs_message *message)
{
	airs_ref ref = 77;

	(void)message;
	ck_assert_int_eq(airs_send(self, airs_self(self), 3, NULL, 0), -EINVAL);
	ck_assert_int_eq(airs_send(self, airs_self(self), MSG_GO, "", 65 << 20), -EINVAL);
	ck_assert_int_eq(airs_send(self, airs_self(self), MSG_GO, NULL, 1), -EINVAL);
	ck_assert_int_eq(airs_call(self,
					 &(struct airs_request){ .to = airs_self(self),
							 .type = 3,
							 .timeout_usec = 1 },
					 &ref),
			-EINVAL);
	ck_assert_uint_eq(ref, 77);
	ck_assert_int_eq(airs_send(self, AIRS_PID_NONE, MSG_GO, NULL, 0), 0);
	ck_assert_int_eq(airs_send(self, UINT64_MAX, MSG_GO, NULL, 0), 0);
	finish(self);
	return 0;
}

START_TEST(wrong_types_and_sizes_are_refused_and_dead_targets_are_not)
{
	run_seeded(1, send_wrongly);
}
END_TEST

static int fill_mailbox(struct airs_actor *self, struct airs_message *message)
{
	static int n_received;
	struct airs_spawn_options options = { .size = sizeof(options), .mailbox_max = 3 };
	const struct act act = { .fn = fill_mailbox };
	struct airs_actor_info info = { .size = sizeof(info) };
	airs_pid to;
	int i;

	if (message) {
		/* What is being handled has left its place. */
		if (++n_received == 1)
			ck_assert_int_eq(
					airs_send(self, airs_self(self), MSG_GO, NULL, 0),
					0);
		if (n_received == 4)
			finish(self);
		return 0;
	}
	if (airs_parent(self) != AIRS_PID_NONE)
		return 0;
	n_received = 0;
	options.args = &act;
	options.args_size = sizeof(act);
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &options, &to), 0);
	for (i = 0; i < 5; i++)
		ck_assert_int_eq(airs_send(self, to, MSG_GO, NULL, 0),
				i < 3 ? 0 : -EAGAIN);
	ck_assert_int_eq(airs_actor_get_info(airs_actor_system(self), to, &info), 0);
	ck_assert_uint_eq(info.messages_queued, 3);
	ck_assert_uint_eq(info.messages_refused, 2);
	return 0;
}

START_TEST(a_full_mailbox_refuses_and_says_so)
{
	run_seeded(1, fill_mailbox);
}
END_TEST

static int receive_outside(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		return 0;
	ck_assert_uint_eq(message->from, AIRS_PID_NONE);
	ck_assert_str_eq(message->data, "hello");
	finish(self);
	return 0;
}

START_TEST(a_foreign_thread_can_send)
{
	struct airs_system *system = threaded_system(2);
	airs_pid pid = act_start(system, receive_outside);

	ck_assert_int_eq(airs_system_send(system, pid, MSG_GO, "hello", 6), 0);
	ck_assert_int_eq(airs_system_send(system, pid, 5, NULL, 0), -EINVAL);
	ck_assert_int_eq(airs_system_start(system), 0);
	ck_assert_int_eq(airs_system_run(system, AIRS_INFINITY), 0);
	airs_system_free(system);
}
END_TEST

TEST_MAIN("message", a_message_comes_back_as_it_was_sent,
		payloads_of_every_size_arrive_whole_and_in_order,
		a_moved_payload_is_freed_once_whatever_happens,
		wrong_types_and_sizes_are_refused_and_dead_targets_are_not,
		a_full_mailbox_refuses_and_says_so, a_foreign_thread_can_send)
