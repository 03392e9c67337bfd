/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/fd.h"
#include "exec/spec.h"

/*
 * An execution description. What is accepted must be packed to the same bytes, and must
 * have what the steps rely on.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_spec(const struct exec_spec *spec, const uint8_t *data, size_t size)
{
	auto_free char *packed = NULL;
	auto_close int fd = -1;
	size_t packed_size;

	bug_unless(spec->path[0] == '/');
	bug_unless(spec->argv.count > 0 && spec->argv.items[spec->argv.count] == NULL);
	bug_unless(exec_spec_pack(spec, &fd) == 0);
	bug_unless(fd_read_all(fd, EXEC_SPEC_MAX, &packed, &packed_size) == 0);
	bug_unless(packed_size == size && memcmp(packed, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(exec_spec) spec = NULL;
	auto_close int fd = -1;

	if (memfd_sealed("fuzz", data, size, &fd) < 0)
		return 0;
	if (exec_spec_unpack(fd, &spec) == 0)
		check_spec(spec, data, size);
	return 0;
}
