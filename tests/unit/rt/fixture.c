/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/rt/fixture.h"

#define SEEDS 50

atomic_int finished;

struct state {
	struct airs_actor *self;
	struct act act;
};

/* Found by the actor's pointer: handlers of tests do not get the state. */
static _Thread_local struct state *current;

static int act_init(
		struct airs_actor *self, void *state, const void *args, size_t args_size)
{
	struct state *s = state;

	ck_assert_uint_eq(args_size, sizeof(s->act));
	memcpy(&s->act, args, args_size);
	current = s;
	return s->act.fn(self, NULL);
}

static int act_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	struct state *s = state;

	current = s;
	return s->act.fn(self, message);
}

static void act_terminate(
		struct airs_actor *self, void *state, const struct airs_reason *reason)
{
	struct state *s = state;

	(void)reason;
	current = s;
	if (s->act.on_end)
		ck_assert_int_eq(s->act.on_end(self, NULL), 0);
}

const struct airs_behaviour act_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "act",
	.state_size = sizeof(struct state),
	.init = act_init,
	.handle = act_handle,
	.terminate = act_terminate,
};

struct act *act_state(struct airs_actor *self)
{
	(void)self;
	return &current->act;
}

airs_pid act_spawn_with(struct airs_actor *self, act_fn *fn,
		const struct airs_spawn_options *options)
{
	const struct act act = { .fn = fn };
	struct airs_spawn_options all = *options;
	airs_pid pid = AIRS_PID_NONE;

	all.size = sizeof(all);
	all.args = &act;
	all.args_size = sizeof(act);
	ck_assert_int_eq(airs_spawn(self, &act_behaviour, &all, &pid), 0);
	return pid;
}

airs_pid act_spawn(struct airs_actor *self, act_fn *fn, unsigned int flags,
		airs_ref *ret_monitor)
{
	return act_spawn_with(self, fn,
			&(struct airs_spawn_options){
					.flags = flags, .ret_monitor = ret_monitor });
}

airs_pid act_start_in(struct airs_system *system, struct airs_pool *pool, act_fn *fn)
{
	const struct act act = { .fn = fn };
	const struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = &act,
		.args_size = sizeof(act),
		.pool = pool,
	};
	airs_pid pid = AIRS_PID_NONE;

	ck_assert_int_eq(airs_system_spawn(system, &act_behaviour, &options, &pid), 0);
	return pid;
}

airs_pid act_start(struct airs_system *system, act_fn *fn)
{
	return act_start_in(system, NULL, fn);
}

static struct airs_system *new_system(const struct airs_system_options *options)
{
	struct airs_system *system = NULL;

	ck_assert_int_eq(airs_system_new(options, &system), 0);
	return system;
}

struct airs_system *seeded_system(uint64_t seed)
{
	const struct airs_system_options options = {
		.size = sizeof(options),
		.scheduler = AIRS_SCHEDULER_SEEDED,
		.seed = seed,
	};

	return new_system(&options);
}

struct airs_system *threaded_system(unsigned int workers)
{
	const struct airs_system_options options = {
		.size = sizeof(options),
		.scheduler = AIRS_SCHEDULER_THREADS,
		.workers = workers,
	};

	return new_system(&options);
}

void run_seeded(uint64_t seed, act_fn *fn)
{
	struct airs_system *system = seeded_system(seed);

	atomic_store(&finished, 0);
	act_start(system, fn);
	ck_assert_int_eq(airs_system_run(system, AIRS_INFINITY), 0);
	ck_assert_msg(atomic_load(&finished), "did not finish with seed %llu",
			(unsigned long long)seed);
	airs_system_free(system);
}

void run_threaded(unsigned int n_workers, act_fn *fn)
{
	struct airs_system *system = threaded_system(n_workers);

	atomic_store(&finished, 0);
	ck_assert_int_eq(airs_system_start(system), 0);
	act_start(system, fn);
	ck_assert_int_eq(airs_system_run(system, AIRS_INFINITY), 0);
	ck_assert(atomic_load(&finished));
	airs_system_free(system);
}

void run_everywhere(act_fn *fn)
{
	uint64_t seed;

	for (seed = 0; seed < SEEDS; seed++)
		run_seeded(seed, fn);
	run_threaded(1, fn);
	run_threaded(3, fn);
}

void finish(struct airs_actor *self)
{
	atomic_store(&finished, 1);
	airs_system_stop(airs_actor_system(self));
}

struct airs_reason reason_user(int code)
{
	return airs_reason_make(AIRS_REASON_USER, code, "because");
}

int exit_with(struct airs_actor *self, int code)
{
	struct airs_reason reason = reason_user(code);

	return airs_exit(self, &reason);
}

const struct airs_reason *reason_of(const struct airs_message *message)
{
	ck_assert_uint_eq(message->size, sizeof(struct airs_reason));
	return message->data;
}
