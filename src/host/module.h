/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef HOST_MODULE_H
#define HOST_MODULE_H

/*
 * Loading actor modules (airssys/module.h) from sealed memory files.
 *
 * A module that is loaded stays loaded: its actors, their messages and the runtime hold
 * pointers into it. The same bytes are loaded once, so restarts of an actor cost nothing
 * and a changed file is another module. The list of what is loaded belongs to one thread,
 * that of the main pool.
 */

#include <stddef.h>

#include "airssys/module.h"
#include "base/macro.h"

/* Largest module. */
#define MODULE_SIZE_MAX (64u * 1024 * 1024)

/*
 * Load the module in a sealed memory file, which stays the caller's. The result lives for
 * ever.
 *
 * 0, or a negative errno with a clause for people in why (size bytes, cut to fit):
 *   -EINVAL   not a regular file: a folder, a FIFO, a socket
 *   -EPERM    it is not sealed, so it could change while it is looked at
 *   -EFBIG    larger than MODULE_SIZE_MAX
 *   -ENOEXEC  the loader must not or can not load it
 *   -ELIBBAD  it has no airs_module, or one of another interface or with wrong pointers
 *   -ENOMEM
 * Runs the constructors of the module.
 */
MUST_CHECK int module_load(int fd, const struct airs_module **ret_module, char *why,
		size_t why_size);

/*
 * The args of a module's actor, in one piece of memory that free releases: for airs_spawn
 * with free_args. NULL: out of memory. name and arguments (NULL-terminated, or NULL) are
 * copied.
 */
struct airs_module_args *module_args_new(const char *name, char *const *arguments);

#endif
