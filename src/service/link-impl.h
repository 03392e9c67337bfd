/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_LINK_IMPL_H
#define SERVICE_LINK_IMPL_H

/*
 * The state of the link actor, shared by the files that make it up:
 *
 *   link.c        the socket: requests, answers, events
 *   link-owner.c  who looks after a unit, and what is done with one that nobody does
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "service/link-unit.h"
#include "service/link.h"
#include "service/outbox.h"

struct link {
	struct link_args args;
	airs_ref watch;
	uint64_t serial;
	struct map pending; /* by serial: requests that the keeper has not answered */
	struct link_units units;
	struct outbox out;
	bool flush_is_due; /* a LINK_FLUSH is on its way */
	uint8_t buffer[PROTOCOL_MESSAGE_MAX]; /* what is being received */
};

/* link.c */
/* The link has to end; the first reason counts. */
void link_set_broken(struct link *l, const char *why);
/* Send a request and remember who wants its answer; from.ref 0: the link itself. u may be
 * NULL. -ENOMEM. */
MUST_CHECK int link_transmit(struct link *l, struct airs_from from,
		struct protocol_message *message, struct link_unit *u);
void link_acknowledge(struct link *l, uint64_t spawn_id);
/* Hand a descriptor over; fd is consumed. */
void link_pass_fd(struct airs_actor *self, struct link *l, airs_pid to, uint32_t type,
		int fd);

/* link-owner.c */
void link_on_attach(struct airs_actor *self, struct link *l, struct airs_message *m);
void link_on_detach(struct link *l, struct airs_message *m);
void link_on_discard(struct link *l, struct airs_message *m);
void link_on_abandon(struct link *l, struct airs_message *m);
void link_on_note(struct link *l, struct airs_message *m);
/* Whether somebody looks after the unit. What is left of one that nobody does any more is
 * killed. */
bool link_has_owner(struct airs_actor *self, struct link *l, struct link_unit *u);
/* To whom is attached, if there is something to hand over. */
void link_pass_notify_fd(struct airs_actor *self, struct link *l, struct link_unit *u);
/* Let whom waited for the end of an ownerless run have the unit. */
void link_end_draining(struct airs_actor *self, struct link *l, struct link_unit *u);

#endif
