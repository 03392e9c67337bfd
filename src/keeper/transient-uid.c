/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/transient-uid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"

struct lock_name {
	char text[16];
};

static struct lock_name name_of(uid_t uid)
{
	struct lock_name name;

	(void)snprintf(name.text, sizeof(name.text), "%u", (unsigned int)uid);
	return name;
}

/* systemd's lock: a locked file of this name that still has one. */
static int lock_file(int folder_fd, uid_t uid)
{
	struct lock_name name = name_of(uid);
	auto_close int fd = openat(folder_fd, name.text,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	struct stat st;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
		return -errno;
	return st.st_nlink > 0 ? take_fd(&fd) : -EWOULDBLOCK;
}

/* It is given back by the kernel whatever becomes of us. */
static int lock_socket(uid_t uid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n;

	if (fd < 0)
		return -errno;
	n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
			"airssys/transient-uid/%u", (unsigned int)uid);
	if (bind(fd, (struct sockaddr *)&address,
			    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
					    (size_t)n)) < 0)
		return errno == EADDRINUSE ? -EWOULDBLOCK : -errno;
	return take_fd(&fd);
}

/* Whether a process runs under this uid now. */
static bool is_in_use(uid_t uid)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool found = false;
	struct stat st;
	pid_t pid;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = parse_pid(entry->d_name, &pid) == 0 &&
				fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
				st.st_uid == uid;
	(void)closedir(dir);
	return found;
}

/* 0; -EWOULDBLOCK: this one is another's. */
static int try_uid(struct transient_uid *t, struct users *users, uid_t uid)
{
	const struct user *user;

	if (users_find_uid(users, uid, &user) != -ESRCH)
		return -EWOULDBLOCK;
	t->uid = uid;
	t->lock_fd = t->folder_fd >= 0 ? lock_file(t->folder_fd, uid) : lock_socket(uid);
	if (t->lock_fd < 0)
		return t->lock_fd;
	if (!is_in_use(uid))
		return 0;
	t->lock_fd = close_fd(t->lock_fd);
	return -EWOULDBLOCK;
}

int transient_uid_take(const char *lock_folder, struct users *users,
		struct transient_uid *ret_uid)
{
	const unsigned int range = TRANSIENT_UID_LAST - TRANSIENT_UID_FIRST + 1;
	struct transient_uid t = { .lock_fd = -1 };
	uint64_t start = clock_random() % range;
	int r = -EWOULDBLOCK;

	t.folder_fd = open(lock_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned int i = 0; i < range && r == -EWOULDBLOCK; i++)
		r = try_uid(&t, users,
				TRANSIENT_UID_FIRST + (uid_t)((start + i) % range));
	if (r < 0) {
		close_fd(t.folder_fd);
		return r == -EWOULDBLOCK ? -EUSERS : r;
	}
	*ret_uid = t;
	return 0;
}

void transient_uid_release(struct transient_uid *uid)
{
	struct lock_name name = name_of(uid->uid);

	if (uid->lock_fd >= 0 && uid->folder_fd >= 0)
		(void)unlinkat(uid->folder_fd, name.text, 0);
	uid->lock_fd = close_fd(uid->lock_fd);
	uid->folder_fd = close_fd(uid->folder_fd);
}
