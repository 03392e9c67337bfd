/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_SERVICE_IMPL_H
#define SERVICE_SERVICE_IMPL_H

/*
 * The state of one service actor, shared by the files that make it up:
 *
 *   service.c         the behaviour: messages in, events through the table of fsm.h
 *   service-adopt.c   where its life begins
 *   service-run.c     its processes: spawning, ends, readiness, reload
 *   service-stop.c    its end: signals, when it is gone, the exit reason
 *   service-notify.c  sd_notify
 *   service-report.c  what the observer, the keeper's note and the activity log hear
 *
 * Functions here run in the actor. What happens is queued as events (service_raise); only
 * service.c changes the state.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "airssys/message.h"
#include "base/clock.h"
#include "base/list.h"
#include "host/activity.h"
#include "service/end.h"
#include "service/fsm.h"
#include "service/link.h"
#include "service/service.h"
#include "unit/unit.h"

enum process_state {
	PROCESS_NONE, /* there was none yet */
	PROCESS_ALIVE,
	PROCESS_UNKNOWN, /* there is one, but which is not known (forking) */
	PROCESS_ENDED,
};

struct service_process {
	enum process_state state;
	uint32_t kind, index;
	pid_t pid;
	uint64_t spawn_id, start_time;
};

/* A SERVICE_KILL that the keeper has not answered. */
struct service_kill_call {
	struct list link;
	airs_ref call;
	struct airs_from from;
};

/* Why a command could not be executed, or how it failed. */
struct service_failure {
	int32_t error; /* 0: it was executed; detail says how it ended */
	char step[32];
	char detail[SERVICE_DETAIL_SIZE];
};

struct service_question;

#define SERVICE_EVENTS_MAX 8

struct service {
	const struct service_directory *directory;
	void *hold;
	const struct unit *unit;
	airs_pid link_pid, observer, activity;

	/* the machine */
	enum fsm_state state, timed_state; /* timed_state: whose timer runs */
	uint8_t events[SERVICE_EVENTS_MAX];
	uint8_t n_events;
	airs_ref timer;
	uint64_t timer_end_usec;

	/* processes */
	struct service_process main, control;
	uint32_t run_kind, run_index; /* the command that runs or is next */
	airs_ref attach_call, spawn_call, signal_all_call, set_main_call, pid_file_timer,
			linger_timer;
	bool empty; /* nothing of the unit is left, as far as is known */
	bool was_empty; /* before the last spawn */
	bool main_confirmed; /* forking: the main process is not the one that was started
			      */
	bool unkillable;

	/* the end */
	enum end_result result;
	struct airs_reason reason; /* of the result; while it is SUCCESS of the main
				      process's end */
	struct process_end main_end;
	pid_t ended_pid;
	uint64_t ended_realtime_usec, cpu_usec, memory_peak_bytes;
	bool attached; /* the unit is ours */
	bool stop_requested; /* by the parent */
	bool over; /* it was over when the actor began */
	bool leaving; /* SERVICE_LEAVING */
	bool finished;
	struct airs_reason exit_reason;

	/* what is said of it */
	bool acknowledged; /* airs_init_done was called */
	bool ready_told; /* READY=1 was taken */
	bool note_empty; /* the link knows of no note */
	bool adopted, changed;
	bool notify_reloading, notify_stopping, notify_refused, notify_deferred,
			fdstore_refused;
	int notify_fd;
	airs_ref notify_watch;
	/* A message whose sender the keeper is asked about; NULL: none. */
	struct service_question *question;
	char *status_text; /* NULL: none */
	struct service_failure *failure; /* NULL: none */
	uint64_t since_realtime_usec, start_realtime_usec;
	uint64_t adopted_since_usec; /* realtime: since when it has been as it was found
				      */
	struct airs_from reload_from;
	struct list kills; /* [struct service_kill_call.link] */
};

/* service.c */
void service_raise(struct service *s, enum fsm_event event);
/* The state's timer ends at this time at the earliest. */
void service_extend_timer(struct airs_actor *self, struct service *s, uint64_t end_usec);
/* Let the state's timer begin anew (watchdog). */
void service_restart_timer(struct service *s);
/* As if it had ended. */
void service_expire_watchdog(struct airs_actor *self, struct service *s);
static inline const struct unit_service *service_settings(const struct service *s)
{
	return &s->unit->service;
}

/* service-adopt.c */
enum fsm_beginning service_adopt(struct airs_actor *self, struct service *s,
		const struct link_attached *attached);

/* service-run.c */
void service_run_commands(struct airs_actor *self, struct service *s);
void service_start_main(struct airs_actor *self, struct service *s);
void service_await(struct airs_actor *self, struct service *s);
void service_settle(struct airs_actor *self, struct service *s);
/* End the start handshake of a service that is not to be started any more. */
void service_acknowledge(struct airs_actor *self, struct service *s);
void service_abort_reload(struct airs_actor *self, struct service *s);
void service_on_spawned(
		struct airs_actor *self, struct service *s, const struct airs_message *m);
void service_on_exited(
		struct airs_actor *self, struct service *s, const struct link_process *p);
void service_on_main_set(
		struct airs_actor *self, struct service *s, const struct airs_message *m);
void service_find_main(struct airs_actor *self, struct service *s);
void service_reload(struct airs_actor *self, struct service *s, struct airs_from from);
/* Keep the first failure. */
void service_set_result(struct service *s, enum end_result result,
		const struct airs_reason *reason);
/* Take what link_process says of the main process's end. */
void service_take_end(struct service *s, const struct link_process *p);
/* Take the result from it. */
void service_judge_end(struct service *s);
/* Nothing happens when nobody waits for a reload. text may be NULL. */
void service_answer_reload(
		struct airs_actor *self, struct service *s, int status, const char *text);
void service_set_main(struct airs_actor *self, struct service *s, pid_t pid);

/* service-stop.c */
void service_terminate(struct airs_actor *self, struct service *s);
void service_kill(struct airs_actor *self, struct service *s);
void service_kill_rest(struct airs_actor *self, struct service *s);
void service_give_up(struct airs_actor *self, struct service *s);
void service_sweep(struct airs_actor *self, struct service *s);
/* What was to be signalled had a moment to go by itself. */
void service_on_lingered(struct airs_actor *self, struct service *s);
void service_finish(struct airs_actor *self, struct service *s);
bool service_is_gone(const struct service *s);
void service_signal(struct airs_actor *self, struct service *s, enum protocol_whom whom,
		int signo);

/* service-notify.c */
void service_notify_open(
		struct airs_actor *self, struct service *s, struct link_fd *passed);
void service_notify_ready(struct airs_actor *self, struct service *s);
void service_notify_drain(struct airs_actor *self, struct service *s);
void service_notify_discard(struct airs_actor *self, struct service *s);
/* The keeper's answer about a sender. False when the reply is to something else. */
bool service_notify_on_reply(
		struct airs_actor *self, struct service *s, const struct airs_message *m);
void service_notify_fini(struct service *s);
/* After a spawn was answered: read what had to wait for the pid. */
void service_notify_resume(struct airs_actor *self, struct service *s);

/* service-report.c */
void service_report(struct airs_actor *self, struct service *s);
void service_write_note(struct airs_actor *self, struct service *s);
void service_log(struct airs_actor *self, struct service *s, enum activity_kind kind,
		const char *detail);
/* Write a record that the caller filled in. */
void service_write_record(struct airs_actor *self, struct service *s,
		const struct activity_record *record);
/* The reason as text, for records. */
const char *service_reason_text(
		const struct airs_reason *reason, char *buffer, size_t size);

#endif
