/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_FAILURE_H
#define MANAGER_FAILURE_H

/*
 * What a failed step of a start means for the administrator: a sentence, and what to do
 * about it. Pure; any thread.
 */

#include "base/macro.h"

/*
 * "CHDIR: No such file or directory (/srv/x). Make the folder, …". step may be NULL,
 * error is a positive errno, detail the path or name concerned or NULL. NULL when out of
 * memory; the caller frees it.
 */
MUST_CHECK char *failure_describe(const char *step, int error, const char *detail);

#endif
