/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Supervisors on real threads, for what a single thread cannot show. The test's thread
 * waits for events that an observer actor records under a lock.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "airssys/airssys.h"
#include "base/macro.h"
#include "support/test.h"

enum {
	N_EVENTS = 200000,
	WORKERS = 3,
	LIMIT_SEC = 45,
	MSG_CRASH = AIRS_MSG_USER,
	MSG_DONE,
};

#define SEC UINT64_C(1000000)

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct airs_supervisor_event events[N_EVENTS];
	size_t n_events;
	unsigned int done;
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static struct airs_system *tested;
static airs_pid observer;

static int on_event(struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)self;
	(void)state;
	(void)pthread_mutex_lock(&seen.lock);
	if (message->type == AIRS_MSG_SUPERVISOR && seen.n_events < N_EVENTS)
		memcpy(&seen.events[seen.n_events++], message->data,
				sizeof(seen.events[0]));
	seen.done += message->type == MSG_DONE;
	(void)pthread_cond_broadcast(&seen.changed);
	(void)pthread_mutex_unlock(&seen.lock);
	return 0;
}

static const struct airs_behaviour observer_behaviour = {
	.size = sizeof(observer_behaviour),
	.name = "observer",
	.handle = on_event,
};

static int on_message(struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)self;
	(void)state;
	return message->type == MSG_CRASH ? -EIO : 0;
}

static const struct airs_behaviour worker_behaviour = {
	.size = sizeof(worker_behaviour),
	.name = "worker",
	.handle = on_message,
};

static size_t count_locked(uint32_t kind, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < seen.n_events; i++)
		n += seen.events[i].kind == kind &&
				(!id || strcmp(seen.events[i].id, id) == 0);
	return n;
}

static void wait_for_change(const char *what)
{
	static struct timespec limit;

	if (limit.tv_sec == 0) {
		(void)clock_gettime(CLOCK_REALTIME, &limit);
		limit.tv_sec += LIMIT_SEC;
	}
	if (pthread_cond_timedwait(&seen.changed, &seen.lock, &limit) == ETIMEDOUT)
		ck_abort_msg("no %s within %d s", what, LIMIT_SEC);
}

/* Waits until there were n events of a kind. */
static void await_events(uint32_t kind, const char *id, size_t n)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "event of kind %u number %zu", kind, n);
	(void)pthread_mutex_lock(&seen.lock);
	while (count_locked(kind, id) < n)
		wait_for_change(what);
	(void)pthread_mutex_unlock(&seen.lock);
}

static void await_done(unsigned int n)
{
	(void)pthread_mutex_lock(&seen.lock);
	while (seen.done < n)
		wait_for_change("end of the clients");
	(void)pthread_mutex_unlock(&seen.lock);
}

/* The pid in the last event of this kind about this child. */
static airs_pid latest_pid(const char *id)
{
	airs_pid pid = AIRS_PID_NONE;

	(void)pthread_mutex_lock(&seen.lock);
	for (size_t i = 0; i < seen.n_events; i++)
		if (seen.events[i].kind == AIRS_EVENT_CHILD_STARTED &&
				strcmp(seen.events[i].id, id) == 0)
			pid = seen.events[i].child;
	(void)pthread_mutex_unlock(&seen.lock);
	return pid;
}

static void begin(void)
{
	struct airs_system_options options = { .size = sizeof(options),
		.workers = WORKERS };

	ck_assert_int_eq(airs_system_new(&options, &tested), 0);
	ck_assert_int_eq(airs_system_start(tested), 0);
	ck_assert_int_eq(airs_system_spawn(tested, &observer_behaviour, NULL, &observer),
			0);
}

static struct airs_supervisor_options options_of(
		const struct airs_child_spec *children, size_t n)
{
	struct airs_supervisor_options options = {
		.size = sizeof(options),
		.name = "sup",
		.intensity = 1000000,
		.period_usec = 3600 * SEC,
		.children = children,
		.n_children = n,
		.observer = observer,
	};

	return options;
}

static struct airs_child_spec child_of(const char *id)
{
	struct airs_child_spec spec = {
		.size = sizeof(spec),
		.id = id,
		.behaviour = &worker_behaviour,
		.shutdown_usec = 30 * SEC,
	};

