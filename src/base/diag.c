/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/diag.h"

#include <stdio.h>
#include <string.h>

static void item_fini(struct diag_item *item)
{
	free(item->file);
	free(item->text);
	free(item->remedy);
	*item = (struct diag_item){ 0 };
}

void diag_fini(struct diag *d)
{
	for (size_t i = 0; i < d->count; i++)
		item_fini(&d->items[i]);
	free(d->items);
	*d = (struct diag){ 0 };
}

static bool reserve(struct diag *d)
{
	size_t capacity = d->capacity ? d->capacity * 2 : 8;
	struct diag_item *items;

	if (d->count < d->capacity)
		return true;
	items = reallocarray(d->items, capacity, sizeof(*items));
	if (!items)
		return false;
	d->items = items;
	d->capacity = capacity;
	return true;
}

/* Copies what is not NULL; false when memory ran out. */
static bool copy_if_any(const char *s, char **ret)
{
	*ret = s ? strdup(s) : NULL;
	return *ret || !s;
}

static void keep(struct diag *d, struct diag_item *item, struct diag_place place,
		const char *remedy)
{
	item->line = place.line;
	if (item->text && copy_if_any(place.file, &item->file) &&
			copy_if_any(remedy, &item->remedy) && reserve(d)) {
		d->items[d->count++] = *item;
		return;
	}
	item_fini(item);
	d->lost++;
}

void diag_add(struct diag *d, enum diag_severity severity, const char *code,
		struct diag_place place, const char *remedy, const char *format, ...)
{
	struct diag_item item = { .severity = severity };
	auto_text t = { 0 };
	va_list ap;

	if (!d)
		return;
	d->errors += severity == DIAG_ERROR;
	d->warnings += severity == DIAG_WARNING;
	(void)snprintf(item.code, sizeof(item.code), "%s", code);
	va_start(ap, format);
	text_vprintf(&t, format, ap);
	va_end(ap);
	item.text = text_take(&t);
	keep(d, &item, place, remedy);
}

void diag_append(struct diag *d, const struct diag *other)
{
	const struct diag_item *item;

	if (!d)
		return;
	for (size_t i = 0; i < other->count; i++) {
		item = &other->items[i];
		diag_add(d, item->severity, item->code,
				(struct diag_place){ item->file, item->line },
				item->remedy, "%s", item->text);
	}
	d->lost += other->lost;
}

bool diag_has(const struct diag *d, const char *code)
{
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->items[i].code, code) == 0)
			return true;
	return false;
}

const char *diag_severity_name(enum diag_severity severity)
{
	static const char *const names[] = {
		[DIAG_NOTE] = "note",
		[DIAG_WARNING] = "warning",
		[DIAG_ERROR] = "error",
	};

	return names[severity];
}

void diag_item_print(const struct diag_item *item, struct text *t)
{
	if (item->file)
		text_append(t, item->file);
	if (item->file && item->line)
		text_printf(t, ":%u", item->line);
	if (item->file)
		text_append(t, ": ");
	text_printf(t, "%s %s: %s", diag_severity_name(item->severity), item->code,
			item->text);
	if (item->remedy)
		text_printf(t, " (%s)", item->remedy);
	text_append_char(t, '\n');
}

static void append_member(struct text *t, const char *name, const char *value)
{
	if (!value)
		return;
	text_printf(t, ",\"%s\":", name);
	text_append_json(t, value);
}

void diag_item_print_json(const struct diag_item *item, struct text *t)
{
	text_printf(t, "{\"severity\":\"%s\"", diag_severity_name(item->severity));
	append_member(t, "code", item->code);
	append_member(t, "file", item->file);
	if (item->line)
		text_printf(t, ",\"line\":%u", item->line);
	append_member(t, "text", item->text);
	append_member(t, "remedy", item->remedy);
	text_append_char(t, '}');
}
