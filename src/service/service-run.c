/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Types of service, by what makes them ready:
 *
 *   simple, exec  the main process was spawned: the keeper answers after its exec
 *   notify        READY=1
 *   oneshot       the last command of ExecStart= has ended well
 *   forking       the started process has ended well and, with PIDFile=, the file names a
 *                 process of the service; without, GuessMainPID= has it guessed, and it is
 *                 no matter when it cannot be
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/text.h"
#include "service/service-impl.h"

#define PID_FILE_POLL_USEC (50 * USEC_PER_MSEC)

void service_set_result(struct service *s, enum end_result result,
		const struct airs_reason *reason)
{
	if (s->work->result != END_SUCCESS || result == END_SUCCESS)
		return;
	s->work->result = result;
	s->work->reason = *reason;
}

static const struct unit_command *get_command(
		const struct service *s, uint32_t kind, uint32_t index)
{
	const struct unit_commands *commands = &service_settings(s)->commands[kind];

	return index < commands->count ? &commands->items[index] : NULL;
}

static void spawn(struct airs_actor *self, struct service *s)
{
	char status[16];
	struct process_end end = s->work->main_end;
	struct link_spawn request = {
		.unit = service_name(s),
		.kind = s->work->run_kind,
		.index = s->work->run_index,
	};
	struct airs_reason reason;

	if (s->work->run_kind == UNIT_EXEC_STOP ||
			s->work->run_kind == UNIT_EXEC_STOP_POST) {
		request.result = end_result_text(s->work->result);
		if (s->main.state == PROCESS_ENDED && end.status_known) {
			end_status_text(end, status, sizeof(status));
			request.exit_code = end_code_text(end);
			request.exit_status = status;
		}
	}
	s->was_empty = s->empty;
	s->empty = false;
	s->work->signal_all_call = 0;
	if (link_spawn(self, s->context->link, &request, &s->work->spawn_call) == 0)
		return;
	reason = airs_reason_make(AIRS_REASON_ERROR, ENOMEM, "spawn");
	service_set_result(s, END_RESOURCES, &reason);
	service_raise(s, FSM_EVENT_FAIL);
}

void service_answer_reload(
		struct airs_actor *self, struct service *s, int status, const char *text)
{
	if (s->work->reload_from.ref == 0)
		return;
	IGNORE_RESULT(airs_reply(self, s->work->reload_from, status, text,
			text ? strlen(text) + 1 : 0));
	s->work->reload_from = (struct airs_from){ 0 };
	if (status == 0)
		service_log(self, s, ACTIVITY_SERVICE_RELOADED, NULL);
}

static void end_commands(struct airs_actor *self, struct service *s, enum fsm_event event)
{
	if (s->state == FSM_RELOAD)
		service_answer_reload(self, s, event == FSM_EVENT_DONE ? 0 : -EIO,
				event == FSM_EVENT_DONE
						? NULL
						: "a command of ExecReload= failed");
	service_raise(s, event);
}

static void run_next(struct airs_actor *self, struct service *s)
{
	if (get_command(s, s->work->run_kind, s->work->run_index))
		spawn(self, s);
	else
		end_commands(self, s, FSM_EVENT_DONE);
}

/* Which commands run in a state; UNIT_COMMAND_KIND_COUNT: none. */
static enum unit_command_kind commands_of(enum fsm_state state)
{
	static const struct {
		enum fsm_state state;
		enum unit_command_kind kind;
	} rows[] = {
		{ FSM_START_PRE, UNIT_EXEC_START_PRE },
		{ FSM_START, UNIT_EXEC_START },
		{ FSM_START_POST, UNIT_EXEC_START_POST },
		{ FSM_RELOAD, UNIT_EXEC_RELOAD },
		{ FSM_STOP, UNIT_EXEC_STOP },
		{ FSM_STOP_POST, UNIT_EXEC_STOP_POST },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].state == state)
			return rows[i].kind;
	return UNIT_COMMAND_KIND_COUNT;
}

