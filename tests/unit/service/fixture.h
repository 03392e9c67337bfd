/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_UNIT_SERVICE_FIXTURE_H
#define TESTS_UNIT_SERVICE_FIXTURE_H

/*
 * A world for service actors: a seeded system with virtual time, the real link actor, a
 * parent that stands for supervisor and manager, and a keeper of straw at the other end
 * of the link that keeps imaginary processes.
 *
 * Nothing runs but in world_run and world_advance. What happened is in three texts, which
 * a test compares:
 *
 *   asked    what the keeper was asked: "START 0; SIGNAL main TERM; ACK 1; "
 *   told     what the parent heard: "started 0; ended killed by SIGKILL; reply 0; "
 *   recorded what went to the activity log, of ends and notifications: "service-ended; "
 *   states   the substates that the observer saw: "waiting start running "
 */

#include <stdbool.h>
#include <sys/types.h>

#include "airssys/airssys.h"
#include "base/text.h"
#include "service/link.h"
#include "service/service.h"
#include "support/test.h"
#include "unit/unit.h"

#define STRAW_MAX 32

/* An imaginary process. */
struct straw {
	uint64_t spawn_id;
	uint32_t kind, index;
	pid_t pid;
	bool alive;
	int code, status; /* of its end; until then those of one that nobody saw: exited
			     with 3 */
	uint64_t ignored; /* bit n: it survives signal n; SIGCONT always */
};

struct world {
	struct airs_system *system;
	char *text; /* of the unit in force */
	airs_pid link, parent, service;
	const struct airs_behaviour *behaviour; /* of what is started */
	int keeper_fd; /* the keeper's end */

	/* how the keeper behaves */
	int control_status[UNIT_COMMAND_KIND_COUNT]; /* commands end at once with it; -1:
							they go on */
	int main_status; /* the same for ExecStart=; -1 is the default */
	int spawn_error[UNIT_COMMAND_KIND_COUNT]; /* positive errno: the next spawn fails
						   */
	uint64_t ignored; /* of the next processes */
	bool leaves_rest; /* the main process has children that outlive it until SIGKILL
			     reaches all */
	bool silent; /* answers nothing */
	bool tells_last; /* EXITED says that it was the last, where EMPTY would follow */
	pid_t next_pid;
	int notify_fd; /* passed with the next process; -1 */
	int set_main_error; /* positive errno */
	int owns_error; /* the same for OWNS */
	pid_t pid_file; /* what PIDFile= says, or is guessed; 0: it is not there */
	bool is_restarting; /* a stop is the first half of a restart */
	int module_fd; /* passed for a MODULE; -1: there is none */

	struct straw straws[STRAW_MAX];
	size_t n_straws;
	bool rest; /* of a main process */
	uint64_t next_spawn_id;
	uint8_t note[PROTOCOL_NOTE_MAX];
	size_t note_size;

	struct text asked, told, recorded, states;
	struct service_report report; /* the last */
	struct service_report *report_memory; /* what it points to */
	struct airs_reason reason; /* of the last end */
	char closed[128]; /* why the link ended */
	struct service_unit identity; /* its references: the actors that have it */
	unsigned int opened; /* how often its settings were asked for */
	int open_error; /* why they cannot be had: negative errno; 0: they can */
	enum service_wish wish; /* whether the unit ought to run */
};

/* A world with one unit, "db", of this text; nothing has started. */
struct world *world_new(const char *text);
/* The same with another seed. */
struct world *world_new_seeded(const char *text, uint64_t seed);
void world_free(struct world *w);
/* Other settings from now on. */
void world_parse(struct world *w, const char *text);

/* Start the service actor under the parent, and run. */
void world_start(struct world *w);
/* Run what can be run now. */
void world_run(struct world *w);
/* Let this much time pass, and run. */
void world_advance(struct world *w, uint64_t usec);

/* The parent's exit signal to the service actor, as a supervisor sends it; then run. */
void world_stop(struct world *w);
/* Send a message from the parent, or call; then run. */
void world_call(struct world *w, uint32_t type, const void *data, size_t size);
/* The parent tells the link that the unit is not to be started. */
void world_discard(struct world *w);

/* Keeper's side. Each runs what follows. */
struct straw *world_main(struct world *w); /* the living main process, or NULL */
void world_end(struct world *w, struct straw *straw, int code, int status);
void world_send(struct world *w, const struct protocol_message *m, int fd);
/* Forget the actors, keep processes and note: a new core, told as the keeper tells it. */
void world_restart_core(struct world *w, const char *text);

/* Compare one of the texts and clear it. */
#define world_expect(t, expected)                                                        \
	do {                                                                             \
		ck_assert_str_eq(text_get(t), expected);                                 \
		text_clear(t);                                                           \
	} while (0)

#endif
