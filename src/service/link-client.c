/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/message.h"
#include "service/link-note.h"
#include "service/link.h"

/* A request travels as the datagram that it becomes, with serial 0; the link puts its own
 * on it. */
static ssize_t encode(const struct protocol_message *message,
		uint8_t buffer[static PROTOCOL_MESSAGE_MAX])
{
	return protocol_encode(message, buffer, PROTOCOL_MESSAGE_MAX);
}

static int request(struct airs_actor *self, airs_pid link,
		const struct protocol_message *message, airs_ref *ret_call)
{
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	ssize_t n = encode(message, buffer);

	if (n < 0)
		return (int)n;
	return airs_call(self,
			&(struct airs_request){ .to = link,
					.type = LINK_REQUEST,
					.data = buffer,
					.size = (size_t)n,
					.timeout_usec = AIRS_INFINITY },
			ret_call);
}

static int tell(struct airs_actor *self, airs_pid link,
		const struct protocol_message *message)
{
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	ssize_t n = encode(message, buffer);

	if (n < 0)
		return (int)n;
	return airs_send(self, link, LINK_REQUEST, buffer, (size_t)n);
}

static bool is_unit_name(const char *unit)
{
	size_t n = unit ? strlen(unit) : 0;

	return n > 0 && n < LINK_UNIT_SIZE;
}

int link_attach(struct airs_actor *self, airs_pid link, const char *unit,
		airs_ref *ret_call)
{
	if (!is_unit_name(unit))
		return -EINVAL;
	return airs_call(self,
			&(struct airs_request){ .to = link,
					.type = LINK_ATTACH,
					.data = unit,
					.size = strlen(unit) + 1,
					.timeout_usec = AIRS_INFINITY },
			ret_call);
}

static int name_unit(struct airs_actor *self, airs_pid link, enum link_message type,
		const char *unit)
{
	if (!is_unit_name(unit))
		return -EINVAL;
	return airs_send(self, link, (uint32_t)type, unit, strlen(unit) + 1);
}

int link_detach(struct airs_actor *self, airs_pid link, const char *unit)
{
	return name_unit(self, link, LINK_DETACH, unit);
}

int link_discard(struct airs_actor *self, airs_pid link, const char *unit)
{
	return name_unit(self, link, LINK_DISCARD, unit);
}

int link_abandon(struct airs_actor *self, airs_pid link, const char *unit, airs_pid actor)
{
	union {
		struct link_abandon abandon;
		char bytes[sizeof(struct link_abandon) + LINK_UNIT_SIZE];
	} payload;
	size_t size;

	if (!is_unit_name(unit))
		return -EINVAL;
	size = strlen(unit) + 1;
	payload.abandon.actor = actor;
	memcpy(payload.bytes + sizeof(payload.abandon), unit, size);
	return airs_send(self, link, LINK_ABANDON, &payload,
			sizeof(payload.abandon) + size);
}

int link_spawn(struct airs_actor *self, airs_pid link, const struct link_spawn *spawn,
		airs_ref *ret_call)
{
	struct protocol_message message = {
		.type = PROTOCOL_SPAWN,
		.unit = spawn->unit,
		.kind = spawn->kind,
		.index = spawn->index,
		.text = spawn->result,
		.exit_code = spawn->exit_code,
		.exit_status = spawn->exit_status,
	};

	return request(self, link, &message, ret_call);
}

int link_signal(struct airs_actor *self, airs_pid link, const struct link_signal *signal,
		airs_ref *ret_call)
{
	struct protocol_message message = {
		.type = PROTOCOL_SIGNAL,
		.unit = signal->unit,
		.whom = signal->whom,
		.signal = signal->signo,
		.further = signal->further,
	};

	return request(self, link, &message, ret_call);
}

int link_owns(struct airs_actor *self, airs_pid link, const char *unit, pid_t pid,
		airs_ref *ret_call)
{
	struct protocol_message message = {
		.type = PROTOCOL_OWNS, .unit = unit, .pid = pid
	};

	return request(self, link, &message, ret_call);
}

int link_set_main(struct airs_actor *self, airs_pid link, const char *unit, pid_t pid,
		airs_ref *ret_call)
{
	struct protocol_message message = {
		.type = PROTOCOL_SET_MAIN, .unit = unit, .pid = pid
	};

	return request(self, link, &message, ret_call);
}

int link_module(struct airs_actor *self, airs_pid link, const char *unit,
		airs_ref *ret_call)
{
	struct protocol_message message = { .type = PROTOCOL_MODULE, .unit = unit };

	return request(self, link, &message, ret_call);
}

int link_reload(struct airs_actor *self, airs_pid link, airs_ref *ret_call)
{
	struct protocol_message message = { .type = PROTOCOL_RELOAD };

	return request(self, link, &message, ret_call);
}

int link_ack(struct airs_actor *self, airs_pid link, uint64_t spawn_id)
{
	struct protocol_message message = { .type = PROTOCOL_ACK, .spawn_id = spawn_id };

	return tell(self, link, &message);
}

int link_note(struct airs_actor *self, airs_pid link, const char *unit,
		enum link_note_part part, struct link_note_bytes bytes)
{
	struct link_note *note;

	if (!is_unit_name(unit) || bytes.size > LINK_NOTE_PART_MAX)
		return -EINVAL;
	note = calloc(1, sizeof(*note) + bytes.size);
	if (!note)
		return -ENOMEM;
	note->part = (uint32_t)part;
	note->size = (uint32_t)bytes.size;
	memcpy(note->unit, unit, strlen(unit) + 1);
	if (bytes.size > 0)
		memcpy(note->data, bytes.data, bytes.size);
	return airs_send_moved(self, link, LINK_NOTE,
			(struct airs_payload){ note, sizeof(*note) + bytes.size, free });
}

int link_say(struct airs_actor *self, airs_pid link, enum protocol_type type,
		const char *text, int status)
{
	struct protocol_message message = {
		.type = type, .text = text, .status = status
	};

	if (type != PROTOCOL_UP && type != PROTOCOL_STATUS && type != PROTOCOL_DOWN &&
			type != PROTOCOL_PONG)
		return -EINVAL;
	return tell(self, link, &message);
}
