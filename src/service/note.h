/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_NOTE_H
#define SERVICE_NOTE_H

/*
 * What a service actor wants to know again after a restart of the core and cannot learn
 * from the processes: how far the service had come, its status text, and, when it is
 * over, how it ended. A blob of at most LINK_NOTE_PART_MAX bytes with a version; one of
 * another version, or damaged, is as none.
 *
 * A service that runs, whose Type= makes it ready by running, and that has no status text
 * needs no note.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "service/end.h"

enum note_phase {
	NOTE_NONE, /* nothing known: as if there were no note */
	NOTE_STARTING, /* not ready yet */
	NOTE_RUNNING, /* ready */
	NOTE_EXITED, /* RemainAfterExit= */
	NOTE_STOPPING, /* because somebody asked for it */
	NOTE_FAILING, /* because it has failed: its result is known, its processes may
			 still live */
	NOTE_OVER, /* ended, and the restart condition does not hold */
	NOTE_PHASE_COUNT
};

struct note {
	enum note_phase phase;
	uint64_t since_realtime_usec, start_realtime_usec;
	const char *status_text; /* decoded: borrowed from the bytes; NULL: none */
	/* NOTE_FAILING and NOTE_OVER */
	enum end_result result;
	struct airs_reason reason;
	uint64_t ended_realtime_usec; /* 0: not yet */
};

#define NOTE_SIZE_MAX 500

/* Returns the size; a status text that does not fit is cut. */
size_t note_encode(const struct note *note, uint8_t buffer[static NOTE_SIZE_MAX]);
/* 0, or -EBADMSG, also for size 0. */
MUST_CHECK int note_decode(const void *data, size_t size, struct note *ret_note);

#endif
