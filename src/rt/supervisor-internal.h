/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_SUPERVISOR_INTERNAL_H
#define RT_SUPERVISOR_INTERNAL_H

/*
 * The supervisor's state and the parts that work on it. It is one ordinary actor above
 * the public actor interface, so everything here runs in its handlers, and nothing
 * blocks.
 *
 *   supervisor-spec.c     checks and copies options; immutable and shared from then on
 *   supervisor-children.c    the children: in order, by id; what is the matter with them
 *   supervisor-child.c    the life of one child (state × event table)
 *   supervisor-group.c    the walk: ordered stops and starts of many children
 *   supervisor-restart.c  what follows when a child ends: restart type, intensity,
 * backoff, strategy supervisor-request.c  requests, both ends supervisor-event.c    what
 * the observer is told supervisor.c          the behaviour: init, dispatch, end
 *
 * Rules that keep it simple: only child_step() sets a child's state. Nothing but
 * supervisor_settle(), which ends every handler, moves the walk or takes up failed
 * spawns, so that no action re-enters it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airssys/supervisor.h"
#include "base/list.h"
#include "base/lookup.h"
#include "rt/intensity.h"

/* Options, copied; immutable, and shared by all incarnations of a supervisor. */
struct plan {
	_Atomic unsigned int references;
	char *name; /* NULL: none */
	enum airs_strategy strategy;
	enum airs_order order;
	enum airs_escalation escalation;
	enum airs_auto_shutdown auto_shutdown;
	uint32_t intensity;
	uint64_t period_usec;
	airs_pid observer;
	struct spec **specs;
	size_t n_specs;
};

/* What many specifications have in common; immutable, and shared by siblings. */
struct terms {
	_Atomic unsigned int references;
	enum airs_restart restart;
	enum airs_initial initial;
	enum airs_significance significance;
	const struct airs_behaviour *behaviour; /* NULL: a supervisor */
	uint64_t shutdown_usec;
	uint64_t start_timeout_usec; /* AIRS_INFINITY: none */
	struct airs_backoff backoff;
	struct airs_pool *pool;
};

/* A child specification, copied; immutable and shared. */
struct spec {
	_Atomic unsigned int references;
	uint32_t args_size;
	struct terms *terms; /* one reference */
	struct plan *plan; /* of a supervisor, else NULL */
	uint64_t cookie;
	/* the arguments, then the id with its NUL */
	_Alignas(max_align_t) unsigned char data[];
};

static inline const char *spec_id(const struct spec *spec)
{
	return (const char *)spec->data + spec->args_size;
}

/* Whether a child ought to have a process, whatever it has just now. */
enum child_want {
	WANT_UP,
	WANT_DOWN, /* held, terminated by request, or given up: group restarts leave it
		      alone */
};

/* Why a child is being started: decides what a failed start means. */
enum start_cause {
	START_INITIAL, /* with the supervisor: its failure is the supervisor's */
	START_AGAIN, /* a restart: its failure counts as one more attempt */
	START_ADDED, /* start_child: its failure removes the child */
	START_REQUEST, /* restart_child: its failure leaves the child stopped */
};

/* What became of a start handshake whose process has not ended yet. */
enum start_outcome {
	OUTCOME_OPEN,
	OUTCOME_IGNORED,
	OUTCOME_FAILED, /* child.failure has the reason */
	OUTCOME_TIMEOUT, /* is being stopped for it */
};

/*
 * What a child has only while something is the matter with it: a start that failed, a
 * timer, restarts not forgotten yet, requests that wait.
 */
struct trouble {
	struct airs_reason
			failure; /* OUTCOME_FAILED; its class may say that it is not set
				     */
	airs_ref timer; /* start timeout, stop deadline or backoff, as the state says */
	uint64_t started_usec; /* end of its start handshake; only with attempts */
	uint64_t due_usec; /* RESTARTING: not before */
	uint32_t attempt; /* restarts since the last stable run */
	struct intensity window; /* under AIRS_ESCALATE_CHILD */
	struct list waiters; /* [struct waiter.link] */
};

struct child {
	struct list link; /* on supervisor.children */
	struct spec *spec; /* one reference */
	struct trouble *trouble; /* NULL: none */
	struct child *next_failed; /* on supervisor.failed */
	uint64_t sequence; /* grows in start order, never reused */
	airs_pid pid; /* of its process; without one, of the last, for events */
	uint32_t walk_round; /* equals the walk's: the walk waits for this child */
	int16_t failure; /* OUTCOME_FAILED: a positive errno, when trouble has no reason */
	uint8_t state; /* enum airs_child_state */
	uint8_t start_cause; /* enum start_cause */
	uint8_t decision; /* enum airs_supervisor_decision, of the start or stop under way
			   */
	uint8_t outcome : 2; /* enum start_outcome */
	uint8_t want : 1; /* enum child_want */
	bool is_alive : 1; /* pid has not ended */
	bool is_failed : 1; /* on supervisor.failed: its spawn failed */
	bool has_run : 1; /* once at least */
};

