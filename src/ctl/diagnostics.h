/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_DIAGNOSTICS_H
#define CTL_DIAGNOSTICS_H

/*
 * Printing what is wrong with unit files, whoever found it.
 */

#include "base/diag.h"
#include "ctl/command.h"

/* "file:12: error U012: sentence (remedy)" lines, escaped. */
void diagnostics_print(struct ctl *ctl, const struct diag *diag);
/* Members "errors", "warnings", and "diagnostics" as an array. */
void diagnostics_json(const struct diag *diag, struct json *j);
/* "2 errors, 1 warning" */
void diagnostics_append_counts(const struct diag *diag, struct text *t);

#endif
