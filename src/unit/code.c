/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/code.h"

static const struct {
	const char *number, *meaning;
} codes[] = {
#define CODE(number, name, meaning) [CODE_##name] = { number, meaning },
#include "unit/codes.def"
#undef CODE
};

const char *unit_code(enum unit_code_name name)
{
	return codes[name].number;
}

const char *unit_code_meaning(enum unit_code_name name)
{
	return codes[name].meaning;
}
