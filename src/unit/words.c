/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/words.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* A number of exactly count digits at s; false when they are not all there. */
static bool read_digits(const char *s, unsigned int base, size_t count, uint32_t *ret)
{
	uint32_t v = 0;

	for (size_t i = 0; i < count; i++) {
		if ((unsigned int)digit_value(s[i]) >= base)
			return false;
		v = v * base + (uint32_t)digit_value(s[i]);
	}
	*ret = v;
	return true;
}

static void append_utf8(struct text *t, uint32_t c)
{
	if (c < 0x80) {
		text_append_char(t, (char)c);
		return;
	}
	if (c < 0x800) {
		text_append_char(t, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			text_append_char(t, (char)(0xe0 | c >> 12));
		} else {
			text_append_char(t, (char)(0xf0 | c >> 18));
			text_append_char(t, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		text_append_char(t, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	text_append_char(t, (char)(0x80 | (c & 0x3f)));
}

static bool is_unicode(uint32_t c)
{
	return c != 0 && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/*
 * The escape whose letter s points at: how many characters it takes, 0 when it is not
 * known, -EILSEQ when it stands for no character.
 */
static int read_escape(const char *s, struct text *t)
{
	static const char letters[] = "abfnrtv\\\"'s", values[] = "\a\b\f\n\r\t\v\\\"' ";
	const char *known = strchr(letters, *s);
	uint32_t c;

	if (*s && known) {
		text_append_char(t, values[known - letters]);
		return 1;
	}
	if (*s == 'u' || *s == 'U') {
		if (!read_digits(s + 1, 16, *s == 'u' ? 4 : 8, &c))
			return 0;
		if (!is_unicode(c))
			return -EILSEQ;
		append_utf8(t, c);
		return *s == 'u' ? 5 : 9;
	}
	if (*s == 'x' ? !read_digits(s + 1, 16, 2, &c) : !read_digits(s, 8, 3, &c))
		return 0;
	if (c == 0 || c > 0xff)
		return -EILSEQ;
	text_append_char(t, (char)c);
	return 3;
}

/* What follows a backslash; moves behind it. */
static int take_escape(struct words *w, struct text *t)
{
	int n;

	if (w->mode == WORDS_ESCAPED) {
		n = read_escape(w->at, t);
		if (n < 0)
			return n;
		w->at += n;
		if (n > 0)
			return 0;
		/* Kept with its backslash, and separates nothing even if it is a blank. */
		w->saw_unknown_escape = true;
		text_append_char(t, '\\');
		if (*w->at)
			text_append_char(t, *w->at++);
		return 0;
	}
	text_append_char(t, *w->at ? *w->at++ : '\\');
	return 0;
}

static bool is_space(char c)
{
	return c && strchr(WORDS_WHITE_SPACE, c);
}

int words_next(struct words *w, struct text *ret_word)
{
	char quote = '\0';
	int r;

	w->at += strspn(w->at, WORDS_WHITE_SPACE);
	if (!*w->at)
		return 0;
	text_clear(ret_word);
	text_append(ret_word, "");
	for (; *w->at && (quote || !is_space(*w->at));) {
		char c = *w->at++;

		if (c == '\\' && w->mode != WORDS_LITERAL) {
			r = take_escape(w, ret_word);
			if (r < 0)
				return r;
		} else if (c == quote) {
			quote = '\0';
		} else if (!quote && (c == '\'' || c == '"')) {
			quote = c;
		} else {
			text_append_char(ret_word, c);
		}
	}
	if (quote && w->mode != WORDS_RELAXED)
		return -EINVAL;
	return ret_word->failed ? -ENOMEM : 1;
}

int words_append(struct strv *v, const char *value, enum words_mode mode)
{
	struct words w = { .at = value, .mode = mode };
	auto_text word = { 0 };
	int r;

	while ((r = words_next(&w, &word)) > 0) {
		r = strv_append(v, text_get(&word));
		if (r < 0)
			return r;
	}
	return r;
}