enum request_operation {
	REQUEST_START,
	REQUEST_TERMINATE,
	REQUEST_RESTART,
	REQUEST_DELETE,
	REQUEST_UPDATE,
	REQUEST_WHICH,
	REQUEST_COUNT,
	REQUEST_OPERATION_COUNT
};

/* A request that is answered later. */
struct waiter {
	struct list link; /* on child.waiters, in order of arrival */
	struct airs_from from;
	enum request_operation operation;
};

/* Stops children from the last to the first of a range, then starts them in order. */
struct walk {
	enum {
		WALK_IDLE,
		WALK_STOP,
		WALK_START,
	} phase;
	uint64_t first; /* sequence: where the range begins; it ends with the last child
			 */
	struct child *cursor; /* next to stop or start; NULL: no more */
	uint32_t round; /* changes with the phase, so that old marks on children are void
			 */
	size_t pending; /* children of this round that are stopping or starting */
	struct child *gate; /* one-for-all: whose backoff the whole group waits for */
	enum airs_supervisor_decision decision;
	airs_ref timer; /* the walk waits until due_usec */
	uint64_t due_usec;
	char cause[256]; /* id of the child that made it necessary */
};

enum supervisor_life {
	LIFE_STARTING, /* the own start handshake is not over */
	LIFE_UP,
	LIFE_STOPPING, /* ends with reason when all children have */
};

struct supervisor {
	struct airs_actor *self; /* valid in the handler that is running */
	struct plan *plan; /* one reference */
	airs_pid observer;
	uint64_t cookie;
	char label[256]; /* its name in events */
	enum supervisor_life life;
	struct airs_reason reason; /* LIFE_STOPPING */
	enum {
		START_ANSWERED,
		START_UNANSWERED,
	} handshake;

	struct list children; /* [struct child.link] in start order */
	size_t n_children;
	size_t n_initial; /* in state STARTING with START_INITIAL */
	uint64_t next_sequence;
	struct lookup by_id; /* [struct child], by the id of their specification */
	struct {
		struct child *first, **end;
	} failed; /* [struct child.next_failed]: STARTING without a process */
	enum {
		NUDGE_NONE,
		NUDGE_SENT, /* a message to ourselves is under way */
	} nudge;

	struct intensity window;
	struct walk walk;
};

/* Handed to the init of a supervisor by whoever spawns it. */
struct supervisor_args {
	struct plan *plan; /* one reference */
	airs_pid observer; /* when the plan has none */
	uint64_t cookie;
	char label[256]; /* when the plan has no name */
};

/* The request as it travels. start_child and update_child carry spec, the others about a
 * child carry id.
 */
struct supervisor_request {
	enum request_operation operation;
	struct spec *spec;
	char id[256];
};

/* supervisor-spec.c */
MUST_CHECK int plan_new(
		const struct airs_supervisor_options *options, struct plan **ret_plan);
/* sibling (may be NULL) lends its terms if they are the same. */
MUST_CHECK int spec_new(const struct airs_child_spec *from, const struct spec *sibling,
		struct spec **ret_spec);
MUST_CHECK int spec_check(const struct airs_child_spec *spec, const char **ret_what);
struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan *plan); /* NULL is accepted, by spec_unref too */
struct spec *spec_ref(struct spec *spec);
void spec_unref(struct spec *spec);

/* supervisor-children.c */
/* Adds a stopped child at the end; takes a reference of spec. -EEXIST, -ENOMEM. */
MUST_CHECK int children_add(
		struct supervisor *s, struct spec *spec, struct child **ret_child);
/* Removes and frees a child without a process; its waiters must have been answered. */
void children_remove(struct supervisor *s, struct child *c);
/* Puts another specification of the same id in place. */
void children_update(struct supervisor *s, struct child *c, struct spec *spec);
/* Frees everything without using the runtime. */
void children_fini(struct supervisor *s);
/* NULL when there is none. */
struct child *children_find(const struct supervisor *s, const char *id);
/* The child's trouble, made if need be. -ENOMEM. */
MUST_CHECK int child_trouble(struct child *c, struct trouble **ret_trouble);
/* Nothing may be the matter any more. */
void child_tidy(struct child *c);
/* The spawn of c failed, or was taken up. */
void children_add_failed(struct supervisor *s, struct child *c);
struct child *children_take_failed(struct supervisor *s);
/* NULL at the end; c NULL: the first, the last. */
struct child *children_next(struct supervisor *s, struct child *c);
struct child *children_previous(struct supervisor *s, struct child *c);

