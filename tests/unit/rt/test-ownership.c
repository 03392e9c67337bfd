/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What is handed over is freed exactly once, and what a state owns is released however
 * its actor ends. */
#include <stdlib.h>

#include "unit/rt/fixture.h"

static int freed, released, inits;
static const int thing = 5;

static void count_free(void *data)
{
	ck_assert_ptr_eq(data, &thing);
	freed++;
}

struct state {
	int is_set;
};

static int owner_init(struct airs_actor *self, void *data, const void *args, size_t size)
{
	struct state *state = data;

	(void)self;
	ck_assert_ptr_eq(args, &thing);
	ck_assert_uint_eq(size, sizeof(thing));
	ck_assert_int_eq(freed, 0);
	inits++;
	state->is_set = 1;
	return 0;
}

static int owner_handle(struct airs_actor *self, void *data, struct airs_message *message)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_NORMAL, 0, NULL);

	(void)data;
	(void)message;
	return airs_exit(self, &reason);
}

static void owner_release(void *data)
{
	const struct state *state = data;

	ck_assert_int_eq(state->is_set, inits);
	released++;
}

static const struct airs_behaviour owner = {
	.size = sizeof(owner),
	.name = "owner",
	.state_size = sizeof(struct state),
	.init = owner_init,
	.handle = owner_handle,
	.release = owner_release,
};

static const struct airs_spawn_options handed_over = {
	.size = sizeof(handed_over),
	.args = &thing,
	.args_size = sizeof(thing),
	.free_args = count_free,
};

static void kill_owner(struct airs_system *system, airs_pid pid)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_KILL, 0, NULL);

	airs_system_exit_signal(system, pid, &reason);
	(void)airs_system_run(system, 0);
}

START_TEST(arguments_handed_over_are_freed_after_init)
{
	struct airs_system *system = seeded_system(1);
	airs_pid pid;

	ck_assert_int_eq(airs_system_spawn(system, &owner, &handed_over, &pid), 0);
	(void)airs_system_run(system, 0);
	ck_assert_int_eq(inits, 1);
	ck_assert_int_eq(freed, 1);
	ck_assert_int_eq(released, 0);
	airs_system_free(system);
	ck_assert_int_eq(freed, 1);
}
END_TEST

START_TEST(arguments_are_freed_when_the_actor_is_killed_before_init)
{
	struct airs_system *system = seeded_system(1);
	airs_pid pid;

	ck_assert_int_eq(airs_system_spawn(system, &owner, &handed_over, &pid), 0);
	kill_owner(system, pid);
	ck_assert_int_eq(inits, 0);
	ck_assert_int_eq(freed, 1);
	ck_assert_int_eq(released, 1);
	airs_system_free(system);
	ck_assert_int_eq(freed, 1);
	ck_assert_int_eq(released, 1);
}
END_TEST

START_TEST(arguments_are_freed_when_nothing_ever_ran)
{
	struct airs_system *system = seeded_system(1);
	airs_pid pid;

	ck_assert_int_eq(airs_system_spawn(system, &owner, &handed_over, &pid), 0);
	airs_system_free(system);
	ck_assert_int_eq(freed, 1);
	ck_assert_int_eq(released, 1);
}
END_TEST

START_TEST(arguments_are_freed_when_the_spawn_fails)
{
	struct airs_system *system = seeded_system(1);
	struct airs_spawn_options options = handed_over;
	airs_pid pid;

	options.name = "one";
	ck_assert_int_eq(airs_system_spawn(system, &owner, &options, &pid), 0);
	ck_assert_int_eq(freed, 0);
	ck_assert_int_eq(airs_system_spawn(system, &owner, &options, &pid), -EEXIST);
	ck_assert_int_eq(freed, 1);
	options.flags = AIRS_SPAWN_LINK;
	ck_assert_int_eq(airs_system_spawn(system, &owner, &options, &pid), -EINVAL);
	ck_assert_int_eq(freed, 2);
	airs_system_free(system);
	ck_assert_int_eq(freed, 3);
}
END_TEST

START_TEST(state_is_released_once_however_the_actor_ends)
{
	struct airs_system *system = seeded_system(1);
	struct airs_reason reason = airs_reason_make(AIRS_REASON_USER, 1, NULL);
	airs_pid pid;

	ck_assert_int_eq(airs_system_spawn(system, &owner, &handed_over, &pid), 0);
	(void)airs_system_run(system, 0);
	kill_owner(system, pid);
	ck_assert_int_eq(released, 1);
	freed = inits = 0;
	ck_assert_int_eq(airs_system_spawn(system, &owner, &handed_over, &pid), 0);
	(void)airs_system_run(system, 0);
	airs_system_exit_signal(system, pid, &reason);
	(void)airs_system_run(system, 0);
	ck_assert_int_eq(released, 2);
	freed = inits = 0;
	ck_assert_int_eq(airs_system_spawn(system, &owner, &handed_over, &pid), 0);
	ck_assert_int_eq(airs_system_send(system, pid, AIRS_MSG_USER, NULL, 0), 0);
	(void)airs_system_run(system, 0);
	ck_assert_int_eq(airs_is_alive(system, pid), 0);
	ck_assert_int_eq(released, 3);
	airs_system_free(system);
	ck_assert_int_eq(released, 3);
}
END_TEST

static int answers;

static int ask(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref ref;
	airs_pid dead;

	if (message) {
		ck_assert_uint_eq(message->type, AIRS_MSG_REPLY);
		ck_assert_uint_eq(message->ref, ref);
		answers++;
		return 0;
	}
	dead = airs_self(self) + (UINT64_C(1) << 40);
	return airs_call(self,
			&(struct airs_request){ .to = dead,
					.type = AIRS_MSG_USER,
					.data = (void *)(uintptr_t)&thing,
					.size = sizeof(thing),
					.free_data = count_free,
					.timeout_usec = AIRS_INFINITY },
			&ref);
}

START_TEST(payload_of_a_call_to_nobody_is_freed)
{
	struct airs_system *system = seeded_system(1);

	(void)act_start(system, ask);
	(void)airs_system_run(system, 0);
	ck_assert_int_eq(answers, 1);
	ck_assert_int_eq(freed, 1);
	airs_system_free(system);
}
END_TEST

static int ask_badly(struct airs_actor *self, struct airs_message *message)
{
	airs_ref ref;

	if (message)
		return 0;
	ck_assert_int_eq(
			airs_call(self,
					&(struct airs_request){ .to = airs_self(self),
							.type = AIRS_MSG_DOWN,
							.data = (void *)(uintptr_t)&thing,
							.size = sizeof(thing),
							.free_data = count_free,
							.timeout_usec = AIRS_INFINITY },
					&ref),
			-EINVAL);
	return 0;
}

START_TEST(payload_of_a_refused_call_is_freed)
{
	struct airs_system *system = seeded_system(1);

	(void)act_start(system, ask_badly);
	(void)airs_system_run(system, 0);
	ck_assert_int_eq(freed, 1);
	airs_system_free(system);
}
END_TEST

TEST_MAIN("ownership", arguments_handed_over_are_freed_after_init,
		arguments_are_freed_when_the_actor_is_killed_before_init,
		arguments_are_freed_when_nothing_ever_ran,
		arguments_are_freed_when_the_spawn_fails,
		state_is_released_once_however_the_actor_ends,
		payload_of_a_call_to_nobody_is_freed, payload_of_a_refused_call_is_freed)
