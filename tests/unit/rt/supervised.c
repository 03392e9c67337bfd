/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "supervised.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct world world;

enum {
	MSG_ACT = AIRS_MSG_USER,
	MSG_END,
};

/* What the boss does for the test, in its own handler. */
struct act {
	void (*run)(struct airs_actor *self, const struct act *act);
	const struct airs_supervisor_options *options;
	const struct airs_child_spec *spec;
	const char *id;
	airs_pid pid;
	struct airs_reason reason;
	struct answer *answer;
	uint64_t usec;
	int (*ask)(struct airs_actor *, airs_pid, const char *, uint64_t, airs_ref *);
};

static airs_ref answer_refs[WORLD_ANSWERS];
static airs_ref list_ref, tick_ref, supervisor_ref;
static int ticked, listed;
/* Arguments of workers are pointers to them; what a specification points at has to stay.
 */
static struct worker *pointers[WORLD_INFO];
static size_t n_pointers;

static void note(char what, const char *id)
{
	size_t n = strlen(world.trace);

	ck_assert_uint_lt(n + strlen(id) + 3, sizeof(world.trace));
	(void)snprintf(world.trace + n, sizeof(world.trace) - n, "%c%s ", what, id);
}

/* The worker. */

struct worker_state {
	struct worker *worker;
	int result; /* of init */
	airs_ref start_timer, stop_timer;
	struct airs_reason told;
};

static int init_result(struct worker *w)
{
	if (w->failures == 0)
		return w->init_result;
	w->failures--;
	return -ENODATA;
}

static int worker_init(struct airs_actor *self, void *data, const void *args, size_t size)
{
	struct worker_state *state = data;
	struct worker *w;

	ck_assert_uint_eq(size, sizeof(w));
	memcpy(&w, args, sizeof(w));
	state->worker = w;
	w->pid = airs_self(self);
	w->starts++;
	if (w->manner != WORKER_IS_BARE && w->manner != WORKER_LEFT)
		airs_trap_exit(self, AIRS_TRAP_ON);
	if (w->manner == WORKER_LEFT)
		airs_unlink(self, airs_parent(self));
	state->result = init_result(w);
	note(state->result < 0                                              ? '!'
					: state->result == AIRS_INIT_IGNORE ? '~'
									    : '+',
			w->id);
	if (state->result == AIRS_INIT_LATER && w->start_usec > 0)
		ck_assert_int_eq(airs_timer_start(self, w->start_usec, 0,
						 &state->start_timer),
				0);
	return state->result;
}

static int on_worker_exit(struct airs_actor *self, struct worker_state *state,
		const struct airs_reason *reason)
{
	struct airs_reason odd = airs_reason_make(AIRS_REASON_ERROR, EPROTO, "odd");

	switch (state->worker->manner) {
	case WORKER_IS_DEAF:
	case WORKER_IS_BARE:
	case WORKER_LEFT:
		return 0;
	case WORKER_OBEYS:
		return airs_exit(self, reason);
	case WORKER_IS_ODD:
		return airs_exit(self, &odd);
	case WORKER_IS_SLOW:
		state->told = *reason;
		return airs_timer_start(
				self, state->worker->stop_usec, 0, &state->stop_timer);
	}
	return 0;
}

static int worker_handle(
		struct airs_actor *self, void *data, struct airs_message *message)
{
	struct worker_state *state = data;

	switch (message->type) {
	case AIRS_MSG_EXIT:
		return on_worker_exit(self, state, message->data);
	case MSG_END:
		return airs_exit(self, message->data);
	case AIRS_MSG_TIMER:
		if (message->ref == state->stop_timer)
			return airs_exit(self, &state->told);
		airs_init_done(self, 0);
		return 0;
	}
	return 0;
}

static void worker_terminate(
		struct airs_actor *self, void *data, const struct airs_reason *reason)
{
	struct worker_state *state = data;

	(void)self;
	(void)reason;
	state->worker->terminates++;
	if (state->result == 0 || state->result == AIRS_INIT_LATER)
		note('-', state->worker->id);
}

