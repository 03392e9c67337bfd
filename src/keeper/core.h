/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_CORE_H
#define KEEPER_CORE_H

/*
 * The life of airssys-core: started with the link at PROTOCOL_LINK_FD under a user of its
 * own, started again when it ends, killed when it does not answer. What must be sent and
 * does not fit into the socket waits in order; a core that does not read for very long is
 * stuck and is killed. So is one that has closed its link and does not end.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "keeper/loop.h"
#include "keeper/transient-uid.h"
#include "unit/protocol.h"

struct keeper;

struct core {
	struct keeper *keeper;
	struct loop_source source;
	int program_fd; /* airssys-core, pinned: an upgrade does not mix versions */
	uid_t uid;
	gid_t gid;
	struct transient_uid transient_uid; /* when there is no user for it */
	pid_t pid; /* 0: none */
	int link_fd; /* -1: none */
	struct protocol_batch batch; /* what is to be sent next */
	struct list queue; /* [struct queued.link] */
	size_t queued_bytes;
	uint64_t started_usec; /* CLOCK_MONOTONIC */
	uint64_t restart_usec; /* when to start it again; 0: not due */
	uint64_t leave_usec; /* it has lost its link: when to kill it; 0: not due */
	uint64_t delay_usec;
	uint32_t restarts;
	bool is_up; /* it said UP */
	bool owes_pong;
	bool said_nonsense; /* which is told once */
};

MUST_CHECK int core_init(struct core *core, struct keeper *keeper);
void core_fini(struct core *core);

/* Start it and say everything. */
MUST_CHECK int core_start(struct core *core);

/*
 * Send a message; fds stay the caller's. Without descriptors it leaves with others of this
 * moment, at core_flush at the latest. What cannot be sent now waits. Without a core it is
 * dropped: the next one is told everything.
 */
void core_send(struct core *core, const struct protocol_message *message, const int *fds,
		size_t n_fds);
/* Before anything is waited for. */
void core_flush(struct core *core);

/* A child ended. true when it was the core. */
bool core_on_end(struct core *core, pid_t pid, int code, int status);

/* Work that is due by time; and when the next is, CLOCK_MONOTONIC or USEC_INFINITY. */
void core_on_time(struct core *core, uint64_t now_usec);
uint64_t core_next_usec(const struct core *core);

/* Ask for a sign of life; kills a core that still owes one. */
void core_ping(struct core *core);
void core_kill(struct core *core);

#endif
