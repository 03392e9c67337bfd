/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define CAPACITY_MIN 64
#define ROOM_TO_KEEP 16

void text_fini(struct text *t)
{
	free(t->data);
	*t = (struct text){ 0 };
}

void text_clear(struct text *t)
{
	t->size = 0;
	t->failed = false;
	if (t->data)
		t->data[0] = '\0';
}

/* Room for that many more bytes and the NUL. */
static bool reserve(struct text *t, size_t more)
{
	size_t capacity = t->capacity ? t->capacity : CAPACITY_MIN;
	char *data;

	if (t->failed)
		return false;
	if (t->data && more < t->capacity - t->size)
		return true;
	while (capacity <= SIZE_MAX / 2 && capacity - t->size <= more)
		capacity *= 2;
	data = capacity - t->size > more ? realloc(t->data, capacity) : NULL;
	if (!data) {
		t->failed = true;
		return false;
	}
	t->data = data;
	t->capacity = capacity;
	return true;
}

void text_append_n(struct text *t, const char *s, size_t n)
{
	if (!reserve(t, n))
		return;
	if (n > 0)
		memcpy(t->data + t->size, s, n);
	t->size += n;
	t->data[t->size] = '\0';
}

void text_append(struct text *t, const char *s)
{
	text_append_n(t, s, strlen(s));
}

void text_append_char(struct text *t, char c)
{
	text_append_n(t, &c, 1);
}

void text_vprintf(struct text *t, const char *format, va_list ap)
{
	va_list again;
	int n;

	if (!reserve(t, 0))
		return;
	va_copy(again, ap);
	n = vsnprintf(t->data + t->size, t->capacity - t->size, format, again);
	va_end(again);
	if (n < 0 || !reserve(t, (size_t)n)) {
		t->failed = true;
		t->data[t->size] = '\0';
		return;
	}
	/* The first attempt may have been cut short by the old capacity. */
	(void)vsnprintf(t->data + t->size, t->capacity - t->size, format, ap);
	t->size += (size_t)n;
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	text_vprintf(t, format, ap);
	va_end(ap);
}

const char *text_get(const struct text *t)
{
	return t->data ? t->data : "";
}

/* What is taken often stays for long: it does not keep the room to grow. */
static char *take_fitting(struct text *t)
{
	char *data = t->data;

	if (t->capacity - t->size > ROOM_TO_KEEP)
		data = realloc(t->data, t->size + 1);
	if (data)
		t->data = NULL;
	return data;
}

char *text_take(struct text *t)
{
	char *taken = NULL;

	(void)reserve(t, 0);
	if (!t->failed) {
		t->data[t->size] = '\0';
		taken = take_fitting(t);
	}
	text_fini(t);
	return taken;
}

char *text_format(const char *format, ...)
{
	auto_text t = { 0 };
	va_list ap;

	va_start(ap, format);
	text_vprintf(&t, format, ap);
	va_end(ap);
	return text_take(&t);
}

/* Length of the valid UTF-8 sequence at s, or 0: RFC 3629, table in section 4. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t length = s[0] < 0x80   ? 1
			: s[0] < 0xc2 ? 0
			: s[0] < 0xe0 ? 2
			: s[0] < 0xf0 ? 3
				      : 4;

	if (length == 0 || s[0] > 0xf4 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what is above U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
			(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

bool text_is_utf8(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t length;

	for (size_t i = 0; i < n; i += length) {
		length = utf8_length(p + i, n - i);
		if (length == 0)
			return false;
	}
	return true;
}

static void append_json_control(struct text *t, char c)
{
	static const char escaped[] = "\b\f\n\r\t";
	const char *at = c ? strchr(escaped, c) : NULL;

	if (at)
		text_printf(t, "\\%c", "bfnrt"[at - escaped]);
	else
		text_printf(t, "\\u%04x", (unsigned int)(unsigned char)c);
}

void text_append_json(struct text *t, const char *s)
{
	size_t n = strlen(s), length;

	text_append_char(t, '"');
	for (size_t i = 0; i < n; i += MAX_OF(length, (size_t)1)) {
		length = utf8_length((const unsigned char *)s + i, n - i);
		if (length == 0) {
			text_append(t, "\xef\xbf\xbd");
		} else if ((unsigned char)s[i] < 0x20) {
			append_json_control(t, s[i]);
		} else {
			if (s[i] == '"' || s[i] == '\\')
				text_append_char(t, '\\');
			text_append_n(t, s + i, length);
		}
	}
	text_append_char(t, '"');
}

bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}
