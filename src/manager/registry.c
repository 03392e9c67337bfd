/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/cleanup.h"
#include "base/text.h"

/* An id is a slot below a serial number, so that one that was removed is not found. */
#define SLOT_BITS 24
#define SLOT_MASK ((UINT64_C(1) << SLOT_BITS) - 1)

struct settings *settings_ref(struct settings *settings)
{
	settings->references++;
	return settings;
}

void settings_unref(struct settings *settings)
{
	if (!settings || --settings->references > 0)
		return;
	unit_free(settings->unit);
	free(settings->supervisor);
	free(settings);
}

int settings_take(struct unit_set *set, const char *name, struct settings **ret_settings)
{
	auto_(settings) settings = NULL;
	const struct unit *unit = unit_find(set, name);

	if (!unit)
		return -ENOENT;
	settings = calloc(1, sizeof(*settings));
	if (!settings)
		return -ENOMEM;
	settings->references = 1;
	/* The name belongs to the supervisor's unit, which may go before this one. */
	if (unit->supervisor && !(settings->supervisor = strdup(unit->supervisor)))
		return -ENOMEM;
	settings->unit = unit_set_take(set, name);
	if (!settings->unit)
		return -ENOENT;
	settings->unit->supervisor = settings->supervisor;
	*ret_settings = TAKE_PTR(settings);
	return 0;
}

void registry_init(struct registry *registry)
{
	*registry = (struct registry){ 0 };
	list_init(&registry->roots);
}

static void record_free(struct record *record)
{
	if (!record)
		return;
	for (uint32_t i = 0; i < record->n_ends; i++)
		free(record->ends[i].cause);
	free(record->ends);
	free(record->last);
	free(record->status_text);
	free(record->failed_step);
	settings_unref(record->started_with);
	settings_unref(record->settings);
	free(record);
}

DEFINE_AUTO(record, record_free);

void registry_fini(struct registry *registry)
{
	struct record *record, *tmp;

	list_foreach_safe(record, tmp, &registry->roots, link)
		registry_remove(registry, record);
	map_fini(&registry->by_name);
	map_fini(&registry->by_actor);
	free(registry->slots);
	registry->slots = NULL;
}

struct record *registry_find(const struct registry *registry, const char *name)
{
	return map_find(&registry->by_name, name);
}

struct record *registry_find_id(const struct registry *registry, uint64_t id)
{
	size_t slot = id & SLOT_MASK;
	struct record *record = slot < registry->n_slots ? registry->slots[slot] : NULL;

	return record && record->id == id ? record : NULL;
}

struct record *registry_find_actor(const struct registry *registry, airs_pid actor)
{
	return actor == AIRS_PID_NONE ? NULL
				      : map_find_number(&registry->by_actor, actor);
}

/* A slot that is free. -ENOMEM. */
static int find_slot(struct registry *registry, size_t *ret_slot)
{
	size_t slot = 0, n;
	struct record **slots;

	if (registry->n_records == registry->n_slots) {
		n = registry->n_slots ? registry->n_slots + registry->n_slots / 2 : 4;
		slots = n > SLOT_MASK ? NULL
				      : reallocarray(registry->slots, n, sizeof(*slots));
		if (!slots)
			return -ENOMEM;
		memset(slots + registry->n_slots, 0,
				(n - registry->n_slots) * sizeof(*slots));
		registry->slots = slots;
		slot = registry->n_slots;
		registry->n_slots = n;
	} else if (!registry->slots[registry->n_records]) {
		slot = registry->n_records; /* none was removed: no need to look */
	}
	while (registry->slots[slot])
		slot++;
	*ret_slot = slot;
	return 0;
}

static struct list *siblings_of(struct registry *registry, struct record *supervisor)
{
	return supervisor ? &supervisor->children : &registry->roots;
}

int registry_add(struct registry *registry, struct settings *settings,
		struct record *supervisor, struct record **ret_record)
{
	auto_(settings) owned = settings;
	auto_(record) record = NULL;
	size_t slot;
	int r;

