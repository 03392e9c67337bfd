/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_STATE_H
#define KEEPER_STATE_H

/*
 * The keeper's memory across its own death: RUNTIME/state/log, a file to which one record
 * is appended for every change, each with its length and a checksum. It is written anew
 * when it has grown to several times what it holds.
 *
 * The reader takes what stands before the first damaged record and ignores the rest: a
 * record that was half written when the keeper was killed is the last one. A log of
 * another boot holds nothing that lives.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/procid.h"
#include "keeper/charge.h"

enum state_type {
	STATE_BEGIN = 1, /* boot, next spawn id, cgroup folder */
	STATE_SPAWN, /* a process and who it is */
	STATE_END, /* how it ended; the core does not know yet */
	STATE_FORGET, /* the core knows */
	STATE_NOTE,
	STATE_TYPE_COUNT
};

/* One record. Texts and bytes are borrowed from the input. */
struct state_record {
	enum state_type type;
	const char *unit;
	const char *boot_id;
	const char *cgroup; /* the instance's folder; NULL: none */
	uint64_t spawn_id;
	uint32_t kind, index;
	int32_t pid;
	uint64_t start_time, since_realtime_usec, since_monotonic_usec;
	const void *invocation; /* INVOCATION_SIZE bytes */
	uint32_t stage; /* STATE_END: PROCESS_ENDED or PROCESS_ENDED_UNKNOWN */
	int32_t code, status;
	uint64_t ended_realtime_usec, cpu_usec, memory_peak_bytes;
	const void *note;
	size_t note_size;
};

typedef void state_record_fn(void *data, const struct state_record *record);

/*
 * Read records from memory and hand each to on_record. Returns how many bytes at the end
 * were not understood: 0 for a whole log.
 */
size_t state_read(const void *log, size_t size, state_record_fn *on_record, void *data);

#define STATE_PENDING_SIZE 8448

struct state {
	int folder_fd, log_fd;
	const char *cgroup; /* borrowed; NULL: none */
	size_t size; /* of the log */
	size_t live_size; /* of the log when it was last written anew */
	int error; /* of the last failed write, 0 after a good one: said once */
	bool is_short; /* a record was lost: what is written is not all */
	size_t pending_size;
	uint8_t pending[STATE_PENDING_SIZE]; /* records that are not written yet */
};

/* folder_fd is borrowed. Nothing is opened before state_load or state_rewrite. */
void state_init(struct state *state, int folder_fd);
void state_fini(struct state *state);

/* Read RUNTIME/state/log. *ret_data is NULL when there is none; the caller frees it. */
MUST_CHECK int state_load(struct state *state, char **ret_data, size_t *ret_size);

/* Write the log anew from what lives now, in place of the old one. */
int state_rewrite(struct state *state, const struct charges *charges);

/*
 * Append a record of a change that was made already. A start is written at once, since a
 * process that is in no record is lost to the next keeper; the others wait for it or for
 * state_flush. A write that fails is said once; the keeper goes on, and a rewrite makes
 * good what was lost.
 */
void state_add_spawn(struct state *state, const struct process *process);
void state_add_end(struct state *state, const struct process *process);
void state_add_forget(struct state *state, uint64_t spawn_id);
void state_add_note(struct state *state, const struct charge *charge);

/* Write what waits: before the keeper waits for anything. */
void state_flush(struct state *state);

/* Whether it has grown enough to be written anew, or has lost a record. */
bool state_wants_rewrite(const struct state *state);

/* Nothing lives any more: remove the log. */
void state_remove(struct state *state);

#endif
