/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdio.h>

#include "unit/rt/fixture.h"

enum {
	MSG_GO = AIRS_MSG_USER,
};

static const struct airs_reason normal = { .reason_class = AIRS_REASON_NORMAL };

static int start_well(struct airs_actor *self, struct airs_message *message)
{
	(void)self;
	(void)message;
	return 0;
}

static int start_badly(struct airs_actor *self, struct airs_message *message)
{
	(void)self;
	(void)message;
	return -ENODEV;
}

static int start_with_reason(struct airs_actor *self, struct airs_message *message)
{
	(void)message;
	return exit_with(self, 5);
}

static int start_for_nothing(struct airs_actor *self, struct airs_message *message)
{
	(void)self;
	(void)message;
	return AIRS_INIT_IGNORE;
}

static int start_later(struct airs_actor *self, struct airs_message *message)
{
	if (!message) {
		ck_assert_int_eq(airs_send(self, airs_self(self), MSG_GO, NULL, 0), 0);
		return AIRS_INIT_LATER;
	}
	airs_init_done(self, 0);
	airs_init_done(self, -EIO); /* too late */
	return 0;
}

static int fail_later(struct airs_actor *self, struct airs_message *message)
{
	if (!message) {
		ck_assert_int_eq(airs_send(self, airs_self(self), MSG_GO, NULL, 0), 0);
		return AIRS_INIT_LATER;
	}
	airs_init_done(self, -EIO);
	return 0;
}

static int fail_later_with_reason(struct airs_actor *self, struct airs_message *message)
{
	struct airs_reason reason = reason_user(6);

	if (message) {
		airs_init_failed(self, &reason);
		return 0;
	}
	ck_assert_int_eq(airs_send(self, airs_self(self), MSG_GO, NULL, 0), 0);
	return AIRS_INIT_LATER;
}

static int die_before_done(struct airs_actor *self, struct airs_message *message)
{
	if (message)
		return exit_with(self, 8);
	ck_assert_int_eq(airs_send(self, airs_self(self), MSG_GO, NULL, 0), 0);
	return AIRS_INIT_LATER;
}

struct start {
	act_fn *fn;
	int status, code;
	enum airs_reason_class wanted_class;
	int ends;
};

static const struct start starts[] = {
	{ start_well, 0, 0, AIRS_REASON_NORMAL, 0 },
	{ start_badly, -ENODEV, ENODEV, AIRS_REASON_ERROR, 1 },
	{ start_with_reason, -ECANCELED, 5, AIRS_REASON_USER, 1 },
	{ start_for_nothing, AIRS_INIT_IGNORE, 0, AIRS_REASON_NORMAL, 1 },
	{ start_later, 0, 0, AIRS_REASON_NORMAL, 0 },
	{ fail_later, -EIO, EIO, AIRS_REASON_ERROR, 1 },
	{ fail_later_with_reason, -ECANCELED, 6, AIRS_REASON_USER, 1 },
	{ die_before_done, -ECANCELED, 8, AIRS_REASON_USER, 1 },
};
static const struct start *start;

static void check_started(const struct airs_message *message, airs_pid pid)
{
	ck_assert_uint_eq(message->type, AIRS_MSG_STARTED);
	ck_assert_uint_eq(message->from, pid);
	ck_assert_int_eq(message->status, start->status);
	if (start->status >= 0) {
		ck_assert_uint_eq(message->size, 0);
		return;
	}
	ck_assert_uint_eq(reason_of(message)->reason_class, start->wanted_class);
	ck_assert_int_eq(reason_of(message)->code, start->code);
}

static int watch_start(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;
	static airs_pid pid;
	static int n_seen;

	if (!message) {
		n_seen = 0;
		pid = act_spawn(self, start->fn, AIRS_SPAWN_MONITOR | AIRS_SPAWN_ACK,
				&monitor);
		return 0;
	}
	if (n_seen++ == 0) {
		check_started(message, pid);
		if (!start->ends)
			finish(self);
		return 0;
	}
	ck_assert_int_eq(start->ends, 1);
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_uint_eq(reason_of(message)->reason_class, start->wanted_class);
	ck_assert_int_eq(reason_of(message)->code, start->code);
	finish(self);
	return 0;
}

