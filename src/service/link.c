/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Two look-ups carry everything, neither of which grows with the number of units: an
 * answer finds its requester by serial, an event its actor by the unit's name.
 *
 * A datagram that the keeper would not send (malformed, of a core's type) ends the link:
 * the keeper is the part that is right, so something is deeply wrong, and a new core gets
 * a consistent account.
 */

#include "service/link.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "airssys/message.h"
#include "service/link-impl.h"

/* Datagrams that are read before others get their turn. */
#define READ_BATCH 16

/* A request that the keeper has not answered. */
struct pending {
	struct airs_from from; /* ref 0: the link's own */
	enum protocol_type type;
	struct link_unit *unit; /* of SPAWN, SET_MAIN and the link's own SIGNAL */
};

void link_set_broken(struct link *l, const char *why)
{
	if (!l->out.broken)
		l->out.broken = why;
}

int link_transmit(struct link *l, struct airs_from from, struct protocol_message *message,
		struct link_unit *u)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->from = from;
	p->type = message->type;
	p->unit = u;
	message->serial = ++l->serial;
	if (map_put_number(&l->pending, message->serial, p) < 0) {
		free(p);
		return -ENOMEM;
	}
	if (u)
		u->requests++;
	outbox_add(&l->out, message);
	return 0;
}

void link_acknowledge(struct link *l, uint64_t spawn_id)
{
	struct protocol_message ack = { .type = PROTOCOL_ACK, .spawn_id = spawn_id };

	outbox_add(&l->out, &ack);
}

static bool wants_answer(enum protocol_type type)
{
	return type == PROTOCOL_SPAWN || type == PROTOCOL_SIGNAL ||
			type == PROTOCOL_SET_MAIN || type == PROTOCOL_OWNS ||
			type == PROTOCOL_RELOAD || type == PROTOCOL_MODULE;
}

static void on_request(struct airs_actor *self, struct link *l, struct airs_message *m)
{
	struct protocol_message message;
	struct link_unit *u = NULL;
	int r;

	r = protocol_decode(m->data, m->size, &message);
	if (r == 0 &&
			(message.type == PROTOCOL_SPAWN ||
					message.type == PROTOCOL_SET_MAIN)) {
		u = link_unit_get(&l->units, message.unit);
		r = u ? 0 : -ENOMEM;
	}
	if (r == 0 && wants_answer(message.type))
		r = link_transmit(l, airs_message_from(m), &message, u);
	else if (r == 0)
		outbox_add(&l->out, &message);
	if (r < 0)
		IGNORE_RESULT(airs_reply(self, airs_message_from(m), r, NULL, 0));
}

static void free_fd(void *data)
{
	struct link_fd *passed = data;

	(void)close_fd(passed->fd);
	free(passed);
}

void link_pass_fd(struct airs_actor *self, struct link *l, airs_pid to, uint32_t type,
		int fd)
{
	struct link_fd *passed = calloc(1, sizeof(*passed));

	if (!passed) {
		(void)close_fd(fd);
		link_set_broken(l, "out of memory");
		return;
	}
	passed->fd = fd;
	if (airs_send_moved(self, to, type,
			    (struct airs_payload){ passed, sizeof(*passed), free_fd }) <
			0)
		link_set_broken(l, "out of memory");
}

static void free_event(void *data)
{
	struct link_event *event = data;

	for (size_t i = 0; i < FD_PASS_MAX; i++)
		(void)close_fd(event->fds[i]);
	free(event);
}

/* A received datagram and its descriptors, which are taken from where they are used. */
struct received {
	const void *data;
	size_t size;
	int fds[FD_PASS_MAX];
	struct protocol_message message;
};

