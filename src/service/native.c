/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The actor of a native unit stands between a supervisor and the module's actor: it asks
 * the keeper for the module, loads it, starts the module's behaviour in the default pool,
 * linked, and from then on is its end's messenger: an exit signal of the parent goes
 * down, the module actor's exit reason goes up as its own. It has its own deadlines,
 * because a module that traps exit signals would survive the end of this actor.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/message.h"
#include "airssys/system.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "host/activity.h"
#include "host/module.h"
#include "service/end.h"
#include "service/link.h"
#include "service/service.h"
#include "unit/unit.h"

#define START_TIMEOUT_USEC (90 * USEC_PER_SEC)
#define STOP_TIMEOUT_USEC  (5 * USEC_PER_SEC)

struct native {
	const struct service_context *context;
	struct service_unit *identity;
	struct unit *unit;
	int fd; /* the module */
	airs_ref module_call, timer;
	airs_pid actor; /* the module's; AIRS_PID_NONE: none yet, or ended */
	const char *state, *result; /* static */
	bool acknowledged, stop_requested, finished;
	struct airs_reason exit_reason;
	uint64_t since_realtime_usec, start_realtime_usec;
	int error;
	char why[SERVICE_DETAIL_SIZE]; /* why the module was refused */
};

static void report(struct airs_actor *self, struct native *n, const char *state)
{
	struct service_end end = { .reason = n->exit_reason };
	struct service_report r = {
		.unit = n->identity->id,
		.actor = n->actor,
		.state = state,
		.substate = state,
		.result = n->result,
		.start_realtime_usec = n->start_realtime_usec,
		.last = n->finished ? &end : NULL,
		.final = n->finished,
		.failed_errno = n->error,
		.failed_step = n->error != 0 ? "module" : NULL,
		.failed_detail = n->error != 0 ? n->why : NULL,
	};

	if (n->state != state)
		n->since_realtime_usec = clock_realtime_usec();
	n->state = state;
	r.since_realtime_usec = n->since_realtime_usec;
	if (n->finished)
		end.realtime_usec = clock_realtime_usec();
	/* An observer that has no memory for it hears the next one. */
	IGNORE_RESULT(service_report_send(self, n->context->observer, &r));
}

static void log_event(struct airs_actor *self, struct native *n, enum activity_kind kind,
		const char *detail)
{
	char text[END_TEXT_SIZE];
	struct activity_record record = {
		.kind = kind,
		.unit = n->unit->name,
		.supervisor = n->unit->supervisor ? n->unit->supervisor : "",
		.actor = n->actor,
		.detail = detail,
	};

	if (n->context->activity == AIRS_PID_NONE)
		return;
	if (n->finished) {
		end_describe(&n->exit_reason, text, sizeof(text));
		record.reason = text;
	}
	activity_write(self, n->context->activity, &record);
}

static void set_timer(struct airs_actor *self, struct native *n, uint64_t delay_usec)
{
	if (n->timer != 0)
		(void)airs_timer_cancel(self, n->timer);
	n->timer = 0;
	if (delay_usec != USEC_INFINITY)
		IGNORE_RESULT(airs_timer_start(self, delay_usec, 0, &n->timer));
}

static enum activity_kind kind_of_end(const struct native *n)
{
	if (!airs_reason_is_orderly(&n->exit_reason))
		return ACTIVITY_SERVICE_FAILED;
	if (n->stop_requested)
		return ACTIVITY_SERVICE_STOPPED;
	return n->unit->restart == UNIT_RESTART_PERMANENT ? ACTIVITY_SERVICE_ENDED
							  : ACTIVITY_SERVICE_DONE;
}

/* End with this reason, after the report. */
static void finish(struct airs_actor *self, struct native *n,
		const struct airs_reason *reason)
{
	bool orderly = airs_reason_is_orderly(reason);

	n->finished = true;
	n->exit_reason = *reason;
	n->result = orderly ? "success" : "error";
	log_event(self, n, kind_of_end(n), NULL);
	n->actor = AIRS_PID_NONE;
	report(self, n, orderly ? "stopped" : "failed");
	if (!n->acknowledged)
		airs_init_failed(self, reason);
}

