/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "service/link-note.h"
#include "service/note.h"
#include "support/test.h"

static struct note full_note(void)
{
	return (struct note){
		.phase = NOTE_OVER,
		.since_realtime_usec = 1,
		.start_realtime_usec = 2,
		.status_text = "serving",
		.result = END_SIGNAL,
		.reason = airs_reason_make(AIRS_REASON_USER, 7, "text"),
		.ended_realtime_usec = 3,
	};
}

START_TEST(note_comes_back_as_it_was)
{
	struct note note = full_note(), back;
	uint8_t buffer[NOTE_SIZE_MAX];
	size_t size = note_encode(&note, buffer);

	ck_assert_int_eq(note_decode(buffer, size, &back), 0);
	ck_assert_int_eq(back.phase, NOTE_OVER);
	ck_assert_uint_eq(back.since_realtime_usec, 1);
	ck_assert_uint_eq(back.start_realtime_usec, 2);
	ck_assert_str_eq(back.status_text, "serving");
	ck_assert_int_eq(back.result, END_SIGNAL);
	ck_assert_int_eq(back.reason.code, 7);
	ck_assert_str_eq(back.reason.text, "text");
	ck_assert_uint_eq(back.ended_realtime_usec, 3);
}
END_TEST

START_TEST(longest_note_fits)
{
	struct note note = full_note(), back;
	uint8_t buffer[NOTE_SIZE_MAX];
	char status[2000], text[100];
	size_t size;

	memset(status, 'x', sizeof(status) - 1);
	status[sizeof(status) - 1] = '\0';
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	note.status_text = status;
	note.reason = airs_reason_make(AIRS_REASON_USER, 7, text);
	size = note_encode(&note, buffer);
	ck_assert_uint_le(size, LINK_NOTE_PART_MAX);
	ck_assert_int_eq(note_decode(buffer, size, &back), 0);
	ck_assert_uint_eq(strlen(back.status_text), 255);
}
END_TEST

START_TEST(damaged_note_is_refused_whole)
{
	struct note note = full_note(), back = { .since_realtime_usec = 99 };
	uint8_t buffer[NOTE_SIZE_MAX + 1] = { 0 };
	size_t size = note_encode(&note, buffer);

	for (size_t n = 0; n < size; n++)
		ck_assert_int_eq(note_decode(buffer, n, &back), -EBADMSG);
	ck_assert_int_eq(note_decode(buffer, size + 1, &back), -EBADMSG);
	buffer[0]++;
	ck_assert_int_eq(note_decode(buffer, size, &back), -EBADMSG);
	buffer[0]--;
	buffer[1] = NOTE_PHASE_COUNT;
	ck_assert_int_eq(note_decode(buffer, size, &back), -EBADMSG);
	ck_assert_uint_eq(back.since_realtime_usec, 99);
}
END_TEST

START_TEST(both_parts_of_a_note_travel_together)
{
	struct link_note_bytes parts[LINK_NOTE_PART_COUNT] = { { "abc", 3 },
		{ "defgh", 5 } };
	uint8_t buffer[PROTOCOL_NOTE_MAX];
	size_t size = link_note_join(parts, buffer);

	memset(parts, 0, sizeof(parts));
	ck_assert_int_eq(link_note_split(buffer, size, parts), 0);
	ck_assert_uint_eq(parts[LINK_NOTE_SERVICE].size, 3);
	ck_assert_mem_eq(parts[LINK_NOTE_SERVICE].data, "abc", 3);
	ck_assert_mem_eq(parts[LINK_NOTE_MANAGER].data, "defgh", 5);
	for (size_t n = 0; n < size; n++)
		ck_assert_int_eq(link_note_split(buffer, n, parts), -EBADMSG);
}
END_TEST

START_TEST(two_empty_parts_are_no_note)
{
	struct link_note_bytes parts[LINK_NOTE_PART_COUNT] = { { NULL, 0 }, { NULL, 0 } };
	uint8_t buffer[PROTOCOL_NOTE_MAX];

	ck_assert_uint_eq(link_note_join(parts, buffer), 0);
}
END_TEST

TEST_MAIN("note", note_comes_back_as_it_was, longest_note_fits,
		damaged_note_is_refused_whole, both_parts_of_a_note_travel_together,
		two_empty_parts_are_no_note)
