/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * How the life of a service actor begins. Processes say what there is, the note says how
 * far the service had come; where they disagree the processes are right.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "service/note.h"
#include "service/service-impl.h"

/* What the account of the link comes to. */
struct account {
	const struct link_process *main; /* the latest; NULL: none */
	const struct link_process *control; /* one that lives; NULL: none */
};

/* One that lives, of these the latest. */
static bool is_better_main(const struct link_process *p, const struct link_process *than)
{
	if (!than || (p->state == PROTOCOL_LIVES) != (than->state == PROTOCOL_LIVES))
		return !than || p->state == PROTOCOL_LIVES;
	return p->spawn_id > than->spawn_id;
}

/* Older ends are of no interest to anybody any more. */
static struct account take_account(struct airs_actor *self, struct service *s,
		const struct link_attached *attached)
{
	struct account account = { 0 };
	const struct link_process *p;

	for (uint32_t i = 0; i < attached->n_processes; i++) {
		p = &attached->processes[i];
		if (p->kind == UNIT_EXEC_START && is_better_main(p, account.main))
			account.main = p;
		if (p->kind != UNIT_EXEC_START && p->state == PROTOCOL_LIVES)
			account.control = p;
	}
	for (uint32_t i = 0; i < attached->n_processes; i++) {
		p = &attached->processes[i];
		if (p != account.main && p->state != PROTOCOL_LIVES)
			IGNORE_RESULT(link_ack(self, s->context->link, p->spawn_id));
	}
	return account;
}

static void take_process(struct service_process *process, const struct link_process *p)
{
	process->state = p->state == PROTOCOL_LIVES ? PROCESS_ALIVE : PROCESS_ENDED;
	process->kind = (uint8_t)p->kind;
	process->index = p->index;
	process->pid = p->pid;
	process->spawn_id = p->spawn_id;
}

static void take_note(struct service *s, const struct note *note)
{
	if (note->status_text)
		s->status_text = strdup(note->status_text);
	if (note->since_realtime_usec != 0)
		s->work->adopted_since_usec = note->since_realtime_usec;
	if (note->start_realtime_usec != 0)
		s->start_realtime_usec = note->start_realtime_usec;
	if (note->phase == NOTE_FAILING || note->phase == NOTE_OVER) {
		s->work->result = note->result;
		s->work->reason = note->reason;
		s->work->ended_realtime_usec = note->ended_realtime_usec;
	}
}

static enum note_phase default_phase(const struct service *s)
{
	enum unit_service_type type = service_settings(s)->type;

	return type == UNIT_SIMPLE || type == UNIT_EXEC ? NOTE_RUNNING : NOTE_STARTING;
}

/* Nothing of the main process is known, but the note says that the service was up. */
static enum fsm_beginning begin_without_main(
		struct airs_actor *self, struct service *s, enum note_phase phase)
{
	if (phase == NOTE_EXITED) {
		s->main.state = PROCESS_ENDED;
		return FSM_BEGIN_RUNNING;
	}
	if (phase == NOTE_RUNNING && service_settings(s)->type == UNIT_FORKING) {
		/* Whether anybody is left shows in the answer. */
		s->main.state = PROCESS_UNKNOWN;
		s->empty = false;
		service_signal(self, s, PROTOCOL_ALL, SIGCONT);
		return FSM_BEGIN_RUNNING;
	}
	if (phase == NOTE_FAILING)
		return FSM_BEGIN_FAILING;
	return s->work->control.state == PROCESS_ALIVE ? FSM_BEGIN_LEFTOVERS
						       : FSM_BEGIN_FRESH;
}

