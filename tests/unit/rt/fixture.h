/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_UNIT_RT_FIXTURE_H
#define TESTS_UNIT_RT_FIXTURE_H

/*
 * Helpers of the tests of the actor core: a system on either scheduler, and actors whose
 * handler is a function of the test.
 *
 * A test writes its actors as functions of type act_fn, which are called with NULL when
 * the actor starts and with each message afterwards. All of them share the test's struct
 * world. A test on threads ends when an actor calls airs_system_stop; a watchdog ends it
 * otherwise.
 */

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "airssys/airssys.h"
#include "support/test.h"

typedef int act_fn(struct airs_actor *self, struct airs_message *message);

/* Arguments and state of a test actor. */
struct act {
	act_fn *fn;
	act_fn *on_end; /* called from terminate with NULL; or NULL */
	uint64_t argument;
};

extern const struct airs_behaviour act_behaviour;

/* The state of a test actor: its arguments. */
struct act *act_state(struct airs_actor *self);

/* All abort the test when they fail. The size and the arguments of options are filled in. */
airs_pid act_spawn_with(struct airs_actor *self, act_fn *fn,
		const struct airs_spawn_options *options);
airs_pid act_spawn(struct airs_actor *self, act_fn *fn, unsigned int flags,
		airs_ref *ret_monitor);
airs_pid act_start(struct airs_system *system, act_fn *fn);
airs_pid act_start_in(struct airs_system *system, struct airs_pool *pool, act_fn *fn);

struct airs_system *seeded_system(uint64_t seed);
struct airs_system *threaded_system(unsigned int workers);

/* Start fn and run everything until nothing is left to do. Frees the system. */
void run_seeded(uint64_t seed, act_fn *fn);
/* The same with n_workers threads, until some actor calls finish. */
void run_threaded(unsigned int n_workers, act_fn *fn);
/* run_seeded with many seeds and run_threaded with one and with three workers. */
void run_everywhere(act_fn *fn);
/* End a run, from any actor. */
void finish(struct airs_actor *self);
/* 1 once finish was called; the runs assert it. */
extern atomic_int finished;

/* A reason with a number of the test's. */
struct airs_reason reason_user(int code);
int exit_with(struct airs_actor *self, int code);
const struct airs_reason *reason_of(const struct airs_message *message);

#endif
