/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_TERMINAL_H
#define CTL_TERMINAL_H

/*
 * What standard output can show, and how untrusted text gets there. Status texts, log
 * lines, names and error messages come from services: nothing of them reaches a terminal
 * unescaped, since a control sequence could rewrite the screen or worse.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum color_mode {
	COLOR_AUTO, /* on a terminal, unless NO_COLOR is set or TERM is dumb */
	COLOR_ALWAYS,
	COLOR_NEVER,
};

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_BUSY,
	STYLE_BAD,
	STYLE_COUNT
};

struct terminal {
	bool is_terminal; /* standard output */
	bool shows_progress; /* standard error is a terminal */
	bool utf8;
	bool color;
	size_t columns; /* 0: no limit, since nobody looks at a screen */
};

/* Looks at the environment and standard output; setlocale() was called before. */
void terminal_init(struct terminal *t, enum color_mode mode);

/*
 * Append s so that it is safe on a terminal: control characters, what is not UTF-8, and
 * the characters that reorder text become \n, \t, \x1b or \u202e. In a terminal without
 * UTF-8 everything beyond ASCII is escaped.
 */
void terminal_append_safe(const struct terminal *t, struct text *out, const char *s);
void terminal_append_safe_n(
		const struct terminal *t, struct text *out, const char *s, size_t n);

/* Append s, which is safe already, in this style. */
void terminal_append_styled(const struct terminal *t, struct text *out, enum style style,
		const char *s);
void terminal_begin_style(const struct terminal *t, struct text *out, enum style style);
void terminal_end_style(const struct terminal *t, struct text *out, enum style style);

/* Cells that safe text takes on the screen. */
size_t terminal_width(const char *s);

/* Append at most columns cells of safe text; a cut one ends in an ellipsis. */
void terminal_append_cut(const struct terminal *t, struct text *out, const char *s,
		size_t columns);

#endif
