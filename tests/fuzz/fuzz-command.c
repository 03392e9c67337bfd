/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "unit/command.h"
#include "unit/environment.h"

/* A command line: what it becomes is dumped, read again, and must be the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct unit_context context = { .runtime_dir = "/run" };
static const struct specifier_scope scope = { &context, "a@b", ".actor", "/u/a@.actor" };

static void check(const struct unit_command *c)
{
	struct unit_commands again = { 0 };
	struct command_report report;
	auto_text first = { 0 }, second = { 0 };
	auto_strv expanded = { 0 };
	const struct strv none = { 0 };

	command_dump(c, &first);
	bug_unless(command_parse(text_get(&first), &scope, &again, &report) == 0);
	bug_unless(again.count == 1 && again.items[0].argv.count == c->argv.count);
	command_dump(&again.items[0], &second);
	bug_unless(strcmp(text_get(&first), text_get(&second)) == 0);
	bug_unless(environment_expand(&c->argv, &none, &expanded) == 0);
	commands_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unit_commands commands = { 0 };
	struct command_report report;
	char *value = strndup((const char *)data, size);
	int r;

	bug_unless(value);
	r = command_parse(value, &scope, &commands, &report);
	bug_unless(r == 0 ? commands.count > 0 : r == -EINVAL && report.problem);
	for (uint32_t i = 0; i < commands.count; i++)
		check(&commands.items[i]);
	commands_fini(&commands);
	free(value);
	return 0;
}
