/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * tcp-probe: an actor that connects to a service every interval, and has the service
 * restarted when that fails several times in a row. It is also the model of an actor
 * module: everything waits in the actor's mailbox, nothing blocks.
 *
 * Arguments=
 *   target=NAME      the actor whose service is probed; it is under the same supervisor
 *   port=N host=A    a TCP port and a numeric IPv4 or IPv6 address; 127.0.0.1 by default
 *   unix=PATH        or a unix socket
 *   interval=TIME    between two checks; 5s. Times are in s, ms or min
 *   timeout=TIME     until a connection counts as failed; 2s
 *   failures=N       in a row, until the service counts as failed; 3
 *   grace=TIME       after its start and after a verdict, when no verdict is given; 10s
 */

#include <airssys/airssys.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SECOND     UINT64_C(1000000)
#define EARLY_USEC (SECOND / 4)

struct probe {
	char target[256];
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} address;
	socklen_t address_size;
	uint64_t interval_usec, timeout_usec, failures_max, grace_usec;

	int fd; /* the connection that is being made; -1 */
	airs_ref watch, timer; /* timer: of the attempt, or until the next one */
	uint64_t begun_usec, grace_end_usec, checks;
	uint64_t next_usec; /* a failure before that does not count */
	uint64_t failures; /* in a row */
};

/* The number, or time, of an argument. Without the argument *value stays as it is. */
static int get_number(const struct airs_module_args *args, const char *key, int is_time,
		uint64_t *value)
{
	static const char *const names[] = { "", "s", "ms", "min" };
	static const uint64_t units[] = { SECOND, SECOND, 1000, 60 * SECOND };
	const char *text = airs_module_argument(args, key);
	uint64_t number;
	char *end;

	if (!text)
		return 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || number == 0 || number > 1000000)
		return -EINVAL;
	for (int i = 0; i < (is_time ? 4 : 1); i++)
		if (strcmp(end, names[i]) == 0) {
			*value = is_time ? number * units[i] : number;
			return 0;
		}
	return -EINVAL;
}

static int get_address(struct probe *p, const struct airs_module_args *args)
{
	const char *path = airs_module_argument(args, "unix");
	const char *host = airs_module_argument(args, "host");
	uint64_t port = 0;

	if (path && strlen(path) < sizeof(p->address.un.sun_path)) {
		p->address_size = sizeof(p->address.un);
		p->address.un.sun_family = AF_UNIX;
		memcpy(p->address.un.sun_path, path, strlen(path) + 1);
		return 0;
	}
	if (path || get_number(args, "port", 0, &port) < 0 || port == 0 || port > 65535)
		return -EINVAL;
	host = host ? host : "127.0.0.1";
	p->address_size = sizeof(p->address.in);
	p->address.in.sin_family = AF_INET;
	p->address.in.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &p->address.in.sin_addr) == 1)
		return 0;
	p->address_size = sizeof(p->address.in6);
	p->address.in6.sin6_family = AF_INET6;
	p->address.in6.sin6_port = htons((uint16_t)port);
	return inet_pton(AF_INET6, host, &p->address.in6.sin6_addr) == 1 ? 0 : -EINVAL;
}

/* Whether this failure is one of those that are counted: one in an interval. */
static int count_failure(struct probe *p, uint64_t now, int error)
{
	if (!error)
		p->failures = 0;
	if (!error || now < p->next_usec)
		return 0;
	p->failures++;
	p->next_usec = now + p->interval_usec;
	return 1;
}

/* A service that is just starting is looked at more often, to see when it is there. */
static uint64_t get_delay(const struct probe *p, uint64_t now, int error)
{
	uint64_t delay = error && now < p->grace_end_usec ? EARLY_USEC : p->interval_usec;

	return error && p->next_usec - now < delay ? p->next_usec - now : delay;
}