	return spec;
}

static airs_pid supervise(const struct airs_supervisor_options *options)
{
	airs_pid pid;

	ck_assert_int_eq(airs_system_supervisor_spawn(tested, options, &pid), 0);
	await_events(AIRS_EVENT_SUPERVISOR_STARTED, NULL, 1);
	return pid;
}

static void kill_pid(airs_pid pid)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_KILL, 0, NULL);

	airs_system_exit_signal(tested, pid, &reason);
}

static void end(airs_pid supervisor)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, NULL);

	airs_system_exit_signal(tested, supervisor, &reason);
	await_events(AIRS_EVENT_SUPERVISOR_ENDED, NULL, 1);
	airs_system_free(tested);
}

START_TEST(thousand_children_killed_at_once_all_come_back)
{
	static struct airs_child_spec children[1000];
	static char ids[1000][16];
	struct airs_supervisor_options options;
	airs_pid pid;

	begin();
	for (size_t i = 0; i < 1000; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "w%zu", i);
		children[i] = child_of(ids[i]);
	}
	options = options_of(children, 1000);
	options.order = AIRS_PARALLEL;
	pid = supervise(&options);
	await_events(AIRS_EVENT_CHILD_STARTED, NULL, 1000);
	for (size_t i = 0; i < 1000; i++)
		kill_pid(seen.events[i].kind ? latest_pid(ids[i]) : AIRS_PID_NONE);
	await_events(AIRS_EVENT_CHILD_STARTED, NULL, 2000);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(airs_is_alive(tested, latest_pid(ids[i])), 1);
	ck_assert_uint_eq(airs_system_actor_count(tested), 1002);
	end(pid);
}
END_TEST

START_TEST(group_restarts_in_order_whichever_thread_runs_it)
{
	struct airs_child_spec children[] = { child_of("a"), child_of("b"),
		child_of("c") };
	struct airs_supervisor_options options;
	airs_pid pid, first;

	begin();
	options = options_of(children, 3);
	options.strategy = AIRS_REST_FOR_ONE;
	pid = supervise(&options);
	first = latest_pid("a");
	for (size_t i = 1; i <= 200; i++) {
		ck_assert_int_eq(airs_system_send(tested, latest_pid("b"), MSG_CRASH,
						 NULL, 0),
				0);
		await_events(AIRS_EVENT_CHILD_STARTED, "c", i + 1);
	}
	ck_assert_uint_eq(latest_pid("a"), first);
	ck_assert_uint_eq(count_locked(AIRS_EVENT_CHILD_STOPPED, "c"), 200);
	ck_assert_uint_eq(count_locked(AIRS_EVENT_CHILD_ENDED, "b"), 200);
	end(pid);
}
END_TEST

START_TEST(delays_are_waited_for_on_the_real_clock)
{
	struct airs_child_spec child = child_of("a");
	struct airs_supervisor_options options;
	uint64_t begun_usec;
	airs_pid pid;

	begin();
	child.backoff.initial_usec = 50000;
	options = options_of(&child, 1);
	pid = supervise(&options);
	begun_usec = airs_system_now(tested);
	kill_pid(latest_pid("a"));
	await_events(AIRS_EVENT_CHILD_STARTED, "a", 2);
	ck_assert_uint_ge(airs_system_now(tested) - begun_usec, 50000);
	end(pid);
}
END_TEST

/* A client: asks at random, each time its last question was answered. */

enum { CLIENTS = 6, QUESTIONS = 400, NAMES = 10 };

struct client {
	uint64_t dice;
	airs_pid known[NAMES];
	unsigned int asked, name;
};

