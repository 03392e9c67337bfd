/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_GRID_H
#define CTL_GRID_H

/*
 * Aligned columns. Cells are added row by row. On a terminal that is too narrow columns
 * without content are left out, the first and the last column are cut, and then others
 * are left out; elsewhere nothing is.
 */

#include "ctl/terminal.h"

enum grid_align {
	GRID_LEFT,
	GRID_RIGHT,
};

struct grid_column {
	const char *title;
	enum grid_align align;
	/* On a terminal that is too narrow: 1 is left out first, then 2; 0 stays. */
	unsigned int drop;
};

struct grid_cell {
	size_t offset; /* in texts */
	size_t width;
	enum style style;
};

struct grid {
	const struct grid_column *columns; /* borrowed */
	size_t n_columns;
	struct text texts; /* the cells' texts, each with its NUL */
	struct grid_cell *cells;
	size_t n_cells, capacity;
	bool failed; /* memory ran out */
};

void grid_init(struct grid *t, const struct grid_column *columns, size_t n_columns);
void grid_fini(struct grid *t);

/* The next cell of the row; text is safe for a terminal and is copied. */
void grid_add(struct grid *t, enum style style, const char *text);

/* The same of text that is not safe yet. */
void grid_add_safe(struct grid *t, const struct terminal *terminal, enum style style,
		const char *text);
/* A number; 0 leaves the cell empty. */
void grid_add_number(struct grid *t, uint64_t number);

/* Headings and all rows. 0, or -ENOMEM when any cell could not be kept. */
MUST_CHECK int grid_print(
		const struct grid *t, const struct terminal *terminal, struct text *out);

#endif
