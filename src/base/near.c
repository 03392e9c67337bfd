/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/near.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"

/*
 * Looking a path up may itself wait for the server. RESOLVE_CACHED (Linux 5.12) looks only
 * at what the kernel has in memory and gives -EAGAIN for the rest; statx without
 * synchronising then names the mount, and the mount table its kind. What is not in memory
 * is read when the folder that has it is near: a mount point is always in memory, so
 * nothing far hides behind a name that is not.
 */

#define LINKS_MAX 40 /* of one path, as in the kernel */

#define MOUNTS_MAX (4 * 1024 * 1024)

/* Prefixes: "nfs" is nfs4 too, "fuse" is fuse.sshfs and fuseblk too. */
static const char *const far_kinds[] = { "nfs", "fuse", "9p", "cifs", "smb", "ceph",
	"afs", "coda", "autofs", "virtiofs", "lustre", "gfs2", "ocfs2", "glusterfs",
	"gpfs", "orangefs", "beegfs", "ncpfs" };

static void close_mounts(struct near *near)
{
	if (near->is_open)
		close_fd(near->mounts_fd);
	near->is_open = false;
}

void near_fini(struct near *near)
{
	close_mounts(near);
	free(near->far);
	*near = (struct near){ 0 };
}

static bool is_far_kind(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(far_kinds); i++)
		if (has_prefix(kind, far_kinds[i]))
			return true;
	return false;
}

static int add_far(struct near *near, int mount)
{
	int *more = realloc(near->far, (near->n_far + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	more[near->n_far++] = mount;
	near->far = more;
	return 0;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static int take_mount(struct near *near, char *line)
{
	char *kind = strstr(line, " - "), *number = strsep(&line, " ");
	int mount;

	if (!kind || parse_int(number, &mount) < 0)
		return 0;
	kind += strlen(" - ");
	kind[strcspn(kind, " ")] = '\0';
	return is_far_kind(kind) ? add_far(near, mount) : 0;
}

static int read_mounts(struct near *near)
{
	auto_free char *data = NULL;
	char *line, *rest;
	size_t size;
	int r;

	r = fd_read_all(near->mounts_fd, MOUNTS_MAX, &data, &size);
	near->n_far = 0;
	rest = r == 0 ? data : NULL;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = take_mount(near, line);
	return r;
}

/* The table as it is now: the kernel tells by poll when it has changed. */
static int renew_mounts(struct near *near)
{
	struct pollfd changed = { .fd = near->mounts_fd, .events = POLLPRI };

	if (near->is_open && poll(&changed, 1, 0) == 0)
		return 0;
	if (!near->is_open)
		near->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (near->mounts_fd < 0)
		return -errno;
	near->is_open = true;
	return read_mounts(near);
}

static bool is_far_mount(struct near *near, int mount)
{
	if (renew_mounts(near) < 0) {
		close_mounts(near); /* read it again */
		return true;
	}
	for (size_t i = 0; i < near->n_far; i++)
		if (near->far[i] == mount)
			return true;
	return false;
}

static bool is_far(struct near *near, int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) < 0)
		return true;
	return is_far_mount(near, (int)st.stx_mnt_id);
}

/* A descriptor, or a negative errno: -EAGAIN when the kernel would have to ask. */
static int look_up(int folder, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | flags,
		.resolve = RESOLVE_CACHED };
	long r = syscall(SYS_openat2, folder, path, &how, sizeof(how));

	return r < 0 ? -errno : (int)r;
}

/* The same for one name, which is read when its folder is near. */
static int look_up_name(struct near *near, int folder, const char *name)
{
	int fd = look_up(folder, name, O_NOFOLLOW);

	if (fd != -EAGAIN || is_far(near, folder))
		return fd;
	fd = openat(folder, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* A walk: the folder that was reached, and what is left of the path. */
struct walk {
	struct near *near;
	int at;
	unsigned int links;
	char rest[PATH_MAX];
};

/* Put the target of a link in front of what is left. */
static int take_link(struct walk *walk, int link)
{
	char target[PATH_MAX];
	ssize_t n;

	if (is_far(walk->near, link))
		return -EAGAIN;
	n = readlinkat(link, "", target, sizeof(target));
	if (n < 0)
		return -errno;
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + 1 + strlen(walk->rest) >= sizeof(walk->rest))
		return -ENAMETOOLONG;
	memmove(walk->rest + n + 1, walk->rest, strlen(walk->rest) + 1);
	memcpy(walk->rest, target, (size_t)n);
	walk->rest[n] = '/';
	return 0;
}

/* Take the next name off what is left and go there. */
static int step(struct walk *walk)
{
	char name[NAME_MAX + 1];
	char *rest = walk->rest;
	auto_close int fd = -1;
	struct statx st;
	size_t size;

	if (*rest == '/') {
		size = 1;
		fd = look_up(AT_FDCWD, "/", 0);
	} else {
		size = strcspn(rest, "/");
		if (size >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, rest, size);
		name[size] = '\0';
		fd = look_up_name(walk->near, walk->at, name);
	}
	if (fd < 0)
		return fd;
	size += strspn(rest + size, "/");
	memmove(rest, rest + size, strlen(rest + size) + 1);
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
		return -errno;
	if (S_ISLNK(st.stx_mode))
		return take_link(walk, fd);
	close_fd(walk->at);
	walk->at = take_fd(&fd);
	return 0;
}

/* Like look_up of a whole path, with what can be read without asking anybody. */
static int find(struct near *near, const char *path)
{
	struct walk walk = { .near = near, .at = -1 };
	int r;

	r = look_up(AT_FDCWD, path, 0);
	if (r != -EAGAIN || *path != '/')
		return r;
	if (strlen(path) >= sizeof(walk.rest))
		return -ENAMETOOLONG;
	memcpy(walk.rest, path, strlen(path) + 1);
	do
		r = step(&walk);
	while (r == 0 && *walk.rest);
	if (r == 0)
		return walk.at;
	close_fd(walk.at);
	return r;
}

bool near_has(struct near *near, const char *path)
{
	auto_close int fd = -1;

	if (!path || near->is_unknown)
		return true;
	fd = find(near, path);
	near->is_unknown = fd == -ENOSYS || fd == -EINVAL;
	if (fd < 0)
		return fd != -EAGAIN;
	return !is_far(near, fd);
}
