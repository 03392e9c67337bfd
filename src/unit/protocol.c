/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/protocol.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>

#include "base/wire.h"

/*
 * One table says which fields each message has and what values they may take; encoding
 * and decoding walk the same row, so that they cannot differ. Both check: a value that
 * the other side would refuse is a bug of this side and is told to it.
 */

enum field_form {
	FORM_NONE, /* ends a row */
	FORM_U32,
	FORM_U64,
	FORM_I32,
	FORM_TEXT,
	FORM_TEXT_OR_NULL,
	FORM_NAME, /* of a unit: 1 … NAME_MAX bytes */
	FORM_WORD_OR_NULL, /* see is_word */
	FORM_NOTE, /* data and size */
};

struct field {
	enum field_form form;
	size_t offset;
	int64_t min, max; /* of FORM_U32 and FORM_I32 */
};

#define AT(member) offsetof(struct protocol_message, member)

#define U32(member, last)                                                                \
	{                                                                                \
		FORM_U32, AT(member), 0, last                                            \
	}
#define U64(member)                                                                      \
	{                                                                                \
		FORM_U64, AT(member), 0, 0                                               \
	}
#define I32(member, first, last)                                                         \
	{                                                                                \
		FORM_I32, AT(member), first, last                                        \
	}
#define TEXT(member)                                                                     \
	{                                                                                \
		FORM_TEXT, AT(member), 0, 0                                              \
	}
#define TEXT_OR_NULL(member)                                                             \
	{                                                                                \
		FORM_TEXT_OR_NULL, AT(member), 0, 0                                      \
	}
#define WORD_OR_NULL(member)                                                             \
	{                                                                                \
		FORM_WORD_OR_NULL, AT(member), 0, 0                                      \
	}

#define UNIT                                                                             \
	{                                                                                \
		FORM_NAME, AT(unit), 0, 0                                                \
	}
#define NOTE                                                                             \
	{                                                                                \
		FORM_NOTE, AT(data), 0, 0                                                \
	}
#define COMMAND U32(kind, UNIT_COMMAND_KIND_COUNT - 1), U32(index, UINT32_MAX)
#define STARTED U64(start_time), U64(since_realtime_usec), U64(since_monotonic_usec)
#define HOW_ENDED                                                                        \
	U32(state, PROTOCOL_ENDED_UNKNOWN), I32(code, 0, CLD_DUMPED),                    \
			I32(status, INT32_MIN, INT32_MAX), U64(ended_realtime_usec),     \
			U64(cpu_usec), U64(memory_peak_bytes)

#define FIELDS_MAX 16

static const struct {
	const char *name;
	struct field fields[FIELDS_MAX];
} messages[] = {
	[PROTOCOL_SPAWN] = { "SPAWN",
			{ UNIT, COMMAND, WORD_OR_NULL(text), WORD_OR_NULL(exit_code),
					WORD_OR_NULL(exit_status) } },
	[PROTOCOL_SIGNAL] = { "SIGNAL",
			{ UNIT, U32(whom, PROTOCOL_ALL), I32(signal, 1, 64),
					U64(further) } },
	[PROTOCOL_SET_MAIN] = { "SET_MAIN", { UNIT, I32(pid, 0, INT_MAX) } },
	[PROTOCOL_OWNS] = { "OWNS", { UNIT, I32(pid, 1, INT_MAX) } },
	[PROTOCOL_ACK] = { "ACK", { U64(spawn_id) } },
	[PROTOCOL_RELOAD] = { "RELOAD", { { 0 } } },
	[PROTOCOL_MODULE] = { "MODULE", { UNIT } },
	[PROTOCOL_UP] = { "UP", { TEXT_OR_NULL(text) } },
	[PROTOCOL_STATUS] = { "STATUS", { TEXT_OR_NULL(text) } },
	[PROTOCOL_DOWN] = { "DOWN", { I32(status, 0, 255) } },
	[PROTOCOL_PONG] = { "PONG", { { 0 } } },
	[PROTOCOL_NOTE] = { "NOTE", { UNIT, NOTE } },
	[PROTOCOL_CONFIG] = { "CONFIG",
			{ TEXT(runtime_dir), TEXT_OR_NULL(journal_socket),
					U32(user_instance, 1), U32(boot_id_changed, 0),
					U32(owner_uid, UINT32_MAX),
					U32(restarts, UINT32_MAX),
					TEXT_OR_NULL(cgroup) } },
	[PROTOCOL_PROCESS] = { "PROCESS",
			{ UNIT, COMMAND, U64(spawn_id), I32(pid, 0, INT_MAX), STARTED,
					HOW_ENDED } },
	[PROTOCOL_ADOPTED] = { "ADOPTED", { { 0 } } },
	[PROTOCOL_SPAWNED] = { "SPAWNED",
			{ U64(spawn_id), I32(pid, 1, INT_MAX), STARTED } },
	[PROTOCOL_FAILED] = { "FAILED",
			{ I32(error, 1, 4095), TEXT_OR_NULL(step), TEXT_OR_NULL(text) } },
	[PROTOCOL_DONE] = { "DONE", { { 0 } } },
	[PROTOCOL_EXITED] = { "EXITED",
			{ UNIT, COMMAND, U64(spawn_id), I32(pid, 0, INT_MAX), HOW_ENDED,
					U32(is_last, 1) } },
	[PROTOCOL_EMPTY] = { "EMPTY", { UNIT } },
	[PROTOCOL_STOP] = { "STOP", { { 0 } } },
	[PROTOCOL_PING] = { "PING", { { 0 } } },
};

