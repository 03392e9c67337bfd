/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_REQUEST_H
#define MANAGER_REQUEST_H

/*
 * A request of a client, on its way from its connection to the manager and, answered,
 * back.
 *
 * It has one owner at any time: the connection that read it, the message it travels in,
 * or the manager. A request whose connection is gone is dropped with its answer. The
 * actors that touch requests live on the main pool: the sd-bus messages inside belong to
 * its thread.
 */

#include <airssys/actor.h>
#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "manager/access.h"

struct request {
	enum access_method method;
	struct access_caller caller;
	airs_pid connection;
	char *name; /* of a unit; NULL when the method has none */
	char *whom; /* Kill */
	int signal; /* Kill */
	sd_bus_message *call; /* one reference */
	sd_bus_message *answer; /* one reference; NULL until there is one */
};

/* call is referenced. -ENOMEM. */
MUST_CHECK int request_new(enum access_method method, const struct access_caller *caller,
		sd_bus_message *call, struct request **ret_request);
void request_free(struct request *request);
DEFINE_AUTO(request, request_free);

/*
 * Send a request to an actor as a message of this type. It is consumed in every case.
 * Errors as airs_send. The receiver takes it out of the message with request_take.
 */
MUST_CHECK int request_send(struct airs_actor *self, airs_pid to, uint32_t type,
		struct request *request);
/* The request in a message; the caller owns it from now on. */
struct request *request_take(struct airs_message *message);

/* Give the request this error as its answer. */
PRINTF_LIKE(3, 4)
void request_fail(struct request *request, const char *name, const char *format, ...);
/* Give it one text, or nothing, as its answer. */
void request_answer_text(struct request *request, const char *text);
void request_answer_empty(struct request *request);
/* Give it a message as its answer, which is consumed. */
void request_set_answer(struct request *request, sd_bus_message *answer);

#endif
