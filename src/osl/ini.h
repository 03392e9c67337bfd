/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef OSL_INI_H
#define OSL_INI_H

/*
 * The lines of a policy file: "[Section]", "Key=value", comments that begin with "#" or
 * ";". A backslash at the end of a line joins the next one with a blank; comment lines in
 * between are left out. What a line means is the caller's affair, and so is a line that
 * is neither.
 */

#include <stddef.h>

#include "base/macro.h"
#include "base/text.h"

enum ini_kind {
	INI_END,
	INI_SECTION,
	INI_ASSIGNMENT,
	INI_MALFORMED,
	INI_TOO_LONG, /* joined lines exceed the limit; they are passed over */
};

struct ini {
	const char *at, *end;
	size_t line_max;
	unsigned int next_line;
	struct text joined;
	/* What ini_next found; texts live until its next call. */
	unsigned int line; /* the first one, from 1 */
	char *section; /* INI_SECTION: the name without brackets */
	char *key, *value; /* INI_ASSIGNMENT; blanks around both are cut off */
};

/* data is borrowed until ini_fini. */
void ini_init(struct ini *ini, const char *data, size_t size, size_t line_max);
void ini_fini(struct ini *ini);

/* The kind of the next line that is not empty, or -ENOMEM. */
MUST_CHECK int ini_next(struct ini *ini);

#define auto_ini __attribute__((cleanup(ini_fini))) struct ini

#endif
