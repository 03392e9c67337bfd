/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/manager/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/tree.h"
#include "support/test.h"

struct unit_snapshot *units_snapshot(const struct text_file *files, size_t n)
{
	struct unit_snapshot *snapshot = calloc(1, sizeof(*snapshot));

	ck_assert_ptr_nonnull(snapshot);
	snapshot->files = calloc(n + 1, sizeof(*snapshot->files));
	ck_assert_ptr_nonnull(snapshot->files);
	for (size_t i = 0; i < n; i++) {
		struct unit_file *file = &snapshot->files[i];

		file->path = text_format("/units/%s", files[i].unit);
		file->unit = strdup(files[i].unit);
		file->data = strdup(files[i].data);
		file->size = strlen(files[i].data);
	}
	snapshot->count = (uint32_t)n;
	return snapshot;
}

struct unit_set *units_parse(struct unit_snapshot *snapshot, size_t expected_errors)
{
	struct unit_context context;
	struct unit_set *set = NULL;
	auto_diag d = { 0 };

	ck_assert_int_eq(unit_context_init(&context, "/run"), 0);
	ck_assert_int_eq(unit_set_parse(snapshot, &context, &d, &set), 0);
	ck_assert_msg(d.errors == expected_errors, "%zu errors, first: %s", d.errors,
			d.count ? d.items[0].text : "none");
	return set;
}

void units_registry(struct registry *registry, const struct text_file *files, size_t n)
{
	auto_(unit_snapshot) snapshot = units_snapshot(files, n);
	auto_(unit_set) set = units_parse(snapshot, 0);

	registry_init(registry);
	ck_assert_int_eq(tree_adopt_set(registry, set), 0);
}

struct airs_supervisor_event units_event(const struct record *record,
		enum airs_supervisor_event_kind kind,
		enum airs_supervisor_decision decision)
{
	struct airs_supervisor_event event = {
		.kind = kind,
		.decision = decision,
		.cookie = record->unit.id,
		.child = 77,
		.reason = airs_reason_make(AIRS_REASON_NORMAL, 0, NULL),
	};

	(void)snprintf(event.id, sizeof(event.id), "%s", record->name);
	return event;
}
