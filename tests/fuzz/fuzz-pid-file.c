/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "keeper/pid-file.h"

/* A PIDFile= is written by the service: what is taken is a number that can be a pid, and
 * stands there alone. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	pid_t pid = 0;

	bug_unless(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (pid_file_parse(text, size, &pid) == 0) {
		bug_unless(pid > 0 && size > 0);
		for (size_t i = 0; i < size; i++)
			bug_unless(data[i] && strchr("0123456789 \n", data[i]));
	} else {
		bug_unless(pid == 0);
	}
	free(text);
	return 0;
}