static void refuse(struct airs_actor *self, struct native *n, int error, const char *why)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_ERROR, error, why);

	n->error = error;
	(void)snprintf(n->why, sizeof(n->why), "%s", why);
	log_event(self, n, ACTIVITY_MODULE_REFUSED, n->why);
	finish(self, n, &reason);
}

static int start_module(struct airs_actor *self, struct native *n,
		const struct airs_module *module)
{
	struct airs_module_args *args;
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.flags = AIRS_SPAWN_LINK | AIRS_SPAWN_ACK,
		.pool = airs_system_default_pool(airs_actor_system(self)),
		.free_args = free,
	};

	args = module_args_new(n->unit->name, n->unit->native.arguments.items);
	if (!args)
		return -ENOMEM;
	options.args = args;
	options.args_size = sizeof(*args);
	return airs_spawn(self, module->behaviour, &options, &n->actor);
}

/* The keeper has answered; the descriptor came before. */
static void on_module(
		struct airs_actor *self, struct native *n, const struct airs_message *m)
{
	const struct link_answer *a = m->size == sizeof(*a) ? m->data : NULL;
	const struct airs_module *module;
	char why[SERVICE_DETAIL_SIZE];
	int r;

	if (n->finished)
		return;
	if (m->status < 0 || n->fd < 0) {
		refuse(self, n, m->status < 0 ? -m->status : EPROTO,
				a && *a->detail ? a->detail
						: "the keeper has no such module");
		return;
	}
	r = module_load(n->fd, &module, why, sizeof(why));
	n->fd = close_fd(n->fd);
	if (r < 0) {
		refuse(self, n, -r, why);
		return;
	}
	r = start_module(self, n, module);
	if (r < 0)
		refuse(self, n, -r, "its actor could not be started");
	else
		report(self, n, "starting");
}

static void on_started(
		struct airs_actor *self, struct native *n, const struct airs_message *m)
{
	if (m->from != n->actor || m->status < 0 || n->acknowledged || n->stop_requested)
		return; /* How it ended follows as an exit signal. */
	set_timer(self, n, USEC_INFINITY);
	n->start_realtime_usec = clock_realtime_usec();
	n->acknowledged = true;
	log_event(self, n, ACTIVITY_SERVICE_READY, NULL);
	report(self, n, "running");
	airs_init_done(self, 0);
}

static uint64_t stop_timeout(const struct native *n)
{
	if (n->unit->shutdown_usec == USEC_INFINITY)
		return STOP_TIMEOUT_USEC;
	return n->unit->shutdown_usec;
}

static void stop(struct airs_actor *self, struct native *n,
		const struct airs_reason *reason)
{
	n->stop_requested = true;
	if (n->actor == AIRS_PID_NONE) {
		finish(self, n, reason);
		return;
	}
	airs_exit_signal(self, n->actor, reason);
	set_timer(self, n, stop_timeout(n));
	report(self, n, "stopping");
}

static void on_exit_signal(
		struct airs_actor *self, struct native *n, const struct airs_message *m)
{
	const struct airs_reason *reason = m->data;

	if (m->from == n->actor && n->actor != AIRS_PID_NONE)
		finish(self, n, reason);
	else if (reason->reason_class != AIRS_REASON_NORMAL && !n->stop_requested)
		stop(self, n, reason);
}

/* Neither a start nor a stop may last for ever. */
static void on_timer(struct airs_actor *self, struct native *n)
{
	struct airs_reason timeout = airs_reason_make(
			AIRS_REASON_TIMEOUT, 0, n->stop_requested ? "stop" : "start");
	struct airs_reason kill = airs_reason_make(AIRS_REASON_KILL, 0, NULL);

	n->timer = 0;
	log_event(self, n,
			n->stop_requested ? ACTIVITY_STOP_TIMEOUT
					  : ACTIVITY_START_TIMEOUT,
			"kill");
	if (n->actor == AIRS_PID_NONE)
		finish(self, n, &timeout);
	else
		airs_exit_signal(self, n->actor, &kill);
}

