/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/procid.h"
#include "unit/instance.h"

#define OWN_LEAF   "airssysd.keeper" /* in DelegateSubgroup=, from systemd 254 on */
#define ROUNDS_MAX 64 /* walks over a unit whose processes keep forking */
#define DEPTH_MAX  32 /* folders below a unit's */
#define DEPTH_TEXT "33" /* the same below the instance\'s */

static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

struct leaf {
	char name[CGROUP_LEAF_NAME_SIZE];
};

int cgroup_leaf_name(const struct charge *charge, char *name, size_t size)
{
	int n = snprintf(name, size, "%s%s", charge->name, INSTANCE_LEAF_SUFFIX);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : n;
}

static const char *leaf_name(const struct charge *charge, struct leaf *leaf)
{
	return cgroup_leaf_name(charge, leaf->name, sizeof(leaf->name)) < 0 ? NULL
									    : leaf->name;
}

static const char *find_mount(void)
{
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		if (statfs(mounts[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return mounts[i];
	return NULL;
}

/* The v2 line of /proc/PID/cgroup; the caller frees it. */
static int read_membership(const char *proc_file, char **ret_path)
{
	auto_free char *data = NULL;
	char *line, *end;
	size_t size;
	int r;

	r = file_read(proc_file, 64 * 1024, &data, &size);
	if (r < 0)
		return r;
	line = has_prefix(data, "0::") ? data : strstr(data, "\n0::");
	if (!line)
		return -ENOENT;
	line = strchr(line, ':') + 2;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*ret_path = strdup(line);
	return *ret_path ? 0 : -ENOMEM;
}

static int write_file(int dir_fd, const char *name, const char *value)
{
	auto_close int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static bool is_delegated(const char *path)
{
	char value[2] = "";

	return (getxattr(path, "trusted.delegate", value, 1) == 1 ||
			       getxattr(path, "user.delegate", value, 1) == 1) &&
			value[0] == '1';
}

/*
 * Resource controllers for the leaves of a keeper that was put into OWN_LEAF. The kernel
 * lets no process into a folder that hands controllers down: a service manager that
 * starts the next keeper in the folder itself, as systemd does before its version 254,
 * could not start it while services of the last one live there. So the keeper does not
 * move by itself. Only where the folder was given to it, since others may live in one
 * that was not.
 */
static void enable_controllers(const char *own, int folder_fd)
{
	static const char *const controllers[] = { "+cpu", "+memory", "+pids" };
	auto_close int own_fd = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (own_fd < 0 || !is_delegated(own))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		if (write_file(own_fd, "cgroup.subtree_control", controllers[i]) < 0 ||
				write_file(folder_fd, "cgroup.subtree_control",
						controllers[i]) < 0)
			log_info("cgroup controller %s is not available",
					controllers[i] + 1);
}

static int make_folder(struct cgroup *cgroup, const char *instance)
{
	auto_free char *membership = NULL, *own = NULL, *path = NULL;
	const char *mount = find_mount(), *last;
	bool is_in_leaf;
	int r;

	if (!mount)
		return -ENOENT;
	r = read_membership("/proc/self/cgroup", &membership);
	if (r < 0)
		return r;
	last = strrchr(membership, '/');
	is_in_leaf = last && strcmp(last + 1, OWN_LEAF) == 0;
	if (is_in_leaf)
		membership[last - membership] = '\0';
	own = text_format("%s%s", mount, strcmp(membership, "/") == 0 ? "" : membership);
	path = own ? text_format("%s/%s", own, instance) : NULL;
	if (!path)
		return -ENOMEM;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	cgroup->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->folder_fd < 0)
		return -errno;
	cgroup->path = TAKE_PTR(path);
	/* A service to which its leaf is delegated must not be able to dig deeper than we
	 * look. */
	if (write_file(cgroup->folder_fd, "cgroup.max.depth", DEPTH_TEXT) < 0)
		log_info("the depth of %s cannot be limited", cgroup->path);
	if (is_in_leaf)
		enable_controllers(own, cgroup->folder_fd);
	return 0;
}

/* The folder of an earlier keeper, which may have lived elsewhere in the tree. */
static bool take_previous(struct cgroup *cgroup, const char *previous)
{
	auto_close int fd = -1;
	struct statfs fs;

	if (!previous)
		return false;
	fd = open(previous, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return false;
	cgroup->path = strdup(previous);
	if (!cgroup->path)
		return false;
	cgroup->folder_fd = take_fd(&fd);
	return true;
}

int cgroup_init(struct cgroup *cgroup, const char *instance, const char *previous)
{
	const char *mount;
	int r = 0;

	*cgroup = (struct cgroup){ .folder_fd = -1, .inotify_fd = -1 };
	cgroup->source.fd = -1;
	if (!take_previous(cgroup, previous))
		r = make_folder(cgroup, instance);
	mount = r == 0 ? find_mount() : NULL;
	if (mount && has_prefix(cgroup->path, mount))
		cgroup->mount_size = strlen(mount);
	return r;
}

/* Events were lost: any watched leaf may have changed. */
static void look_at_all(struct cgroup *cgroup)
{
	struct charge *charge;
	size_t cursor;

	map_foreach(&cgroup->watches, cursor, charge)
		cgroup->on_event(cgroup->data, charge);
}

static void on_inotify(struct loop_source *source, uint32_t events)
{
	struct cgroup *cgroup = CONTAINER_OF(source, struct cgroup, source);
	char buffer[4096] __attribute__((aligned(8)));
	const struct inotify_event *event;
	struct charge *charge;
	ssize_t n;

	(void)events;
	n = read(cgroup->inotify_fd, buffer, sizeof(buffer));
	for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*event) + event->len)) {
		event = (const struct inotify_event *)(const void *)(buffer + at);
		if (event->mask & IN_Q_OVERFLOW)
			look_at_all(cgroup);
		charge = map_find_number(&cgroup->watches, (uint64_t)event->wd);
		if (charge)
			cgroup->on_event(cgroup->data, charge);
	}
}

int cgroup_start_watching(struct cgroup *cgroup, struct loop *loop,
		cgroup_event_fn *on_event, void *data)
{
	cgroup->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (cgroup->inotify_fd < 0)
		return -errno;
	cgroup->loop = loop;
	cgroup->on_event = on_event;
	cgroup->data = data;
	cgroup->source.on_ready = on_inotify;
	return loop_add(loop, &cgroup->source, cgroup->inotify_fd, EPOLLIN);
}

/* Removes what is empty below, deepest first, and so many levels of it. */
static void remove_tree(int parent_fd, const char *name, unsigned int depth)
{
	DIR *dir;
	struct dirent *entry;
	int fd;

	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno != EBUSY || depth == 0)
		return;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		close_fd(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			remove_tree(dirfd(dir), entry->d_name, depth - 1);
	(void)closedir(dir);
	(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
}

void cgroup_fini(struct cgroup *cgroup)
{
	if (cgroup->loop)
		loop_remove(cgroup->loop, &cgroup->source);
	cgroup->inotify_fd = close_fd(cgroup->inotify_fd);
	map_fini(&cgroup->watches);
	if (cgroup->folder_fd >= 0)
		remove_tree(AT_FDCWD, cgroup->path, DEPTH_MAX + 1);
	cgroup->folder_fd = close_fd(cgroup->folder_fd);
	free(cgroup->path);
	cgroup->path = NULL;
}

static int open_in_leaf(const struct cgroup *cgroup, const struct charge *charge,
		const char *file, int flags)
{
	char path[NAME_MAX + 64];
	int n = snprintf(path, sizeof(path), "%s%s/%s", charge->name,
			INSTANCE_LEAF_SUFFIX, file);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(cgroup->folder_fd, path, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int cgroup_is_populated(struct cgroup *cgroup, const struct charge *charge)
{
	auto_close int fd = open_in_leaf(cgroup, charge, "cgroup.events", O_RDONLY);
	char text[256];
	ssize_t n;

	n = fd < 0 ? fd : read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		n = fd < 0 ? fd : -errno;
		return n == -ENOENT || n == -ENODEV ? 0 : (int)n;
	}
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

void cgroup_await_empty(struct cgroup *cgroup, const struct charge *charge,
		uint64_t deadline_usec)
{
	auto_close int fd = open_in_leaf(cgroup, charge, "cgroup.events", O_RDONLY);
	struct pollfd changed = { .fd = fd, .events = POLLPRI };
	uint64_t now = clock_monotonic_usec();
	char text[256];

	/* A change is told to who has read what was before. */
	while (fd >= 0 && pread(fd, text, sizeof(text), 0) > 0 &&
			cgroup_is_populated(cgroup, charge) > 0 && now < deadline_usec) {
		(void)poll(&changed, 1, (int)((deadline_usec - now) / USEC_PER_MSEC) + 1);
		now = clock_monotonic_usec();
	}
}

void cgroup_unwatch(struct cgroup *cgroup, struct charge *charge)
{
	if (charge->events_watch < 0)
		return;
	(void)inotify_rm_watch(cgroup->inotify_fd, charge->events_watch);
	(void)map_remove_number(&cgroup->watches, (uint64_t)charge->events_watch);
	charge->events_watch = -1;
}

void cgroup_forget(struct cgroup *cgroup, struct charge *charge)
{
	cgroup_unwatch(cgroup, charge);
	charge->has_cgroup = charge->leaf_is_spent = false;
}

bool cgroup_remove_empty(struct cgroup *cgroup, struct charge *charge)
{
	struct leaf leaf;

	if (!charge->has_cgroup || !leaf_name(charge, &leaf) ||
			(unlinkat(cgroup->folder_fd, leaf.name, AT_REMOVEDIR) < 0 &&
					errno != ENOENT))
		return false;
	cgroup_forget(cgroup, charge);
	return true;
}

void cgroup_remove(struct cgroup *cgroup, struct charge *charge)
{
	struct leaf leaf;

	cgroup_unwatch(cgroup, charge);
	if (!charge->has_cgroup || !leaf_name(charge, &leaf))
		return;
	remove_tree(cgroup->folder_fd, leaf.name, DEPTH_MAX);
	charge->has_cgroup = false;
}

/*
 * Since Linux 6.14 a process that is cloned into a cgroup which was once killed as a
 * whole is killed at its birth, because the kernel compares the count of kills of that
 * cgroup with the one of its parent's. A leaf that was killed is therefore made anew.
 */
static void renew_leaf(struct cgroup *cgroup, struct charge *charge)
{
	if (!charge->leaf_is_spent || cgroup_is_populated(cgroup, charge) != 0)
		return;
	cgroup_remove(cgroup, charge);
	charge->leaf_is_spent = false;
}

int cgroup_open(struct cgroup *cgroup, struct charge *charge, int *ret_fd)
{
	struct leaf leaf;
	int fd;

	if (!leaf_name(charge, &leaf))
		return -ENAMETOOLONG;
	renew_leaf(cgroup, charge);
	if (!charge->has_cgroup && mkdirat(cgroup->folder_fd, leaf.name, 0755) < 0 &&
			errno != EEXIST)
		return -errno;
	charge->has_cgroup = true;
	fd = openat(cgroup->folder_fd, leaf.name,
			O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

bool cgroup_adopt(struct cgroup *cgroup, struct charge *charge)
{
	struct leaf leaf;

	if (cgroup_is_there(cgroup) && leaf_name(charge, &leaf) &&
			faccessat(cgroup->folder_fd, leaf.name, F_OK, 0) == 0)
		charge->has_cgroup = charge->leaf_is_spent = true;
	return charge->has_cgroup;
}

int cgroup_watch(struct cgroup *cgroup, struct charge *charge)
{
	auto_free char *path = NULL;
	int wd, r;

	if (charge->events_watch >= 0)
		return 0;
	path = text_format("%s/%s%s/cgroup.events", cgroup->path, charge->name,
			INSTANCE_LEAF_SUFFIX);
	if (!path)
		return -ENOMEM;
	wd = inotify_add_watch(cgroup->inotify_fd, path, IN_MODIFY);
	if (wd < 0)
		return -errno;
	r = map_put_number(&cgroup->watches, (uint64_t)wd, charge);
	if (r < 0) {
		(void)inotify_rm_watch(cgroup->inotify_fd, wd);
		return r;
	}
	charge->events_watch = wd;
	return 0;
}

bool cgroup_contains(const struct cgroup *cgroup, const struct charge *charge, pid_t pid)
{
	auto_free char *membership = NULL, *leaf = NULL;
	char proc_file[64];
	size_t n;

	(void)snprintf(proc_file, sizeof(proc_file), "/proc/%d/cgroup", pid);
	if (!cgroup_is_there(cgroup) || read_membership(proc_file, &membership) < 0)
		return false;
	leaf = text_format("%s/%s%s", cgroup->path + cgroup->mount_size, charge->name,
			INSTANCE_LEAF_SUFFIX);
	if (!leaf || !has_prefix(membership, leaf))
		return false;
	n = strlen(leaf);
	return membership[n] == '\0' || membership[n] == '/';
}

/* A live child of the unit's own: its number is its own until it is waited for. */
static bool is_own_child(const struct charge *charge, pid_t pid)
{
	const struct process *process;

	list_foreach(process, &charge->processes, link)
		if (process->pid == pid && process_is_live(process) &&
				!process->is_foreign)
			return true;
	return false;
}

/* The keeper's own children get theirs elsewhere, or not. */
enum whom { WHOLE_UNIT, REST_OF_UNIT };

/* A walk over a unit's processes, which is repeated until nobody new is met. */
struct walk {
	const struct cgroup *cgroup;
	const struct charge *charge;
	struct signals signals;
	enum whom whom;
	struct map seen;
	int count; /* how many were signalled */
};

/* A stranger's pid is pinned first and asked for its cgroup after: a number that was
 * reused meanwhile is another's. */
static bool signal_member(const struct walk *walk, pid_t pid)
{
	auto_close int pidfd = -1;

	if (is_own_child(walk->charge, pid))
		return walk->whom == WHOLE_UNIT &&
				signals_to_child(pid, walk->signals) == 0;
	pidfd = pidfd_open_pid(pid);
	return pidfd >= 0 && cgroup_contains(walk->cgroup, walk->charge, pid) &&
			signals_to_pidfd(pidfd, walk->signals) == 0;
}

static int signal_if_new(struct walk *walk, pid_t pid)
{
	int r;

	if (map_find_number(&walk->seen, (uint64_t)pid))
		return 0;
	r = map_put_number(&walk->seen, (uint64_t)pid, walk);
	if (r == 0)
		walk->count += signal_member(walk, pid);
	return r;
}

/* 0 also for a folder that is gone or is threaded: the processes of such a one are listed
 * above it. */
static int signal_in_folder(struct walk *walk, int folder_fd)
{
	auto_close int fd = openat(folder_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	auto_free char *data = NULL;
	char *line, *rest;
	size_t size;
	pid_t pid;
	int r;

	r = fd < 0 ? -errno : fd_read_all(fd, 1024 * 1024, &data, &size);
	if (r < 0)
		return r == -ENODEV || r == -ENOENT || r == -EOPNOTSUPP ? 0 : r;
	rest = data;
	while (r == 0 && (line = strsep(&rest, "\n")))
		if (parse_pid(line, &pid) == 0)
			r = signal_if_new(walk, pid);
	return r;
}

/* A service may have made folders of its own (delegation, a container). */
static bool has_folders(int folder_fd)
{
	struct stat st;

	return fstat(folder_fd, &st) == 0 && st.st_nlink > 2;
}

static int signal_in_tree(struct walk *walk, int folder_fd, unsigned int depth)
{
	int r = signal_in_folder(walk, folder_fd);
	struct dirent *entry;
	DIR *dir;
	int fd;

	if (r < 0 || depth == 0 || !has_folders(folder_fd))
		return r;
	fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		close_fd(fd);
		return 0;
	}
	while (r == 0 && (entry = readdir(dir))) {
		auto_close int sub_fd = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		sub_fd = openat(dirfd(dir), entry->d_name,
				O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (sub_fd >= 0)
			r = signal_in_tree(walk, sub_fd, depth - 1);
	}
	(void)closedir(dir);
	return r;
}

static int signal_until_stable(const struct cgroup *cgroup, const struct charge *charge,
		struct signals signals, enum whom whom)
{
	auto_close int fd = open_in_leaf(cgroup, charge, ".", O_RDONLY | O_DIRECTORY);
	struct walk walk = {
		.cgroup = cgroup, .charge = charge, .signals = signals, .whom = whom
	};
	int before = -1, r = 0;

	if (fd < 0)
		return fd == -ENOENT ? -ESRCH : fd;
	for (int round = 0; round < ROUNDS_MAX && r == 0 && walk.count > before;
			round++) {
		before = walk.count;
		r = signal_in_tree(&walk, fd, DEPTH_MAX);
	}
	map_fini(&walk.seen);
	if (r < 0)
		return r;
	return walk.count > 0 ? 0 : -ESRCH;
}

int cgroup_signal(struct cgroup *cgroup, struct charge *charge, struct signals signals)
{
	auto_close int fd = -1;

	if (signals.first != SIGKILL)
		return signal_until_stable(cgroup, charge, signals, WHOLE_UNIT);
	if (cgroup_is_populated(cgroup, charge) == 0)
		return -ESRCH;
	fd = open_in_leaf(cgroup, charge, "cgroup.kill", O_WRONLY);
	if (fd >= 0 && write(fd, "1", 1) == 1) {
		charge->leaf_is_spent = true;
		return 0;
	}
	return signal_until_stable(cgroup, charge, signals, WHOLE_UNIT);
}

int cgroup_signal_rest(
		struct cgroup *cgroup, struct charge *charge, struct signals signals)
{
	return signal_until_stable(cgroup, charge, signals, REST_OF_UNIT);
}
