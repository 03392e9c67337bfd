/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/json.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

static const char *skip_value(const char *s, int depth);

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

static const char *skip_escape(const char *s)
{
	if (*s == 'u') {
		for (int i = 1; i <= 4; i++)
			if (!isxdigit((unsigned char)s[i]))
				return NULL;
		return s + 5;
	}
	return *s && strchr("\"\\/bfnrt", *s) ? s + 1 : NULL;
}

static const char *skip_string(const char *s)
{
	const char *begin = s;

	if (*s++ != '"')
		return NULL;
	while (s && *s != '"') {
		if ((unsigned char)*s < 0x20)
			return NULL;
		s = *s == '\\' ? skip_escape(s + 1) : s + 1;
	}
	return s && text_is_utf8(begin, (size_t)(s - begin)) ? s + 1 : NULL;
}

static const char *skip_digits(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n > 0 ? s + n : NULL;
}

static const char *skip_number(const char *s)
{
	s += *s == '-';
	s = *s == '0' ? s + 1 : skip_digits(s);
	if (s && *s == '.')
		s = skip_digits(s + 1);
	if (s && (*s == 'e' || *s == 'E')) {
		s++;
		s = skip_digits(s + (*s == '+' || *s == '-'));
	}
	return s;
}

/* A member with its key, or an element. */
static const char *skip_item(const char *s, char close, int depth)
{
	if (close == '}') {
		s = skip_string(s);
		s = s ? skip_blanks(s) : NULL;
		if (!s || *s != ':')
			return NULL;
		s = skip_blanks(s + 1);
	}
	s = skip_value(s, depth + 1);
	return s ? skip_blanks(s) : NULL;
}

static const char *skip_items(const char *s, char close, int depth)
{
	s = skip_blanks(s + 1);
	if (*s == close)
		return s + 1;
	for (;;) {
		s = skip_item(s, close, depth);
		if (!s || (*s != ',' && *s != close))
			return NULL;
		if (*s == close)
			return s + 1;
		s = skip_blanks(s + 1);
	}
}

static const char *skip_value(const char *s, int depth)
{
	static const char *const words[] = { "true", "false", "null" };

	if (depth > 1000)
		return NULL;
	if (*s == '{')
		return skip_items(s, '}', depth);
	if (*s == '[')
		return skip_items(s, ']', depth);
	if (*s == '"')
		return skip_string(s);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (has_prefix(s, words[i]))
			return s + strlen(words[i]);
	return skip_number(s);
}

const char *json_skip(const char *s)
{
	return skip_value(s, 0);
}
