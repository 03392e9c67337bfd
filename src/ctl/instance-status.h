/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_INSTANCE_STATUS_H
#define CTL_INSTANCE_STATUS_H

/*
 * "status" without a name: the whole instance at a glance, failures first.
 */

#include "ctl/command.h"
#include "ctl/units.h"

void instance_status_print(
		struct ctl *ctl, const struct unit_rows *rows, const char *version);
void instance_status_json(
		struct ctl *ctl, const struct unit_rows *rows, const char *version);

#endif
