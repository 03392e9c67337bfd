/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/*
 * Assertions that stay in release builds. A failure is a bug of ours: it prints the
 * expression and its place on standard error and aborts.
 */

#include "base/macro.h"

NO_RETURN void panic_at(
		const char *file, int line, const char *function, const char *what);

#define bug_unless(expr)                                                                 \
	do {                                                                             \
		if (UNLIKELY(!(expr)))                                                   \
			panic_at(__FILE__, __LINE__, __func__, #expr);                   \
	} while (0)

/* For walks that are too slow for release builds. */
#define bug_check(expr)                                                                  \
	do {                                                                             \
		if (ENABLE_DEVELOPER)                                                    \
			bug_unless(expr);                                                \
	} while (0)

#endif
