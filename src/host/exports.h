/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef HOST_EXPORTS_H
#define HOST_EXPORTS_H

/*
 * Modules link nothing: they find the public functions in the program that loads them. A
 * linker takes from an archive only what is asked for; this asks for all of them. The
 * program is linked with -export-dynamic.
 */

#include <stddef.h>

/* How many functions there are. That module_load calls it is what keeps them in the
 * program. */
size_t exports_count(void);

#endif
