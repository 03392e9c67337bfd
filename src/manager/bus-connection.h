/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_BUS_CONNECTION_H
#define MANAGER_BUS_CONNECTION_H

/*
 * The actor of one client's connection. It ends, normally, when the client leaves, breaks
 * the protocol or a limit, or has not authenticated in time; a fault in it ends nobody
 * else. What the client had asked for goes on.
 */

#include "airssys/actor.h"
#include "manager/bus-peer.h"

#define BUS_CONNECTION_AUTH_USEC (10 * UINT64_C(1000000))

extern const struct airs_behaviour bus_connection_behaviour;

/* args, handed over: free_args is bus_connection_args_free. */
struct bus_connection_args {
	int fd; /* the actor's from now on */
	struct access_caller caller;
	struct bus_facts facts; /* runtime_dir is borrowed for the life of the system */
	airs_pid manager;
	airs_pid activity; /* where denials are recorded; may be AIRS_PID_NONE */
	uint64_t auth_usec; /* until it must have authenticated */
};
void bus_connection_args_free(void *args);

#endif
