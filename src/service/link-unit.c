/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "service/link-unit.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * Entries are made when many services start at once, and live long. On the heap they would
 * lie one by one between what the starts need for a moment, and keep its pages; so those
 * with names of a usual length stand together. A slab lives as long as the link.
 */

#define SLOT_SIZE  40
#define SLAB_SLOTS 100

union link_unit_slot {
	union link_unit_slot *next; /* while it is free */
	struct link_unit unit;
	char bytes[SLOT_SIZE];
};

struct link_unit_slab {
	struct link_unit_slab *next;
	union link_unit_slot slots[SLAB_SLOTS];
};

static int add_slab(struct link_units *units)
{
	struct link_unit_slab *slab = malloc(sizeof(*slab));

	if (!slab)
		return -ENOMEM;
	slab->next = units->slabs;
	units->slabs = slab;
	for (size_t i = SLAB_SLOTS; i > 0; i--) {
		slab->slots[i - 1].next = units->free;
		units->free = &slab->slots[i - 1];
	}
	return 0;
}

static struct link_unit *take_slot(struct link_units *units)
{
	union link_unit_slot *slot;

	if (!units->free && add_slab(units) < 0)
		return NULL;
	slot = units->free;
	units->free = slot->next;
	memset(slot, 0, sizeof(*slot));
	slot->unit.in_slab = true;
	return &slot->unit;
}

static struct link_unit *make_unit(struct link_units *units, const char *name)
{
	size_t size = strlen(name) + 1, total = offsetof(struct link_unit, name) + size;
	struct link_unit *u;

	u = total <= SLOT_SIZE ? take_slot(units) : calloc(1, total);
	if (u)
		memcpy((char *)u + offsetof(struct link_unit, name), name, size);
	return u;
}

static void free_rest(struct link_unit *u)
{
	struct link_unit_rest *rest = u->rest;

	if (!rest)
		return;
	for (size_t i = 0; i < LINK_NOTE_PART_COUNT; i++)
		free(rest->note[i]);
	(void)close_fd(rest->notify_fd);
	free(rest->adopted);
	free(rest);
	u->rest = NULL;
}

static void free_unit(struct link_units *units, struct link_unit *u)
{
	union link_unit_slot *slot;

	free_rest(u);
	if (!u->in_slab) {
		free(u);
		return;
	}
	slot = CONTAINER_OF(u, union link_unit_slot, unit);
	slot->next = units->free;
	units->free = slot;
}

static uint64_t hash_name(const void *item)
{
	return lookup_hash_text(((const struct link_unit *)item)->name);
}

static bool has_name(const void *item, const void *name)
{
	return strcmp(((const struct link_unit *)item)->name, name) == 0;
}

struct link_unit *link_unit_find(const struct link_units *units, const char *name)
{
	return lookup_find(&units->by_name, lookup_hash_text(name), has_name, name);
}

struct link_unit *link_unit_get(struct link_units *units, const char *name)
{
	struct link_unit *u = link_unit_find(units, name);

	if (u)
		return u;
	u = make_unit(units, name);
	if (!u)
		return NULL;
	if (lookup_put(&units->by_name, hash_name, u) == 0)
		return u;
	free_unit(units, u);
	return NULL;
}

int link_unit_make_room(struct link_unit *u)
{
	if (u->rest)
		return 0;
	u->rest = calloc(1, sizeof(*u->rest));
	if (!u->rest)
		return -ENOMEM;
	u->rest->notify_fd = -1;
	return 0;
}

static bool is_empty(const struct link_unit_rest *rest)
{
	if (!rest)
		return true;
	for (size_t i = 0; i < LINK_NOTE_PART_COUNT; i++)
		if (rest->note_size[i] > 0)
			return false;
	return rest->waiter.ref == 0 && rest->notify_fd < 0 && rest->n_adopted == 0;
}

