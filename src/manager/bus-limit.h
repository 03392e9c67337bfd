/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_BUS_LIMIT_H
#define MANAGER_BUS_LIMIT_H

/*
 * The longest message that a client may send.
 *
 * sd-bus takes messages of up to 128 MiB and has no setting for it. It asks recvmsg(2)
 * for exactly what a message still lacks, so that is where a long one can be refused
 * before any of it is read: this module has a recvmsg of its own, which the dynamic
 * linker gives to libsystemd too. Outside of begin and end it is the system call.
 */

#include <stddef.h>

#define BUS_LIMIT_BYTES ((size_t)64 * 1024)

/* In this thread, until bus_limit_end, a read from fd with more room than that fails with
 * EMSGSIZE: the connection then ends. */
void bus_limit_begin(int fd);
void bus_limit_end(void);

#endif
