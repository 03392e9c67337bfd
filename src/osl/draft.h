/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef OSL_DRAFT_H
#define OSL_DRAFT_H

/*
 * A policy in the making: the lines of one or more policy files, applied one after the
 * other. What the keys mean is known here; where files are found and how they extend each
 * other is the affair of osl/policy.c. Mistakes are told and counted, and reading goes on
 * behind them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "osl/filter.h"

enum draft_mistake {
#define MISTAKE(name, severity, code, remedy) MISTAKE_##name,
#include "osl/mistake.def"
#undef MISTAKE
};

struct draft {
	struct diag *diag; /* borrowed; may be NULL */
	size_t mistakes;
	char *description;
	int no_new_privs; /* -1: not said */
	bool native_only;
	uint64_t bounding_set;
	struct filter_rules rules;
};

void draft_init(struct draft *draft, struct diag *d);
void draft_fini(struct draft *draft);

/* Tell what is wrong; an error counts as a mistake, a warning does not. */
PRINTF_LIKE(4, 5)
void draft_tell(struct draft *draft, struct diag_place place, enum draft_mistake mistake,
		const char *format, ...);

/* Iterates over the codes, in their order, some twice: index from 0; NULL ends. */
const char *draft_code_at(size_t index);

/* What the last Extends= of a file says, to be freed; NULL when it extends nothing.
 * -ENOMEM. */
MUST_CHECK int draft_find_extends(
		const char *data, size_t size, char **ret_name, unsigned int *ret_line);

/* Apply the lines of a file on top of what is there. file is its name for people.
 * -ENOMEM. */
MUST_CHECK int draft_apply(
		struct draft *draft, const char *file, const char *data, size_t size);

/* Iterates over the keys that a file may have: index from 0; NULL ends. */
const char *draft_key_at(size_t index);

#endif
