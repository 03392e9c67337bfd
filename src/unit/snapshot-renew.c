/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/code.h"
#include "unit/name.h"
#include "unit/snapshot.h"

/*
 * A unit that is in force and whose files have a mistake now goes on as it is. Its
 * earlier files take the place of the new ones, so that whoever parses the snapshot later
 * (a core that was started again, too) knows it.
 */

/* Whether a file is of the unit of this name; suffix and all for a file's own name. */
static bool is_of(const struct unit_file *f, const char *name)
{
	const char *suffix = name_suffix(f->unit);
	size_t stem = suffix ? (size_t)(suffix - f->unit) : strlen(f->unit);

	return strcmp(f->unit, name) == 0 ||
			(strlen(name) == stem && strncmp(f->unit, name, stem) == 0);
}

static void remove_files(struct unit_snapshot *snapshot, const char *name)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < snapshot->count; i++) {
		if (is_of(&snapshot->files[i], name))
			unit_file_fini(&snapshot->files[i]);
		else
			snapshot->files[n++] = snapshot->files[i];
	}
	snapshot->count = n;
}

static int copy_file(struct unit_snapshot *snapshot, const struct unit_file *f)
{
	struct unit_file *files = reallocarray(
			snapshot->files, snapshot->count + 1, sizeof(*files));
	struct unit_file *copy;

	if (!files)
		return -ENOMEM;
	snapshot->files = files;
	copy = &files[snapshot->count];
	*copy = *f;
	copy->is_kept = 1;
	copy->path = strdup(f->path);
	copy->unit = strdup(f->unit);
	copy->data = strdup(f->data);
	if (!copy->path || !copy->unit || !copy->data) {
		unit_file_fini(copy);
		return -ENOMEM;
	}
	snapshot->count++;
	return 0;
}

/* All files that stand together with one of this path. */
static int copy_group(struct unit_snapshot *snapshot, const struct unit_snapshot *earlier,
		const char *path)
{
	const char *unit = NULL;
	int r = 0;

	for (uint32_t i = 0; i < earlier->count && !unit; i++)
		if (strcmp(earlier->files[i].path, path) == 0)
			unit = earlier->files[i].unit;
	/* The first drop-in of a group brings all of it. */
	for (uint32_t i = 0; unit && i < snapshot->count; i++)
		if (snapshot->files[i].is_kept &&
				strcmp(snapshot->files[i].unit, unit) == 0)
			return 0;
	if (unit)
		remove_files(snapshot, unit);
	for (uint32_t i = 0; unit && i < earlier->count && r == 0; i++)
		if (strcmp(earlier->files[i].unit, unit) == 0)
			r = copy_file(snapshot, &earlier->files[i]);
	return r;
}

int unit_snapshot_keep(struct unit_snapshot *snapshot,
		const struct unit_snapshot *earlier, const struct unit *unit)
{
	int r = 0;

	remove_files(snapshot, unit->name);
	for (size_t i = 0; i < unit->files.count && r == 0; i++)
		r = copy_group(snapshot, earlier, unit->files.items[i]);
	unit_snapshot_sort(snapshot);
	return r;
}

int unit_snapshot_parse(struct unit_snapshot *snapshot, struct unit_set **ret_set)
{
	struct unit_set *set = NULL;
	int r = unit_set_parse(snapshot, &snapshot->context, &snapshot->diag, &set);

	if (r < 0)
		return r;
	unit_refusals_fini(&snapshot->refusals);
	snapshot->refusals = set->refusals;
	set->refusals = (struct unit_refusals){ 0 };
	*ret_set = set;
	return 0;
}

