/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdio.h>
#include <string.h>

#include "rt/supervisor-internal.h"

static void fill_in(const struct supervisor *s, enum airs_supervisor_event_kind kind,
		const struct event_extra *extra, struct airs_supervisor_event *event)
{
	memset(event, 0, sizeof(*event));
	event->kind = kind;
	event->decision = extra->decision;
	event->strategy = s->plan->strategy;
	event->intensity = s->plan->intensity;
	event->supervisor = airs_self(s->self);
	event->delay_usec = extra->delay_usec;
	if (extra->reason)
		event->reason = *extra->reason;
	(void)snprintf(event->supervisor_name, sizeof(event->supervisor_name), "%.63s",
			s->label);
}

static uint32_t count_restarts(const struct supervisor *s, const struct child *c)
{
	const struct intensity *window = &s->window;

	if (s->plan->escalation == AIRS_ESCALATE_CHILD && c) {
		if (!c->trouble)
			return 0;
		window = &c->trouble->window;
	}
	return intensity_count(window, airs_now(s->self), s->plan->period_usec);
}

static void tell(struct supervisor *s, const struct airs_supervisor_event *event)
{
	/* An observer that is full or gone misses the event: supervision does not depend
	 * on it. */
	(void)!airs_send(
			s->self, s->observer, AIRS_MSG_SUPERVISOR, event, sizeof(*event));
}

void event_child(struct supervisor *s, enum airs_supervisor_event_kind kind,
		const struct child *c, const struct event_extra *extra)
{
	struct airs_supervisor_event event;

	if (s->observer == AIRS_PID_NONE)
		return;
	fill_in(s, kind, extra, &event);
	event.cookie = c->spec->cookie;
	event.child = c->pid;
	event.attempt = c->trouble ? c->trouble->attempt : 0;
	event.restarts_in_window = count_restarts(s, c);
	(void)snprintf(event.id, sizeof(event.id), "%s", spec_id(c->spec));
	if (extra->decision == AIRS_DECISION_GROUP)
		(void)snprintf(event.cause, sizeof(event.cause), "%s", s->walk.cause);
	tell(s, &event);
}

void event_supervisor(struct supervisor *s, enum airs_supervisor_event_kind kind,
		const struct event_extra *extra)
{
	struct airs_supervisor_event event;

	if (s->observer == AIRS_PID_NONE)
		return;
	fill_in(s, kind, extra, &event);
	event.cookie = s->cookie;
	event.restarts_in_window = count_restarts(s, NULL);
	tell(s, &event);
}
