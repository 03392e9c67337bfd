/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "unit/snapshot.h"
#include "unit/unit.h"

/*
 * Unit files: the input is cut at lines "--- NAME", each of which begins a file. Every
 * unit that comes out can be opened, is dumped, and compares equal to itself.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARK      "--- "
#define FILES_MAX 32

static const struct unit_context context = {
	.runtime_dir = "/run",
	.state_dir = "/s",
	.cache_dir = "/c",
	.logs_dir = "/l",
	.config_dir = "/e",
	.home = "/h",
	.user = "u",
	.group = "g",
	.shell = "/sh",
	.machine_id = "m",
	.boot_id = "b",
	.host_name = "h.d",
};

static const char *end_of_line(const char *at, const char *end)
{
	const char *line = memchr(at, '\n', (size_t)(end - at));

	return line ? line : end;
}

/* The next line that begins a file, or the end. */
static const char *next_mark(const char *at, const char *end)
{
	for (; at < end; at = end_of_line(at, end) + (end_of_line(at, end) < end))
		if ((size_t)(end - at) >= strlen(MARK) &&
				memcmp(at, MARK, strlen(MARK)) == 0)
			return at;
	return end;
}

static void cut(struct unit_snapshot *s, const char *at, const char *end)
{
	for (at = next_mark(at, end); at < end && s->count < FILES_MAX;) {
		struct unit_file *f = &s->files[s->count];
		const char *name = at + strlen(MARK), *line = end_of_line(name, end);
		const char *data = line < end ? line + 1 : end;

		at = next_mark(data, end);
		f->unit = strndup(name, (size_t)(line - name));
		f->path = strdup("/u/fuzz");
		f->data = strndup(data, (size_t)(at - data));
		bug_unless(f->unit && f->path && f->data);
		f->size = strlen(f->data);
		s->count++;
	}
}

static void check(struct unit_set *set)
{
	for (uint32_t i = 0; i < set->count; i++) {
		auto_(unit) unit = NULL;
		auto_text t = { 0 };

		bug_unless(unit_set_open(set, i, &unit) == 0);
		bug_unless(unit->index == i);
		bug_unless(unit_set_find(set, unit->name) == i);
		bug_unless(unit_equals(unit, unit));
		unit_dump(unit, &t);
		bug_unless(!t.failed);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(unit_snapshot) s = calloc(1, sizeof(*s));
	struct unit_set *set = NULL;
	auto_diag diag = { 0 };

	bug_unless(s);
	s->files = calloc(FILES_MAX, sizeof(*s->files));
	bug_unless(s->files);
	cut(s, (const char *)data, (const char *)data + size);
	bug_unless(unit_set_parse(s, &context, &diag, &set) == 0);
	for (size_t i = 0; i < diag.count; i++)
		bug_unless(diag.items[i].code[0] == 'U' && diag.items[i].remedy);
	check(set);
	unit_set_free(set);
	return 0;
}
