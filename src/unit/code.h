/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_CODE_H
#define UNIT_CODE_H

/*
 * The codes of this layer's diagnostics, from unit/codes.def.
 */

enum unit_code_name {
#define CODE(number, name, meaning) CODE_##name,
#include "unit/codes.def"
#undef CODE
	CODE_COUNT
};

/* "U012"; static. */
const char *unit_code(enum unit_code_name name);
/* What it is about, one sentence; static. */
const char *unit_code_meaning(enum unit_code_name name);

#endif
