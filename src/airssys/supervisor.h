/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_SUPERVISOR_H
#define AIRSSYS_SUPERVISOR_H

/*
 * Supervisors: OTP's strategies, restart types, intensity window and shutdown order, with
 * a start handshake that does not block the supervisor, and optional backoff.
 *
 * Source of the rules: Erlang/OTP, stdlib supervisor. Where ours differ, the comment says
 * so.
 */

#include <airssys/actor.h>
#include <airssys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum airs_strategy {
	AIRS_ONE_FOR_ONE, /* only the child that ended is restarted */
	AIRS_ONE_FOR_ALL, /* all are ended in reverse order and started again */
	/* those started after it are ended in reverse order and started again with it */
	AIRS_REST_FOR_ONE,
};

enum airs_restart {
	AIRS_PERMANENT, /* always restarted */
	/* restarted unless airs_reason_is_orderly; its specification is kept */
	AIRS_TRANSIENT,
	AIRS_TEMPORARY, /* never restarted */
};

/* How children that nothing orders are started and stopped. */
enum airs_order {
	/* one after the other, each when the one before it has started (OTP) */
	AIRS_ORDERED,
	/* starts are issued in order without waiting, stops in reverse order likewise */
	AIRS_PARALLEL,
};

/* What happens when a child exceeds the intensity. */
enum airs_escalation {
	/* the supervisor stops its children and ends with SHUTDOWN (OTP) */
	AIRS_ESCALATE_EXIT,
	/*
	 * that child is given up (state FAILED), the others go on; intensity is then
	 * counted per child. For a root that must outlive its subtrees.
	 */
	AIRS_ESCALATE_CHILD,
};

/* Whether a child is started with its supervisor. */
enum airs_initial {
	AIRS_INITIAL_START,
	AIRS_INITIAL_HOLD, /* kept stopped until airs_supervisor_restart_child */
};

/*
 * Whether the end of a child is the end of the work: see airs_auto_shutdown. Not of a
 * permanent one.
 */
enum airs_significance {
	AIRS_INSIGNIFICANT,
	AIRS_SIGNIFICANT,
};

/*
 * Whether a supervisor ends, with SHUTDOWN, when a significant child has ended by itself
 * and is not restarted (OTP's auto_shutdown). What ends by request, with its group, or
 * before it has started does not count.
 */
enum airs_auto_shutdown {
	AIRS_AUTO_SHUTDOWN_NEVER, /* no child may be significant then */
	AIRS_AUTO_SHUTDOWN_ANY, /* when the first one has */
	AIRS_AUTO_SHUTDOWN_ALL, /* when one has and no other one is left */
};

#define AIRS_SHUTDOWN_BRUTAL UINT64_C(0) /* KILL at once */

/*
 * Delay before a restart: initial, then growing geometrically to max in this many
 * steps. All 0: none (OTP).
 */
struct airs_backoff {
	uint64_t initial_usec;
	uint64_t max_usec; /* 0: as initial */
	uint32_t steps; /* restarts from initial to max; 0: stays at initial */
	/* 0 … 100: each delay is shortened by a random part of at most this */
	uint32_t jitter_percent;
	/* a run at least this long starts over at initial; 0: the supervisor's period */
	uint64_t reset_after_usec;
};

struct airs_supervisor_options;

struct airs_child_spec {
	size_t size; /* sizeof(struct airs_child_spec) */
	const char *id; /* unique among the children; copied; 1 … 255 bytes */
	/* an actor; or NULL when supervisor is set */
	const struct airs_behaviour *behaviour;
	/* a supervisor; copied deeply */
	const struct airs_supervisor_options *supervisor;
	const void *args; /* for the behaviour's init at every start; copied */
	size_t args_size;
	enum airs_restart restart;
	enum airs_initial initial;
	/*
	 * How long an orderly end may take before KILL; AIRS_SHUTDOWN_BRUTAL,
	 * AIRS_INFINITY, or microseconds. OTP's defaults are 5 s for workers and
	 * infinity for supervisors.
	 */
	uint64_t shutdown_usec;
	/* of the start handshake; 0 or AIRS_INFINITY: none */
	uint64_t start_timeout_usec;
	struct airs_backoff backoff;
	struct airs_pool *pool; /* NULL: the supervisor's */
	uint64_t cookie; /* comes back in events */
	enum airs_significance significance;
};

