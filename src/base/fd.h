/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_FD_H
#define BASE_FD_H

/*
 * Descriptors: full reads and writes, sealed memory files, passing descriptors. Every
 * descriptor made here is close-on-exec.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/macro.h"

/* Whether an error says that descriptors or memory have run out, and nothing about what
 * was looked at. */
static inline bool fd_is_shortage(int error)
{
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

/* Write everything, restarting after EINTR. 0 or a negative errno. Blocks as fd does. */
MUST_CHECK int fd_write_all(int fd, const void *data, size_t size);

/*
 * Read to the end of the file, at most limit bytes. A regular or memory file is read from
 * its begin whatever its offset, which may be shared with another process, and is refused
 * by its size before anything is read. The result has a NUL behind its end that is not
 * counted; the caller frees it. -EFBIG when there is more than limit.
 */
MUST_CHECK int fd_read_all(int fd, size_t limit, char **ret_data, size_t *ret_size);

/* fd_read_all of a small file by path, for /proc and the like. */
MUST_CHECK int file_read(
		const char *path, size_t limit, char **ret_data, size_t *ret_size);

/*
 * Replace a file atomically (write beside it, rename). Mode 0644. A crash of the process
 * leaves the old or the new content; nothing is forced to disk, so a crash of the machine
 * may not.
 */
MUST_CHECK int file_write_atomic(
		int dir_fd, const char *name, const void *data, size_t size);

/* A memory file with this content, sealed against every change, read offset 0. */
MUST_CHECK int memfd_sealed(const char *name, const void *data, size_t size, int *ret_fd);

/* The two halves of memfd_sealed, for who writes in between. */
MUST_CHECK int memfd_new(const char *name, int *ret_fd);
MUST_CHECK int memfd_seal(int fd);

/* Another descriptor of the same file, closed on exec. */
MUST_CHECK int fd_copy(int fd, int *ret_fd);

/* 1 when fd is a memory file with all of SHRINK, GROW, WRITE and SEAL sealed, else 0. */
MUST_CHECK int memfd_is_sealed(int fd);

#define FD_PASS_MAX 8

/*
 * One datagram (SOCK_SEQPACKET or SOCK_DGRAM) with up to FD_PASS_MAX descriptors, which
 * stay the caller's. 0 or a negative errno; -EAGAIN on a full non-blocking socket.
 */
MUST_CHECK int fd_send(
		int socket, const void *data, size_t size, const int *fds, size_t n_fds);

/*
 * Receive one datagram. Descriptors beyond max_fds are closed. Returns the size, 0 at the
 * end of the stream, or a negative errno: -EMSGSIZE when the data did not fit or the
 * kernel could not pass all descriptors (then all received ones are closed). ret_n_fds
 * may be NULL.
 */
MUST_CHECK ssize_t fd_receive(int socket, void *data, size_t size, int *fds,
		size_t max_fds, size_t *ret_n_fds);

MUST_CHECK int fd_set_nonblocking(int fd);

#endif
