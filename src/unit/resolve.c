/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/code.h"
#include "unit/draft.h"
#include "unit/name.h"

/*
 * Who supervises whom, and who starts before whom.
 *
 * Membership first: each draft gets one parent, circles are cut. Then order: what After=
 * and Before= say about two units is lifted to those of their ancestors that are
 * siblings; each group of siblings is sorted by a depth-first walk that takes them in the
 * order of Children=, then of their names, and puts what a unit waits for before it. All
 * walks keep their own stacks, since a chain may be as long as there are units, and look
 * at each unit and each name once: the work grows with the text of the files alone
 * (besides sorting).
 *
 * A unit that is lost takes its members with it. Losing units leaves an order right.
 */

struct edge {
	struct draft *later, *earlier; /* siblings */
};

struct resolver {
	struct drafts *drafts;
	struct diag *diag;
	struct draft **members; /* those that are not lost; siblings stand together */
	uint32_t n_members;
	struct edge *edges; /* sorted by later */
	uint32_t n_edges, edges_capacity;
	struct draft **stack; /* room for all drafts */
	struct draft **sorted;
	bool root_has_order;
};

static struct diag_place place_of(const struct draft *d, struct diag_place wanted)
{
	return wanted.file ? wanted : (struct diag_place){ d->path, 0 };
}

#define LOSE(v, d, code, place, remedy, ...)                                             \
	do {                                                                             \
		draft_lose(d, (v)->diag);                                                \
		diag_add((v)->diag, DIAG_ERROR, unit_code(code), place_of(d, place),     \
				remedy, __VA_ARGS__);                                    \
	} while (0)

static bool is_live(const struct draft *d)
{
	return !d->is_lost && d->is_made;
}

static bool is_supervisor(const struct draft *d)
{
	return d->is_made ? d->kind == UNIT_SUPERVISOR
			  : has_suffix(d->path, NAME_SUFFIX_SUPERVISOR);
}

/* One name of a Children= line. */
static void adopt(struct resolver *v, struct draft *supervisor, uint32_t position)
{
	const char *name = supervisor->children.items[position - 1];
	struct draft *child = map_find(&v->drafts->by_name, name);
	struct diag_place place = supervisor->at_children;

	if (!child) {
		diag_add(v->diag, DIAG_ERROR, unit_code(CODE_NO_CHILD), place,
				"Correct the name, or add a file of that name.",
				"There is no unit %s; %s goes on without it.", name,
				supervisor->name);
	} else if (child->is_masked) {
		diag_add(v->diag, DIAG_WARNING, unit_code(CODE_CHILD_MASKED), place,
				"Take the name out, or unmask the unit.",
				"%s is masked; %s goes on without it.", name,
				supervisor->name);
	} else if (child->parent == supervisor) {
		diag_add(v->diag, DIAG_WARNING, unit_code(CODE_TWICE), place,
				"Take one of the two out.",
				"%s is named twice in Children=.", name);
	} else if (child->parent) {
		LOSE(v, child, CODE_CONTRADICTION, place,
				"Name it in the Children= of one supervisor only.",
				"%s and %s both name %s as their child.",
				child->parent->name, supervisor->name, name);
	} else {
		child->parent = supervisor;
		child->position = position;
	}
}

/* The Supervisor= of a unit. */
static void join(struct resolver *v, struct draft *d)
{
	struct draft *s = map_find(&v->drafts->by_name, d->supervisor);

	if (!s || s->is_masked)
		LOSE(v, d, CODE_NO_SUPERVISOR, d->at_supervisor,
				"Correct the name, or add its .supervisor file.",
				"There is no supervisor %s.", d->supervisor);
	else if (!is_supervisor(s))
		LOSE(v, d, CODE_NOT_A_SUPERVISOR, d->at_supervisor,
				"Name a unit that has a .supervisor file.",
				"%s is no supervisor.", d->supervisor);
	else if (d->parent && d->parent != s)
		LOSE(v, d, CODE_CONTRADICTION, d->at_supervisor,
				"Let Supervisor= and Children= say the same, or leave one out.",
				"%s is named as a child by %s, but names %s as its supervisor.",
				d->name, d->parent->name, s->name);
	else
		d->parent = s;
}

