/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/bus-connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "host/activity.h"
#include "manager/messages.h"
#include "manager/request.h"

/* A longer name than this is none of a unit; it is cut. */
#define UNIT_TEXT_SIZE 256

struct connection {
	struct bus_peer *peer;
	struct airs_actor *self; /* valid in the handler that is running */
	airs_pid manager;
	airs_pid activity;
	airs_ref watch;
	airs_ref timer; /* until it has authenticated; then 0 */
	uint32_t armed; /* events that the watch waits for; 0: it rests */
};

void bus_connection_args_free(void *args)
{
	struct bus_connection_args *a = args;

	close_fd(a->fd);
	free(a);
}

static int leave(struct airs_actor *self)
{
	struct airs_reason normal = airs_reason_make(AIRS_REASON_NORMAL, 0, NULL);

	return airs_exit(self, &normal);
}

static int on_submit(void *data, struct request *request)
{
	struct connection *c = data;

	request->connection = airs_self(c->self);
	return request_send(c->self, c->manager, MANAGER_REQUEST, request);
}

static void on_denied(void *data, const struct access_caller *caller,
		enum access_method method, const char *unit)
{
	struct connection *c = data;
	char who[ACCESS_CALLER_TEXT_SIZE], name[UNIT_TEXT_SIZE];
	struct activity_record record = {
		.kind = ACTIVITY_REQUEST_DENIED,
		.detail = access_method_name(method),
		.caller = who,
	};

	access_caller_format(caller, who, sizeof(who));
	(void)snprintf(name, sizeof(name), "%s", unit);
	record.unit = name[0] ? name : NULL;
	activity_write(c->self, c->activity, &record);
}

/* Wait for what the peer wants next. */
static int arm(struct airs_actor *self, struct connection *c)
{
	uint32_t events;
	int r;

	r = bus_peer_wants(c->peer, &events);
	if (r < 0)
		return leave(self);
	if (events == c->armed)
		return 0;
	if (c->watch == 0)
		r = airs_fd_watch(self, bus_peer_fd(c->peer), events, &c->watch);
	else
		r = airs_fd_rearm(self, c->watch, events);
	if (r < 0)
		return r;
	c->armed = events;
	return 0;
}

static int drive(struct airs_actor *self, struct connection *c)
{
	int r = bus_peer_process(c->peer);

	if (r < 0)
		return leave(self);
	if (c->timer != 0 && bus_peer_is_ready(c->peer)) {
		(void)airs_timer_cancel(self, c->timer);
		c->timer = 0;
	}
	if (r > 0)
		return airs_send(self, airs_self(self), BUS_CONTINUE, NULL, 0);
	return arm(self, c);
}

static int connection_init(
		struct airs_actor *self, void *state, const void *data, size_t size)
{
	struct bus_connection_args *args = (struct bus_connection_args *)(uintptr_t)data;
	struct connection *c = state;
	int r;

	if (size != sizeof(*args))
		return -EINVAL;
	c->self = self;
	c->manager = args->manager;
	c->activity = args->activity;
	r = bus_peer_new(take_fd(&args->fd), &args->caller, &args->facts, &c->peer);
	if (r < 0)
		return r;
	bus_peer_set_submit(c->peer, on_submit, c);
	bus_peer_set_denied(c->peer, on_denied);
	r = airs_timer_start(self, args->auth_usec, 0, &c->timer);
	if (r < 0)
		return r;
	return arm(self, c);
}

static int on_answer(
		struct airs_actor *self, struct connection *c, struct request *request)
{
	if (bus_peer_answer(c->peer, request) < 0)
		return leave(self);
	return arm(self, c);
}

static int connection_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	struct connection *c = state;
	uint32_t up;

	c->self = self;
	switch (message->type) {
	case AIRS_MSG_FD:
		c->armed = 0;
		return drive(self, c);
	case BUS_CONTINUE:
		return drive(self, c);
	case AIRS_MSG_TIMER:
		return leave(self); /* it has not authenticated in time */
	case BUS_ANSWER:
		return on_answer(self, c, request_take(message));
	case BUS_TREE_UP:
		memcpy(&up, message->data, sizeof(up));
		bus_peer_set_tree_up(c->peer, up != 0);
		return 0;
	default:
		return 0;
	}
}

static void connection_release(void *state)
{
	struct connection *c = state;

	bus_peer_free(c->peer);
}

const struct airs_behaviour bus_connection_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "bus-connection",
	.state_size = sizeof(struct connection),
	.init = connection_init,
	.handle = connection_handle,
	.release = connection_release,
};
