/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

/*
 * How a daemon that lives for months uses the C library's heap. Nothing happens where the
 * library has no such settings.
 */

/* One heap for all threads: those of a daemon are few and allocate little. Before the
 * first thread is made. */
void heap_share(void);

/* Give back to the kernel what a burst of work (a start, a reload) has left free. */
void heap_trim(void);

#endif
