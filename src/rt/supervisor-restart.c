/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What follows when a child has ended: restart type, then intensity, then backoff, then
 * strategy.
 *
 * Every attempt to restart counts, a failed one too; restarts by request do not, and the
 * siblings of a group do not. Source: OTP's supervisor. Ours differ in these points: a
 * failed attempt is repeated after the child's backoff, if it has one; a child that was
 * stopped by request stays stopped when its group restarts; and stopping the child that a
 * group waits for lets the rest of the group start.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rt/backoff.h"
#include "rt/supervisor-internal.h"

static int is_per_child(const struct supervisor *s)
{
	return s->plan->escalation == AIRS_ESCALATE_CHILD;
}

static int is_restarted(const struct child *c, const struct airs_reason *reason)
{
	switch (c->spec->terms->restart) {
	case AIRS_PERMANENT:
		return 1;
	case AIRS_TRANSIENT:
		return !airs_reason_is_orderly(reason);
	case AIRS_TEMPORARY:
		return 0;
	}
	return 0;
}

static void rest(struct supervisor *s, struct child *c)
{
	if (c->spec->terms->restart == AIRS_TEMPORARY)
		request_removed(s, c);
	else
		request_at_rest(s, c);
}

static void forget_stable_attempts(struct supervisor *s, struct child *c)
{
	uint64_t reset_usec = c->spec->terms->backoff.reset_after_usec;

	if (!c->trouble || c->trouble->attempt == 0)
		return;
	if (reset_usec == 0)
		reset_usec = s->plan->period_usec;
	if (airs_now(s->self) - c->trouble->started_usec >= reset_usec)
		c->trouble->attempt = 0;
}

/*
 * {shutdown, {failed_to_start_child, id, reason}} in OTP: class and code stay those of
 * the cause, the text is the path to it.
 */
static struct airs_reason failure_of_start(
		const struct child *c, const struct airs_reason *reason)
{
	static const char prefix[] = "failed to start ";
	struct airs_reason failure = *reason, cut;
	const char *inner = "";
	char path[512];

	if ((reason->flags & AIRS_REASON_F_SHUTDOWN) && has_prefix(reason->text, prefix))
		inner = reason->text + sizeof(prefix) - 1;
	(void)snprintf(path, sizeof(path), "%s%s%s%s", prefix, spec_id(c->spec),
			*inner ? ": " : "", inner);
	cut = airs_reason_make(AIRS_REASON_NORMAL, 0, path);
	memcpy(failure.text, cut.text, sizeof(failure.text));
	failure.flags |= AIRS_REASON_F_SHUTDOWN;
	return failure;
}

static void give_up(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	const struct event_extra extra = { AIRS_DECISION_ESCALATE, reason, 0 };

	c->want = WANT_DOWN;
	child_step(s, c, CHILD_GIVE_UP, NULL);
	walk_forget(s, c);
	event_child(s, AIRS_EVENT_CHILD_GIVEN_UP, c, &extra);
	request_not_started(s, c, supervisor_status_of(reason), reason);
	request_at_rest(s, c);
}

static void escalate(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	const struct event_extra extra = { AIRS_DECISION_ESCALATE, reason, 0 };
	struct airs_reason end;

	if (is_per_child(s)) {
		give_up(s, c, reason);
		return;
	}
	event_supervisor(s, AIRS_EVENT_ESCALATED, &extra);
	end = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, "restart intensity exceeded");
	walk_shut_down(s, &end, AIRS_DECISION_ESCALATE);
}

/* Whether one more restart is within the intensity. One that cannot be counted is not. */
static int may_restart(struct supervisor *s, struct child *c)
{
	struct trouble *trouble;
	struct intensity *window;

	if (child_trouble(c, &trouble) < 0)
		return 0;
	window = is_per_child(s) ? &trouble->window : &s->window;
	return intensity_add(window, airs_now(s->self), s->plan->intensity,
			       s->plan->period_usec) == INTENSITY_WITHIN;
}

