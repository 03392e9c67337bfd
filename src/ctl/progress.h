/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

/*
 * One line at the bottom of the terminal that is rewritten while the user waits. It is on
 * standard error, and only there when that is a terminal.
 */

#include <stdbool.h>

#include "ctl/command.h"

struct progress {
	struct ctl *ctl;
	struct text shown; /* what stands there now */
};

/* Replace the line by this text (safe for a terminal); "" removes it. */
void progress_show(struct progress *p, const char *line);
void progress_fini(struct progress *p);

#endif
