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

struct draft {
	struct unit *unit; /* NULL: nothing could be made of its files */
	char *name;
	const char *path; /* of its main file; the snapshot's */
	char *supervisor; /* as written; NULL: none */
	struct strv children; /* as written */
	struct diag_place at_supervisor, at_children, at_order;
	uint64_t assigned[DRAFT_OPTIONS_MAX /
			64]; /* bit n: unit_options[n] was assigned */
	bool is_lost; /* has a mistake, or depends on one that has: not in the set */
	const char *refused; /* the first of its files that was not read; NULL: none */
	size_t mistake; /* 1 + the diagnostic that lost it; 0: none */
	bool is_masked;
	bool is_kept; /* it is in force already: that its program has gone is no mistake */

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

/*
 * Make drafts of all units of a snapshot. What is wrong is told; the draft is then marked
 * lost. -ENOMEM.
 */
MUST_CHECK int drafts_parse(const struct unit_snapshot *snapshot,
		const struct unit_context *context, struct diag *diag,
		struct drafts *drafts);

/* Leave it out because of the diagnostic that is added to diag next. */
void draft_lose(struct draft *draft, const struct diag *diag);

/* Whether the setting of this field was given in a file. */
bool draft_has(const struct draft *draft, size_t offset);

/* Why the drafts that are lost are not in the set. -ENOMEM. */
MUST_CHECK int drafts_tell_refusals(const struct drafts *drafts,
		const struct unit_snapshot *snapshot, const struct diag *diag,
		struct unit_refusals *refusals);

/*
 * Resolve membership and order and move the units that are right into a set. -ENOMEM.
 */
MUST_CHECK int drafts_resolve(
		struct drafts *drafts, struct diag *diag, struct unit_set **ret_set);

#endif
