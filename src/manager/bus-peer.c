/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/bus-peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "manager/bus-limit.h"
#include "manager/bus-manager.h"
#include "manager/names.h"

/* Messages handled before others get their turn. */
#define PORTION 16

/* sd-bus asks for 8 MiB, which a client that does not read would fill; a list of 1,000
 * units has 150 KiB. */
#define SEND_BUFFER_BYTES (256 * 1024)

struct bus_peer {
	sd_bus *bus;
	struct access_caller caller;
	struct bus_facts facts;
	bus_submit_fn *submit;
	bus_denied_fn *denied; /* NULL: nobody wants to know */
	void *submit_data;
	uint32_t denied_methods; /* bit n: access_method n was told to denied */
	unsigned int pending; /* submitted, not answered */
};

static int refuse(void *data, struct request *request)
{
	(void)data;
	request_free(request);
	return -ENOTCONN;
}

/*
 * What every client of a bus says first. There is no bus here, but tools that expect one
 * would otherwise give up: this connection's one client is told a name and that its
 * matches are in place.
 */
static int on_hello(sd_bus_message *call, void *data, sd_bus_error *error)
{
	(void)data;
	(void)error;
	return sd_bus_reply_method_return(call, "s", ":1.1");
}

static int on_match(sd_bus_message *call, void *data, sd_bus_error *error)
{
	(void)data;
	(void)error;
	return sd_bus_reply_method_return(call, NULL);
}

static const sd_bus_vtable driver_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Hello", NULL, "s", on_hello, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("AddMatch", "s", NULL, on_match, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RemoveMatch", "s", NULL, on_match, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static int start_server(struct bus_peer *peer, int *fd)
{
	sd_id128_t id;
	int r;

	r = fd_set_nonblocking(*fd);
	if (r >= 0)
		r = sd_id128_randomize(&id);
	if (r >= 0)
		r = sd_bus_new(&peer->bus);
	if (r >= 0)
		r = sd_bus_set_fd(peer->bus, *fd, *fd);
	if (r < 0)
		return r;
	*fd = -1; /* the bus closes it from now on */
	r = sd_bus_set_server(peer->bus, 1, id);
	if (r >= 0)
		r = sd_bus_negotiate_fds(peer->bus, 0);
	if (r >= 0)
		r = sd_bus_start(peer->bus);
	if (r < 0)
		return r;
	return setsockopt(sd_bus_get_fd(peer->bus), SOL_SOCKET, SO_SNDBUF,
			       &(int){ SEND_BUFFER_BYTES }, sizeof(int)) < 0
			? -errno
			: 0;
}

int bus_peer_new(int fd, const struct access_caller *caller,
		const struct bus_facts *facts, struct bus_peer **ret_peer)
{
	auto_(bus_peer) peer = NULL;
	auto_close int owned = fd;
	int r;

	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->caller = *caller;
	peer->facts = *facts;
	peer->submit = refuse;
	r = start_server(peer, &owned);
	if (r >= 0)
		r = sd_bus_add_object_vtable(peer->bus, NULL, "/org/freedesktop/DBus",
				"org.freedesktop.DBus", driver_vtable, peer);
	if (r >= 0)
		r = sd_bus_add_object_vtable(peer->bus, NULL, NAMES_PATH, NAMES_MANAGER,
				bus_manager_vtable, peer);
	if (r < 0)
		return r;
	*ret_peer = TAKE_PTR(peer);
	return 0;
}

void bus_peer_set_submit(struct bus_peer *peer, bus_submit_fn *submit, void *data)
{
	peer->submit = submit;
	peer->submit_data = data;
}

void bus_peer_set_denied(struct bus_peer *peer, bus_denied_fn *denied)
{
	peer->denied = denied;
}

void bus_peer_free(struct bus_peer *peer)
{
	if (!peer)
		return;
	/* Messages that are still on their way hold the bus object, but its socket is
	 * closed now. */
	if (peer->bus)
		sd_bus_close(peer->bus);
	sd_bus_unref(peer->bus);
	free(peer);
}

int bus_peer_fd(const struct bus_peer *peer)
{
	return sd_bus_get_fd(peer->bus);
}

void bus_peer_set_tree_up(struct bus_peer *peer, bool tree_up)
{
	peer->facts.tree_up = tree_up;
}

