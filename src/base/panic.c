/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

NO_RETURN void panic_at(
		const char *file, int line, const char *function, const char *what)
{
	fprintf(stderr, "airssys: assertion failed: %s, in %s at %s:%d\n", what, function,
			file, line);
	abort();
}
