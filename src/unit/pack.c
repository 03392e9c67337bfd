/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/draft.h"
#include "unit/option.h"

#define ALIGNMENT 8

static char *take(struct packer *p, const void *data, size_t size)
{
	char *at = p->block ? p->block + p->size : NULL;

	p->size += size;
	if (at && size > 0)
		memcpy(at, data, size);
	return at;
}

void pack_text(struct packer *p, char **text)
{
	char *copy;

	if (!*text)
		return;
	copy = take(p, *text, strlen(*text) + 1);
	if (copy)
		*text = copy;
}

void *pack_array(struct packer *p, void *array, size_t count, size_t size)
{
	void *copy;

	if (!array)
		return NULL;
	p->size = (p->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	copy = take(p, array, count * size);
	return copy ? copy : array;
}

void pack_strv(struct packer *p, struct strv *v)
{
	/* The NULL at the end is part of it. */
	char **items = pack_array(p, v->items, v->count + 1, sizeof(char *));

	if (p->block)
		v->items = items;
	for (size_t i = 0; i < v->count; i++)
		pack_text(p, &items[i]);
}

static void walk(struct packer *p, struct unit *unit)
{
	size_t last = SIZE_MAX;

	pack_text(p, &unit->name);
	pack_text(p, &unit->instance);
	pack_text(p, (char **)(uintptr_t)&unit->supervisor);
	pack_strv(p, &unit->files);
	for (size_t i = 0; i < n_unit_options; i++) {
		const struct unit_option *o = &unit_options[i];

		/* The limits are options of one field. */
		if (!o->type->pack || o->role != OPTION_MAIN || o->offset == last ||
				!option_applies(o, unit->kind))
			continue;
		last = o->offset;
		o->type->pack(p, option_field(o, unit), unit);
	}
}

int unit_copy(const struct unit *unit, struct unit **ret_copy)
{
	size_t head = unit_size(unit->kind);
	struct packer p = { .size = head };
	struct unit *copy;

	/* Nothing is changed while it is counted. */
	walk(&p, (struct unit *)(uintptr_t)unit);
	copy = malloc(p.size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, unit, head);
	p = (struct packer){ (char *)copy, head };
	walk(&p, copy);
	copy->is_packed = true;
	*ret_copy = copy;
	return 0;
}
