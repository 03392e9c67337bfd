/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

/*
 * Actors whose life is the life of a unit: service_behaviour for [Service],
 * native_behaviour for [Native].
 *
 * A service actor is the child of a supervisor. Its init ends (AIRS_INIT_LATER) when the
 * service is ready as its Type= says; when the service ends the actor ends, and its
 * reason is what the supervisor acts on:
 *
 *   the restart condition (Restart=, RestartPreventExitStatus=, RestartForceExitStatus=)
 * holds: an abnormal reason, so that a transient child is restarted; it does not hold:
 * NORMAL, or the true reason with AIRS_REASON_F_SHUTDOWN, so that a transient child is
 * done.
 *
 * Hence the child of a service is AIRS_TRANSIENT whatever Restart= says, with shutdown
 * unit->shutdown_usec (its own deadlines are those of systemd and always end; a shorter
 * Shutdown= has it killed, and with it its processes, by the link). Children of native
 * units are restarted by unit->restart itself, with shutdown AIRS_INFINITY: the actor
 * keeps the deadline. Neither has a start timeout.
 *
 * A start that fails ends with airs_init_failed when the restart condition holds. When it
 * does not (Restart=no), the start is acknowledged and the actor ends orderly at once, so
 * that a failed oneshot does not take its siblings down; the report that arrived before
 * says "failed".
 *
 * An exit signal that is not NORMAL from its parent stops the service: ExecStop=,
 * KillSignal=, FinalKillSignal=, then ExecStopPost=. Under KILL nothing of this runs; the
 * link then kills what is left of the unit.
 *
 * A process of the unit that the link reported at adoption is taken over by the first
 * actor of that unit instead of spawning.
 *
 * All actors here live on the main pool, as the link and the observer do.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "airssys/actor.h"
#include "base/macro.h"
#include "unit/unit.h"

#define SERVICE_NAME_SIZE   256
#define SERVICE_TEXT_SIZE   256
#define SERVICE_DETAIL_SIZE 256

extern const struct airs_behaviour service_behaviour;
extern const struct airs_behaviour native_behaviour;

/* Whether a unit ought to run. */
enum service_wish {
	SERVICE_WANTED,
	/* no: an actor of it ends at once (AIRS_INIT_IGNORE) */
	SERVICE_HELD,
	/* no, but its stop may not be over: an actor takes over what lives, starts
	 * nothing, and waits to be stopped */
	SERVICE_LEAVING,
};

/*
 * What its actor and whoever manages it share of one unit. Counted, within one thread:
 * each actor holds a reference for its life.
 */
struct service_unit {
	const char *name; /* lives as long as this */
	/*
	 * Settings that its actor goes by. When is_outdated: those that it was started
	 * with, while others are in force; put there by who manages the unit. Else those
	 * in force, left by a run for one that follows at once. NULL: those in force,
	 * which have to be opened. Owned; its actor takes them while it does something.
	 */
	struct unit *kept;
	uint64_t id; /* of who manages it */
	uint32_t references;
	bool is_outdated; /* its actor was started with others than those in force */
};

/* A run of the unit begins or is over: the settings in force are the right ones. */
static inline void service_unit_renew(struct service_unit *unit)
{
	if (!unit->is_outdated)
		return;
	unit_free(unit->kept);
	unit->kept = NULL;
	unit->is_outdated = false;
}

/* No run follows at once. */
static inline void service_unit_drop_spare(struct service_unit *unit)
{
	if (unit->is_outdated)
		return;
	unit_free(unit->kept);
	unit->kept = NULL;
}

/* Where units and their settings are. The struct and data outlive every actor. Called on
   the main pool, and by airs_system_free. */
struct service_directory {
	/* The unit of that name: a reference of the caller's. NULL: there is none. */
	struct service_unit *(*find)(void *data, const char *name);
	void (*release)(void *data, struct service_unit *unit);
	/* The settings in force of the unit of that name; the caller's, for unit_free.
	 * -ENOENT: there are none; or why they cannot be had just now. */
	int (*open)(void *data, const char *name, struct unit **ret_unit);
	/* Asked at the begin of an actor. May be NULL: all are wanted. */
	enum service_wish (*wish)(void *data, const char *name);
	/* Asked at a stop: whether it is the first half of a restart that somebody asked
	 * for. May be NULL: it is not. */
	bool (*is_restarting)(void *data, const char *name);
	/* A service that runs cannot be looked after for want of memory: only a new core
	 * can, which takes it over. error: positive errno. */
	void (*give_up)(void *data, struct airs_actor *self, int error);
	void *data;
};

