/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/rt/fixture.h"

/*
 * The seeded scheduler replays: a mix of everything is run, and every message that any
 * actor handles goes into a hash, with its time. Equal seeds give equal hashes, different
 * seeds different ones.
 */

enum {
	MSG_WORK = AIRS_MSG_USER,
	MSG_CALL,
};

#define POPULATION 40
#define LIFETIME   25

static uint64_t trace;

static void note(uint64_t value)
{
	trace = (trace ^ value) * UINT64_C(0x100000001b3);
	trace ^= trace >> 29;
}

static airs_pid population[POPULATION];

static airs_pid anyone(struct airs_actor *self)
{
	return population[airs_random(self) % POPULATION];
}

static int busy(struct airs_actor *self, struct airs_message *message);

static int do_something(struct airs_actor *self)
{
	struct airs_reason reason = reason_user(2);
	airs_ref ref;

	switch (airs_random(self) % 9) {
	case 0:
		return airs_link(self, anyone(self));
	case 1:
		airs_unlink(self, anyone(self));
		return 0;
	case 2:
		return airs_monitor(self, anyone(self), &ref);
	case 3:
		return airs_timer_start(self, airs_random(self) % 1000, 1, &ref);
	case 4:
		return airs_call(self,
				&(struct airs_request){ .to = anyone(self),
						.type = MSG_CALL,
						.timeout_usec = 500 },
				&ref);
	case 5:
		airs_exit_signal(self, anyone(self), &reason);
		return 0;
	case 6:
		population[airs_random(self) % POPULATION] = act_spawn(
				self, busy, AIRS_SPAWN_ACK | AIRS_SPAWN_LINK, NULL);
		return 0;
	default:
		return airs_send(self, anyone(self), MSG_WORK, NULL, 0);
	}
}

static int busy(struct airs_actor *self, struct airs_message *message)
{
	note(airs_self(self));
	note(airs_now(self));
	if (!message) {
		if (airs_random(self) & 1)
			airs_trap_exit(self, AIRS_TRAP_ON);
		return airs_send(self, airs_self(self), MSG_WORK, NULL, 0);
	}
	note(message->type);
	note(message->from);
	note(message->ref);
	note((uint64_t)message->status);
	if (message->type == MSG_CALL && airs_random(self) & 1)
		return airs_reply(self, airs_message_from(message), 3, NULL, 0);
	if (++act_state(self)->argument == LIFETIME)
		return exit_with(self, 1);
	return do_something(self);
}

static int begin(struct airs_actor *self, struct airs_message *message)
{
	int i;

	for (i = 0; !message && i < POPULATION; i++)
		population[i] = act_spawn(self, busy, 0, NULL);
	return 0;
}

static uint64_t run_once(uint64_t seed)
{
	struct airs_system *system = seeded_system(seed);

	trace = 0;
	act_start(system, begin);
	/* It may go on for ever: everybody starts others. */
	ck_assert_int_eq(airs_system_run(system, 20000), 0);
	airs_system_free(system);
	return trace;
}

START_TEST(a_seed_replays_its_run)
{
	uint64_t seed, first;

	for (seed = 1; seed <= 20; seed++) {
		first = run_once(seed);
		ck_assert_uint_ne(first, 0);
		ck_assert_uint_eq(run_once(seed), first);
	}
}
END_TEST

START_TEST(different_seeds_give_different_runs)
{
	uint64_t seed, first = run_once(0), n_same = 0;

	for (seed = 1; seed <= 20; seed++)
		n_same += run_once(seed) == first;
	ck_assert_uint_eq(n_same, 0);
}
END_TEST

TEST_MAIN("replay", a_seed_replays_its_run, different_seeds_give_different_runs)
