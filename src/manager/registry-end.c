/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "manager/registry.h"
#include "service/end.h"

#define NOTE_VERSION 2

/* Room for one more end: grows with use, since most units never end. */
static struct registry_end *next_end(struct record *record)
{
	struct record_more *more = record_make_more(record);
	struct registry_end *end;

	if (!more)
		return NULL;
	if (more->n_ends == more->ends_capacity && more->n_ends < REGISTRY_ENDS_MAX) {
		uint32_t capacity = more->n_ends ? more->n_ends * 2 : 1;

		end = reallocarray(more->ends, capacity, sizeof(*end));
		if (!end)
			return NULL;
		more->ends = end;
		more->ends_capacity = capacity;
		more->next_end = more->n_ends;
	}
	end = &more->ends[more->next_end];
	more->next_end = (more->next_end + 1) % more->ends_capacity;
	if (more->n_ends < more->ends_capacity)
		more->n_ends++;
	else
		free(end->cause);
	*end = (struct registry_end){ 0 };
	return end;
}

static struct registry_end *get_end(const struct record *record, uint32_t back)
{
	const struct record_more *more = record_more(record);

	if (back >= more->n_ends)
		return NULL;
	return &more->ends[(more->next_end + more->ends_capacity - 1 - back) %
			more->ends_capacity];
}

const struct registry_end *record_end(const struct record *record, uint32_t back)
{
	return get_end(record, back);
}

