/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

/*
 * The connection to an instance: a D-Bus peer on the control socket, names as in
 * manager/names.h. Every wait is bounded, since the other side may be busy, stopped or
 * half dead.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"

struct client {
	sd_bus *bus; /* NULL: not connected */
	char *path; /* of the socket */
	sd_bus_error error; /* of the last call that failed at the other side */
};

void client_fini(struct client *c);

/*
 * Connect and wait until the other side has greeted, at most timeout_usec. path is
 * copied. A negative errno: -ENOENT and -ECONNREFUSED when nobody listens, -EACCES,
 * -ETIMEDOUT when somebody listens but does not greet, -ECONNRESET when it hung up.
 */
MUST_CHECK int client_connect(struct client *c, const char *path, uint64_t timeout_usec);

/*
 * Call a method of the manager with the text arguments, up to the NULL. On failure
 * c->error says what the other side answered, if it did. ret_reply may be NULL.
 */
MUST_CHECK int client_call(struct client *c, uint64_t timeout_usec, const char *method,
		const char *argument, sd_bus_message **ret_reply);

/* A call that was sent and whose answer is waited for later, so that several take the
 * time of one. It must not move meanwhile. */
struct client_pending {
	sd_bus_slot *slot;
	sd_bus_message *reply; /* NULL: not there yet */
};

void client_pending_fini(struct client_pending *p);

#define auto_pending __attribute__((cleanup(client_pending_fini))) struct client_pending

/* client_call in two halves; client_finish may be called once, and blocks. */
MUST_CHECK int client_begin(struct client *c, uint64_t timeout_usec, const char *method,
		const char *argument, struct client_pending *ret_pending);
MUST_CHECK int client_finish(struct client *c, struct client_pending *pending,
		sd_bus_message **ret_reply);

/* A property of the manager of type s; the caller frees it. */
MUST_CHECK int client_get_text(struct client *c, uint64_t timeout_usec,
		const char *property, char **ret_value);

#define auto_message __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *

#endif
