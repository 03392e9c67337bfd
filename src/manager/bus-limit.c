/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/bus-limit.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local int limited_fd = -1;

void bus_limit_begin(int fd)
{
	limited_fd = fd;
}

void bus_limit_end(void)
{
	limited_fd = -1;
}

static size_t room_in(const struct msghdr *message)
{
	size_t room = 0;

	for (size_t i = 0; i < message->msg_iovlen; i++)
		room += message->msg_iov[i].iov_len;
	return room;
}

__attribute__((visibility("default"))) ssize_t recvmsg(
		int fd, struct msghdr *message, int flags)
{
	if (fd == limited_fd && room_in(message) > BUS_LIMIT_BYTES) {
		errno = EMSGSIZE;
		return -1;
	}
	return syscall(SYS_recvmsg, fd, message, flags);
}
