/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/rt/fixture.h"

enum {
	MSG_GO = AIRS_MSG_USER,
	MSG_LINK,
	MSG_UNLINK,
	MSG_DIE,
	MSG_ASK,
	MSG_DONE,
	MSG_PEER,
};

static int obey(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		return 0;
	if (message->type == MSG_LINK)
		return airs_link(self, message->from);
	if (message->type == MSG_UNLINK)
		airs_unlink(self, message->from);
	if (message->type == MSG_ASK)
		return airs_send(self, message->from, MSG_DONE, NULL, 0);
	return message->type == MSG_DIE ? exit_with(self, 3) : 0;
}

static uint32_t links_of(struct airs_actor *self, airs_pid pid)
{
	struct airs_actor_info info = { .size = sizeof(info) };

	ck_assert_int_eq(airs_actor_get_info(airs_actor_system(self), pid, &info), 0);
	return info.links;
}

static int link_twice(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid pid;
	static int n_exits;

	if (!message) {
		n_exits = 0;
		airs_trap_exit(self, AIRS_TRAP_ON);
		pid = act_spawn(self, obey, 0, NULL);
		ck_assert_int_eq(airs_link(self, airs_self(self)), 0);
		ck_assert_uint_eq(links_of(self, airs_self(self)), 0);
		ck_assert_int_eq(airs_link(self, pid), 0);
		ck_assert_int_eq(airs_link(self, pid), 0);
		ck_assert_int_eq(airs_send(self, pid, MSG_LINK, NULL, 0), 0);
		return airs_send(self, pid, MSG_ASK, NULL, 0);
	}
	if (message->type == MSG_DONE && n_exits == 0) {
		ck_assert_uint_eq(links_of(self, airs_self(self)), 1);
		ck_assert_uint_eq(links_of(self, pid), 1);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	if (message->type == AIRS_MSG_EXIT) {
		n_exits++;
		ck_assert_int_eq(reason_of(message)->code, 3);
		return airs_send(self, airs_self(self), MSG_DONE, NULL, 0);
	}
	ck_assert_int_eq(n_exits, 1);
	ck_assert_uint_eq(links_of(self, airs_self(self)), 0);
	finish(self);
	return 0;
}

START_TEST(a_link_made_three_times_tells_once)
{
	run_everywhere(link_twice);
}
END_TEST

static int link_dead(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;
	airs_pid pid;

	if (!message) {
		airs_trap_exit(self, AIRS_TRAP_ON);
		pid = act_spawn(self, obey, AIRS_SPAWN_MONITOR, &monitor);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	if (message->type == AIRS_MSG_DOWN)
		return airs_link(self, message->from);
	ck_assert_uint_eq(message->type, AIRS_MSG_EXIT);
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_NOPROC);
	ck_assert_uint_eq(links_of(self, airs_self(self)), 0);
	finish(self);
	return 0;
}

START_TEST(a_link_to_the_dead_gives_noproc)
{
	run_everywhere(link_dead);
}
END_TEST

static int link_nobody(struct airs_actor *self, struct airs_message *message)
{
	return message ? 0 : airs_link(self, UINT64_C(0x1234567890));
}

static int see_link_nobody(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;

	if (!message) {
		act_spawn(self, link_nobody, AIRS_SPAWN_MONITOR, &monitor);
		return 0;
	}
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_NOPROC);
	finish(self);
	return 0;
}

START_TEST(who_does_not_trap_ends_when_it_links_to_nobody)
{
	run_everywhere(see_link_nobody);
}
END_TEST

/* After unlink nothing arrives; a link made again works; the dead answer noproc, not an
 * old reason. */
static int unlink_and_link(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid pid;
	static int round, n_exits;
	static enum airs_reason_class last;

	if (!message || message->type == MSG_GO) {
		if (!message)
			round = 0;
		n_exits = 0;
		airs_trap_exit(self, AIRS_TRAP_ON);
		pid = act_spawn(self, obey, AIRS_SPAWN_LINK, NULL);
		ck_assert_int_eq(airs_send(self, pid, MSG_DIE, NULL, 0), 0);
		return airs_send(self, airs_self(self), MSG_PEER, NULL, 0);
	}
	if (message->type == MSG_PEER) {
		/* It may have died meanwhile; then its exit may be here already, or lie
		 * behind us. */
		airs_unlink(self, pid);
		if (n_exits)
			return airs_send(self, airs_self(self), MSG_GO, NULL, 0);
		if (round % 2) {
			ck_assert_int_eq(airs_link(self, pid), 0);
		} else {
			airs_ref monitor;

			ck_assert_int_eq(airs_monitor(self, pid, &monitor), 0);
		}
		return 0;
	}
	last = reason_of(message)->reason_class;
	if (message->type == AIRS_MSG_EXIT && n_exits++ == 0 &&
			last == AIRS_REASON_USER && round % 2 == 0)
		return 0; /* before the unlink */
	if (message->type == AIRS_MSG_EXIT && last == AIRS_REASON_USER && round % 2)
		ck_assert_int_eq(n_exits, 1);
	if (++round == 40) {
		finish(self);
		return 0;
	}
	return airs_send(self, airs_self(self), MSG_GO, NULL, 0);
}

START_TEST(unlink_and_link_again_around_a_death_tell_once)
{
	run_everywhere(unlink_and_link);
}
END_TEST

/* The exit signal of an old link lies in the mailbox when the link is removed and made
 * again: the dead peer answers noproc, and the old reason is never seen. */