_Static_assert(sizeof(pid_t) == 4 && sizeof(uid_t) == 4,
		"the table treats them as 32 bits");

static bool is_known(uint32_t type)
{
	return type < ARRAY_SIZE(messages) && messages[type].name;
}

static bool is_name(const char *name)
{
	return name && *name && strnlen(name, NAME_MAX + 1) <= NAME_MAX;
}

/*
 * "exit-code", "killed", "RTMIN+3", "": what may stand in a command line of a privileged
 * shell and means nothing there. The words of a core that was taken over do.
 */
static bool is_word(const char *s)
{
	size_t n = strspn(s,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			"0123456789+-");

	return s[n] == '\0' && n <= PROTOCOL_WORD_MAX && *s != '-';
}

static bool may_be(enum field_form form, const char *s)
{
	if (form == FORM_NAME)
		return is_name(s);
	if (!s)
		return form != FORM_TEXT;
	return form != FORM_WORD_OR_NULL || is_word(s);
}

static bool in_range(const struct field *f, int64_t value)
{
	return value >= f->min && value <= f->max;
}

/* Write one field; false when its value is not allowed. */
static bool put_field(struct wire_writer *w, const struct field *f,
		const struct protocol_message *m)
{
	const void *at = (const char *)m + f->offset;
	const char *s = NULL;
	uint32_t u32;
	int32_t i32;

	switch (f->form) {
	case FORM_U32:
		memcpy(&u32, at, sizeof(u32));
		wire_put_u32(w, u32);
		return in_range(f, u32);
	case FORM_I32:
		memcpy(&i32, at, sizeof(i32));
		wire_put_i32(w, i32);
		return in_range(f, i32);
	case FORM_U64:
		wire_put_u64(w, *(const uint64_t *)at);
		return true;
	case FORM_NOTE:
		wire_put_bytes(w, m->data, m->size);
		return m->size <= PROTOCOL_NOTE_MAX;
	case FORM_NAME:
	case FORM_TEXT:
	case FORM_TEXT_OR_NULL:
	case FORM_WORD_OR_NULL:
		s = *(const char *const *)at;
		wire_put_text(w, s);
		return may_be(f->form, s);
	case FORM_NONE:
		break;
	}
	return false;
}

/* Read one field; false when its value is not allowed. */
static bool get_field(
		struct wire_reader *r, const struct field *f, struct protocol_message *m)
{
	void *at = (char *)m + f->offset;
	const char *s;
	uint32_t u32;
	int32_t i32;

