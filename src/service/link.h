/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_LINK_H
#define SERVICE_LINK_H

/*
 * The core's end of the keeper link (unit/protocol.h): one actor on the main pool that
 * owns the socket.
 *
 * It puts a serial on each request and hands the keeper's answer to whom asked; it hands
 * events of a unit to the one actor that is attached to that unit; it holds what the
 * keeper said at adoption until an actor attaches; everything else goes to the manager.
 * What cannot be sent at once waits in a queue in order. The cost of an event does not
 * depend on the number of units.
 *
 * When an attached actor ends without having seen the end of its processes (it was
 * killed), the link has them killed as soon as it is told, and an actor that attaches to
 * the unit waits until they are gone.
 *
 * Descriptors travel in moved messages whose payload begins with them: a receiver takes
 * one with take_fd, and what nobody took is closed with the message.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "airssys/actor.h"
#include "base/fd.h"
#include "unit/protocol.h"

#define LINK_UNIT_SIZE 256

extern const struct airs_behaviour link_behaviour;

/* args of link_behaviour. */
struct link_args {
	size_t size;
	int fd; /* the socket, non-blocking; the actor's from now on, closed at its end */
	airs_pid manager; /* receives LINK_EVENT */
	/* The link is closed or broken: the core must end. Called once, in the actor,
	 * before it ends. reason: static. */
	void (*on_closed)(void *data, const char *reason);
	void *data;
};

enum link_message {
	/* To the link; made by the functions below. */
	LINK_REQUEST = AIRS_MSG_USER + 200,
	LINK_ATTACH,
	LINK_DETACH,
	LINK_DISCARD,
	LINK_ABANDON,
	LINK_NOTE,
	LINK_FLUSH, /* to itself: send what was said meanwhile */
	/*
	 * To the manager: struct link_event, moved. Types CONFIG (with its descriptors),
	 * ADOPTED, STOP, PING, PROCESS for each that the keeper told of, and NOTE for each
	 * unit whose note has a manager's part (data and size are that part); PROCESS and
	 * NOTE arrive before ADOPTED.
	 */
	LINK_EVENT,
	LINK_EXITED, /* to the attached actor: struct link_process, state is not
			PROTOCOL_LIVES */
	LINK_EMPTY, /* to the attached actor, no payload */
	LINK_NOTIFY_FD, /* to the attached actor: struct link_fd, moved; its own
			   duplicate, non-blocking */
	LINK_MODULE_FD, /* before the reply to link_module: struct link_fd, moved */
};

struct link_event {
	int fds[FD_PASS_MAX]; /* -1 where there is none */
	struct protocol_message message; /* its texts live as long as this message */
	uint8_t datagram[];
};

struct link_fd {
	int fd;
};

struct link_process {
	uint64_t spawn_id;
	uint32_t kind, index; /* enum unit_command_kind */
	pid_t pid;
	uint32_t state; /* enum protocol_process_state */
	uint64_t since_realtime_usec;
	int32_t code, status;
	uint64_t ended_realtime_usec, cpu_usec, memory_peak_bytes;
	uint32_t is_last; /* LINK_EXITED, 1: nothing of the unit is left, as LINK_EMPTY
			     says otherwise */
};

/*
 * Payload of a reply: for link_spawn, link_signal, link_set_main, link_owns, link_module.
 * The reply's status is 0 or -error; step and detail come with an error only.
 */
struct link_answer {
	uint64_t spawn_id;
	uint64_t since_realtime_usec;
	pid_t pid;
	char step[32];
	char detail[256];
};

/* Payload of the reply to link_attach. */
struct link_attached {
	uint32_t n_processes;
	uint32_t note_size;
	uint32_t empty; /* 1: nothing of the unit is left */
	struct link_process processes[]; /* then note_size bytes: the service's part of
					    the note */
};
static inline const void *link_attached_note(const struct link_attached *attached)
{
	return &attached->processes[attached->n_processes];
}

/* A unit has one note at the keeper; these two owners have a part each. */
enum link_note_part { LINK_NOTE_SERVICE, LINK_NOTE_MANAGER, LINK_NOTE_PART_COUNT };
#define LINK_NOTE_PART_MAX 500 /* bytes */

struct link_note_bytes {
	const void *data; /* may be NULL when size is 0 */
	size_t size;
};

struct link_signal {
	const char *unit;
	enum protocol_whom whom;
	int signo;
	uint64_t further; /* as struct protocol_message has it */
};

struct link_spawn {
	const char *unit;
	uint32_t kind, index;
	const char *result, *exit_code, *exit_status; /* may be NULL */
};

/*
 * Requests: exactly one AIRS_MSG_REPLY with *ret_call follows. unit is copied, at most
 * 255 bytes (-EINVAL). Errors as airs_call.
 *
 *   link_attach    receive the events of a unit from now on, and what was adopted
 *                  of it (once). 0 with struct link_attached, -EBUSY when another
 *                  living actor is attached.
 *   link_set_main  pid 0: the process that PIDFile= names
 *   link_owns      0: pid is a process of the unit; -EPERM; -ESRCH
 *   link_reload    0 when the CONFIG event was sent before
 *   The others     0 or the keeper's errno with struct link_answer
 */
MUST_CHECK int link_attach(struct airs_actor *self, airs_pid link, const char *unit,
		airs_ref *ret_call);
MUST_CHECK int link_spawn(struct airs_actor *self, airs_pid link,
		const struct link_spawn *spawn, airs_ref *ret_call);
MUST_CHECK int link_signal(struct airs_actor *self, airs_pid link,
		const struct link_signal *signal, airs_ref *ret_call);
MUST_CHECK int link_set_main(struct airs_actor *self, airs_pid link, const char *unit,
		pid_t pid, airs_ref *ret_call);
MUST_CHECK int link_owns(struct airs_actor *self, airs_pid link, const char *unit,
		pid_t pid, airs_ref *ret_call);
MUST_CHECK int link_module(struct airs_actor *self, airs_pid link, const char *unit,
		airs_ref *ret_call);
MUST_CHECK int link_reload(struct airs_actor *self, airs_pid link, airs_ref *ret_call);

/*
 * The caller, which is attached to the unit, is done with it: what it left alive is left
 * alive, and another may attach at once. Errors as link_ack.
 */
MUST_CHECK int link_detach(struct airs_actor *self, airs_pid link, const char *unit);

/*
 * A unit that the keeper told of is not to be started: what lives of it is killed, its
 * ends are acknowledged, the service's part of its note is forgotten. Nothing happens to
 * a unit that an actor is attached to. Errors as link_ack.
 */
MUST_CHECK int link_discard(struct airs_actor *self, airs_pid link, const char *unit);

/*
 * An actor of the unit has ended, and may not have been able to detach: what it left is
 * killed, and an actor that attaches waits until it is gone. Nothing happens when another
 * one is attached. Errors as link_ack.
 */
MUST_CHECK int link_abandon(
		struct airs_actor *self, airs_pid link, const char *unit, airs_pid actor);

/* Said without an answer. A note of size 0 removes the part. -EINVAL, or as airs_send. */
MUST_CHECK int link_ack(struct airs_actor *self, airs_pid link, uint64_t spawn_id);
MUST_CHECK int link_note(struct airs_actor *self, airs_pid link, const char *unit,
		enum link_note_part part, struct link_note_bytes bytes);
/* type UP, STATUS (text), DOWN (status) or PONG; text may be NULL. */
MUST_CHECK int link_say(struct airs_actor *self, airs_pid link, enum protocol_type type,
		const char *text, int status);

#endif
