/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * A message becomes events; each event goes through the table, which says the next state
 * and an action; actions ask the link for processes and signals and raise further events.
 * When no event is left, what depends on the state is brought in line once: its timer,
 * the keeper's note, the observer's picture.
 */

#include "service/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "service/service-impl.h"

void service_raise(struct service *s, enum fsm_event event)
{
	bug_unless(s->work->n_events < SERVICE_EVENTS_MAX);
	s->work->events[s->work->n_events++] = (uint8_t)event;
}

static void do_nothing(struct airs_actor *self, struct service *s)
{
	(void)self;
	(void)s;
}

static void (*const actions[])(struct airs_actor *self, struct service *s) = {
	[FSM_ACTION_NONE] = do_nothing,
	[FSM_ACTION_RUN] = service_run_commands,
	[FSM_ACTION_START_MAIN] = service_start_main,
	[FSM_ACTION_AWAIT] = service_await,
	[FSM_ACTION_SETTLE] = service_settle,
	[FSM_ACTION_ABORT_RELOAD] = service_abort_reload,
	[FSM_ACTION_TERMINATE] = service_terminate,
	[FSM_ACTION_KILL] = service_kill,
	[FSM_ACTION_KILL_REST] = service_kill_rest,
	[FSM_ACTION_GIVE_UP] = service_give_up,
	[FSM_ACTION_SWEEP] = service_sweep,
	[FSM_ACTION_FINISH] = service_finish,
};
_Static_assert(ARRAY_SIZE(actions) == FSM_ACTION_COUNT, "one function for each action");

static void take_step(struct airs_actor *self, struct service *s, struct fsm_step step)
{
	if (step.next != FSM_KEEP) {
		/* What was taken over has been so for longer than this core knows it. */
		s->since_realtime_usec =
				s->state == FSM_WAIT && s->work->adopted_since_usec != 0
				? s->work->adopted_since_usec
				: clock_realtime_usec();
		s->state = step.next;
		s->changed = true;
	}
	actions[step.action](self, s);
}

static void run_events(struct airs_actor *self, struct service *s)
{
	enum fsm_event event;

	for (;;) {
		if (s->work->n_events > 0) {
			event = (enum fsm_event)s->work->events[0];
			memmove(s->work->events, s->work->events + 1,
					--s->work->n_events);
		} else if (fsm_awaits_end(s->state) && service_is_gone(s)) {
			event = FSM_EVENT_GONE;
		} else {
			return;
		}
		take_step(self, s, fsm_step((enum fsm_state)s->state, event));
	}
}

static uint64_t timer_length(const struct service *s)
{
	switch (fsm_timer(s->state)) {
	case FSM_TIMER_START:
		return service_settings(s)->timeout_start_usec;
	case FSM_TIMER_STOP:
		return service_settings(s)->timeout_stop_usec;
	case FSM_TIMER_WATCHDOG:
		return service_settings(s)->watchdog_usec
				? service_settings(s)->watchdog_usec
				: USEC_INFINITY;
	case FSM_TIMER_NONE:
		break;
	}
	return USEC_INFINITY;
}

static void set_timer(struct airs_actor *self, struct service *s, uint64_t end_usec)
{
	uint64_t now = airs_now(self);

	if (s->timer != 0)
		(void)airs_timer_cancel(self, s->timer);
	s->timer = 0;
	s->work->timer_end_usec = end_usec;
	if (end_usec == USEC_INFINITY)
		return;
	/* Without a timer the state would last for ever: end now, so that the supervisor
	 * decides. */
	if (airs_timer_start(self, usec_sub(end_usec, now), 0, &s->timer) < 0)
		service_raise(s, FSM_EVENT_TIMEOUT);
}

/* A state's timer begins when the state does. */
static void sync_timer(struct airs_actor *self, struct service *s)
{
	if (s->timed_state == s->state)
		return;
	s->timed_state = s->state;
	set_timer(self, s, usec_add(airs_now(self), timer_length(s)));
}

void service_restart_timer(struct service *s)
{
	s->timed_state = FSM_STATE_COUNT;
}

void service_extend_timer(struct airs_actor *self, struct service *s, uint64_t end_usec)
{
	enum fsm_timer kind = fsm_timer(s->state);

	if (kind != FSM_TIMER_START && kind != FSM_TIMER_STOP)
		return;
	if (s->timer != 0 && end_usec > s->work->timer_end_usec)
		set_timer(self, s, end_usec);
}

/* A late start is named by itself, a late stop by what is done about it. */
static void log_timeout(struct airs_actor *self, struct service *s)
{
	enum fsm_state next = fsm_step(s->state, FSM_EVENT_TIMEOUT).next;

	if (fsm_timer(s->state) == FSM_TIMER_START)
		service_log(self, s, ACTIVITY_START_TIMEOUT,
				fsm_substate((enum fsm_state)s->state));
	else
		service_log(self, s, ACTIVITY_STOP_TIMEOUT,
				fsm_substate(next == FSM_KEEP ? s->state : next));
}