/* Defaults in OTP: intensity 1, period 5 s. */
struct airs_supervisor_options {
	size_t size; /* sizeof(struct airs_supervisor_options) */
	const char *name; /* registered and used in events; copied; may be NULL */
	enum airs_strategy strategy;
	enum airs_order order;
	enum airs_escalation escalation;
	uint32_t intensity; /* restarts allowed within period */
	uint64_t period_usec; /* a restart exactly this long ago still counts */
	const struct airs_child_spec *children;
	size_t n_children;
	/*
	 * receives AIRS_MSG_SUPERVISOR events (struct airs_supervisor_event), also of
	 * nested supervisors that set none; may be AIRS_PID_NONE. What does not fit
	 * its mailbox is lost
	 */
	airs_pid observer;
	enum airs_auto_shutdown auto_shutdown;
};

/*
 * Check options and everything in them: duplicate ids, empty ids, values out of range, a
 * child with both or neither of behaviour and supervisor, a significant child that is
 * permanent or whose supervisor never ends for it. 0 or -EINVAL; *ret_what (may be
 * NULL) then says what, static storage.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_supervisor_check(
		const struct airs_supervisor_options *options, const char **ret_what);

/*
 * Start a supervisor as an actor of its own, linked to the caller, which is its parent:
 * an exit signal from the parent stops the children in reverse order, then the supervisor
 * ends with that reason; those of others are ignored. options are copied deeply.
 *
 * Its start handshake (AIRS_SPAWN_ACK) ends when its children have started. A child that
 * fails to start: those already started are ended in reverse order and the start fails
 * with the child's reason, flagged AIRS_REASON_F_SHUTDOWN, whose text is the path to that
 * child (OTP); under AIRS_ESCALATE_CHILD the child is treated as one that ended, and the
 * start goes on.
 *
 *   flags   AIRS_SPAWN_ACK, AIRS_SPAWN_LINK (implied)
 *
 * -EINVAL when airs_supervisor_check refuses the options or for other flags; else errors
 * as airs_spawn.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_supervisor_spawn(struct airs_actor *self,
		const struct airs_supervisor_options *options, unsigned int flags,
		airs_pid *ret_pid);
/*
 * The same from outside of any actor. It has no parent: airs_system_exit_signal takes its
 * place. Threads: any.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_system_supervisor_spawn(struct airs_system *system,
		const struct airs_supervisor_options *options, airs_pid *ret_pid);

enum airs_child_state {
	/* no pid: held, terminated, or ended and not to be restarted */
	AIRS_CHILD_STOPPED,
	AIRS_CHILD_STARTING, /* its init is not over */
	AIRS_CHILD_RUNNING,
	AIRS_CHILD_STOPPING,
	AIRS_CHILD_RESTARTING, /* waits for its turn or its backoff */
	AIRS_CHILD_FAILED, /* given up (AIRS_ESCALATE_CHILD) */
};

/*
 * Requests to a supervisor. Each is an airs_call: exactly one AIRS_MSG_REPLY with
 * *ret_call follows, its status as listed. timeout_usec as airs_call. Requests about a
 * child name it by id. They are served at once, whatever else is under way; what needs
 * the end of a child's process first is served after it, in order of arrival. The
 * functions give -EINVAL for a bad id or specification, else errors as airs_call.
 *
 *   start_child      add and start. 0 with the pid (airs_pid) as payload once it has
 *                    started (AIRS_PID_NONE: its init had nothing to do, or it is held),
 *                    -EEXIST (id known; payload empty), or the failed start: -ETIMEDOUT,
 *                    the negative errno of its reason, or -EIO for one of another class,
 *                    with struct airs_reason as payload (the specification is then not
 *                    kept, as in OTP);
 *                    -ECANCELED with the reason when it is terminated meanwhile (kept)
 *   terminate_child  end it, keep its specification (temporary: removed). 0 once it has
 *                    ended, also when it was not running; -ENOENT. A child that is
 *                    starting or waits for its backoff is ended at once. It stays down
 *                    when its group restarts (OTP would start it)
 *   restart_child    start a stopped or failed one, with its attempts forgotten. 0 with
 *                    its pid, -EBUSY when running, -EAGAIN when restarting, -ENOENT, or
 *                    the failure; it is then left stopped. It does not count towards
 *                    intensity.
 *   delete_child     forget a stopped or failed one. 0, -EBUSY when neither, -ENOENT
 *   update_child     put this specification in place of the one of the same id. The child
 *                    itself is not touched, nor are the children of a supervisor: it
 *                    counts for what is done with it from now on. Its initial is ignored.
 *                    0, -ENOENT (ours, not OTP's)
 *
 * A supervisor that is ending answers starts with -ESHUTDOWN; one that never ends for a
 * child answers -EINVAL to the start and the update of a significant one.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_supervisor_start_child(struct airs_actor *self,
		airs_pid supervisor, const struct airs_child_spec *spec,
		uint64_t timeout_usec, airs_ref *ret_call);
AIRS_PUBLIC AIRS_MUST_CHECK int airs_supervisor_terminate_child(struct airs_actor *self,
		airs_pid supervisor, const char *id, uint64_t timeout_usec,
		airs_ref *ret_call);
AIRS_PUBLIC AIRS_MUST_CHECK int airs_supervisor_restart_child(struct airs_actor *self,
		airs_pid supervisor, const char *id, uint64_t timeout_usec,
		airs_ref *ret_call);
AIRS_PUBLIC AIRS_MUST_CHECK int airs_supervisor_delete_child(struct airs_actor *self,
		airs_pid supervisor, const char *id, uint64_t timeout_usec,
		airs_ref *ret_call);
AIRS_PUBLIC AIRS_MUST_CHECK int airs_supervisor_update_child(struct airs_actor *self,
		airs_pid supervisor, const struct airs_child_spec *spec,
		uint64_t timeout_usec, airs_ref *ret_call);
/* Payload: array of struct airs_child_info in start order (OTP answers newest first). */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_supervisor_which_children(struct airs_actor *self,
		airs_pid supervisor, uint64_t timeout_usec, airs_ref *ret_call);
