/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef HOST_ACTIVITY_H
#define HOST_ACTIVITY_H

/*
 * The activity log: one actor that writes the records of all others to the journal, and
 * to standard error where there is none. It never blocks: what the journal does not take
 * at once waits in a bounded ring; what does not fit is counted, and a record
 * (records-lost) tells how many are missing as soon as something can be written again.
 * Records of level warning and worse are lost last.
 */

#include <stddef.h>
#include <stdint.h>

#include "airssys/actor.h"
#include "osl/activity.h"

#define ACTIVITY_ACTOR_NAME "airssys.activity"

extern const struct airs_behaviour activity_behaviour;

/* args of activity_behaviour. Zeroes are defaults. */
struct activity_args {
	size_t size;
	char journal_socket[108]; /* "": no journal */
	char instance[256]; /* AIRSSYS_INSTANCE of every record; "": left out */
	size_t ring_bytes; /* 0: 1 MiB */
	int fallback_fd; /* lines go there without a journal; -1: standard error */
};

enum activity_message {
	ACTIVITY_WRITE = AIRS_MSG_USER + 300, /* made by activity_write */
	/* A call: 0 with struct activity_counts. */
	ACTIVITY_GET_COUNTS,
};

struct activity_counts {
	uint64_t written, lost, waiting;
	uint32_t journal; /* 1: the journal takes records */
};

/*
 * Write a record, which is copied. activity may be AIRS_PID_NONE: nothing happens. What
 * cannot even be handed over for want of memory is lost uncounted. Never blocks.
 */
void activity_write(struct airs_actor *self, airs_pid activity,
		const struct activity_record *record);

#endif
