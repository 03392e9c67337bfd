/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The walk. Whatever concerns more than one child is one walk over a range of them, from
 * some child to the last one: backwards to stop what runs, then forwards to start what
 * ought to run.
 *
 *   start of the supervisor   forwards only, over all
 *   one-for-all               both, over all
 *   rest-for-one              both, from the child that ended
 *   end of the supervisor     backwards only, over all
 *
 * A walk under way is never replaced by a second one: a child that ends during it lowers
 * the start of the range, and turns it back if it was already going forwards. The ordered
 * walk has one child pending at a time, the parallel one any number; that is their only
 * difference.
 *
 * While the walk waits for a backoff it rests on the child that is not due yet, so that
 * those behind it wait with it. In one-for-all the whole group waits before the first
 * start.
 */
#include <errno.h>
#include <stdio.h>

#include "rt/supervisor-internal.h"

static size_t pending_max(const struct supervisor *s)
{
	return s->plan->order == AIRS_PARALLEL ? SIZE_MAX : 1;
}

static int is_in_range(const struct supervisor *s, const struct child *c)
{
	return c->sequence >= s->walk.first;
}

/* Marks of the phase before on children no longer count. */
static void begin_phase(struct walk *w, int phase, struct child *cursor)
{
	w->phase = phase;
	w->cursor = cursor;
	w->pending = 0;
	if (++w->round == 0)
		w->round++; /* 0 is no mark. */
}

static void await(struct supervisor *s, struct child *c)
{
	c->walk_round = s->walk.round;
	s->walk.pending++;
}

static void cancel_timer(struct supervisor *s)
{
	if (s->walk.timer == 0)
		return;
	(void)airs_timer_cancel(s->self, s->walk.timer);
	s->walk.timer = 0;
}

static void wait_until(struct supervisor *s, uint64_t due_usec)
{
	struct walk *w = &s->walk;

	if (w->timer != 0 && w->due_usec == due_usec)
		return;
	cancel_timer(s);
	w->due_usec = due_usec;
	if (airs_timer_start(s->self, due_usec - airs_now(s->self), 0, &w->timer) < 0) {
		w->timer = 0;
		supervisor_break(s, -ENOMEM);
	}
}

/* The walk comes by c on its way back. */
static void sweep(struct supervisor *s, struct child *c)
{
	if (child_has_process(c)) {
		await(s, c);
		if (c->state != AIRS_CHILD_STOPPING)
			child_stop(s, c, s->walk.decision);
	} else if (s->life == LIFE_STOPPING) {
		if (c->state == AIRS_CHILD_RESTARTING)
			child_stop(s, c, s->walk.decision);
	} else if (c->want == WANT_UP && c->state == AIRS_CHILD_STOPPED) {
		/* Done, or had nothing to do, before: its group starts anew, so does it
		 * (OTP). */
		restart_with_group(s, c);
	}
}

static int has_more_to_stop(const struct supervisor *s)
{
	return s->walk.cursor && is_in_range(s, s->walk.cursor);
}

static void proceed_stop(struct supervisor *s)
{
	struct walk *w = &s->walk;

	while (has_more_to_stop(s) && w->pending < pending_max(s)) {
		struct child *c = w->cursor;

		w->cursor = children_previous(s, c);
		sweep(s, c);
	}
	if (has_more_to_stop(s) || w->pending > 0)
		return;
	if (s->life == LIFE_STOPPING)
		begin_phase(w, WALK_IDLE, NULL);
	else
		begin_phase(w, WALK_START, children_next(s, w->cursor));
}

static int needs_start(const struct child *c)
{
	if (c->want != WANT_UP)
		return 0;
	if (c->state == AIRS_CHILD_RESTARTING)
		return 1;
	return c->state == AIRS_CHILD_STOPPED && c->start_cause == START_INITIAL;
}

/* When the walk may go on from its cursor. */
static uint64_t due_at_cursor(const struct supervisor *s)
{
	const struct walk *w = &s->walk;
	uint64_t due_usec = w->gate ? child_due(w->gate) : 0;

	if (needs_start(w->cursor) && child_due(w->cursor) > due_usec)
		due_usec = child_due(w->cursor);
	return due_usec;
}

