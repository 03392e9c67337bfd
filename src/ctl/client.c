/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/client.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "manager/names.h"

/*
 * The socket is connected here and not by sd-bus: its own connect would answer every
 * failure with one errno, and a path longer than a socket address has room for (a deep
 * private folder) would be refused.
 */

void client_fini(struct client *c)
{
	sd_bus_error_free(&c->error);
	c->bus = sd_bus_close_unref(c->bus);
	free(c->path);
	*c = (struct client){ 0 };
}

/* The address of path; a long one by way of its folder, held open in *ret_dir. */
static int make_address(const char *path, struct sockaddr_un *ret_address, int *ret_dir)
{
	const char *base = strrchr(path, '/');
	auto_free char *folder = NULL;
	auto_close int dir = -1;
	int n;

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) < sizeof(ret_address->sun_path)) {
		memcpy(ret_address->sun_path, path, strlen(path) + 1);
		return 0;
	}
	if (!base)
		return -ENAMETOOLONG;
	folder = strndup(path, (size_t)(base - path));
	if (!folder)
		return -ENOMEM;
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	n = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path),
			"/proc/self/fd/%d%s", dir, base);
	if (n < 0 || (size_t)n >= sizeof(ret_address->sun_path))
		return -ENAMETOOLONG;
	*ret_dir = take_fd(&dir);
	return 0;
}

/* A connected socket. A full backlog is waited for, at most timeout_usec. */
static int connect_socket(const char *path, uint64_t timeout_usec, int *ret_fd)
{
	uint64_t seconds = MIN_OF(timeout_usec / USEC_PER_SEC, (uint64_t)INT32_MAX);
	struct timeval limit = {
		.tv_sec = (time_t)seconds,
		.tv_usec = (suseconds_t)(timeout_usec % USEC_PER_SEC),
	};
	auto_close int fd = -1, dir = -1;
	struct sockaddr_un address;
	int r;

	r = make_address(path, &address, &dir);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (timeout_usec != USEC_INFINITY &&
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) <
					0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Takes the socket in every case. */
static int start_bus(sd_bus *bus, int fd)
{
	int r;

	r = sd_bus_set_fd(bus, fd, fd);
	if (r < 0) {
		close_fd(fd);
		return r;
	}
	r = sd_bus_set_bus_client(bus, 1);
	if (r < 0)
		return r;
	return sd_bus_start(bus);
}

static int wait_until_ready(sd_bus *bus, uint64_t timeout_usec)
{
	uint64_t deadline = usec_add(clock_monotonic_usec(), timeout_usec), now;
	int r;

	for (;;) {
		r = sd_bus_is_ready(bus);
		if (r != 0)
			return r < 0 ? r : 0;
		r = sd_bus_process(bus, NULL);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		now = clock_monotonic_usec();
		if (now >= deadline)
			return -ETIMEDOUT;
		r = sd_bus_wait(bus, usec_sub(deadline, now));
		if (r < 0 && r != -EINTR)
			return r;
	}
}

/* What sd-bus answers when the other side hung up differs with the moment. */
static int unify_hangup(int r)
{
	return r == -ENOTCONN || r == -EPIPE || r == -ESHUTDOWN ? -ECONNRESET : r;
}

int client_connect(struct client *c, const char *path, uint64_t timeout_usec)
{
	int fd = -1, r;

	client_fini(c);
	c->path = strdup(path);
	if (!c->path)
		return -ENOMEM;
	r = connect_socket(path, timeout_usec, &fd);
	if (r < 0)
		return r;
	r = sd_bus_new(&c->bus);
	if (r < 0) {
		close_fd(fd);
		return r;
	}
	r = start_bus(c->bus, fd);
	if (r >= 0)
		r = wait_until_ready(c->bus, timeout_usec);
	return unify_hangup(r < 0 ? r : 0);
}

static int make_call(struct client *c, const char *method, const char *argument,
		sd_bus_message **ret_call)
{
	auto_message call = NULL;
	int r;

	sd_bus_error_free(&c->error);
	r = sd_bus_message_new_method_call(
			c->bus, &call, NAMES_BUS, NAMES_PATH, NAMES_MANAGER, method);
	if (r >= 0 && argument)
		r = sd_bus_message_append(call, "s", argument);
	if (r < 0)
		return r;
	*ret_call = TAKE_PTR(call);
	return 0;
}

int client_call(struct client *c, uint64_t timeout_usec, const char *method,
		const char *argument, sd_bus_message **ret_reply)
{
	auto_message call = NULL;
	int r;

	r = make_call(c, method, argument, &call);
	if (r < 0)
		return r;
	r = sd_bus_call(c->bus, call, timeout_usec, &c->error, ret_reply);
	return unify_hangup(r < 0 ? r : 0);
}

void client_pending_fini(struct client_pending *p)
{
	sd_bus_slot_unref(p->slot);
	sd_bus_message_unref(p->reply);
	*p = (struct client_pending){ 0 };
}

static int on_reply(sd_bus_message *reply, void *data, sd_bus_error *error UNUSED)
{
	struct client_pending *p = data;

	p->reply = sd_bus_message_ref(reply);
	return 0;
}

int client_begin(struct client *c, uint64_t timeout_usec, const char *method,
		const char *argument, struct client_pending *ret_pending)
{
	auto_message call = NULL;
	int r;

	*ret_pending = (struct client_pending){ 0 };
	r = make_call(c, method, argument, &call);
	if (r >= 0)
		r = sd_bus_call_async(c->bus, &ret_pending->slot, call, on_reply,
				ret_pending, timeout_usec);
	return unify_hangup(r < 0 ? r : 0);
}

int client_finish(struct client *c, struct client_pending *pending,
		sd_bus_message **ret_reply)
{
	const sd_bus_error *error;
	int r = 0;

	while (r >= 0 && !pending->reply) {
		r = sd_bus_process(c->bus, NULL);
		if (r == 0)
			/* No longer than the call's own timeout. */
			r = sd_bus_wait(c->bus, UINT64_MAX);
		if (r == -EINTR)
			r = 0;
	}
	if (r < 0)
		return unify_hangup(r);
	error = sd_bus_message_get_error(pending->reply);
	if (!error) {
		*ret_reply = TAKE_PTR(pending->reply);
		return 0;
	}
	sd_bus_error_free(&c->error);
	(void)sd_bus_error_copy(&c->error, error);
	return unify_hangup(-sd_bus_message_get_errno(pending->reply));
}

int client_get_text(struct client *c, uint64_t timeout_usec, const char *property,
		char **ret_value)
{
	auto_message call = NULL;
	auto_message reply = NULL;
	const char *value;
	int r;

	sd_bus_error_free(&c->error);
	r = sd_bus_message_new_method_call(c->bus, &call, NAMES_BUS, NAMES_PATH,
			"org.freedesktop.DBus.Properties", "Get");
	if (r >= 0)
		r = sd_bus_message_append(call, "ss", NAMES_MANAGER, property);
	if (r >= 0)
		r = sd_bus_call(c->bus, call, timeout_usec, &c->error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "v", "s", &value);
	if (r < 0)
		return unify_hangup(r);
	*ret_value = strdup(value);
	return *ret_value ? 0 : -ENOMEM;
}
