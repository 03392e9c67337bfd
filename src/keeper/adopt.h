/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_ADOPT_H
#define KEEPER_ADOPT_H

/*
 * Taking over from a keeper that died: the table is built from its state file, and each
 * process in it is looked for by identity (number, start time, boot). One that is not
 * found ended while nobody could ask for its status. A stranger with the same number is
 * left alone.
 */

#include "base/macro.h"

struct keeper;

/* Read the state file into the table, and find the cgroup folder. Nothing is touched. */
MUST_CHECK int adopt_read(struct keeper *keeper, char **ret_cgroup);

/* Take over what lives, with the unit files loaded and the cgroups known. Says itself what
 * failed; then nothing was signalled, and the state file is as it was. */
MUST_CHECK int adopt_processes(struct keeper *keeper);

#endif