static const struct airs_behaviour worker_behaviour = {
	.size = sizeof(worker_behaviour),
	.name = "worker",
	.state_size = sizeof(struct worker_state),
	.init = worker_init,
	.handle = worker_handle,
	.terminate = worker_terminate,
};

/* The observer. */

static int observer_handle(
		struct airs_actor *self, void *data, struct airs_message *message)
{
	(void)self;
	(void)data;
	ck_assert_uint_eq(message->type, AIRS_MSG_SUPERVISOR);
	ck_assert_uint_eq(message->size, sizeof(world.events[0]));
	ck_assert_uint_lt(world.n_events, WORLD_EVENTS);
	memcpy(&world.events[world.n_events++], message->data, sizeof(world.events[0]));
	return 0;
}

static const struct airs_behaviour observer_behaviour = {
	.size = sizeof(observer_behaviour),
	.name = "observer",
	.handle = observer_handle,
};

/* The boss. */

static void on_answer(const struct airs_message *message)
{
	for (size_t i = 0; i < world.n_answers; i++) {
		struct answer *a = &world.answers[i];

		if (answer_refs[i] != message->ref)
			continue;
		ck_assert_int_eq(a->arrived, 0);
		a->arrived = 1;
		a->status = message->status;
		if (message->size == sizeof(a->pid))
			memcpy(&a->pid, message->data, sizeof(a->pid));
		else if (message->size == sizeof(a->reason))
			memcpy(&a->reason, message->data, sizeof(a->reason));
		else if (message->size == sizeof(a->counts))
			memcpy(&a->counts, message->data, sizeof(a->counts));
		return;
	}
}

static void on_list(const struct airs_message *message)
{
	ck_assert_int_eq(message->status, 0);
	ck_assert_uint_le(message->size, sizeof(world.info));
	if (message->size > 0)
		memcpy(world.info, message->data, message->size);
	world.n_info = message->size / sizeof(world.info[0]);
	listed = 1;
}

static int boss_handle(struct airs_actor *self, void *data, struct airs_message *message)
{
	(void)data;
	switch (message->type) {
	case MSG_ACT: {
		const struct act *act = message->data;

		act->run(self, act);
		break;
	}
	case AIRS_MSG_REPLY:
		if (message->ref == list_ref)
			on_list(message);
		else
			on_answer(message);
		break;
	case AIRS_MSG_TIMER:
		ticked = message->ref == tick_ref;
		break;
	case AIRS_MSG_STARTED:
		world.started = 1;
		world.start_status = message->status;
		if (message->size == sizeof(world.start_reason))
			memcpy(&world.start_reason, message->data, message->size);
		break;
	case AIRS_MSG_DOWN:
		ck_assert_uint_eq(message->ref, supervisor_ref);
		world.ended = 1;
		memcpy(&world.end_reason, message->data, sizeof(world.end_reason));
		break;
	}
	return 0;
}

static int boss_init(struct airs_actor *self, void *data, const void *args, size_t size)
{
	(void)data;
	(void)args;
	(void)size;
	airs_trap_exit(self, AIRS_TRAP_ON);
	return 0;
}

static const struct airs_behaviour boss_behaviour = {
	.size = sizeof(boss_behaviour),
	.name = "boss",
	.init = boss_init,
	.handle = boss_handle,
};

static void have_boss(const struct act *act)
{
	ck_assert_int_eq(airs_system_send(world.system, world.boss, MSG_ACT, act,
					 sizeof(*act)),
			0);
}

/* The world. */

void world_begin(uint64_t seed)
{
	struct airs_system_options options = {
		.size = sizeof(options),
		.scheduler = AIRS_SCHEDULER_SEEDED,
		.seed = seed,
	};

	memset(&world, 0, sizeof(world));
	/* References of another system may be the same. */
	memset(answer_refs, 0, sizeof(answer_refs));
	list_ref = tick_ref = supervisor_ref = 0;
	n_pointers = 0;
	ck_assert_int_eq(airs_system_new(&options, &world.system), 0);
	ck_assert_int_eq(airs_system_start(world.system), 0);
	ck_assert_int_eq(airs_system_spawn(world.system, &boss_behaviour, NULL,
					 &world.boss),
			0);
	ck_assert_int_eq(airs_system_spawn(world.system, &observer_behaviour, NULL,
					 &world.observer),
			0);
	world_run();
}

