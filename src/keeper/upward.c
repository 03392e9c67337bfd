/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/upward.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

static int connect_to(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	auto_close int fd = -1;

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, name, n);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address,
			    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return -errno;
	return take_fd(&fd);
}

static uint64_t read_watchdog(void)
{
	const char *interval = getenv("WATCHDOG_USEC"), *whose = getenv("WATCHDOG_PID");
	uint64_t usec;
	pid_t pid;

	if (!interval || parse_u64(interval, &usec) < 0)
		return 0;
	if (whose && (parse_pid(whose, &pid) < 0 || pid != getpid()))
		return 0;
	return usec;
}

void upward_init(struct upward *upward)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int fd;

	*upward = (struct upward){ .fd = -1 };
	if (!name || !*name)
		return;
	fd = connect_to(name);
	if (fd < 0) {
		log_warning("cannot reach the notify socket %s: %s", name, strerror(-fd));
		return;
	}
	upward->fd = fd;
	upward->watchdog_usec = read_watchdog();
}

void upward_fini(struct upward *upward)
{
	upward->fd = close_fd(upward->fd);
}

void upward_say(struct upward *upward, const char *format, ...)
{
	char message[1024];
	va_list ap;
	int n;

	if (upward->fd < 0)
		return;
	va_start(ap, format);
	n = vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (send(upward->fd, message, MIN_OF((size_t)n, sizeof(message) - 1),
			    MSG_NOSIGNAL) < 0)
		log_debug("notify: %s", strerror(errno));
}

/*
 * The text is the core's, and the manager above trusts what the keeper says: a line of
 * its own could name any process as ours.
 */
void upward_say_status(struct upward *upward, const char *assignments, const char *text)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "%s", text);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	upward_say(upward, "%sSTATUS=%s", assignments, line);
}
