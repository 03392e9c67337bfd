/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "service/link-unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static struct link_unit *free_unit(struct link_unit *u)
{
	if (!u)
		return NULL;
	for (size_t i = 0; i < LINK_NOTE_PART_COUNT; i++)
		free(u->note[i]);
	(void)close_fd(u->notify_fd);
	free(u->adopted);
	free(u->name);
	free(u);
	return NULL;
}

struct link_unit *link_unit_find(const struct map *units, const char *name)
{
	return map_find(units, name);
}

struct link_unit *link_unit_get(struct map *units, const char *name)
{
	struct link_unit *u = map_find(units, name);

	if (u)
		return u;
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->notify_fd = -1;
	u->name = strdup(name);
	if (!u->name || map_put(units, u->name, u) < 0)
		return free_unit(u);
	return u;
}

static bool is_needed(const struct link_unit *u)
{
	if (u->attached != AIRS_PID_NONE || u->waiter.ref != 0 || u->notify_fd >= 0)
		return true;
	if (u->occupied || u->requests > 0 || u->n_adopted > 0 || u->draining)
		return true;
	for (size_t i = 0; i < LINK_NOTE_PART_COUNT; i++)
		if (u->note_size[i] > 0)
			return true;
	return false;
}

void link_unit_release(struct map *units, struct link_unit *u)
{
	if (is_needed(u))
		return;
	(void)map_remove(units, u->name);
	(void)free_unit(u);
}

void link_units_fini(struct map *units)
{
	struct link_unit *u;
	size_t cursor;

	map_foreach(units, cursor, u)
		(void)free_unit(u);
	map_fini(units);
}

int link_unit_adopt(struct link_unit *u, const struct link_process *process)
{
	struct link_process *grown;

	grown = reallocarray(u->adopted, u->n_adopted + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	u->adopted = grown;
	grown[u->n_adopted++] = *process;
	u->occupied = true;
	return 0;
}

bool link_unit_adopted_ended(struct link_unit *u, const struct link_process *ended)
{
	for (uint32_t i = 0; i < u->n_adopted; i++) {
		struct link_process *p = &u->adopted[i];

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

int link_unit_set_note(struct link_unit *u, enum link_note_part part, const void *data,
		size_t size)
{
	uint8_t *copy = NULL;

	if (u->note_size[part] == size &&
			(size == 0 || memcmp(u->note[part], data, size) == 0))
		return 0;
	if (size > 0) {
		copy = malloc(size);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, data, size);
	}
	free(u->note[part]);
	u->note[part] = copy;
	u->note_size[part] = size;
	return 1;
}

struct link_attached *link_unit_take_adopted(struct link_unit *u, size_t *ret_size)
{
	size_t note_size = u->claimed ? 0 : u->note_size[LINK_NOTE_SERVICE];
	size_t processes = u->n_adopted * sizeof(u->adopted[0]);
	struct link_attached *attached;

	attached = calloc(1, sizeof(*attached) + processes + note_size);
	if (!attached)
		return NULL;
	attached->n_processes = u->n_adopted;
	attached->empty = !u->occupied;
	attached->note_size = (uint32_t)note_size;
	if (processes > 0)
		memcpy(attached->processes, u->adopted, processes);
	if (note_size > 0)
		memcpy((uint8_t *)attached + sizeof(*attached) + processes,
				u->note[LINK_NOTE_SERVICE], note_size);
	*ret_size = sizeof(*attached) + processes + note_size;
	free(u->adopted);
	u->adopted = NULL;
	u->n_adopted = 0;
	u->claimed = true;
	return attached;
}
