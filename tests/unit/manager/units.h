/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_UNIT_MANAGER_UNITS_H
#define TESTS_UNIT_MANAGER_UNITS_H

/*
 * Unit sets and registries from texts in a test.
 */

#include "manager/registry.h"
#include "unit/snapshot.h"

struct text_file {
	const char *unit; /* "db.actor" */
	const char *data;
};

/* Fail the test when memory runs out or, for units_parse, when a file has an error that
 * is not expected. */
struct unit_snapshot *units_snapshot(const struct text_file *files, size_t n);
struct unit_set *units_parse(struct unit_snapshot *snapshot, size_t expected_errors);
/* A registry of these files, as the manager makes it at its start. */
void units_registry(struct registry *registry, const struct text_file *files, size_t n);

#define UNITS_REGISTRY(registry, files) units_registry(registry, files, ARRAY_SIZE(files))

/* An event about a child. */
struct airs_supervisor_event units_event(const struct record *record,
		enum airs_supervisor_event_kind kind,
		enum airs_supervisor_decision decision);

#endif
