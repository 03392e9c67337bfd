/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/rt/fixture.h"

enum {
	MSG_DIE = AIRS_MSG_USER,
	MSG_LATE,
	MSG_ALIVE,
	MSG_TICK,
};

static const struct airs_reason normal = { .reason_class = AIRS_REASON_NORMAL };
static const struct airs_reason shutdown_reason = {
	.reason_class = AIRS_REASON_SHUTDOWN
};
static const struct airs_reason kill_reason = { .reason_class = AIRS_REASON_KILL };

static int n_terminated;

static int count_terminate(struct airs_actor *self, struct airs_message *message)
{
	(void)self;
	(void)message;
	n_terminated++;
	return 0;
}

/* Ends as it is told. */
static int victim(struct airs_actor *self, struct airs_message *message)
{
	if (!message) {
		act_state(self)->on_end = count_terminate;
		return 0;
	}
	if (message->type == MSG_LATE)
		ck_abort_msg("a message after the end was handled");
	if (message->type == MSG_ALIVE)
		return airs_send(self, message->from, MSG_ALIVE, NULL, 0);
	return message->type == MSG_DIE ? exit_with(self, 7) : 0;
}

static int trapping_victim(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		airs_trap_exit(self, AIRS_TRAP_ON);
	if (message && message->type == AIRS_MSG_EXIT)
		return exit_with(self, 100 + (int)reason_of(message)->reason_class);
	return victim(self, message);
}

/* Start a linked victim, do something to it, and see with which reason it ends. */
struct ending {
	act_fn *victim;
	void (*act)(struct airs_actor *self, airs_pid to);
	enum airs_reason_class wanted_class;
	int wanted_code, wanted_terminates;
};

static void ask_to_die(struct airs_actor *self, airs_pid to)
{
	ck_assert_int_eq(airs_send(self, to, MSG_DIE, NULL, 0), 0);
	ck_assert_int_eq(airs_send(self, to, MSG_LATE, NULL, 0), 0);
}

static void signal_user(struct airs_actor *self, airs_pid to)
{
	struct airs_reason reason = reason_user(9);

	airs_exit_signal(self, to, &reason);
	ck_assert_int_eq(airs_send(self, to, MSG_LATE, NULL, 0), 0);
	/* A second one changes nothing. */
	airs_exit_signal(self, to, &shutdown_reason);
}

static void signal_shutdown(struct airs_actor *self, airs_pid to)
{
	airs_exit_signal(self, to, &shutdown_reason);
}

static void signal_kill(struct airs_actor *self, airs_pid to)
{
	airs_exit_signal(self, to, &kill_reason);
	ck_assert_int_eq(airs_is_alive(airs_actor_system(self), to), 0);
}

static void signal_normal_and_die(struct airs_actor *self, airs_pid to)
{
	airs_exit_signal(self, to, &normal);
	ck_assert_int_eq(airs_send(self, to, MSG_DIE, NULL, 0), 0);
}

static int kill_itself(struct airs_actor *self, struct airs_message *message)
{
	return message ? airs_exit(self, &kill_reason) : 0;
}

static int return_error(struct airs_actor *self, struct airs_message *message)
{
	(void)self;
	return message ? -EIO : 0;
}

static int exit_twice(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		return 0;
	(void)!exit_with(self, 1);
	return exit_with(self, 2);
}

static int signal_itself_normal(struct airs_actor *self, struct airs_message *message)
{
	if (message)
		airs_exit_signal(self, airs_self(self), &normal);
	return 0;
}

static const struct ending endings[] = {
	{ victim, ask_to_die, AIRS_REASON_USER, 7, 1 },
	{ victim, signal_user, AIRS_REASON_USER, 9, 0 },
	{ victim, signal_shutdown, AIRS_REASON_SHUTDOWN, 0, 0 },
	{ victim, signal_kill, AIRS_REASON_KILLED, 0, 0 },
	{ victim, signal_normal_and_die, AIRS_REASON_USER, 7, 1 },
	{ trapping_victim, signal_user, AIRS_REASON_USER, 100 + AIRS_REASON_USER, 1 },
	{ trapping_victim, signal_normal_and_die, AIRS_REASON_USER, 100, 1 },
	{ trapping_victim, signal_kill, AIRS_REASON_KILLED, 0, 0 },
	{ kill_itself, ask_to_die, AIRS_REASON_KILL, 0, 0 },
	{ return_error, ask_to_die, AIRS_REASON_ERROR, EIO, 0 },
	{ exit_twice, ask_to_die, AIRS_REASON_USER, 1, 0 },
	{ signal_itself_normal, ask_to_die, AIRS_REASON_NORMAL, 0, 0 },
};
static const struct ending *ending;

/* The trapping victim must not see MSG_LATE either, since it ends at the signal before
 * it. */
