/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_UNIT_RT_SUPERVISED_H
#define TESTS_UNIT_RT_SUPERVISED_H

/*
 * A small world for tests of supervisors, on the seeded scheduler: one boss actor that is
 * the supervisor's parent and asks on the test's behalf, workers that do what the test
 * prescribes, and a record of everything that happened. Time passes only in world_pass.
 * One world per process.
 */

#include <check.h>

#include "airssys/airssys.h"
#include "base/macro.h"

#define SEC  UINT64_C(1000000)
#define MSEC UINT64_C(1000)

/* What a worker does when it is told to end. */
enum worker_manner {
	WORKER_OBEYS, /* traps exits; ends with the reason it is told */
	WORKER_IS_DEAF, /* traps exits and ignores them */
	WORKER_IS_BARE, /* does not trap */
	WORKER_IS_ODD, /* traps exits; ends with an error of its own */
	WORKER_LEFT, /* does not trap, and unlinked itself from its supervisor */
	WORKER_IS_SLOW, /* traps exits; ends stop_usec later */
};

struct worker {
	/* Prescribed. */
	const char *id;
	int init_result; /* 0, AIRS_INIT_IGNORE, AIRS_INIT_LATER or a negative errno */
	unsigned int failures; /* so many of the next starts fail with -ENODATA instead */
	uint64_t start_usec; /* AIRS_INIT_LATER: it is done after this time; 0: never */
	enum worker_manner manner;
	uint64_t stop_usec;
	/* Observed. */
	airs_pid pid; /* of the latest incarnation */
	unsigned int starts, terminates;
};

struct answer {
	int arrived;
	int status;
	airs_pid pid; /* start and restart */
	struct airs_reason reason; /* of a failure */
	struct airs_child_counts counts;
};

enum {
	WORLD_EVENTS = 20000,
	WORLD_ANSWERS = 3000,
	WORLD_INFO = 2000,
};

struct world {
	struct airs_system *system;
	airs_pid boss, observer, supervisor;
	/* The start handshake of the supervisor and its end. */
	int started; /* nonzero when it is over */
	int start_status;
	struct airs_reason start_reason;
	int ended;
	struct airs_reason end_reason;
	/* "+id": a start, "!id": one that fails, "-id": an orderly end, all with a space
	 * behind. */
	char trace[65536];
	struct airs_supervisor_event events[WORLD_EVENTS];
	size_t n_events;
	struct answer answers[WORLD_ANSWERS];
	size_t n_answers;
	struct airs_child_info info[WORLD_INFO];
	size_t n_info;
};
extern struct world world;

void world_begin(uint64_t seed);
void world_end(void);
/* Handle everything that can be handled now. */
void world_run(void);
void world_pass(uint64_t usec);
uint64_t world_now(void);

/* Starts the supervisor under the boss and runs; its start may be over or not. */
void supervise(const struct airs_supervisor_options *options);
/* Tells it to end, as its parent. */
void tell_to_end(void);

struct airs_child_spec child_of(struct worker *w, enum airs_restart restart);
struct airs_supervisor_options options_of(const struct airs_child_spec *children,
		size_t n, enum airs_strategy strategy);

/* Ask and do not wait; the answer comes to the returned place. */
const struct answer *ask_start(const struct airs_child_spec *spec);
const struct answer *ask_terminate(const char *id);
const struct answer *ask_restart(const char *id);
const struct answer *ask_delete(const char *id);
/* Ask and run; the answer's status. -EINPROGRESS when there is none yet. */
int do_start(const struct airs_child_spec *spec);
int do_update(const struct airs_child_spec *spec);
int do_terminate(const char *id);
int do_restart(const char *id);
int do_delete(const char *id);
struct airs_child_counts count_children(void);
/* The child in a fresh list, or NULL. */
const struct airs_child_info *look_at(const char *id);
/* Its state, or -1 when it is not listed. */
int state_of(const char *id);

/* Ends workers from the inside, or kills them, and runs. */
void end_with(struct worker *w, enum airs_reason_class reason_class);
void end_shutdown_with(struct worker *w, enum airs_reason_class reason_class);
void crash(struct worker *w);
void kill_worker(struct worker *w);
/* Does not run. */
void kill_pid_later(airs_pid pid);

/* Compares the trace since the last call. */
#define assert_trace(expected)                                                           \
	do {                                                                             \
		ck_assert_str_eq(world.trace, expected);                                 \
		world.trace[0] = '\0';                                                   \
	} while (0)

/* The nth event of this kind (0: the first) about this id (NULL: any); fails the test
 * without. */
const struct airs_supervisor_event *event_of(uint32_t kind, const char *id, size_t n);
size_t count_events(uint32_t kind, const char *id);

#endif