static void assign_parents(struct resolver *v)
{
	struct drafts *drafts = v->drafts;

	for (uint32_t i = 0; i < drafts->count; i++) {
		drafts->items[i]->number = i + 1;
		if (is_supervisor(drafts->items[i]))
			for (uint32_t k = 1; k <= drafts->items[i]->children.count; k++)
				adopt(v, drafts->items[i], k);
	}
	for (uint32_t i = 0; i < drafts->count; i++)
		if (drafts->items[i]->supervisor)
			join(v, drafts->items[i]);
}

/* The circle that begins at d: print it, lose its members, and cut it. */
static void cut_circle(struct resolver *v, struct draft *d)
{
	auto_text path = { 0 };
	struct draft *at = d, *next;

	do {
		text_printf(&path, "%s -> ", at->name);
		at = at->parent;
	} while (at != d);
	text_append(&path, d->name);
	for (at = d->parent; at != d; at = at->parent)
		draft_lose(at, v->diag);
	LOSE(v, d, CODE_SUPERVISOR_CYCLE, d->at_supervisor,
			"Take one of them out of the circle.",
			"Supervisors cannot supervise each other in a circle: %s.",
			text_get(&path));
	for (at = d; at; at = next) {
		next = at->parent;
		at->parent = NULL;
	}
}

static void cut_circles(struct resolver *v)
{
	struct draft *d;

	for (uint32_t i = 0; i < v->drafts->count; i++) {
		uint32_t walk = i + 1;

		for (d = v->drafts->items[i]; d && !d->mark; d = d->parent)
			d->mark = walk;
		if (d && d->mark == walk)
			cut_circle(v, d);
	}
}

/* Depths, and the loss of those whose supervisor is lost. */
static void settle(struct resolver *v)
{
	struct draft *d, *parent;
	uint32_t n;

	for (uint32_t i = 0; i < v->drafts->count; i++)
		v->drafts->items[i]->depth = 0;
	for (uint32_t i = 0; i < v->drafts->count; i++) {
		n = 0;
		for (d = v->drafts->items[i]; d && !d->depth; d = d->parent)
			v->stack[n++] = d;
		while (n > 0) {
			d = v->stack[--n];
			parent = d->parent;
			d->depth = parent ? parent->depth + 1 : 1;
			if (parent && parent->is_lost && is_live(d))
				LOSE(v, d, CODE_SUPERVISOR_LOST, d->at_supervisor,
						"Correct the mistake of the supervisor first.",
						"Its supervisor %s is left out because of a "
						"mistake.",
						parent->name);
		}
	}
}

static uint32_t number_of(const struct draft *d)
{
	return d ? d->number : 0;
}

