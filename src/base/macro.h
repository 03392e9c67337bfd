/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_MACRO_H
#define BASE_MACRO_H

/*
 * Small language helpers that every layer uses. Nothing here has state.
 */

#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NO_RETURN         __attribute__((noreturn))
#define UNUSED            __attribute__((unused))

/* For a must-check result that is ignored on purpose; the reason stands nearby. */
#define IGNORE_RESULT(expr)                                                              \
	do {                                                                             \
		__typeof__(expr) ignored_ = (expr);                                      \
		(void)ignored_;                                                          \
	} while (0)

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

#endif
