/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "service/link-note.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/wire.h"

#define NOTE_VERSION 1

_Static_assert(LINK_NOTE_PART_COUNT *(LINK_NOTE_PART_MAX + 4) + 1 <= PROTOCOL_NOTE_MAX,
		"both parts fit");

size_t link_note_join(const struct link_note_bytes parts[static LINK_NOTE_PART_COUNT],
		uint8_t buffer[static PROTOCOL_NOTE_MAX])
{
	struct wire_writer w;
	size_t total = 0;

	wire_writer_init(&w, buffer, PROTOCOL_NOTE_MAX);
	wire_put_u8(&w, NOTE_VERSION);
	for (size_t i = 0; i < LINK_NOTE_PART_COUNT; i++) {
		wire_put_bytes(&w, parts[i].data, parts[i].size);
		total += parts[i].size;
	}
	bug_unless(!w.failed);
	return total > 0 ? w.size : 0;
}

int link_note_split(const void *data, size_t size,
		struct link_note_bytes ret_parts[static LINK_NOTE_PART_COUNT])
{
	struct link_note_bytes parts[LINK_NOTE_PART_COUNT];
	struct wire_reader r;

	wire_reader_init(&r, data, size);
	if (wire_get_u8(&r) != NOTE_VERSION)
		return -EBADMSG;
	for (size_t i = 0; i < LINK_NOTE_PART_COUNT; i++) {
		parts[i].data = wire_get_bytes(&r, &parts[i].size);
		if (parts[i].size > LINK_NOTE_PART_MAX)
			return -EBADMSG;
	}
	if (wire_reader_finish(&r) < 0)
		return -EBADMSG;
	memcpy(ret_parts, parts, sizeof(parts));
	return 0;
}
