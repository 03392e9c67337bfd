/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/path.h"

#define BACKLOG     128
#define CONTROL_NEW ".control.new"

/*
 * A path that fits sun_path however long the runtime folder's is. The mode of the socket
 * is set before it has its final name, so there is no moment in which others may connect.
 */
static int bind_in(int folder_fd, const char *name, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n;

	n = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
			folder_fd, name);
	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static int open_folder(int parent_fd, const char *name, mode_t mode, int *ret_fd)
{
	auto_close int fd = -1;

	if (mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int take_lock(struct runtime *runtime)
{
	runtime->lock_fd = openat(runtime->folder_fd, "lock",
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (runtime->lock_fd < 0)
		return -errno;
	return flock(runtime->lock_fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

bool runtime_path_fits(const char *path, const char *what, const char *name)
{
	size_t size = strlen(path) + 1 + strlen(what) + (*name ? 1 + strlen(name) : 0);

	return size < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

int runtime_init(struct runtime *runtime, const char *path)
{
	int r;

	*runtime = (struct runtime){ -1, -1, -1, -1, -1, -1 };
	r = path_make_trusted(path, 0755, &runtime->folder_fd);
	if (r == 0)
		r = take_lock(runtime);
	if (r == 0)
		r = open_folder(runtime->folder_fd, "state", 0700, &runtime->state_fd);
	if (r == 0)
		r = open_folder(runtime->folder_fd, RUNTIME_NOTIFY, 0711,
				&runtime->notify_fd);
	if (r == 0)
		r = open_folder(runtime->folder_fd, "log", 0755, &runtime->log_fd);
	return r;
}

int runtime_listen(struct runtime *runtime, enum runtime_owner owner, gid_t control_group)
{
	auto_close int fd =
			socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool for_group = owner == RUNTIME_SYSTEM && control_group != (gid_t)-1;
	int r;

	if (fd < 0)
		return -errno;
	(void)unlinkat(runtime->folder_fd, CONTROL_NEW, 0);
	r = bind_in(runtime->folder_fd, CONTROL_NEW, fd);
	if (r < 0)
		return r;
	/* Nobody can connect before listen, whatever the mode is until then. */
	if (for_group &&
			fchownat(runtime->folder_fd, CONTROL_NEW, (uid_t)-1,
					control_group, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (fchmodat(runtime->folder_fd, CONTROL_NEW,
			    owner == RUNTIME_SYSTEM ? 0660 : 0600, 0) < 0 ||
			listen(fd, BACKLOG) < 0 ||
			renameat(runtime->folder_fd, CONTROL_NEW, runtime->folder_fd,
					RUNTIME_CONTROL) < 0)
		return -errno;
	runtime->control_fd = take_fd(&fd);
	return 0;
}

int runtime_open_notify(struct runtime *runtime, const char *name, uid_t uid, int *ret_fd)
{
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;
	int r;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return -errno;
	(void)unlinkat(runtime->notify_fd, name, 0);
	r = bind_in(runtime->notify_fd, name, fd);
	if (r < 0)
		return r;
	if (fchmodat(runtime->notify_fd, name, 0600, 0) < 0)
		return -errno;
	if (uid != (uid_t)-1 && uid != geteuid() &&
			fchownat(runtime->notify_fd, name, uid, (gid_t)-1,
					AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

void runtime_remove_notify(struct runtime *runtime, const char *name)
{
	(void)unlinkat(runtime->notify_fd, name, 0);
}

void runtime_clear(struct runtime *runtime)
{
	(void)unlinkat(runtime->folder_fd, RUNTIME_CONTROL, 0);
	(void)unlinkat(runtime->folder_fd, RUNTIME_NOTIFY, AT_REMOVEDIR);
	(void)unlinkat(runtime->folder_fd, "state", AT_REMOVEDIR);
	/* Kept when it has something to read. */
	(void)unlinkat(runtime->folder_fd, "log", AT_REMOVEDIR);
	(void)unlinkat(runtime->folder_fd, "run", AT_REMOVEDIR);
}

void runtime_fini(struct runtime *runtime)
{
	runtime->control_fd = close_fd(runtime->control_fd);
	runtime->log_fd = close_fd(runtime->log_fd);
	runtime->notify_fd = close_fd(runtime->notify_fd);
	runtime->state_fd = close_fd(runtime->state_fd);
	runtime->lock_fd = close_fd(runtime->lock_fd);
	runtime->folder_fd = close_fd(runtime->folder_fd);
}
