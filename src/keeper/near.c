/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/near.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/text.h"

/*
 * Looking a path up may itself wait for the server. RESOLVE_CACHED (Linux 5.12) looks only
 * at what the kernel has in memory and gives -EAGAIN for the rest; statx without
 * synchronising then names the mount, and the mount table its kind.
 */

#define MOUNTS_MAX (4 * 1024 * 1024)

/* Prefixes: "nfs" is nfs4 too, "fuse" is fuse.sshfs and fuseblk too. */
static const char *const far_kinds[] = { "nfs", "fuse", "9p", "cifs", "smb", "ceph",
	"afs", "coda", "autofs", "virtiofs", "lustre", "gfs2", "ocfs2", "glusterfs",
	"gpfs", "orangefs", "beegfs", "ncpfs" };

void near_init(struct near *near)
{
	*near = (struct near){ .mounts_fd = -1 };
}

void near_fini(struct near *near)
{
	near->mounts_fd = close_fd(near->mounts_fd);
	free(near->far);
	near->far = NULL;
	near->n_far = 0;
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

	if (near->mounts_fd >= 0 && poll(&changed, 1, 0) == 0)
		return 0;
	if (near->mounts_fd < 0)
		near->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (near->mounts_fd < 0)
		return -errno;
	return read_mounts(near);
}

static bool is_far_mount(struct near *near, int mount)
{
	if (renew_mounts(near) < 0) {
		near->mounts_fd = close_fd(near->mounts_fd); /* read it again */
		return true;
	}
	for (size_t i = 0; i < near->n_far; i++)
		if (near->far[i] == mount)
			return true;
	return false;
}

/* A descriptor, or a negative errno. */
static int look_up(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED };
	long r = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return r < 0 ? -errno : (int)r;
}

bool near_has(struct near *near, const char *path)
{
	auto_close int fd = -1;
	struct statx st;

	if (!path || near->is_unknown)
		return true;
	fd = look_up(path);
	near->is_unknown = fd == -ENOSYS || fd == -EINVAL;
	if (fd < 0)
		return fd != -EAGAIN;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) < 0)
		return false;
	return !is_far_mount(near, (int)st.stx_mnt_id);
}
