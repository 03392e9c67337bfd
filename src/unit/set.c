/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/lookup.h"
#include "unit/name.h"
#include "unit/programs.h"

_Static_assert(UNIT_KIND_COUNT <= 4 && UNIT_PARALLEL < 4, "an entry's bits are too few");

/* A third of the slots is free. */
static uint32_t slots_for(uint32_t count)
{
	return count + count / 2 + 1;
}

static uint32_t slot_of(const struct unit_set *set, const char *name)
{
	return (uint32_t)((lookup_hash_text(name) >> 32) * slots_for(set->count) >> 32);
}

static uint32_t next_slot(const struct unit_set *set, uint32_t slot)
{
	return slot + 1 == slots_for(set->count) ? 0 : slot + 1;
}

static int copy_programs(struct unit_programs *to, const struct unit_programs *from)
{
	const struct unit_program *program;
	size_t cursor;
	int r = 0;

	map_foreach(&from->policies, cursor, program) {
		if (r == 0 && unit_program_is_odd(program))
			r = unit_programs_add_policy(to, program);
	}
	map_foreach(&from->by_name, cursor, program) {
		if (r == 0 && unit_program_is_odd(program))
			r = unit_programs_add(to, program);
	}
	return r;
}

/* The answers of the first parsing: nothing is looked for again. */
static int keep_programs(struct unit_set *set)
{
	const struct unit_programs *from = set->context.programs;
	struct unit_programs *programs;

	if (!from)
		return 0;
	programs = calloc(1, sizeof(*programs));
	set->context.programs = set->programs = programs;
	if (!programs)
		return -ENOMEM;
	programs->is_closed = true;
	set->context.find_policy = NULL;
	set->context.policy_data = NULL;
	return copy_programs(programs, from);
}

static uint64_t add_text(uint64_t hash, const char *s)
{
	return lookup_hash_number(hash + (s ? lookup_hash_text(s) : 1));
}

/* Programs are in no order. */
static void note_ground(struct unit_set *set)
{
	const struct unit_program *program;
	uint64_t hash = set->programs != NULL;
	const char **text;
	size_t cursor;

	for (size_t i = 0; (text = unit_context_text(&set->context, i)); i++)
		hash = add_text(hash, *text);
	hash = lookup_hash_number(hash + set->context.uid);
	hash = lookup_hash_number(hash + set->context.gid);
	if (!set->programs) {
		set->ground = hash;
		return;
	}
	map_foreach(&set->programs->by_name, cursor, program)
		hash += add_text(lookup_hash_text(program->name) +
						(uint64_t)program->error,
				program->path);
	map_foreach(&set->programs->policies, cursor, program)
		hash += add_text(lookup_hash_text(program->name), "policy");
	set->ground = hash;
}

int unit_set_new(const struct unit_context *context, struct unit_set **ret_set)
{
	auto_(unit_set) set = calloc(1, sizeof(*set));
	int r;

	if (!set)
		return -ENOMEM;
	set->references = 1;
	r = unit_context_copy(context, &set->context, &set->context_texts);
	if (r == 0)
		r = draft_prototypes_make(set->prototypes);
	if (r < 0)
		return r;
	*ret_set = TAKE_PTR(set);
	return 0;
}

static void set_free(struct unit_set *set)
{
	draft_prototypes_free(set->prototypes);
	if (set->programs)
		unit_programs_fini(set->programs);
	free(set->programs);
	unit_refusals_fini(&set->refusals);
	unit_store_unref(set->store);
	free(set->context_texts);
	free(set->entries);
	free(set->slots);
	free(set->names);
	free(set);
}

struct unit_set *unit_set_ref(struct unit_set *set)
{
	set->references++;
	return set;
}

void unit_set_unref(struct unit_set *set)
{
	if (set && --set->references == 0)
		set_free(set);
}

void unit_set_free(struct unit_set *set)
{
	unit_set_unref(set);
}

static int allocate(struct unit_set *set, const struct draft_order *order)
{
	size_t size = 1;

	for (uint32_t i = 0; i < order->count; i++)
		size += strlen(order->items[i]->name) + 1;
	set->count = order->count;
	set->names = malloc(size);
	set->entries = calloc((size_t)set->count + 1, sizeof(*set->entries));
	set->slots = calloc(slots_for(set->count), sizeof(*set->slots));
	if (set->names && set->entries && set->slots)
		return 0;
	set->count = 0;
	return -ENOMEM;
}

static void enter_name(
		struct unit_set *set, uint32_t index, uint32_t at, const char *name)
{
	uint32_t slot = slot_of(set, name);

	memcpy(set->names + at, name, strlen(name) + 1);
	set->entries[index].name = at;
	while (set->slots[slot])
		slot = next_slot(set, slot);
	set->slots[slot] = index + 1;
}

static void enter(struct unit_set *set, uint32_t index, const struct draft *d)
{
	struct unit_entry *e = &set->entries[index];

	e->supervisor = d->parent ? d->parent->cursor : UNIT_NONE;
	e->kind = d->kind;
	e->order = d->order;
	e->base = d->base;
	e->own = d->own;
	if (d->kind == UNIT_SERVICE)
		set->stop_usec = usec_add(set->stop_usec, d->stop_usec);
}

static void count_child(struct unit_set *set, uint32_t index)
{
	uint32_t supervisor = set->entries[index].supervisor;
	struct unit_entry *e;

	if (supervisor == UNIT_NONE) {
		set->n_root_children++;
		return;
	}
	e = &set->entries[supervisor];
	if (e->n_children++ == 0)
		e->first_child = index;
}

int unit_set_fill(struct unit_set *set, const struct draft_order *order,
		struct unit_store *store)
{
	int r = allocate(set, order);
	uint32_t at = 0;

