/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <string.h>

#include "base/map.h"
#include "ctl/cmd.h"
#include "ctl/grid.h"
#include "ctl/units.h"
#include "manager/names.h"

/*
 * The list is in tree order and each row names its supervisor, so one pass links every
 * row to its first child and its next sibling, and a second pass draws. A row whose
 * supervisor is not in the list hangs below the root: nothing is lost from the picture.
 * What is nested deeper than anyone could look at is drawn at the deepest level.
 */

#define NOBODY    SIZE_MAX
#define DEPTH_MAX 200

struct node {
	const struct unit_row *row; /* NULL: the root */
	size_t parent, first_child, last_child, next; /* indexes, NOBODY: none */
	unsigned int depth;
};

/* nodes[0] is the root, nodes[i + 1] is row i. */
struct forest {
	struct node *nodes;
	size_t count;
	struct map by_name; /* to struct node */
};

static const struct grid_column columns[] = {
	{ "UNIT", GRID_LEFT, 0 },
	{ "STATE", GRID_LEFT, 0 },
	{ "PID", GRID_RIGHT, 0 },
	{ "RESTARTS", GRID_RIGHT, 1 },
	{ "STATUS", GRID_LEFT, 0 },
};

static void forest_fini(struct forest *f)
{
	free(f->nodes);
	map_fini(&f->by_name);
	*f = (struct forest){ 0 };
}

static void adopt(struct forest *f, size_t parent, size_t child)
{
	struct node *p = &f->nodes[parent];

	if (p->depth == DEPTH_MAX) {
		parent = p->parent;
		p = &f->nodes[parent];
	}
	f->nodes[child].parent = parent;
	f->nodes[child].depth = p->depth + 1;
	if (p->last_child == NOBODY)
		p->first_child = child;
	else
		f->nodes[p->last_child].next = child;
	p->last_child = child;
}

static int forest_init(struct forest *f, const struct unit_rows *rows)
{
	const struct node *parent;
	int r;

	*f = (struct forest){ .count = rows->count + 1 };
	f->nodes = calloc(f->count, sizeof(*f->nodes));
	if (!f->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < f->count; i++)
		f->nodes[i] = (struct node){ i > 0 ? &rows->items[i - 1] : NULL, NOBODY,
			NOBODY, NOBODY, NOBODY, 0 };
	for (size_t i = 1; i < f->count; i++) {
		/* Parents come first, so a row cannot become its own ancestor. */
		parent = map_find(&f->by_name, f->nodes[i].row->supervisor);
		adopt(f, parent ? (size_t)(parent - f->nodes) : 0, i);
		r = map_put(&f->by_name, f->nodes[i].row->name, &f->nodes[i]);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

/* What the unit says; before it, why it ended, unless it runs again. */
static void append_status(struct ctl *ctl, const struct unit_row *row, struct text *t)
{
	if (state_mood(row->state) != MOOD_GOOD && row->last_end[0])
		terminal_append_safe(&ctl->terminal, t, row->last_end);
	if (!row->status_text[0])
		return;
	if (t->size > 0)
		text_append(t, "; ");
	terminal_append_safe(&ctl->terminal, t, row->status_text);
}

/* The cells of a row behind its branch. */
static void add_cells(struct ctl *ctl, struct grid *grid, const char *branch,
		const struct unit_row *row)
{
	enum style style = state_style(row->state);
	auto_text unit = { 0 }, state = { 0 }, status = { 0 };

	text_append(&unit, branch);
	terminal_append_safe(&ctl->terminal, &unit, row->name);
	grid_add(grid, STYLE_PLAIN, text_get(&unit));
	text_printf(&state, "%s ", state_glyph(&ctl->terminal, row->state));
	terminal_append_safe(&ctl->terminal, &state, row->state);
	grid_add(grid, style, text_get(&state));
	grid_add_number(grid, row->pid);
	grid_add_number(grid, row->restarts);
	append_status(ctl, row, &status);
	grid_add(grid, style == STYLE_BAD ? style : STYLE_PLAIN, text_get(&status));
}

/* Draws the children of a node; prefix is what stands left of them. */
static void add_children(struct ctl *ctl, struct grid *grid, const struct forest *f,
		size_t parent, struct text *prefix)
{
	bool utf8 = ctl->terminal.utf8;
	size_t size = prefix->size;

	for (size_t i = f->nodes[parent].first_child; i != NOBODY; i = f->nodes[i].next) {
		bool is_last = f->nodes[i].next == NOBODY;

		text_append(prefix,
				is_last ? (utf8 ? "└─" : "`-") : (utf8 ? "├─" : "|-"));
		add_cells(ctl, grid, text_get(prefix), f->nodes[i].row);
		prefix->size = size;
		text_append(prefix, is_last ? "  " : utf8 ? "│ " : "| ");
		add_children(ctl, grid, f, i, prefix);
		prefix->size = size;
	}
}

static int print_text(struct ctl *ctl, const struct forest *f)
{
	auto_text prefix = { 0 };
	struct grid grid;
	int r;

	grid_init(&grid, columns, ARRAY_SIZE(columns));
	grid_add(&grid, STYLE_BOLD, "airssys");
	for (size_t i = 1; i < ARRAY_SIZE(columns); i++)
		grid_add(&grid, STYLE_PLAIN, "");
	add_children(ctl, &grid, f, 0, &prefix);
	r = prefix.failed ? -ENOMEM : grid_print(&grid, &ctl->terminal, &ctl->out);
	grid_fini(&grid);
	return r;
}

static void json_children(struct json *j, const struct forest *f, size_t parent)
{
	json_key(j, "children");
	json_begin_array(j);
	for (size_t i = f->nodes[parent].first_child; i != NOBODY; i = f->nodes[i].next) {
		json_begin_object(j);
		unit_row_json(f->nodes[i].row, j);
		/* A supervisor says that it has no children; others say nothing. */
		if (f->nodes[i].first_child != NOBODY ||
				strcmp(f->nodes[i].row->kind, "supervisor") == 0)
			json_children(j, f, i);
		json_end_object(j);
	}
	json_end_array(j);
}

static void print_json(struct ctl *ctl, const struct forest *f)
{
	struct json j = { .out = &ctl->out };

	json_begin_object(&j);
	json_member_text(&j, "socket", ctl->client.path);
	json_children(&j, f, 0);
	json_end_object(&j);
	text_append_char(&ctl->out, '\n');
}

static enum ctl_exit run_tree(struct ctl *ctl, char **names UNUSED, size_t n_names UNUSED)
{
	auto_units rows = { 0 };
	struct forest forest;
	enum ctl_exit exit = units_load(ctl, &rows);
	int r;

	if (exit != CTL_DONE)
		return exit;
	r = forest_init(&forest, &rows);
	if (r >= 0 && ctl->options.json)
		print_json(ctl, &forest);
	else if (r >= 0)
		r = print_text(ctl, &forest);
	forest_fini(&forest);
	return r < 0 ? ctl_out_of_memory(ctl) : CTL_DONE;
}

const struct command cmd_tree = {
	.name = "tree",
	.arguments = "",
	.summary = "draw the supervision tree",
	.help = "Each unit stands below its supervisor, in the order in which they are "
		"started, with its state, its process, how often it was restarted, and "
		"what it says about itself.",
	.run = run_tree,
};
