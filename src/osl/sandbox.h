/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef OSL_SANDBOX_H
#define OSL_SANDBOX_H

/*
 * The steps that put a policy (osl/policy.h) on the calling thread and on what it
 * executes.
 *
 * They are taken in the order in which they stand here: the bounding set while the caller
 * still has CAP_SETPCAP, so before it changes its user; the filter last of all,
 * immediately before execve or execveat, because every system call behind it is filtered.
 * None of them can be undone. A step that the kernel does not take, or takes without
 * effect, is an error: the caller must not go on.
 *
 * All of them are raw system calls without memory, locks or library state, so they may be
 * used in a child that shares its parent's memory. 0 or a negative errno.
 */

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

/*
 * Drop each capability that keep does not name (bit N for number N) from the bounding set
 * and from the inheritable set, and with that from the ambient set. What is absent
 * already needs no privilege. -EPERM without CAP_SETPCAP.
 */
MUST_CHECK int sandbox_drop_bounding_set(uint64_t keep);

/* Executables give no privileges from now on. */
MUST_CHECK int sandbox_set_no_new_privs(void);

/*
 * Install the program. -EACCES when the thread has neither no_new_privs nor
 * CAP_SYS_ADMIN; -EINVAL for a program the kernel refuses; -EMSGSIZE for one of no or too
 * many instructions.
 */
MUST_CHECK int sandbox_install_filter(const struct sock_filter *filter, size_t count);

#endif