	if (r == 0)
		r = keep_programs(set);
	if (r < 0)
		return r;
	note_ground(set);
	set->store = unit_store_ref(store);
	set->root_order = order->root_order;
	/* A supervisor may stand behind its children: their numbers first. */
	for (uint32_t i = 0; i < set->count; i++)
		order->items[i]->cursor = i;
	for (uint32_t i = 0; i < set->count; i++) {
		enter_name(set, i, at, order->items[i]->name);
		at += (uint32_t)strlen(order->items[i]->name) + 1;
		enter(set, i, order->items[i]);
	}
	for (uint32_t i = 0; i < set->count; i++)
		count_child(set, i);
	return 0;
}

uint32_t unit_set_find(const struct unit_set *set, const char *name)
{
	uint32_t index;

	if (set->count == 0)
		return UNIT_NONE;
	for (uint32_t slot = slot_of(set, name);; slot = next_slot(set, slot)) {
		if (set->slots[slot] == 0)
			return UNIT_NONE;
		index = set->slots[slot] - 1;
		if (strcmp(unit_set_name(set, index), name) == 0)
			return index;
	}
}

const char *unit_set_name(const struct unit_set *set, uint32_t index)
{
	return set->names + set->entries[index].name;
}

enum unit_kind unit_set_kind(const struct unit_set *set, uint32_t index)
{
	return (enum unit_kind)set->entries[index].kind;
}

uint32_t unit_set_supervisor(const struct unit_set *set, uint32_t index)
{
	return set->entries[index].supervisor;
}

struct unit_range unit_set_children(const struct unit_set *set, uint32_t index)
{
	if (index == UNIT_NONE)
		return (struct unit_range){ 0, set->n_root_children };
	return (struct unit_range){ set->entries[index].first_child,
		set->entries[index].n_children };
}

/* What the set knows and the files of the unit do not. */
static int complete(const struct unit_set *set, uint32_t index, struct unit *unit)
{
	const struct unit_entry *e = &set->entries[index];
	struct unit_range children = unit_set_children(set, index);
	int r = 0;

	unit->index = index;
	if (e->supervisor != UNIT_NONE)
		unit->supervisor = unit_set_name(set, e->supervisor);
	if (unit->kind == UNIT_SUPERVISOR)
		unit->supervising.order = (enum unit_order)e->order;
	for (uint32_t i = 0; i < children.count && r == 0; i++)
		r = strv_append(&unit->children, unit_set_name(set, children.first + i));
	return r;
}

static int make(const struct unit_set *set, uint32_t index,
		const struct unit_reading *reading, struct unit **ret_unit)
{
	const struct unit_entry *e = &set->entries[index];
	const struct draft_maker maker = { &set->context, set->prototypes, NULL };
	bool is_instance = e->base.size > 0;
	struct draft_files what = {
		.name = unit_set_name(set, index),
		.base = is_instance ? &reading->base : NULL,
		.own = e->own.size > 0 ? &reading->own : NULL,
	};
	auto_(draft) draft = NULL;
	int r;

	what.suffix = name_suffix(
			is_instance ? reading->base.own->unit : reading->own.own->unit);
	r = draft_make(&maker, &what, &draft);
	if (r < 0)
		return r;
	if (!draft->unit || draft->unit->kind != unit_set_kind(set, index))
		return -EBADMSG;
	r = complete(set, index, draft->unit);
	return r < 0 ? r : unit_copy(draft->unit, ret_unit);
}

int unit_set_open(const struct unit_set *set, uint32_t index, struct unit **ret_unit)
{
	struct unit_reading reading;
	int r;

	if (index == UNIT_NONE)
		return -ENOENT;
	bug_unless(index < set->count);
	r = unit_store_read(set->store, set->entries[index].base, set->entries[index].own,
			&reading);
	if (r < 0)
		return r;
	r = make(set, index, &reading, ret_unit);
	unit_reading_fini(&reading);
	return r;
}

/* Whether two units come out of the same bytes under the same circumstances. */
static int is_same(const struct unit_set *a, uint32_t index_a, const struct unit_set *b,
		uint32_t index_b)
{
	const struct unit_entry *x = &a->entries[index_a], *y = &b->entries[index_b];
	bool under_root = x->supervisor == UNIT_NONE;
	int r;

	if (a->ground != b->ground || x->kind != y->kind || x->order != y->order ||
			under_root != (y->supervisor == UNIT_NONE) ||
			strcmp(unit_set_name(a, index_a), unit_set_name(b, index_b)) != 0)
		return 0;
	if (!under_root &&
			strcmp(unit_set_name(a, x->supervisor),
					unit_set_name(b, y->supervisor)) != 0)
		return 0;
	r = unit_store_equals(a->store, x->own, b->store, y->own);
	return r <= 0 ? r : unit_store_equals(a->store, x->base, b->store, y->base);
}

int unit_set_compare(const struct unit_set *a, uint32_t index_a, const struct unit_set *b,
		uint32_t index_b, enum unit_change *ret_change)
{
	auto_(unit) x = NULL;
	auto_(unit) y = NULL;
	int r;

	if (index_a == UNIT_NONE || index_b == UNIT_NONE)
		return -ENOENT;
	r = is_same(a, index_a, b, index_b);
	if (r > 0)
		*ret_change = UNIT_UNCHANGED;
	if (r != 0)
		return r < 0 ? r : 0;
	r = unit_set_open(a, index_a, &x);
	if (r == 0)
		r = unit_set_open(b, index_b, &y);
	if (r == 0)
		*ret_change = unit_compare(x, y);
	return r;
}
