/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_WORDS_H
#define UNIT_WORDS_H

/*
 * Splitting a value into words: white space separates, ' and " keep it together wherever
 * they stand, and a backslash escapes. These are systemd's rules (systemd.syntax(7)).
 */

#include <stdbool.h>

#include "base/macro.h"
#include "base/text.h"

#define WORDS_WHITE_SPACE " \t\n\r"

enum words_mode {
	WORDS_ESCAPED, /* C escapes; one that is not known is kept and noted */
	WORDS_LITERAL, /* a backslash is a character like any other: for names of units */
	WORDS_RELAXED, /* a backslash only protects the next character; nothing is wrong
			*/
};

struct words {
	const char *at; /* what is left; borrowed */
	enum words_mode mode;
	bool saw_unknown_escape;
};

/*
 * The next word, replacing what is in ret_word. 1 with a word, 0 at the end, -EINVAL for
 * a quote that is not closed, -EILSEQ for an escape that stands for no character (\x00,
 * \u beyond Unicode), -ENOMEM.
 */
MUST_CHECK int words_next(struct words *w, struct text *ret_word);

/* All words of a value in this mode, behind those in v. Errors as words_next. */
MUST_CHECK int words_append(struct strv *v, const char *value, enum words_mode mode);

#endif
