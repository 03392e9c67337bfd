/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_PROTOCOL_H
#define UNIT_PROTOCOL_H

/*
 * The keeper link: what airssysd and airssys-core say to each other.
 *
 * One SOCK_SEQPACKET socket pair. A message is a type, a serial and fields (base/wire.h);
 * a datagram is one message, or several that have no descriptors (struct protocol_batch):
 * what is said at one moment costs one system call and wakes the other side once. The core names a unit and an action; it cannot describe a
 * process. The keeper trusts nothing it receives: an unknown unit, a command that the
 * unit does not have, or a malformed datagram is answered with an error (FAILED) and
 * changes nothing.
 *
 * Life of a link: the keeper sends CONFIG, one PROCESS for every process that lives or
 * whose end the core has not yet acknowledged, one NOTE for every unit that has one, and
 * ADOPTED; then events as they happen. The core answers requests' serials never; the
 * keeper answers SPAWN, SIGNAL, SET_MAIN, OWNS, RELOAD and MODULE with the same serial. When
 * the link closes, the core ends; when the core ends, the keeper starts another and says
 * everything again.
 *
 *   core → keeper
 *     SPAWN     unit, kind, index [, result words] → SPAWNED or FAILED. A result word has
 *               letters, digits, + and - only: it becomes a variable of a command that may be
 *               root's
 *     SIGNAL    unit, whom, signal, further signals → DONE or FAILED (-ESRCH: nobody
 *               there)
 *     SET_MAIN  unit, pid: from MAINPID=; 0: the one in PIDFile=, or a guess → SPAWNED, whose spawn id is the
 *               one that EXITED will name, or FAILED (-EPERM: not a process of the unit)
 *     OWNS      unit, pid → DONE: it is a process of the unit; or FAILED (-EPERM: of
 *               another, -ESRCH)
 *     ACK       spawn id: the core knows of this end; the keeper forgets it
 *     NOTE      unit, bytes: what the core wants to hear again after a restart of either
 *               (at most PROTOCOL_NOTE_MAX)
 *     RELOAD    read the unit files again → CONFIG with the same serial, then DONE
 *     MODULE    unit → DONE with a sealed memory file, or FAILED
 *     UP        the tree is up; text for people
 *     STATUS    text for the service manager above us
 *     DOWN      the tree is down: exit with this status
 *     PONG      answer to PING
 *
 *   keeper → core
 *     CONFIG    snapshot (fd 0); in the first one also the control listening socket
 *               (fd 1) and strings
 *     PROCESS   unit, kind, index, spawn id, pid, start times, state, exit [, notify fd]
 *     NOTE      unit, bytes
 *     ADOPTED   all PROCESS and NOTE messages have been sent
 *     SPAWNED   spawn id, pid, start times [, notify fd: the unit's notify socket,
 *               non-blocking, passed with the first process]
 *     FAILED    errno, step, detail
 *     DONE
 *     EXITED    spawn id, unit, kind, index, pid, state, code, status, end time, usage,
 *               and whether it was the last: what EMPTY would say, then, is said.
 *               code 0 (state ENDED_UNKNOWN): an adopted process of which nobody can ask
 *               the status
 *     EMPTY     unit: none of its processes is left; when EXITED has not said so
 *     STOP      stop the tree in order, then say DOWN
 *     PING      answer PONG
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"
#include "unit/unit.h"

#define PROTOCOL_VERSION     1
#define PROTOCOL_NOTE_MAX    1024
#define PROTOCOL_WORD_MAX    32 /* bytes of a result word */
#define PROTOCOL_MESSAGE_MAX 8192
#define PROTOCOL_LINK_FD     3 /* descriptor of the link in airssys-core */

enum protocol_type {
	PROTOCOL_SPAWN = 1,
	PROTOCOL_SIGNAL,
	PROTOCOL_SET_MAIN,
	PROTOCOL_ACK,
	PROTOCOL_RELOAD,
	PROTOCOL_MODULE,
	PROTOCOL_UP,
	PROTOCOL_STATUS,
	PROTOCOL_DOWN,
	PROTOCOL_PONG,
	PROTOCOL_NOTE, /* both ways */
	PROTOCOL_OWNS,
	PROTOCOL_CONFIG = 64,
	PROTOCOL_PROCESS,
	PROTOCOL_ADOPTED,
	PROTOCOL_SPAWNED,
	PROTOCOL_FAILED,
	PROTOCOL_DONE,
	PROTOCOL_EXITED,
	PROTOCOL_EMPTY,
	PROTOCOL_STOP,
	PROTOCOL_PING,
};

