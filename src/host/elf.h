/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef HOST_ELF_H
#define HOST_ELF_H

/*
 * What can be said of a shared object before it is loaded, since loading it runs its
 * code: whether it is one for this machine, and whether it asks the loader for what no
 * actor module may have. Pure: it reads the bytes and nothing else.
 */

#include <stddef.h>

#include "base/macro.h"

/*
 * Check the bytes of a file.
 *
 * 0, or -ENOEXEC with the reason in *ret_why (static, one clause: "it is for another
 * machine"). Refused are: what is no ELF file, another class, byte order or machine, what
 * is not a shared object, tables and segments that lie outside of the file, an executable
 * stack, relocations of code, a search path of its own, and constructors: they would run
 * outside of any actor, where a fault ends the core.
 */
MUST_CHECK int elf_check(const void *data, size_t size, const char **ret_why);

#endif
