/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/rt/fixture.h"

enum {
	MSG_DIE = AIRS_MSG_USER,
	MSG_DONE,
	MSG_NEXT,
};

static int mortal(struct airs_actor *self, struct airs_message *message)
{
	return message && message->type == MSG_DIE ? exit_with(self, 3) : 0;
}

static struct airs_actor_info info_of(struct airs_actor *self, airs_pid pid)
{
	struct airs_actor_info info = { .size = sizeof(info) };

	ck_assert_int_eq(airs_actor_get_info(airs_actor_system(self), pid, &info), 0);
	return info;
}

static int two_monitors(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref refs[2];
	static unsigned int seen;
	static airs_pid pid;

	if (!message) {
		seen = 0;
		pid = act_spawn(self, mortal, 0, NULL);
		ck_assert_int_eq(airs_monitor(self, pid, &refs[0]), 0);
		ck_assert_int_eq(airs_monitor(self, pid, &refs[1]), 0);
		ck_assert_uint_ne(refs[0], refs[1]);
		ck_assert_uint_eq(info_of(self, airs_self(self)).monitors, 2);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_uint_eq(message->from, pid);
	ck_assert_int_eq(reason_of(message)->code, 3);
	ck_assert_str_eq(reason_of(message)->text, "because");
	ck_assert(message->ref == refs[0] || message->ref == refs[1]);
	seen |= message->ref == refs[0] ? 1 : 2;
	if (seen == 3) {
		ck_assert_uint_eq(info_of(self, airs_self(self)).monitors, 0);
		finish(self);
	}
	return 0;
}

START_TEST(two_monitors_give_two_downs)
{
	run_everywhere(two_monitors);
}
END_TEST

static int monitor_dead(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref refs[2];
	static int n_seen;

	if (!message) {
		n_seen = 0;
		ck_assert_int_eq(airs_monitor(self, AIRS_PID_NONE, &refs[0]), 0);
		return airs_monitor(self, UINT64_MAX / 3, &refs[1]);
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_uint_eq(message->ref, refs[n_seen]);
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_NOPROC);
	if (++n_seen == 2)
		finish(self);
	return 0;
}

START_TEST(a_monitor_of_nobody_is_down_at_once)
{
	run_everywhere(monitor_dead);
}
END_TEST

static int demonitor_at_once(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref ref, guard;
	static int n_seen;
	airs_pid pid;

	if (!message) {
		n_seen = 0;
		pid = act_spawn(self, mortal, AIRS_SPAWN_MONITOR, &ref);
		ck_assert_int_eq(airs_monitor(self, pid, &guard), 0);
		ck_assert_int_eq(airs_send(self, pid, MSG_DIE, NULL, 0), 0);
		airs_demonitor(self, ref);
		return 0;
	}
	ck_assert_uint_eq(message->ref, guard);
	ck_assert_int_eq(n_seen++, 0);
	finish(self);
	return 0;
}

START_TEST(nothing_arrives_after_demonitor)
{
	run_everywhere(demonitor_at_once);
}
END_TEST

static airs_ref queued_ref;

/* The DOWN is in the mailbox for certain: the watcher was told so by somebody who saw the
 * death first. */
static int tell_after_death(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref own;

	if (!message)
		return 0;
	if (message->type == MSG_NEXT)
		return airs_monitor(self, *(const airs_pid *)message->data, &own);
	return airs_send(self, airs_parent(self), MSG_DONE, NULL, 0);
}

static int demonitor_queued(struct airs_actor *self, struct airs_message *message)
{
	airs_pid pid, teller;

	if (!message) {
		pid = act_spawn(self, mortal, AIRS_SPAWN_MONITOR, &queued_ref);
		teller = act_spawn(self, tell_after_death, 0, NULL);
		ck_assert_int_eq(airs_send(self, teller, MSG_NEXT, &pid, sizeof(pid)), 0);
		ck_assert_int_eq(airs_send(self, airs_self(self), MSG_NEXT, NULL, 0), 0);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	if (message->type == MSG_NEXT) {
		airs_demonitor(self, queued_ref);
		queued_ref = 0;
	}
	if (message->type == AIRS_MSG_DOWN)
		ck_assert_uint_ne(queued_ref, 0);
	if (message->type == MSG_DONE)
		finish(self);
	return 0;
}

START_TEST(a_down_in_the_mailbox_is_removed_by_demonitor)
{
	run_everywhere(demonitor_queued);
}
END_TEST

/* A stranger's demonitor has no effect. */
static int stranger(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		return 0;
	airs_demonitor(self, *(const airs_ref *)message->data);
	return airs_send(self, message->from, MSG_DONE, NULL, 0);
}

static int foreign_demonitor(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref ref, own;
	static airs_pid pid;
	airs_pid other;

	if (!message) {
		pid = act_spawn(self, mortal, AIRS_SPAWN_MONITOR, &ref);
		ck_assert_int_eq(airs_monitor(self, airs_self(self), &own), 0);
		ck_assert_uint_ne(own, 0);
		airs_demonitor(self, own);
		other = act_spawn(self, stranger, 0, NULL);
		return airs_send(self, other, MSG_NEXT, &ref, sizeof(ref));
	}
	if (message->type == MSG_DONE) {
		ck_assert_uint_eq(info_of(self, pid).monitored_by, 1);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	ck_assert_uint_eq(message->ref, ref);
	finish(self);
	return 0;
}

START_TEST(only_the_owner_removes_a_monitor)
{
	run_everywhere(foreign_demonitor);
}
END_TEST

/* The watcher ends: the target forgets it. */
static int short_watcher(struct airs_actor *self, struct airs_message *message)
{
	airs_ref ref;

	if (!message)
		return airs_monitor(self, airs_parent(self), &ref);
	return exit_with(self, 1);
}

static int watched(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref ref;
	airs_pid pid;

	if (!message) {
		pid = act_spawn(self, short_watcher, AIRS_SPAWN_MONITOR, &ref);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	ck_assert_uint_eq(info_of(self, airs_self(self)).monitored_by, 0);
	finish(self);
	return 0;
}

START_TEST(a_watcher_that_ends_is_forgotten)
{
	run_everywhere(watched);
}
END_TEST

TEST_MAIN("monitor", two_monitors_give_two_downs, a_monitor_of_nobody_is_down_at_once,
		nothing_arrives_after_demonitor,
		a_down_in_the_mailbox_is_removed_by_demonitor,
		only_the_owner_removes_a_monitor, a_watcher_that_ends_is_forgotten)