/* To whom a signal goes. */
enum protocol_whom {
	PROTOCOL_MAIN,
	PROTOCOL_CONTROL, /* the ExecStartPre=, ExecStop= … that runs now */
	PROTOCOL_ALL, /* every process of the unit: its cgroup, or all descendants */
};

/* How a process of a PROCESS message stands. */
enum protocol_process_state {
	PROTOCOL_LIVES,
	PROTOCOL_ENDED, /* code and status are valid */
	PROTOCOL_ENDED_UNKNOWN, /* it ended while no keeper was there to ask for its
				   status */
};

/*
 * One message, decoded. Which fields mean something depends on the type (see above); the
 * others are zero. Texts and bytes are borrowed from the datagram.
 */
struct protocol_message {
	enum protocol_type type;
	uint64_t serial;
	const char *unit;
	uint32_t kind; /* enum unit_command_kind */
	uint32_t index; /* in that kind's list */
	uint64_t spawn_id; /* unique for the life of the runtime folder */
	pid_t pid;
	uint64_t start_time; /* of the process, clock ticks since boot */
	uint64_t since_realtime_usec, since_monotonic_usec; /* spawned */
	uint32_t state; /* enum protocol_process_state */
	int32_t code, status; /* CLD_EXITED, CLD_KILLED, CLD_DUMPED and its status */
	uint64_t ended_realtime_usec;
	uint64_t cpu_usec, memory_peak_bytes; /* of the ended process, from rusage */
	uint32_t is_last; /* EXITED, 1: nothing of the unit is left */
	uint32_t whom; /* enum protocol_whom */
	int32_t signal;
	uint64_t further; /* SIGNAL: bit n-1 for each signal n that follows it, in the
			     order of their numbers */
	int32_t error; /* positive errno */
	const char *step; /* FAILED: name of the executor's step, "" when it did not come
			     so far */
	const char *text; /* detail, status text; SPAWN: SERVICE_RESULT for ExecStop=,
			     ExecStopPost= */
	const char *exit_code, *exit_status; /* SPAWN: EXIT_CODE, EXIT_STATUS for the
						same; may be NULL */
	const void *data; /* NOTE */
	size_t size;
	/* CONFIG */
	const char *runtime_dir;
	const char *journal_socket; /* where the journal listens when there is one */
	uint32_t user_instance; /* 1: --user */
	uint32_t boot_id_changed; /* unused: 0 */
	uid_t owner_uid; /* uid of airssysd: may control beside root */
	uint32_t restarts; /* how often this keeper has started a core before */
	const char *cgroup; /* absolute path of the instance's cgroup v2 folder; NULL:
			       none */
};

/*
 * Encode into buffer; returns the size, -EMSGSIZE when it does not fit (or is beyond
 * PROTOCOL_MESSAGE_MAX), -EINVAL for an unknown type, a value out of range or a missing
 * text.
 */
MUST_CHECK ssize_t protocol_encode(
		const struct protocol_message *message, void *buffer, size_t capacity);

/* Decode one datagram. 0 or -EBADMSG: unknown type, wrong length, a value out of range,
 * an embedded NUL. */
MUST_CHECK int protocol_decode(
		const void *datagram, size_t size, struct protocol_message *ret_message);

/*
 * Messages on their way into one datagram. Zeroed it is empty. add gives what
 * protocol_encode does; -EMSGSIZE means that it is full, when it is not empty.
 */
struct protocol_batch {
	size_t size;
	unsigned int count;
	uint8_t data[PROTOCOL_MESSAGE_MAX];
};

MUST_CHECK int protocol_batch_add(
		struct protocol_batch *batch, const struct protocol_message *message);

struct protocol_part {
	const void *data;
	size_t size;
};

/* What is to be sent; size 0: nothing. Valid until the batch is changed. */
struct protocol_part protocol_batch_get(const struct protocol_batch *batch);
static inline void protocol_batch_clear(struct protocol_batch *batch)
{
	batch->size = batch->count = 0;
}

/*
 * The messages of a datagram, one after the other, each to be decoded; *cursor begins
 * with 0. 1 with *ret_part, 0 at the end, -EBADMSG.
 */
MUST_CHECK int protocol_next(const void *datagram, size_t size, size_t *cursor,
		struct protocol_part *ret_part);

const char *protocol_type_name(enum protocol_type type);

#endif
