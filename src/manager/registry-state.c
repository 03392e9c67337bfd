/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "manager/failure.h"
#include "manager/registry.h"

/* clang-format off */
static const char *const state_names[REGISTRY_STATE_COUNT] = {
	[REGISTRY_STOPPED]   = "stopped",
	[REGISTRY_STARTING]  = "starting",
	[REGISTRY_RUNNING]   = "running",
	[REGISTRY_RELOADING] = "reloading",
	[REGISTRY_STOPPING]  = "stopping",
	[REGISTRY_BACKOFF]   = "backoff",
	[REGISTRY_FAILED]    = "failed",
	[REGISTRY_EXITED]    = "exited",
};
/* clang-format on */

const char *registry_state_name(enum registry_state state)
{
	return state_names[state];
}

static enum registry_state state_of(const char *name)
{
	for (unsigned int i = 0; i < REGISTRY_STATE_COUNT; i++)
		if (strcmp(state_names[i], name) == 0)
			return (enum registry_state)i;
	return REGISTRY_STOPPED;
}

static void set_state(struct record *record, enum registry_state state,
		const char *substate, uint64_t since_realtime_usec)
{
	if (record->state != state)
		record->since_realtime_usec = since_realtime_usec;
	record->state = state;
	record->substate = substate;
}

/* An empty text is none, as NULL is; an unchanged one costs nothing. */
static int replace_text(char **field, const char *text)
{
	char *copy = NULL;

	if (text_equals(*field, text))
		return 0;
	if (text && *text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
	}
	free(*field);
	*field = copy;
	return 0;
}

void registry_set_status_text(struct record *record, const char *text)
{
	struct record_more *more = record_make_more(record);

	/* Without memory the text before it stays. */
	if (more)
		(void)!replace_text(&more->status_text, text);
}

static int note_failed_step(struct record_more *more, const struct service_report *report)
{
	const char *detail = report->failed_detail;
	char *text;

	if (report->failed_errno == 0 && !report->failed_step)
		return replace_text(&more->failed_step, NULL);
	if (report->failed_errno == 0)
		text = text_format("%s: %s", report->failed_step, detail ? detail : "");
	else
		text = failure_describe(
				report->failed_step, report->failed_errno, detail);
	if (!text)
		return -ENOMEM;
	free(more->failed_step);
	more->failed_step = text;
	return 0;
}

/* Without memory the reason of the actor has to do. */
static void keep_last(struct record *record, const struct service_end *last)
{
	struct record_more *more = last ? record_make_more(record) : NULL;

	if (!more)
		return;
	if (!more->last)
		more->last = malloc(sizeof(*more->last));
	if (more->last)
		*more->last = *last;
}

/* Most units have nothing of it most of the time. */
static void drop_empty_more(struct record *record)
{
	static const struct record_more nothing;

	if (!record->more || memcmp(record->more, &nothing, sizeof(nothing)) != 0)
		return;
	free(record->more);
	record->more = NULL;
}

static int report_details(struct record *record, const struct service_report *report)
{
	const struct record_more *before = record_more(record);
	bool is_plain = report->control_pid == 0 && report->failed_errno == 0 &&
			!report->failed_step && !report->status_text;
	struct record_more *more;
	int r, q;

	if (is_plain && before->control_pid == 0 && !before->failed_step &&
			!before->status_text)
		return 0;
	more = record_make_more(record);
	if (!more)
		return -ENOMEM;
	more->control_pid = report->control_pid;
	r = note_failed_step(more, report);
	/* The text of a module's actor comes by airs_status. */
	q = record->kind == UNIT_NATIVE
			? 0
			: replace_text(&more->status_text, report->status_text);
	drop_empty_more(record);
	return r < 0 ? r : q;
}

int registry_report(struct registry *registry, struct record *record,
		const struct service_report *report)
{
	set_state(record, state_of(report->state), report->substate,
			report->since_realtime_usec);
	record->since_realtime_usec = report->since_realtime_usec;
	record->result = report->result;
	record->main_pid = report->main_pid;
	record->start_realtime_usec = report->start_realtime_usec;
	record->detached = report->final;
	keep_last(record, report->last);
	registry_set_actor(registry, record, report->actor);
	return report_details(record, report);
}

/* Under the root each child has a window of its own, elsewhere the supervisor has one. */
static void note_window(struct record *record, const struct airs_supervisor_event *event,
		uint64_t now_realtime_usec)
{
	struct registry_window window = { event->restarts_in_window, now_realtime_usec };
	bool is_plain = event->attempt == 0 && event->restarts_in_window == 0;
	struct record_more *more = record->more;

	if (record->supervisor)
		record->supervisor->group->window = window;
	/* Without memory it is as if it were the first. */
	if (!is_plain)
		more = record_make_more(record);
	if (!more)
		return;
	more->attempt = event->attempt;
	if (!record->supervisor)
		more->window = window;
}