static int watch_ending(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid pid;
	static airs_ref monitor;
	static int n_seen;
	const struct airs_reason *reason;

	if (!message) {
		n_seen = n_terminated = 0;
		airs_trap_exit(self, AIRS_TRAP_ON);
		pid = act_spawn(self, ending->victim,
				AIRS_SPAWN_LINK | AIRS_SPAWN_MONITOR, &monitor);
		ending->act(self, pid);
		return 0;
	}
	reason = reason_of(message);
	ck_assert_uint_eq(message->from, pid);
	ck_assert_int_eq(airs_is_alive(airs_actor_system(self), pid), 0);
	ck_assert_uint_eq(reason->reason_class, ending->wanted_class);
	ck_assert_int_eq(reason->code, ending->wanted_code);
	if (message->type == AIRS_MSG_DOWN)
		ck_assert_uint_eq(message->ref, monitor);
	else
		ck_assert_uint_eq(message->type, AIRS_MSG_EXIT);
	n_seen += message->type == AIRS_MSG_DOWN ? 1 : 10;
	if (n_seen < 11)
		return 0;
	ck_assert_int_eq(n_seen, 11);
	ck_assert_int_eq(n_terminated, ending->wanted_terminates);
	finish(self);
	return 0;
}

START_TEST(link_and_monitor_see_the_reason_of_each_kind_of_end)
{
	size_t i;

	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		ending = &endings[i];
		run_everywhere(watch_ending);
	}
}
END_TEST

/* A chain: the last kills itself with KILL, which spreads as KILL and can be trapped. */
static int chain_end(struct airs_actor *self, struct airs_message *message)
{
	(void)message;
	return airs_exit(self, &kill_reason);
}

static int chain_middle(struct airs_actor *self, struct airs_message *message)
{
	if (!message)
		act_spawn(self, chain_end, AIRS_SPAWN_LINK, NULL);
	return 0;
}

static int chain_top(struct airs_actor *self, struct airs_message *message)
{
	if (!message) {
		airs_trap_exit(self, AIRS_TRAP_ON);
		act_spawn(self, chain_middle, AIRS_SPAWN_LINK, NULL);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_EXIT);
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_KILL);
	finish(self);
	return 0;
}

START_TEST(kill_by_oneself_spreads_as_kill_and_is_trapped)
{
	run_everywhere(chain_top);
}
END_TEST

/* Before the end of a linked actor with NORMAL nothing happens to who does not trap. */
static int end_normally(struct airs_actor *self, struct airs_message *message)
{
	(void)message;
	return airs_exit(self, &normal);
}

static int survive_normal(struct airs_actor *self, struct airs_message *message)
{
	airs_ref ref;

	if (!message) {
		act_spawn(self, end_normally, AIRS_SPAWN_LINK | AIRS_SPAWN_MONITOR, &ref);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	return airs_send(self, airs_self(self), MSG_ALIVE, NULL, 0) ?: (finish(self), 0);
}

START_TEST(a_normal_end_of_a_link_is_ignored_by_who_does_not_trap)
{
	run_everywhere(survive_normal);
}
END_TEST

/* What a killed actor was asked before: its monitor sees KILLED, its call fails with it.
 */
static int never_reply(struct airs_actor *self, struct airs_message *message)
{
	(void)self;
	if (message && message->type == MSG_LATE)
		ck_abort_msg("a killed actor handled a message");
	return 0;
}

static int kill_after_asking(struct airs_actor *self, struct airs_message *message)
{
	static airs_pid pid;
	static airs_ref monitor, call;
	static int n_seen;

	if (!message) {
		n_seen = 0;
		airs_trap_exit(self, AIRS_TRAP_ON);
		pid = act_spawn(self, never_reply, 0, NULL);
		ck_assert_int_eq(
				airs_call(self,
						&(struct airs_request){ .to = pid,
								.type = MSG_TICK,
								.timeout_usec = AIRS_INFINITY },
						&call),
				0);
		ck_assert_int_eq(airs_monitor(self, pid, &monitor), 0);
		ck_assert_int_eq(airs_link(self, pid), 0);
		airs_exit_signal(self, pid, &kill_reason);
		ck_assert_int_eq(airs_send(self, pid, MSG_LATE, NULL, 0), 0);
		return 0;
	}
	if (message->type == AIRS_MSG_REPLY) {
		ck_assert_uint_eq(message->ref, call);
		ck_assert_int_eq(message->status, -ESRCH);
	}
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_KILLED);
	if (++n_seen == 3)
		finish(self);
	return 0;
}

START_TEST(what_was_asked_before_a_kill_sees_killed)
{
	run_everywhere(kill_after_asking);
}
END_TEST

