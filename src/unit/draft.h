/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_DRAFT_H
#define UNIT_DRAFT_H

/*
 * A unit while its set is being made: what its files say before the names in them are
 * resolved, and where they say it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "unit/option.h"
#include "unit/snapshot.h"
#include "unit/unit.h"

#define DRAFT_OPTIONS_MAX 256

/* A unit with the values of prototype (its strings are not copied: it has none), or zero.
 */
MUST_CHECK int unit_new(enum unit_kind kind, const struct unit *prototype,
		struct unit **ret_unit);
/* How much of the struct a kind has. */
size_t unit_size(enum unit_kind kind);
/* A unit of a kind with every default. */
MUST_CHECK int unit_prototype_new(enum unit_kind kind, struct unit **ret_unit);

/* A unit's file and its drop-ins, which stand together. */
struct draft_group {
	const struct unit_file *files;
	uint32_t count;
	const struct unit_file *own; /* the unit's file; NULL: drop-ins only */
	const struct unit_file *second; /* another file of the same name; NULL: none */
};

/* Files must be added in the order in which they stand in memory. */
void draft_group_add(struct draft_group *group, const struct unit_file *file);

struct draft {
	/* As its files say, for who made the draft; let go when a set is made. NULL:
	 * nothing could be made of its files. */
	struct unit *unit;
	char *name;
	const char *path; /* of its main file; the snapshot's */
	char *supervisor; /* as written; NULL: none */
	struct strv children; /* as written */
	struct diag_place at_supervisor, at_children, at_order, at_policy;
	uint64_t assigned[DRAFT_OPTIONS_MAX /
			64]; /* bit n: unit_options[n] was assigned */
	bool is_lost; /* has a mistake, or depends on one that has: not in the set */
	const char *refused; /* the first of its files that was not read; NULL: none */
	size_t mistake; /* 1 + the diagnostic that lost it; 0: none */
	bool is_masked;
	bool is_kept; /* it is in force already: that its program has gone is no mistake */
	struct unit_extent base, own; /* its files in the store; base: its template's */

	/* What is left of the unit when it was let go. */
	bool is_made;
	enum unit_kind kind;
	struct strv after, before;
	enum unit_strategy strategy; /* of supervisors */
	enum unit_order order; /* the same; decided by unit/resolve.c unless it is written */
	uint64_t stop_usec; /* of services: TimeoutStopSec= */

	/* Of unit/resolve.c. */
	struct draft *parent; /* NULL: the root */
	uint32_t number; /* of the drafts, from 1 */
	uint32_t depth; /* 1: child of the root; 0: not known yet */
	uint32_t position; /* in the parent's Children=, from 1; 0: not listed */
	uint32_t mark, cursor; /* of the walk that is under way */
	uint32_t first_edge, n_edges; /* what it waits for */
};

struct drafts {
	struct draft **items;
	uint32_t count, capacity;
	struct map by_name; /* name → struct draft */
};

void drafts_fini(struct drafts *drafts);

/* What turns files into units. */
struct draft_maker {
	const struct unit_context *context;
	struct unit *const *prototypes; /* one of each kind */
	struct diag *diag; /* NULL: what is wrong is not told */
};

MUST_CHECK int draft_prototypes_make(struct unit *prototypes[UNIT_KIND_COUNT]);
void draft_prototypes_free(struct unit *prototypes[UNIT_KIND_COUNT]);

/* The files of one unit. */
struct draft_files {
	const char *name, *suffix; /* of the unit; of its file */
	const struct draft_group *base; /* its template's; NULL: it is no instance */
	const struct draft_group *own; /* NULL only of instances */
};

/* One unit from its files, which must outlive the draft. -ENOMEM. */
MUST_CHECK int draft_make(const struct draft_maker *maker, const struct draft_files *what,
		struct draft **ret_draft);
void draft_free(struct draft *draft);
DEFINE_AUTO(draft, draft_free);

/*
 * Make drafts of all units of a snapshot. What is wrong is told; the draft is then marked
 * lost. The units themselves are let go, one after the other. -ENOMEM.
 */
MUST_CHECK int drafts_parse(const struct unit_snapshot *snapshot,
		const struct draft_maker *maker, struct drafts *drafts);

/* Leave it out because of the diagnostic that is added to diag next. */
void draft_lose(struct draft *draft, const struct diag *diag);

/* Whether the setting of this field was given in a file. */
bool draft_has(const struct draft *draft, size_t offset);

/* Why the drafts that are lost are not in the set. -ENOMEM. */
MUST_CHECK int drafts_tell_refusals(const struct drafts *drafts,
		const struct unit_snapshot *snapshot, const struct diag *diag,
		struct unit_refusals *refusals);

/* The units that are right, in the order in which the set has them: siblings together, in
 * the order in which they start. */
struct draft_order {
	struct draft **items;
	uint32_t count;
	enum unit_order root_order;
};

/* Resolve membership and order. The caller frees ret_order->items. -ENOMEM. */
MUST_CHECK int drafts_resolve(
		struct drafts *drafts, struct diag *diag, struct draft_order *ret_order);

#endif
