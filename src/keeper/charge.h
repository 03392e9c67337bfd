/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_CHARGE_H
#define KEEPER_CHARGE_H

/*
 * What the keeper has in its care: a charge for each unit that ever had a process or a
 * note, and its processes. This is the truth about what runs; the state file
 * (keeper/state.h) is its image on disk, the core only hears of it.
 *
 * A process is on its charge's list and in the table by spawn id until the core has
 * acknowledged its end, and in the table by pid while it lives. A charge is occupied from
 * its first process until nothing of the unit is left; that moment is told once.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/lookup.h"
#include "keeper/loop.h"
#include "unit/protocol.h"

#define INVOCATION_SIZE 16

/*
 * The most processes of a unit that the core may have started, or a service may have
 * named its main process, without an end that was acknowledged. A service uses a handful;
 * a core that was taken over shall not fill the machine, nor a service the keeper's table
 * of descriptors.
 */
#define CHARGE_PROCESSES_MAX 256
/* Of what a unit leaves behind, no more are watched at a time. */
#define CHARGE_REMNANTS_MAX 64

enum process_stage {
	PROCESS_STARTING, /* the executor has not yet become the service */
	PROCESS_LIVES,
	PROCESS_ENDED,
	PROCESS_ENDED_UNKNOWN,
};

/* There may be thousands: what a process has while it lives and what it has when it is
 * over share their place. */
struct process {
	struct list link; /* struct charge.processes */
	struct charge *charge;
	uint64_t spawn_id;
	uint64_t start_time; /* clock ticks since boot */
	uint64_t since_realtime_usec, since_monotonic_usec;
	union {
		struct { /* while process_is_live */
			struct keeper *keeper;
			struct loop_source watch; /* report pipe while starting, pidfd of
						     a foreigner */
			uint64_t serial; /* of the request that waits for the executor's
					    report */
		};
		struct { /* from process_end on */
			uint64_t ended_realtime_usec, cpu_usec, memory_peak_bytes;
			int32_t code, status;
		};
	};
	uint32_t index;
	pid_t pid;
	uint8_t kind; /* enum unit_command_kind */
	uint8_t stage; /* enum process_stage */
	bool is_foreign; /* not our child: adopted from an earlier keeper */
	bool is_remnant; /* left behind by another process: nobody's role, never told */
};

struct charge {
	struct list processes; /* [struct process.link], in the order of their start */
	void *note;
	/* Kept when the files no longer had it but it was occupied: its stop commands may
	 * still be asked for. NULL otherwise. */
	struct unit *retired;
	struct owed *owed; /* keeper/owed.h; NULL: nothing */
	uint32_t note_size;
	int notify_fd; /* -1: none */
	int events_watch; /* inotify watch on cgroup.events; -1: none */
	uint32_t n_processes; /* on the list */
	uint32_t n_live; /* processes that have not ended, remnants included */
	bool is_occupied : 1;
	bool was_adopted : 1; /* some of its processes are an earlier keeper's */
	bool has_cgroup : 1;
	bool leaf_is_spent : 1; /* it was killed, or may have been: see cgroup_open */
	bool notify_sent : 1; /* to this core */
	bool is_swept : 1; /* its last end is told with the answer of keeper/sweep.h */
	bool was_killed : 1; /* all of it, and nothing was started since */
	bool is_vanished : 1; /* no unit file speaks of it any more */
	uint8_t invocation[INVOCATION_SIZE];
	char name[];
};

struct charges {
	struct lookup by_name, by_spawn_id, by_pid;
	uint64_t next_spawn_id;
};

void charges_fini(struct charges *charges);

/* NULL when absent. */
struct charge *charge_find(const struct charges *charges, const char *name);
/* Makes it when absent; NULL when memory is out. */
MUST_CHECK struct charge *charge_get(struct charges *charges, const char *name);
MUST_CHECK int charge_set_note(struct charge *charge, const void *data, size_t size);

/* Every charge; the one that is at hand may be removed. */
#define charges_foreach(charges, cursor, charge)                                         \
	for (cursor = 0; (charge = lookup_next(&(charges)->by_name, &cursor)) != NULL;)

/* Forget a unit of which there is no process and no descriptor any more. */
void charge_remove(struct charges *charges, struct charge *charge);

/* Whether something of any unit is left. */
bool charges_are_occupied(const struct charges *charges);

/* A new process, in no table by pid yet. NULL when memory is out. */
MUST_CHECK struct process *process_new(
		struct charges *charges, struct charge *charge, uint64_t spawn_id);
/* It lives under this pid from now on. -ENOMEM, -EEXIST. */
MUST_CHECK int process_attach(
		struct charges *charges, struct process *process, pid_t pid);
/* It has ended: out of the table by pid. */
void process_detach(struct charges *charges, struct process *process);
/* What is known of its end is to be filled in. The watch must be in no loop. */
void process_end(struct process *process, enum process_stage stage);
/* NULL when there is none. By pid: of those that live. */
struct process *process_find(const struct charges *charges, uint64_t spawn_id);
struct process *process_find_pid(const struct charges *charges, pid_t pid);
/* Every process that lives; the one that is at hand may be detached. */
#define processes_foreach_live(charges, cursor, process)                                 \
	for (cursor = 0; (process = lookup_next(&(charges)->by_pid, &cursor)) != NULL;)
/* Removes it from everywhere. The watch must be in no loop. */
void process_free(struct charges *charges, struct process *process);

/* Whether another process would be one too many. */
static inline bool charge_is_full(const struct charge *charge)
{
	return charge->n_processes >= CHARGE_PROCESSES_MAX;
}

static inline bool process_is_live(const struct process *process)
{
	return process->stage == PROCESS_STARTING || process->stage == PROCESS_LIVES;
}

/* The process whose end is the end of the service; NULL when it has none now. */
struct process *charge_main(const struct charge *charge);

#endif