START_TEST(each_outcome_of_init_is_told_once_and_before_the_end)
{
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		start = &starts[i];
		run_everywhere(watch_start);
	}
}
END_TEST

static int kill_the_starting(struct airs_actor *self, struct airs_message *message)
{
	const struct airs_reason kill = { .reason_class = AIRS_REASON_KILL };
	static airs_pid pid;

	if (!message) {
		pid = act_spawn(self, start_later, AIRS_SPAWN_ACK, NULL);
		airs_exit_signal(self, pid, &kill);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_STARTED);
	if (message->status == 0)
		return 0; /* It was faster. */
	ck_assert_int_eq(message->status, -ECANCELED);
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_KILLED);
	finish(self);
	return 0;
}

START_TEST(a_start_that_is_killed_is_told_as_failed)
{
	run_seeded(1, kill_the_starting);
}
END_TEST

static int spawn_wrongly(struct airs_actor *self, struct airs_message *message)
{
	struct airs_spawn_options options = { .size = sizeof(options) };
	airs_pid pid = 5;

	(void)message;
	options.size--;
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &options, &pid), -EINVAL);
	options.size++;
	options.flags = 64;
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &options, &pid), -EINVAL);
	options.flags = AIRS_SPAWN_MONITOR;
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &options, &pid), -EINVAL);
	options.flags = 0;
	options.args_size = 1 << 20;
	options.args = "";
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &options, &pid), -EINVAL);
	options.args_size = 0;
	options.flags = AIRS_SPAWN_LINK;
	ck_assert_int_eq(airs_system_spawn(airs_actor_system(self), &act_behaviour,
					 &options, &pid),
			-EINVAL);
	ck_assert_uint_eq(pid, 5);
	finish(self);
	return 0;
}

START_TEST(wrong_options_are_refused_and_change_nothing)
{
	run_seeded(1, spawn_wrongly);
}
END_TEST

static int expect_name(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		ck_assert_uint_eq(airs_whereis(airs_actor_system(self), "first"),
				airs_self(self));
	return message ? airs_exit(self, &normal) : 0;
}

static int spawn_named(struct airs_actor *self, struct airs_message *message)
{
	const struct act act = { .fn = expect_name };
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.name = "first",
		.args = &act,
		.args_size = sizeof(act),
		.flags = AIRS_SPAWN_MONITOR,
	};
	struct airs_system *system = airs_actor_system(self);
	static airs_ref monitor;
	static int round;
	airs_pid pid, other = 9;

	if (!message)
		round = 0;
	if (round++ == 20) {
		finish(self);
		return 0;
	}
	options.ret_monitor = &monitor;
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &options, &pid), 0);
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &options, &other), -EEXIST);
	ck_assert_uint_eq(other, 9);
	ck_assert_uint_eq(airs_whereis(system, "first"), pid);
	return airs_send(self, pid, MSG_GO, NULL, 0);
}

START_TEST(a_name_is_there_before_init_and_free_before_down)
{
	run_everywhere(spawn_named);
}
END_TEST