void link_unit_release(struct link_units *units, struct link_unit *u)
{
	if (!is_empty(u->rest))
		return;
	free_rest(u);
	if (u->attached != AIRS_PID_NONE || u->occupied || u->requests > 0 || u->draining)
		return;
	(void)lookup_remove(&units->by_name, hash_name, u);
	free_unit(units, u);
}

void link_units_fini(struct link_units *units)
{
	struct link_unit_slab *slab;
	struct link_unit *u;
	size_t cursor = 0;

	while ((u = lookup_next(&units->by_name, &cursor)))
		free_unit(units, u);
	lookup_fini(&units->by_name);
	while ((slab = units->slabs)) {
		units->slabs = slab->next;
		free(slab);
	}
	units->free = NULL;
}

int link_unit_adopt(struct link_unit *u, const struct link_process *process)
{
	struct link_process *grown;

	if (link_unit_make_room(u) < 0)
		return -ENOMEM;
	grown = reallocarray(u->rest->adopted, u->rest->n_adopted + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	u->rest->adopted = grown;
	grown[u->rest->n_adopted++] = *process;
	u->occupied = true;
	return 0;
}

bool link_unit_adopted_ended(struct link_unit *u, const struct link_process *ended)
{
	for (uint32_t i = 0; u->rest && i < u->rest->n_adopted; i++) {
		struct link_process *p = &u->rest->adopted[i];

		if (p->spawn_id != ended->spawn_id)
			continue;
		p->state = ended->state;
		p->code = ended->code;
		p->status = ended->status;
		p->ended_realtime_usec = ended->ended_realtime_usec;
		p->cpu_usec = ended->cpu_usec;
		p->memory_peak_bytes = ended->memory_peak_bytes;
		return true;
	}
	return false;
}

int link_unit_notify_fd(const struct link_unit *u)
{
	return u->rest ? u->rest->notify_fd : -1;
}

int link_unit_set_notify_fd(struct link_unit *u, int fd)
{
	if (link_unit_make_room(u) < 0) {
		(void)close_fd(fd);
		return -ENOMEM;
	}
	(void)close_fd(u->rest->notify_fd);
	u->rest->notify_fd = fd;
	return 0;
}

struct link_note_bytes link_unit_note(const struct link_unit *u, enum link_note_part part)
{
	if (!u->rest)
		return (struct link_note_bytes){ NULL, 0 };
	return (struct link_note_bytes){ u->rest->note[part], u->rest->note_size[part] };
}

int link_unit_set_note(struct link_unit *u, enum link_note_part part, const void *data,
		size_t size)
{
	struct link_note_bytes before = link_unit_note(u, part);
	uint8_t *copy = NULL;

	if (before.size == size && (size == 0 || memcmp(before.data, data, size) == 0))
		return 0;
	if (link_unit_make_room(u) < 0)
		return -ENOMEM;
	if (size > 0) {
		copy = malloc(size);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, data, size);
	}
	free(u->rest->note[part]);
	u->rest->note[part] = copy;
	u->rest->note_size[part] = size;
	return 1;
}

struct link_attached *link_unit_take_adopted(struct link_unit *u, size_t *ret_size)
{
	struct link_note_bytes note = link_unit_note(u, LINK_NOTE_SERVICE);
	size_t note_size = u->claimed ? 0 : note.size;
	uint32_t n = u->rest ? u->rest->n_adopted : 0;
	size_t processes = n * sizeof(struct link_process);
	struct link_attached *attached;

	attached = calloc(1, sizeof(*attached) + processes + note_size);
	if (!attached)
		return NULL;
	attached->n_processes = n;
	attached->empty = !u->occupied;
	attached->note_size = (uint32_t)note_size;
	if (note_size > 0)
		memcpy((uint8_t *)attached->processes + processes, note.data, note_size);
	*ret_size = sizeof(*attached) + processes + note_size;
	u->claimed = true;
	if (n == 0)
		return attached;
	memcpy(attached->processes, u->rest->adopted, processes);
	free(u->rest->adopted);
	u->rest->adopted = NULL;
	u->rest->n_adopted = 0;
	return attached;
}
