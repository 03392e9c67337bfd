/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/text.h"

/*
 * Checks are made on the open descriptor, never on a name. O_NONBLOCK keeps a planted
 * FIFO from holding the reader up; the size is refused before a byte is read; what
 * changed between the two looks at the file is not handed out.
 */

/* So that nobody keeps the reader busy. */
#define TRIES_MAX 16

#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* The error of a component that could not be opened: a link is told apart from a file. */
static int refuse_component(int at, const char *part)
{
	int error = errno;
	struct stat st;

	if (error == ENOTDIR && fstatat(at, part, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISLNK(st.st_mode))
		return -ELOOP;
	return -error;
}

/* Kernels before 5.6 and filters without openat2: one component after the other. */
static int walk_beneath(int dir_fd, const char *name)
{
	auto_close int folder = -1;
	char part[NAME_MAX + 1];
	size_t n;
	int at = dir_fd, fd;

	if (*name == '/')
		return -EXDEV;
	for (;;) {
		n = strcspn(name, "/");
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(part, name, n);
		part[n] = '\0';
		if (strcmp(part, "..") == 0)
			return -EXDEV;
		name += n;
		fd = openat(at, part,
				*name ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
				      : OPEN_FLAGS | O_NOFOLLOW);
		if (fd < 0 || !*name)
			return fd < 0 ? refuse_component(at, part) : fd;
		close_fd(folder);
		at = folder = fd;
		name += strspn(name, "/");
	}
}

static int open_beneath(int dir_fd, const char *name)
{
	struct open_how how = {
		.flags = OPEN_FLAGS | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd, tries = 0;

	/* EAGAIN: something was renamed meanwhile, or somebody holds a lease. */
	do {
		fd = (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN) && ++tries < TRIES_MAX);
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return walk_beneath(dir_fd, name);
	return fd < 0 ? -errno : fd;
}

static enum path_refusal judge_owner(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return PATH_FOREIGN;
	return st->st_mode & 022 ? PATH_WRITABLE : PATH_OK;
}

static enum path_refusal judge_file(const struct stat *st, size_t limit)
{
	if (!S_ISREG(st->st_mode))
		return PATH_NOT_REGULAR;
	if (judge_owner(st) != PATH_OK)
		return judge_owner(st);
	return (uint64_t)st->st_size > limit ? PATH_TOO_LARGE : PATH_OK;
}

/* The error that goes with a refusal. */
static int refuse(enum path_refusal refusal, enum path_refusal *ret_refusal)
{
	static const int errors[] = {
		[PATH_NOT_REGULAR] = EINVAL,
		[PATH_FOREIGN] = EPERM,
		[PATH_WRITABLE] = EPERM,
		[PATH_TOO_LARGE] = EFBIG,
		[PATH_CHANGED] = ESTALE,
		[PATH_PARENT_FOREIGN] = EPERM,
		[PATH_PARENT_WRITABLE] = EPERM,
	};

	*ret_refusal = refusal;
	return -errors[refusal];
}

static int open_checked(int dir_fd, const char *name, size_t limit, struct stat *ret_st,
		enum path_refusal *ret_refusal)
{
	auto_close int fd = open_beneath(dir_fd, name);
	enum path_refusal refusal;

	*ret_refusal = PATH_ERROR;
	if (fd == -ENXIO || fd == -ENODEV) /* a socket, a device without a driver */
		return refuse(PATH_NOT_REGULAR, ret_refusal);
	if (fd < 0)
		return fd;
	if (fstat(fd, ret_st) < 0)
		return -errno;
	refusal = judge_file(ret_st, limit);
	if (refusal != PATH_OK)
		return refuse(refusal, ret_refusal);
	*ret_refusal = PATH_OK;
	return take_fd(&fd);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && same_time(&a->st_mtim, &b->st_mtim) &&
			same_time(&a->st_ctim, &b->st_ctim);
}

int path_open_trusted(int dir_fd, const char *name, size_t limit, int *ret_fd,
		enum path_refusal *ret_refusal)
{
	struct stat st;
	int fd;

	fd = open_checked(dir_fd, name, limit, &st, ret_refusal);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int path_read_trusted(int dir_fd, const char *name, size_t limit, char **ret_data,
		size_t *ret_size, enum path_refusal *ret_refusal)
{
	struct stat before, after;
	auto_close int fd = open_checked(dir_fd, name, limit, &before, ret_refusal);
	auto_free char *data = NULL;
	size_t size;
	int r;

	if (fd < 0)
		return fd;
	*ret_refusal = PATH_ERROR;
	r = fd_read_all(fd, limit, &data, &size);
	if (r == -EFBIG)
		return refuse(PATH_TOO_LARGE, ret_refusal);
	if (r < 0)
		return r;
	if (fstat(fd, &after) < 0)
		return -errno;
	if (!is_unchanged(&before, &after) || size != (size_t)before.st_size)
		return refuse(PATH_CHANGED, ret_refusal);
	*ret_refusal = PATH_OK;
	*ret_data = TAKE_PTR(data);
	*ret_size = size;
	return 0;
}

#define LINKS_MAX 40 /* as the kernel */

/* A search on its way: what is left of the path, in the folder reached so far. */
struct search {
	int at;
	char *path, *rest; /* rest points into path */
	unsigned int links;
};

/* 1 with the target of a link that may be followed, 0 for what is no link. The link is
 * held while it is judged, so that nobody exchanges it. */
static int read_link(int at, const char *part, char target[static PATH_MAX])
{
	auto_close int fd = openat(at, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode))
		return 0;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return -ELOOP;
	n = readlinkat(fd, "", target, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return 1;
}

static int go_to(struct search *search, const char *folder)
{
	int fd = openat(search->at, folder,
			O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close_fd(search->at);
	search->at = fd;
	return 0;
}

static int follow(struct search *search, const char *target)
{
	char *path;

	if (++search->links > LINKS_MAX)
		return -ELOOP;
	path = text_format("%s%s", target, search->rest);
	if (!path)
		return -ENOMEM;
	free(search->path);
	search->path = search->rest = path;
	return *path == '/' ? go_to(search, "/") : 0;
}

/* The next component: 1 when it is the file, whose name is in part. */
static int step(struct search *search, char part[static PATH_NAME_SIZE])
{
	char target[PATH_MAX];
	size_t n;
	bool is_last;
	int r;

	search->rest += strspn(search->rest, "/");
	n = strcspn(search->rest, "/");
	if (n == 0 || n >= PATH_NAME_SIZE)
		return n == 0 ? -EISDIR : -ENAMETOOLONG;
	memcpy(part, search->rest, n);
	part[n] = '\0';
	search->rest += n;
	is_last = *search->rest == '\0';
	r = read_link(search->at, part, target);
	if (r > 0)
		return follow(search, target);
	if (r < 0 && !(r == -ENOENT && is_last))
		return r;
	if (!is_last)
		return go_to(search, part);
	return strcmp(part, ".") == 0 || strcmp(part, "..") == 0 ? -EISDIR : 1;
}

int path_find(const char *path, int *ret_dir_fd, char ret_name[static PATH_NAME_SIZE])
{
	struct search search = { .at = AT_FDCWD, .path = strdup(path) };
	char part[PATH_NAME_SIZE];
	int r;

	search.rest = search.path;
	r = !search.path ? -ENOMEM : *path != '/' ? -EINVAL : go_to(&search, "/");
	while (r == 0)
		r = step(&search, part);
	free(search.path);
	if (r < 0) {
		close_fd(search.at);
		return r;
	}
	memcpy(ret_name, part, strlen(part) + 1);
	*ret_dir_fd = search.at;
	return 0;
}

enum path_refusal path_check_folder(int dir_fd)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return PATH_ERROR;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return PATH_ERROR;
	}
	return judge_owner(&st);
}

static enum path_refusal judge_parent(const struct stat *st)
{
	enum path_refusal refusal = judge_owner(st);

	if (refusal == PATH_FOREIGN)
		return PATH_PARENT_FOREIGN;
	if (refusal == PATH_WRITABLE && !(st->st_mode & S_ISVTX))
		return PATH_PARENT_WRITABLE;
	return PATH_OK;
}

/* Above the root is the root. */
static bool is_same_folder(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

enum path_refusal path_check_parents(int dir_fd)
{
	auto_close int fd = -1;
	enum path_refusal refusal;
	struct stat below, st;
	int up;

	if (fstat(dir_fd, &below) < 0)
		return PATH_ERROR;
	for (;; below = st) {
		up = openat(fd < 0 ? dir_fd : fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close_fd(fd);
		fd = up;
		if (fd < 0 || fstat(fd, &st) < 0)
			return PATH_ERROR;
		if (is_same_folder(&st, &below))
			return PATH_OK;
		refusal = judge_parent(&st);
		if (refusal != PATH_OK)
			return refusal;
	}
}

const char *path_refusal_text(enum path_refusal refusal)
{
	static const char *const texts[] = {
		[PATH_OK] = "it can be trusted",
		[PATH_ERROR] = "it cannot be opened or read",
		[PATH_NOT_REGULAR] = "it is not a regular file",
		[PATH_FOREIGN] =
				"it belongs neither to root nor to the user who runs this",
		[PATH_WRITABLE] = "its group or others may write it",
		[PATH_TOO_LARGE] = "it is too large",
		[PATH_CHANGED] = "it changed while it was read",
		[PATH_PARENT_FOREIGN] =
				"a folder above it belongs neither to root nor to "
				"the user who runs this",
		[PATH_PARENT_WRITABLE] =
				"a folder above it may be written by its group or "
				"others, and is not sticky",
	};

	return texts[refusal];
}

static int make_folder(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int path_make_folders(const char *path, unsigned int mode)
{
	auto_free char *copy = strdup(path);
	int r;

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + strspn(copy, "/"); *p; p += strspn(p, "/")) {
		char *end = p + strcspn(p, "/"), saved = *end;

		*end = '\0';
		r = make_folder(copy, mode);
		if (r < 0)
			return r;
		*end = saved;
		p = end;
	}
	return 0;
}

/* One folder, in one that is there. */
static int make_found(const char *path, unsigned int mode)
{
	auto_close int dir_fd = -1;
	char name[PATH_NAME_SIZE];
	int r = path_find(path, &dir_fd, name);

	if (r < 0)
		return r == -EISDIR ? 0 : r; /* "..": it was made before */
	return mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_found(const char *path)
{
	auto_close int dir_fd = -1;
	char name[PATH_NAME_SIZE];
	int r = path_find(path, &dir_fd, name), fd;

	if (r < 0)
		return r;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* "x/", "x/.": x is meant. */
static void cut_dots(char *path)
{
	size_t n = strlen(path);

	while (n > 1 &&
			(path[n - 1] == '/' ||
					(path[n - 1] == '.' && path[n - 2] == '/')))
		path[--n] = '\0';
}

int path_make_trusted(const char *path, unsigned int mode, int *ret_fd)
{
	auto_free char *copy = strdup(path);
	auto_close int fd = -1;
	int r;

	if (!copy)
		return -ENOMEM;
	cut_dots(copy);
	for (char *end = copy, saved; *end; *end = saved) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		saved = *end;
		*end = '\0';
		r = make_found(copy, mode);
		if (r < 0)
			return r;
	}
	fd = open_found(copy);
	if (fd < 0)
		return fd;
	if (path_check_folder(fd) != PATH_OK || path_check_parents(fd) != PATH_OK)
		return -EPERM;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Opens the folder of this name in dir_fd, which is made when it is not there. */
static int enter_folder(int dir_fd, const char *name, unsigned int mode, int *ret_fd)
{
	int fd;

	if (strcmp(name, "..") == 0)
		return -EXDEV;
	if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return refuse_component(dir_fd, name);
	*ret_fd = fd;
	return 0;
}

int path_make_beneath(const char *base, const char *name, unsigned int mode, int *ret_fd)
{
	auto_free char *copy = strdup(name);
	auto_close int at = -1;
	char *rest = copy, *part;
	int fd = -1, r;

	if (!copy)
		return -ENOMEM;
	if (!*name)
		return -EINVAL;
	r = path_make_folders(base, mode);
	if (r < 0)
		return r;
	at = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -errno;
	while ((part = strsep(&rest, "/"))) {
		if (!*part)
			continue;
		r = enter_folder(at, part, mode, &fd);
		if (r < 0)
			return r;
		close_fd(at);
		at = fd;
	}
	*ret_fd = take_fd(&at);
	return 0;
}