const struct bus_facts *bus_peer_facts(const struct bus_peer *peer)
{
	return &peer->facts;
}

bool bus_peer_is_ready(const struct bus_peer *peer)
{
	return sd_bus_is_ready(peer->bus) > 0;
}

static uint64_t count_unread_answers(struct bus_peer *peer)
{
	uint64_t n = 0;

	if (sd_bus_get_n_queued_write(peer->bus, &n) < 0)
		return 0;
	return n;
}

int bus_peer_process(struct bus_peer *peer)
{
	for (int i = 0; i < PORTION; i++) {
		int r;

		bus_limit_begin(sd_bus_get_fd(peer->bus));
		r = sd_bus_process(peer->bus, NULL);
		bus_limit_end();
		if (r < 0)
			return r;
		if (sd_bus_is_open(peer->bus) <= 0)
			return -ECONNRESET;
		if (count_unread_answers(peer) > BUS_PEER_PENDING_MAX)
			return -ENOBUFS;
		if (r == 0 || count_unread_answers(peer) > 0)
			return 0;
	}
	return 1;
}

int bus_peer_wants(struct bus_peer *peer, uint32_t *ret_events)
{
	int events = sd_bus_get_events(peer->bus);

	if (events < 0)
		return events;
	/* Who does not read is not read. */
	if (count_unread_answers(peer) > 0)
		events &= ~EPOLLIN;
	*ret_events = (uint32_t)events;
	return 0;
}

int bus_peer_answer(struct bus_peer *peer, struct request *request)
{
	int r = 0;

	if (peer->pending > 0)
		peer->pending--;
	if (request->answer && sd_bus_message_get_expect_reply(request->call) > 0)
		r = sd_bus_send(peer->bus, request->answer, NULL);
	request_free(request);
	if (r < 0)
		return r;
	if (count_unread_answers(peer) > BUS_PEER_PENDING_MAX)
		return -ENOBUFS;
	return 0;
}

static int read_arguments(struct request *request, enum bus_arguments arguments,
		sd_bus_message *call)
{
	const char *name = NULL, *whom = NULL;
	int r = 0;

	if (arguments == BUS_NAME)
		r = sd_bus_message_read(call, "s", &name);
	else if (arguments == BUS_NAME_WHOM_SIGNAL)
		r = sd_bus_message_read(call, "ssi", &name, &whom, &request->signal);
	if (r < 0)
		return r;
	if (name && !(request->name = strdup(name)))
		return -ENOMEM;
	if (whom && !(request->whom = strdup(whom)))
		return -ENOMEM;
	return 0;
}

static void tell_denied(struct bus_peer *peer, enum access_method method,
		enum bus_arguments arguments, sd_bus_message *call)
{
	const char *name = "";
	uint32_t bit = UINT32_C(1) << method;

	if (!peer->denied || peer->denied_methods & bit)
		return;
	peer->denied_methods |= bit;
	if (arguments != BUS_NO_ARGUMENTS && sd_bus_message_read(call, "s", &name) < 0)
		name = "";
	peer->denied(peer->submit_data, &peer->caller, method, name);
}

static int deny(struct bus_peer *peer, enum access_method method,
		enum bus_arguments arguments, sd_bus_message *call, sd_bus_error *error)
{
	tell_denied(peer, method, arguments, call);
	return sd_bus_error_setf(error, NAMES_ERROR_DENIED,
			"User %u may look but not call %s.",
			(unsigned int)peer->caller.uid, access_method_name(method));
}

int bus_peer_call(struct bus_peer *peer, enum access_method method,
		enum bus_arguments arguments, sd_bus_message *call, sd_bus_error *error)
{
	auto_(request) request = NULL;
	int r;

	if (!access_is_allowed(&peer->caller, method))
		return deny(peer, method, arguments, call, error);
	if (peer->pending >= BUS_PEER_PENDING_MAX)
		return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
				"%d requests of this connection wait for their answer.",
				BUS_PEER_PENDING_MAX);
	r = request_new(method, &peer->caller, call, &request);
	if (r >= 0)
		r = read_arguments(request, arguments, call);
	if (r < 0)
		return r;
	r = peer->submit(peer->submit_data, TAKE_PTR(request));
	if (r < 0)
		return r;
	peer->pending++;
	return 1; /* answered later */
}
