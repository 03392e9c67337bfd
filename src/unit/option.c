/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/draft.h"
#include "unit/option-type.h"

#define ROW(section, key, type, field, initial, measure, reload, role, help)             \
	{ #section, #key, &option_type_##type, offsetof(struct unit, field), initial,    \
		measure, OPTION_##reload, role, help },
#define OPTION(section, key, type, field, initial, measure, reload, help)                \
	ROW(section, key, type, field, initial, measure, reload, OPTION_MAIN, help)
#define ALIAS(section, key, type, field, initial, measure, reload, help)                 \
	ROW(section, key, type, field, initial, measure, reload, OPTION_ALIAS, help)
const struct unit_option unit_options[] = {
#include "unit/options.def"
};
#undef OPTION
#undef ALIAS

const size_t n_unit_options = ARRAY_SIZE(unit_options);

_Static_assert(ARRAY_SIZE(unit_options) <= DRAFT_OPTIONS_MAX,
		"the drafts' bits are too few");

/* Each field has the type of its option. */
#define TYPE(name, c_type, expects) typedef c_type field_##name;
OPTION_TYPES
#undef TYPE
#define OPTION(section, key, type, field, initial, measure, reload, help)                \
	_Static_assert(__builtin_types_compatible_p(field_##type,                        \
				       __typeof__(((struct unit *)0)->field)),           \
			#section " " #key);
#define ALIAS OPTION
#include "unit/options.def"
#undef OPTION
#undef ALIAS

static const struct {
	const char *section;
	unsigned int kinds; /* bit n: enum unit_kind */
} sections[] = {
	{ "Unit", 1u << UNIT_SUPERVISOR | 1u << UNIT_SERVICE | 1u << UNIT_NATIVE },
	{ "Actor", 1u << UNIT_SERVICE | 1u << UNIT_NATIVE },
	{ "Supervisor", 1u << UNIT_SUPERVISOR },
	{ "Service", 1u << UNIT_SERVICE },
	{ "Native", 1u << UNIT_NATIVE },
	{ "Security", 1u << UNIT_SERVICE },
	{ "Limits", 1u << UNIT_SERVICE },
};

enum option_fit option_section_fit(const char *section, enum unit_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (strcmp(sections[i].section, section) == 0)
			return sections[i].kinds & 1u << kind ? OPTION_FITS
							      : OPTION_MISPLACED;
	return OPTION_UNKNOWN_SECTION;
}

/* Filled before main, and only read from then on, so that any thread may look up. */
static uint8_t kinds_of[ARRAY_SIZE(unit_options)]; /* bit n: enum unit_kind */

bool option_applies(const struct unit_option *option, enum unit_kind kind)
{
	return kinds_of[option - unit_options] >> kind & 1;
}

/* FNV-1a over section and key. */
static uint32_t hash_of(const char *section, const char *key)
{
	uint32_t h = 2166136261u;

	for (; *section; section++)
		h = (h ^ (uint8_t)*section) * 16777619u;
	for (; *key; key++)
		h = (h ^ (uint8_t)*key) * 16777619u;
	return h;
}

#define INDEX_SIZE 512
_Static_assert(INDEX_SIZE >= 2 * ARRAY_SIZE(unit_options), "the index is too full");

static uint16_t index_of[INDEX_SIZE]; /* as kinds_of; option number + 1; 0: free */

__attribute__((constructor)) static void fill_index(void)
{
	for (size_t i = 0; i < n_unit_options; i++)
		for (unsigned int kind = 0; kind < UNIT_KIND_COUNT; kind++)
			if (option_section_fit(unit_options[i].section, kind) ==
					OPTION_FITS)
				kinds_of[i] |= (uint8_t)(1u << kind);
	for (size_t i = 0; i < n_unit_options; i++) {
		uint32_t at = hash_of(unit_options[i].section, unit_options[i].key) %
				INDEX_SIZE;

		while (index_of[at])
			at = (at + 1) % INDEX_SIZE;
		index_of[at] = (uint16_t)(i + 1);
	}
}

const struct unit_option *option_find(const char *section, const char *key)
{
	uint32_t at = hash_of(section, key) % INDEX_SIZE;
	const struct unit_option *o;

	for (; index_of[at]; at = (at + 1) % INDEX_SIZE) {
		o = &unit_options[index_of[at] - 1];
		if (strcmp(o->key, key) == 0 && strcmp(o->section, section) == 0)
			return o;
	}
	return NULL;
}

#define SUGGEST_MAX 40 /* longest key that is compared */

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Edit distance without regard to case. */
static size_t distance(const char *a, const char *b)
{
	size_t row[SUGGEST_MAX + 1], n = strlen(b), up_left, cost;

	if (strlen(a) > SUGGEST_MAX || n > SUGGEST_MAX)
		return SUGGEST_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		up_left = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			cost = up_left + (fold(a[i]) != fold(b[j]));
			up_left = row[j + 1];
			row[j + 1] = MIN_OF(cost, MIN_OF(row[j], row[j + 1]) + 1);
		}
	}
	return row[n];
}

const struct unit_option *option_suggest(
		const char *section, const char *key, enum unit_kind kind)
{
	const struct unit_option *best = NULL;
	size_t limit = strlen(key) / 3 + 1, d;

	for (size_t i = 0; i < n_unit_options; i++) {
		if (!option_applies(&unit_options[i], kind))
			continue;
		/* Of two that are equally near, the one of the same section is meant. */
		d = 2 * distance(key, unit_options[i].key) +
				(strcmp(section, unit_options[i].section) != 0);
		if (d < 2 * limit) {
			best = &unit_options[i];
			limit = (d + 1) / 2;
			if (d % 2 == 0 && d == 0)
				break;
		}
	}
	return best;
}

static const char *const foreign_keys[] = {
#define FOREIGN(key) #key,
#include "unit/foreign.def"
#undef FOREIGN
};

bool option_is_foreign(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(foreign_keys); i++)
		if (strcmp(foreign_keys[i], key) == 0)
			return true;
	return false;
}

static void reset(struct option_scope *scope, const struct unit *prototype)
{
	const struct unit_option *o = scope->option;
	void *field = option_field(o, scope->unit);

	if (o->type == &option_type_supervisor) {
		free(TAKE_PTR(scope->draft->supervisor));
	} else if (o->type == &option_type_children) {
		strv_fini(&scope->draft->children);
	} else if (o->type == &option_type_limit) {
		option_reset_limit(o, scope->unit);
	} else {
		if (o->type->fini)
			o->type->fini(field, scope->unit);
		memcpy(field, (const char *)prototype + o->offset, o->type->size);
	}
	if (o->type == &option_type_timeout_both)
		scope->unit->service.timeout_stop_usec =
				prototype->service.timeout_stop_usec;
}

int option_assign(struct option_scope *scope, const struct unit *prototype,
		const char *value)
{
	if (*value)
		return scope->option->type->parse(
				scope, value, option_field(scope->option, scope->unit));
	reset(scope, prototype);
	return 0;
}