void service_run_commands(struct airs_actor *self, struct service *s)
{
	/* The keeper knows the settings in force only. */
	if (s->state == FSM_RELOAD || s->state == FSM_STOP)
		service_renew_unit(s);
	s->work->run_kind = commands_of(s->state);
	s->work->run_index = 0;
	/* A command before that is late is given up by its state; it is not ours any
	 * more. */
	s->work->control = (struct service_process){ 0 };
	run_next(self, s);
}

void service_start_main(struct airs_actor *self, struct service *s)
{
	service_notify_discard(self, s);
	s->work->run_kind = UNIT_EXEC_START;
	s->work->run_index = 0;
	if (get_command(s, UNIT_EXEC_START, 0)) {
		spawn(self, s);
		return;
	}
	s->main.state = PROCESS_ENDED; /* a oneshot that only has to stop something */
	s->work->main_end = (struct process_end){ true, CLD_EXITED, 0 };
	service_raise(s, FSM_EVENT_READY);
}

static bool is_ready_at_once(const struct service *s)
{
	enum unit_service_type type = service_settings(s)->type;

	return type == UNIT_SIMPLE || type == UNIT_EXEC;
}

static bool ignores_failure(const struct service *s, const struct service_process *p)
{
	const struct unit_command *command = get_command(s, p->kind, p->index);

	return command && command->ignore_failure;
}

static void confirm_start(struct airs_actor *self, struct service *s)
{
	if (s->acknowledged)
		return;
	s->acknowledged = true;
	service_log(self, s,
			s->adopted ? ACTIVITY_SERVICE_ADOPTED : ACTIVITY_SERVICE_READY,
			NULL);
	/* The observer hears of it before whoever waits for the start. */
	service_write_note(self, s);
	service_report(self, s);
	airs_init_done(self, 0);
}

void service_acknowledge(struct airs_actor *self, struct service *s)
{
	if (s->acknowledged)
		return;
	s->acknowledged = true;
	airs_init_done(self, 0);
}

void service_settle(struct airs_actor *self, struct service *s)
{
	confirm_start(self, s);
	if (s->main.state == PROCESS_UNKNOWN && s->empty)
		s->main.state = PROCESS_ENDED;
	if (s->main.state != PROCESS_ENDED)
		return;
	service_raise(s,
			service_settings(s)->remain_after_exit &&
							s->work->result == END_SUCCESS
					? FSM_EVENT_REMAIN
					: FSM_EVENT_ENDED);
}

void service_reload(struct airs_actor *self, struct service *s, struct airs_from from)
{
	int r = 0;

	if (s->state != FSM_RUNNING && s->state != FSM_EXITED)
		r = -EBUSY;
	else if (service_settings(s)->commands[UNIT_EXEC_RELOAD].count == 0)
		r = -EOPNOTSUPP;
	if (r < 0) {
		IGNORE_RESULT(airs_reply(self, from, r, NULL, 0));
		return;
	}
	s->work->reload_from = from;
	service_raise(s, FSM_EVENT_RELOAD);
}

void service_abort_reload(struct airs_actor *self, struct service *s)
{
	service_signal(self, s, PROTOCOL_CONTROL, SIGKILL);
	service_answer_reload(self, s, -ETIMEDOUT, "ExecReload= did not end in time");
	service_settle(self, s);
}

static void keep_failure(struct service *s, const struct airs_message *m)
{
	const struct link_answer *a = m->size == sizeof(*a) ? m->data : NULL;

	if (!s->work->failure)
		s->work->failure = calloc(1, sizeof(*s->work->failure));
	if (!s->work->failure)
		return;
	s->work->failure->error = -m->status;
	if (!a)
		return;
	(void)snprintf(s->work->failure->step, sizeof(s->work->failure->step), "%s",
			a->step);
	(void)snprintf(s->work->failure->detail, sizeof(s->work->failure->detail), "%s",
			a->detail);
}

static void log_failure(struct airs_actor *self, struct service *s, int error)
{
	const struct service_failure *f = s->work->failure;
	const char *name = errno_name(error);
	char detail[512];

	(void)snprintf(detail, sizeof(detail), "%s[%u] failed%s%s%s%s: %s",
			unit_command_kind_name((enum unit_command_kind)s->work->run_kind),
			s->work->run_index, f && *f->step ? " at step " : "",
			f ? f->step : "", f && *f->detail ? ", " : "", f ? f->detail : "",
			name ? name : "?");
	service_log(self, s, ACTIVITY_STEP_FAILED, detail);
}

