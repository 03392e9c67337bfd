/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_SERVICE_IMPL_H
#define SERVICE_SERVICE_IMPL_H

/*
 * The state of one service actor, shared by the files that make it up:
 *
 *   service.c         the behaviour: messages in, events through the table of fsm.h
 *   service-rest.c    what it holds only while it does something
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
	uint64_t spawn_id;
	pid_t pid;
	uint32_t index;
	uint8_t state; /* enum process_state */
	uint8_t kind; /* enum unit_command_kind */
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

/*
 * What only an actor has that does something. One whose service runs, and that nobody
 * asks for anything, has none of it: service_wake makes it for each message, and
 * service_rest lets it go when nothing in it is worth keeping.
 */
struct service_work {
	/* the machine */
	uint8_t events[SERVICE_EVENTS_MAX];
	uint8_t n_events;
	uint8_t result; /* enum end_result */
	uint64_t timer_end_usec;

	/* processes */
	struct service_process control;
	uint32_t run_kind, run_index; /* the command that runs or is next */
	airs_ref attach_call, spawn_call, signal_all_call, set_main_call, pid_file_timer,
			linger_timer;

	/* the end */
	struct airs_reason reason; /* of the result; while it is SUCCESS of the main
				      process's end */
	struct process_end main_end;
	pid_t ended_pid;
	uint64_t ended_realtime_usec, cpu_usec, memory_peak_bytes;
	struct airs_reason exit_reason;

	/* A message whose sender the keeper is asked about; NULL: none. */
	struct service_question *question;
	struct service_failure *failure; /* NULL: none */
	uint64_t adopted_since_usec; /* realtime: since when it has been as it was found
				      */
	struct airs_from reload_from;
	struct list kills; /* [struct service_kill_call.link] */
};

struct service {
	const struct service_context *context;
	struct service_unit *identity;
	struct unit *unit; /* NULL while it rests */
	struct service_work *work; /* NULL while it rests */
	struct service_process main;
	airs_ref timer, notify_watch;
	char *status_text; /* NULL: none */
	uint64_t since_realtime_usec, start_realtime_usec;
	int notify_fd;
	uint8_t state, timed_state; /* enum fsm_state; timed_state: whose timer runs */

	/* processes */
	bool empty : 1; /* nothing of the unit is left, as far as is known */
	bool was_empty : 1; /* before the last spawn */
	/* forking: the main process is not the one that was started */
	bool main_confirmed : 1;
	bool unkillable : 1;

	/* the end */
	bool attached : 1; /* the unit is ours */
	bool stop_requested : 1; /* by the parent */
	bool over : 1; /* it was over when the actor began */
	bool leaving : 1; /* SERVICE_LEAVING */
	bool finished : 1;
	bool restarts : 1; /* finished, and the restart condition holds */

	/* what is said of it */
	bool acknowledged : 1; /* airs_init_done was called */
	bool ready_told : 1; /* READY=1 was taken */
	bool note_empty : 1; /* the link knows of no note */
	bool adopted : 1, changed : 1;
	bool notify_reloading : 1, notify_stopping : 1, notify_refused : 1;
	bool notify_deferred : 1, fdstore_refused : 1;

	bool unit_is_kept : 1; /* unit is identity->kept, taken out of there */
};
_Static_assert(sizeof(struct service) <= 128, "there may be thousands, at rest");

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
static inline const char *service_name(const struct service *s)
{
	return s->identity->name;
}

/* service-rest.c */
/* What is needed to do something. A negative errno: it cannot be had. */
MUST_CHECK int service_wake(struct service *s);
/* The settings in force, in place of those that it was started with. */
void service_renew_unit(struct service *s);
/* Let go of what a service that merely runs does not need. */
void service_rest(struct service *s);
/* The run is over: its settings are of use for one that follows at once. */
void service_leave_unit(struct service *s);
void service_rest_fini(struct service *s);

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
