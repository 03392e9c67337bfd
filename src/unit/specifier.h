/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_SPECIFIER_H
#define UNIT_SPECIFIER_H

/*
 * Percent specifiers in values (systemd.unit(5)).
 */

#include "base/macro.h"
#include "base/text.h"
#include "unit/unit.h"

struct specifier_scope {
	const struct unit_context *context;
	const char *name; /* of the unit, "worker@3" */
	const char *suffix; /* ".actor" or ".supervisor" */
	const char *path; /* of its file */
};

/*
 * Append a value with its specifiers replaced. -EINVAL for one that is not known or has
 * no value here, which *ret_specifier then names; -ENOMEM.
 */
MUST_CHECK int specifier_expand(const struct specifier_scope *scope, const char *value,
		struct text *t, char *ret_specifier);

#endif
