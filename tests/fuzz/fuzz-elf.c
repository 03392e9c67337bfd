/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "host/elf.h"

/* The bytes are a file that somebody would like to have loaded as an actor module. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = NULL;
	void *copy = malloc(
			size ? size : 1); /* exactly, so that a sanitizer sees the end */

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (elf_check(copy, size, &why) < 0)
		bug_unless(why && *why);
	free(copy);
	return 0;
}
