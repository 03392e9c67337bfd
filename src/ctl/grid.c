/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/grid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define GAP       2 /* cells between two columns */
#define LAST_MIN  16 /* what the last column gets at the cost of others */
#define FIRST_MIN 20 /* what the first one keeps */
#define DROP_MAX  3
#define ROOM_MIN  4 /* for an ellipsis of three and a letter */

void grid_init(struct grid *t, const struct grid_column *columns, size_t n_columns)
{
	*t = (struct grid){ .columns = columns, .n_columns = n_columns };
	for (size_t i = 0; i < n_columns; i++)
		grid_add(t, STYLE_BOLD, columns[i].title);
}

void grid_fini(struct grid *t)
{
	text_fini(&t->texts);
	free(t->cells);
	*t = (struct grid){ 0 };
}

static bool reserve(struct grid *t)
{
	size_t capacity = t->capacity ? t->capacity * 2 : 64;
	struct grid_cell *cells;

	if (t->n_cells < t->capacity)
		return true;
	cells = reallocarray(t->cells, capacity, sizeof(*cells));
	if (!cells)
		return false;
	t->cells = cells;
	t->capacity = capacity;
	return true;
}

void grid_add(struct grid *t, enum style style, const char *text)
{
	struct grid_cell cell = {
		.offset = t->texts.size,
		.width = terminal_width(text),
		.style = style,
	};

	if (t->failed || !reserve(t)) {
		t->failed = true;
		return;
	}
	text_append_n(&t->texts, text, strlen(text) + 1);
	t->cells[t->n_cells++] = cell;
}

void grid_add_safe(struct grid *t, const struct terminal *terminal, enum style style,
		const char *text)
{
	auto_text safe = { 0 };

	terminal_append_safe(terminal, &safe, text);
	grid_add(t, style, text_get(&safe));
	t->failed |= safe.failed;
}

void grid_add_number(struct grid *t, uint64_t number)
{
	char digits[24] = "";

	if (number > 0)
		(void)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	grid_add(t, STYLE_PLAIN, digits);
}

static size_t column_width(const struct grid *t, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < t->n_cells; i += t->n_columns)
		width = MAX_OF(width, t->cells[i].width);
	return width;
}

static void append_blanks(struct text *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_append_char(out, ' ');
}

/* One cell but the last of its row, filled up or cut to the width of its column. */
static void print_cell(const struct grid *t, size_t index, size_t width,
		const struct terminal *terminal, struct text *out)
{
	const struct grid_cell *cell = &t->cells[index];
	bool right = t->columns[index % t->n_columns].align == GRID_RIGHT;
	size_t blanks = width - MIN_OF(width, cell->width);

	if (width == 0)
		return;
	append_blanks(out, right ? blanks : 0);
	if (cell->width > 0) {
		terminal_begin_style(terminal, out, cell->style);
		terminal_append_cut(terminal, out, t->texts.data + cell->offset, width);
		terminal_end_style(terminal, out, cell->style);
	}
	append_blanks(out, (right ? 0 : blanks) + GAP);
}

static void print_last(const struct grid *t, size_t index, size_t room,
		const struct terminal *terminal, struct text *out)
{
	const struct grid_cell *cell = &t->cells[index];

	if (cell->width == 0 || room < ROOM_MIN)
		return;
	terminal_begin_style(terminal, out, cell->style);
	terminal_append_cut(terminal, out, t->texts.data + cell->offset, room);
	terminal_end_style(terminal, out, cell->style);
}

static void trim_blanks(struct text *out)
{
	while (out->size > 0 && out->data[out->size - 1] == ' ')
		out->data[--out->size] = '\0';
}

/* Whether it has nothing below its heading. */
static bool is_column_empty(const struct grid *t, size_t column)
{
	for (size_t i = t->n_columns + column; i < t->n_cells; i += t->n_columns)
		if (t->cells[i].width > 0)
			return false;
	return true;
}

/* Leave the column out; returns what is used without it. */
static size_t drop_column(size_t *widths, size_t column, size_t used)
{
	used -= widths[column] > 0 ? widths[column] + GAP : 0;
	widths[column] = 0;
	return used;
}

static size_t cut_first(size_t *widths, size_t used, size_t wanted)
{
	size_t excess = used > wanted ? used - wanted : 0;

	if (widths[0] <= FIRST_MIN)
		return used;
	excess = MIN_OF(excess, widths[0] - FIRST_MIN);
	widths[0] -= excess;
	return used - excess;
}

/*
 * Make room for the last column, by steps from harmless to bad. A width of 0: left out.
 * Returns how much is used in front of the last column.
 */
static size_t squeeze(const struct grid *t, size_t columns, size_t *widths, size_t used)
{
	size_t last = t->n_columns - 1;
	size_t need = MIN_OF(column_width(t, last), LAST_MIN);

	for (size_t i = 1; i < last && used + need > columns; i++)
		if (is_column_empty(t, i))
			used = drop_column(widths, i, used);
	used = cut_first(widths, used, columns - MIN_OF(columns, need));
	for (unsigned int drop = 1; drop <= DROP_MAX; drop++)
		for (size_t i = 1; i < last && used > columns + GAP; i++)
			if (t->columns[i].drop == drop)
				used = drop_column(widths, i, used);
	return used;
}

int grid_print(const struct grid *t, const struct terminal *terminal, struct text *out)
{
	auto_free size_t *widths = calloc(t->n_columns, sizeof(size_t));
	size_t used = 0, room = SIZE_MAX, last = t->n_columns - 1;

	if (t->failed || t->texts.failed || !widths)
		return -ENOMEM;
	bug_unless(t->n_cells % t->n_columns == 0);
	for (size_t i = 0; i < last; i++) {
		widths[i] = column_width(t, i);
		used += widths[i] + GAP;
	}
	if (terminal->columns > 0) {
		used = squeeze(t, terminal->columns, widths, used);
		room = terminal->columns - MIN_OF(terminal->columns, used);
	}
	for (size_t i = 0; i < t->n_cells; i++) {
		if (i % t->n_columns != last) {
			print_cell(t, i, widths[i % t->n_columns], terminal, out);
			continue;
		}
		print_last(t, i, room, terminal, out);
		trim_blanks(out);
		text_append_char(out, '\n');
	}
	return out->failed ? -ENOMEM : 0;
}
