/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/ini.h"

#include <stdbool.h>
#include <string.h>

#define BLANKS " \t\r"

void ini_init(struct ini *ini, const char *data, size_t size, size_t line_max)
{
	*ini = (struct ini){
		.at = data,
		.end = data + size,
		.line_max = line_max,
		.next_line = 1,
	};
}

void ini_fini(struct ini *ini)
{
	text_fini(&ini->joined);
}

struct line {
	const char *start;
	size_t size;
};

/* Cuts one physical line off, without its end and the blanks around it. */
static struct line cut_line(struct ini *ini)
{
	size_t left = (size_t)(ini->end - ini->at);
	const char *newline = left > 0 ? memchr(ini->at, '\n', left) : NULL;
	const char *end = newline ? newline : ini->end;
	struct line line = { .start = ini->at };

	ini->at = newline ? newline + 1 : ini->end;
	ini->next_line++;
	while (line.start < end && strchr(BLANKS, *line.start))
		line.start++;
	while (end > line.start && strchr(BLANKS, end[-1]))
		end--;
	line.size = (size_t)(end - line.start);
	return line;
}

static bool is_comment(const struct line *line)
{
	return line->size > 0 && strchr("#;", line->start[0]);
}

static bool continues(const struct line *line)
{
	return line->size > 0 && line->start[line->size - 1] == '\\';
}

/* Joins the lines that belong together; false when they are too long. */
static bool join_lines(struct ini *ini, struct line line)
{
	size_t size = line.size;
	bool more = continues(&line);

	text_clear(&ini->joined);
	text_append_n(&ini->joined, line.start, line.size - more);
	while (more && ini->at < ini->end) {
		line = cut_line(ini);
		if (is_comment(&line))
			continue;
		more = continues(&line);
		size += line.size + 1;
		text_append_char(&ini->joined, ' ');
		text_append_n(&ini->joined, line.start, line.size - more);
	}
	return size <= ini->line_max;
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && strchr(BLANKS, end[-1]))
		end--;
	*end = '\0';
	return s + strspn(s, BLANKS);
}

static enum ini_kind classify(struct ini *ini)
{
	char *s = trim(ini->joined.data), *equals;
	size_t n = strlen(s);

	if (s[0] == '[') {
		if (n < 3 || s[n - 1] != ']')
			return INI_MALFORMED;
		s[n - 1] = '\0';
		ini->section = s + 1;
		return INI_SECTION;
	}
	equals = strchr(s, '=');
	if (!equals || equals == s)
		return INI_MALFORMED;
	*equals = '\0';
	ini->key = trim(s);
	ini->value = trim(equals + 1);
	return INI_ASSIGNMENT;
}

int ini_next(struct ini *ini)
{
	struct line line;

	ini->section = ini->key = ini->value = NULL;
	do {
		if (ini->at == ini->end)
			return INI_END;
		ini->line = ini->next_line;
		line = cut_line(ini);
	} while (line.size == 0 || is_comment(&line));
	/* A single line that is too long is not copied. */
	if (line.size > ini->line_max && !continues(&line))
		return INI_TOO_LONG;
	if (!join_lines(ini, line))
		return INI_TOO_LONG;
	return ini->joined.failed ? -ENOMEM : (int)classify(ini);
}
