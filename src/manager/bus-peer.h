/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_BUS_PEER_H
#define MANAGER_BUS_PEER_H

/*
 * One client of the control bus, seen from sd-bus: a peer-to-peer server connection with
 * the manager's interface and as much of org.freedesktop.DBus as clients of a bus expect.
 * Knows nothing of actors, so that a test or a fuzzer can drive it: whoever owns it calls
 * bus_peer_process when bus_peer_wants says so.
 *
 * It owns the descriptor. Everything is non-blocking. A client that does not read its
 * answers is not read from either, so what is kept for one client is bounded by
 * BUS_PEER_PENDING_MAX answers.
 */

#include <stdbool.h>
#include <stdint.h>

#include "manager/names.h"
#include "manager/request.h"

/* Requests that wait for their answer, and answers that wait to be read. */
#define BUS_PEER_PENDING_MAX NAMES_PENDING_MAX

/* What properties say; the owner updates it. */
struct bus_facts {
	const char *runtime_dir; /* borrowed for the life of the peer */
	bool tree_up;
};

/* Where requests go. The request is consumed in every case; an error becomes the client's
 * answer. */
typedef int bus_submit_fn(void *data, struct request *request);

/* A request that was denied; unit "" when it names none. Told once for each method, so
 * that a client cannot fill the log. */
typedef void bus_denied_fn(void *data, const struct access_caller *caller,
		enum access_method method, const char *unit);

struct bus_peer;

/* Takes fd in every case. -ENOMEM or what sd-bus says. */
MUST_CHECK int bus_peer_new(int fd, const struct access_caller *caller,
		const struct bus_facts *facts, struct bus_peer **ret_peer);
void bus_peer_set_submit(struct bus_peer *peer, bus_submit_fn *submit, void *data);
/* With the data of bus_peer_set_submit. */
void bus_peer_set_denied(struct bus_peer *peer, bus_denied_fn *denied);
void bus_peer_free(struct bus_peer *peer);
DEFINE_AUTO(bus_peer, bus_peer_free);

int bus_peer_fd(const struct bus_peer *peer);
void bus_peer_set_tree_up(struct bus_peer *peer, bool tree_up);
/* Whether the client has authenticated. */
bool bus_peer_is_ready(const struct bus_peer *peer);

/*
 * Do one bounded portion of work. 0: nothing more to do now; 1: there is more; a negative
 * errno: the client is gone, broke the protocol or a limit, and the connection is to be
 * dropped.
 */
MUST_CHECK int bus_peer_process(struct bus_peer *peer);

/* What to wait for: EPOLL… events. */
MUST_CHECK int bus_peer_wants(struct bus_peer *peer, uint32_t *ret_events);

/* Send the answer of a request that this peer submitted. Consumes the request. Errors as
 * bus_peer_process. */
MUST_CHECK int bus_peer_answer(struct bus_peer *peer, struct request *request);

/* For the methods (bus-manager.c): check, read the arguments, submit. The result is that
 * of a message handler. */
enum bus_arguments {
	BUS_NO_ARGUMENTS,
	BUS_NAME, /* s */
	BUS_NAME_WHOM_SIGNAL, /* ssi */
};
int bus_peer_call(struct bus_peer *peer, enum access_method method,
		enum bus_arguments arguments, sd_bus_message *call, sd_bus_error *error);
const struct bus_facts *bus_peer_facts(const struct bus_peer *peer);

#endif