static void proceed_start(struct supervisor *s)
{
	struct walk *w = &s->walk;
	uint64_t now_usec = airs_now(s->self);

	while (w->cursor && w->pending < pending_max(s)) {
		struct child *c = w->cursor;
		uint64_t due_usec = due_at_cursor(s);

		if (due_usec > now_usec) {
			wait_until(s, due_usec);
			return;
		}
		w->gate = NULL;
		w->cursor = children_next(s, c);
		if (needs_start(c)) {
			await(s, c);
			child_launch(s, c, c->start_cause, c->decision);
		}
	}
	cancel_timer(s);
	if (!w->cursor && w->pending == 0)
		begin_phase(w, WALK_IDLE, NULL);
}

/* Turn back, or go further back, to a child with this sequence. */
static void turn_back_to(struct supervisor *s, uint64_t first)
{
	struct walk *w = &s->walk;

	cancel_timer(s);
	switch (w->phase) {
	case WALK_STOP:
		w->first = MIN_OF(w->first, first);
		return;
	case WALK_START:
		/* What was still to be started must be come by again. */
		w->first = w->cursor ? MIN_OF(w->cursor->sequence, first) : first;
		break;
	case WALK_IDLE:
		w->first = first;
		break;
	}
	begin_phase(w, WALK_STOP, children_previous(s, NULL));
}

void walk_restart_group(struct supervisor *s, struct child *c)
{
	struct walk *w = &s->walk;

	(void)snprintf(w->cause, sizeof(w->cause), "%s", spec_id(c->spec));
	w->decision = AIRS_DECISION_GROUP;
	if (s->plan->strategy == AIRS_ONE_FOR_ALL) {
		if (!w->gate || child_due(w->gate) < child_due(c))
			w->gate = c;
		turn_back_to(s, 0);
	} else {
		turn_back_to(s, c->sequence);
	}
}

void walk_shut_down(struct supervisor *s, const struct airs_reason *reason,
		enum airs_supervisor_decision decision)
{
	const struct event_extra extra = { decision, reason, 0 };
	struct walk *w = &s->walk;

	if (s->life == LIFE_STOPPING)
		return;
	s->life = LIFE_STOPPING;
	s->reason = *reason;
	if (decision != AIRS_DECISION_ESCALATE) /* which is told by itself */
		event_supervisor(s, AIRS_EVENT_SUPERVISOR_STOPPING, &extra);
	cancel_timer(s);
	w->decision = decision;
	w->first = 0;
	w->gate = NULL;
	begin_phase(w, WALK_STOP, children_previous(s, NULL));
}

void walk_start_all(struct supervisor *s)
{
	begin_phase(&s->walk, WALK_START, children_next(s, NULL));
}

int walk_will_start(const struct supervisor *s, const struct child *c)
{
	const struct walk *w = &s->walk;

	switch (w->phase) {
	case WALK_IDLE:
		return 0;
	case WALK_STOP:
		return is_in_range(s, c);
	case WALK_START:
		/* While it waits for a backoff, others are served as between two attempts
		 * (OTP). */
		return w->timer == 0 && w->cursor && c->sequence >= w->cursor->sequence;
	}
	return 0;
}

int walk_has_swept(const struct supervisor *s, const struct child *c)
{
	return s->walk.phase == WALK_STOP && s->life != LIFE_STOPPING &&
			is_in_range(s, c);
}

void walk_child_settled(struct supervisor *s, struct child *c)
{
	if (c->walk_round != s->walk.round)
		return;
	c->walk_round = 0;
	s->walk.pending--;
}

void walk_forget(struct supervisor *s, struct child *c)
{
	struct walk *w = &s->walk;

	if (w->gate == c)
		w->gate = NULL;
	if (w->cursor == c)
		w->cursor = w->phase == WALK_STOP ? children_previous(s, c)
						  : children_next(s, c);
}

void walk_proceed(struct supervisor *s)
{
	if (s->walk.phase == WALK_STOP)
		proceed_stop(s);
	if (s->walk.phase == WALK_START)
		proceed_start(s);
}
