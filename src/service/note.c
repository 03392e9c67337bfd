/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "service/note.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/wire.h"

#define NOTE_VERSION 1
#define STATUS_MAX   255

static bool has_result(enum note_phase phase)
{
	return phase == NOTE_FAILING || phase == NOTE_OVER;
}

static void put_reason(struct wire_writer *w, const struct airs_reason *reason)
{
	wire_put_u32(w, reason->reason_class);
	wire_put_u32(w, reason->flags);
	wire_put_i32(w, reason->code);
	wire_put_i32(w, reason->status);
	wire_put_u64(w, reason->detail);
	wire_put_text(w, reason->text);
}

static bool get_reason(struct wire_reader *r, struct airs_reason *reason)
{
	uint32_t reason_class = wire_get_u32(r), flags = wire_get_u32(r);
	const char *text;

	memset(reason, 0, sizeof(*reason));
	reason->reason_class = (uint16_t)reason_class;
	reason->flags = (uint16_t)flags;
	reason->code = wire_get_i32(r);
	reason->status = wire_get_i32(r);
	reason->detail = wire_get_u64(r);
	text = wire_get_text(r);
	if (!text || strlen(text) >= sizeof(reason->text))
		return false;
	memcpy(reason->text, text, strlen(text));
	return reason_class < AIRS_REASON_CLASS_COUNT && flags <= AIRS_REASON_F_SHUTDOWN;
}

size_t note_encode(const struct note *note, uint8_t buffer[static NOTE_SIZE_MAX])
{
	char status[STATUS_MAX + 1];
	struct wire_writer w;

	wire_writer_init(&w, buffer, NOTE_SIZE_MAX);
	wire_put_u8(&w, NOTE_VERSION);
	wire_put_u8(&w, (uint8_t)note->phase);
	wire_put_u64(&w, note->since_realtime_usec);
	wire_put_u64(&w, note->start_realtime_usec);
	if (note->status_text)
		(void)snprintf(status, sizeof(status), "%s", note->status_text);
	wire_put_text(&w, note->status_text ? status : NULL);
	if (has_result(note->phase)) {
		wire_put_u8(&w, (uint8_t)note->result);
		wire_put_u64(&w, note->ended_realtime_usec);
		put_reason(&w, &note->reason);
	}
	bug_unless(!w.failed);
	return w.size;
}

int note_decode(const void *data, size_t size, struct note *ret_note)
{
	struct note note = { 0 };
	struct wire_reader r;
	uint8_t version, phase, result;

	wire_reader_init(&r, data, size);
	version = wire_get_u8(&r);
	phase = wire_get_u8(&r);
	note.since_realtime_usec = wire_get_u64(&r);
	note.start_realtime_usec = wire_get_u64(&r);
	note.status_text = wire_get_text(&r);
	if (version != NOTE_VERSION || phase >= NOTE_PHASE_COUNT)
		return -EBADMSG;
	note.phase = (enum note_phase)phase;
	if (note.status_text && strlen(note.status_text) > STATUS_MAX)
		return -EBADMSG;
	if (has_result(note.phase)) {
		result = wire_get_u8(&r);
		note.ended_realtime_usec = wire_get_u64(&r);
		if (!get_reason(&r, &note.reason) || result >= END_RESULT_COUNT)
			return -EBADMSG;
		note.result = (enum end_result)result;
	}
	if (wire_reader_finish(&r) < 0)
		return -EBADMSG;
	*ret_note = note;
	return 0;
}