static int relink_the_dead(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid pid;

	if (!message) {
		airs_trap_exit(self, AIRS_TRAP_ON);
		pid = act_spawn(self, obey, AIRS_SPAWN_LINK, NULL);
		ck_assert_int_eq(airs_send(self, airs_self(self), MSG_PEER, NULL, 0), 0);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	if (message->type == MSG_PEER) {
		airs_unlink(self, pid);
		return airs_link(self, pid);
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_EXIT);
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_NOPROC);
	finish(self);
	return 0;
}

START_TEST(the_reason_of_a_removed_link_is_never_seen)
{
	uint64_t seed;

	for (seed = 0; seed < 200; seed++)
		run_seeded(seed, relink_the_dead);
}
END_TEST

/* A dying partner that unlinked first: nothing arrives. */
static int unlink_then_die(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		return 0;
	airs_unlink(self, airs_parent(self));
	return exit_with(self, 4);
}

static int see_unlinked_death(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;
	airs_pid pid;

	if (!message) {
		pid = act_spawn(self, unlink_then_die,
				AIRS_SPAWN_LINK | AIRS_SPAWN_MONITOR, &monitor);
		return airs_send(self, pid, MSG_GO, NULL, 0);
	}
	if (message->type == AIRS_MSG_DOWN)
		return airs_link(self, message->from)
				?: airs_send(self, airs_self(self), MSG_DONE, NULL, 0);
	return 0;
}

static int watch_unlinked_death(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;

	if (!message) {
		act_spawn(self, see_unlinked_death, AIRS_SPAWN_MONITOR, &monitor);
		return 0;
	}
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_NOPROC);
	finish(self);
	return 0;
}

START_TEST(an_unlinked_partner_leaves_noproc_and_no_foreign_reason)
{
	run_everywhere(watch_unlinked_death);
}
END_TEST

/* Two actors that link and unlink each other at random: afterwards both halves agree. */
#define STORM_STEPS 60

static airs_pid storm[2];

static int storm_actor(struct airs_actor *self, struct airs_message *message)
{
	struct act *own = act_state(self);
	airs_pid peer;

	if (!message) {
		airs_trap_exit(self, AIRS_TRAP_ON);
		return 0;
	}
	if (message->type == MSG_ASK)
		return airs_send(self, message->from, MSG_DONE, NULL, 0);
	peer = storm[0] == airs_self(self) ? storm[1] : storm[0];
	if (airs_random(self) & 1)
		ck_assert_int_eq(airs_link(self, peer), 0);
	else
		airs_unlink(self, peer);
	if (++own->argument < STORM_STEPS)
		return airs_send(self, airs_self(self), MSG_GO, NULL, 0);
	return airs_send(self, airs_parent(self), MSG_DONE, NULL, 0);
}

static int storm_judge(struct airs_actor *self, struct airs_message *message)
{
	static int n_done;
	int i;

	if (!message) {
		n_done = 0;
		for (i = 0; i < 2; i++)
			storm[i] = act_spawn(self, storm_actor, 0, NULL);
		for (i = 0; i < 2; i++)
			ck_assert_int_eq(airs_send(self, storm[i], MSG_GO, NULL, 0), 0);
		return 0;
	}
	/*
	 * Both are done after two; each answer to a question says that what was sent
	 * before it has been seen, and two rounds of those cover the acknowledgements.
	 */
	n_done++;
	if (n_done == 6) {
		ck_assert_uint_eq(links_of(self, storm[0]), links_of(self, storm[1]));
		finish(self);
		return 0;
	}
	for (i = 0; n_done % 2 == 0 && i < 2; i++)
		ck_assert_int_eq(airs_send(self, storm[i], MSG_ASK, NULL, 0), 0);
	return 0;
}

START_TEST(simultaneous_links_and_unlinks_end_in_agreement)
{
	uint64_t seed;

	for (seed = 0; seed < 2000; seed++)
		run_seeded(seed, storm_judge);
}
END_TEST

/* Many links: the list becomes a table and back. */
#define MANY 500

static int many_links(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid pids[MANY];
	static int n_exits;
	int i;

	if (!message) {
		n_exits = 0;
		airs_trap_exit(self, AIRS_TRAP_ON);
		for (i = 0; i < MANY; i++)
			pids[i] = act_spawn(
					self, obey, i % 2 ? AIRS_SPAWN_LINK : 0, NULL);
		for (i = 0; i < MANY; i += 2)
			ck_assert_int_eq(airs_link(self, pids[i]), 0);
		ck_assert_uint_eq(links_of(self, airs_self(self)), MANY);
		for (i = 0; i < MANY; i += 5)
			airs_unlink(self, pids[i]);
		ck_assert_uint_eq(links_of(self, airs_self(self)), MANY - MANY / 5);
		for (i = 0; i < MANY; i++)
			ck_assert_int_eq(airs_send(self, pids[i], MSG_DIE, NULL, 0), 0);
		return 0;
	}
	if (++n_exits == MANY - MANY / 5) {
		ck_assert_uint_eq(links_of(self, airs_self(self)), 0);
		finish(self);
	}
	return 0;
}

START_TEST(hundreds_of_links_are_each_told)
{
	run_everywhere(many_links);
}
END_TEST

TEST_MAIN("link", a_link_made_three_times_tells_once, a_link_to_the_dead_gives_noproc,
		who_does_not_trap_ends_when_it_links_to_nobody,
		unlink_and_link_again_around_a_death_tell_once,
		the_reason_of_a_removed_link_is_never_seen,
		an_unlinked_partner_leaves_noproc_and_no_foreign_reason,
		simultaneous_links_and_unlinks_end_in_agreement,
		hundreds_of_links_are_each_told)