/* Payload: struct airs_child_counts. */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_supervisor_count_children(struct airs_actor *self,
		airs_pid supervisor, uint64_t timeout_usec, airs_ref *ret_call);

struct airs_child_info {
	char id[256];
	airs_pid pid; /* AIRS_PID_NONE unless starting, running or stopping */
	uint32_t state; /* enum airs_child_state */
	uint32_t is_supervisor;
	uint64_t cookie;
};

struct airs_child_counts {
	uint64_t specs, active, supervisors, workers;
};

/* What a supervisor tells its observer. */
enum airs_supervisor_event_kind {
	AIRS_EVENT_CHILD_STARTING = 1,
	AIRS_EVENT_CHILD_STARTED,
	AIRS_EVENT_CHILD_IGNORED, /* its init said there is nothing to do */
	AIRS_EVENT_CHILD_START_FAILED, /* reason; what follows is decision */
	/* ended by itself: reason; what follows is decision */
	AIRS_EVENT_CHILD_ENDED,
	/* ended by the supervisor, because of decision: reason */
	AIRS_EVENT_CHILD_STOPPED,
	AIRS_EVENT_CHILD_BACKOFF, /* restarts after delay_usec */
	AIRS_EVENT_CHILD_GIVEN_UP, /* intensity exceeded under AIRS_ESCALATE_CHILD */
	/* the supervisor's intensity is exceeded: it stops its children and ends */
	AIRS_EVENT_ESCALATED,
	AIRS_EVENT_SUPERVISOR_STARTED,
	AIRS_EVENT_SUPERVISOR_ENDED,
	/* it was told to end, or cannot go on: it stops its children; reason */
	AIRS_EVENT_SUPERVISOR_STOPPING,
};

/* Why a supervisor acted. */
enum airs_supervisor_decision {
	/* left stopped: normal end of a transient, any end of a temporary */
	AIRS_DECISION_NONE,
	AIRS_DECISION_RESTART, /* restarted for its own end */
	/* restarted, or stopped, because a sibling ended (strategy) */
	AIRS_DECISION_GROUP,
	AIRS_DECISION_REQUEST, /* terminate_child, restart_child, start_child */
	AIRS_DECISION_SHUTDOWN, /* the supervisor itself is stopping */
	AIRS_DECISION_ESCALATE, /* intensity exceeded */
};

struct airs_supervisor_event {
	uint32_t kind; /* enum airs_supervisor_event_kind */
	uint32_t decision; /* enum airs_supervisor_decision */
	uint32_t strategy; /* enum airs_strategy of the supervisor */
	uint32_t restarts_in_window; /* after this event */
	uint32_t intensity;
	uint32_t attempt; /* restarts of this child since it last ran stably */
	/*
	 * of the child; of the supervisor's own child_spec for events about itself (0
	 * for the root)
	 */
	uint64_t cookie;
	airs_pid supervisor;
	airs_pid child; /* its process, or the last one when it has none */
	/* CHILD_ENDED, CHILD_START_FAILED, CHILD_BACKOFF: until the restart */
	uint64_t delay_usec;
	struct airs_reason reason;
	char supervisor_name[64]; /* cut to fit */
	/* the child; "" in events about the supervisor itself */
	char id[256];
	char cause[256]; /* GROUP: the sibling that ended */
};

#ifdef __cplusplus
}
#endif

#endif
