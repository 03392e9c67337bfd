/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_BUS_H
#define MANAGER_BUS_H

/*
 * The control socket: one actor that accepts clients, asks the kernel who they are, and
 * gives each an actor of its own (manager/bus-connection.h).
 *
 * Limits: BUS_CLIENTS_MAX at a time, the last BUS_CLIENTS_RESERVED of them for root and
 * the owner; beyond that nobody is accepted until one leaves, and others are turned away.
 * BUS_CLIENTS_PER_USER for each other user.
 */

#include "airssys/actor.h"
#include "manager/access.h"

#define BUS_CLIENTS_MAX      256
#define BUS_CLIENTS_RESERVED 32
#define BUS_CLIENTS_PER_USER 64

extern const struct airs_behaviour bus_behaviour;

/* args, copied. */
struct bus_args {
	size_t size;
	int fd; /* listening; non-blocking; borrowed: whoever starts the actor closes it
		   after its end */
	uid_t owner_uid;
	airs_pid manager; /* gets the requests */
	airs_pid activity; /* where denials are recorded; AIRS_PID_NONE: nowhere */
	const char *runtime_dir; /* borrowed for the life of the system */
	uint64_t auth_usec; /* how long a client may take to authenticate; 0:
			       BUS_CONNECTION_AUTH_USEC */
};

#endif
