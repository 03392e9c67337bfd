/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/rt/fixture.h"

/* AIRS_SPAWN_CHILD: an end of the child is a DOWN, an end of the parent an exit signal. */

enum {
	MSG_UNLINK = AIRS_MSG_USER,
	MSG_LINK,
	MSG_DIE,
	MSG_ASK,
	MSG_DONE,
	MSG_PID,
};

#define TAG UINT64_C(0x123456789abcdef0)

static airs_pid spawn_child(struct airs_actor *self, act_fn *fn, unsigned int flags)
{
	return act_spawn_with(self, fn,
			&(struct airs_spawn_options){ .flags = flags, .tag = TAG });
}

static struct airs_actor_info info_of(struct airs_actor *self, airs_pid pid)
{
	struct airs_actor_info info = { .size = sizeof(info) };

	ck_assert_int_eq(airs_actor_get_info(airs_actor_system(self), pid, &info), 0);
	return info;
}

/* Does what its parent says. */
static int obey(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		return 0;
	if (message->type == MSG_UNLINK)
		airs_unlink(self, airs_parent(self));
	if (message->type == MSG_LINK) {
		ck_assert_int_eq(airs_link(self, airs_parent(self)), 0);
		return airs_send(self, airs_parent(self), MSG_DONE, NULL, 0);
	}
	if (message->type == MSG_ASK)
		return airs_send(self, message->from, MSG_DONE, NULL, 0);
	return message->type == MSG_DIE ? exit_with(self, 3) : 0;
}

