/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/parser.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "unit/code.h"

/*
 * The text is copied once and cut into pieces where it stands: joining lines only ever
 * makes a text shorter, so that the joined value is written over the lines it came from.
 */

#define MISTAKES_MAX 20 /* that are told of one file */

struct parser {
	const char *file;
	struct diag *diag;
	struct parsed_file *parsed;
	char *at, *end; /* the rest of the text */
	unsigned int line; /* of what is at */
	const char *section; /* NULL before the first; "" in one that is left out */
	int mistakes;
};

static void complain(struct parser *p, unsigned int line, enum unit_code_name code,
		const char *remedy, const char *what)
{
	if (p->mistakes++ < MISTAKES_MAX)
		diag_add(p->diag, DIAG_ERROR, unit_code(code),
				(struct diag_place){ p->file, line }, remedy, "%s", what);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* s … end without the white space around it; terminated in place. */
static char *trim(char *s, char *end)
{
	while (s < end && is_blank(*s))
		s++;
	while (end > s && is_blank(end[-1]))
		end--;
	*end = '\0';
	return s;
}

static bool is_key(const char *key)
{
	for (const char *c = key; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
				    (*c >= '0' && *c <= '9') || *c == '-' || *c == '_'))
			return false;
	return *key != '\0';
}

/* The next line of the file, without its end. */
static char *cut_line(struct parser *p, char **ret_end)
{
	char *start = p->at, *end = memchr(p->at, '\n', (size_t)(p->end - p->at));

	p->at = end ? end + 1 : p->end;
	if (!end)
		end = p->end;
	if (end > start && end[-1] == '\r')
		end--;
	*ret_end = end;
	p->line++;
	return start;
}

static bool is_comment(const char *s, const char *end)
{
	while (s < end && is_blank(*s))
		s++;
	return s < end && (*s == '#' || *s == ';');
}

static bool is_joined(const char *s, const char *end)
{
	return end > s && end[-1] == '\\';
}

/*
 * A line with those that a backslash at its end joins to it, each backslash replaced by a
 * space. Comments between them are passed over, as in systemd.
 */
static char *next_logical_line(struct parser *p, char **ret_end)
{
	char *end, *start = cut_line(p, &end), *next, *next_end;

	while (!is_comment(start, end) && is_joined(start, end)) {
		end[-1] = ' ';
		for (;;) {
			if (p->at >= p->end) {
				*ret_end = end;
				return start;
			}
			next = cut_line(p, &next_end);
			if (!is_comment(next, next_end))
				break;
		}
		memmove(end, next, (size_t)(next_end - next));
		end += next_end - next;
	}
	*ret_end = end;
	return start;
}

static int add(struct parser *p, const struct assignment *a)
{
	struct parsed_file *parsed = p->parsed;
	struct assignment *items;
	size_t capacity;

	if (parsed->count == parsed->capacity) {
		capacity = parsed->capacity ? parsed->capacity * 2 : 16;
		items = realloc(parsed->items, capacity * sizeof(*items));
		if (!items)
			return -ENOMEM;
		parsed->items = items;
		parsed->capacity = capacity;
	}
	parsed->items[parsed->count++] = *a;
	return 0;
}

static void parse_section(struct parser *p, char *line, unsigned int number)
{
	size_t n = strlen(line);

	if (n < 3 || line[n - 1] != ']') {
		complain(p, number, CODE_SECTION,
				"Write the name of a section as [Actor].",
				"This line begins a section but does not end it with a bracket.");
		p->section = "";
		return;
	}
	line[n - 1] = '\0';
	p->section = has_prefix(line + 1, "X-") ? "" : line + 1;
}

static int parse_assignment(struct parser *p, char *line, char *end, unsigned int number)
{
	char *equals = memchr(line, '=', (size_t)(end - line));
	struct assignment a = { .section = p->section, .line = number };

	if (!equals) {
		complain(p, number, CODE_LINE,
				"Write Key=value, or begin the line with # to make it a comment.",
				"This line is neither a section nor an assignment.");
		return 0;
	}
	a.key = trim(line, equals);
	a.value = trim(equals + 1, end);
	if (!is_key(a.key)) {
		complain(p, number, CODE_LINE,
				"A key has letters, digits and hyphens only.",
				"What stands before the equals sign is no key.");
		return 0;
	}
	if (!p->section) {
		complain(p, number, CODE_SECTION,
				"Put a section such as [Actor] before it.",
				"This assignment stands before the first section.");
		return 0;
	}
	if (!*p->section || has_prefix(a.key, "X-"))
		return 0;
	return add(p, &a);
}

static int parse_line(struct parser *p)
{
	unsigned int number = p->line + 1;
	char *end, *line = next_logical_line(p, &end);

	if ((size_t)(end - line) > PARSER_LINE_MAX) {
		complain(p, number, CODE_LINE_TOO_LONG,
				"Shorten it; long texts belong into a file that the unit names.",
				"This line is longer than 64 KiB.");
		return 0;
	}
	/* Cutting here is safe: what stands at end is read already. */
	line = trim(line, end);
	if (!*line || *line == '#' || *line == ';')
		return 0;
	end = line + strlen(line);
	if (!text_is_utf8(line, (size_t)(end - line))) {
		complain(p, number, CODE_ENCODING, "Save the file as UTF-8.",
				"This line is not UTF-8.");
		return 0;
	}
	if (*line != '[')
		return parse_assignment(p, line, end, number);
	parse_section(p, line, number);
	return 0;
}

static unsigned int line_of(const char *data, const char *at)
{
	unsigned int line = 1;

	for (; data < at; data++)
		line += *data == '\n';
	return line;
}

int parser_parse(const char *file, const char *data, size_t size, struct diag *diag,
		struct parsed_file *ret_parsed)
{
	auto_parsed_file parsed = { 0 };
	struct parser p = { .file = file, .diag = diag, .parsed = &parsed };
	const char *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	int r;

	if (nul) {
		complain(&p, line_of(data, nul), CODE_ENCODING,
				"Save the file as plain text.",
				"This line contains a NUL byte.");
		*ret_parsed = (struct parsed_file){ 0 };
		return 1;
	}
	parsed.text = malloc(size + 1);
	if (!parsed.text)
		return -ENOMEM;
	if (size > 0)
		memcpy(parsed.text, data, size);
	parsed.text[size] = '\0';
	p.at = parsed.text;
	p.end = parsed.text + size;
	if (has_prefix(p.at, "\xef\xbb\xbf"))
		p.at += 3;
	while (p.at < p.end) {
		r = parse_line(&p);
		if (r < 0)
			return r;
	}
	*ret_parsed = parsed;
	parsed = (struct parsed_file){ 0 };
	return p.mistakes;
}

void parsed_file_fini(struct parsed_file *parsed)
{
	free(parsed->text);
	free(parsed->items);
	*parsed = (struct parsed_file){ 0 };
}
