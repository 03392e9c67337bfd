/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H

/*
 * Messages of sd_notify(3): receiving one with its sender, and what it says. The parser
 * is pure and strict: a message with any line that is not KEY=VALUE, with a NUL inside,
 * with more than NOTIFY_LINES_MAX lines, or with a value out of its range says nothing at
 * all; unknown keys are ignored.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

#define NOTIFY_SIZE_MAX  4096
#define NOTIFY_LINES_MAX 64
#define NOTIFY_FDS_MAX   16
/* One message puts a deadline off by an hour at most; who needs more says it again. */
#define NOTIFY_EXTEND_MAX_USEC UINT64_C(3600000000)

enum notify_flag {
	NOTIFY_READY = 1 << 0,
	NOTIFY_RELOADING = 1 << 1,
	NOTIFY_STOPPING = 1 << 2,
	NOTIFY_WATCHDOG = 1 << 3,
	NOTIFY_WATCHDOG_TRIGGER = 1 << 4,
	NOTIFY_STATUS = 1 << 5,
	NOTIFY_MAINPID = 1 << 6,
	NOTIFY_ERRNO = 1 << 7,
	NOTIFY_EXTEND_TIMEOUT = 1 << 8,
	NOTIFY_FDSTORE = 1 << 9,
};

struct notify_message {
	unsigned int flags; /* enum notify_flag: which of these it says */
	const char *status; /* borrowed from the text; NUL-terminated, UTF-8, no control
			       characters but tab */
	pid_t main_pid;
	int error; /* positive errno */
	uint64_t extend_timeout_usec; /* at most NOTIFY_EXTEND_MAX_USEC */
};

/*
 * Parse a message of size bytes in text, which is changed: lines are cut by NULs. text
 * has room for one byte behind its end. 0 or -EBADMSG. An empty message is valid and says
 * nothing.
 */
MUST_CHECK int notify_parse(char *text, size_t size, struct notify_message *ret_message);

/* Who sent a message, as the kernel says; pid 0 when it does not. */
struct notify_sender {
	pid_t pid;
	uid_t uid;
};

/* Let the kernel name senders on this socket. */
MUST_CHECK int notify_enable(int fd);

/*
 * Receive one message into buffer of NOTIFY_SIZE_MAX + 1 bytes. Descriptors are closed: for
 * BARRIER=1 that is the answer that its sender waits for, and everything before it was
 * received. Returns its size, or a negative errno: -EAGAIN when there is none, -EMSGSIZE for one
 * too long or with too many descriptors (it is consumed).
 */
MUST_CHECK ssize_t notify_receive(int fd, char *buffer, struct notify_sender *ret_sender);

#endif
