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
		const struct unit_snapshot *snapshot, const struct unit_set *set)
{
	const struct unit *unit = unit_find(set, record->name);
	const char *supervisor = record->supervisor ? record->supervisor->name : NULL;

	if (!unit)
		return has_file(snapshot, record->name) ? RELOAD_KEEP : RELOAD_REMOVE;
	if (unit->kind != record->kind || !text_equals(unit->supervisor, supervisor))
		return RELOAD_REMOVE; /* and added again where it belongs now */
	if (unit->kind == UNIT_SUPERVISOR &&
			!same_texts(&unit->children, &record->settings->unit->children))
		return RELOAD_CHANGE;
	return unit_equals(unit, record->settings->unit) ? RELOAD_KEEP : RELOAD_CHANGE;
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

/* Put new settings in force. Whether its supervisor must know. */
static bool change(struct reload *reload, struct record *record)
{
	struct settings *settings;
	bool differs;

	if (settings_take(reload->set, record->name, &settings) < 0)
		return false;
	differs = tree_spec_differs(record->settings->unit, settings->unit);
	registry_set_settings(&reload->m->registry, record, settings);
	reload->changed++;
	return differs;
}

void reload_mark_stale(struct record *record)
{
	for (; record && !record->stale; record = record->supervisor)
		record->stale = true;
}

static void change_and_remove(struct reload *reload)
{
	struct registry *registry = &reload->m->registry;
	struct record *record = registry_next(registry, NULL), *next;

	for (; record; record = next) {
		next = registry_next(registry, record);
		switch (reload_compare(record, reload->snapshot, reload->set)) {
		case RELOAD_KEEP:
			break;
		case RELOAD_CHANGE:
			if (change(reload, record))
				reload_mark_stale(record);
			break;
		case RELOAD_REMOVE:
			/* What is under it goes with it. */
			next = registry_next_beside(registry, record);
			reload_mark_stale(record->supervisor);
			registry_retire(registry, record);
			reload->removed++;
			start_job(reload->m, JOB_REMOVE, record);
			break;
		case RELOAD_VERDICT_COUNT:
			break;
		}
	}
}

/* Adds what the registry does not know; a new supervisor comes with everything under it.
 */
static int add_units(struct reload *reload, const struct strv *names,
		struct record *supervisor)
{
	for (size_t i = 0; i < names->count; i++) {
		struct record *record =
				registry_find(&reload->m->registry, names->items[i]);
		int r = 0;

		if (!record) {
			r = tree_adopt_unit(&reload->m->registry, reload->set,
					names->items[i], supervisor, &record);
			if (r == -ENOENT)
				continue;
			if (r < 0)
				return r;
			reload_mark_stale(supervisor);
			reload->added++;
			/* One that moved comes when its old self has ended. */
			record->awaits_name = registry_find_retired(&reload->m->registry,
							      record->name) != NULL;
			if (!record->awaits_name)
				start_job(reload->m, JOB_ADD, record);
			continue;
		}
		registry_move_last(&reload->m->registry, record);
		if (record->kind == UNIT_SUPERVISOR)
			r = add_units(reload, &record->settings->unit->children, record);
		if (r < 0)
			return r;
	}
	return 0;
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
	r = add_units(&reload, &set->root_children, NULL);
	if (r < 0)
		log_error("Not all new units could be added: %s.", strerrordesc_np(-r));
	reload_update_stale(m);
	report_load(&reload);
}
