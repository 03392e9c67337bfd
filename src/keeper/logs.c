/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/logs.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"

#define SUFFIX           ".log"
#define PAUSE_USEC       (500 * USEC_PER_MSEC)
#define PAUSE_FLOOD_USEC (50 * USEC_PER_MSEC)

/* Room that is not there, or a name that is too long, costs the old lines and no more. */
static void keep_end(int folder_fd, const char *file, int fd, off_t size)
{
	char name[NAME_MAX + 1];
	int n = snprintf(name, sizeof(name), "%s.1", file);
	off_t at = size - LOGS_LIMIT;
	auto_close int kept = -1;

	if (n < 0 || (size_t)n >= sizeof(name))
		return;
	kept = openat(folder_fd, name,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	while (kept >= 0 && at < size)
		if (sendfile(kept, fd, &at, (size_t)(size - at)) <= 0)
			break;
}

/* Whether it was too large. */
static bool shorten(int folder_fd, const char *file)
{
	auto_close int fd = -1;
	struct stat st;

	if (fstatat(folder_fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode) || st.st_size < LOGS_LIMIT)
		return false;
	fd = openat(folder_fd, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	keep_end(folder_fd, file, fd, st.st_size);
	return ftruncate(fd, 0) == 0;
}

void logs_shorten(int folder_fd, const char *file)
{
	(void)shorten(folder_fd, file);
}

static bool shorten_all(int folder_fd)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool found = false;

	if (!dir) {
		close_fd(fd);
		return false;
	}
	while ((entry = readdir(dir)))
		if (has_suffix(entry->d_name, SUFFIX))
			found |= shorten(folder_fd, entry->d_name);
	(void)closedir(dir);
	return found;
}

/* Once: the next thing that is written. */
static void watch(struct logs *logs)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", logs->folder_fd);
	(void)inotify_add_watch(logs->inotify_fd, path, IN_MODIFY | IN_ONESHOT);
}

void logs_watch(struct logs *logs)
{
	if (logs->is_watched || logs->inotify_fd < 0)
		return;
	logs->is_watched = true;
	watch(logs);
}

static void on_written(struct loop_source *source, uint32_t events)
{
	struct logs *logs = CONTAINER_OF(source, struct logs, source);
	char buffer[4096] __attribute__((aligned(8)));

	(void)events;
	if (read(logs->inotify_fd, buffer, sizeof(buffer)) > 0 && logs->look_usec == 0)
		logs->look_usec = usec_add(clock_monotonic_usec(), PAUSE_USEC);
}

void logs_init(struct logs *logs, int folder_fd, struct loop *loop)
{
	*logs = (struct logs){ .folder_fd = folder_fd, .loop = loop };
	logs->source.fd = -1;
	logs->source.on_ready = on_written;
	logs->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (logs->inotify_fd < 0)
		return;
	if (loop_add(loop, &logs->source, logs->inotify_fd, EPOLLIN) < 0)
		logs->inotify_fd = close_fd(logs->inotify_fd);
}

void logs_fini(struct logs *logs)
{
	if (logs->loop)
		loop_remove(logs->loop, &logs->source);
	logs->inotify_fd = close_fd(logs->inotify_fd);
}

uint64_t logs_next_usec(const struct logs *logs)
{
	return logs->look_usec > 0 ? logs->look_usec : USEC_INFINITY;
}

void logs_on_time(struct logs *logs, uint64_t now_usec)
{
	if (logs->look_usec == 0 || now_usec < logs->look_usec)
		return;
	logs->look_usec = 0;
	if (shorten_all(logs->folder_fd))
		logs->look_usec = usec_add(now_usec, PAUSE_FLOOD_USEC);
	else
		watch(logs);
}