static int compare_uint(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

/* Siblings together; those in Children= first, in its order, then by name. */
static int compare_members(const void *x, const void *y)
{
	const struct draft *a = *(struct draft *const *)x, *b = *(struct draft *const *)y;
	int r = compare_uint(number_of(a->parent), number_of(b->parent));

	/* 0, not listed, becomes the greatest. */
	if (r == 0)
		r = compare_uint(a->position - 1, b->position - 1);
	return r == 0 ? strcmp(a->name, b->name) : r;
}

static void list_members(struct resolver *v)
{
	for (uint32_t i = 0; i < v->drafts->count; i++)
		if (is_live(v->drafts->items[i]))
			v->members[v->n_members++] = v->drafts->items[i];
	if (v->n_members > 0)
		qsort(v->members, v->n_members, sizeof(struct draft *), compare_members);
	for (uint32_t i = 0; i < v->n_members; i++)
		v->members[i]->cursor = i;
}

static int add_edge(struct resolver *v, struct draft *later, struct draft *earlier)
{
	struct edge *edges;
	uint32_t capacity;

	/* Up to where they are siblings; an ancestor starts before its members anyway. */
	while (later->depth > earlier->depth)
		later = later->parent;
	while (earlier->depth > later->depth)
		earlier = earlier->parent;
	while (later != earlier && later->parent != earlier->parent) {
		later = later->parent;
		earlier = earlier->parent;
	}
	if (later == earlier)
		return 0;
	if (v->n_edges == v->edges_capacity) {
		capacity = v->edges_capacity ? v->edges_capacity * 2 : 64;
		edges = realloc(v->edges, capacity * sizeof(*edges));
		if (!edges)
			return -ENOMEM;
		v->edges = edges;
		v->edges_capacity = capacity;
	}
	v->edges[v->n_edges++] = (struct edge){ later, earlier };
	return 0;
}

/* network.target and the like: systemd's, which say nothing here. */
static bool is_foreign(const char *name)
{
	static const char *const suffixes[] = { ".target", ".socket", ".timer", ".path",
		".mount", ".automount", ".swap", ".slice", ".scope", ".device" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (has_suffix(name, suffixes[i]))
			return true;
	return false;
}

enum side {
	SIDE_AFTER,
	SIDE_BEFORE,
};

static int add_edges_of(struct resolver *v, struct draft *d, const struct strv *names,
		enum side side)
{
	int r = 0;

	for (size_t i = 0; i < names->count && r == 0; i++) {
		struct draft *other = map_find(&v->drafts->by_name, names->items[i]);

		if (other && is_live(other) && other != d)
			r = side == SIDE_AFTER ? add_edge(v, d, other)
					       : add_edge(v, other, d);
		else if (other == d)
			LOSE(v, d, CODE_ORDER_CYCLE, d->at_order, "Take the name out.",
					"A unit cannot start before or after itself: %s -> %s.",
					d->name, d->name);
		else if (!other && !is_foreign(names->items[i]))
			diag_add(v->diag, DIAG_WARNING, unit_code(CODE_NO_NEIGHBOUR),
					place_of(d, d->at_order),
					"Correct the name, or take it out.",
					"There is no unit %s to start %s.",
					names->items[i],
					side == SIDE_AFTER ? "after" : "before");
	}
	return r;
}

static int compare_edges(const void *x, const void *y)
{
	const struct edge *a = x, *b = y;
	int r = compare_uint(a->later->number, b->later->number);

	return r ? r : compare_uint(a->earlier->cursor, b->earlier->cursor);
}

static int list_edges(struct resolver *v)
{
	int r;

	for (uint32_t i = 0; i < v->n_members; i++) {
		struct draft *d = v->members[i];

		r = add_edges_of(v, d, &d->after, SIDE_AFTER);
		if (r == 0)
			r = add_edges_of(v, d, &d->before, SIDE_BEFORE);
		if (r < 0)
			return r;
	}
	if (v->n_edges > 0)
		qsort(v->edges, v->n_edges, sizeof(*v->edges), compare_edges);
	for (uint32_t i = 0; i < v->n_edges; i++) {
		struct draft *later = v->edges[i].later;

		if (later->n_edges++ == 0)
			later->first_edge = i;
	}
	return 0;
}

/* The circle from the top of the stack back to d, which is on it. */
static void tell_order_circle(struct resolver *v, uint32_t top, const struct draft *d)
{
	auto_text path = { 0 };
	uint32_t at = top;

	while (v->stack[at] != d)
		at--;
	for (uint32_t i = at; i <= top; i++)
		text_printf(&path, "%s -> ", v->stack[i]->name);
	text_append(&path, d->name);
	for (uint32_t i = at + 1; i <= top; i++)
		draft_lose(v->stack[i], v->diag);
	LOSE(v, v->stack[at], CODE_ORDER_CYCLE, v->stack[at]->at_order,
			"Take one After= or Before= out of the circle; an arrow means \"starts "
			"after\".",
			"Units cannot start after each other in a circle: %s.",
			text_get(&path));
}

enum walk_mark {
	WALK_NEW,
	WALK_OPEN,
	WALK_DONE,
};

/* Put d behind everything that it waits for. */
static void place_member(struct resolver *v, struct draft *d, uint32_t *n_sorted)
{
	uint32_t n = 0;

	d->mark = WALK_OPEN;
	v->stack[n++] = d;
	while (n > 0) {
		struct draft *at = v->stack[n - 1], *next;

		if (at->cursor == at->n_edges) {
			at->mark = WALK_DONE;
			v->sorted[(*n_sorted)++] = at;
			n--;
			continue;
		}
		next = v->edges[at->first_edge + at->cursor++].earlier;
		if (next->mark == WALK_OPEN) {
			tell_order_circle(v, n - 1, next);
		} else if (next->mark == WALK_NEW) {
			next->mark = WALK_OPEN;
			v->stack[n++] = next;
		}
	}
}

/* Children= fixes an order: what After= and Before= made of it must be the same. */
static void check_listed(struct resolver *v, uint32_t first, uint32_t last)
{
	struct draft *highest = NULL;

	for (uint32_t i = first; i < last; i++) {
		struct draft *d = v->sorted[i];

		if (!d->position || d->is_lost)
			continue;
		if (!highest || d->position > highest->position) {
			highest = d;
			continue;
		}
		LOSE(v, d, CODE_CONTRADICTION,
				d->at_order.file ? d->at_order : highest->at_order,
				"Change the order in Children=, or take After= or Before= out.",
				"Children= of %s has %s before %s, but it is to start after it.",
				d->parent ? d->parent->name : "the root", d->name,
				highest->name);
	}
}

static void sort_members(struct resolver *v)
{
	uint32_t n = 0, first = 0;

	for (uint32_t i = 0; i < v->n_members; i++) {
		v->members[i]->mark = WALK_NEW;
		v->members[i]->cursor = 0;
	}
	for (uint32_t i = 0; i < v->n_members; i++) {
		if (v->members[i]->mark == WALK_NEW)
			place_member(v, v->members[i], &n);
		if (i + 1 == v->n_members ||
				v->members[i + 1]->parent != v->members[i]->parent) {
			check_listed(v, first, n);
			first = n;
		}
	}
}

/* Whether a child waits for the one before it, where the file does not say. */
static void choose_orders(struct resolver *v)
{
	for (uint32_t i = 0; i < v->drafts->count; i++)
		v->drafts->items[i]->mark = 0;
	for (uint32_t i = 0; i < v->n_edges; i++) {
		struct draft *parent = v->edges[i].later->parent;

		if (parent)
			parent->mark = 1;
		else
			v->root_has_order = true;
	}
	for (uint32_t i = 0; i < v->drafts->count; i++) {
		struct draft *d = v->drafts->items[i];

		if (!is_live(d) || !is_supervisor(d))
			continue;
		if (!draft_has(d, offsetof(struct unit, supervising.order)))
			d->order = d->strategy == UNIT_ONE_FOR_ONE && !d->mark
					? UNIT_PARALLEL
					: UNIT_ORDERED;
		else if (d->order == UNIT_PARALLEL && d->mark)
			diag_add(v->diag, DIAG_WARNING, unit_code(CODE_COMBINATION),
					(struct diag_place){ d->path, 0 },
					"Set Order=ordered, or take After= and Before= out.",
					"With Order=parallel nothing waits as After= and Before= "
					"of the children ask.");
	}
}

/* Supervisors go on without the children that have mistakes of their own. */
static void tell_lost_children(struct resolver *v)
{
	for (uint32_t i = 0; i < v->drafts->count; i++) {
		const struct draft *d = v->drafts->items[i];

		if (d->is_lost && d->position && d->parent && is_live(d->parent))
			diag_add(v->diag, DIAG_WARNING, unit_code(CODE_CHILD_LOST),
					place_of(d->parent, d->parent->at_children),
					"Correct the mistake of the child.",
					"%s is left out because of a mistake; %s goes on "
					"without it.",
					d->name, d->parent->name);
	}
}

/* Those that were lost while they were put into order. */
static void drop_lost(struct resolver *v)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->n_members; i++)
		if (is_live(v->sorted[i]))
			v->sorted[n++] = v->sorted[i];
	v->n_members = n;
}

static int resolve(struct resolver *v)
{
	int r;

	assign_parents(v);
	cut_circles(v);
	settle(v);
	list_members(v);
	r = list_edges(v);
	if (r < 0)
		return r;
	sort_members(v);
	settle(v);
	choose_orders(v);
	tell_lost_children(v);
	drop_lost(v);
	return 0;
}

int drafts_resolve(
		struct drafts *drafts, struct diag *diag, struct draft_order *ret_order)
{
	size_t n = drafts->count + 1;
	auto_free struct draft **members = calloc(n, sizeof(struct draft *));
	auto_free struct draft **stack = calloc(n, sizeof(struct draft *));
	auto_free struct draft **sorted = calloc(n, sizeof(struct draft *));
	struct resolver v = { .drafts = drafts,
		.diag = diag,
		.members = members,
		.stack = stack,
		.sorted = sorted };
	int r;

	if (!members || !stack || !sorted)
		return -ENOMEM;
	r = resolve(&v);
	free(v.edges);
	if (r < 0)
		return r;
	*ret_order = (struct draft_order){ TAKE_PTR(sorted), v.n_members,
		v.root_has_order ? UNIT_ORDERED : UNIT_PARALLEL };
	return 0;
}
