/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/event.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "manager/intent.h"
#include "manager/job.h"
#include "service/end.h"

void event_write(struct manager *m, enum activity_kind kind, const char *detail)
{
	struct activity_record record = { .kind = kind, .detail = detail };

	activity_write(m->self, m->activity, &record);
}

void event_write_started(struct manager *m)
{
	struct activity_record record = {
		.kind = ACTIVITY_CORE_STARTED,
		.detail = PACKAGE_VERSION,
		.cgroup = m->cgroup,
	};

	activity_write(m->self, m->activity, &record);
}

void event_on_report(struct manager *m, const struct airs_message *message)
{
	const struct service_report *report = message->data;
	struct record *record;

	if (message->size < sizeof(*report))
		return;
	record = registry_find_id(&m->registry, report->unit);
	if (!record)
		return; /* removed by a reload while its actor ended */
	if (registry_report(&m->registry, record, report) < 0)
		log_warning("%s: out of memory, its status is incomplete.", record->name);
	job_on_event(m, record);
	manager_end_inheritance(m, record);
	manager_tell_counts(m);
}

static void write_restarted(struct manager *m, const struct record *record,
		struct activity_record *activity)
{
	const struct registry_end *end = record_end(record, 0);
	char decision[256], reason[160] = "";

	registry_end_describe(record, end, decision, sizeof(decision));
	registry_end_reason(end, reason, sizeof(reason));
	activity->decision = decision;
	activity->reason = reason[0] ? reason : NULL;
	activity_write(m->self, m->activity, activity);
}

static void write_backoff(struct manager *m, const struct airs_supervisor_event *event,
		struct activity_record *activity)
{
	auto_text delay = { 0 };

	text_append_duration(&delay, event->delay_usec);
	activity->detail = text_get(&delay);
	activity->count = event->attempt;
	activity_write(m->self, m->activity, activity);
}

static void write_with_reason(struct manager *m, const struct airs_reason *end,
		struct activity_record *activity)
{
	char reason[160];

	end_describe(end, reason, sizeof(reason));
	activity->reason = reason;
	activity_write(m->self, m->activity, activity);
}

static void write_event(struct manager *m, const struct record *record,
		const struct airs_supervisor_event *event)
{
	struct activity_record activity = {
		.unit = record->name,
		.supervisor = record->supervisor ? record->supervisor->name : "",
		.actor = event->child,
	};

	switch ((enum airs_supervisor_event_kind)event->kind) {
	case AIRS_EVENT_CHILD_STARTED:
		if (event->decision != AIRS_DECISION_RESTART &&
				event->decision != AIRS_DECISION_GROUP)
			return;
		activity.kind = ACTIVITY_CHILD_RESTARTED;
		write_restarted(m, record, &activity);
		return;
	case AIRS_EVENT_CHILD_BACKOFF:
		activity.kind = ACTIVITY_CHILD_BACKOFF;
		write_backoff(m, event, &activity);
		return;
	case AIRS_EVENT_CHILD_GIVEN_UP:
		activity.kind = ACTIVITY_CHILD_GIVEN_UP;
		activity.count = event->restarts_in_window;
		write_with_reason(m, &event->reason, &activity);
		return;
	case AIRS_EVENT_CHILD_STARTING:
	case AIRS_EVENT_CHILD_IGNORED:
	case AIRS_EVENT_CHILD_START_FAILED:
	case AIRS_EVENT_CHILD_ENDED:
	case AIRS_EVENT_CHILD_STOPPED:
		return; /* the service itself has said so */
	case AIRS_EVENT_ESCALATED:
	case AIRS_EVENT_SUPERVISOR_STARTED:
	case AIRS_EVENT_SUPERVISOR_STOPPING:
	case AIRS_EVENT_SUPERVISOR_ENDED:
		return;
	}
}

