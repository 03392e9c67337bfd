/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/*
 * Growing text, string vectors, and conversion between text and values. Independent of
 * the locale.
 *
 * A struct text remembers that memory ran out (failed), so that a sequence of appends is
 * checked once at its end. Zero-initialised is a valid empty text.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/macro.h"

struct text {
	char *data; /* NUL-terminated once anything was appended */
	size_t size, capacity;
	bool failed;
};

void text_fini(struct text *t);
void text_clear(struct text *t);
void text_append(struct text *t, const char *s);
void text_append_n(struct text *t, const char *s, size_t n);
void text_append_char(struct text *t, char c);
PRINTF_LIKE(2, 3) void text_printf(struct text *t, const char *format, ...);
PRINTF_LIKE(2, 0) void text_vprintf(struct text *t, const char *format, va_list ap);

/* The text so far, borrowed; never NULL. */
const char *text_get(const struct text *t);

/* Takes the text out; the caller frees it. NULL when memory ran out at any append. */
MUST_CHECK char *text_take(struct text *t);

#define auto_text __attribute__((cleanup(text_fini))) struct text

/* printf into fresh memory; NULL when out of memory. */
MUST_CHECK PRINTF_LIKE(1, 2) char *text_format(const char *format, ...);

/* A string vector: NULL-terminated array of owned strings. NULL is an empty vector. */
struct strv {
	char **items; /* NULL-terminated, or NULL */
	size_t count;
};

void strv_fini(struct strv *v);
MUST_CHECK int strv_append(struct strv *v, const char *s);
MUST_CHECK int strv_append_n(struct strv *v, const char *s, size_t n);
/* Consumes s in every case; -ENOMEM when s is NULL. */
MUST_CHECK int strv_append_take(struct strv *v, char *s);
MUST_CHECK int strv_copy(const struct strv *from, struct strv *ret_to);
bool strv_contains(const struct strv *v, const char *s);

#define auto_strv __attribute__((cleanup(strv_fini))) struct strv

/*
 * Values from text. All of them accept the whole text or nothing: 0, -EINVAL for a text
 * of the wrong form, -ERANGE for one out of range.
 */
MUST_CHECK int parse_bool(
		const char *s, bool *ret); /* 1 yes y true t on, 0 no n false f off */
MUST_CHECK int parse_u64(const char *s, uint64_t *ret);
MUST_CHECK int parse_i64(const char *s, int64_t *ret);
MUST_CHECK int parse_uint(const char *s, unsigned int *ret);
MUST_CHECK int parse_int(const char *s, int *ret);
MUST_CHECK int parse_pid(const char *s, pid_t *ret); /* 1 … INT_MAX */
MUST_CHECK int parse_mode(const char *s, mode_t *ret); /* octal, at most 07777 */
/* Bytes with an optional suffix K M G T P E of 1024; "infinity" is UINT64_MAX. */
MUST_CHECK int parse_bytes(const char *s, uint64_t *ret);
/*
 * A duration as in systemd.time(7): "5min 20s", "1h", "250ms", a bare number counts
 * default_unit_usec; "infinity" is USEC_INFINITY.
 */
MUST_CHECK int parse_duration(
		const char *s, uint64_t default_unit_usec, uint64_t *ret_usec);
/* "TERM", "SIGTERM" or a number, 1 … SIGRTMAX; also "RTMIN+3". */
MUST_CHECK int parse_signal(const char *s, int *ret);

/* "SIGTERM"; "SIGRTMIN+3"; NULL for what is no signal. The result is static or
 * thread-local. */
const char *signal_name(int signo);

/* "ENOENT"; NULL when unknown. */
const char *errno_name(int error);

/* "2min 3s", "350ms": the two largest units that matter. */
void text_append_duration(struct text *t, uint64_t usec);
/* "1.5G", "312K". */
void text_append_bytes(struct text *t, uint64_t bytes);
/* The bytes as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void text_append_json(struct text *t, const char *s);

bool text_is_utf8(const char *s, size_t n);
bool has_prefix(const char *s, const char *prefix);
bool has_suffix(const char *s, const char *suffix);
static inline bool text_equals(const char *a, const char *b)
{
	return a == b || (a && b && __builtin_strcmp(a, b) == 0);
}

#endif
