/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

/* Units from texts, for the tests of this layer. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "unit/snapshot.h"
#include "unit/unit.h"

struct fixture_file {
	const char *unit; /* "db.actor"; NULL ends a list */
	const char *data;
	const char *drop_in; /* its name; NULL: the unit's own file */
	uint32_t is_masked;
};

#define UNIT_FILE(name, text)                                                            \
	{                                                                                \
		.unit = name, .data = text                                               \
	}
#define DROP_IN_FILE(name, file, text)                                                   \
	{                                                                                \
		.unit = name, .drop_in = file, .data = text                              \
	}
#define MASKED_FILE(name)                                                                \
	{                                                                                \
		.unit = name, .data = "", .is_masked = 1                                 \
	}
#define NO_MORE_FILES                                                                    \
	{                                                                                \
		.unit = NULL                                                             \
	}

static const struct unit_context fixture_context = {
	.runtime_dir = "/run/t",
	.state_dir = "/var/s",
	.cache_dir = "/var/c",
	.logs_dir = "/var/l",
	.config_dir = "/etc/e",
	.home = "/home/h",
	.user = "u",
	.group = "g",
	.shell = "/bin/s",
	.uid = 1001,
	.gid = 1002,
	.machine_id = "m",
	.boot_id = "b",
	.host_name = "host.domain",
};

/* A snapshot whose files stand in the order given. */
static inline struct unit_snapshot *fixture_snapshot(const struct fixture_file *files)
{
	struct unit_snapshot *s = calloc(1, sizeof(*s));
	size_t n = 0;

	while (files[n].unit)
		n++;
	s->files = calloc(n + 1, sizeof(*s->files));
	for (size_t i = 0; i < n; i++) {
		const struct fixture_file *f = &files[i];

		s->files[i] = (struct unit_file){
			.path = f->drop_in
					? text_format("/u/%s.d/%s", f->unit, f->drop_in)
					: text_format("/u/%s", f->unit),
			.unit = strdup(f->unit),
			.is_drop_in = f->drop_in != NULL,
			.is_masked = f->is_masked,
			.data = strdup(f->data),
			.size = strlen(f->data),
		};
	}
	s->count = (uint32_t)n;
	return s;
}

static inline struct unit_set *fixture_parse_in(const struct fixture_file *files,
		const struct unit_context *context, struct diag *diag)
{
	struct unit_snapshot *s = fixture_snapshot(files);
	struct unit_set *set = NULL;

	ck_assert_int_eq(unit_set_parse(s, context, diag, &set), 0);
	unit_snapshot_free(s);
	return set;
}

static inline struct unit_set *fixture_parse(
		const struct fixture_file *files, struct diag *diag)
{
	return fixture_parse_in(files, &fixture_context, diag);
}

/* A unit of a set, opened for as long as the test runs; NULL when absent. */
static inline struct unit *fixture_unit(const struct unit_set *set, const char *name)
{
	static struct unit *opened[512];
	static size_t n;
	uint32_t index = unit_set_find(set, name);

	if (index == UNIT_NONE)
		return NULL;
	ck_assert_uint_lt(n, sizeof(opened) / sizeof(*opened));
	ck_assert_int_eq(unit_set_open(set, index, &opened[n]), 0);
	return opened[n++];
}

/* "a b c": the children of a supervisor (NULL: the root), in static storage. */
static inline const char *fixture_children(const struct unit_set *set, const char *name)
{
	struct unit_range range = unit_set_children(
			set, name ? unit_set_find(set, name) : UNIT_NONE);
	static char joined[4096];
	size_t n = 0;

	joined[0] = '\0';
	for (uint32_t i = 0; i < range.count; i++)
		n += (size_t)snprintf(joined + n, sizeof(joined) - n, "%s%s",
				i ? " " : "", unit_set_name(set, range.first + i));
	return joined;
}

static inline int fixture_compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "a b c" of all units of a set, by name. */
static inline void fixture_names(const struct unit_set *set, struct text *t)
{
	const char **names = calloc((size_t)set->count + 1, sizeof(*names));

	for (uint32_t i = 0; i < set->count; i++)
		names[i] = unit_set_name(set, i);
	qsort(names, set->count, sizeof(*names), fixture_compare_names);
	text_append(t, "");
	for (uint32_t i = 0; i < set->count; i++)
		text_printf(t, "%s%s", i ? " " : "", names[i]);
	free(names);
}

static inline void fixture_print(const struct diag *diag)
{
	struct text t = { 0 };

	for (size_t i = 0; i < diag->count; i++)
		diag_item_print(&diag->items[i], &t);
	(void)fprintf(stderr, "%s", text_get(&t));
	text_fini(&t);
}

/* The diagnostic with this code; the test fails when there is none. */
static inline const struct diag_item *fixture_find(
		const struct diag *diag, const char *code)
{
	for (size_t i = 0; i < diag->count; i++)
		if (strcmp(diag->items[i].code, code) == 0)
			return &diag->items[i];
	fixture_print(diag);
	ck_abort_msg("no diagnostic %s", code);
	return NULL;
}

static inline void fixture_silent(const struct diag *diag)
{
	if (diag->count > 0)
		fixture_print(diag);
	ck_assert_uint_eq(diag->count, 0);
}

/* "a b c" of a vector, in static storage. */
static inline const char *fixture_join(const struct strv *v)
{
	static char joined[4096];
	size_t n = 0;

	joined[0] = '\0';
	for (size_t i = 0; i < v->count; i++)
		n += (size_t)snprintf(joined + n, sizeof(joined) - n, "%s%s",
				i ? " " : "", v->items[i]);
	return joined;
}

#endif
