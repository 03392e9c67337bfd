/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_LINK_NOTE_H
#define SERVICE_LINK_NOTE_H

/*
 * How the two parts of a unit's note (service/link.h) travel: from their owners to the
 * link, and, joined, to the keeper and back.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "service/link.h"

/* Payload of LINK_NOTE. */
struct link_note {
	uint32_t part, size;
	char unit[LINK_UNIT_SIZE];
	uint8_t data[];
};

/* Payload of LINK_ABANDON. */
struct link_abandon {
	airs_pid actor;
	char unit[]; /* NUL-terminated */
};

/* Join the parts. Returns the size, 0 when both are empty. */
size_t link_note_join(const struct link_note_bytes parts[static LINK_NOTE_PART_COUNT],
		uint8_t buffer[static PROTOCOL_NOTE_MAX]);
/* Split again, borrowed from data. 0, or -EBADMSG with nothing written. */
MUST_CHECK int link_note_split(const void *data, size_t size,
		struct link_note_bytes ret_parts[static LINK_NOTE_PART_COUNT]);

#endif