static bool is_own(const struct airs_supervisor_event *event)
{
	return event->kind == AIRS_EVENT_ESCALATED ||
			event->kind == AIRS_EVENT_SUPERVISOR_STARTED ||
			event->kind == AIRS_EVENT_SUPERVISOR_STOPPING ||
			event->kind == AIRS_EVENT_SUPERVISOR_ENDED;
}

static void write_own(struct manager *m, const struct record *record,
		const struct airs_supervisor_event *event)
{
	struct activity_record activity = {
		.supervisor = record ? record->name : "root",
		.actor = event->supervisor,
	};

	if (event->kind == AIRS_EVENT_ESCALATED) {
		activity.kind = ACTIVITY_ESCALATED;
		activity.unit = event->cause[0] ? event->cause : NULL;
		activity.count = event->restarts_in_window;
	} else if (event->kind == AIRS_EVENT_SUPERVISOR_STARTED) {
		activity.kind = ACTIVITY_SUPERVISOR_STARTED;
	} else {
		activity.kind = ACTIVITY_SUPERVISOR_ENDED;
	}
	write_with_reason(m, &event->reason, &activity);
}

/* About the supervisor itself: its cookie is that of its own specification. */
static void on_own(struct manager *m, const struct airs_supervisor_event *event)
{
	struct record *record = registry_find_id(&m->registry, event->cookie);

	/* What is being stopped is told when it is. */
	if (event->kind != AIRS_EVENT_SUPERVISOR_STOPPING)
		write_own(m, record, event);
	if (record)
		(void)!registry_event(&m->registry, record, event, clock_realtime_usec());
}

static bool changes_note(const struct record *record, enum registry_rest rest,
		const struct airs_supervisor_event *event)
{
	switch ((enum airs_supervisor_event_kind)event->kind) {
	case AIRS_EVENT_CHILD_STARTED:
	case AIRS_EVENT_CHILD_IGNORED:
	case AIRS_EVENT_CHILD_START_FAILED:
	case AIRS_EVENT_CHILD_ENDED:
	case AIRS_EVENT_CHILD_STOPPED:
	case AIRS_EVENT_CHILD_GIVEN_UP:
		return true;
	case AIRS_EVENT_CHILD_STARTING:
		/* It rests no more: a new core must not think so. */
		return record->rest != rest;
	case AIRS_EVENT_CHILD_BACKOFF:
	case AIRS_EVENT_ESCALATED:
	case AIRS_EVENT_SUPERVISOR_STARTED:
	case AIRS_EVENT_SUPERVISOR_STOPPING:
	case AIRS_EVENT_SUPERVISOR_ENDED:
		return false;
	}
	return false;
}

static bool is_end(const struct airs_supervisor_event *event)
{
	return event->kind == AIRS_EVENT_CHILD_ENDED ||
			event->kind == AIRS_EVENT_CHILD_STOPPED ||
			event->kind == AIRS_EVENT_CHILD_START_FAILED;
}

/* The link hears of an actor that was killed: what it left must not stay. */
static void tell_link(struct manager *m, const struct record *record,
		const struct airs_supervisor_event *event)
{
	if (record->kind == UNIT_SERVICE && !record->detached)
		(void)!link_abandon(m->self, m->link, record->name, event->child);
}

void event_on_supervisor(struct manager *m, const struct airs_supervisor_event *event)
{
	struct record *record;
	enum registry_rest rest;

	if (is_own(event)) {
		on_own(m, event);
		return;
	}
	record = registry_find_id(&m->registry, event->cookie);
	if (!record)
		return; /* removed by a reload */
	rest = (enum registry_rest)record->rest;
	if (is_end(event))
		tell_link(m, record, event);
	if (registry_event(&m->registry, record, event, clock_realtime_usec()) < 0)
		log_warning("%s: out of memory, its history is incomplete.",
				record->name);
	write_event(m, record, event);
	if (changes_note(record, rest, event))
		manager_keep_note(m, record);
	job_on_event(m, record);
	intent_on_event(m, record, event);
}
