/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * An actor that is attached to a unit detaches when it has seen the end of its processes.
 * One that was killed does not: its supervisor's observer then says that it has ended
 * (link_abandon), and who attaches next finds that it is not alive. No monitor is needed,
 * which would cost each unit more than all else that the link knows of it.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "airssys/message.h"
#include "base/cleanup.h"
#include "service/link-impl.h"

/* The payload as the name of a unit, or NULL. */
static const char *get_name(const struct airs_message *m)
{
	const char *name = m->data;

	if (m->size == 0 || m->size > LINK_UNIT_SIZE || name[m->size - 1] != '\0')
		return NULL;
	return name;
}

void link_pass_notify_fd(struct airs_actor *self, struct link *l, struct link_unit *u)
{
	int fd = link_unit_notify_fd(u);

	if (fd < 0 || u->attached == AIRS_PID_NONE)
		return;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		link_set_broken(l, "out of descriptors");
	else
		link_pass_fd(self, l, u->attached, LINK_NOTIFY_FD, fd);
}

/* Kill what nobody looks after. */
static void drain(struct link *l, struct link_unit *u)
{
	struct protocol_message kill = {
		.type = PROTOCOL_SIGNAL,
		.unit = u->name,
		.whom = PROTOCOL_ALL,
		.signal = SIGKILL,
	};

	u->attached = AIRS_PID_NONE;
	if (u->draining || (!u->occupied && u->requests == 0))
		return;
	u->draining = true;
	if (link_transmit(l, (struct airs_from){ 0 }, &kill, u) < 0)
		link_set_broken(l, "out of memory");
}

static bool is_alive(struct airs_actor *self, airs_pid pid)
{
	return pid != AIRS_PID_NONE && airs_is_alive(airs_actor_system(self), pid);
}

bool link_has_owner(struct airs_actor *self, struct link *l, struct link_unit *u)
{
	if (u->attached != AIRS_PID_NONE && !is_alive(self, u->attached))
		drain(l, u);
	return u->attached != AIRS_PID_NONE;
}

static int attach(struct airs_actor *self, struct link *l, struct link_unit *u,
		struct airs_from from)
{
	auto_free struct link_attached *attached = NULL;
	size_t size;

	attached = link_unit_take_adopted(u, &size);
	if (!attached)
		return -ENOMEM;
	u->attached = from.pid;
	link_pass_notify_fd(self, l, u);
	return airs_reply(self, from, 0, attached, size);
}

static int wait_until_drained(struct link_unit *u, struct airs_from from)
{
	if (link_unit_make_room(u) < 0)
		return -ENOMEM;
	u->rest->waiter = from;
	return 0;
}

void link_on_attach(struct airs_actor *self, struct link *l, struct airs_message *m)
{
	struct airs_from from = airs_message_from(m);
	const char *name = get_name(m);
	struct link_unit *u = name ? link_unit_get(&l->units, name) : NULL;
	int r = name ? -ENOMEM : -EINVAL;

	if (u && link_has_owner(self, l, u))
		r = -EBUSY;
	else if (u && u->draining)
		r = wait_until_drained(u, from);
	else if (u)
		r = attach(self, l, u, from);
	if (r < 0)
		IGNORE_RESULT(airs_reply(self, from, r, NULL, 0));
}

void link_end_draining(struct airs_actor *self, struct link *l, struct link_unit *u)
{
	struct airs_from waiter = { 0 };
	int r;

	if (!u->draining)
		return;
	u->draining = false;
	if (u->rest) {
		waiter = u->rest->waiter;
		u->rest->waiter = (struct airs_from){ 0 };
	}
	if (waiter.ref == 0 || !is_alive(self, waiter.pid))
		return;
	r = attach(self, l, u, waiter);
	if (r < 0)
		IGNORE_RESULT(airs_reply(self, waiter, r, NULL, 0));
}

void link_on_detach(struct link *l, struct airs_message *m)
{
	const char *name = get_name(m);
	struct link_unit *u = name ? link_unit_find(&l->units, name) : NULL;

	if (!u || u->attached != m->from)
		return;
	u->attached = AIRS_PID_NONE;
	link_unit_release(&l->units, u);
}

void link_on_abandon(struct link *l, struct airs_message *m)
{
	const struct link_abandon *abandon = m->data;
	struct link_unit *u;

	if (m->size <= sizeof(*abandon) || ((const char *)m->data)[m->size - 1] != '\0')
		return;
	u = link_unit_find(&l->units, abandon->unit);
	if (!u || u->attached != abandon->actor)
		return;
	drain(l, u);
	link_unit_release(&l->units, u);
}

static void transmit_note(struct link *l, struct link_unit *u)
{
	struct link_note_bytes parts[LINK_NOTE_PART_COUNT];
	uint8_t buffer[PROTOCOL_NOTE_MAX];
	struct protocol_message message = {
		.type = PROTOCOL_NOTE, .unit = u->name, .data = buffer
	};

	for (size_t i = 0; i < LINK_NOTE_PART_COUNT; i++)
		parts[i] = link_unit_note(u, (enum link_note_part)i);
	message.size = link_note_join(parts, buffer);
	outbox_add(&l->out, &message);
}

void link_on_discard(struct link *l, struct airs_message *m)
{
	const char *name = get_name(m);
	struct link_unit *u = name ? link_unit_find(&l->units, name) : NULL;

	if (!u || u->attached != AIRS_PID_NONE)
		return;
	for (uint32_t i = 0; u->rest && i < u->rest->n_adopted; i++)
		if (u->rest->adopted[i].state != PROTOCOL_LIVES)
			link_acknowledge(l, u->rest->adopted[i].spawn_id);
	if (u->rest)
		u->rest->n_adopted = 0;
	if (link_unit_set_note(u, LINK_NOTE_SERVICE, NULL, 0) > 0)
		transmit_note(l, u);
	drain(l, u);
	link_unit_release(&l->units, u);
}

void link_on_note(struct link *l, struct airs_message *m)
{
	const struct link_note *note = m->data;
	struct link_unit *u;
	int r;

	if (m->size < sizeof(*note) || m->size != sizeof(*note) + note->size ||
			note->part >= LINK_NOTE_PART_COUNT)
		return;
	u = link_unit_get(&l->units, note->unit);
	if (!u)
		return;
	r = link_unit_set_note(
			u, (enum link_note_part)note->part, note->data, note->size);
	if (r > 0)
		transmit_note(l, u);
	link_unit_release(&l->units, u);
}