	record = calloc(1, sizeof(*record));
	if (!record)
		return -ENOMEM;
	list_init(&record->link);
	list_init(&record->children);
	record->kind = settings->unit->kind;
	record->supervisor = supervisor;
	record->substate = "stopped";
	record->result = "success";
	record->name = settings->unit->name;
	r = find_slot(registry, &slot);
	if (r < 0)
		return r;
	r = map_put(&registry->by_name, record->name, record);
	if (r < 0)
		return r;
	record->id = ++registry->last_serial << SLOT_BITS | slot;
	registry->slots[slot] = record;
	registry->n_records++;
	record->settings = TAKE_PTR(owned);
	list_append(siblings_of(registry, supervisor), &record->link);
	*ret_record = TAKE_PTR(record);
	return 0;
}

static void set_actor(struct registry *registry, struct record *record, airs_pid actor)
{
	if (record->actor == actor)
		return;
	if (record->kind != UNIT_NATIVE) {
		record->actor = actor;
		return;
	}
	if (record->actor != AIRS_PID_NONE)
		map_remove_number(&registry->by_actor, record->actor);
	record->actor = AIRS_PID_NONE;
	/* Without memory for the entry the actor's requests are refused as a stranger's.
	 */
	if (actor != AIRS_PID_NONE &&
			map_put_number(&registry->by_actor, actor, record) >= 0)
		record->actor = actor;
}

void registry_remove(struct registry *registry, struct record *record)
{
	struct record *child, *tmp;

	list_foreach_safe(child, tmp, &record->children, link)
		registry_remove(registry, child);
	set_actor(registry, record, AIRS_PID_NONE);
	if (!record->retired)
		map_remove(&registry->by_name, record->name);
	registry->slots[record->id & SLOT_MASK] = NULL;
	registry->n_records--;
	list_remove(&record->link);
	record_free(record);
}

void registry_set_settings(struct registry *registry, struct record *record,
		struct settings *settings)
{
	record->name = settings->unit->name;
	if (!record->retired)
		map_rebind(&registry->by_name, record->name);
	settings_unref(record->settings);
	record->settings = settings;
}

void registry_move_last(struct registry *registry, struct record *record)
{
	list_remove(&record->link);
	list_append(siblings_of(registry, record->supervisor), &record->link);
}

void registry_retire(struct registry *registry, struct record *record)
{
	struct record *child;

	list_foreach(child, &record->children, link)
		registry_retire(registry, child);
	if (!record->retired)
		map_remove(&registry->by_name, record->name);
	record->retired = true;
}

struct record *registry_next_beside(
		const struct registry *registry, const struct record *record)
{
	while (record) {
		const struct list *head = record->supervisor
				? &record->supervisor->children
				: &registry->roots;

		if (record->link.next != head)
			return list_entry(record->link.next, struct record, link);
		record = record->supervisor;
	}
	return NULL;
}

struct record *registry_next(const struct registry *registry, const struct record *record)
{
	if (!record)
		return list_first(&registry->roots, struct record, link);
	if (!list_is_empty(&record->children))
		return list_first(&record->children, struct record, link);
	return registry_next_beside(registry, record);
}

struct record *registry_find_retired(const struct registry *registry, const char *name)
{
	struct record *record = NULL;

	while ((record = registry_next(registry, record)))
		if (record->retired && strcmp(record->name, name) == 0)
			return record;
	return NULL;
}

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

