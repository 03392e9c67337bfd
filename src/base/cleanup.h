/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

/*
 * Release at the end of a scope, and visible hand-over.
 *
 * A variable marked auto_free, auto_close or auto_(thing) is initialised where it is
 * declared. Ownership leaves it only through TAKE_PTR or take_fd. A type takes part with
 * DEFINE_AUTO(thing, thing_free), whose function accepts NULL.
 */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *ptr)
{
	free(*(void **)ptr);
}

/* Closes and keeps errno, so that it may stand on a failure path. Accepts -1. Returns -1.
 */
static inline int close_fd(int fd)
{
	int saved = errno;

	if (fd >= 0)
		(void)close(fd); /* Linux releases the descriptor whatever close answers.
				  */
	errno = saved;
	return -1;
}

static inline void cleanup_close(int *fd)
{
	*fd = close_fd(*fd);
}

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define auto_free   __attribute__((cleanup(cleanup_free)))
#define auto_close  __attribute__((cleanup(cleanup_close)))
#define auto_(name) __attribute__((cleanup(cleanup_##name##_ptr))) struct name *

#define DEFINE_AUTO(name, free_function)                                                 \
	static inline void cleanup_##name##_ptr(struct name **ptr)                       \
	{                                                                                \
		free_function(*ptr);                                                     \
	}                                                                                \
	struct name

#define TAKE_PTR(ptr)                                                                    \
	({                                                                               \
		__typeof__(ptr) taken_ = (ptr);                                          \
		(ptr) = NULL;                                                            \
		taken_;                                                                  \
	})

#endif