static const char *timeout_text(enum fsm_state state)
{
	if (fsm_timer(state) == FSM_TIMER_WATCHDOG)
		return "watchdog";
	return fsm_timer(state) == FSM_TIMER_START ? "start" : "stop";
}

/* A command that is late in a reload fails the reload, not the service. */
static void on_timeout(struct airs_actor *self, struct service *s)
{
	struct airs_reason reason;

	s->timer = 0;
	reason = airs_reason_make(AIRS_REASON_TIMEOUT, 0, timeout_text(s->state));
	if (fsm_timer(s->state) == FSM_TIMER_WATCHDOG) {
		service_log(self, s, ACTIVITY_WATCHDOG_EXPIRED, NULL);
		service_set_result(s, END_WATCHDOG, &reason);
	} else if (s->state != FSM_RELOAD && s->state != FSM_CLEAR) {
		log_timeout(self, s);
		service_set_result(s, END_TIMEOUT, &reason);
	}
	service_raise(s, FSM_EVENT_TIMEOUT);
}

void service_expire_watchdog(struct airs_actor *self, struct service *s)
{
	bug_unless(fsm_timer(s->state) == FSM_TIMER_WATCHDOG);
	if (s->timer != 0)
		(void)airs_timer_cancel(self, s->timer);
	on_timeout(self, s);
}

static void on_timer(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	if (m->ref == s->timer) {
		on_timeout(self, s);
	} else if (m->ref == s->work->pid_file_timer) {
		s->work->pid_file_timer = 0;
		service_find_main(self, s);
	} else if (m->ref == s->work->linger_timer) {
		s->work->linger_timer = 0;
		service_on_lingered(self, s);
	}
}

static void on_exit_signal(struct service *s, const struct airs_reason *reason)
{
	if (reason->reason_class == AIRS_REASON_NORMAL)
		return;
	if (!s->stop_requested)
		s->work->exit_reason = *reason;
	s->stop_requested = true;
	service_raise(s, FSM_EVENT_STOP);
}

static void on_kill_reply(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	struct service_kill_call *k, *tmp;

	list_foreach_safe(k, tmp, &s->work->kills, link) {
		if (k->call != m->ref)
			continue;
		IGNORE_RESULT(airs_reply(self, k->from, m->status, NULL, 0));
		list_remove(&k->link);
		free(k);
	}
}

static void on_empty(struct service *s)
{
	/* What the keeper said before it answered our spawn is of the time before that.
	 */
	if (s->work->spawn_call != 0)
		return;
	s->empty = true;
	if (s->main.state == PROCESS_UNKNOWN) {
		s->main.state = PROCESS_ENDED;
		service_raise(s, FSM_EVENT_ENDED);
	}
}

/* That it was the last counts when it is asked what the end means. */
static void on_exited(
		struct airs_actor *self, struct service *s, const struct link_process *p)
{
	if (p->is_last && s->work->spawn_call == 0)
		s->empty = true;
	service_on_exited(self, s, p);
	if (p->is_last)
		on_empty(s);
}

static void on_attached(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	struct airs_reason reason;

	/* The parent has asked to stop before anything began. */
	if (s->state != FSM_WAIT)
		return;
	if (m->status == 0) {
		s->attached = true;
		take_step(self, s, fsm_begin(service_adopt(self, s, m->data)));
		if (s->leaving)
			service_acknowledge(self, s);
		return;
	}
	reason = airs_reason_make(AIRS_REASON_ERROR, -m->status, "attach");
	service_set_result(s, END_RESOURCES, &reason);
	service_raise(s, FSM_EVENT_STOP);
}

static void on_reply(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	if (m->ref == s->work->attach_call) {
		s->work->attach_call = 0;
		on_attached(self, s, m);
	} else if (m->ref == s->work->spawn_call) {
		s->work->spawn_call = 0;
		service_on_spawned(self, s, m);
		service_notify_resume(self, s);
	} else if (m->ref == s->work->signal_all_call) {
		s->work->signal_all_call = 0;
		if (m->status == -ESRCH)
			on_empty(s);
	} else if (m->ref == s->work->set_main_call) {
		s->work->set_main_call = 0;
		service_on_main_set(self, s, m);
	} else if (!service_notify_on_reply(self, s, m)) {
		on_kill_reply(self, s, m);
	}
}