void record_mark_given_up(struct record *record)
{
	struct registry_end *end = get_end(record, 0);

	if (end)
		end->given_up = 1;
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

int record_add_end(struct record *record, const struct airs_supervisor_event *event,
		uint64_t now_realtime_usec)
{
	struct registry_end *end = next_end(record);
	const struct service_end *last = record_more(record)->last;

	if (!end)
		return -ENOMEM;
	end->realtime_usec = now_realtime_usec;
	end->reason = event->reason;
	if (last && !says_why(&event->reason))
		end->reason = last->reason;
	if (last) {
		end->code = last->code;
		end->status = last->status;
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

static const char *strategy_name(const struct registry_end *end)
{
	return unit_strategy_name((enum unit_strategy)end->strategy);
}

static void describe_given_up(const struct record *record, char *buffer, size_t size)
{
	auto_text t = { 0 };
	uint32_t intensity;
	uint64_t period;

	record_limits(record, &intensity, &period);
	text_printf(&t, "given up after more than %u restarts within ", intensity);
	text_append_duration(&t, period);
	(void)snprintf(buffer, size, "%s", text_get(&t));
}

void registry_end_reason(const struct registry_end *end, char *buffer, size_t size)
{
	struct airs_reason process;
	char text[END_TEXT_SIZE];

	buffer[0] = '\0';
	if (!end)
		return;
	end_describe(&end->reason, buffer, size);
	/* What a late process came to is worth knowing too. */
	if (end->reason.reason_class != AIRS_REASON_TIMEOUT || end->code == 0)
		return;
	process = airs_reason_make(AIRS_REASON_PROCESS, end->code, NULL);
	process.status = end->status;
	end_describe(&process, text, sizeof(text));
	(void)snprintf(buffer + strlen(buffer), size - strlen(buffer), ", %s", text);
}

static void describe_escalation(const struct record *record,
		const struct registry_end *end, char *buffer, size_t size)
{
	const char *supervisor =
			record->supervisor ? record->supervisor->name : "the root";

	if (end->by_supervisor)
		(void)snprintf(buffer, size,
				"stopped with %s, which had too many restarts",
				supervisor);
	else
		(void)snprintf(buffer, size, "one restart too many: %s was ended",
				supervisor);
}

/* The newest end of one that waits for its restart. */
static bool is_to_come(const struct record *record, const struct registry_end *end)
{
	return record->state == REGISTRY_BACKOFF && end == record_end(record, 0);
}

void registry_end_describe(const struct record *record, const struct registry_end *end,
		char *buffer, size_t size)
{
	const char *cause;

	buffer[0] = '\0';
	if (!end)
		return;
	if (end->given_up) {
		describe_given_up(record, buffer, size);
		return;
	}
	cause = end->cause ? end->cause : "a sibling";
	switch ((enum airs_supervisor_decision)end->decision) {
	case AIRS_DECISION_NONE:
		(void)snprintf(buffer, size, "left stopped (restart %s)",
				unit_restart_name((enum unit_restart)record->restart));
		return;
	case AIRS_DECISION_RESTART:
		(void)snprintf(buffer, size, "%s (%s)",
				is_to_come(record, end) ? "to be restarted" : "restarted",
				strategy_name(end));
		return;
	case AIRS_DECISION_GROUP:
		(void)snprintf(buffer, size,
				"restarted with its group after %s ended (%s)", cause,
				strategy_name(end));
		return;
	case AIRS_DECISION_REQUEST:
		(void)snprintf(buffer, size, "%s",
				record->rest == REGISTRY_REST_FAILED &&
								end == record_end(record, 0)
						? "started by the administrator, not "
						  "tried again"
						: "stopped by the administrator");
		return;
	case AIRS_DECISION_SHUTDOWN:
		(void)snprintf(buffer, size, "stopped with its supervisor");
		return;
	case AIRS_DECISION_ESCALATE:
		describe_escalation(record, end, buffer, size);
		return;
	}
}

static void put_end(struct wire_writer *w, const struct registry_end *end)
{
	wire_put_u64(w, end->realtime_usec);
	wire_put_u32(w, end->reason.reason_class);
	wire_put_u32(w, end->reason.flags);
	wire_put_i32(w, end->reason.code);
	wire_put_i32(w, end->reason.status);
	wire_put_u64(w, end->reason.detail);
	wire_put_text(w, end->reason.text);
	wire_put_u32(w, end->decision);
	wire_put_u32(w, end->strategy);
	wire_put_u32(w, end->given_up);
	wire_put_u32(w, end->by_supervisor);
	wire_put_i32(w, end->code);
	wire_put_i32(w, end->status);
}

size_t record_note(const struct record *record, void *buffer, size_t capacity)
{
	const struct registry_end *end = record_end(record, 0);
	uint64_t restarts = record_more(record)->restarts;
	struct wire_writer w;

	if (record->rest == REGISTRY_REST_NONE && restarts == 0 && !end &&
			record->intent == REGISTRY_INTENT_NONE)
		return 0;
	wire_writer_init(&w, buffer, capacity);
	wire_put_u8(&w, NOTE_VERSION);
	wire_put_u8(&w, (uint8_t)record->rest);
	wire_put_u8(&w, (uint8_t)record->intent);
	wire_put_u64(&w, restarts);
	wire_put_u64(&w, record->since_realtime_usec);
	wire_put_u8(&w, end ? 1 : 0);
	if (end)
		put_end(&w, end);
	return w.failed ? 0 : w.size;
}

static int read_end(struct wire_reader *r, struct registry_end *ret_end)
{
	struct registry_end end = { 0 };
	uint32_t reason_class;
	const char *text;

	end.realtime_usec = wire_get_u64(r);
	reason_class = wire_get_u32(r);
	end.reason.flags = (uint16_t)wire_get_u32(r);
	end.reason.code = wire_get_i32(r);
	end.reason.status = wire_get_i32(r);
	end.reason.detail = wire_get_u64(r);
	text = wire_get_text(r);
	end.decision = wire_get_u32(r);
	end.strategy = wire_get_u32(r);
	end.given_up = wire_get_u32(r);
	end.by_supervisor = wire_get_u32(r);
	end.code = wire_get_i32(r);
	end.status = wire_get_i32(r);
	if (reason_class >= AIRS_REASON_CLASS_COUNT || !text ||
			end.decision > AIRS_DECISION_ESCALATE ||
			end.strategy > AIRS_REST_FOR_ONE)
		return -EBADMSG;
	end.reason.reason_class = (uint16_t)reason_class;
	(void)snprintf(end.reason.text, sizeof(end.reason.text), "%s", text);
	*ret_end = end;
	return 0;
}

static void apply_rest(struct record *record, enum registry_rest rest)
{
	record->rest = (uint8_t)rest;
	if (rest == REGISTRY_REST_NONE)
		return;
	record->state = rest == REGISTRY_REST_FAILED ? REGISTRY_FAILED : REGISTRY_STOPPED;
	record->substate = rest == REGISTRY_REST_FAILED ? "failed" : "dead";
}

int record_note_apply(struct record *record, const void *data, size_t size)
{
	struct registry_end end = { 0 };
	struct wire_reader r;
	uint64_t restarts, since;
	uint8_t version, rest, intent, has_end;

	wire_reader_init(&r, data, size);
	version = wire_get_u8(&r);
	rest = wire_get_u8(&r);
	intent = wire_get_u8(&r);
	restarts = wire_get_u64(&r);
	since = wire_get_u64(&r);
	has_end = wire_get_u8(&r);
	if (version != NOTE_VERSION || rest >= REGISTRY_REST_COUNT ||
			intent >= REGISTRY_INTENT_COUNT || has_end > 1)
		return -EBADMSG;
	if (has_end && read_end(&r, &end) < 0)
		return -EBADMSG;
	if (wire_reader_finish(&r) < 0)
		return -EBADMSG;
	if (restarts > 0 && !record_make_more(record))
		return -ENOMEM;
	if (has_end && record_restore_end(record, &end) < 0)
		return -ENOMEM;
	if (record->more)
		record->more->restarts = restarts;
	record->since_realtime_usec = since;
	record->note_written = true;
	record->intent = intent;
	apply_rest(record, (enum registry_rest)rest);
	return 0;
}
