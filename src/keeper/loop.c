/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/loop.h"

#include <errno.h>
#include <limits.h>

#include "base/cleanup.h"
#include "base/clock.h"

int loop_init(struct loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void loop_fini(struct loop *loop)
{
	loop->epoll_fd = close_fd(loop->epoll_fd);
}

int loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	source->fd = fd;
	return 0;
}

int loop_change(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno
										: 0;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	if (source->fd < 0)
		return;
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->fd = -1;
}

/* Rounded up: a wait that is a millisecond too short would turn once more. */
static int to_milliseconds(uint64_t usec)
{
	uint64_t msec = usec / USEC_PER_MSEC;

	if (usec == USEC_INFINITY)
		return -1;
	if (msec >= INT_MAX)
		return INT_MAX;
	return (int)msec + (usec % USEC_PER_MSEC != 0);
}

int loop_turn(struct loop *loop, uint64_t timeout_usec)
{
	struct loop_source *source;
	struct epoll_event event;
	int n;

	n = epoll_wait(loop->epoll_fd, &event, 1, to_milliseconds(timeout_usec));
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return 0;
	source = event.data.ptr;
	source->on_ready(source, event.events);
	return 1;
}
