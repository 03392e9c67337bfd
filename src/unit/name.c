/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/name.h"

#include <errno.h>
#include <string.h>

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || (c && strchr(":_.-\\@", c));
}

bool name_is_valid(const char *name)
{
	size_t n = 0, ats = 0;

	if (*name == '\0' || *name == '.' || *name == '@' || *name == '-')
		return false;
	for (; name[n]; n++) {
		if (!is_name_character(name[n]) || n >= NAME_SIZE_MAX)
			return false;
		ats += name[n] == '@';
	}
	return ats <= 1;
}

const char *name_suffix(const char *file_name)
{
	const char *dot = strrchr(file_name, '.');

	if (!dot || dot == file_name)
		return NULL;
	if (strcmp(dot, NAME_SUFFIX_ACTOR) != 0 &&
			strcmp(dot, NAME_SUFFIX_SUPERVISOR) != 0)
		return NULL;
	return dot;
}

const char *name_instance(const char *name)
{
	const char *at = strchr(name, '@');

	return at ? at + 1 : NULL;
}

bool name_is_template(const char *name)
{
	const char *instance = name_instance(name);

	return instance && !*instance;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int name_unescape(const char *s, size_t size, struct text *t)
{
	int high, low;

	for (size_t i = 0; i < size; i++) {
		if (s[i] != '\\') {
			text_append_char(t, s[i] == '-' ? '/' : s[i]);
			continue;
		}
		if (size - i < 4 || s[i + 1] != 'x')
			return -EINVAL;
		high = hex_value(s[i + 2]);
		low = hex_value(s[i + 3]);
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return -EINVAL;
		text_append_char(t, (char)(high << 4 | low));
		i += 3;
	}
	return t->failed ? -ENOMEM : 0;
}