static void plan_restart(struct supervisor *s, struct child *c,
		enum airs_supervisor_event_kind kind, const struct airs_reason *reason)
{
	uint64_t delay_usec = backoff_delay(&c->spec->terms->backoff,
			++c->trouble->attempt, airs_random(s->self));
	const struct event_extra extra = { AIRS_DECISION_RESTART, reason, delay_usec };

	event_child(s, kind, c, &extra);
	child_set_due(c, delay_usec > 0 ? airs_now(s->self) + delay_usec : 0);
	if (delay_usec > 0)
		event_child(s, AIRS_EVENT_CHILD_BACKOFF, c, &extra);
}

static void try_again(struct supervisor *s, struct child *c,
		enum airs_supervisor_event_kind kind, const struct airs_reason *reason)
{
	const struct event_extra extra = { AIRS_DECISION_ESCALATE, reason, 0 };

	if (!may_restart(s, c)) {
		event_child(s, kind, c, &extra);
		escalate(s, c, reason);
		return;
	}
	plan_restart(s, c, kind, reason);
	c->start_cause = START_AGAIN;
	c->decision = AIRS_DECISION_RESTART;
	if (s->plan->strategy == AIRS_ONE_FOR_ONE && child_due(c) == 0) {
		child_launch(s, c, START_AGAIN, AIRS_DECISION_RESTART);
		return;
	}
	child_step(s, c, CHILD_WAIT, NULL);
	if (s->plan->strategy != AIRS_ONE_FOR_ONE)
		walk_restart_group(s, c);
}

/* Whether a significant child is there, or on its way. */
static int is_left(const struct supervisor *s, const struct child *c)
{
	if (c->spec->terms->significance == AIRS_INSIGNIFICANT || c->want != WANT_UP)
		return 0;
	/* At first those that have not had their turn count as well. */
	return child_has_process(c) || c->state == AIRS_CHILD_RESTARTING ||
			(s->life == LIFE_STARTING && !c->has_run &&
					c->outcome != OUTCOME_IGNORED);
}

/* Whether the end of c, which is not restarted, is the supervisor's. */
static int ends_supervisor(const struct supervisor *s, const struct child *c)
{
	const struct child *other;

	if (c->spec->terms->significance == AIRS_INSIGNIFICANT ||
			s->plan->auto_shutdown == AIRS_AUTO_SHUTDOWN_NEVER)
		return 0;
	if (s->plan->auto_shutdown == AIRS_AUTO_SHUTDOWN_ANY)
		return 1;
	list_foreach(other, &s->children, link)
		if (other != c && is_left(s, other))
			return 0;
	return 1;
}

/* The child is down by itself; restart it if its type says so. kind is what is told. */
static void act_by_type(struct supervisor *s, struct child *c,
		enum airs_supervisor_event_kind kind, const struct airs_reason *reason)
{
	const struct event_extra extra = { AIRS_DECISION_NONE, reason, 0 };
	struct airs_reason end;
	int shuts_down;

	if (is_restarted(c, reason)) {
		try_again(s, c, kind, reason);
		return;
	}
	shuts_down = kind == AIRS_EVENT_CHILD_ENDED && ends_supervisor(s, c);
	event_child(s, kind, c, &extra);
	request_not_started(s, c, supervisor_status_of(reason), reason);
	rest(s, c);
	if (!shuts_down)
		return;
	end = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, "a significant child has ended");
	walk_shut_down(s, &end, AIRS_DECISION_SHUTDOWN);
}

/* It ended before it was stopped for a reason of which its group is the cause. */
static void end_in_sweep(struct supervisor *s, struct child *c,
		enum airs_supervisor_event_kind kind, const struct airs_reason *reason)
{
	const struct event_extra extra = { AIRS_DECISION_GROUP, reason, 0 };

	event_child(s, kind, c, &extra);
	if (c->spec->terms->restart == AIRS_TEMPORARY)
		request_removed(s, c);
	else
		restart_with_group(s, c);
}

