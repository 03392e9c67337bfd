/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/fd.h"
#include "unit/snapshot.h"

/* A packed snapshot: what is accepted is packed again. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_close int fd = -1, again = -1;
	auto_(unit_snapshot) s = NULL;
	int r;

	bug_unless(memfd_sealed("fuzz", data, size, &fd) == 0);
	r = unit_snapshot_unpack(fd, &s);
	bug_unless(r == 0 || r == -EBADMSG);
	if (r == 0)
		bug_unless(unit_snapshot_pack(s, &again) == 0);
	return 0;
}
