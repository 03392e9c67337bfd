/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "unit/environment.h"

/* The text of an environment file. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_strv environment = { 0 };
	auto_diag diag = { 0 };
	int r = environment_parse_file(
			"f", (const char *)data, size, &diag, &environment);

	bug_unless(r == 0 || (r == -EINVAL && size > 0 && memchr(data, '\0', size)));
	for (size_t i = 0; i < environment.count; i++) {
		size_t n = strcspn(environment.items[i], "=");

		bug_unless(environment_name_is_valid(environment.items[i], n));
		bug_unless(environment_find(&environment, environment.items[i], n) ==
				environment.items[i] + n + 1);
	}
	return 0;
}
