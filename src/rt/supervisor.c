/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The supervisor as an actor: its behaviour and the dispatch of what it receives. The
 * parts are listed in supervisor-internal.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rt/supervisor-internal.h"

static void free_args(void *data)
{
	struct supervisor_args *args = data;

	plan_unref(args->plan);
	free(args);
}

static int add_children(struct supervisor *s)
{
	struct child *c;
	int r = 0;

	for (size_t i = 0; i < s->plan->n_specs && r == 0; i++)
		r = children_add(s, s->plan->specs[i], &c);
	return r;
}

static int is_started(const struct supervisor *s)
{
	return s->life == LIFE_STARTING && s->walk.phase == WALK_IDLE &&
			s->n_initial == 0;
}

static void come_up(struct supervisor *s)
{
	const struct event_extra extra = { 0 };

	s->life = LIFE_UP;
	event_supervisor(s, AIRS_EVENT_SUPERVISOR_STARTED, &extra);
}

static int end(struct supervisor *s)
{
	const struct event_extra extra = { s->walk.decision, &s->reason, 0 };

	event_supervisor(s, AIRS_EVENT_SUPERVISOR_ENDED, &extra);
	if (s->handshake == START_ANSWERED)
		return airs_exit(s->self, &s->reason);
	airs_init_failed(s->self, &s->reason);
	return 0;
}

/* Those that could not be made in this turn are taken up; their next attempt is for the
 * next turn. */
static void take_up_failed(struct supervisor *s)
{
	struct child *c;
	size_t n = 0;

	for (c = s->failed.first; c; c = c->next_failed)
		n++;
	for (; n > 0 && (c = children_take_failed(s)); n--)
		child_step(s, c, CHILD_DOWN, NULL);
}

/* Come back for the failed ones after the messages that wait already. */
static int nudge(struct supervisor *s)
{
	int r;

	if (!s->failed.first || s->nudge == NUDGE_SENT)
		return 0;
	r = airs_send(s->self, airs_self(s->self), AIRS_MSG_SUPERVISOR, NULL, 0);
	if (r == -EAGAIN)
		return 0; /* The mailbox is full: its next message does as well. */
	if (r == 0)
		s->nudge = NUDGE_SENT;
	return r;
}

static int start(struct airs_actor *self, void *state, const void *args_data,
		size_t args_size)
{
	const struct supervisor_args *args = args_data;
	struct supervisor *s = state;
	int r;

	(void)args_size;
	s->self = self;
	list_init(&s->children);
	s->failed.end = &s->failed.first;
	s->plan = plan_ref(args->plan);
	s->observer = s->plan->observer ? s->plan->observer : args->observer;
	s->cookie = args->cookie;
	(void)snprintf(s->label, sizeof(s->label), "%s",
			s->plan->name ? s->plan->name : args->label);
	s->handshake = START_UNANSWERED;
	airs_trap_exit(self, AIRS_TRAP_ON);
	r = add_children(s);
	if (r < 0)
		return r;
	walk_start_all(s);
	walk_proceed(s);
	r = nudge(s);
	if (r < 0 || !is_started(s))
		return r < 0 ? r : AIRS_INIT_LATER;
	s->handshake = START_ANSWERED;
	come_up(s);
	return 0;
}

static void on_exit_signal(struct supervisor *s, const struct airs_message *message)
{
	/* Of the children the monitors tell; others have no say (OTP). */
	if (message->from == airs_parent(s->self))
		walk_shut_down(s, message->data, AIRS_DECISION_SHUTDOWN);
}

/* The child is the value of its tie and of its timers, and none of these outlives it. */
static struct child *child_of(const struct airs_message *message)
{
	return (struct child *)(uintptr_t)message->value;
}

static void on_down(struct supervisor *s, const struct airs_message *message)
{
	struct child *c = child_of(message);

	if (message->ref == 0 && c)
		child_step(s, c, CHILD_DOWN, message->data);
}

static void on_started(struct supervisor *s, const struct airs_message *message)
{
	struct child *c = child_of(message);

	if (!c)
		return;
	if (message->status != 0)
		child_note_refused(c, message->status, message->data);
	else if (c->outcome == OUTCOME_OPEN)
		child_step(s, c, CHILD_ACKED, NULL);
}

static void on_timer(struct supervisor *s, const struct airs_message *message)
{
	struct child *c;

	if (message->ref == s->walk.timer) {
		s->walk.timer = 0;
		return; /* supervisor_settle lets the walk go on. */
	}
	c = child_of(message);
	if (!c)
		return;
	c->trouble->timer = 0;
	if (c->state == AIRS_CHILD_RESTARTING)
		child_launch(s, c, c->start_cause, c->decision);
	else
		child_step(s, c, CHILD_TIMER, NULL);
}

