/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "ctl/log-source.h"
#include "ctl/options.h"

/*
 * Following works with two inotify watches: one on the file that is open (it grew, was
 * truncated, renamed or removed) and one on its folder (another file took its name).
 * After every event the open file is read to its end before the name is looked at, so
 * what was written before a rotation is not lost.
 */

#define BLOCK_SIZE LOG_LINE_MAX

struct follower {
	struct log_source source;
	const char *path;
	int fd; /* the log; -1 between two files */
	int inotify, file_watch;
	uint64_t size; /* when it was opened */
	uint64_t changed_usec; /* realtime, then */
	uint64_t offset; /* read so far */
	struct text pending; /* a line without its end */
};

static struct follower *follower_of(struct log_source *source)
{
	return CONTAINER_OF(source, struct follower, source);
}

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
 * Where the last lines begin in a file of this size, and how many they are. The newline
 * at its very end closes the last line and begins none.
 */
static int find_tail(const struct follower *f, uint64_t lines, uint64_t *ret_offset,
		uint64_t *ret_count)
{
	char block[BLOCK_SIZE / 8];
	uint64_t end = f->size, begin, found = 0;
	ssize_t n;

	for (; lines > 0 && lines != OPTIONS_ALL_LINES && end > 0; end = begin) {
		begin = end > sizeof(block) ? end - sizeof(block) : 0;
		n = pread(f->fd, block, end - begin, (off_t)begin);
		if (n < 0)
			return -errno;
		for (size_t i = (size_t)n; i-- > 0;)
			if (block[i] == '\n' && begin + i + 1 < f->size &&
					++found == lines) {
				*ret_offset = begin + i + 1;
				*ret_count = lines;
				return 0;
			}
	}
	*ret_offset = lines == 0 ? f->size : 0;
	*ret_count = lines > 0 && f->size > 0 ? found + 1 : 0;
	return 0;
}

static int emit(struct follower *f, const char *data, size_t size)
{
	struct log_entry entry = { .message = data, .size = size, .priority = -1 };

	return f->source.sink->on_entry(f->source.sink->data, &entry);
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

static int file_emit_news(struct log_source *source)
{
	struct follower *f = follower_of(source);
	int r;

	r = drain_events(f);
	if (r >= 0)
		r = read_news(f);
	return r < 0 ? r : follow_name(f);
}

static int file_watch(struct log_source *source, struct pollfd *ret_fd, int *ret_timeout)
{
	*ret_fd = (struct pollfd){ .fd = follower_of(source)->inotify, .events = POLLIN };
	*ret_timeout = -1;
	return 0;
}

static int start_watching(struct follower *f)
{
	const char *slash = strrchr(f->path, '/');
	auto_free char *folder =
			strndup(f->path, slash ? (size_t)(slash + 1 - f->path) : 0);

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

/* What was written before the wanted time is of no interest; of what was written since,
 * nobody knows when. */
static bool is_wanted(const struct follower *f)
{
	return f->fd >= 0 && f->changed_usec >= f->source.request->since_usec;
}

static int file_count(struct log_source *source, uint64_t max, uint64_t *ret_count,
		uint64_t *ret_newest_usec)
{
	struct follower *f = follower_of(source);
	uint64_t offset;

	*ret_count = *ret_newest_usec = 0;
	if (!is_wanted(f) || f->size == 0)
		return 0;
	*ret_newest_usec = f->changed_usec;
	return find_tail(f, max, &offset, ret_count);
}

static int file_emit_last(struct log_source *source, uint64_t lines)
{
	struct follower *f = follower_of(source);
	uint64_t count;
	int r;

	f->offset = f->size;
	if (!is_wanted(f))
		return 0;
	r = find_tail(f, lines, &f->offset, &count);
	if (r >= 0)
		r = read_until(f, f->size);
	if (r < 0 || source->request->mode == LOG_FOLLOW)
		return r;
	return finish_file(f);
}

static void file_free(struct log_source *source)
{
	struct follower *f = follower_of(source);

	text_fini(&f->pending);
	close_fd(f->fd);
	close_fd(f->inotify);
	free(f);
}

static const struct log_source_ops file_ops = {
	.count = file_count,
	.emit_last = file_emit_last,
	.watch = file_watch,
	.emit_news = file_emit_news,
	.free = file_free,
};

static int open_first(struct follower *f)
{
	const struct log_request *request = f->source.request;
	struct stat st = { 0 };
	int r;

	r = open_log(f->path, &f->fd, &st);
	if (r == -ENOENT && request->has_journal && request->mode == LOG_FOLLOW)
		r = 0; /* it may come */
	if (r < 0)
		return r;
	f->size = (uint64_t)st.st_size;
	f->changed_usec = (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC +
			(uint64_t)st.st_mtim.tv_nsec / 1000;
	return request->mode == LOG_FOLLOW ? start_watching(f) : 0;
}

int log_file_open(const struct log_request *request, const struct log_sink *sink,
		struct log_source **ret_source)
{
	struct follower *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	*f = (struct follower){
		.source = { .ops = &file_ops, .request = request, .sink = sink },
		.path = request->file,
		.fd = -1,
		.inotify = -1,
		.file_watch = -1,
	};
	r = open_first(f);
	if (r < 0) {
		file_free(&f->source);
		return r;
	}
	*ret_source = &f->source;
	return 0;
}