static void on_spawn_failed(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	const struct unit_command *command =
			get_command(s, s->work->run_kind, s->work->run_index);
	struct airs_reason reason;

	keep_failure(s, m);
	s->changed = true;
	log_failure(self, s, -m->status);
	if (command && command->ignore_failure && s->work->run_kind != UNIT_EXEC_START) {
		s->work->run_index++;
		run_next(self, s);
		return;
	}
	reason = airs_reason_make(AIRS_REASON_ERROR, -m->status,
			s->work->failure ? s->work->failure->step : NULL);
	if (s->work->run_kind != UNIT_EXEC_RELOAD &&
			!(command && command->ignore_failure))
		service_set_result(s, END_RESOURCES, &reason);
	end_commands(self, s, FSM_EVENT_FAIL);
}

/* A start that was given up while the keeper worked on it has its process killed by the
 * signal that was sent after it. */
static bool is_of_state(const struct service *s)
{
	return commands_of(s->state) == s->work->run_kind;
}

void service_on_spawned(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	bool is_main = s->work->run_kind == UNIT_EXEC_START;
	struct service_process *p = is_main ? &s->main : &s->work->control;
	const struct link_answer *a = m->data;

	if (m->status < 0) {
		/* About a process that never was the keeper says nothing more. */
		s->empty = s->was_empty;
		if (is_of_state(s))
			on_spawn_failed(self, s, m);
		return;
	}
	*p = (struct service_process){
		.state = PROCESS_ALIVE,
		.kind = (uint8_t)s->work->run_kind,
		.index = s->work->run_index,
		.pid = a->pid,
		.spawn_id = a->spawn_id,
	};
	s->changed = true;
	if (!is_main)
		return;
	s->start_realtime_usec = a->since_realtime_usec;
	if (is_ready_at_once(s) && s->state == FSM_START)
		service_raise(s, FSM_EVENT_READY);
}

void service_take_end(struct service *s, const struct link_process *p)
{
	s->work->main_end = (struct process_end){
		.status_known = p->state == PROTOCOL_ENDED,
		.code = p->code,
		.status = p->status,
	};
	s->work->ended_pid = p->pid;
	s->work->ended_realtime_usec = p->ended_realtime_usec;
	s->work->cpu_usec = p->cpu_usec;
	s->work->memory_peak_bytes = p->memory_peak_bytes;
}

/*
 * Dying of the signal that was sent to stop it is no failure. Nor is it when its status
 * cannot be known, because it was the child of an earlier keeper: it ended when it was
 * told to.
 */
static bool was_told_to_die(const struct service *s)
{
	const struct unit_service *settings = service_settings(s);

	if (s->state != FSM_STOP_SIGTERM && !s->stop_requested)
		return false;
	if (!s->work->main_end.status_known)
		return true;
	return s->work->main_end.code == CLD_KILLED &&
			(s->work->main_end.status == settings->kill_signal ||
					s->work->main_end.status ==
							settings->restart_kill_signal);
}

void service_judge_end(struct service *s)
{
	enum end_result result = end_of_main(service_settings(s), s->work->main_end);
	struct airs_reason reason = end_reason(s->work->main_end);

	if (ignores_failure(s, &s->main) || was_told_to_die(s))
		result = END_SUCCESS;
	if (result == END_SUCCESS && !s->work->main_end.status_known)
		reason = airs_reason_make(AIRS_REASON_NORMAL, 0, NULL);
	if (result == END_SUCCESS && s->state == FSM_START &&
			service_settings(s)->type == UNIT_NOTIFY) {
		result = END_PROTOCOL;
		reason = airs_reason_make(
				AIRS_REASON_USER, 0, "ended before it was ready");
	}
	if (result != END_SUCCESS)
		service_set_result(s, result, &reason);
	else if (s->work->result == END_SUCCESS)
		s->work->reason = reason;
}