/* How many units were kept, or -ENOMEM. */
static int keep_refused(struct unit_snapshot *snapshot, const struct unit_set *set,
		const struct unit_snapshot *earlier)
{
	const struct unit_refusals *refusals = &snapshot->refusals;
	int n = 0, r;

	for (uint32_t i = 0; i < refusals->count; i++) {
		auto_(unit) unit = NULL;

		r = unit_set_open(
				set, unit_set_find(set, refusals->items[i].name), &unit);
		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = unit_snapshot_keep(snapshot, earlier, unit);
		if (r < 0)
			return r;
		n++;
	}
	return n;
}

/* What the earlier files spoil that was right before: they go on being refused. */
static int note_new_refusals(struct unit_snapshot *snapshot, const struct unit_set *set)
{
	int r = 0;

	for (uint32_t i = 0; i < set->refusals.count && r == 0; i++) {
		const struct unit_refusal *refusal = &set->refusals.items[i];

		if (!unit_refusals_find(&snapshot->refusals, refusal->name))
			r = unit_refusals_add(&snapshot->refusals, refusal->name,
					refusal->supervisor, refusal->why);
	}
	return r;
}

static int keep_and_parse(struct unit_snapshot *snapshot,
		const struct unit_in_force *in_force, struct unit_set **set)
{
	auto_(unit_snapshot) earlier = NULL;
	struct unit_set *again = NULL;
	auto_diag diag = { 0 };
	int r;

	r = unit_snapshot_unpack(in_force->snapshot_fd, &earlier);
	if (r == 0)
		r = keep_refused(snapshot, in_force->set, earlier);
	if (r > 0) {
		r = unit_set_parse(snapshot, &snapshot->context, &diag, &again);
		if (r < 0)
			return r;
		unit_set_free(*set);
		*set = again;
		r = note_new_refusals(snapshot, again);
	}
	return r == -ENOMEM ? r : 0;
}

/* Take the earlier files for all, with what was found wrong with the new ones. */
static int keep_all(struct unit_snapshot **snapshot, const struct unit_in_force *in_force,
		struct unit_set **set)
{
	auto_(unit_snapshot) earlier = NULL;
	struct unit_set *again = NULL;
	int r;

	r = unit_snapshot_unpack(in_force->snapshot_fd, &earlier);
	if (r == 0)
		r = unit_set_parse(earlier, &earlier->context, NULL, &again);
	if (r < 0)
		return r;
	unit_set_free(*set);
	*set = again;
	diag_fini(&earlier->diag);
	earlier->diag = (*snapshot)->diag;
	(*snapshot)->diag = (struct diag){ 0 };
	unit_refusals_fini(&earlier->refusals);
	earlier->refusals = (*snapshot)->refusals;
	(*snapshot)->refusals = (struct unit_refusals){ 0 };
	diag_add(&earlier->diag, DIAG_NOTE, unit_code(CODE_ALL_KEPT),
			(struct diag_place){ 0 },
			"Correct the mistakes and read the files again.",
			"All units stay as they were, since airssysd was started with --strict.");
	unit_snapshot_free(*snapshot);
	*snapshot = TAKE_PTR(earlier);
	return 0;
}

int unit_snapshot_renew(const struct strv *search_path,
		const struct unit_context *context, const struct unit_in_force *in_force,
		struct unit_snapshot **ret_snapshot, struct unit_set **ret_set)
{
	auto_(unit_snapshot) snapshot = NULL;
	auto_(unit_set) set = NULL;
	int r;

	r = unit_snapshot_load(search_path, NULL, &snapshot);
	if (r < 0)
		return r;
	unit_snapshot_set_context(snapshot, context);
	r = unit_snapshot_parse(snapshot, &set);
	if (r == 0 && in_force->set && in_force->is_strict && snapshot->diag.errors > 0)
		r = keep_all(&snapshot, in_force, &set);
	else if (r == 0 && in_force->set && snapshot->refusals.count > 0)
		r = keep_and_parse(snapshot, in_force, &set);
	if (r < 0)
		return r;
	*ret_snapshot = TAKE_PTR(snapshot);
	*ret_set = TAKE_PTR(set);
	return 0;
}
