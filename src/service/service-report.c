/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdio.h>
#include <string.h>

#include "host/activity.h"
#include "service/note.h"
#include "service/service-impl.h"

static const char *public_state(const struct service *s)
{
	if (s->state == FSM_DEAD)
		return s->result == END_SUCCESS ? "stopped" : "failed";
	if (s->state == FSM_RUNNING && s->notify_stopping)
		return "stopping";
	if (s->state == FSM_RUNNING && s->notify_reloading)
		return "reloading";
	return fsm_public_state(s->state);
}

static void fill_end(const struct service *s, struct service_end *end)
{
	if (s->main.state != PROCESS_ENDED && s->state != FSM_DEAD)
		return;
	end->known = s->main.state == PROCESS_ENDED || s->result != END_SUCCESS;
	end->pid = s->ended_pid;
	/* A failure says more than how the process ended in the ladder. */
	end->reason = s->main.pid != 0 && s->result == END_SUCCESS
			? end_reason(s->main_end)
			: s->reason;
	if (s->main.pid != 0 && s->main_end.status_known) {
		end->code = s->main_end.code;
		end->status = s->main_end.status;
	}
	end->realtime_usec = s->ended_realtime_usec;
	end->cpu_usec = s->cpu_usec;
	end->memory_peak_bytes = s->memory_peak_bytes;
}

static void fill_failure(const struct service *s, struct service_report *report)
{
	if (!s->failure)
		return;
	report->failed_errno = s->failure->error;
	memcpy(report->failed_step, s->failure->step, sizeof(report->failed_step));
	memcpy(report->failed_detail, s->failure->detail, sizeof(report->failed_detail));
}

void service_report(struct airs_actor *self, struct service *s)
{
	struct service_report report = {
		.actor = airs_self(self),
		.state = public_state(s),
		.substate = fsm_substate(s->state),
		.result = end_result_text(s->result),
		.main_pid = s->main.state == PROCESS_ALIVE ? s->main.pid : 0,
		.control_pid = s->control.state == PROCESS_ALIVE ? s->control.pid : 0,
		.since_realtime_usec = s->since_realtime_usec,
		.start_realtime_usec = s->start_realtime_usec,
		.main_start_time = s->main.start_time,
		.adopted = s->adopted,
		.final = s->finished,
	};

	s->changed = false;
	if (s->observer == AIRS_PID_NONE)
		return;
	(void)snprintf(report.name, sizeof(report.name), "%s", s->unit->name);
	if (s->status_text)
		(void)snprintf(report.status_text, sizeof(report.status_text), "%s",
				s->status_text);
	fill_end(s, &report.last);
	fill_failure(s, &report);
	/* An observer that has no memory for it hears the next one. */
	IGNORE_RESULT(airs_send(
			self, s->observer, SERVICE_REPORT, &report, sizeof(report)));
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
	if (s->result != END_SUCCESS && fsm_timer(s->state) == FSM_TIMER_STOP)
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
		.result = s->result,
		.reason = s->reason,
		.ended_realtime_usec = s->ended_realtime_usec,
	};
	size_t size = note.phase == NOTE_NONE ? 0 : note_encode(&note, buffer);

	/* The first one says also that there is none any more. Lost for want of memory,
	 * the next one makes it good. */
	if (!s->attached || (size == 0 && s->note_empty))
		return;
	s->note_empty = size == 0;
	IGNORE_RESULT(link_note(self, s->link_pid, s->unit->name, LINK_NOTE_SERVICE,
			(struct link_note_bytes){ buffer, size }));
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
	if (s->activity != AIRS_PID_NONE)
		activity_write(self, s->activity, record);
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
		.unit = s->unit->name,
		.supervisor = s->unit->supervisor ? s->unit->supervisor : "",
		.actor = airs_self(self),
		.pid = s->main.pid,
		.detail = detail,
	};

	if (s->activity == AIRS_PID_NONE)
		return;
	if (tells_reason(kind))
		record.reason = service_reason_text(&s->reason, text, sizeof(text));
	service_write_record(self, s, &record);
}