/* The attempt is over: error is a positive errno, or 0 when somebody answered. */
static int conclude(struct airs_actor *self, struct probe *p, int error)
{
	uint64_t now = airs_now(self);
	char text[256];
	airs_ref call;
	int counts, r = 0;

	if (p->watch != 0)
		airs_fd_unwatch(self, p->watch);
	if (p->timer != 0)
		(void)airs_timer_cancel(self, p->timer);
	if (p->fd >= 0)
		(void)close(p->fd);
	p->watch = p->timer = 0;
	p->fd = -1;
	p->checks++;
	counts = count_failure(p, now, error);
	if (error && now < p->grace_end_usec)
		(void)snprintf(text, sizeof(text), "no answer yet: %s", strerror(error));
	else if (error)
		/* In this order since the reason of an end keeps 39 bytes. */
		(void)snprintf(text, sizeof(text), "%s, %llu failed probe%s",
				strerror(error), (unsigned long long)p->failures,
				p->failures == 1 ? "" : "s");
	else
		(void)snprintf(text, sizeof(text), "ok, %llu check%s, %.1f ms",
				(unsigned long long)p->checks, p->checks == 1 ? "" : "s",
				(double)(now - p->begun_usec) / 1000);
	airs_status(self, text);
	if (counts && p->failures >= p->failures_max && now >= p->grace_end_usec) {
		/* Its answer changes nothing here: a service that is down is seen to. */
		r = airs_service_fail(self, p->target, text, &call);
		p->failures = 0;
		p->grace_end_usec = now + p->grace_usec;
	}
	if (r < 0 && r != -ENOTCONN)
		return r;
	return airs_timer_start(self, get_delay(p, now, error), 0, &p->timer);
}

static int begin(struct airs_actor *self, struct probe *p)
{
	int r;

	p->begun_usec = airs_now(self);
	p->fd = socket(p->address.any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 ||
			(connect(p->fd, &p->address.any, p->address_size) < 0 &&
					errno != EINPROGRESS))
		return conclude(self, p, errno);
	r = airs_fd_watch(self, p->fd, EPOLLOUT, &p->watch);
	return r < 0 ? r : airs_timer_start(self, p->timeout_usec, 0, &p->timer);
}

static int probe_init(struct airs_actor *self, void *state, const void *args, size_t size)
{
	const char *target = airs_module_argument(args, "target");
	struct probe *p = state;

	(void)size;
	*p = (struct probe){ .fd = -1,
		.interval_usec = 5 * SECOND,
		.timeout_usec = 2 * SECOND,
		.grace_usec = 10 * SECOND,
		.failures_max = 3 };
	if (!target || strlen(target) >= sizeof(p->target) || get_address(p, args) < 0 ||
			get_number(args, "interval", 1, &p->interval_usec) < 0 ||
			get_number(args, "timeout", 1, &p->timeout_usec) < 0 ||
			get_number(args, "grace", 1, &p->grace_usec) < 0 ||
			get_number(args, "failures", 0, &p->failures_max) < 0)
		return -EINVAL;
	memcpy(p->target, target, strlen(target) + 1);
	p->grace_end_usec = airs_now(self) + p->grace_usec;
	return airs_timer_start(self, 0, 0, &p->timer);
}

static int probe_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	struct probe *p = state;
	socklen_t size = sizeof(int);
	int error = 0;

	if (m->type == AIRS_MSG_TIMER) {
		p->timer = 0;
		return p->fd >= 0 ? conclude(self, p, ETIMEDOUT) : begin(self, p);
	}
	if (m->type != AIRS_MSG_FD)
		return 0;
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	return conclude(self, p, error);
}

/* Watch and timer are the runtime's; the descriptor is the actor's own. */
static void probe_release(void *state)
{
	struct probe *p = state;

	if (p->interval_usec != 0 && p->fd >= 0)
		(void)close(p->fd);
}

static const struct airs_behaviour behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "tcp-probe",
	.state_size = sizeof(struct probe),
	.init = probe_init,
	.handle = probe_handle,
	.release = probe_release,
};

AIRS_MODULE("tcp-probe", "restarts a service that cannot be reached", &behaviour);