/* An empty text is none; an unchanged one costs nothing. */
static int replace_text(char **field, const char *text)
{
	char *copy = NULL;

	if (*field && strcmp(*field, text) == 0)
		return 0;
	if (*text) {
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
	/* Without memory the text before it stays. */
	(void)!replace_text(&record->status_text, text);
}

/* NULL: out of memory. */
static char *format_error_step(const struct service_report *report)
{
	const char *why = strerrordesc_np(report->failed_errno);

	return text_format("%s: %s%s%s%s",
			report->failed_step[0] ? report->failed_step : "START",
			why ? why : "unknown error", report->failed_detail[0] ? " (" : "",
			report->failed_detail, report->failed_detail[0] ? ")" : "");
}

static int note_failed_step(struct record *record, const struct service_report *report)
{
	char *text;

	if (report->failed_errno == 0 && !report->failed_step[0])
		return replace_text(&record->failed_step, "");
	if (report->failed_errno == 0)
		text = text_format("%s: %s", report->failed_step, report->failed_detail);
	else
		text = format_error_step(report);
	if (!text)
		return -ENOMEM;
	free(record->failed_step);
	record->failed_step = text;
	return 0;
}

static void keep_last(struct record *record, const struct service_end *last)
{
	if (!last->known)
		return;
	if (!record->last)
		record->last = malloc(sizeof(*record->last));
	/* Without memory the reason of the actor has to do. */
	if (record->last)
		*record->last = *last;
}

int registry_report(struct registry *registry, struct record *record,
		const struct service_report *report)
{
	int r, q;

	set_state(record, state_of(report->state), report->substate,
			report->since_realtime_usec);
	record->since_realtime_usec = report->since_realtime_usec;
	record->result = report->result;
	record->main_pid = report->main_pid;
	record->control_pid = report->control_pid;
	record->main_start_time = report->main_start_time;
	record->start_realtime_usec = report->start_realtime_usec;
	keep_last(record, &report->last);
	set_actor(registry, record, report->actor);
	r = note_failed_step(record, report);
	/* The text of a module's actor comes by airs_status. */
	q = record->kind == UNIT_NATIVE
			? 0
			: replace_text(&record->status_text, report->status_text);
	return r < 0 ? r : q;
}

/* Room for one more end: grows with use, since most units never end. */
static struct registry_end *next_end(struct record *record)
{
	struct registry_end *end;

	if (record->n_ends == record->ends_capacity &&
			record->n_ends < REGISTRY_ENDS_MAX) {
		uint32_t capacity = record->n_ends ? record->n_ends * 2 : 1;

		end = reallocarray(record->ends, capacity, sizeof(*end));
		if (!end)
			return NULL;
		record->ends = end;
		record->ends_capacity = capacity;
		record->next_end = record->n_ends;
	}
	end = &record->ends[record->next_end];
	record->next_end = (record->next_end + 1) % record->ends_capacity;
	if (record->n_ends < record->ends_capacity)
		record->n_ends++;
	else
		free(end->cause);
	*end = (struct registry_end){ 0 };
	return end;
}

const struct registry_end *record_end(const struct record *record, uint32_t back)
{
	if (back >= record->n_ends)
		return NULL;
	return &record->ends[(record->next_end + record->ends_capacity - 1 - back) %
			record->ends_capacity];
}

int record_restore_end(struct record *record, const struct registry_end *end)
{
	struct registry_end *place = next_end(record);

	if (!place)
		return -ENOMEM;
	*place = *end;
	place->cause = NULL;
	return 0;
}

/*
 * What became of the process says more than how the actor ended, unless the actor ended
 * the process: then its reason is the cause and a signal only the means.
 */
static bool says_why(const struct airs_reason *reason)
{
	return reason->reason_class == AIRS_REASON_USER ||
			reason->reason_class == AIRS_REASON_TIMEOUT;
}

static int add_end(struct record *record, const struct airs_supervisor_event *event,
		uint64_t now_realtime_usec)
{
	struct registry_end *end = next_end(record);

	if (!end)
		return -ENOMEM;
	end->realtime_usec = now_realtime_usec;
	end->reason = event->reason;
	if (record->last && !says_why(&event->reason))
		end->reason = record->last->reason;
	if (record->last) {
		end->code = record->last->code;
		end->status = record->last->status;
	}
	end->by_supervisor = event->kind == AIRS_EVENT_CHILD_STOPPED;
	end->decision = event->decision;
	end->strategy = event->strategy;
	if (event->cause[0]) {
		end->cause = strdup(event->cause);
		if (!end->cause)
			return -ENOMEM;
	}
	return 0;
}

static void note_window(struct record *record, const struct airs_supervisor_event *event,
		uint64_t now_realtime_usec)
{
	/* Under the root each child has a window of its own, elsewhere the supervisor has
	 * one. */
	struct registry_window *window = record->supervisor
			? &record->supervisor->children_window
			: &record->window;

	window->restarts = event->restarts_in_window;
	window->realtime_usec = now_realtime_usec;
	record->attempt = event->attempt;
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

void record_stopping(struct record *record, uint64_t now)
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
	set_actor(registry, record, AIRS_PID_NONE);
	record->pid = AIRS_PID_NONE;
	settings_unref(record->started_with);
	record->started_with = NULL;
	record->main_pid = record->control_pid = 0;
	free(record->last);
	record->last = NULL;
}

static int on_end(struct registry *registry, struct record *record,
		const struct airs_supervisor_event *event, uint64_t now)
{
	int r = add_end(record, event, now);

	note_window(record, event, now);
	come_to_rest(record, event, now);
	has_ended(registry, record);
	return r;
}

static void on_starting(struct record *record, const struct airs_supervisor_event *event,
		uint64_t now)
{
	record->start_decision = event->decision;
	/* It is started with its supervisor, for the same reason. */
	if (event->decision == AIRS_DECISION_NONE && record->supervisor)
		record->start_decision = record->supervisor->start_decision;
	if (record->start_decision == AIRS_DECISION_RESTART ||
			record->start_decision == AIRS_DECISION_GROUP)
		record->restarts++;
	record->children_window = (struct registry_window){ 0 };
	record->pid = event->child;
	/* One that was stopped by name rests on when its supervisor starts again. */
	if (record->rest != REGISTRY_REST_STOPPED ||
			event->decision == AIRS_DECISION_REQUEST)
		record->rest = REGISTRY_REST_NONE;
	settings_unref(record->started_with);
	record->started_with = settings_ref(record->settings);
	record->next_restart_realtime_usec = 0;
	note_window(record, event, now);
	set_state(record, REGISTRY_STARTING, "starting", now);
}

static void on_given_up(struct registry *registry, struct record *record, uint64_t now)
{
	has_ended(registry, record);
	if (record->n_ends > 0)
		record->ends[(record->next_end + record->ends_capacity - 1) %
				      record->ends_capacity]
				.given_up = 1;
	record->rest = REGISTRY_REST_FAILED;
	set_state(record, REGISTRY_FAILED, "given-up", now);
}

int registry_event(struct registry *registry, struct record *record,
		const struct airs_supervisor_event *event, uint64_t now)
{
	switch ((enum airs_supervisor_event_kind)event->kind) {
	case AIRS_EVENT_CHILD_STARTING:
		on_starting(record, event, now);
		return 0;
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
		note_window(record, event, now);
		record->next_restart_realtime_usec = now + event->delay_usec;
		set_state(record, REGISTRY_BACKOFF, "auto-restart", now);
		return 0;
	case AIRS_EVENT_CHILD_GIVEN_UP:
		note_window(record, event, now);
		on_given_up(registry, record, now);
		return 0;
	case AIRS_EVENT_ESCALATED:
		record->children_window.restarts = event->restarts_in_window;
		record->children_window.realtime_usec = now;
		record_stopping(record, now);
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

	list_foreach(child, &record->children, link)
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
	const struct settings *settings;

	*ret_intensity = REGISTRY_ROOT_INTENSITY;
	*ret_period_usec = REGISTRY_ROOT_PERIOD_USEC;
	if (!supervisor)
		return;
	settings = supervisor->started_with ? supervisor->started_with
					    : supervisor->settings;
	*ret_intensity = settings->unit->supervising.intensity;
	*ret_period_usec = settings->unit->supervising.period_usec;
}

uint32_t record_window(const struct record *record, uint64_t now_realtime_usec)
{
	const struct registry_window *window = record->supervisor
			? &record->supervisor->children_window
			: &record->window;
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
