/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

/*
 * Aligned columns. Cells are added row by row; on a terminal the last column is cut to
 * fit its width, elsewhere nothing is cut.
 */

#include "ctl/terminal.h"

enum table_align {
	TABLE_LEFT,
	TABLE_RIGHT,
};

struct table_column {
	const char *title;
	enum table_align align;
};

struct table_cell {
	size_t offset; /* in texts */
	size_t width;
	enum style style;
};

struct table {
	const struct table_column *columns; /* borrowed */
	size_t n_columns;
	struct text texts; /* the cells' texts, each with its NUL */
	struct table_cell *cells;
	size_t n_cells, capacity;
	bool failed; /* memory ran out */
};

void table_init(struct table *t, const struct table_column *columns, size_t n_columns);
void table_fini(struct table *t);

/* The next cell of the row; text is safe for a terminal and is copied. */
void table_add(struct table *t, enum style style, const char *text);

/* The same of text that is not safe yet. */
void table_add_safe(struct table *t, const struct terminal *terminal, enum style style,
		const char *text);
/* A number; 0 leaves the cell empty. */
void table_add_number(struct table *t, uint64_t number);

/* Headings and all rows. 0, or -ENOMEM when any cell could not be kept. */
MUST_CHECK int table_print(
		const struct table *t, const struct terminal *terminal, struct text *out);

#endif
