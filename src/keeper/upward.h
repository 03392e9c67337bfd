/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_UPWARD_H
#define KEEPER_UPWARD_H

/*
 * What the keeper says to the service manager above it: the datagrams of sd_notify(3),
 * sent without waiting, so that a manager that is stuck cannot hold the keeper up.
 */

#include <stdint.h>

#include "base/macro.h"

struct upward {
	int fd; /* -1: nobody listens */
	uint64_t watchdog_usec; /* how often it wants to hear; 0: never */
};

/* From NOTIFY_SOCKET and WATCHDOG_USEC (with WATCHDOG_PID) of the environment. */
void upward_init(struct upward *upward);
void upward_fini(struct upward *upward);

/* Lines of the protocol, "READY=1\nSTATUS=…". Lost when it cannot be sent at once. */
PRINTF_LIKE(2, 3) void upward_say(struct upward *upward, const char *format, ...);
/* Assignments ("READY=1\n", or "") and a status that somebody else worded: whatever the
 * text holds, it is one line. */
void upward_say_status(struct upward *upward, const char *assignments, const char *text);

#endif
