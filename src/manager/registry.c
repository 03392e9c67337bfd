/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/registry.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/cleanup.h"
#include "base/text.h"

/* An id is a slot below a serial number, so that one that was removed is not found. */
#define SLOT_BITS 24
#define SLOT_MASK ((UINT64_C(1) << SLOT_BITS) - 1)

const struct record_more *record_more(const struct record *record)
{
	static const struct record_more nothing;

	return record->more ? record->more : &nothing;
}

struct record_more *record_make_more(struct record *record)
{
	if (!record->more)
		record->more = calloc(1, sizeof(*record->more));
	return record->more;
}

const struct list *record_children(const struct record *record)
{
	static struct list none = { &none, &none };

	return record->group ? &record->group->children : &none;
}

void registry_init(struct registry *registry)
{
	*registry = (struct registry){ 0 };
	list_init(&registry->roots);
}

static void free_more(struct record_more *more)
{
	if (!more)
		return;
	for (uint32_t i = 0; i < more->n_ends; i++)
		free(more->ends[i].cause);
	free(more->ends);
	free(more->last);
	free(more->status_text);
	free(more->failed_step);
	unit_free(more->own);
	free(more);
}

void record_free(struct record *record)
{
	if (!record)
		return;
	free_more(record->more);
	if (record->group)
		unit_free(record->group->unit);
	free(record->group);
	unit_free(record->unit.kept);
	free(record->description);
	free(record);
}

DEFINE_AUTO(record, record_free);

void registry_fini(struct registry *registry)
{
	struct record *record, *tmp;

	list_foreach_safe(record, tmp, &registry->roots, link)
		registry_remove(registry, record);
	lookup_fini(&registry->by_name);
	map_fini(&registry->by_actor);
	free(registry->slots);
	registry->slots = NULL;
	unit_set_unref(registry->set);
	registry->set = NULL;
}

void registry_set_units(struct registry *registry, struct unit_set *set)
{
	unit_set_ref(set);
	unit_set_unref(registry->set);
	registry->set = set;
}

int registry_open(const struct registry *registry, const struct record *record,
		struct unit **ret_unit)
{
	const struct unit *own = record_more(record)->own;

	if (own)
		return unit_copy(own, ret_unit);
	return unit_set_open(registry->set,
			unit_set_find(registry->set, record->unit.name), ret_unit);
}

static uint64_t hash_name(const void *item)
{
	return lookup_hash_text(((const struct record *)item)->name);
}

static bool has_name(const void *item, const void *name)
{
	return strcmp(((const struct record *)item)->name, name) == 0;
}

struct record *registry_find(const struct registry *registry, const char *name)
{
	return lookup_find(&registry->by_name, lookup_hash_text(name), has_name, name);
}

struct record *registry_find_id(const struct registry *registry, uint64_t id)
{
	size_t slot = id & SLOT_MASK;
	struct record *record = slot < registry->n_slots ? registry->slots[slot] : NULL;

	return record && record->unit.id == id ? record : NULL;
}

struct record *registry_find_actor(const struct registry *registry, airs_pid actor)
{
	return actor == AIRS_PID_NONE ? NULL
				      : map_find_number(&registry->by_actor, actor);
}

/* A slot that is free. -ENOMEM. */
static int find_slot(struct registry *registry, size_t *ret_slot)
{
	size_t slot = 0, n;
	struct record **slots;

	if (registry->n_records == registry->n_slots) {
		n = registry->n_slots ? registry->n_slots + registry->n_slots / 2 : 4;
		slots = n > SLOT_MASK ? NULL
				      : reallocarray(registry->slots, n, sizeof(*slots));
		if (!slots)
			return -ENOMEM;
		memset(slots + registry->n_slots, 0,
				(n - registry->n_slots) * sizeof(*slots));
		registry->slots = slots;
		slot = registry->n_slots;
		registry->n_slots = n;
	} else if (!registry->slots[registry->n_records]) {
		slot = registry->n_records; /* none was removed: no need to look */
	}
	while (registry->slots[slot])
		slot++;
	*ret_slot = slot;
	return 0;
}

static struct list *siblings_of(struct registry *registry, struct record *supervisor)
{
	return supervisor ? &supervisor->group->children : &registry->roots;
}

static struct record_group *group_new(void)
{
	struct record_group *group = calloc(1, sizeof(*group));

	if (group)
		list_init(&group->children);
	return group;
}

static struct record *record_new(const char *name, enum unit_kind kind)
{
	size_t size = strlen(name) + 1, total = offsetof(struct record, name) + size;
	struct record *record = calloc(1, MAX_OF(total, sizeof(*record)));

	if (!record)
		return NULL;
	list_init(&record->link);
	memcpy(record->name, name, size);
	record->unit.name = record->name;
	record->kind = (uint8_t)kind;
	record->substate = "stopped";
	record->result = "success";
	if (kind != UNIT_SUPERVISOR)
		return record;
	record->group = group_new();
	if (record->group)
		return record;
	free(record);
	return NULL;
}