static int names_rules(struct airs_actor *self, struct airs_message *message)
{
	struct airs_system *system = airs_actor_system(self);
	struct airs_actor_info info = { .size = sizeof(info) };
	airs_pid other = act_spawn(self, start_well, 0, NULL);
	char long_name[300];

	(void)message;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[256] = '\0';
	ck_assert_int_eq(airs_register(system, "", other), -EINVAL);
	ck_assert_int_eq(airs_register(system, long_name, other), -EINVAL);
	long_name[255] = '\0';
	ck_assert_int_eq(airs_register(system, long_name, other), 0);
	ck_assert_int_eq(airs_register(system, "second", other), -EEXIST);
	ck_assert_int_eq(airs_actor_get_info(system, other, &info), 0);
	ck_assert_uint_eq(strlen(info.name), sizeof(info.name) - 1);
	ck_assert_int_eq(airs_unregister(system, long_name), 0);
	ck_assert_int_eq(airs_unregister(system, long_name), -ENOENT);
	ck_assert_int_eq(airs_register(system, "second", other), 0);
	ck_assert_int_eq(airs_register(system, "second", airs_self(self)), -EEXIST);
	ck_assert_int_eq(airs_register(system, "third", AIRS_PID_NONE), -ESRCH);
	ck_assert_int_eq(airs_register(system, "third", other + (UINT64_C(1) << 40)),
			-ESRCH);
	ck_assert_uint_eq(airs_whereis(system, "second"), other);
	ck_assert_uint_eq(airs_whereis(system, "third"), AIRS_PID_NONE);
	finish(self);
	return 0;
}

START_TEST(names_follow_the_rules)
{
	run_seeded(1, names_rules);
}
END_TEST

START_TEST(a_thousand_names_are_found_and_released)
{
	struct airs_system *system = seeded_system(1);
	struct airs_reason kill = { .reason_class = AIRS_REASON_KILL };
	airs_pid pids[1000];
	char name[32];
	int i;

	for (i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "name-%d", i);
		pids[i] = act_start(system, start_well);
		ck_assert_int_eq(airs_register(system, name, pids[i]), 0);
	}
	airs_system_run(system, AIRS_INFINITY);
	for (i = 0; i < 1000; i += 2)
		airs_system_exit_signal(system, pids[i], &kill);
	airs_system_run(system, AIRS_INFINITY);
	for (i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "name-%d", i);
		ck_assert_uint_eq(airs_whereis(system, name),
				i % 2 ? pids[i] : AIRS_PID_NONE);
	}
	airs_system_free(system);
}
END_TEST

START_TEST(the_limit_of_actors_is_exact_and_slots_come_back)
{
	struct airs_system_options options = {
		.size = sizeof(options),
		.scheduler = AIRS_SCHEDULER_SEEDED,
		.max_actors = 10,
	};
	struct airs_reason kill = { .reason_class = AIRS_REASON_KILL };
	struct act act = { .fn = start_well };
	struct airs_spawn_options spawn = {
		.size = sizeof(spawn), .args = &act, .args_size = sizeof(act)
	};
	struct airs_system *system = NULL;
	airs_pid pids[10], pid = 3;
	int i, round;

	ck_assert_int_eq(airs_system_new(&options, &system), 0);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 10; i++)
			pids[i] = act_start(system, start_well);
		ck_assert_int_eq(airs_system_spawn(system, &act_behaviour, &spawn, &pid),
				-EAGAIN);
		ck_assert_uint_eq(pid, 3);
		airs_system_run(system, AIRS_INFINITY);
		for (i = 0; i < 10; i++)
			airs_system_exit_signal(system, pids[i], &kill);
		airs_system_run(system, AIRS_INFINITY);
		ck_assert_uint_eq(airs_system_actor_count(system), 0);
	}
	/* Old pids stay dead although their slots were used again. */
	act_start(system, start_well);
	for (i = 0; i < 10; i++)
		ck_assert_int_eq(airs_is_alive(system, pids[i]), 0);
	airs_system_free(system);
}
END_TEST

