/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdio.h>
#include <string.h>

#include "host/activity.h"
#include "service/note.h"
#include "service/service-impl.h"

static const char *public_state(const struct service *s)
{
	if (s->state == FSM_DEAD)
		return s->work->result == END_SUCCESS ? "stopped" : "failed";
	if (s->state == FSM_RUNNING && s->notify_stopping)
		return "stopping";
	if (s->state == FSM_RUNNING && s->notify_reloading)
		return "reloading";
	return fsm_public_state(s->state);
}

/* How the main process ended; false while that is not known. */
static bool describe_end(const struct service *s, struct service_end *end)
{
	const struct service_work *w = s->work;
	bool has_ended = s->main.state == PROCESS_ENDED;

	if (!has_ended && (s->state != FSM_DEAD || w->result == END_SUCCESS))
		return false;
	/* A failure says more than how the process ended in the ladder. */
	*end = (struct service_end){
		.pid = w->ended_pid,
		.reason = s->main.pid != 0 && w->result == END_SUCCESS
				? end_reason(w->main_end)
				: w->reason,
		.realtime_usec = w->ended_realtime_usec,
		.cpu_usec = w->cpu_usec,
		.memory_peak_bytes = w->memory_peak_bytes,
	};
	if (s->main.pid != 0 && w->main_end.status_known) {
		end->code = w->main_end.code;
		end->status = w->main_end.status;
	}
	return true;
}

void service_report(struct airs_actor *self, struct service *s)
{
	const struct service_work *w = s->work;
	const struct service_failure *f = w->failure;
	struct service_end end;
	struct service_report report = {
		.unit = s->identity->id,
		.actor = airs_self(self),
		.state = public_state(s),
		.substate = fsm_substate((enum fsm_state)s->state),
		.result = end_result_text((enum end_result)w->result),
		.main_pid = s->main.state == PROCESS_ALIVE ? s->main.pid : 0,
		.control_pid = w->control.state == PROCESS_ALIVE ? w->control.pid : 0,
		.since_realtime_usec = s->since_realtime_usec,
		.start_realtime_usec = s->start_realtime_usec,
		.last = describe_end(s, &end) ? &end : NULL,
		.failed_step = f && *f->step ? f->step : NULL,
		.failed_detail = f && *f->detail ? f->detail : NULL,
		.failed_errno = f ? f->error : 0,
		.adopted = s->adopted,
		.final = s->finished,
		.status_text = s->status_text,
	};

	s->changed = false;
	/* An observer that has no memory for it hears the next one. */
	IGNORE_RESULT(service_report_send(self, s->context->observer, &report));
}

static enum note_phase phase_of(const struct service *s)
{
	enum unit_service_type type = service_settings(s)->type;

	if (s->finished)
		return s->over ? NOTE_OVER : NOTE_NONE;
	/* The start may not begin before the earlier stop is finished. */
	if (s->state == FSM_CLEAR || s->state == FSM_CLEAR_KILL)
		return NOTE_STOPPING;
	if (s->stop_requested && fsm_timer(s->state) == FSM_TIMER_STOP)
		return NOTE_STOPPING;
	if (s->work->result != END_SUCCESS && fsm_timer(s->state) == FSM_TIMER_STOP)
		return NOTE_FAILING;
	if (s->state == FSM_EXITED)
		return NOTE_EXITED;
	if (!s->acknowledged && s->state != FSM_RUNNING)
		return type == UNIT_SIMPLE || type == UNIT_EXEC ? NOTE_NONE
								: NOTE_STARTING;
	/* Without a note a simple service that lives is taken for running. */
	if ((type == UNIT_SIMPLE || type == UNIT_EXEC) && !s->status_text)
		return NOTE_NONE;
	return NOTE_RUNNING;
}

void service_write_note(struct airs_actor *self, struct service *s)
{
	uint8_t buffer[NOTE_SIZE_MAX];
	struct note note = {
		.phase = phase_of(s),
		.since_realtime_usec = s->since_realtime_usec,
		.start_realtime_usec = s->start_realtime_usec,
		.status_text = s->status_text,
		.result = s->work->result,
		.reason = s->work->reason,
		.ended_realtime_usec = s->work->ended_realtime_usec,
	};
	size_t size = note.phase == NOTE_NONE ? 0 : note_encode(&note, buffer);

	/* The first one says also that there is none any more. Lost for want of memory,
	 * the next one makes it good. */
	if (!s->attached || (size == 0 && s->note_empty))
		return;
	s->note_empty = size == 0;
	IGNORE_RESULT(link_note(self, s->context->link, service_name(s),
			LINK_NOTE_SERVICE, (struct link_note_bytes){ buffer, size }));
}

const char *service_reason_text(
		const struct airs_reason *reason, char *buffer, size_t size)
{
	end_describe(reason, buffer, size);
	return buffer;
}

void service_write_record(struct airs_actor *self, struct service *s,
		const struct activity_record *record)
{
	if (s->context->activity != AIRS_PID_NONE)
		activity_write(self, s->context->activity, record);
}

/* Whether a record of this kind tells a reason. */
static bool tells_reason(enum activity_kind kind)
{
	return kind == ACTIVITY_SERVICE_FAILED || kind == ACTIVITY_SERVICE_STOPPED ||
			kind == ACTIVITY_SERVICE_DONE || kind == ACTIVITY_SERVICE_ENDED;
}

void service_log(struct airs_actor *self, struct service *s, enum activity_kind kind,
		const char *detail)
{
	char text[128];
	struct activity_record record = {
		.kind = kind,
		.unit = service_name(s),
		.supervisor = s->unit->supervisor ? s->unit->supervisor : "",
		.actor = airs_self(self),
		.pid = s->main.pid,
		.detail = detail,
	};

	if (s->context->activity == AIRS_PID_NONE)
		return;
	if (tells_reason(kind))
		record.reason = service_reason_text(&s->work->reason, text, sizeof(text));
	service_write_record(self, s, &record);
}
