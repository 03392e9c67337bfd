/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "unit/protocol.h"

/* A datagram of the keeper link: what is accepted encodes to the same bytes. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[PROTOCOL_MESSAGE_MAX];
	struct protocol_message m;
	ssize_t n;

	if (protocol_decode(data, size, &m) < 0)
		return 0;
	n = protocol_encode(&m, again, sizeof(again));
	bug_unless(n == (ssize_t)size && memcmp(again, data, size) == 0);
	return 0;
}
