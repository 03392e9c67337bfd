/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The life of one child.
 *
 *             launch             acked
 *   STOPPED ────────▶ STARTING ────────▶ RUNNING
 *    │ ▲ ▲ ▲    down     │ stop, timer      │ │ down
 *    │ │ │ └─────────────┤                  │ │
 *    │ │ │ down          ▼         stop     │ │
 *    │ │ └─────────── STOPPING ◀────────────┘ │
 *    │ └──────────────────────────────────────┘
 *    │ wait                         launch
 *    └──────▶ RESTARTING ─────────────────────▶ STARTING
 *
 * What follows an end is decided in supervisor-restart.c, after the child has come to
 * STOPPED.
 *
 * The truth about an end is the monitor's DOWN, never the link's EXIT: a child that
 * unlinked itself is noticed all the same, and what comes next begins when the old
 * process and its names are gone. The link is there for the other direction, so that the
 * children of a killed supervisor end.
 *
 * A spawn that fails counts as a process that ends at once, but not at once in the code:
 * the child goes on the list of failed ones, and supervisor_settle brings CHILD_DOWN. So
 * a child that cannot be made neither recurses nor keeps requests from being served
 * between two attempts.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "rt/supervisor-internal.h"

typedef void child_action(
		struct supervisor *s, struct child *c, const struct airs_reason *reason);

static void send_exit(struct supervisor *s, struct child *c,
		enum airs_reason_class reason_class)
{
	struct airs_reason reason = airs_reason_make(reason_class, 0, NULL);

	airs_exit_signal(s->self, c->pid, &reason);
}

static int arm_timer(struct supervisor *s, struct child *c, uint64_t delay_usec)
{
	struct trouble *trouble;
	int r;

	if (delay_usec == AIRS_INFINITY)
		return 0;
	r = child_trouble(c, &trouble);
	return r < 0 ? r
		     : airs_timer_start(s->self, delay_usec, (uintptr_t)c,
				       &trouble->timer);
}

static void disarm_timer(struct supervisor *s, struct child *c)
{
	if (!c->trouble || c->trouble->timer == 0)
		return;
	(void)airs_timer_cancel(s->self, c->trouble->timer);
	c->trouble->timer = 0;
}

static int spawn_actor(struct supervisor *s, struct child *c)
{
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = c->spec->args_size > 0 ? c->spec->data : NULL,
		.args_size = c->spec->args_size,
		.flags = AIRS_SPAWN_CHILD | AIRS_SPAWN_ACK,
		.tag = (uintptr_t)c,
		.pool = c->spec->terms->pool,
	};

	return airs_spawn(s->self, c->spec->terms->behaviour, &options, &c->pid);
}

static int spawn_supervisor(struct supervisor *s, struct child *c)
{
	struct supervisor_args args = {
		.plan = c->spec->plan,
		.observer = s->observer,
		.cookie = c->spec->cookie,
	};
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.flags = AIRS_SPAWN_CHILD | AIRS_SPAWN_ACK,
		.tag = (uintptr_t)c,
		.pool = c->spec->terms->pool,
	};

	(void)snprintf(args.label, sizeof(args.label), "%s", spec_id(c->spec));
	return supervisor_spawn(s->self, &args, &options, &c->pid);
}

/* reason NULL: none but the error. */
static void note_failure(struct child *c, int error, const struct airs_reason *reason)
{
	struct trouble *trouble;

	c->outcome = OUTCOME_FAILED;
	c->failure = (int16_t)error;
	if (!reason)
		return;
	/* Without memory for the reason the error has to do. */
	if (child_trouble(c, &trouble) < 0)
		return;
	c->failure = 0;
	trouble->failure = *reason;
}

static void launch(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	const struct event_extra extra = { .decision = c->decision };
	int r;

	(void)reason;
	c->outcome = OUTCOME_OPEN;
	r = c->spec->plan ? spawn_supervisor(s, c) : spawn_actor(s, c);
	c->is_alive = r == 0;
	event_child(s, AIRS_EVENT_CHILD_STARTING, c, &extra);
	if (r == 0)
		r = arm_timer(s, c, c->spec->terms->start_timeout_usec);
	if (r == 0)
		return;
	note_failure(c, -r, NULL);
	if (c->is_alive)
		send_exit(s, c, AIRS_REASON_KILL);
	else
		children_add_failed(s, c);
}

static void come_up(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	const struct event_extra extra = { .decision = c->decision };

	(void)reason;
	c->has_run = true;
	if (c->trouble && c->trouble->attempt > 0)
		c->trouble->started_usec = airs_now(s->self);
	event_child(s, AIRS_EVENT_CHILD_STARTED, c, &extra);
	request_started(s, c);
	child_tidy(c);
}

static void stop(struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	(void)reason;
	if (!c->is_alive)
		return; /* Its spawn failed; CHILD_DOWN is under way. */
	if (c->spec->terms->shutdown_usec == AIRS_SHUTDOWN_BRUTAL) {
		send_exit(s, c, AIRS_REASON_KILL);
		return;
	}
	send_exit(s, c, AIRS_REASON_SHUTDOWN);
	/* A deadline that cannot be kept passes at once. */
	if (arm_timer(s, c, c->spec->terms->shutdown_usec) < 0)
		send_exit(s, c, AIRS_REASON_KILL);
}

static void time_out(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	c->outcome = OUTCOME_TIMEOUT;
	stop(s, c, reason);
}

static void stop_for_other_reason(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	(void)s;
	(void)reason;
	c->outcome = OUTCOME_OPEN;
}

static void kill_late(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	(void)reason;
	send_exit(s, c, AIRS_REASON_KILL);
}

