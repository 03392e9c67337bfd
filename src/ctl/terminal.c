/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

static const char *const style_codes[STYLE_COUNT] = {
	[STYLE_PLAIN] = "",
	[STYLE_BOLD] = "\033[1m",
	[STYLE_DIM] = "\033[2m",
	[STYLE_GOOD] = "\033[32m",
	[STYLE_BUSY] = "\033[33m",
	[STYLE_BAD] = "\033[31m",
};

static bool wants_color(const struct terminal *t, enum color_mode mode)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (mode != COLOR_AUTO)
		return mode == COLOR_ALWAYS;
	if (no_color && no_color[0])
		return false;
	return t->is_terminal && !(term && strcmp(term, "dumb") == 0);
}

static size_t find_columns(void)
{
	const char *variable = getenv("COLUMNS");
	struct winsize size;
	unsigned int columns;

	if (variable && parse_uint(variable, &columns) == 0 && columns > 0)
		return columns;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

void terminal_init(struct terminal *t, enum color_mode mode)
{
	*t = (struct terminal){
		.is_terminal = isatty(STDOUT_FILENO),
		.shows_progress = isatty(STDERR_FILENO),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
	t->color = wants_color(t, mode);
	t->columns = t->is_terminal ? find_columns() : 0;
}

/* The character at s, 1 to 4 bytes of valid UTF-8; 0 bytes: invalid. */
static size_t decode(const char *s, size_t n, uint32_t *ret)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t value = length == 1 ? p[0] : p[0] & (0x7fu >> length);

	if (length > n || !text_is_utf8(s, length))
		return 0;
	for (size_t i = 1; i < length; i++)
		value = value << 6 | (p[i] & 0x3f);
	*ret = value;
	return length;
}

/* Control characters, and what changes the direction or the lines of text. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
			(c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
			(c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void append_escaped(struct text *out, const char *s, size_t length, uint32_t c)
{
	if (c == '\n' || c == '\t' || c == '\r')
		text_printf(out, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
	else if (length > 1 && is_unsafe(c))
		text_printf(out, "\\u%04x", c);
	else
		for (size_t i = 0; i < length; i++)
			text_printf(out, "\\x%02x", (unsigned int)(unsigned char)s[i]);
}

void terminal_append_safe_n(
		const struct terminal *t, struct text *out, const char *s, size_t n)
{
	uint32_t c = 0;

	for (size_t i = 0, length; i < n; i += MAX_OF(length, (size_t)1)) {
		length = decode(s + i, n - i, &c);
		if (length == 0)
			append_escaped(out, s + i, 1, 0xff);
		else if (is_unsafe(c) || (length > 1 && !t->utf8))
			append_escaped(out, s + i, length, c);
		else
			text_append_n(out, s + i, length);
	}
}

void terminal_append_safe(const struct terminal *t, struct text *out, const char *s)
{
	terminal_append_safe_n(t, out, s, strlen(s));
}

void terminal_begin_style(const struct terminal *t, struct text *out, enum style style)
{
	if (t->color)
		text_append(out, style_codes[style]);
}

void terminal_end_style(const struct terminal *t, struct text *out, enum style style)
{
	if (t->color && style != STYLE_PLAIN)
		text_append(out, "\033[0m");
}

void terminal_append_styled(const struct terminal *t, struct text *out, enum style style,
		const char *s)
{
	if (!*s)
		return;
	terminal_begin_style(t, out, style);
	text_append(out, s);
	terminal_end_style(t, out, style);
}

/* Cells of one character; what the C library does not know takes one. */
static size_t character_width(uint32_t c)
{
	int width = c < 0x80 ? 1 : wcwidth((wchar_t)c);

	return width < 0 ? 1 : (size_t)width;
}

size_t terminal_width(const char *s)
{
	size_t n = strlen(s), width = 0;
	uint32_t c = 0;

	for (size_t i = 0, length; i < n; i += MAX_OF(length, (size_t)1)) {
		length = decode(s + i, n - i, &c);
		width += length ? character_width(c) : 1;
	}
	return width;
}

void terminal_append_cut(
		const struct terminal *t, struct text *out, const char *s, size_t columns)
{
	const char *ellipsis = t->utf8 ? "\u2026" : "...";
	size_t n = strlen(s), room, width = 0;
	uint32_t c = 0;

	if (terminal_width(s) <= columns) {
		text_append(out, s);
		return;
	}
	room = columns > terminal_width(ellipsis) ? columns - terminal_width(ellipsis)
						  : 0;
	for (size_t i = 0, length; i < n; i += length) {
		length = decode(s + i, n - i, &c);
		length = MAX_OF(length, (size_t)1);
		width += character_width(c);
		if (width > room)
			break;
		text_append_n(out, s + i, length);
	}
	if (columns > 0)
		text_append_n(out, ellipsis,
				t->utf8 ? strlen(ellipsis)
					: MIN_OF(strlen(ellipsis), columns));
}
