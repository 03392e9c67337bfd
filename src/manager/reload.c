/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "manager/event.h"
#include "manager/job.h"
#include "manager/manager.h"
#include "manager/names.h"

/* A client that waits for the end of a reload. */
struct waiting_request {
	struct list link;
	struct request *request;
};

/* Whether the new files contain one that makes this unit: by its name, or a template's
 * for an instance. */
static bool has_file(const struct unit_snapshot *snapshot, const char *name)
{
	const char *at = strchr(name, '@');
	size_t stem = at ? (size_t)(at - name) + 1 : strlen(name);

	for (uint32_t i = 0; i < snapshot->count; i++) {
		const char *unit = snapshot->files[i].unit;
		const char *dot = strrchr(unit, '.');
		size_t length = dot ? (size_t)(dot - unit) : strlen(unit);

		if (snapshot->files[i].is_drop_in)
			continue;
		if (length == strlen(name) && strncmp(unit, name, length) == 0)
			return true;
		if (at && length == stem && strncmp(unit, name, stem) == 0)
			return true;
	}
	return false;
}

static bool same_texts(const struct strv *a, const struct strv *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

enum reload_verdict reload_compare(const struct record *record,
		const struct unit_snapshot *snapshot, const struct unit *before,
		const struct unit *after)
{
	const char *supervisor = record->supervisor ? record->supervisor->name : NULL;

	if (!after)
		return has_file(snapshot, record->name) ? RELOAD_KEEP : RELOAD_REMOVE;
	if (after->kind != (enum unit_kind)record->kind ||
			!text_equals(after->supervisor, supervisor))
		return RELOAD_REMOVE; /* and added again where it belongs now */
	if (after->kind == UNIT_SUPERVISOR &&
			!same_texts(&after->children, &before->children))
		return RELOAD_CHANGE;
	return unit_equals(after, before) ? RELOAD_KEEP : RELOAD_CHANGE;
}

static int add_waiter(struct manager *m, struct request *request)
{
	struct waiting_request *waiting = malloc(sizeof(*waiting));

	if (!waiting)
		return -ENOMEM;
	waiting->request = request;
	list_append(&m->reload_waiters, &waiting->link);
	return 0;
}

void reload_begin(struct manager *m, struct request *request)
{
	int r = 0;

	if (request && add_waiter(m, request) < 0) {
		request_fail(request, SD_BUS_ERROR_NO_MEMORY, "Out of memory.");
		manager_answer(m, request);
		return;
	}
	/* Who asks while one is under way may have changed a file after it was read: read
	 * again. */
	if (m->reload_call == 0)
		r = link_reload(m->self, m->link, &m->reload_call);
	else
		m->reload_again = true;
	if (r < 0)
		reload_finish(m, r);
}

void reload_free_waiters(struct manager *m)
{
	struct waiting_request *waiting, *tmp;

	list_foreach_safe(waiting, tmp, &m->reload_waiters, link) {
		list_remove(&waiting->link);
		request_free(waiting->request);
		free(waiting);
	}
}

void reload_finish(struct manager *m, int status)
{
	struct waiting_request *waiting, *tmp;

	if (m->reload_again) {
		m->reload_again = false;
		reload_begin(m, NULL);
		return;
	}
	if (status < 0)
		log_error("The unit files cannot be read again: %s.",
				strerrordesc_np(-status));
	list_foreach_safe(waiting, tmp, &m->reload_waiters, link) {
		struct request *request = waiting->request;

		list_remove(&waiting->link);
		free(waiting);
		if (status < 0)
			request_fail(request, NAMES_ERROR_FAILED,
					"The unit files cannot be read again: %s.",
					strerrordesc_np(-status));
		else
			answer_diagnostics(m, request);
		manager_answer(m, request);
	}
}

static void start_job(struct manager *m, enum job_kind kind, struct record *record)
{
	struct job_options options = { .kind = kind, .record = record };

	job_start(m, &options);
}

struct reload {
	struct manager *m;
	const struct unit_snapshot *snapshot;
	struct unit_set *set;
	unsigned int added, removed, changed;
};

void reload_mark_stale(struct record *record)
{
	for (; record && !record->stale; record = record->supervisor)
		record->stale = true;
}

static const char *supervisor_of(const struct unit_set *set, uint32_t index)
{
	uint32_t supervisor = unit_set_supervisor(set, index);

	return supervisor == UNIT_NONE ? NULL : unit_set_name(set, supervisor);
}

/* Most units are what they were: nothing of them need be opened. */
static bool is_untouched(const struct reload *reload, const struct record *record)
{
	const struct unit_set *before = reload->m->registry.set, *after = reload->set;
	uint32_t a = unit_set_find(before, record->name);
	uint32_t b = unit_set_find(after, record->name);
	enum unit_change change;

	if (record->group || record_more(record)->own || a == UNIT_NONE || b == UNIT_NONE)
		return false;
	return unit_set_kind(before, a) == unit_set_kind(after, b) &&
			text_equals(supervisor_of(before, a), supervisor_of(after, b)) &&
			unit_set_compare(before, a, after, b, &change) == 0 &&
			change == UNIT_UNCHANGED;
}

/* A unit before and after; either may be missing. */
struct pair {
	struct unit *before, *after;
};

static void pair_fini(struct pair *pair)
{
	unit_free(pair->before);
	unit_free(pair->after);
}

static int open_pair(const struct reload *reload, const struct record *record,
		struct pair *pair)
{
	int r;

	r = registry_open(&reload->m->registry, record, &pair->before);
	if (r < 0)
		return r;
	r = unit_set_open(reload->set, unit_set_find(reload->set, record->name),
			&pair->after);
	return r == -ENOENT ? 0 : r;
}

/* What is in force stays so, if need be without the new files. */
static int keep(struct record *record, struct pair *pair)
{
	return pair->after ? record_set_unit(record, pair->after)
			   : record_own_unit(record, &pair->before);
}

static int change(struct reload *reload, struct record *record, struct pair *pair)
{
	if (tree_spec_differs(pair->before, pair->after))
		reload_mark_stale(record);
	record_keep_unit(record, &pair->before);
	reload->changed++;
	return record_set_unit(record, pair->after);
}

static int keep_unit(const struct registry *registry, struct record *record)
{
	auto_(unit) unit = NULL;
	int r;

	r = registry_open(registry, record, &unit);
	if (r >= 0)
		record_keep_unit(record, &unit);
	return r;
}

/* Until it and what is under it have ended they go by what they were started with. One
 * that an earlier reload has retired does so already. */
static void keep_all(const struct registry *registry, struct record *record)
{
	struct record *child;
	int r = record->retired ? 0 : keep_unit(registry, record);

	if (r < 0)
		log_error("%s: it ends without its settings: %s.", record->name,
				strerrordesc_np(-r));
	list_foreach(child, record_children(record), link)
		keep_all(registry, child);
}

/* What is under it goes with it. */
static void retire(struct reload *reload, struct record *record)
{
	keep_all(&reload->m->registry, record);
	reload_mark_stale(record->supervisor);
	registry_retire(&reload->m->registry, record);
	reload->removed++;
	start_job(reload->m, JOB_REMOVE, record);
}

/* Returns the record that is to be looked at next. */
static struct record *renew(struct reload *reload, struct record *record)
{
	const struct registry *registry = &reload->m->registry;
	struct record *next = registry_next(registry, record);
	struct pair pair = { NULL, NULL };
	int r;

	/* On its way out since an earlier reload, with all that is under it. */
	if (record->retired)
		return registry_next_beside(registry, record);
	if (is_untouched(reload, record))
		return next;
	r = open_pair(reload, record, &pair);
	if (r < 0)
		goto out;
	switch (reload_compare(record, reload->snapshot, pair.before, pair.after)) {
	case RELOAD_KEEP:
		r = keep(record, &pair);
		break;
	case RELOAD_CHANGE:
		r = change(reload, record, &pair);
		break;
	case RELOAD_REMOVE:
		next = registry_next_beside(registry, record);
		retire(reload, record);
		break;
	case RELOAD_VERDICT_COUNT:
		break;
	}
out:
	if (r < 0)
		log_error("%s: its new settings cannot be taken over: %s.", record->name,
				strerrordesc_np(-r));
	pair_fini(&pair);
	return next;
}

static void change_and_remove(struct reload *reload)
{
	struct record *record = registry_next(&reload->m->registry, NULL);

	while (record)
		record = renew(reload, record);
	registry_set_units(&reload->m->registry, reload->set);
}

/* Their specifications, which would tell, may be wanted later only. */
static int describe_all(const struct reload *reload, struct record *record)
{
	auto_(unit) unit = NULL;
	struct record *child;
	int r;

	r = registry_open(&reload->m->registry, record, &unit);
	if (r >= 0)
		r = record_set_unit(record, unit);
	if (r >= 0 && record->group)
		list_foreach(child, &record->group->children, link)
			if (r >= 0)
				r = describe_all(reload, child);
	return r;
}

/* Adds what the registry does not know; a new supervisor comes with everything under it.
 */
static int add_unit(struct reload *reload, uint32_t index, struct record *supervisor)
{
	struct registry *registry = &reload->m->registry;
	struct record *record;
	int r;

	r = tree_adopt_unit(registry, index, supervisor, &record);
	if (r < 0)
		return r;
	r = describe_all(reload, record);
	reload_mark_stale(supervisor);
	reload->added++;
	/* One that moved comes when its old self has ended. */
	record->awaits_name = registry_find_retired(registry, record->name) != NULL;
	if (!record->awaits_name)
		start_job(reload->m, JOB_ADD, record);
	return r;
}

static int add_units(struct reload *reload, struct unit_range children,
		struct record *supervisor)
{
	struct registry *registry = &reload->m->registry;
	uint32_t end = children.first + children.count;
	int r = 0;

	for (uint32_t i = children.first; r >= 0 && i < end; i++) {
		struct record *record =
				registry_find(registry, unit_set_name(reload->set, i));

		if (!record) {
			r = add_unit(reload, i, supervisor);
			continue;
		}
		registry_move_last(registry, record);
		r = add_units(reload, unit_set_children(reload->set, i), record);
	}
	return r;
}

void reload_update_stale(struct manager *m)
{
	struct record *record = NULL;

	while ((record = registry_next(&m->registry, record))) {
		if (!record->stale)
			continue;
		record->stale = false;
		start_job(m, JOB_UPDATE, record);
	}
}

static void report_load(struct reload *reload)
{
	struct manager *m = reload->m;
	char text[120];

	(void)snprintf(text, sizeof(text), "%u added, %u removed, %u changed",
			reload->added, reload->removed, reload->changed);
	event_write(m, ACTIVITY_UNITS_LOADED, text);
	if (m->diag.errors == 0)
		return;
	(void)snprintf(text, sizeof(text), "%zu errors", m->diag.errors);
	event_write(m, ACTIVITY_UNITS_REFUSED, text);
}

void reload_apply(struct manager *m, int snapshot_fd)
{
	auto_(unit_snapshot) snapshot = NULL;
	auto_(unit_set) set = NULL;
	struct reload reload = { .m = m };
	int r;

	r = manager_parse(m, snapshot_fd, &set);
	if (r >= 0)
		r = unit_snapshot_unpack(m->snapshot_fd, &snapshot);
	if (r < 0) {
		log_error("The new unit files cannot be taken over: %s.",
				strerrordesc_np(-r));
		return;
	}
	reload.snapshot = snapshot;
	reload.set = set;
	change_and_remove(&reload);
	r = add_units(&reload, unit_set_children(set, UNIT_NONE), NULL);
	if (r < 0)
		log_error("Not all new units could be added: %s.", strerrordesc_np(-r));
	reload_update_stale(m);
	report_load(&reload);
}
