/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_SET_H
#define UNIT_SET_H

/*
 * A set from the inside. A unit at rest is its text: what is kept of it is where it stands
 * in the tree and where its files are in the store. There may be thousands, in two
 * processes.
 */

#include "unit/draft.h"
#include "unit/store.h"
#include "unit/unit.h"

struct unit_entry {
	uint32_t name; /* in the set's names */
	uint32_t supervisor; /* UNIT_NONE: the root */
	uint32_t first_child; /* siblings stand together */
	uint32_t n_children : 28;
	uint32_t kind : 2; /* enum unit_kind */
	uint32_t order : 2; /* enum unit_order, of supervisors */
	struct unit_extent base, own; /* base: the template's, of instances */
};

/* A set with a copy of the context and of what is known of programs, and without a unit.
 * -ENOMEM. */
MUST_CHECK int unit_set_new(
		const struct unit_context *context, struct unit_set **ret_set);

/* Enter the units that are right. -ENOMEM. */
MUST_CHECK int unit_set_fill(struct unit_set *set, const struct draft_order *order,
		struct unit_store *store);

#endif
