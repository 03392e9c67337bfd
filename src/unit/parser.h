/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_PARSER_H
#define UNIT_PARSER_H

/*
 * From the text of one file to its assignments: sections, comments, joined lines. What a
 * key means is not known here (unit/option.h).
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/diag.h"

#define PARSER_LINE_MAX ((size_t)64 * 1024) /* with the lines that are joined to it */

struct assignment {
	const char *section, *key, *value; /* within the file's text */
	unsigned int line; /* where it begins */
};

struct parsed_file {
	char *text; /* a copy, cut into pieces */
	struct assignment *items;
	size_t count, capacity;
};

/*
 * Parse a text. What is wrong is told in diag as errors; the right lines are in
 * *ret_parsed all the same. Sections and keys that begin with X- are left out.
 *
 * Returns the number of mistakes, or -ENOMEM.
 */
MUST_CHECK int parser_parse(const char *file, const char *data, size_t size,
		struct diag *diag, struct parsed_file *ret_parsed);

void parsed_file_fini(struct parsed_file *parsed);

#define auto_parsed_file __attribute__((cleanup(parsed_file_fini))) struct parsed_file

#endif