/* supervisor-child.c */
enum child_event {
	CHILD_LAUNCH, /* start it now */
	CHILD_ACKED, /* its start handshake succeeded */
	CHILD_DOWN, /* its process is gone, or could not be made: reason */
	CHILD_STOP, /* end it; child.decision says why */
	CHILD_TIMER, /* the timer of its state expired */
	CHILD_WAIT, /* will be started by the walk, or at due_usec */
	CHILD_GIVE_UP, /* too many restarts under AIRS_ESCALATE_CHILD */
	CHILD_EVENT_COUNT
};
void child_step(struct supervisor *s, struct child *c, enum child_event event,
		const struct airs_reason *reason);
/* RESTARTING: when it may start at the earliest. Without trouble it is 0, and stays so. */
uint64_t child_due(const struct child *c);
void child_set_due(struct child *c, uint64_t due_usec);
static inline airs_pid child_process(const struct child *c)
{
	return c->is_alive ? c->pid : AIRS_PID_NONE;
}
/* Whether a process of it exists or is being made. */
int child_has_process(const struct child *c);
/* CHILD_STOP with the decision behind it. */
void child_stop(struct supervisor *s, struct child *c,
		enum airs_supervisor_decision decision);
/* CHILD_LAUNCH with its cause and the decision behind it. */
void child_launch(struct supervisor *s, struct child *c, enum start_cause cause,
		enum airs_supervisor_decision decision);
/* Its start handshake ended otherwise than with success; its end follows. status as
 * AIRS_MSG_STARTED. */
void child_note_refused(struct child *c, int status, const struct airs_reason *reason);

/* supervisor-group.c */
/* Take c, and what the strategy adds to it, through a stop and a start. c waits
 * (CHILD_WAIT). */
void walk_restart_group(struct supervisor *s, struct child *c);
/* Stop everything, then end with reason. The first call decides the reason. */
void walk_shut_down(struct supervisor *s, const struct airs_reason *reason,
		enum airs_supervisor_decision decision);
void walk_start_all(struct supervisor *s);
/* Whether the walk will come to c and start it. */
int walk_will_start(const struct supervisor *s, const struct child *c);
/* Whether the walk has come by c, or will, on its way back: c is then started again by
 * it. */
int walk_has_swept(const struct supervisor *s, const struct child *c);
/* c has started or its process has ended. */
void walk_child_settled(struct supervisor *s, struct child *c);
/* c is about to be removed, or need not be waited for any more. */
void walk_forget(struct supervisor *s, struct child *c);
void walk_proceed(struct supervisor *s);

/* supervisor-restart.c */
/* c has no process and starts again with its group, when the walk comes to it. */
void restart_with_group(struct supervisor *s, struct child *c);
/* A running child ended by itself. */
void restart_after_end(
		struct supervisor *s, struct child *c, const struct airs_reason *reason);
/* A start failed, and its process is gone. */
void restart_after_failed_start(
		struct supervisor *s, struct child *c, const struct airs_reason *reason);
/* A child ended because it was stopped. */
void restart_after_stop(
		struct supervisor *s, struct child *c, const struct airs_reason *reason);
/* A child's init said that there is nothing to do. */
void restart_after_ignore(struct supervisor *s, struct child *c);

/* supervisor-request.c */
void request_serve(struct supervisor *s, const struct airs_message *message);
/* The child runs: answer who waits for its start. */
void request_started(struct supervisor *s, struct child *c);
/* The child will not run now: answer who waits for its start. */
void request_not_started(struct supervisor *s, struct child *c, int status,
		const struct airs_reason *reason);
/*
 * The child has no process and rests: answer who waits for its end, then serve what came
 * meanwhile. May remove the child, which the caller must not touch afterwards.
 */
void request_at_rest(struct supervisor *s, struct child *c);
/* Removes the child after answering everyone. */
void request_removed(struct supervisor *s, struct child *c);

/* supervisor-event.c */
struct event_extra {
	enum airs_supervisor_decision decision;
	const struct airs_reason *reason; /* may be NULL */
	uint64_t delay_usec;
};
void event_child(struct supervisor *s, enum airs_supervisor_event_kind kind,
		const struct child *c, const struct event_extra *extra);
void event_supervisor(struct supervisor *s, enum airs_supervisor_event_kind kind,
		const struct event_extra *extra);

/* supervisor.c */
/* Ends every handler: takes up failed spawns, moves the walk, answers the own start
 * handshake. */
int supervisor_settle(struct supervisor *s);
/* What cannot go on ends in order: as walk_shut_down with reason ERROR. error: negative
 * errno. */
void supervisor_break(struct supervisor *s, int error);
/* airs_spawn of a supervisor; args need not stay. */
MUST_CHECK int supervisor_spawn(struct airs_actor *self,
		const struct supervisor_args *args, struct airs_spawn_options *options,
		airs_pid *ret_pid);
/* The failure of a start as a status: a negative errno. */
int supervisor_status_of(const struct airs_reason *reason);

#endif