static struct airs_reason failure_of(const struct child *c)
{
	return c->failure == 0 && c->trouble
			? c->trouble->failure
			: airs_reason_make(AIRS_REASON_ERROR, c->failure,
					  "cannot be started");
}

static void fail_start(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	struct airs_reason failure;

	if (c->outcome == OUTCOME_IGNORED) {
		restart_after_ignore(s, c);
		return;
	}
	failure = c->outcome == OUTCOME_FAILED ? failure_of(c) : *reason;
	restart_after_failed_start(s, c, &failure);
}

static void end_stopped(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	struct airs_reason timeout;

	if (c->outcome != OUTCOME_TIMEOUT) {
		restart_after_stop(s, c, reason);
		return;
	}
	timeout = airs_reason_make(AIRS_REASON_TIMEOUT, 0, "start timed out");
	restart_after_failed_start(s, c, &timeout);
}

static void await_turn(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	uint64_t now_usec = airs_now(s->self), due_usec = child_due(c);

	(void)reason;
	/* In a group the walk looks at the time. */
	if (s->plan->strategy != AIRS_ONE_FOR_ONE || due_usec <= now_usec)
		return;
	if (arm_timer(s, c, due_usec - now_usec) < 0)
		supervisor_break(s, -ENOMEM);
}

static void withdraw(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	const struct event_extra extra = { .decision = c->decision };

	(void)reason;
	walk_forget(s, c);
	event_child(s, AIRS_EVENT_CHILD_STOPPED, c, &extra);
}

static void nothing(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	(void)s;
	(void)c;
	(void)reason;
}

struct transition {
	enum airs_child_state next;
	child_action *action; /* NULL: the event means nothing here */
};

enum { CHILD_STATE_COUNT = AIRS_CHILD_FAILED + 1 };

/* clang-format off */
#define S(state)        [AIRS_CHILD_##state]
#define T(next, action) { AIRS_CHILD_##next, action }
#define KEEP            { 0, NULL }

static const struct transition table[CHILD_STATE_COUNT][CHILD_EVENT_COUNT] = {
/*                LAUNCH               ACKED                DOWN                     STOP                                TIMER                  WAIT                       GIVE_UP */
S(STOPPED)    = { T(STARTING, launch), KEEP,                KEEP,                    KEEP,                               KEEP,                  T(RESTARTING, await_turn), T(FAILED, nothing) },
S(STARTING)   = { KEEP,                T(RUNNING, come_up), T(STOPPED, fail_start),  T(STOPPING, stop),                  T(STOPPING, time_out), KEEP,                      KEEP               },
S(RUNNING)    = { KEEP,                KEEP,                T(STOPPED, restart_after_end), T(STOPPING, stop),            KEEP,                  KEEP,                      KEEP               },
S(STOPPING)   = { KEEP,                KEEP,                T(STOPPED, end_stopped), T(STOPPING, stop_for_other_reason), T(STOPPING, kill_late), KEEP,                     KEEP               },
S(RESTARTING) = { T(STARTING, launch), KEEP,                KEEP,                    T(STOPPED, withdraw),               KEEP,                  KEEP,                      KEEP               },
S(FAILED)     = { T(STARTING, launch), KEEP,                KEEP,                    T(STOPPED, nothing),                KEEP,                  T(RESTARTING, await_turn), KEEP               },
};
/* clang-format on */

static void set_state(struct supervisor *s, struct child *c, enum airs_child_state state)
{
	if (c->state == AIRS_CHILD_STARTING && c->start_cause == START_INITIAL)
		s->n_initial--;
	c->state = state;
	if (c->state == AIRS_CHILD_STARTING && c->start_cause == START_INITIAL)
		s->n_initial++;
	if (state != AIRS_CHILD_STARTING && state != AIRS_CHILD_STOPPING)
		walk_child_settled(s, c);
}

void child_step(struct supervisor *s, struct child *c, enum child_event event,
		const struct airs_reason *reason)
{
	const struct transition *t = &table[c->state][event];

	if (!t->action)
		return;
	if (event == CHILD_DOWN)
		c->is_alive = false;
	/* A deadline outlives a second reason to stop. */
	if (t->action != stop_for_other_reason)
		disarm_timer(s, c);
	set_state(s, c, t->next);
	t->action(s, c, reason);
}

uint64_t child_due(const struct child *c)
{
	return c->trouble ? c->trouble->due_usec : 0;
}

void child_set_due(struct child *c, uint64_t due_usec)
{
	if (c->trouble)
		c->trouble->due_usec = due_usec;
}

int child_has_process(const struct child *c)
{
	return c->state == AIRS_CHILD_STARTING || c->state == AIRS_CHILD_RUNNING ||
			c->state == AIRS_CHILD_STOPPING;
}

void child_launch(struct supervisor *s, struct child *c, enum start_cause cause,
		enum airs_supervisor_decision decision)
{
	if (s->life == LIFE_STOPPING)
		return;
	c->start_cause = cause;
	c->decision = decision;
	child_step(s, c, CHILD_LAUNCH, NULL);
}

void child_stop(struct supervisor *s, struct child *c,
		enum airs_supervisor_decision decision)
{
	c->decision = decision;
	child_step(s, c, CHILD_STOP, NULL);
}

void child_note_refused(struct child *c, int status, const struct airs_reason *reason)
{
	if (c->state != AIRS_CHILD_STARTING || c->outcome != OUTCOME_OPEN)
		return;
	if (status == AIRS_INIT_IGNORE) {
		c->outcome = OUTCOME_IGNORED;
		return;
	}
	note_failure(c, -status, reason);
}
