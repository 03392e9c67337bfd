/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/draft.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "unit/code.h"
#include "unit/name.h"
#include "unit/pack.h"
#include "unit/parser.h"

/*
 * Files become drafts in two rounds: first every file that is a unit of its own, then the
 * instances of templates that children of the drafts so far ask for, until none asks any
 * more.
 */

struct builder {
	const struct unit_snapshot *snapshot;
	struct draft_maker maker;
	struct drafts *drafts;
	struct draft_group *groups;
	uint32_t n_groups;
	struct map by_file; /* file name of the unit → struct draft_group */
};

void drafts_fini(struct drafts *drafts)
{
	for (uint32_t i = 0; i < drafts->count; i++)
		draft_free(drafts->items[i]);
	free(drafts->items);
	map_fini(&drafts->by_name);
	*drafts = (struct drafts){ 0 };
}

static int add_draft(struct builder *b, struct draft **draft)
{
	struct drafts *drafts = b->drafts;
	struct draft *other = map_find(&drafts->by_name, (*draft)->name);
	struct draft **items;
	uint32_t capacity;

	if (drafts->count == drafts->capacity) {
		capacity = drafts->capacity ? drafts->capacity * 2 : 64;
		items = realloc(drafts->items, capacity * sizeof(struct draft *));
		if (!items)
			return -ENOMEM;
		drafts->items = items;
		drafts->capacity = capacity;
	}
	if (other) {
		draft_lose(other, b->maker.diag);
		draft_lose(*draft, b->maker.diag);
		diag_add(b->maker.diag, DIAG_ERROR, unit_code(CODE_TWO_UNITS),
				(struct diag_place){ (*draft)->path, 0 },
				"Rename one of the two files.",
				"%s describes a unit named %s, too.", other->path,
				(*draft)->name);
	} else if (map_put(&drafts->by_name, (*draft)->name, *draft) < 0) {
		return -ENOMEM;
	}
	drafts->items[drafts->count++] = TAKE_PTR(*draft);
	return 0;
}

/* Where the files of a group stand in the memory file. */
static struct unit_extent extent_of(const struct draft_group *g)
{
	const struct unit_file *last;

	if (!g || g->count == 0)
		return (struct unit_extent){ 0 };
	last = &g->files[g->count - 1];
	return (struct unit_extent){ g->files[0].extent.at,
		last->extent.at + last->extent.size - g->files[0].extent.at };
}

/* What its neighbours need to know of it; its settings are made again when they are
 * wanted. */
static void put_to_rest(struct draft *draft)
{
	struct unit *unit = TAKE_PTR(draft->unit);

	if (!unit)
		return;
	draft->is_made = true;
	draft->kind = unit->kind;
	draft->after = unit->after;
	draft->before = unit->before;
	unit->after = unit->before = (struct strv){ 0 };
	if (unit->kind == UNIT_SUPERVISOR) {
		draft->strategy = unit->supervising.strategy;
		draft->order = unit->supervising.order;
	} else if (unit->kind == UNIT_SERVICE) {
		draft->stop_usec = unit->service.timeout_stop_usec;
	}
	unit_free(unit);
}

/* Make the draft of a unit from its own group and, for an instance, its template's. */
static int build(struct builder *b, const struct draft_files *what)
{
	auto_(draft) draft = NULL;
	int r = draft_make(&b->maker, what, &draft);

	if (r < 0)
		return r;
	draft->base = extent_of(what->base);
	draft->own = extent_of(what->own);
	put_to_rest(draft);
	return add_draft(b, &draft);
}

static int index_groups(struct builder *b)
{
	const struct unit_snapshot *snapshot = b->snapshot;
	struct draft_group *g = NULL;
	int r;

	b->groups = calloc(snapshot->count + 1, sizeof(*b->groups));
	if (!b->groups)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot->count; i++) {
		const struct unit_file *f = &snapshot->files[i];

		if (!g || strcmp(g->files[0].unit, f->unit) != 0) {
			g = &b->groups[b->n_groups++];
			r = map_put(&b->by_file, f->unit, g);
			if (r == -ENOMEM)
				return r;
		}
		draft_group_add(g, f);
	}
	return 0;
}

static int build_group(struct builder *b, const struct draft_group *g)
{
	struct draft_files what = { .own = g };
	const char *suffix = name_suffix(g->files[0].unit);
	auto_free char *name = NULL;

	if (!g->own || !suffix)
		return 0;
	if (g->second)
		diag_add(b->maker.diag, DIAG_ERROR, unit_code(CODE_TWO_UNITS),
				(struct diag_place){ g->second->path, 0 },
				"Rename one of the two files.",
				"%s describes the same unit.", g->own->path);
	name = strndup(g->own->unit, (size_t)(suffix - g->files[0].unit));
	if (!name)
		return -ENOMEM;
	if (name_is_template(name) || g->second)
		return 0;
	what.name = name;
	what.suffix = suffix;
	return build(b, &what);
}

/* Make the instance of a template that a supervisor names; 0 also when there is none. */
static int build_instance(struct builder *b, const char *name)
{
	static const char *const suffixes[] = { NAME_SUFFIX_ACTOR,
		NAME_SUFFIX_SUPERVISOR };
	int stem = (int)strcspn(name, "@");
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && r == 0; i++) {
		auto_free char *base = text_format("%.*s@%s", stem, name, suffixes[i]);
		auto_free char *own = text_format("%s%s", name, suffixes[i]);
		struct draft_files what = { .name = name, .suffix = suffixes[i] };

		if (!base || !own)
			return -ENOMEM;
		what.base = map_find(&b->by_file, base);
		what.own = map_find(&b->by_file, own);
		if (what.base && what.base->own && !what.base->second)
			r = build(b, &what);
	}
	return r;
}

static int build_instances(struct builder *b)
{
	int r;

	for (uint32_t i = 0; i < b->drafts->count; i++) {
		const struct strv *children = &b->drafts->items[i]->children;

		for (size_t k = 0; k < children->count; k++) {
			if (!strchr(children->items[k], '@') ||
					map_find(&b->drafts->by_name, children->items[k]))
				continue;
			if (b->drafts->count >= UNIT_FILES_MAX)
				return 0;
			r = build_instance(b, children->items[k]);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int build_all(struct builder *b)
{
	int r = index_groups(b);

	for (uint32_t i = 0; r == 0 && i < b->n_groups; i++)
		r = build_group(b, &b->groups[i]);
	return r < 0 ? r : build_instances(b);
}

int drafts_parse(const struct unit_snapshot *snapshot, const struct draft_maker *maker,
		struct drafts *drafts)
{
	struct builder b = { .snapshot = snapshot, .maker = *maker, .drafts = drafts };
	int r = build_all(&b);

	free(b.groups);
	map_fini(&b.by_file);
	return r;
}