static int set_group(struct record *record, const struct unit *unit)
{
	struct record_group *group = record->group;
	struct unit *copy;
	int r;

	r = unit_copy(unit, &copy);
	if (r < 0)
		return r;
	unit_free(group->unit);
	group->unit = copy;
	return 0;
}

int record_set_unit(struct record *record, const struct unit *unit)
{
	char *description = NULL;

	if (unit->description && !(description = strdup(unit->description)))
		return -ENOMEM;
	free(record->description);
	record->description = description;
	record->restart = (uint8_t)unit->restart;
	if (record->more) {
		unit_free(record->more->own);
		record->more->own = NULL;
	}
	return unit->kind == UNIT_SUPERVISOR ? set_group(record, unit) : 0;
}

void record_keep_unit(struct record *record, struct unit **unit)
{
	struct service_unit *shared = &record->unit;

	service_unit_drop_spare(shared);
	if (shared->is_outdated || (shared->references == 0 && !record_is_up(record)))
		return;
	shared->is_outdated = true;
	/* A native actor has its own. */
	if (record->kind != UNIT_NATIVE)
		shared->kept = TAKE_PTR(*unit);
}

int record_own_unit(struct record *record, struct unit **unit)
{
	struct record_more *more = record_make_more(record);

	if (!more)
		return -ENOMEM;
	unit_free(more->own);
	more->own = TAKE_PTR(*unit);
	return 0;
}

int registry_add(struct registry *registry, const char *name, enum unit_kind kind,
		struct record *supervisor, struct record **ret_record)
{
	auto_(record) record = record_new(name, kind);
	size_t slot;
	int r;

	if (!record)
		return -ENOMEM;
	if (registry_find(registry, name))
		return -EEXIST;
	r = find_slot(registry, &slot);
	if (r >= 0)
		r = lookup_put(&registry->by_name, hash_name, record);
	if (r < 0)
		return r;
	record->supervisor = supervisor;
	record->unit.id = ++registry->last_serial << SLOT_BITS | slot;
	registry->slots[slot] = record;
	registry->n_records++;
	list_append(siblings_of(registry, supervisor), &record->link);
	*ret_record = TAKE_PTR(record);
	return 0;
}

void registry_set_actor(struct registry *registry, struct record *record, airs_pid actor)
{
	struct record_more *more;

	if (record->kind != UNIT_NATIVE || record_more(record)->actor == actor)
		return;
	more = record_make_more(record);
	if (!more)
		return;
	if (more->actor != AIRS_PID_NONE)
		map_remove_number(&registry->by_actor, more->actor);
	more->actor = AIRS_PID_NONE;
	/* Without memory for the entry the actor's requests are refused as a stranger's.
	 */
	if (actor != AIRS_PID_NONE &&
			map_put_number(&registry->by_actor, actor, record) >= 0)
		more->actor = actor;
}

void registry_remove(struct registry *registry, struct record *record)
{
	struct record *child, *tmp;

	if (record->group)
		list_foreach_safe(child, tmp, &record->group->children, link)
			registry_remove(registry, child);
	registry_set_actor(registry, record, AIRS_PID_NONE);
	if (!record->retired)
		(void)lookup_remove(&registry->by_name, hash_name, record);
	registry->slots[record->unit.id & SLOT_MASK] = NULL;
	registry->n_records--;
	list_remove(&record->link);
	record->supervisor = NULL;
	record->is_gone = true;
	/* The last of its actors frees it. */
	if (record->unit.references == 0)
		record_free(record);
}

void registry_move_last(struct registry *registry, struct record *record)
{
	list_remove(&record->link);
	list_append(siblings_of(registry, record->supervisor), &record->link);
}

void registry_retire(struct registry *registry, struct record *record)
{
	struct record *child;

	if (record->group)
		list_foreach(child, &record->group->children, link)
			registry_retire(registry, child);
	if (!record->retired)
		(void)lookup_remove(&registry->by_name, hash_name, record);
	record->retired = true;
}

struct record *registry_next_beside(
		const struct registry *registry, const struct record *record)
{
	while (record) {
		const struct list *head = record->supervisor
				? &record->supervisor->group->children
				: &registry->roots;

		if (record->link.next != head)
			return list_entry(record->link.next, struct record, link);
		record = record->supervisor;
	}
	return NULL;
}

struct record *registry_next(const struct registry *registry, const struct record *record)
{
	if (!record)
		return list_first(&registry->roots, struct record, link);
	if (!list_is_empty(record_children(record)))
		return list_first(record_children(record), struct record, link);
	return registry_next_beside(registry, record);
}

struct record *registry_find_retired(const struct registry *registry, const char *name)
{
	struct record *record = NULL;

	while ((record = registry_next(registry, record)))
		if (record->retired && strcmp(record->name, name) == 0)
			return record;
	return NULL;
}
