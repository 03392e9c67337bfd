/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/draft.h"

/* What is kept of a sentence: the path of a circle may be as long as the files are. */
#define SENTENCE_MAX 500

static const struct diag_item *find_file(const struct diag *diag, const char *path)
{
	for (size_t i = 0; i < diag->count; i++)
		if (text_equals(diag->items[i].file, path))
			return &diag->items[i];
	return NULL;
}

static const struct diag_item *find_mistake(const struct draft *draft,
		const struct unit_snapshot *snapshot, const struct diag *diag)
{
	if (draft->refused)
		return find_file(&snapshot->diag, draft->refused);
	if (!diag || draft->mistake == 0 || draft->mistake > diag->count)
		return NULL;
	return &diag->items[draft->mistake - 1];
}

/* As diag_item_print, in short. NULL when memory is out. */
static char *print(const struct diag_item *item)
{
	auto_text t = { 0 };

	if (!item)
		return strdup("it has a mistake");
	if (item->file)
		text_append(&t, item->file);
	if (item->file && item->line)
		text_printf(&t, ":%u", item->line);
	text_printf(&t, "%s%s %s: %.*s", item->file ? ": " : "",
			diag_severity_name(item->severity), item->code, SENTENCE_MAX,
			item->text);
	if (strlen(item->text) > SENTENCE_MAX)
		text_append(&t, "...");
	if (item->remedy)
		text_printf(&t, " (%s)", item->remedy);
	return text_take(&t);
}

static struct unit_refusal *next(struct unit_refusals *refusals)
{
	struct unit_refusal *items;
	uint32_t capacity;

	if (refusals->count == refusals->capacity) {
		capacity = refusals->capacity ? refusals->capacity * 2 : 8;
		items = reallocarray(refusals->items, capacity, sizeof(*items));
		if (!items)
			return NULL;
		refusals->items = items;
		refusals->capacity = capacity;
	}
	return &refusals->items[refusals->count];
}

static void refusal_fini(struct unit_refusal *refusal)
{
	free(refusal->name);
	free(refusal->supervisor);
	free(refusal->why);
}

int unit_refusals_add(struct unit_refusals *refusals, const char *name,
		const char *supervisor, const char *why)
{
	struct unit_refusal *refusal = next(refusals);

	if (!refusal)
		return -ENOMEM;
	*refusal = (struct unit_refusal){
		.name = strdup(name),
		.supervisor = supervisor ? strdup(supervisor) : NULL,
		.why = strdup(why),
	};
	if (!refusal->name || !refusal->why || (supervisor && !refusal->supervisor)) {
		refusal_fini(refusal);
		return -ENOMEM;
	}
	refusals->count++;
	return 0;
}

static int add_draft(struct unit_refusals *refusals, const struct draft *draft,
		const struct diag_item *mistake)
{
	const struct draft *parent = draft->parent;
	auto_free char *why = print(mistake);

	if (!why)
		return -ENOMEM;
	return unit_refusals_add(refusals, draft->name,
			parent && !parent->is_lost ? parent->name : NULL, why);
}

int drafts_tell_refusals(const struct drafts *drafts,
		const struct unit_snapshot *snapshot, const struct diag *diag,
		struct unit_refusals *refusals)
{
	int r = 0;

	for (uint32_t i = 0; i < drafts->count && r == 0; i++) {
		const struct draft *d = drafts->items[i];

		/* Of two of one name the first stands for both. */
		if (d->is_lost && map_find(&drafts->by_name, d->name) == d)
			r = add_draft(refusals, d, find_mistake(d, snapshot, diag));
	}
	return r;
}

const char *unit_refusals_find(const struct unit_refusals *refusals, const char *name)
{
	for (uint32_t i = 0; i < refusals->count; i++)
		if (strcmp(refusals->items[i].name, name) == 0)
			return refusals->items[i].why;
	return NULL;
}

void unit_refusals_fini(struct unit_refusals *refusals)
{
	for (uint32_t i = 0; i < refusals->count; i++)
		refusal_fini(&refusals->items[i]);
	free(refusals->items);
	*refusals = (struct unit_refusals){ 0 };
}
