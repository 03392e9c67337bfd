/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_UNIT_KEEPER_FAKE_CORE_H
#define TESTS_UNIT_KEEPER_FAKE_CORE_H

/* Where the fake core and the test program meet. */

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* An abstract address from the end of the path, which is its private part. */
static inline socklen_t fake_core_address(
		const char *runtime_dir, struct sockaddr_un *ret_address)
{
	size_t n = strlen(runtime_dir), room = sizeof(ret_address->sun_path) - 1;
	size_t taken = n < room ? n : room;

	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->sun_family = AF_UNIX;
	memcpy(ret_address->sun_path + 1, runtime_dir + n - taken, taken);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + taken);
}

#endif
