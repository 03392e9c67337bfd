/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What a client sends to the control socket. The first byte says whether the
 * authentication comes before the rest
 * ('A') or the rest is everything there is; the client then reads nothing and leaves.
 * Every request is answered with its own name.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/fd.h"
#include "base/text.h"
#include "manager/bus-peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SENT_MAX     (64 * 1024)
#define REQUESTS_MAX BUS_PEER_PENDING_MAX
#define PORTIONS_MAX 10000

struct requests {
	struct request *items[REQUESTS_MAX];
	size_t count;
};

static int keep(void *data, struct request *request)
{
	struct requests *requests = data;

	bug_unless(requests->count < REQUESTS_MAX);
	requests->items[requests->count++] = request;
	return 0;
}

static int answer_all(struct bus_peer *peer, struct requests *requests)
{
	int r = 0;

	for (size_t i = 0; i < requests->count; i++) {
		request_answer_text(requests->items[i],
				requests->items[i]->name ? requests->items[i]->name : "");
		if (bus_peer_answer(peer, requests->items[i]) < 0)
			r = -ECONNRESET;
	}
	requests->count = 0;
	return r;
}

static void send_all(int fd, const void *data, size_t size)
{
	/* What does not fit into the socket is not part of this input. */
	if (send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

static void authenticate(int fd)
{
	auto_text t = { 0 };
	char uid[16];

	(void)snprintf(uid, sizeof(uid), "%u", (unsigned int)geteuid());
	text_append_n(&t, "\0AUTH EXTERNAL ", 15);
	for (const char *c = uid; *c; c++)
		text_printf(&t, "%02x", (unsigned int)*c);
	text_append(&t, "\r\nBEGIN\r\n");
	send_all(fd, t.data, t.size);
}

static void serve(int fd)
{
	struct access_caller caller = { .uid = geteuid(),
		.rights = ACCESS_OBSERVE | ACCESS_CONTROL };
	struct bus_facts facts = { .runtime_dir = "/run/test" };
	struct requests requests = { 0 };
	struct bus_peer *peer;

	if (bus_peer_new(fd, &caller, &facts, &peer) < 0)
		return;
	bus_peer_set_submit(peer, keep, &requests);
	for (unsigned int i = 0; i < PORTIONS_MAX; i++) {
		int r = bus_peer_process(peer);

		if (answer_all(peer, &requests) < 0 || r <= 0)
			break;
	}
	bus_peer_free(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[2];

	if (size < 1 || size > SENT_MAX)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	if (data[0] == 'A')
		authenticate(fds[1]);
	send_all(fds[1], data + 1, size - 1);
	(void)shutdown(fds[1], SHUT_WR);
	serve(fds[0]);
	close_fd(fds[1]);
	return 0;
}