/* Hand the message, as it came, to the manager. */
static void forward(struct airs_actor *self, struct link *l, struct received *in)
{
	struct link_event *event = malloc(sizeof(*event) + in->size);

	if (!event) {
		link_set_broken(l, "out of memory");
		return;
	}
	memcpy(event->datagram, in->data, in->size);
	for (size_t i = 0; i < FD_PASS_MAX; i++)
		event->fds[i] = take_fd(&in->fds[i]);
	if (protocol_decode(event->datagram, in->size, &event->message) < 0 ||
			airs_send_moved(self, l->args.manager, LINK_EVENT,
					(struct airs_payload){ TAKE_PTR(event),
							sizeof(*event) + in->size,
							free_event }) < 0)
		link_set_broken(l, "out of memory");
}

static struct link_process make_process(const struct protocol_message *m)
{
	return (struct link_process){
		.spawn_id = m->spawn_id,
		.kind = m->kind,
		.index = m->index,
		.pid = m->pid,
		.state = m->state,
		.since_realtime_usec = m->since_realtime_usec,
		.code = m->code,
		.status = m->status,
		.ended_realtime_usec = m->ended_realtime_usec,
		.cpu_usec = m->cpu_usec,
		.memory_peak_bytes = m->memory_peak_bytes,
		.is_last = m->is_last,
	};
}

static void take_notify_fd(struct link *l, struct link_unit *u, struct received *in)
{
	if (in->fds[0] >= 0 && link_unit_set_notify_fd(u, take_fd(&in->fds[0])) < 0)
		link_set_broken(l, "out of memory");
}

static void on_process(struct airs_actor *self, struct link *l, struct received *in)
{
	struct link_process process = make_process(&in->message);
	struct link_unit *u = link_unit_get(&l->units, in->message.unit);

	if (!u || link_unit_adopt(u, &process) < 0) {
		link_set_broken(l, "out of memory");
		return;
	}
	take_notify_fd(l, u, in);
	forward(self, l, in);
}

static void on_keeper_note(struct airs_actor *self, struct link *l, struct received *in)
{
	struct link_note_bytes parts[LINK_NOTE_PART_COUNT];
	struct received part = *in;
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	struct link_unit *u;
	ssize_t n;

	/* A note that is not ours to read is one of another version: as none. */
	if (link_note_split(in->message.data, in->message.size, parts) < 0)
		return;
	u = link_unit_get(&l->units, in->message.unit);
	if (!u) {
		link_set_broken(l, "out of memory");
		return;
	}
	for (size_t i = 0; i < LINK_NOTE_PART_COUNT; i++)
		if (link_unit_set_note(u, (enum link_note_part)i, parts[i].data,
				    parts[i].size) < 0)
			link_set_broken(l, "out of memory");
	if (parts[LINK_NOTE_MANAGER].size == 0)
		return;
	part.message.data = parts[LINK_NOTE_MANAGER].data;
	part.message.size = parts[LINK_NOTE_MANAGER].size;
	n = protocol_encode(&part.message, buffer, sizeof(buffer));
	if (n < 0)
		return;
	part.data = buffer;
	part.size = (size_t)n;
	forward(self, l, &part);
}

/* Nothing of it is left. */
static void set_empty(struct airs_actor *self, struct link *l, struct link_unit *u)
{
	u->occupied = false;
	link_end_draining(self, l, u);
}

static void on_exited(
		struct airs_actor *self, struct link *l, const struct protocol_message *m)
{
	struct link_unit *u = link_unit_find(&l->units, m->unit);
	struct link_process process = make_process(m);

	if (!u) {
		link_acknowledge(l, m->spawn_id);
		return;
	}
	if (link_has_owner(self, l, u)) {
		if (airs_send(self, u->attached, LINK_EXITED, &process, sizeof(process)) <
				0)
			link_set_broken(l, "out of memory");
	} else if (!link_unit_adopted_ended(u, &process)) {
		link_acknowledge(l, m->spawn_id);
	}
	if (m->is_last)
		set_empty(self, l, u);
	link_unit_release(&l->units, u);
}

static void on_empty(
		struct airs_actor *self, struct link *l, const struct protocol_message *m)
{
	struct link_unit *u = link_unit_find(&l->units, m->unit);

	if (!u)
		return;
	if (link_has_owner(self, l, u) &&
			airs_send(self, u->attached, LINK_EMPTY, NULL, 0) < 0)
		link_set_broken(l, "out of memory");
	set_empty(self, l, u);
	link_unit_release(&l->units, u);
}

