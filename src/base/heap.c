/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/heap.h"

#include <stdlib.h>

#if defined(__GLIBC__)

#	include <malloc.h>

void heap_share(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
}

void heap_trim(void)
{
	(void)malloc_trim(0);
}

#else

void heap_share(void)
{
}

void heap_trim(void)
{
}

#endif
