/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/text.h"
#include "ctl/log.h"
#include "ctl/options.h"

/*
 * Following works with two inotify watches: one on the file that is open (it grew, was
 * truncated, renamed or removed) and one on its folder (another file took its name).
 * After every event the open file is read to its end before the name is looked at, so
 * what was written before a rotation is not lost.
 */

#define BLOCK_SIZE LOG_LINE_MAX

struct follower {
	const char *path, *name; /* name: last component */
	int fd; /* the log; -1 between two files */
	int inotify, file_watch;
	uint64_t offset; /* read so far */
	struct text pending; /* a line without its end */
	const struct log_sink *sink;
};

static int open_log(const char *path, int *ret_fd, struct stat *ret_st)
{
	/* Without waiting for a writer, should it be a FIFO. */
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret_st) < 0)
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return -EINVAL;
	*ret_fd = take_fd(&fd);
	return 0;
}

/*
 * Where the last lines begin in a file of this size. The newline at its very end closes
 * the last line and begins none.
 */
static int find_tail(int fd, uint64_t size, uint64_t lines, uint64_t *ret_offset)
{
	char block[BLOCK_SIZE / 8];
	uint64_t end = size, begin, found = 0;
	ssize_t n;

	for (; lines > 0 && lines != OPTIONS_ALL_LINES && end > 0; end = begin) {
		begin = end > sizeof(block) ? end - sizeof(block) : 0;
		n = pread(fd, block, end - begin, (off_t)begin);
		if (n < 0)
			return -errno;
		for (size_t i = (size_t)n; i-- > 0;)
			if (block[i] == '\n' && begin + i + 1 < size &&
					++found == lines) {
				*ret_offset = begin + i + 1;
				return 0;
			}
	}
	*ret_offset = lines == 0 ? size : 0;
	return 0;
}

static int emit(struct follower *f, const char *data, size_t size)
{
	struct log_entry entry = { .message = data, .size = size, .priority = -1 };

	return f->sink->on_entry(f->sink->data, &entry);
}

static int emit_pending(struct follower *f)
{
	int r = f->pending.failed ? -ENOMEM
				  : emit(f, text_get(&f->pending), f->pending.size);

	text_clear(&f->pending);
	return r;
}

/* Cuts a block into lines. */
static int take_block(struct follower *f, const char *data, size_t size)
{
	const char *newline;
	size_t n;
	int r = 0;

	while (r >= 0 && size > 0) {
		newline = memchr(data, '\n', size);
		n = newline ? (size_t)(newline - data) : size;
		n = MIN_OF(n, LOG_LINE_MAX - f->pending.size);
		text_append_n(&f->pending, data, n);
		if (newline == data + n || f->pending.size == LOG_LINE_MAX)
			r = emit_pending(f);
		n += newline == data + n;
		data += n;
		size -= n;
	}
	return r;
}

/* Read up to this offset, or to the end of the file when that comes first. */
static int read_until(struct follower *f, uint64_t limit)
{
	auto_free char *block = malloc(BLOCK_SIZE);
	ssize_t n;
	int r = 0;

	if (!block)
		return -ENOMEM;
	while (r >= 0 && f->offset < limit) {
		n = pread(f->fd, block, MIN_OF(limit - f->offset, (uint64_t)BLOCK_SIZE),
				(off_t)f->offset);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		f->offset += (uint64_t)n;
		r = take_block(f, block, (size_t)n);
	}
	return r;
}

/* The last line may lack its end; nobody waits for it any more. */
static int finish_file(struct follower *f)
{
	return f->pending.size > 0 ? emit_pending(f) : 0;
}

/* What was written since; a file that became shorter begins anew. */
static int read_news(struct follower *f)
{
	struct stat st;

	if (f->fd < 0)
		return 0;
	if (fstat(f->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < f->offset) {
		f->offset = 0;
		text_clear(&f->pending);
	}
	return read_until(f, UINT64_MAX);
}

static void watch_file(struct follower *f)
{
	if (f->file_watch >= 0)
		(void)inotify_rm_watch(f->inotify, f->file_watch);
	/* Should this fail, the watch on the folder still tells of a rotation. */
	f->file_watch = inotify_add_watch(f->inotify, f->path, IN_MODIFY | IN_ATTRIB);
}

/* Go over to the file that has the name now, if it is another one. */
static int follow_name(struct follower *f)
{
	auto_close int fd = -1;
	struct stat now, then;
	int r;

	r = open_log(f->path, &fd, &now);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (f->fd >= 0 && fstat(f->fd, &then) == 0 && then.st_ino == now.st_ino &&
			then.st_dev == now.st_dev)
		return 0;
	r = finish_file(f);
	if (r < 0)
		return r;
	f->fd = close_fd(f->fd);
	f->fd = take_fd(&fd);
	f->offset = 0;
	watch_file(f);
	return read_news(f);
}

static int drain_events(struct follower *f)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	do
		n = read(f->inotify, buffer, sizeof(buffer));
	while (n > 0);
	return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
}

/* Wait for an event: 1, 0 when the reader of standard output is gone, or an error. */
static int wait_for_event(struct follower *f)
{
	struct pollfd fds[] = {
		{ .fd = f->inotify, .events = POLLIN },
		{ .fd = STDOUT_FILENO, .events = 0 },
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return errno == EINTR ? 1 : -errno;
	return fds[1].revents & (POLLERR | POLLHUP) ? 0 : 1;
}

static int follow(struct follower *f)
{
	int r;

	for (;;) {
		r = drain_events(f);
		if (r >= 0)
			r = read_news(f);
		if (r >= 0)
			r = follow_name(f);
		if (r >= 0)
			r = f->sink->on_idle(f->sink->data);
		if (r >= 0)
			r = wait_for_event(f);
		if (r <= 0)
			return r;
	}
}

static int start_watching(struct follower *f)
{
	auto_free char *folder = strndup(
			f->path, (size_t)(f->name > f->path ? f->name - f->path : 0));

	if (!folder)
		return -ENOMEM;
	f->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->inotify < 0)
		return -errno;
	if (inotify_add_watch(f->inotify, folder[0] ? folder : ".",
			    IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		return -errno;
	watch_file(f);
	return 0;
}

static int read_log(struct follower *f, const struct log_request *request)
{
	struct stat st;
	int r;

	r = open_log(f->path, &f->fd, &st);
	if (r >= 0)
		r = find_tail(f->fd, (uint64_t)st.st_size, request->lines, &f->offset);
	if (r >= 0)
		r = read_until(f, (uint64_t)st.st_size);
	if (r < 0)
		return r;
	if (request->mode == LOG_ONCE) {
		r = finish_file(f);
		return r < 0 ? r : f->sink->on_idle(f->sink->data);
	}
	r = start_watching(f);
	return r < 0 ? r : follow(f);
}

int log_read_file(const char *path, const struct log_request *request,
		const struct log_sink *sink)
{
	const char *slash = strrchr(path, '/');
	struct follower f = {
		.path = path,
		.name = slash ? slash + 1 : path,
		.fd = -1,
		.inotify = -1,
		.file_watch = -1,
		.sink = sink,
	};
	int r = read_log(&f, request);

	text_fini(&f.pending);
	close_fd(f.fd);
	close_fd(f.inotify);
	return r;
}