void world_end(void)
{
	airs_system_free(world.system);
	world.system = NULL;
}

uint64_t world_now(void)
{
	return airs_system_now(world.system);
}

void world_run(void)
{
	(void)airs_system_run(world.system, world_now());
}

static void start_tick(struct airs_actor *self, const struct act *act)
{
	ck_assert_int_eq(airs_timer_start(self, act->usec, 0, &tick_ref), 0);
}

void world_pass(uint64_t usec)
{
	uint64_t until_usec = world_now() + usec;
	struct act act = { .run = start_tick, .usec = usec };

	ticked = 0;
	have_boss(&act);
	(void)airs_system_run(world.system, until_usec);
	ck_assert_int_eq(ticked, 1);
	ck_assert_uint_eq(world_now(), until_usec);
}

static void spawn_supervisor(struct airs_actor *self, const struct act *act)
{
	ck_assert_int_eq(airs_supervisor_spawn(self, act->options, AIRS_SPAWN_ACK,
					 &world.supervisor),
			0);
	ck_assert_int_eq(airs_monitor(self, world.supervisor, &supervisor_ref), 0);
}

void supervise(const struct airs_supervisor_options *options)
{
	struct act act = { .run = spawn_supervisor, .options = options };

	have_boss(&act);
	world_run();
}

static void send_exit(struct airs_actor *self, const struct act *act)
{
	airs_exit_signal(self, act->pid, &act->reason);
}

void tell_to_end(void)
{
	struct act act = {
		.run = send_exit,
		.pid = world.supervisor,
		.reason = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, "told"),
	};

	have_boss(&act);
	world_run();
}

struct airs_child_spec child_of(struct worker *w, enum airs_restart restart)
{
	struct airs_child_spec spec = {
		.size = sizeof(spec),
		.id = w->id,
		.behaviour = &worker_behaviour,
		.args_size = sizeof(w),
		.restart = restart,
		.shutdown_usec = 5 * SEC,
	};

	ck_assert_uint_lt(n_pointers, WORLD_INFO);
	pointers[n_pointers] = w;
	spec.args = &pointers[n_pointers++];
	return spec;
}

struct airs_supervisor_options options_of(const struct airs_child_spec *children,
		size_t n, enum airs_strategy strategy)
{
	struct airs_supervisor_options options = {
		.size = sizeof(options),
		.name = "sup",
		.strategy = strategy,
		.intensity = 1,
		.period_usec = 5 * SEC,
		.children = children,
		.n_children = n,
		.observer = world.observer,
	};

	return options;
}

/* Requests. */

static struct answer *new_answer(void)
{
	ck_assert_uint_lt(world.n_answers, WORLD_ANSWERS);
	return &world.answers[world.n_answers++];
}

static airs_ref *ref_of(const struct answer *answer)
{
	return &answer_refs[answer - world.answers];
}

static void send_start(struct airs_actor *self, const struct act *act)
{
	ck_assert_int_eq(airs_supervisor_start_child(self, world.supervisor, act->spec,
					 AIRS_INFINITY, ref_of(act->answer)),
			0);
}

static void send_update(struct airs_actor *self, const struct act *act)
{
	ck_assert_int_eq(airs_supervisor_update_child(self, world.supervisor, act->spec,
					 AIRS_INFINITY, ref_of(act->answer)),
			0);
}

static void send_ask(struct airs_actor *self, const struct act *act)
{
	ck_assert_int_eq(act->ask(self, world.supervisor, act->id, AIRS_INFINITY,
					 ref_of(act->answer)),
			0);
}

static void send_count(struct airs_actor *self, const struct act *act)
{
	ck_assert_int_eq(airs_supervisor_count_children(self, world.supervisor,
					 AIRS_INFINITY, ref_of(act->answer)),
			0);
}

static void send_which(struct airs_actor *self, const struct act *act)
{
	(void)act;
	ck_assert_int_eq(airs_supervisor_which_children(self, world.supervisor,
					 AIRS_INFINITY, &list_ref),
			0);
}

