/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "host/exports.h"

#include "airssys/airssys.h"
#include "base/macro.h"

typedef void any_function(void);

/* Volatile: the addresses are to be in the program, whatever an optimiser thinks of the
 * table. */
static any_function *const volatile exports[] = {
#define EXPORT(name) (any_function *)name,
#include "host/exports.def"
#undef EXPORT
};

size_t exports_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(exports); i++)
		n += exports[i] != NULL;
	return n;
}