/* Pass a signal on and answer when the keeper does. */
static void on_kill(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	struct airs_from from = airs_message_from(m);
	const struct service_kill *kill = m->data;
	struct link_signal signal = { .unit = service_name(s) };
	struct service_kill_call *k;
	int r = -EINVAL;

	k = calloc(1, sizeof(*k));
	if (k && m->size == sizeof(*kill) && kill->whom <= PROTOCOL_ALL) {
		signal.whom = (enum protocol_whom)kill->whom;
		signal.signo = kill->signal;
		r = link_signal(self, s->context->link, &signal, &k->call);
	}
	if (r < 0) {
		IGNORE_RESULT(airs_reply(self, from, k ? r : -ENOMEM, NULL, 0));
		free(k);
		return;
	}
	k->from = from;
	list_append(&s->work->kills, &k->link);
}

static void on_fail(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	const char *why = m->data;
	struct airs_reason reason;
	int r = 0;

	if (m->size == 0 || why[m->size - 1] != '\0')
		r = -EINVAL;
	else if (fsm_timer(s->state) == FSM_TIMER_STOP || s->state == FSM_DEAD)
		r = -EBUSY;
	IGNORE_RESULT(airs_reply(self, airs_message_from(m), r, NULL, 0));
	if (r < 0)
		return;
	reason = airs_reason_make(AIRS_REASON_USER, 0, why);
	service_log(self, s, ACTIVITY_PROBE_FAILED, why);
	service_set_result(s, END_PROBE, &reason);
	service_raise(s, FSM_EVENT_STOP);
}

static void dispatch(struct airs_actor *self, struct service *s, struct airs_message *m)
{
	switch (m->type) {
	case AIRS_MSG_REPLY:
		on_reply(self, s, m);
		break;
	case LINK_EXITED:
		on_exited(self, s, m->data);
		break;
	case LINK_EMPTY:
		on_empty(s);
		break;
	case LINK_NOTIFY_FD:
		service_notify_open(self, s, m->data);
		break;
	case AIRS_MSG_FD:
		service_notify_ready(self, s);
		break;
	case AIRS_MSG_TIMER:
		on_timer(self, s, m);
		break;
	case AIRS_MSG_EXIT:
		on_exit_signal(s, m->data);
		break;
	case SERVICE_RELOAD:
		service_reload(self, s, airs_message_from(m));
		break;
	case SERVICE_KILL:
		on_kill(self, s, m);
		break;
	case SERVICE_FAIL:
		on_fail(self, s, m);
		break;
	default:
		break;
	}
}

/* What depends on the state is brought in line, once for all that has happened. */
static void settle_down(struct airs_actor *self, struct service *s)
{
	if (s->finished)
		return;
	sync_timer(self, s);
	if (s->changed)
		service_write_note(self, s);
	if (s->changed)
		service_report(self, s);
	/* Of a timer that could not be made. */
	run_events(self, s);
}

static int service_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	struct service *s = state;
	int r = service_wake(s);

	if (r < 0) {
		s->context->directory.give_up(s->context->directory.data, self, -r);
		return 0;
	}
	dispatch(self, s, m);
	run_events(self, s);
	settle_down(self, s);
	if (s->finished)
		return airs_exit(self, &s->work->exit_reason);
	service_rest(s);
	return 0;
}

/* What is in force now is what it goes by. */
static int take_identity(struct service *s, const char *name)
{
	const struct service_directory *directory = &s->context->directory;

	s->identity = directory->find(directory->data, name);
	if (!s->identity)
		return -ENOENT;
	service_unit_renew(s->identity);
	return service_wake(s);
}

static int service_init(
		struct airs_actor *self, void *state, const void *data, size_t size)
{
	const struct service_args *args = data;
	struct service *s = state;
	enum service_wish wish;
	int r;

	s->notify_fd = -1;
	if (!service_args_are_valid(args, size))
		return -EINVAL;
	wish = service_wish_for(args->context, args->name);
	if (wish == SERVICE_HELD)
		return AIRS_INIT_IGNORE;
	s->leaving = wish == SERVICE_LEAVING;
	s->context = args->context;
	r = take_identity(s, args->name);
	if (r < 0)
		return r;
	if (s->unit->kind != UNIT_SERVICE)
		return -ENOENT;
	s->state = FSM_WAIT;
	s->timed_state = FSM_STATE_COUNT;
	s->empty = true;
	s->since_realtime_usec = clock_realtime_usec();
	airs_trap_exit(self, AIRS_TRAP_ON);
	if (link_attach(self, s->context->link, service_name(s), &s->work->attach_call) <
			0)
		return -ENOMEM;
	sync_timer(self, s);
	service_report(self, s);
	return AIRS_INIT_LATER;
}

static void service_release(void *state)
{
	struct service *s = state;

	if (!s->context)
		return;
	if (s->identity) {
		service_leave_unit(s);
		service_unit_renew(s->identity);
	}
	service_rest_fini(s);
	(void)close_fd(s->notify_fd);
	free(s->status_text);
	if (!s->identity)
		return;
	s->context->directory.release(s->context->directory.data, s->identity);
}

const struct airs_behaviour service_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "service",
	.state_size = sizeof(struct service),
	.init = service_init,
	.handle = service_handle,
	.release = service_release,
};