static void on_spawned(struct airs_actor *self, struct link *l, struct link_unit *u,
		struct received *in)
{
	u->occupied = true;
	if (in->fds[0] < 0)
		return;
	take_notify_fd(l, u, in);
	link_pass_notify_fd(self, l, u);
}

static void answer(struct airs_actor *self, struct airs_from to,
		const struct protocol_message *m)
{
	struct link_answer a = {
		.spawn_id = m->spawn_id,
		.pid = m->pid,
		.since_realtime_usec = m->since_realtime_usec,
	};

	(void)snprintf(a.step, sizeof(a.step), "%s", m->step ? m->step : "");
	(void)snprintf(a.detail, sizeof(a.detail), "%s", m->text ? m->text : "");
	IGNORE_RESULT(airs_reply(self, to, -m->error, &a,
			m->error ? sizeof(a) : offsetof(struct link_answer, step)));
}

/* What an answer changes in the link itself, before its requester hears of it. */
static void note_answer(struct airs_actor *self, struct link *l, const struct pending *p,
		struct received *in)
{
	struct link_unit *u = p->unit;

	if (p->type == PROTOCOL_MODULE && in->fds[0] >= 0)
		link_pass_fd(self, l, p->from.pid, LINK_MODULE_FD, take_fd(&in->fds[0]));
	if (!u)
		return;
	u->requests--;
	if (in->message.type == PROTOCOL_SPAWNED)
		on_spawned(self, l, u, in);
	if (p->type == PROTOCOL_SIGNAL && in->message.error == ESRCH) {
		u->occupied = false;
		link_end_draining(self, l, u);
	}
}

static void on_answer(struct airs_actor *self, struct link *l, struct received *in)
{
	auto_free struct pending *p = map_remove_number(&l->pending, in->message.serial);

	if (!p) {
		/* Serial 0: it did not understand what wanted no answer. */
		if (in->message.serial != 0)
			link_set_broken(l, "the keeper answered what nobody asked");
		return;
	}
	note_answer(self, l, p, in);
	if (p->from.ref != 0)
		answer(self, p->from, &in->message);
	if (p->unit)
		link_unit_release(&l->units, p->unit);
}

static void dispatch(struct airs_actor *self, struct link *l, struct received *in)
{
	switch (in->message.type) {
	case PROTOCOL_SPAWNED:
	case PROTOCOL_FAILED:
	case PROTOCOL_DONE:
		on_answer(self, l, in);
		break;
	case PROTOCOL_PROCESS:
		on_process(self, l, in);
		break;
	case PROTOCOL_NOTE:
		on_keeper_note(self, l, in);
		break;
	case PROTOCOL_EXITED:
		on_exited(self, l, &in->message);
		break;
	case PROTOCOL_EMPTY:
		on_empty(self, l, &in->message);
		break;
	case PROTOCOL_CONFIG: /* a DONE follows if somebody asked for it */
	case PROTOCOL_ADOPTED:
	case PROTOCOL_STOP:
	case PROTOCOL_PING:
		forward(self, l, in);
		break;
	case PROTOCOL_SPAWN:
	case PROTOCOL_SIGNAL:
	case PROTOCOL_SET_MAIN:
	case PROTOCOL_OWNS:
	case PROTOCOL_ACK:
	case PROTOCOL_RELOAD:
	case PROTOCOL_MODULE:
	case PROTOCOL_UP:
	case PROTOCOL_STATUS:
	case PROTOCOL_DOWN:
	case PROTOCOL_PONG:
		link_set_broken(l, "the keeper sent a message that only a core sends");
		break;
	}
}

static void read_parts(
		struct airs_actor *self, struct link *l, struct received *in, size_t size)
{
	struct protocol_part part;
	size_t cursor = 0;
	int r;

