/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_REQUEST_H
#define KEEPER_REQUEST_H

/*
 * What the core may ask for. A request that is malformed, names what does not exist or is
 * not the core's to send changes nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct charge;
struct keeper;
struct protocol_message;

/* Handle one datagram from the core. */
void request_handle(struct keeper *keeper, const void *datagram, size_t size);

/* Say everything to a core that was just started. */
void request_greet(struct keeper *keeper);

/* Whether a process belongs to a unit: as told by its cgroup, or by descent. */
bool request_is_of_unit(struct keeper *keeper, struct charge *charge, pid_t pid);

#endif