static int see_child_end(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid pid;
	static int n_started;

	if (!message) {
		n_started = 0;
		airs_trap_exit(self, AIRS_TRAP_ON);
		pid = spawn_child(self, obey, AIRS_SPAWN_CHILD | AIRS_SPAWN_ACK);
		ck_assert_uint_eq(info_of(self, airs_self(self)).links, 1);
		ck_assert_uint_eq(info_of(self, pid).links, 1);
		ck_assert_uint_eq(info_of(self, pid).monitored_by, 1);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	ck_assert_uint_eq(message->from, pid);
	ck_assert_uint_eq(message->value, TAG);
	ck_assert_uint_eq(message->ref, 0);
	if (message->type == AIRS_MSG_STARTED) {
		n_started++;
		return message->status;
	}
	/* Not AIRS_MSG_EXIT, which would come before. */
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_int_eq(reason_of(message)->code, 3);
	ck_assert_int_eq(n_started, 1);
	ck_assert_uint_eq(info_of(self, airs_self(self)).links, 0);
	ck_assert_uint_eq(info_of(self, airs_self(self)).monitors, 0);
	finish(self);
	return 0;
}

START_TEST(the_end_of_a_child_is_a_down_with_its_tag_and_no_exit_signal)
{
	run_everywhere(see_child_end);
}
END_TEST

static int fail_to_start(struct airs_actor *self, struct airs_message *message)
{
	return message ? 0 : exit_with(self, 4);
}

static int see_failed_start(struct airs_actor *self, struct airs_message *message)
{
	static int n_started;

	if (!message) {
		n_started = 0;
		spawn_child(self, fail_to_start, AIRS_SPAWN_CHILD | AIRS_SPAWN_ACK);
		return 0;
	}
	ck_assert_uint_eq(message->value, TAG);
	ck_assert_int_eq(reason_of(message)->code, 4);
	if (message->type == AIRS_MSG_STARTED)
		return n_started++;
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_int_eq(n_started, 1);
	finish(self);
	return 0;
}

START_TEST(a_child_that_fails_to_start_is_told_of_twice)
{
	run_everywhere(see_failed_start);
}
END_TEST

/*
 * A watcher starts a parent, the parent a child whose pid it tells the watcher, who
 * monitors it and then lets the parent end, by itself or by KILL.
 */
static act_fn *child_fn;
static uint32_t before_end; /* what the child is told before that, or 0 */
static int parent_unlinks;
static enum airs_reason_class ends_with;

static int tell_pid(struct airs_actor *self, airs_pid pid)
{
	return airs_send(self, airs_parent(self), MSG_PID, &pid, sizeof(pid));
}

static int be_parent(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid pid;

	if (!message) {
		pid = spawn_child(self, child_fn, AIRS_SPAWN_CHILD);
		if (parent_unlinks)
			airs_unlink(self, pid);
		if (before_end)
			ck_assert_int_eq(airs_send(self, pid, before_end, NULL, 0), 0);
		/* The link must be there before the watcher acts. */
		return before_end == MSG_LINK ? 0 : tell_pid(self, pid);
	}
	if (message->type == MSG_DONE)
		return tell_pid(self, pid);
	if (message->type == AIRS_MSG_DOWN)
		return airs_send(self, airs_parent(self), MSG_DONE, NULL, 0);
	return message->type == MSG_DIE ? exit_with(self, 5) : 0;
}

static void end_parent(struct airs_actor *self, airs_pid parent)
{
	const struct airs_reason kill = airs_reason_make(AIRS_REASON_KILL, 0, NULL);

	if (ends_with == AIRS_REASON_KILLED)
		airs_exit_signal(self, parent, &kill);
	else
		ck_assert_int_eq(airs_send(self, parent, MSG_DIE, NULL, 0), 0);
}

static int see_child_go_with_parent(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;
	airs_pid pid;

	if (!message) {
		act_spawn(self, be_parent, 0, NULL);
		return 0;
	}
	if (message->type == MSG_PID) {
		memcpy(&pid, message->data, sizeof(pid));
		ck_assert_int_eq(airs_monitor(self, pid, &monitor), 0);
		end_parent(self, message->from);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_uint_eq(reason_of(message)->reason_class, ends_with);
	finish(self);
	return 0;
}

static void let_parent_end(enum airs_reason_class reason_class)
{
	child_fn = obey;
	before_end = 0;
	parent_unlinks = 0;
	ends_with = reason_class;
}

START_TEST(the_end_of_the_parent_ends_the_child)
{
	let_parent_end(AIRS_REASON_USER);
	run_everywhere(see_child_go_with_parent);
}
END_TEST

START_TEST(the_child_of_a_killed_parent_is_killed)
{
	let_parent_end(AIRS_REASON_KILLED);
	run_everywhere(see_child_go_with_parent);
}
END_TEST

START_TEST(a_child_that_links_its_parent_again_ends_with_it)
{
	let_parent_end(AIRS_REASON_USER);
	parent_unlinks = 1;
	before_end = MSG_LINK;
	run_everywhere(see_child_go_with_parent);
}
END_TEST

static int trap(struct airs_actor *self, struct airs_message *message)
{
	if (!message) {
		airs_trap_exit(self, AIRS_TRAP_ON);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_EXIT);
	ck_assert_uint_eq(message->from, airs_parent(self));
	ck_assert_int_eq(reason_of(message)->code, 5);
	return airs_exit(self, reason_of(message));
}

START_TEST(a_child_that_traps_is_told_of_its_parents_end)
{
	let_parent_end(AIRS_REASON_USER);
	child_fn = trap;
	run_everywhere(see_child_go_with_parent);
}
END_TEST

/* The child must still answer when the parent is gone. */
static int see_child_stay(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid pid;
	static airs_ref monitor;

	if (!message) {
		act_spawn(self, be_parent, 0, NULL);
		return 0;
	}
	if (message->type == MSG_PID) {
		memcpy(&pid, message->data, sizeof(pid));
		ck_assert_int_eq(airs_monitor(self, message->from, &monitor), 0);
		end_parent(self, message->from);
		return 0;
	}
	if (message->type == AIRS_MSG_DOWN)
		return airs_send(self, pid, MSG_ASK, NULL, 0);
	ck_assert_uint_eq(message->type, MSG_DONE);
	ck_assert_uint_eq(info_of(self, pid).links, 0);
	finish(self);
	return 0;
}

START_TEST(a_child_that_has_unlinked_its_parent_outlives_it)
{
	let_parent_end(AIRS_REASON_USER);
	before_end = MSG_UNLINK;
	run_everywhere(see_child_stay);
}
END_TEST

START_TEST(a_child_that_its_parent_has_unlinked_outlives_it)
{
	let_parent_end(AIRS_REASON_USER);
	parent_unlinks = 1;
	run_everywhere(see_child_stay);
}
END_TEST

static int see_unlinked_end(struct airs_actor *self, struct airs_message *message)
{
	airs_pid pid;

	if (!message) {
		pid = spawn_child(self, obey, AIRS_SPAWN_CHILD);
		ck_assert_int_eq(airs_send(self, pid, MSG_UNLINK, NULL, 0), 0);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_uint_eq(message->value, TAG);
	ck_assert_uint_eq(info_of(self, airs_self(self)).links, 0);
	finish(self);
	return 0;
}

START_TEST(the_end_of_a_child_that_has_unlinked_its_parent_is_told)
{
	run_everywhere(see_unlinked_end);
}
END_TEST

static int refuse_flags(struct airs_actor *self, struct airs_message *message)
{
	struct airs_spawn_options options = { .size = sizeof(options) };
	airs_ref ref;
	airs_pid pid;

	if (message)
		return 0;
	options.ret_monitor = &ref;
	options.flags = AIRS_SPAWN_CHILD | AIRS_SPAWN_LINK;
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &options, &pid), -EINVAL);
	options.flags = AIRS_SPAWN_CHILD | AIRS_SPAWN_MONITOR;
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &options, &pid), -EINVAL);
	options.flags = AIRS_SPAWN_CHILD;
	ck_assert_int_eq(airs_system_spawn(airs_actor_system(self), &act_behaviour,
					 &options, &pid),
			-EINVAL);
	finish(self);
	return 0;
}

START_TEST(a_child_has_a_parent_and_neither_link_nor_monitor_beside)
{
	run_seeded(1, refuse_flags);
}
END_TEST

TEST_MAIN("tie", the_end_of_a_child_is_a_down_with_its_tag_and_no_exit_signal,
		a_child_that_fails_to_start_is_told_of_twice,
		the_end_of_the_parent_ends_the_child,
		the_child_of_a_killed_parent_is_killed,
		a_child_that_links_its_parent_again_ends_with_it,
		a_child_that_traps_is_told_of_its_parents_end,
		a_child_that_has_unlinked_its_parent_outlives_it,
		a_child_that_its_parent_has_unlinked_outlives_it,
		the_end_of_a_child_that_has_unlinked_its_parent_is_told,
		a_child_has_a_parent_and_neither_link_nor_monitor_beside)