/* One command of a oneshot is over. */
static void on_oneshot_ended(struct airs_actor *self, struct service *s)
{
	if (s->work->result != END_SUCCESS) {
		service_raise(s, FSM_EVENT_ENDED);
	} else if (get_command(s, UNIT_EXEC_START, s->work->run_index + 1)) {
		IGNORE_RESULT(link_ack(self, s->context->link, s->main.spawn_id));
		s->work->run_index++;
		spawn(self, s);
	} else {
		service_raise(s, FSM_EVENT_READY);
	}
}

/* The main process of the service has ended, or what was started and stands for it. */
static void on_main_ended(struct airs_actor *self, struct service *s)
{
	enum unit_service_type type = service_settings(s)->type;

	s->changed = true;
	service_judge_end(s);
	if (type == UNIT_ONESHOT && s->state == FSM_START) {
		on_oneshot_ended(self, s);
	} else if (type == UNIT_FORKING && s->state == FSM_START && !s->main_confirmed &&
			s->work->result == END_SUCCESS) {
		service_find_main(self, s);
	} else if (s->state == FSM_RUNNING && service_settings(s)->remain_after_exit &&
			s->work->result == END_SUCCESS) {
		service_raise(s, FSM_EVENT_REMAIN);
	} else {
		service_raise(s, FSM_EVENT_ENDED);
	}
}

/* Continue a start that an earlier core began. */
void service_await(struct airs_actor *self, struct service *s)
{
	s->work->run_kind = UNIT_EXEC_START;
	s->work->run_index = s->main.index;
	if (s->main.state == PROCESS_ENDED)
		on_main_ended(self, s);
	else if (is_ready_at_once(s))
		service_raise(s, FSM_EVENT_READY);
}

/* Who waits for a reload hears what became of its command. */
static void refuse_reload(struct airs_actor *self, struct service *s,
		const struct airs_reason *reason)
{
	char why[END_TEXT_SIZE], text[END_TEXT_SIZE + 64];

	if (s->state != FSM_RELOAD)
		return;
	end_describe(reason, why, sizeof(why));
	(void)snprintf(text, sizeof(text), "ExecReload[%u]: %s", s->work->control.index,
			why);
	service_answer_reload(self, s, -EIO, text);
}

/* Keep the first: what follows is its consequence. */
static void keep_command_failure(struct service *s, const struct airs_reason *reason)
{
	if (s->work->failure)
		return;
	s->work->failure = calloc(1, sizeof(*s->work->failure));
	if (!s->work->failure)
		return;
	(void)snprintf(s->work->failure->step, sizeof(s->work->failure->step), "%s[%u]",
			unit_command_kind_name(
					(enum unit_command_kind)s->work->control.kind),
			s->work->control.index);
	end_describe(reason, s->work->failure->detail, sizeof(s->work->failure->detail));
}

static void log_command_failure(struct airs_actor *self, struct service *s,
		const struct airs_reason *reason)
{
	char text[128];
	struct activity_record record = {
		.kind = ACTIVITY_COMMAND_FAILED,
		.unit = service_name(s),
		.supervisor = s->unit->supervisor ? s->unit->supervisor : "",
		.actor = airs_self(self),
		.pid = s->work->control.pid,
		.detail = unit_command_kind_name(
				(enum unit_command_kind)s->work->control.kind),
		.reason = service_reason_text(reason, text, sizeof(text)),
	};

	service_write_record(self, s, &record);
}

static void on_control_ended(
		struct airs_actor *self, struct service *s, const struct link_process *p)
{
	struct process_end end = { p->state == PROTOCOL_ENDED, p->code, p->status };
	enum end_result result = end_of_command(end);
	struct airs_reason reason = end_reason(end);
	bool ignored = ignores_failure(s, &s->work->control);

	service_notify_drain(self, s);
	s->work->control.state = PROCESS_ENDED;
	s->changed = true;
	IGNORE_RESULT(link_ack(self, s->context->link, p->spawn_id));
	if (!is_of_state(s) || s->work->spawn_call != 0)
		return;
	if (result == END_SUCCESS || ignored) {
		s->work->run_index++;
		run_next(self, s);
		return;
	}
	log_command_failure(self, s, &reason);
	refuse_reload(self, s, &reason);
	if (s->state != FSM_RELOAD) {
		keep_command_failure(s, &reason);
		service_set_result(s, result, &reason);
	}
	end_commands(self, s, FSM_EVENT_FAIL);
}