static void end_in_shutdown(struct supervisor *s, struct child *c,
		enum airs_supervisor_event_kind kind, const struct airs_reason *reason)
{
	const struct event_extra extra = { s->walk.decision, reason, 0 };

	event_child(s, kind, c, &extra);
	request_not_started(s, c, -ESHUTDOWN, &s->reason);
	request_at_rest(s, c);
}

static void fail_request(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	const struct event_extra extra = { AIRS_DECISION_REQUEST, reason, 0 };

	event_child(s, AIRS_EVENT_CHILD_START_FAILED, c, &extra);
	request_not_started(s, c, supervisor_status_of(reason), reason);
	if (c->start_cause == START_ADDED) {
		request_removed(s, c);
		return;
	}
	c->want = WANT_DOWN;
	request_at_rest(s, c);
}

static void fail_initial(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	const struct event_extra extra = { AIRS_DECISION_SHUTDOWN, reason, 0 };
	struct airs_reason failure;

	if (is_per_child(s)) {
		act_by_type(s, c, AIRS_EVENT_CHILD_START_FAILED, reason);
		return;
	}
	event_child(s, AIRS_EVENT_CHILD_START_FAILED, c, &extra);
	failure = failure_of_start(c, reason);
	walk_shut_down(s, &failure, AIRS_DECISION_SHUTDOWN);
}

void restart_with_group(struct supervisor *s, struct child *c)
{
	/* Until it has run once, a failing start means what it meant at first. */
	if (c->has_run)
		c->start_cause = START_AGAIN;
	c->decision = AIRS_DECISION_GROUP;
	child_set_due(c, 0);
	child_step(s, c, CHILD_WAIT, NULL);
}

void restart_after_end(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	forget_stable_attempts(s, c);
	if (s->life == LIFE_STOPPING)
		end_in_shutdown(s, c, AIRS_EVENT_CHILD_ENDED, reason);
	else if (walk_has_swept(s, c))
		end_in_sweep(s, c, AIRS_EVENT_CHILD_ENDED, reason);
	else
		act_by_type(s, c, AIRS_EVENT_CHILD_ENDED, reason);
}

void restart_after_failed_start(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	if (s->life == LIFE_STOPPING) {
		end_in_shutdown(s, c, AIRS_EVENT_CHILD_START_FAILED, reason);
		return;
	}
	switch (c->start_cause) {
	case START_INITIAL:
		fail_initial(s, c, reason);
		return;
	case START_AGAIN:
		if (walk_has_swept(s, c))
			end_in_sweep(s, c, AIRS_EVENT_CHILD_START_FAILED, reason);
		else
			try_again(s, c, AIRS_EVENT_CHILD_START_FAILED, reason);
		return;
	case START_ADDED:
	case START_REQUEST:
		fail_request(s, c, reason);
		return;
	}
}

void restart_after_stop(
		struct supervisor *s, struct child *c, const struct airs_reason *reason)
{
	const struct event_extra extra = { c->decision, reason, 0 };

	if (s->life == LIFE_STOPPING) {
		end_in_shutdown(s, c, AIRS_EVENT_CHILD_STOPPED, reason);
		return;
	}
	event_child(s, AIRS_EVENT_CHILD_STOPPED, c, &extra);
	if (c->decision == AIRS_DECISION_GROUP &&
			c->spec->terms->restart == AIRS_TEMPORARY)
		request_removed(s, c);
	else if (c->decision == AIRS_DECISION_GROUP && c->want == WANT_UP)
		restart_with_group(s, c);
	else
		rest(s, c);
}

void restart_after_ignore(struct supervisor *s, struct child *c)
{
	const struct event_extra extra = { c->decision, NULL, 0 };

	event_child(s, AIRS_EVENT_CHILD_IGNORED, c, &extra);
	request_started(s, c);
	rest(s, c);
}