	switch (f->form) {
	case FORM_U32:
		u32 = wire_get_u32(r);
		memcpy(at, &u32, sizeof(u32));
		return in_range(f, u32);
	case FORM_I32:
		i32 = wire_get_i32(r);
		memcpy(at, &i32, sizeof(i32));
		return in_range(f, i32);
	case FORM_U64:
		*(uint64_t *)at = wire_get_u64(r);
		return true;
	case FORM_NOTE:
		m->data = wire_get_bytes(r, &m->size);
		return m->size <= PROTOCOL_NOTE_MAX;
	case FORM_NAME:
	case FORM_TEXT:
	case FORM_TEXT_OR_NULL:
	case FORM_WORD_OR_NULL:
		s = *(const char **)at = wire_get_text(r);
		return may_be(f->form, s);
	case FORM_NONE:
		break;
	}
	return false;
}

ssize_t protocol_encode(
		const struct protocol_message *message, void *buffer, size_t capacity)
{
	const struct field *f;
	struct wire_writer w;

	if (!is_known(message->type))
		return -EINVAL;
	wire_writer_init(&w, buffer, MIN_OF(capacity, (size_t)PROTOCOL_MESSAGE_MAX));
	wire_put_u32(&w, PROTOCOL_VERSION << 16 | (uint32_t)message->type);
	wire_put_u64(&w, message->serial);
	for (f = messages[message->type].fields; f->form != FORM_NONE; f++)
		if (!put_field(&w, f, message))
			return -EINVAL;
	return w.failed ? -EMSGSIZE : (ssize_t)w.size;
}

int protocol_decode(
		const void *datagram, size_t size, struct protocol_message *ret_message)
{
	struct protocol_message m = { 0 };
	const struct field *f;
	struct wire_reader r;
	uint32_t head;

	wire_reader_init(&r, datagram, size);
	head = wire_get_u32(&r);
	m.serial = wire_get_u64(&r);
	if (size > PROTOCOL_MESSAGE_MAX || head >> 16 != PROTOCOL_VERSION ||
			!is_known(head & 0xffff))
		return -EBADMSG;
	m.type = (enum protocol_type)(head & 0xffff);
	for (f = messages[m.type].fields; f->form != FORM_NONE; f++)
		if (!get_field(&r, f, &m))
			return -EBADMSG;
	if (wire_reader_finish(&r) < 0)
		return -EBADMSG;
	*ret_message = m;
	return 0;
}

/* A datagram of several: this in the place of a message's first word, then each message
 * behind its size. */
#define BATCH_HEAD (PROTOCOL_VERSION << 16 | 0xffffU)
#define HEAD_SIZE  sizeof(uint32_t)

static uint32_t read_word(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static void write_word(uint8_t *at, uint32_t word)
{
	memcpy(at, &word, sizeof(word));
}

int protocol_batch_add(
		struct protocol_batch *batch, const struct protocol_message *message)
{
	size_t at = MAX_OF(batch->size, HEAD_SIZE) + HEAD_SIZE;
	ssize_t n;

	if (at >= sizeof(batch->data))
		return -EMSGSIZE;
	n = protocol_encode(message, batch->data + at, sizeof(batch->data) - at);
	if (n < 0)
		return (int)n;
	write_word(batch->data, BATCH_HEAD);
	write_word(batch->data + at - HEAD_SIZE, (uint32_t)n);
	batch->size = at + (size_t)n;
	batch->count++;
	return 0;
}

struct protocol_part protocol_batch_get(const struct protocol_batch *batch)
{
	size_t head = batch->count == 1 ? 2 * HEAD_SIZE : 0;

	return (struct protocol_part){ batch->data + head, batch->size - head };
}

int protocol_next(const void *datagram, size_t size, size_t *cursor,
		struct protocol_part *ret_part)
{
	const uint8_t *data = datagram;
	size_t at = MAX_OF(*cursor, HEAD_SIZE), n;

	if (*cursor == size)
		return *cursor > 0 ? 0 : -EBADMSG;
	if (*cursor == 0 && (size < HEAD_SIZE || read_word(data) != BATCH_HEAD)) {
		*ret_part = (struct protocol_part){ data, size };
		*cursor = size;
		return 1;
	}
	if (size - at < HEAD_SIZE)
		return -EBADMSG;
	n = read_word(data + at);
	at += HEAD_SIZE;
	if (n == 0 || n > size - at)
		return -EBADMSG;
	*ret_part = (struct protocol_part){ data + at, n };
	*cursor = at + n;
	return 1;
}

const char *protocol_type_name(enum protocol_type type)
{
	return is_known(type) ? messages[type].name : "?";
}