static bool is_main(const struct service *s, const struct link_process *p)
{
	if (s->main.state != PROCESS_ALIVE)
		return false;
	return s->main.spawn_id == p->spawn_id ||
			(p->kind == UNIT_EXEC_START && s->main.pid == p->pid);
}

static bool is_clearing(const struct service *s)
{
	return s->state == FSM_CLEAR || s->state == FSM_CLEAR_KILL;
}

static void on_main_exited(
		struct airs_actor *self, struct service *s, const struct link_process *p)
{
	/* How a run ended that an earlier core was stopping is of no interest. */
	if (is_clearing(s)) {
		s->main = (struct service_process){ 0 };
		IGNORE_RESULT(link_ack(self, s->context->link, p->spawn_id));
		service_raise(s, FSM_EVENT_ENDED);
		return;
	}
	/* What it said before it ended comes first. */
	service_notify_drain(self, s);
	s->main.state = PROCESS_ENDED;
	s->main.spawn_id = p->spawn_id;
	service_take_end(s, p);
	on_main_ended(self, s);
	if (s->work->result == END_LOST_STATUS)
		service_log(self, s, ACTIVITY_STATUS_LOST, NULL);
}

void service_on_exited(
		struct airs_actor *self, struct service *s, const struct link_process *p)
{
	if (is_main(s, p))
		on_main_exited(self, s, p);
	else if (s->work->control.state == PROCESS_ALIVE &&
			s->work->control.spawn_id == p->spawn_id)
		on_control_ended(self, s, p);
	else
		IGNORE_RESULT(link_ack(self, s->context->link, p->spawn_id));
}

/* What was started has done its work, and what it left is the service. */
static void set_unknown_main(struct airs_actor *self, struct service *s)
{
	IGNORE_RESULT(link_ack(self, s->context->link, s->main.spawn_id));
	s->main = (struct service_process){ .state = PROCESS_UNKNOWN };
	s->main_confirmed = true;
	service_raise(s, s->empty ? FSM_EVENT_ENDED : FSM_EVENT_READY);
}

void service_set_main(struct airs_actor *self, struct service *s, pid_t pid)
{
	if (s->work->set_main_call != 0)
		airs_call_cancel(self, s->work->set_main_call);
	s->work->set_main_call = 0;
	IGNORE_RESULT(link_set_main(self, s->context->link, service_name(s), pid,
			&s->work->set_main_call));
}

static void look_again(struct airs_actor *self, struct service *s)
{
	IGNORE_RESULT(airs_timer_start(
			self, PID_FILE_POLL_USEC, 0, &s->work->pid_file_timer));
}

/*
 * forking: the started process has left; who is the main process? The keeper reads the file, since it may be the service's
 * alone. The start's own timeout ends the search.
 */
void service_find_main(struct airs_actor *self, struct service *s)
{
	if (s->state != FSM_START || s->main_confirmed)
		return;
	if (service_settings(s)->pid_file || service_settings(s)->guess_main_pid)
		service_set_main(self, s, 0);
	else
		set_unknown_main(self, s);
}

void service_on_main_set(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	const struct link_answer *a = m->data;
	bool is_search = s->state == FSM_START &&
			service_settings(s)->type == UNIT_FORKING && !s->main_confirmed;

	if (m->status < 0) {
		if (is_search && service_settings(s)->pid_file)
			look_again(self, s);
		else if (is_search)
			set_unknown_main(self, s);
		return;
	}
	if (is_search && s->main.state == PROCESS_ENDED)
		IGNORE_RESULT(link_ack(self, s->context->link, s->main.spawn_id));
	s->main = (struct service_process){
		.state = PROCESS_ALIVE,
		.kind = UNIT_EXEC_START,
		.pid = a->pid,
		.spawn_id = a->spawn_id,
	};
	s->main_confirmed = true;
	s->changed = true;
	if (is_search)
		service_raise(s, FSM_EVENT_READY);
}