/* What all actors of units are told; outlives them. */
struct service_context {
	struct service_directory directory;
	airs_pid link; /* service/link.h */
	airs_pid observer; /* receives SERVICE_REPORT; may be AIRS_PID_NONE */
	airs_pid activity; /* host/activity.h; may be AIRS_PID_NONE */
};

/* args of both behaviours. Supervisors keep a copy for each unit, so it is cut behind the
 * NUL of the name. */
struct service_args {
	const struct service_context *context;
	char name[SERVICE_NAME_SIZE];
};
static inline size_t service_args_size(const char *name)
{
	return offsetof(struct service_args, name) + strlen(name) + 1;
}
static inline bool service_args_are_valid(const struct service_args *args, size_t size)
{
	size_t head = offsetof(struct service_args, name);

	return size > head && size <= sizeof(*args) &&
			memchr(args->name, '\0', size - head) != NULL;
}
static inline enum service_wish service_wish_for(
		const struct service_context *context, const char *name)
{
	const struct service_directory *directory = &context->directory;

	return directory->wish ? directory->wish(directory->data, name) : SERVICE_WANTED;
}
static inline bool service_is_restarting(
		const struct service_context *context, const char *name)
{
	const struct service_directory *directory = &context->directory;

	return directory->is_restarting &&
			directory->is_restarting(directory->data, name);
}

enum service_message {
	/*
	 * Requests, each an airs_call to a service actor.
	 *
	 *   SERVICE_RELOAD  no payload. 0 when ExecReload= has run; -EOPNOTSUPP it has
	 * none; -EBUSY the service is not in state running; -EIO a command failed,
	 * payload: text SERVICE_KILL    struct service_kill. 0; -ESRCH nobody there;
	 * -EINVAL; or the keeper's errno SERVICE_FAIL    a NUL-terminated text: the
	 * service is stopped by its ladder, and the actor then ends with reason USER of
	 * that text. Answered when the stop begins: 0; -EBUSY it is stopping already
	 *
	 * A native actor answers RELOAD and KILL with -EOPNOTSUPP; FAIL ends its module's
	 * actor.
	 */
	SERVICE_RELOAD = AIRS_MSG_USER + 100,
	SERVICE_KILL,
	SERVICE_FAIL,
	/* To the observer, after every change and once more before the end: struct
	   service_report. */
	SERVICE_REPORT,
};

struct service_kill {
	uint32_t whom; /* enum protocol_whom */
	int32_t signal;
};

/* How the main process ended. */
struct service_end {
	pid_t pid;
	struct airs_reason reason; /* class PROCESS; ERROR when it could not be started;
				      TIMEOUT; USER */
	/* How its process ended, when the reason is not that: CLD_EXITED … and status; 0:
	 * unknown. */
	int32_t code, status;
	uint64_t realtime_usec;
	uint64_t cpu_usec, memory_peak_bytes; /* of that process; 0: unknown */
};

/*
 * What a service actor says of itself. The sender (message->from) is the actor that the
 * supervisor knows. It travels moved, as service_report_copy makes it; state, substate and
 * result are static storage, what else is pointed at lives as long as the message.
 */
struct service_report {
	uint64_t unit; /* service_unit.id */
	airs_pid actor; /* native: the module's actor, AIRS_PID_NONE before it exists;
			   else the sender */
	const char *state; /* as manager/names.h lists, without "backoff" */
	const char *substate; /* "start-pre", "start", "stop-sigterm", "stop-sigkill", …
			       */
	const char *result; /* "success", "exit-code", "signal", "core-dump", "timeout",
			       "resources", "protocol", "watchdog", "lost-status",
			       "unkillable", "failed-by-probe"; native: "success", "error"
			     */
	pid_t main_pid, control_pid; /* 0: none */
	uint64_t since_realtime_usec; /* of the state */
	uint64_t start_realtime_usec; /* of the main process; 0: none yet */
	const struct service_end
			*last; /* NULL: has not ended yet, in this actor's life */
	/* A command that could not be executed or failed; NULL: none, or no detail. */
	const char *failed_step, *failed_detail;
	int32_t failed_errno; /* positive; 0: failed_detail says why */
	bool adopted; /* taken over from an earlier core */
	bool final; /* the actor ends after this report */
	const char *status_text; /* STATUS=; NULL: none */
};

/* A copy with all that belongs to it in one block, for free. NULL: out of memory. */
struct service_report *service_report_copy(
		const struct service_report *report, size_t *ret_size);
/* Send a copy to the observer, who may be AIRS_PID_NONE. Errors as airs_send. */
MUST_CHECK int service_report_send(struct airs_actor *self, airs_pid observer,
		const struct service_report *report);

#endif