static void on_request(struct supervisor *s, const struct airs_message *message)
{
	if (message->ref == 0 && message->from == airs_self(s->self))
		s->nudge = NUDGE_NONE;
	else
		request_serve(s, message);
}

static int handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	struct supervisor *s = state;

	s->self = self;
	switch (message->type) {
	case AIRS_MSG_EXIT:
		on_exit_signal(s, message);
		break;
	case AIRS_MSG_DOWN:
		on_down(s, message);
		break;
	case AIRS_MSG_STARTED:
		on_started(s, message);
		break;
	case AIRS_MSG_TIMER:
		on_timer(s, message);
		break;
	case AIRS_MSG_SUPERVISOR:
		on_request(s, message);
		break;
	}
	return supervisor_settle(s);
}

static void release(void *state)
{
	struct supervisor *s = state;

	if (!s->plan)
		return;
	children_fini(s);
	intensity_fini(&s->window);
	plan_unref(s->plan);
}

static const struct airs_behaviour behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "supervisor",
	.state_size = sizeof(struct supervisor),
	.init = start,
	.handle = handle,
	.release = release,
};

static int args_new(const struct supervisor_args *from, struct supervisor_args **ret_args)
{
	struct supervisor_args *args = malloc(sizeof(*args));

	if (!args)
		return -ENOMEM;
	*args = *from;
	(void)plan_ref(args->plan);
	*ret_args = args;
	return 0;
}

static void give_args(struct airs_spawn_options *options, struct supervisor_args *args)
{
	options->name = args->plan->name;
	options->args = args;
	options->args_size = sizeof(*args);
	options->free_args = free_args;
}

int supervisor_settle(struct supervisor *s)
{
	int r;

	take_up_failed(s);
	walk_proceed(s);
	r = nudge(s);
	if (r < 0)
		return r;
	if (s->life == LIFE_STOPPING && s->walk.phase == WALK_IDLE)
		return end(s);
	if (is_started(s)) {
		s->handshake = START_ANSWERED;
		come_up(s);
		airs_init_done(s->self, 0);
	}
	return 0;
}

void supervisor_break(struct supervisor *s, int error)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_ERROR, -error, NULL);

	walk_shut_down(s, &reason, AIRS_DECISION_SHUTDOWN);
}

int supervisor_spawn(struct airs_actor *self, const struct supervisor_args *args,
		struct airs_spawn_options *options, airs_pid *ret_pid)
{
	struct supervisor_args *copy;
	int r = args_new(args, &copy);

	if (r < 0)
		return r;
	give_args(options, copy);
	return airs_spawn(self, &behaviour, options, ret_pid);
}

int supervisor_status_of(const struct airs_reason *reason)
{
	switch (reason->reason_class) {
	case AIRS_REASON_ERROR:
		return reason->code > 0 ? -reason->code : -EIO;
	case AIRS_REASON_TIMEOUT:
		return -ETIMEDOUT;
	case AIRS_REASON_NORMAL:
	case AIRS_REASON_SHUTDOWN:
		return -ECANCELED;
	default:
		return -EIO;
	}
}

int airs_supervisor_spawn(struct airs_actor *self,
		const struct airs_supervisor_options *options, unsigned int flags,
		airs_pid *ret_pid)
{
	struct airs_spawn_options spawn = {
		.size = sizeof(spawn),
		.flags = flags | AIRS_SPAWN_LINK,
	};
	struct supervisor_args args = { 0 };
	int r;

	if (flags & ~(AIRS_SPAWN_LINK | AIRS_SPAWN_ACK))
		return -EINVAL;
	r = airs_supervisor_check(options, NULL);
	if (r < 0)
		return r;
	r = plan_new(options, &args.plan);
	if (r < 0)
		return r;
	r = supervisor_spawn(self, &args, &spawn, ret_pid);
	plan_unref(args.plan);
	return r;
}

int airs_system_supervisor_spawn(struct airs_system *system,
		const struct airs_supervisor_options *options, airs_pid *ret_pid)
{
	struct airs_spawn_options spawn = { .size = sizeof(spawn) };
	struct supervisor_args args = { 0 }, *copy;
	int r = airs_supervisor_check(options, NULL);

	if (r < 0)
		return r;
	r = plan_new(options, &args.plan);
	if (r < 0)
		return r;
	r = args_new(&args, &copy);
	plan_unref(args.plan);
	if (r < 0)
		return r;
	give_args(&spawn, copy);
	return airs_system_spawn(system, &behaviour, &spawn, ret_pid);
}
