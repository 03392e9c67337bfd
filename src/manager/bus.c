/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "manager/bus-connection.h"
#include "manager/messages.h"
#include "manager/names.h"

#define ACCEPT_PORTION    32
#define ACCEPT_PAUSE_USEC (USEC_PER_SEC / 2) /* when descriptors or memory ran out */

struct client {
	airs_pid pid;
	uid_t uid;
};

struct bus {
	struct access_policy policy;
	struct bus_facts facts;
	airs_pid manager, activity;
	int fd;
	uint64_t auth_usec;
	airs_ref watch;
	struct map clients; /* pid → struct client */
	bool full; /* the watch rests until one leaves */
};

static bool is_privileged(const struct bus *bus, uid_t uid)
{
	return uid == 0 || uid == bus->policy.owner_uid;
}

static bool has_room_for(const struct bus *bus, uid_t uid)
{
	struct client *client;
	size_t cursor, n = 0;

	if (is_privileged(bus, uid))
		return true;
	if (bus->clients.count >= BUS_CLIENTS_MAX - BUS_CLIENTS_RESERVED)
		return false;
	map_foreach(&bus->clients, cursor, client)
		if (client->uid == uid)
			n++;
	return n < BUS_CLIENTS_PER_USER;
}

static int spawn_connection(struct airs_actor *self, struct bus *bus,
		const struct access_caller *caller, int *fd, airs_pid *ret_pid)
{
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args_size = sizeof(struct bus_connection_args),
		.flags = AIRS_SPAWN_MONITOR,
		.free_args = bus_connection_args_free,
	};
	struct bus_connection_args *args = calloc(1, sizeof(*args));
	airs_ref monitor;

	if (!args)
		return -ENOMEM;
	args->fd = take_fd(fd);
	args->caller = *caller;
	args->facts = bus->facts;
	args->manager = bus->manager;
	args->activity = bus->activity;
	args->auth_usec = bus->auth_usec;
	options.args = args;
	options.ret_monitor = &monitor;
	return airs_spawn(self, &bus_connection_behaviour, &options, ret_pid);
}

/* A client that cannot be served is simply closed. */
static int admit(struct airs_actor *self, struct bus *bus, int accepted)
{
	auto_close int fd = accepted;
	auto_free struct client *client = NULL;
	struct access_caller caller;
	int r;

	r = access_caller_init(&bus->policy, fd, &caller);
	if (r < 0)
		return 0;
	if (!has_room_for(bus, caller.uid))
		return 0;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->uid = caller.uid;
	r = spawn_connection(self, bus, &caller, &fd, &client->pid);
	if (r < 0)
		return r;
	r = map_put_number(&bus->clients, client->pid, client);
	if (r < 0)
		return r; /* its end will be ignored: it was never counted */
	(void)TAKE_PTR(client);
	return 0;
}

static int wait_for_clients(struct airs_actor *self, struct bus *bus)
{
	bus->full = bus->clients.count >= BUS_CLIENTS_MAX;
	if (bus->full)
		return 0;
	return airs_fd_rearm(self, bus->watch, EPOLLIN);
}

static bool is_passing(int error)
{
	/* What accept(2) lists as errors of the one connection. */
	return error == EINTR || error == ECONNABORTED || error == EPROTO ||
			error == EPERM;
}

static int accept_clients(struct airs_actor *self, struct bus *bus)
{
	airs_ref timer;
	int r = 0;

	for (int i = 0; i < ACCEPT_PORTION && bus->clients.count < BUS_CLIENTS_MAX; i++) {
		int fd = accept4(bus->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && errno == EAGAIN)
			break;
		if (fd < 0 && is_passing(errno))
			continue;
		r = fd < 0 ? -errno : admit(self, bus, fd);
		if (r < 0)
			break;
	}
	if (r >= 0)
		return wait_for_clients(self, bus);
	log_warning("The control socket cannot serve a client: %s.", strerrordesc_np(-r));
	return airs_timer_start(self, ACCEPT_PAUSE_USEC, 0, &timer);
}

static int learn_policy(struct bus *bus, const struct bus_args *args)
{
	auto_free char *path = text_format("%s/" NAMES_CONTROL, args->runtime_dir);

	if (!path)
		return -ENOMEM;
	access_policy_init(&bus->policy, path, args->owner_uid);
	return 0;
}

static int bus_init(struct airs_actor *self, void *state, const void *data, size_t size)
{
	const struct bus_args *args = data;
	struct bus *bus = state;
	int r;

	if (size != sizeof(*args) || args->size != sizeof(*args))
		return -EINVAL;
	bus->fd = args->fd;
	bus->manager = args->manager;
	bus->activity = args->activity;
	bus->auth_usec = args->auth_usec ? args->auth_usec : BUS_CONNECTION_AUTH_USEC;
	bus->facts.runtime_dir = args->runtime_dir;
	r = learn_policy(bus, args);
	if (r == 0)
		r = fd_set_nonblocking(args->fd);
	if (r < 0)
		return r;
	return airs_fd_watch(self, args->fd, EPOLLIN, &bus->watch);
}

static int on_client_gone(struct airs_actor *self, struct bus *bus, airs_pid pid)
{
	free(map_remove_number(&bus->clients, pid));
	return bus->full ? wait_for_clients(self, bus) : 0;
}

static int on_tree_up(
		struct airs_actor *self, struct bus *bus, const struct airs_message *m)
{
	struct client *client;
	size_t cursor;
	uint32_t up;

	memcpy(&up, m->data, sizeof(up));
	bus->facts.tree_up = up != 0;
	map_foreach(&bus->clients, cursor, client) {
		int r = airs_send(self, client->pid, BUS_TREE_UP, &up, sizeof(up));

		if (r < 0)
			return r;
	}
	return 0;
}

static int bus_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	struct bus *bus = state;

	switch (message->type) {
	case AIRS_MSG_FD:
	case AIRS_MSG_TIMER:
		return accept_clients(self, bus);
	case AIRS_MSG_DOWN:
		return on_client_gone(self, bus, message->from);
	case BUS_TREE_UP:
		return on_tree_up(self, bus, message);
	default:
		return 0;
	}
}

static void bus_release(void *state)
{
	struct bus *bus = state;
	struct client *client;
	size_t cursor;

	map_foreach(&bus->clients, cursor, client)
		free(client);
	map_fini(&bus->clients);
}

const struct airs_behaviour bus_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "bus",
	.state_size = sizeof(struct bus),
	.init = bus_init,
	.handle = bus_handle,
	.release = bus_release,
};
