/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_EARLIER_H
#define KEEPER_EARLIER_H

/*
 * The unit files in force, kept in RUNTIME/state/units for the next keeper: a file that
 * has a mistake when a keeper starts after another one was killed must not end the service
 * that runs under what it said before. What is read back counts only in the same boot.
 */

#include "base/macro.h"

struct keeper;
struct unit_set;

/* What an earlier keeper had in force. *ret_set is NULL when there is nothing that can be
 * used, which is said unless there is no file. -ENOMEM, or a shortage of descriptors. */
MUST_CHECK int earlier_read(
		struct keeper *keeper, int *ret_snapshot_fd, struct unit_set **ret_set);

/* Put what is in force now in its place; says itself what failed. */
void earlier_write(struct keeper *keeper);

void earlier_remove(struct keeper *keeper);

#endif