/* KILL overtakes a full mailbox: the victim handles at most what it has begun. */
static int slow_reader(struct airs_actor *self, struct airs_message *message)
{
	static int n_handled;

	if (!message)
		n_handled = 0;
	else if (++n_handled > 64)
		ck_abort_msg("a kill waited behind messages");
	(void)self;
	return 0;
}

static int flood_and_kill(struct airs_actor *self, struct airs_message *message)
{
	airs_ref monitor;
	airs_pid pid;
	int i;

	if (!message) {
		pid = act_spawn(self, slow_reader, AIRS_SPAWN_MONITOR, &monitor);
		for (i = 0; i < 1000; i++)
			ck_assert_int_eq(airs_send(self, pid, MSG_TICK, NULL, 0), 0);
		airs_exit_signal(self, pid, &kill_reason);
		return 0;
	}
	ck_assert_uint_eq(reason_of(message)->reason_class, AIRS_REASON_KILLED);
	finish(self);
	return 0;
}

START_TEST(a_kill_overtakes_queued_messages)
{
	uint64_t seed;

	for (seed = 0; seed < 20; seed++)
		run_seeded(seed, flood_and_kill);
}
END_TEST

/* terminate may still send, and is still registered. */
static int say_goodbye(struct airs_actor *self, struct airs_message *message)
{
	(void)message;
	ck_assert_uint_eq(
			airs_whereis(airs_actor_system(self), "leaver"), airs_self(self));
	return airs_send(self, airs_parent(self), MSG_ALIVE, NULL, 0);
}

static int leaver(struct airs_actor *self, struct airs_message *message)
{
	if (!message) {
		act_state(self)->on_end = say_goodbye;
		return airs_register(airs_actor_system(self), "leaver", airs_self(self));
	}
	return airs_exit(self, &normal);
}

static int see_goodbye(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;
	static int n_seen;
	airs_pid pid;

	if (!message) {
		n_seen = 0;
		pid = act_spawn(self, leaver, AIRS_SPAWN_MONITOR, &monitor);
		return airs_send(self, pid, MSG_DIE, NULL, 0);
	}
	if (n_seen++ == 0) {
		ck_assert_uint_eq(message->type, MSG_ALIVE);
		return 0;
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_DOWN);
	ck_assert_uint_eq(airs_whereis(airs_actor_system(self), "leaver"), AIRS_PID_NONE);
	finish(self);
	return 0;
}

START_TEST(terminate_sends_before_the_name_is_free_and_the_end_is_told)
{
	run_everywhere(see_goodbye);
}
END_TEST

/* 1000 rounds: what was sent before an exit signal may be seen, what came after never. */
static int order_victim(struct airs_actor *self, struct airs_message *message)
{
	(void)self;
	if (message && message->type == MSG_LATE)
		ck_abort_msg("a message overtook the exit signal before it");
	return 0;
}

static int order_rounds(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref monitor;
	static int round;
	struct airs_reason reason = reason_user(1);
	airs_pid pid;

	if (!message)
		round = 0;
	if (round++ == 1000) {
		finish(self);
		return 0;
	}
	pid = act_spawn(self, order_victim, AIRS_SPAWN_MONITOR, &monitor);
	ck_assert_int_eq(airs_send(self, pid, MSG_ALIVE, NULL, 0), 0);
	airs_exit_signal(self, pid, &reason);
	return airs_send(self, pid, MSG_LATE, NULL, 0);
}

START_TEST(signals_and_messages_keep_their_order)
{
	run_seeded(3, order_rounds);
	run_threaded(3, order_rounds);
}
END_TEST

START_TEST(a_foreign_thread_can_kill)
{
	struct airs_system *system = seeded_system(1);
	airs_pid pid = act_start(system, victim);

	ck_assert_int_eq(airs_system_run(system, AIRS_INFINITY), 0);
	ck_assert_int_eq(airs_is_alive(system, pid), 1);
	ck_assert_uint_eq(airs_system_actor_count(system), 1);
	airs_system_exit_signal(system, pid, &kill_reason);
	ck_assert_int_eq(airs_system_run(system, AIRS_INFINITY), 0);
	ck_assert_int_eq(airs_is_alive(system, pid), 0);
	ck_assert_uint_eq(airs_system_actor_count(system), 0);
	airs_system_free(system);
}
END_TEST

TEST_MAIN("exit", link_and_monitor_see_the_reason_of_each_kind_of_end,
		kill_by_oneself_spreads_as_kill_and_is_trapped,
		a_normal_end_of_a_link_is_ignored_by_who_does_not_trap,
		what_was_asked_before_a_kill_sees_killed,
		a_kill_overtakes_queued_messages,
		terminate_sends_before_the_name_is_free_and_the_end_is_told,
		signals_and_messages_keep_their_order, a_foreign_thread_can_kill)