static enum fsm_beginning begin_with_main(struct service *s, enum note_phase phase)
{
	switch (phase == NOTE_NONE ? default_phase(s) : phase) {
	case NOTE_STARTING:
		return FSM_BEGIN_STARTING;
	case NOTE_FAILING:
		return FSM_BEGIN_FAILING;
	case NOTE_STOPPING:
		return s->empty ? FSM_BEGIN_FRESH : FSM_BEGIN_LEFTOVERS;
	case NOTE_RUNNING:
	case NOTE_EXITED:
	case NOTE_OVER:
	case NOTE_NONE:
	case NOTE_PHASE_COUNT:
		break;
	}
	return FSM_BEGIN_RUNNING;
}

/* What is adopted is of no use: forget how it ended. */
static void begin_anew(struct airs_actor *self, struct service *s)
{
	if (s->main.state == PROCESS_ENDED && s->main.spawn_id != 0) {
		IGNORE_RESULT(link_ack(self, s->context->link, s->main.spawn_id));
		s->main = (struct service_process){ 0 };
	}
	s->work->main_end = (struct process_end){ 0 };
	s->work->result = END_SUCCESS;
	s->work->reason = airs_reason_make(AIRS_REASON_NORMAL, 0, NULL);
	s->work->ended_realtime_usec = 0;
	s->start_realtime_usec = 0;
	s->work->adopted_since_usec = 0;
	s->main_confirmed = false;
	s->adopted = false;
	free(s->status_text);
	s->status_text = NULL;
}

static enum fsm_beginning decide(struct airs_actor *self, struct service *s,
		const struct link_attached *attached)
{
	struct account account = take_account(self, s, attached);
	struct note note = { 0 };

	if (note_decode(link_attached_note(attached), attached->note_size, &note) < 0)
		note = (struct note){ 0 };
	if (account.control)
		take_process(&s->work->control, account.control);
	if (account.main) {
		take_process(&s->main, account.main);
		s->start_realtime_usec = account.main->since_realtime_usec;
		s->work->adopted_since_usec = s->start_realtime_usec;
		s->main_confirmed = note.phase == NOTE_RUNNING;
	}
	s->empty = attached->empty;
	s->adopted = account.main || account.control || note.phase != NOTE_NONE;
	if (account.main && account.main->state != PROTOCOL_LIVES)
		service_take_end(s, account.main);
	if (note.phase == NOTE_OVER && s->main.state == PROCESS_ALIVE)
		note.phase = NOTE_NONE;
	take_note(s, &note);
	if (note.phase == NOTE_OVER) {
		s->over = true;
		return FSM_BEGIN_OVER;
	}
	return account.main ? begin_with_main(s, note.phase)
			    : begin_without_main(self, s, note.phase);
}

/*
 * It was asked to stop, or something above it was. What runs goes on until its stop is
 * repeated; what was being stopped is stopped; nothing is started.
 */
static enum fsm_beginning begin_to_leave(struct service *s, enum fsm_beginning beginning)
{
	bool was_stopping = beginning == FSM_BEGIN_LEFTOVERS ||
			(beginning == FSM_BEGIN_FRESH && s->main.pid != 0);

	if (was_stopping) {
		s->stop_requested = true;
		s->work->exit_reason = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, NULL);
		if (s->main.state == PROCESS_ENDED && s->main.pid != 0)
			service_judge_end(s);
		return FSM_BEGIN_FAILING;
	}
	if (beginning != FSM_BEGIN_FRESH)
		return beginning;
	s->over = true;
	return FSM_BEGIN_OVER;
}

/* The link has said what there is. */
enum fsm_beginning service_adopt(struct airs_actor *self, struct service *s,
		const struct link_attached *attached)
{
	enum fsm_beginning beginning = decide(self, s, attached);

	/* Ended in the meantime: as if it had ended just now. */
	if (beginning == FSM_BEGIN_RUNNING && s->main.state == PROCESS_ENDED &&
			s->main.pid != 0)
		service_judge_end(s);
	if (s->leaving)
		beginning = begin_to_leave(s, beginning);
	if (beginning == FSM_BEGIN_FRESH || beginning == FSM_BEGIN_LEFTOVERS)
		begin_anew(self, s);
	return beginning;
}