const struct answer *ask_start(const struct airs_child_spec *spec)
{
	struct act act = { .run = send_start, .spec = spec, .answer = new_answer() };

	have_boss(&act);
	return act.answer;
}

static const struct answer *ask_about(const char *id,
		int (*ask)(struct airs_actor *, airs_pid, const char *, uint64_t,
				airs_ref *))
{
	struct act act = {
		.run = send_ask, .id = id, .ask = ask, .answer = new_answer()
	};

	have_boss(&act);
	return act.answer;
}

const struct answer *ask_terminate(const char *id)
{
	return ask_about(id, airs_supervisor_terminate_child);
}

const struct answer *ask_restart(const char *id)
{
	return ask_about(id, airs_supervisor_restart_child);
}

const struct answer *ask_delete(const char *id)
{
	return ask_about(id, airs_supervisor_delete_child);
}

static int status_after_run(const struct answer *answer)
{
	world_run();
	return answer->arrived ? answer->status : -EINPROGRESS;
}

int do_start(const struct airs_child_spec *spec)
{
	return status_after_run(ask_start(spec));
}

int do_update(const struct airs_child_spec *spec)
{
	struct act act = { .run = send_update, .spec = spec, .answer = new_answer() };

	have_boss(&act);
	return status_after_run(act.answer);
}

int do_terminate(const char *id)
{
	return status_after_run(ask_terminate(id));
}

int do_restart(const char *id)
{
	return status_after_run(ask_restart(id));
}

int do_delete(const char *id)
{
	return status_after_run(ask_delete(id));
}

struct airs_child_counts count_children(void)
{
	struct act act = { .run = send_count, .answer = new_answer() };

	have_boss(&act);
	ck_assert_int_eq(status_after_run(act.answer), 0);
	return act.answer->counts;
}

const struct airs_child_info *look_at(const char *id)
{
	struct act act = { .run = send_which };

	listed = 0;
	have_boss(&act);
	world_run();
	ck_assert_int_eq(listed, 1);
	for (size_t i = 0; i < world.n_info; i++)
		if (strcmp(world.info[i].id, id) == 0)
			return &world.info[i];
	return NULL;
}

int state_of(const char *id)
{
	const struct airs_child_info *info = look_at(id);

	return info ? (int)info->state : -1;
}

/* Ends of workers. */

static void end_reason(struct worker *w, const struct airs_reason *reason)
{
	ck_assert_int_eq(airs_system_send(world.system, w->pid, MSG_END, reason,
					 sizeof(*reason)),
			0);
	world_run();
}

void end_with(struct worker *w, enum airs_reason_class reason_class)
{
	struct airs_reason reason = airs_reason_make(reason_class, 0, NULL);

	end_reason(w, &reason);
}

void end_shutdown_with(struct worker *w, enum airs_reason_class reason_class)
{
	struct airs_reason reason = airs_reason_make(reason_class, 0, NULL);

	reason.flags |= AIRS_REASON_F_SHUTDOWN;
	end_reason(w, &reason);
}

void crash(struct worker *w)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_ERROR, EIO, "crash");

	end_reason(w, &reason);
}

void kill_pid_later(airs_pid pid)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_KILL, 0, NULL);

	airs_system_exit_signal(world.system, pid, &reason);
}

void kill_worker(struct worker *w)
{
	kill_pid_later(w->pid);
	world_run();
}

/* Events. */

const struct airs_supervisor_event *event_of(uint32_t kind, const char *id, size_t n)
{
	for (size_t i = 0; i < world.n_events; i++) {
		const struct airs_supervisor_event *e = &world.events[i];

		if (e->kind != kind || (id && strcmp(e->id, id) != 0))
			continue;
		if (n-- == 0)
			return e;
	}
	ck_abort_msg("no such event: kind %u of %s", kind, id ? id : "any");
}

size_t count_events(uint32_t kind, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < world.n_events; i++)
		n += world.events[i].kind == kind &&
				(!id || strcmp(world.events[i].id, id) == 0);
	return n;
}
