/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <string.h>

#include "base/text.h"

void strv_fini(struct strv *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv){ 0 };
}

int strv_append_take(struct strv *v, char *s)
{
	auto_free char *owned = s;
	char **items;

	if (!owned)
		return -ENOMEM;
	items = reallocarray(v->items, v->count + 2, sizeof(*items));
	if (!items)
		return -ENOMEM;
	v->items = items;
	v->items[v->count++] = TAKE_PTR(owned);
	v->items[v->count] = NULL;
	return 0;
}

int strv_append_n(struct strv *v, const char *s, size_t n)
{
	return strv_append_take(v, strndup(s, n));
}

int strv_append(struct strv *v, const char *s)
{
	return strv_append_take(v, strdup(s));
}

int strv_copy(const struct strv *from, struct strv *ret_to)
{
	auto_strv copy = { 0 };
	int r;

	for (size_t i = 0; i < from->count; i++) {
		r = strv_append(&copy, from->items[i]);
		if (r < 0)
			return r;
	}
	*ret_to = copy;
	copy = (struct strv){ 0 };
	return 0;
}

bool strv_contains(const struct strv *v, const char *s)
{
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->items[i], s) == 0)
			return true;
	return false;
}
