/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit/command.h"
#include "unit/unit.h"

static void program_free(struct unit_program *program)
{
	if (!program)
		return;
	free(program->name);
	free(program->path);
	free(program);
}
DEFINE_AUTO(unit_program, program_free);

void unit_programs_fini(struct unit_programs *programs)
{
	struct unit_program *program;
	size_t cursor;

	map_foreach(&programs->by_name, cursor, program)
		program_free(program);
	map_foreach(&programs->policies, cursor, program)
		program_free(program);
	map_fini(&programs->by_name);
	map_fini(&programs->policies);
	near_fini(&programs->near);
	*programs = (struct unit_programs){ 0 };
}

static int add(struct map *map, const struct unit_program *program)
{
	auto_(unit_program) copy = calloc(1, sizeof(*copy));
	int r;

	if (!copy)
		return -ENOMEM;
	copy->error = program->error;
	copy->name = strdup(program->name);
	copy->path = program->path ? strdup(program->path) : NULL;
	if (!copy->name || (program->path && !copy->path))
		return -ENOMEM;
	r = map_put(map, copy->name, copy);
	if (r == 0)
		TAKE_PTR(copy);
	return r;
}

int unit_programs_add(struct unit_programs *programs, const struct unit_program *program)
{
	return add(&programs->by_name, program);
}

int unit_programs_add_policy(
		struct unit_programs *programs, const struct unit_program *policy)
{
	return add(&programs->policies, policy);
}

int unit_programs_find_policy(struct unit_programs *programs,
		const struct unit_context *context, const char *name, int *ret_error)
{
	const struct unit_program *known = map_find(&programs->policies, name);
	struct unit_program policy = { .name = (char *)(uintptr_t)name };

	*ret_error = known ? known->error : 0;
	if (known || programs->is_closed || !context->find_policy)
		return 0;
	policy.error = context->find_policy(context->policy_data, name);
	if (policy.error == -ENOMEM)
		return -ENOMEM;
	*ret_error = policy.error;
	return unit_programs_add_policy(programs, &policy);
}

static int look(struct unit_programs *programs, const char *name)
{
	struct unit_program program = { .name = (char *)(uintptr_t)name };
	auto_free char *path = NULL;

	if (*name == '/')
		program.error = near_has(&programs->near, name)
				? command_check_program(name)
				: 0;
	else
		program.error = command_find_program(name, &path);
	if (program.error == -ENOMEM)
		return -ENOMEM;
	program.path = path;
	return unit_programs_add(programs, &program);
}

bool unit_program_is_odd(const struct unit_program *program)
{
	return program->error || program->path;
}

int unit_programs_find(struct unit_programs *programs, const char *name,
		const struct unit_program **ret_program)
{
	const struct unit_program *program = map_find(&programs->by_name, name);
	int r;

	if (!program && !programs->is_closed) {
		r = look(programs, name);
		if (r < 0)
			return r;
		program = map_find(&programs->by_name, name);
	}
	*ret_program = program && unit_program_is_odd(program) ? program : NULL;
	return 0;
}
