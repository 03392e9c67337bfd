/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_RELOAD_H
#define MANAGER_RELOAD_H

/*
 * New settings into the running tree.
 *
 *   new unit       given to its supervisor, which starts it
 *   vanished unit  stopped and forgotten, with everything under it
 *   changed unit   its settings are in force at its next start; what runs goes on
 *   broken unit    its file is there but has a mistake: it stays as it was
 *   moved unit     under another supervisor: as a vanished and a new one
 *
 * reload_compare decides, without touching anything.
 */

#include "manager/registry.h"
#include "unit/snapshot.h"

enum reload_verdict { RELOAD_KEEP, RELOAD_CHANGE, RELOAD_REMOVE, RELOAD_VERDICT_COUNT };

/* What becomes of a unit that is known: before is in force, after is what the new files
 * say; NULL: nothing. */
enum reload_verdict reload_compare(const struct record *record,
		const struct unit_snapshot *snapshot, const struct unit *before,
		const struct unit *after);

struct manager;

/* The specifications of a unit and of all supervisors above it no longer say what is in
 * force; NULL: the root, which has none. reload_update_stale gives new ones to those that
 * go by them. */
void reload_mark_stale(struct record *record);
void reload_update_stale(struct manager *m);

#endif
