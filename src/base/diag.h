/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

/*
 * Diagnostics for people: what is wrong, where, and what to do about it. Libraries
 * collect them here and neither print nor log; programs and tests read them. Codes are
 * stable ("U012"); tests compare codes, never texts.
 *
 * A diag never fails: when memory runs out it counts what it could not keep.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"
#include "base/text.h"

enum diag_severity {
	DIAG_NOTE,
	DIAG_WARNING,
	DIAG_ERROR,
};

struct diag_item {
	enum diag_severity severity;
	char code[8];
	char *file; /* NULL when no file is to blame */
	unsigned int line; /* 0 when no line is to blame */
	char *text; /* one sentence: what is wrong */
	char *remedy; /* one sentence: what to do */
};

struct diag {
	struct diag_item *items;
	size_t count, capacity;
	size_t lost;
	size_t errors, warnings;
};

void diag_fini(struct diag *d);

/* Where a diagnostic belongs; borrowed. */
struct diag_place {
	const char *file;
	unsigned int line;
};

/* Add one. remedy is plain text (may be NULL); format makes the sentence. d may be NULL.
 */
PRINTF_LIKE(6, 7)
void diag_add(struct diag *d, enum diag_severity severity, const char *code,
		struct diag_place place, const char *remedy, const char *format, ...);

/* Add copies of all that another one holds. d may be NULL. */
void diag_append(struct diag *d, const struct diag *other);

bool diag_has(const struct diag *d, const char *code);

/* "file:12: error U012: sentence (remedy)" and a newline. */
void diag_item_print(const struct diag_item *item, struct text *t);
/* One JSON object without a newline, members that are not known left out. */
void diag_item_print_json(const struct diag_item *item, struct text *t);
const char *diag_severity_name(enum diag_severity severity);

#define auto_diag __attribute__((cleanup(diag_fini))) struct diag

#endif