static void rest_as(struct record *record, enum registry_rest rest, uint64_t now)
{
	record->rest = rest;
	if (rest == REGISTRY_REST_FAILED)
		set_state(record, REGISTRY_FAILED, "failed", now);
	else
		set_state(record, REGISTRY_STOPPED, "dead", now);
}

void record_rest(struct record *record, uint64_t now)
{
	if (record->pid == AIRS_PID_NONE)
		rest_as(record, REGISTRY_REST_STOPPED, now);
}

/* A supervisor begins to end. One that was told too late is down already. */
static void on_stopping(struct record *record, uint64_t now)
{
	if (record->pid != AIRS_PID_NONE)
		set_state(record, REGISTRY_STOPPING, "stopping", now);
}

/* How a unit rests whose actor has ended. What is restarted does not: STARTING or BACKOFF
 * follows. */
static void come_to_rest(struct record *record, const struct airs_supervisor_event *event,
		uint64_t now)
{
	bool failed = record->state == REGISTRY_FAILED ||
			event->kind == AIRS_EVENT_CHILD_START_FAILED ||
			!airs_reason_is_orderly(&event->reason);

	switch ((enum airs_supervisor_decision)event->decision) {
	case AIRS_DECISION_RESTART:
		return;
	case AIRS_DECISION_NONE:
		rest_as(record, failed ? REGISTRY_REST_FAILED : REGISTRY_REST_DONE, now);
		return;
	case AIRS_DECISION_REQUEST:
		failed = event->kind == AIRS_EVENT_CHILD_START_FAILED;
		rest_as(record, failed ? REGISTRY_REST_FAILED : REGISTRY_REST_STOPPED,
				now);
		return;
	case AIRS_DECISION_GROUP:
	case AIRS_DECISION_SHUTDOWN:
		set_state(record, REGISTRY_STOPPED, "dead", now);
		return;
	case AIRS_DECISION_ESCALATE:
		/* The child whose end was one too many; its siblings were merely stopped.
		 */
		failed = event->kind != AIRS_EVENT_CHILD_STOPPED;
		set_state(record, failed ? REGISTRY_FAILED : REGISTRY_STOPPED,
				failed ? "failed" : "dead", now);
		return;
	}
}

static void has_ended(struct registry *registry, struct record *record)
{
	registry_set_actor(registry, record, AIRS_PID_NONE);
	record->pid = AIRS_PID_NONE;
	record->main_pid = 0;
	/* Those of others are theirs. */
	if (record->kind == UNIT_SUPERVISOR)
		service_unit_renew(&record->unit);
	if (!record->more)
		return;
	record->more->control_pid = 0;
	free(record->more->last);
	record->more->last = NULL;
}

static int on_end(struct registry *registry, struct record *record,
		const struct airs_supervisor_event *event, uint64_t now)
{
	int r = record_add_end(record, event, now);

	note_window(record, event, now);
	come_to_rest(record, event, now);
	has_ended(registry, record);
	if (event->decision != AIRS_DECISION_RESTART)
		service_unit_drop_spare(&record->unit);
	return r;
}

/* It is started with its supervisor for the same reason as that. */
static uint32_t decision_of_start(
		const struct record *record, const struct airs_supervisor_event *event)
{
	if (event->decision == AIRS_DECISION_NONE && record->supervisor)
		return record_more(record->supervisor)->start_decision;
	return event->decision;
}

static int count_start(struct record *record, uint32_t decision)
{
	struct record_more *more = record->more;

	if (decision != AIRS_DECISION_NONE)
		more = record_make_more(record);
	if (!more)
		return decision == AIRS_DECISION_NONE ? 0 : -ENOMEM;
	more->start_decision = decision;
	more->next_restart_realtime_usec = 0;
	if (decision == AIRS_DECISION_RESTART || decision == AIRS_DECISION_GROUP)
		more->restarts++;
	return 0;
}

static int on_starting(struct record *record, const struct airs_supervisor_event *event,
		uint64_t now)
{
	int r = count_start(record, decision_of_start(record, event));

	record->pid = event->child;
	record->detached = false;
	/* One that was stopped by name rests on when its supervisor starts again. */
	if (record->rest != REGISTRY_REST_STOPPED ||
			event->decision == AIRS_DECISION_REQUEST)
		record->rest = REGISTRY_REST_NONE;
	if (record->group) {
		record->group->window = (struct registry_window){ 0 };
		service_unit_renew(&record->unit);
	}
	note_window(record, event, now);
	set_state(record, REGISTRY_STARTING, "starting", now);
	return r;
}

static void on_given_up(struct registry *registry, struct record *record, uint64_t now)
{
	has_ended(registry, record);
	service_unit_drop_spare(&record->unit);
	record_mark_given_up(record);
	record->rest = REGISTRY_REST_FAILED;
	set_state(record, REGISTRY_FAILED, "given-up", now);
}

