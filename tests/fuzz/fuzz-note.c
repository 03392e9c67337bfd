/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "service/link-note.h"
#include "service/note.h"

/*
 * The bytes are a unit's note as the keeper kept it. Both parts are joined again, and the
 * service's part is written again; each must come out as it went in.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_service(const struct link_note_bytes *part)
{
	uint8_t buffer[NOTE_SIZE_MAX];
	struct note note, back;
	size_t size;

	if (note_decode(part->data, part->size, &note) < 0)
		return;
	size = note_encode(&note, buffer);
	bug_unless(note_decode(buffer, size, &back) == 0);
	bug_unless(back.phase == note.phase &&
			back.since_realtime_usec == note.since_realtime_usec);
	bug_unless(!note.status_text == !back.status_text);
	bug_unless(!note.status_text || strcmp(note.status_text, back.status_text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_note_bytes parts[LINK_NOTE_PART_COUNT];
	struct link_note_bytes whole = { data, size };
	uint8_t buffer[PROTOCOL_NOTE_MAX];
	size_t joined;

	check_service(&whole);
	if (link_note_split(data, size, parts) < 0)
		return 0;
	joined = link_note_join(parts, buffer);
	bug_unless(joined == 0 || (joined == size && memcmp(buffer, data, size) == 0));
	check_service(&parts[LINK_NOTE_SERVICE]);
	return 0;
}
