/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_LOG_PRINT_H
#define CTL_LOG_PRINT_H

/*
 * Log entries as lines and as JSON, and where the log of a unit is.
 */

#include "ctl/command.h"
#include "ctl/facts.h"
#include "ctl/log.h"

/* "2026-11-22 12:38:26.123 db[12]: message", as far as known, without a newline. */
void log_entry_append(const struct terminal *terminal, struct text *t,
		const struct log_entry *entry);
/* Members of an object: message and what is known beside it. */
void log_entry_json(struct json *j, const struct log_entry *entry);

/*
 * Where the log of the unit is that the facts are about: all of it, once. The texts are
 * borrowed from the facts.
 */
struct log_request log_request_make(const struct facts *facts);

#endif
