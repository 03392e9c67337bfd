/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_LINK_UNIT_H
#define SERVICE_LINK_UNIT_H

/*
 * What the link knows of each unit, by name. An entry exists while there is something to
 * know: an attached actor, a process, a note or a descriptor.
 */

#include <stdbool.h>
#include <stdint.h>

#include "airssys/actor.h"
#include "base/lookup.h"
#include "service/link-note.h"

struct link_unit_slab;
union link_unit_slot;

/* The units that there is something to know of. All zero: none. */
struct link_units {
	struct lookup by_name; /* [struct link_unit] */
	struct link_unit_slab *slabs;
	union link_unit_slot *free;
};

/* What most units have nothing of. */
struct link_unit_rest {
	struct airs_from waiter; /* wants to attach when the processes are gone; ref 0:
				    none */
	struct link_process *adopted; /* heap: what the keeper told, not claimed yet */
	uint32_t n_adopted;
	int notify_fd; /* -1: none */
	uint8_t *note[LINK_NOTE_PART_COUNT]; /* NULL: empty */
	size_t note_size[LINK_NOTE_PART_COUNT];
};

struct link_unit {
	airs_pid attached; /* AIRS_PID_NONE: nobody */
	struct link_unit_rest *rest; /* NULL: nothing of it */
	uint32_t requests : 28; /* not answered, that point at this entry */
	uint32_t occupied : 1; /* something of it lives, as far as the keeper has said */
	/* an actor of this core has had the note that the keeper gave */
	uint32_t claimed : 1;
	uint32_t draining : 1; /* they are being killed for want of an owner */
	uint32_t in_slab : 1;
	char name[];
};

struct link_unit *link_unit_find(const struct link_units *units, const char *name);
/* Find or add. NULL when out of memory. */
struct link_unit *link_unit_get(struct link_units *units, const char *name);
/* Forget the entry, or what is empty of it, if there is nothing to know. */
void link_unit_release(struct link_units *units, struct link_unit *u);
void link_units_fini(struct link_units *units);

/* Make room for what most units have nothing of. -ENOMEM. */
MUST_CHECK int link_unit_make_room(struct link_unit *u);

/* Keep what the keeper says of a process. -ENOMEM. */
MUST_CHECK int link_unit_adopt(struct link_unit *u, const struct link_process *process);
/* An adopted process that nobody has claimed has ended. False when it is not among them.
 */
bool link_unit_adopted_ended(struct link_unit *u, const struct link_process *ended);
/* Its socket for notifications, borrowed; -1: none. */
int link_unit_notify_fd(const struct link_unit *u);
/* fd is consumed. -ENOMEM. */
MUST_CHECK int link_unit_set_notify_fd(struct link_unit *u, int fd);

/* Replace a part of the note. 1 when it differs from what it was, 0 when not, -ENOMEM. */
MUST_CHECK int link_unit_set_note(struct link_unit *u, enum link_note_part part,
		const void *data, size_t size);
struct link_note_bytes link_unit_note(
		const struct link_unit *u, enum link_note_part part);

/* The payload of the reply to an attach; what was adopted is forgotten. NULL: out of
 * memory. */
struct link_attached *link_unit_take_adopted(struct link_unit *u, size_t *ret_size);

#endif
