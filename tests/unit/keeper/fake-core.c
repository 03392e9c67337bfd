/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Stands in for airssys-core: hands its end of the keeper link to the test program, which
 * listens on an abstract socket named after the runtime folder, and lives until the test
 * program is done with it.
 */

#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "fake-core.h"
#include "unit/protocol.h"

static int connect_to_test(const char *runtime_dir)
{
	struct sockaddr_un address;
	socklen_t size = fake_core_address(runtime_dir, &address);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) < 0)
		return -1;
	return fd;
}

int main(void)
{
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	const int link_fd = PROTOCOL_LINK_FD;
	struct pollfd ready = { .fd = link_fd, .events = POLLIN };
	struct protocol_message config;
	ssize_t n;
	int test;

	if (poll(&ready, 1, -1) < 0)
		return 10;
	/* The first datagram is only looked at: the test program receives it. */
	n = recv(link_fd, buffer, sizeof(buffer), MSG_PEEK);
	if (n <= 0 || protocol_decode(buffer, (size_t)n, &config) < 0)
		return 11;
	test = connect_to_test(config.runtime_dir);
	if (test < 0 || fd_send(test, "", 1, &link_fd, 1) < 0)
		return 12;
	close_fd(link_fd);
	/* A byte is the exit status; the end of the stream is the end. */
	n = recv(test, buffer, 1, 0);
	return n == 1 ? buffer[0] : 0;
}