static int on_backoff(struct record *record, const struct airs_supervisor_event *event,
		uint64_t now)
{
	struct record_more *more = record_make_more(record);

	note_window(record, event, now);
	service_unit_drop_spare(&record->unit);
	set_state(record, REGISTRY_BACKOFF, "auto-restart", now);
	if (!more)
		return -ENOMEM;
	more->next_restart_realtime_usec = now + event->delay_usec;
	return 0;
}

int registry_event(struct registry *registry, struct record *record,
		const struct airs_supervisor_event *event, uint64_t now)
{
	switch ((enum airs_supervisor_event_kind)event->kind) {
	case AIRS_EVENT_CHILD_STARTING:
		return on_starting(record, event, now);
	case AIRS_EVENT_CHILD_STARTED:
		record->pid = event->child;
		/* Services and native actors have said how they stand. */
		if (record->kind == UNIT_SUPERVISOR || record->state == REGISTRY_STARTING)
			set_state(record, REGISTRY_RUNNING, "running", now);
		return 0;
	case AIRS_EVENT_CHILD_IGNORED:
		has_ended(registry, record);
		if (record->rest != REGISTRY_REST_STOPPED)
			record->rest = REGISTRY_REST_DONE;
		set_state(record, REGISTRY_STOPPED, "dead", now);
		return 0;
	case AIRS_EVENT_CHILD_START_FAILED:
	case AIRS_EVENT_CHILD_ENDED:
	case AIRS_EVENT_CHILD_STOPPED:
		return on_end(registry, record, event, now);
	case AIRS_EVENT_CHILD_BACKOFF:
		return on_backoff(record, event, now);
	case AIRS_EVENT_CHILD_GIVEN_UP:
		note_window(record, event, now);
		on_given_up(registry, record, now);
		return 0;
	case AIRS_EVENT_ESCALATED:
		if (record->group)
			record->group->window = (struct registry_window){
				event->restarts_in_window, now
			};
		on_stopping(record, now);
		return 0;
	case AIRS_EVENT_SUPERVISOR_STOPPING:
		on_stopping(record, now);
		return 0;
	case AIRS_EVENT_SUPERVISOR_STARTED:
	case AIRS_EVENT_SUPERVISOR_ENDED:
		return 0; /* the parent's events about its child say the same */
	}
	return 0;
}

bool record_is_up(const struct record *record)
{
	return record->pid != AIRS_PID_NONE;
}

bool record_is_at_work(const struct record *record)
{
	return record_is_up(record) || record->state == REGISTRY_BACKOFF;
}

enum service_wish record_wish(const struct record *record)
{
	enum service_wish wish = SERVICE_WANTED;

	for (; record; record = record->supervisor) {
		if (record->intent != REGISTRY_INTENT_NONE)
			wish = SERVICE_LEAVING;
		else if (record->rest == REGISTRY_REST_STOPPED)
			return SERVICE_HELD;
	}
	return wish;
}

static bool has_failed_below(const struct record *record)
{
	const struct record *child;

	list_foreach(child, record_children(record), link)
		if (child->state == REGISTRY_FAILED || child->state == REGISTRY_BACKOFF ||
				has_failed_below(child))
			return true;
	return false;
}

const char *registry_substate(const struct record *record)
{
	if (record->kind == UNIT_SUPERVISOR && record->state == REGISTRY_RUNNING &&
			has_failed_below(record))
		return "degraded";
	return record->substate;
}

void record_limits(const struct record *record, uint32_t *ret_intensity,
		uint64_t *ret_period_usec)
{
	const struct record *supervisor = record->supervisor;
	const struct unit *unit;

	*ret_intensity = REGISTRY_ROOT_INTENSITY;
	*ret_period_usec = REGISTRY_ROOT_PERIOD_USEC;
	if (!supervisor)
		return;
	unit = supervisor->unit.kept ? supervisor->unit.kept : supervisor->group->unit;
	*ret_intensity = unit->supervising.intensity;
	*ret_period_usec = unit->supervising.period_usec;
}

uint32_t record_window(const struct record *record, uint64_t now_realtime_usec)
{
	const struct registry_window *window = record->supervisor
			? &record->supervisor->group->window
			: &record_more(record)->window;
	uint32_t intensity;
	uint64_t period;

	record_limits(record, &intensity, &period);
	if (now_realtime_usec > window->realtime_usec &&
			now_realtime_usec - window->realtime_usec > period)
		return 0;
	return window->restarts;
}

struct registry_counts registry_count(const struct registry *registry)
{
	struct registry_counts counts = { 0 };
	const struct record *record = NULL;

	while ((record = registry_next(registry, record))) {
		counts.units++;
		if (record->kind == UNIT_SUPERVISOR)
			continue;
		if (record->state == REGISTRY_FAILED)
			counts.failed++;
		else if (record_is_up(record))
			counts.running++;
	}
	return counts;
}