static void on_fail(
		struct airs_actor *self, struct native *n, const struct airs_message *m)
{
	const char *why = m->data;
	struct airs_reason reason;
	int r = 0;

	if (m->size == 0 || why[m->size - 1] != '\0')
		r = -EINVAL;
	else if (n->stop_requested || n->actor == AIRS_PID_NONE)
		r = -EBUSY;
	IGNORE_RESULT(airs_reply(self, airs_message_from(m), r, NULL, 0));
	if (r < 0)
		return;
	reason = airs_reason_make(AIRS_REASON_USER, 0, why);
	log_event(self, n, ACTIVITY_PROBE_FAILED, why);
	airs_exit_signal(self, n->actor, &reason);
	set_timer(self, n, stop_timeout(n));
}

static void dispatch(struct airs_actor *self, struct native *n, struct airs_message *m)
{
	switch (m->type) {
	case LINK_MODULE_FD:
		(void)close_fd(n->fd);
		n->fd = take_fd(&((struct link_fd *)m->data)->fd);
		break;
	case AIRS_MSG_REPLY:
		if (m->ref == n->module_call)
			on_module(self, n, m);
		break;
	case AIRS_MSG_STARTED:
		on_started(self, n, m);
		break;
	case AIRS_MSG_EXIT:
		on_exit_signal(self, n, m);
		break;
	case AIRS_MSG_TIMER:
		if (m->ref == n->timer)
			on_timer(self, n);
		break;
	case SERVICE_FAIL:
		on_fail(self, n, m);
		break;
	case SERVICE_RELOAD:
	case SERVICE_KILL:
		IGNORE_RESULT(airs_reply(
				self, airs_message_from(m), -EOPNOTSUPP, NULL, 0));
		break;
	default:
		break;
	}
}

static int native_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	struct native *n = state;

	if (!n->finished)
		dispatch(self, n, m);
	return n->finished ? airs_exit(self, &n->exit_reason) : 0;
}

static int take_identity(struct native *n, const char *name)
{
	const struct service_directory *directory = &n->context->directory;

	n->identity = directory->find(directory->data, name);
	if (!n->identity)
		return -ENOENT;
	service_unit_renew(n->identity);
	return directory->open(directory->data, name, &n->unit);
}

static int native_init(
		struct airs_actor *self, void *state, const void *data, size_t size)
{
	const struct service_args *args = data;
	struct native *n = state;
	int r;

	n->fd = -1;
	if (!service_args_are_valid(args, size))
		return -EINVAL;
	/* Nothing of it outlives a core: there is nothing to take over. */
	if (service_wish_for(args->context, args->name) != SERVICE_WANTED)
		return AIRS_INIT_IGNORE;
	n->context = args->context;
	n->result = "success";
	r = take_identity(n, args->name);
	if (r < 0)
		return r;
	if (n->unit->kind != UNIT_NATIVE)
		return -ENOENT;
	airs_trap_exit(self, AIRS_TRAP_ON);
	/* Whoever observes knows this actor before the module's can say anything. */
	report(self, n, "starting");
	if (link_module(self, n->context->link, n->unit->name, &n->module_call) < 0)
		return -ENOMEM;
	set_timer(self, n, START_TIMEOUT_USEC);
	return AIRS_INIT_LATER;
}

static void native_release(void *state)
{
	struct native *n = state;

	if (!n->context)
		return;
	unit_free(n->unit);
	(void)close_fd(n->fd);
	if (n->identity)
		n->context->directory.release(n->context->directory.data, n->identity);
}

const struct airs_behaviour native_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "native",
	.state_size = sizeof(struct native),
	.init = native_init,
	.handle = native_handle,
	.release = native_release,
};