START_TEST(info_tells_what_an_actor_is)
{
	struct airs_system *system = seeded_system(1);
	struct airs_actor_info info = { .size = sizeof(info) };
	airs_pid pid = act_start(system, start_well);

	ck_assert_int_eq(airs_system_send(system, pid, MSG_GO, NULL, 0), 0);
	airs_system_run(system, AIRS_INFINITY);
	ck_assert_int_eq(airs_system_send(system, pid, MSG_GO, NULL, 0), 0);
	ck_assert_int_eq(airs_system_send(system, pid, MSG_GO, NULL, 0), 0);
	ck_assert_int_eq(airs_actor_get_info(system, pid, &info), 0);
	ck_assert_str_eq(info.behaviour, "act");
	ck_assert_str_eq(info.name, "");
	ck_assert_uint_eq(info.parent, AIRS_PID_NONE);
	ck_assert_uint_eq(info.messages_handled, 1);
	ck_assert_uint_ge(info.messages_queued, 1);
	airs_system_run(system, AIRS_INFINITY);
	ck_assert_int_eq(airs_actor_get_info(system, pid, &info), 0);
	ck_assert_uint_eq(info.messages_handled, 3);
	ck_assert_uint_eq(info.messages_queued, 0);
	ck_assert_int_eq(airs_actor_get_info(system, pid + 1, &info), -ESRCH);
	info.size = 1;
	ck_assert_int_eq(airs_actor_get_info(system, pid, &info), -EINVAL);
	airs_system_free(system);
}
END_TEST

/* Pids that were not given out yet: the slots of the next actors, and later generations.
 */
START_TEST(messages_to_guessed_pids_reach_nobody)
{
	const struct airs_reason kill = { .reason_class = AIRS_REASON_KILL };
	struct airs_actor_info info = { .size = sizeof(info) };
	struct airs_system_options options = {
		.size = sizeof(options),
		.scheduler = AIRS_SCHEDULER_SEEDED,
		.max_actors = 10,
	};
	struct airs_system *system = NULL;
	airs_pid first, guess, i;

	ck_assert_int_eq(airs_system_new(&options, &system), 0);
	first = act_start(system, start_well);
	guess = first + 1;
	airs_system_run(system, AIRS_INFINITY);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(airs_system_send(system, guess + i, MSG_GO, NULL, 0), 0);
	ck_assert_int_eq(airs_is_alive(system, guess), 0);
	ck_assert_int_eq(airs_register(system, "guess", guess), -ESRCH);
	airs_system_run(system, AIRS_INFINITY);
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(act_start(system, start_well), guess + i);
	airs_system_run(system, AIRS_INFINITY);
	ck_assert_uint_eq(airs_system_actor_count(system), 5);
	/* The next owner of a slot that is free again. */
	airs_system_exit_signal(system, first, &kill);
	airs_system_run(system, AIRS_INFINITY);
	guess = first + (UINT64_C(1) << 28);
	ck_assert_int_eq(airs_system_send(system, guess, MSG_GO, NULL, 0), 0);
	ck_assert_int_eq(airs_is_alive(system, guess), 0);
	airs_system_run(system, AIRS_INFINITY);
	ck_assert_uint_eq(act_start(system, start_well), guess);
	airs_system_run(system, AIRS_INFINITY);
	ck_assert_int_eq(airs_actor_get_info(system, guess, &info), 0);
	ck_assert_uint_eq(info.messages_handled, 0);
	airs_system_free(system);
}
END_TEST

START_TEST(a_stopping_system_starts_no_more_actors)
{
	struct airs_system *system = threaded_system(1);
	airs_pid pid;

	airs_system_stop(system);
	ck_assert_int_eq(airs_system_spawn(system, &act_behaviour, NULL, &pid),
			-ESHUTDOWN);
	ck_assert_int_eq(airs_system_run(system, AIRS_INFINITY), 0);
	airs_system_free(system);
	airs_system_free(NULL);
}
END_TEST

TEST_MAIN("spawn", each_outcome_of_init_is_told_once_and_before_the_end,
		a_start_that_is_killed_is_told_as_failed,
		wrong_options_are_refused_and_change_nothing,
		a_name_is_there_before_init_and_free_before_down, names_follow_the_rules,
		a_thousand_names_are_found_and_released,
		the_limit_of_actors_is_exact_and_slots_come_back,
		info_tells_what_an_actor_is, messages_to_guessed_pids_reach_nobody,
		a_stopping_system_starts_no_more_actors)
