/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "manager/figures.h"

/* /proc/PID/stat has the name that a process gave itself; cpu.stat is read alike. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t cpu = 1, threads = 2, value = 3;
	char *text = malloc(size + 1);

	bug_unless(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (figures_parse_stat(text, 100, &cpu, &threads) < 0)
		bug_unless(cpu == 1 && threads == 2);
	if (figures_parse_key(text, "usage_usec", &value) < 0)
		bug_unless(value == 3);
	free(text);
	return 0;
}