static int ask(struct airs_actor *self, struct client *client)
{
	static const char *const ids[NAMES] = { "k0", "k1", "k2", "k3", "k4", "k5", "k6",
		"k7", "k8", "k9" };
	airs_pid supervisor = airs_whereis(tested, "sup");
	struct airs_child_spec spec;
	airs_ref ref;

	client->dice ^= client->dice << 13, client->dice ^= client->dice >> 7,
			client->dice ^= client->dice << 17;
	client->name = (unsigned int)(client->dice >> 20) % NAMES;
	spec = child_of(ids[client->name]);
	spec.restart = (enum airs_restart)((client->dice >> 40) % 3);
	switch ((client->dice >> 50) % 8) {
	case 0:
	case 1:
		return airs_supervisor_start_child(
				self, supervisor, &spec, AIRS_INFINITY, &ref);
	case 2:
		return airs_supervisor_terminate_child(
				self, supervisor, spec.id, AIRS_INFINITY, &ref);
	case 3:
		return airs_supervisor_restart_child(
				self, supervisor, spec.id, AIRS_INFINITY, &ref);
	case 4:
		return airs_supervisor_delete_child(
				self, supervisor, spec.id, AIRS_INFINITY, &ref);
	case 5:
		return airs_supervisor_count_children(
				self, supervisor, AIRS_INFINITY, &ref);
	default:
		if (client->known[client->name] != AIRS_PID_NONE)
			kill_pid(client->known[client->name]);
		return airs_supervisor_which_children(
				self, supervisor, AIRS_INFINITY, &ref);
	}
}

static int client_init(
		struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct client *client = state;

	ck_assert_uint_eq(size, sizeof(client->dice));
	memcpy(&client->dice, args, size);
	return ask(self, client);
}

static int client_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	struct client *client = state;

	if (message->type != AIRS_MSG_REPLY)
		return 0;
	ck_assert_int_ne(message->status, -ESRCH);
	if (message->status == 0 && message->size == sizeof(airs_pid))
		memcpy(&client->known[client->name], message->data, sizeof(airs_pid));
	if (++client->asked < QUESTIONS)
		return ask(self, client);
	return airs_send(self, observer, MSG_DONE, NULL, 0);
}

static const struct airs_behaviour client_behaviour = {
	.size = sizeof(client_behaviour),
	.name = "client",
	.state_size = sizeof(struct client),
	.init = client_init,
	.handle = client_handle,
};

static void let_clients_ask(enum airs_strategy strategy)
{
	struct airs_supervisor_options options;
	airs_pid pid;

	begin();
	options = options_of(NULL, 0);
	options.strategy = strategy;
	pid = supervise(&options);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		uint64_t dice = 88172645463325252ull + i * 0x9e3779b97f4a7c15ull;
		struct airs_spawn_options spawn = {
			.size = sizeof(spawn), .args = &dice, .args_size = sizeof(dice)
		};
		airs_pid client;

		ck_assert_int_eq(airs_system_spawn(tested, &client_behaviour, &spawn,
						 &client),
				0);
	}
	await_done(CLIENTS);
	end(pid);
}

START_TEST(every_question_of_many_clients_is_answered)
{
	let_clients_ask(AIRS_ONE_FOR_ONE);
}
END_TEST

START_TEST(every_question_is_answered_while_groups_restart)
{
	let_clients_ask(AIRS_ONE_FOR_ALL);
}
END_TEST

START_TEST(nested_supervisors_killed_again_and_again_come_back_whole)
{
	struct airs_child_spec leaves[] = { child_of("a"), child_of("b") };
	struct airs_supervisor_options inner, options;
	struct airs_child_spec child = { .size = sizeof(child),
		.id = "inner",
		.supervisor = &inner,
		.shutdown_usec = AIRS_INFINITY };
	airs_pid pid;

	begin();
	inner = options_of(leaves, 2);
	inner.name = "inner";
	options = options_of(&child, 1);
	pid = supervise(&options);
	for (size_t i = 1; i <= 100; i++) {
		await_events(AIRS_EVENT_CHILD_STARTED, "inner", i);
		kill_pid(airs_whereis(tested, "inner"));
	}
	await_events(AIRS_EVENT_CHILD_STARTED, "inner", 101);
	await_events(AIRS_EVENT_CHILD_STARTED, "b", 101);
	ck_assert_int_eq(airs_is_alive(tested, latest_pid("a")), 1);
	end(pid);
}
END_TEST

TEST_MAIN("supervisor-threads", thousand_children_killed_at_once_all_come_back,
		group_restarts_in_order_whichever_thread_runs_it,
		delays_are_waited_for_on_the_real_clock,
		every_question_of_many_clients_is_answered,
		every_question_is_answered_while_groups_restart,
		nested_supervisors_killed_again_and_again_come_back_whole)
