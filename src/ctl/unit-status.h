/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_UNIT_STATUS_H
#define CTL_UNIT_STATUS_H

/*
 * Everything that "status NAME" shows about one unit, collected, and its two forms.
 */

#include "ctl/command.h"
#include "ctl/facts.h"
#include "ctl/units.h"

/* How a file of the unit stands to what was loaded. */
enum file_change {
	FILE_SAME,
	FILE_CHANGED,
	FILE_GONE,
	FILE_UNREADABLE, /* for this user: nothing can be said */
};

struct unit_file_state {
	char *path;
	enum file_change change;
};

struct unit_status {
	struct facts facts;
	struct unit_file_state *files;
	size_t n_files;
	struct text log; /* lines, escaped and indented */
	struct text log_json; /* the elements of an array */
	bool has_journal_log, has_file_log; /* where they come from */
	struct unit_rows *rows; /* borrowed; filled when there are children */
};

/*
 * Ask for the unit; rows are filled when it has children and they are still empty.
 * CTL_DONE, or why not (said already).
 */
MUST_CHECK enum ctl_exit unit_status_load(struct ctl *ctl, const char *name,
		struct unit_rows *rows, struct unit_status *ret_status);
void unit_status_fini(struct unit_status *status);

void unit_status_print(struct ctl *ctl, const struct unit_status *status);
void unit_status_json(const struct unit_status *status, struct json *j);

#define auto_unit_status __attribute__((cleanup(unit_status_fini))) struct unit_status

#endif