	while ((r = protocol_next(l->buffer, size, &cursor, &part)) > 0) {
		in->data = part.data;
		in->size = part.size;
		r = protocol_decode(part.data, part.size, &in->message);
		if (r < 0)
			break;
		dispatch(self, l, in);
	}
	if (r < 0)
		link_set_broken(l, "the keeper sent a malformed message");
}

/* Read one datagram. False when there is none now. */
static bool receive(struct airs_actor *self, struct link *l)
{
	struct received in = { .data = NULL };
	ssize_t n;

	for (size_t i = 0; i < FD_PASS_MAX; i++)
		in.fds[i] = -1;
	n = fd_receive(l->args.fd, l->buffer, sizeof(l->buffer), in.fds, FD_PASS_MAX,
			NULL);
	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		link_set_broken(l,
				n == 0 ? "the keeper has closed the link"
				       : "the link cannot be read");
		return false;
	}
	read_parts(self, l, &in, (size_t)n);
	for (size_t i = 0; i < FD_PASS_MAX; i++)
		(void)close_fd(in.fds[i]);
	return !l->out.broken;
}

static void on_ready(struct airs_actor *self, struct link *l)
{
	unsigned int n = 0;

	outbox_resume(&l->out);
	while (n++ < READ_BATCH && receive(self, l))
		;
}

static int link_init(struct airs_actor *self, void *state, const void *data, size_t size)
{
	const struct link_args *args = data;
	struct link *l = state;

	if (size != sizeof(*args) || args->size != sizeof(*args))
		return -EINVAL;
	l->args = *args;
	outbox_init(&l->out, args->fd);
	return airs_fd_watch(self, l->args.fd, EPOLLIN, &l->watch);
}

static void handle(struct airs_actor *self, struct link *l, struct airs_message *m)
{
	switch (m->type) {
	case AIRS_MSG_FD:
		on_ready(self, l);
		break;
	case LINK_REQUEST:
		on_request(self, l, m);
		break;
	case LINK_ATTACH:
		link_on_attach(self, l, m);
		break;
	case LINK_DETACH:
		link_on_detach(l, m);
		break;
	case LINK_DISCARD:
		link_on_discard(l, m);
		break;
	case LINK_NOTE:
		link_on_note(l, m);
		break;
	case LINK_FLUSH:
		l->flush_is_due = false;
		outbox_flush(&l->out);
		break;
	case LINK_ABANDON:
		link_on_abandon(l, m);
		break;
	default:
		break;
	}
}

/* Who else has something to say now does so before. */
static void flush_later(struct airs_actor *self, struct link *l)
{
	if (!outbox_is_due(&l->out) || l->flush_is_due)
		return;
	l->flush_is_due = airs_send(self, airs_self(self), LINK_FLUSH, NULL, 0) == 0;
	if (!l->flush_is_due)
		outbox_flush(&l->out);
}

static int link_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	struct link *l = state;
	bool had_queue = outbox_waits_for_room(&l->out);
	struct airs_reason reason;
	uint32_t events;

	handle(self, l, m);
	flush_later(self, l);
	if (l->out.broken) {
		l->args.on_closed(l->args.data, l->out.broken);
		reason = airs_reason_make(AIRS_REASON_NORMAL, 0, l->out.broken);
		return airs_exit(self, &reason);
	}
	/* The watch rests after it fired; else it is changed only when something begins
	 * to wait. */
	if (m->type != AIRS_MSG_FD && (had_queue || !outbox_waits_for_room(&l->out)))
		return 0;
	events = outbox_waits_for_room(&l->out) ? EPOLLIN | EPOLLOUT : EPOLLIN;
	return airs_fd_rearm(self, l->watch, events);
}

static void link_release(void *state)
{
	struct link *l = state;
	struct pending *p;
	size_t cursor;

	if (l->args.size == 0)
		return;
	outbox_fini(&l->out);
	map_foreach(&l->pending, cursor, p)
		free(p);
	map_fini(&l->pending);
	link_units_fini(&l->units);
	(void)close_fd(l->args.fd);
}

const struct airs_behaviour link_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "link",
	.state_size = sizeof(struct link),
	.init = link_init,
	.handle = link_handle,
	.release = link_release,
};
