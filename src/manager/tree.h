/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_TREE_H
#define MANAGER_TREE_H

/*
 * From units to supervision: records become child specifications.
 *
 *   service     transient whatever Restart= says (the service actor computes the
 * condition and ends accordingly), no deadline of the supervisor unless Shutdown= sets
 * one: the actor has its own stop ladder native      Restart= as OTP's words; the others
 * count as transient supervisor  Restart= as OTP's words; ends when all its children have
 *
 * The root is one-for-one, parallel unless the files order its children, and outlives its
 * subtrees: what exceeds its intensity is given up alone.
 */

#include "airssys/supervisor.h"
#include "manager/registry.h"
#include "service/service.h"

/* What every actor of the tree is told. */
struct tree_context {
	const struct service_context *service;
	const struct registry *registry;
	struct airs_pool *main_pool; /* where all of them live */
	bool is_first; /* the tree is being built: what rests is held */
};

/*
 * The specification of one unit, and of everything under it, whose records learn what is
 * told of their settings. It borrows names from the record, which must stay until
 * tree_spec_fini. When the tree is being built,
 * units that rest by the administrator's will, or that ended for good before the core was
 * started again, are held, unless they are under one that is. Later nothing is: what was
 * stopped by name says so itself (service_directory.wish). -ENOMEM, or
 * what registry_open says.
 */
MUST_CHECK int tree_spec_init(struct airs_child_spec *spec,
		const struct tree_context *context, struct record *record);
void tree_spec_fini(struct airs_child_spec *spec);

/* The options of the root; tree_root_fini releases them. -ENOMEM. */
MUST_CHECK int tree_root_init(struct airs_supervisor_options *options,
		const struct tree_context *context);
void tree_root_fini(struct airs_supervisor_options *options);

/* Fill an empty registry from a set, which is in force from now on. -ENOMEM. */
MUST_CHECK int tree_adopt_set(struct registry *registry, struct unit_set *set);

/* Add one unit of the set in force, and what is under it. -ENOMEM. */
MUST_CHECK int tree_adopt_unit(struct registry *registry, uint32_t index,
		struct record *supervisor, struct record **ret_record);

/* Whether two units differ in what their supervisor goes by. */
bool tree_spec_differs(const struct unit *a, const struct unit *b);

#endif
