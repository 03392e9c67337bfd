/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/intent.h"

#include "manager/reload.h"

static void set_intent(struct manager *m, struct record *record,
		enum registry_intent intent, uint64_t job_id)
{
	record->intent = (uint8_t)intent;
	if (record->more)
		record->more->intent_job = intent == REGISTRY_INTENT_NONE ? 0 : job_id;
	manager_keep_note(m, record);
}

void intent_wake_alone(struct manager *m, struct record *record)
{
	if (record->rest == REGISTRY_REST_NONE)
		return;
	record->rest = REGISTRY_REST_NONE;
	manager_keep_note(m, record);
	/* What the service said of its end must not keep a new core from starting it. */
	if (record->kind == UNIT_SERVICE && !record_is_up(record))
		(void)!link_note(m->self, m->link, record->name, LINK_NOTE_SERVICE,
				(struct link_note_bytes){ NULL, 0 });
}

void intent_wake(struct manager *m, struct record *record)
{
	struct record *child;

	intent_wake_alone(m, record);
	list_foreach(child, record_children(record), link)
		intent_wake(m, child);
}

void intent_begin(struct manager *m, struct record *record, enum job_kind kind,
		uint64_t job_id)
{
	switch (kind) {
	case JOB_STOP:
		record->more->last_stop = job_id;
		set_intent(m, record, REGISTRY_INTENT_STOP, job_id);
		return;
	case JOB_RESTART:
		if (record_is_at_work(record)) {
			set_intent(m, record, REGISTRY_INTENT_RESTART, job_id);
			return;
		}
		break;
	case JOB_START:
		break;
	case JOB_RELOAD:
	case JOB_KILL:
	case JOB_FAIL:
	case JOB_REMOVE:
	case JOB_ADD:
	case JOB_UPDATE:
	case JOB_KIND_COUNT:
		return;
	}
	if (record->intent != REGISTRY_INTENT_NONE)
		set_intent(m, record, REGISTRY_INTENT_NONE, 0);
	if (!record_is_up(record))
		intent_wake(m, record);
}

bool intent_is_overruled(const struct record *record, uint64_t job_id)
{
	for (; record; record = record->supervisor)
		if (record_more(record)->last_stop > job_id)
			return true;
	return false;
}

void intent_end(struct manager *m, struct record *record, uint64_t job_id)
{
	if (record_more(record)->intent_job == job_id)
		set_intent(m, record, REGISTRY_INTENT_NONE, 0);
}

void intent_on_event(struct manager *m, struct record *record,
		const struct airs_supervisor_event *event)
{
	struct job_options options = { .kind = JOB_STOP, .record = record };

	if (event->kind != AIRS_EVENT_CHILD_STARTED &&
			event->kind != AIRS_EVENT_CHILD_IGNORED)
		return;
	if (record_more(record)->intent_job != 0 || m->phase >= MANAGER_STOPPING)
		return;
	if (record->intent == REGISTRY_INTENT_RESTART)
		options.kind = JOB_RESTART;
	else if (record->intent != REGISTRY_INTENT_STOP &&
			(record->rest != REGISTRY_REST_STOPPED || !record_is_up(record)))
		return;
	job_start(m, &options);
}

void intent_on_up(struct manager *m)
{
	struct record *record = NULL;

	while ((record = registry_next(&m->registry, record)))
		if (record->rest != REGISTRY_REST_NONE)
			reload_mark_stale(record->supervisor);
	reload_update_stale(m);
}
