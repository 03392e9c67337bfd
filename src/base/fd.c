/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"

#define CHUNK 4096
/* The most that the kernel passes in one message: SCM_MAX_FD. */
#define KERNEL_PASS_MAX 253

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	ssize_t n;

	while (size > 0) {
		n = write(fd, p, size);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Where to read: files by position, since their offset may be shared; streams as they
 * come. */
struct input {
	int fd;
	bool is_file;
	size_t hint; /* size that the file system tells; 0 in /proc */
};

static int look_at_input(struct input *in, size_t limit)
{
	struct stat st;

	if (fstat(in->fd, &st) < 0)
		return -errno;
	in->is_file = S_ISREG(st.st_mode);
	if (!in->is_file)
		return 0;
	if ((uint64_t)st.st_size > limit)
		return -EFBIG;
	in->hint = (size_t)st.st_size;
	return 0;
}

static ssize_t read_input(const struct input *in, char *data, size_t size, size_t offset)
{
	ssize_t n;

	do {
		n = in->is_file ? pread(in->fd, data, size, (off_t)offset)
				: read(in->fd, data, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Makes room for one byte more than is held, and for the NUL behind it. */
static int grow(char **data, size_t size, size_t *capacity)
{
	char *bigger;

	if (size + 1 < *capacity)
		return 0;
	bigger = realloc(*data, *capacity * 2);
	if (!bigger)
		return -ENOMEM;
	*data = bigger;
	*capacity *= 2;
	return 0;
}

int fd_read_all(int fd, size_t limit, char **ret_data, size_t *ret_size)
{
	auto_free char *data = NULL;
	size_t size = 0, capacity;
	struct input in = { .fd = fd };
	ssize_t n;
	int r;

	r = look_at_input(&in, limit);
	if (r < 0)
		return r;
	/* One byte more than expected shows the end in the same read. */
	capacity = in.hint ? in.hint + 2 : CHUNK;
	data = malloc(capacity);
	if (!data)
		return -ENOMEM;
	for (;;) {
		r = grow(&data, size, &capacity);
		if (r < 0)
			return r;
		n = read_input(&in, data + size, capacity - size - 1, size);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > limit)
			return -EFBIG;
	}
	data[size] = '\0';
	*ret_data = TAKE_PTR(data);
	*ret_size = size;
	return 0;
}

int file_read(const char *path, size_t limit, char **ret_data, size_t *ret_size)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return fd_read_all(fd, limit, ret_data, ret_size);
}

int file_write_atomic(int dir_fd, const char *name, const void *data, size_t size)
{
	char beside[NAME_MAX + 1];
	auto_close int fd = -1;
	int n, r;

	n = snprintf(beside, sizeof(beside), ".%s.%016llx", name,
			(unsigned long long)clock_random());
	if (n < 0 || (size_t)n >= sizeof(beside))
		return -ENAMETOOLONG;
	fd = openat(dir_fd, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, size);
	if (r < 0)
		goto fail;
	if (fchmod(fd, 0644) < 0 || renameat(dir_fd, beside, dir_fd, name) < 0) {
		r = -errno;
		goto fail;
	}
	return 0;
fail:
	(void)unlinkat(dir_fd, beside, 0);
	return r;
}

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

int memfd_new(const char *name, int *ret_fd)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int memfd_seal(int fd)
{
	if (lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return 0;
}

int memfd_sealed(const char *name, const void *data, size_t size, int *ret_fd)
{
	auto_close int fd = -1;
	int r = memfd_new(name, &fd);

	if (r == 0)
		r = fd_write_all(fd, data, size);
	if (r == 0)
		r = memfd_seal(fd);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

int fd_copy(int fd, int *ret_fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (copy < 0)
		return -errno;
	*ret_fd = copy;
	return 0;
}

int memfd_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return errno == EINVAL ? 0 : -errno;
	return (seals & SEALS) == SEALS;
}

union control {
	struct cmsghdr align;
	/* Credentials come along when the socket asks for them. */
	char space[CMSG_SPACE(KERNEL_PASS_MAX * sizeof(int)) + CMSG_SPACE(64)];
};

int fd_send(int socket, const void *data, size_t size, const int *fds, size_t n_fds)
{
	union control control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (n_fds > FD_PASS_MAX)
		return -EINVAL;
	if (n_fds > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do {
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Moves the descriptors of a message to fds; those beyond max_fds are closed. */
static size_t take_descriptors(struct msghdr *message, int *fds, size_t max_fds)
{
	size_t taken = 0, n;
	int fd;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (taken < max_fds)
				fds[taken++] = fd;
			else
				close_fd(fd);
		}
	}
	return taken;
}

ssize_t fd_receive(int socket, void *data, size_t size, int *fds, size_t max_fds,
		size_t *ret_n_fds)
{
	union control control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	size_t n_fds;
	ssize_t n;

	do {
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	n_fds = take_descriptors(&message, fds, max_fds);
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		while (n_fds > 0)
			close_fd(fds[--n_fds]);
		return -EMSGSIZE;
	}
	if (ret_n_fds)
		*ret_n_fds = n_fds;
	return n;
}

int fd_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}
