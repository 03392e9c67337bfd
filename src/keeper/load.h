/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_LOAD_H
#define KEEPER_LOAD_H

/*
 * Unit files and policies from disk. The old set stays in force when a new one cannot be
 * read at all; a unit that vanished from the files keeps its definition while something
 * of it runs.
 */

#include <stdint.h>

#include "base/diag.h"
#include "base/macro.h"
#include "unit/protocol.h"

struct keeper;
struct policy;

/* Read everything again and print every diagnostic. Returns the number of errors in the
 * files, or a negative errno. */
MUST_CHECK int load_units(struct keeper *keeper);
void load_fini(struct keeper *keeper);

/* Find the charges that no unit file speaks of. */
void load_find_vanished(struct keeper *keeper);
/* Let those go of which nothing is left. Nobody else may hold a charge meanwhile. */
void load_forget_vanished(struct keeper *keeper);

/* The CONFIG message with the loaded files, and what greets a new core. */
void load_send_config(struct keeper *keeper, uint64_t serial);
void load_send_first_config(struct keeper *keeper);

/* Print what was found in a file. */
void load_print_diag(const struct diag *diag);

/* Borrowed until the next load_units. Negative errno, already said, when it has mistakes.
 */
MUST_CHECK int load_policy(struct keeper *keeper, const char *name,
		const struct policy **ret_policy);

#endif
