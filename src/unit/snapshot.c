/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/path.h"
#include "unit/code.h"
#include "unit/name.h"
#include "unit/store.h"

/*
 * Every folder is opened once and everything in it is opened relative to that descriptor,
 * so that nobody can exchange a folder between the check and the reading.
 */

#define DROP_IN_FOLDER_SUFFIX ".d"
#define DROP_IN_SUFFIX        ".conf"

enum trust {
	TRUST_CHECKED, /* owners and modes are checked */
	TRUST_ANY, /* the caller names the files */
};

struct loader {
	const struct strv *search_path;
	enum trust trust;
	struct unit_snapshot *snapshot;
	uint32_t capacity;
	struct map seen; /* "db.actor" or "db.actor/10-x.conf" → itself, owned by keys */
	struct strv keys;
};

void unit_file_fini(struct unit_file *f)
{
	free(f->path);
	free(f->unit);
	free(f->data);
	*f = (struct unit_file){ 0 };
}

void unit_snapshot_free(struct unit_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (uint32_t i = 0; i < snapshot->count && !snapshot->memory; i++)
		unit_file_fini(&snapshot->files[i]);
	diag_fini(&snapshot->diag);
	unit_refusals_fini(&snapshot->refusals);
	unit_programs_fini(&snapshot->programs);
	unit_store_unref(snapshot->store);
	free(snapshot->files);
	free(snapshot->memory);
	free(snapshot);
}

void unit_snapshot_set_context(
		struct unit_snapshot *snapshot, const struct unit_context *context)
{
	snapshot->context = *context;
	snapshot->context.programs = &snapshot->programs;
}

static const char *remedy_of(enum path_refusal refusal)
{
	switch (refusal) {
	case PATH_FOREIGN:
		return "Let root own it (chown root), or the user who runs airssysd.";
	case PATH_WRITABLE:
		return "Take the right to write from group and others (chmod go-w).";
	case PATH_NOT_REGULAR:
		return "Replace it by a regular file.";
	case PATH_TOO_LARGE:
		return "Make it smaller than 1 MiB.";
	case PATH_CHANGED:
		return "Load again when nobody writes to it.";
	case PATH_PARENT_FOREIGN:
	case PATH_PARENT_WRITABLE:
		return "Look with namei -l which one it is, and let only root and the user "
		       "who runs airssysd write it.";
	case PATH_OK:
	case PATH_ERROR:
		break;
	}
	return "Make it readable for the user who runs airssysd, or take it away.";
}

static void tell_refused(
		struct loader *l, const char *path, int error, enum path_refusal refusal)
{
	const char *why = refusal == PATH_ERROR ? strerrordesc_np(-error)
						: path_refusal_text(refusal);
	const char *remedy = remedy_of(refusal);

	if (refusal == PATH_ERROR && error == -EXDEV) {
		why = "it is a link that leads out of the folders of unit files";
		remedy = "Let it lead to a file in one of these folders, or copy that file.";
	}
	diag_add(&l->snapshot->diag, DIAG_ERROR, unit_code(CODE_FILE_REFUSED),
			(struct diag_place){ path, 0 }, remedy,
			"The file is left out: %s.", why ? why : "it cannot be read");
}

/* Room for one more file; NULL without memory or beyond the limit, which is told. */
static struct unit_file *next_file(struct loader *l, const char *path)
{
	struct unit_snapshot *s = l->snapshot;
	struct unit_file *files;
	uint32_t capacity;

	if (s->count == UNIT_FILES_MAX) {
		diag_add(&l->snapshot->diag, DIAG_ERROR, unit_code(CODE_TOO_MANY),
				(struct diag_place){ path, 0 },
				"Use templates, or fewer files.",
				"More than %d unit files are not read.", UNIT_FILES_MAX);
		return NULL;
	}
	if (s->count == l->capacity) {
		capacity = l->capacity ? l->capacity * 2 : 64;
		files = realloc(s->files, capacity * sizeof(*files));
		if (!files)
			return NULL;
		s->files = files;
		l->capacity = capacity;
	}
	return &s->files[s->count];
}

/* What is to be read: a name within an open folder, and whose text it is. */
struct wanted {
	int dir_fd;
	const char *folder; /* path of dir_fd */
	const char *name;
	const char *unit;
	uint32_t is_drop_in;
};

/* Read without a look at owners; everything else as path_read_trusted. */
static int read_any(int dir_fd, const char *name, char **ret_data, size_t *ret_size,
		enum path_refusal *ret_refusal)
{
	auto_close int fd = -1;
	struct stat st;
	int r;

	*ret_refusal = PATH_ERROR;
	fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		*ret_refusal = PATH_NOT_REGULAR;
		return -EINVAL;
	}
	r = fd_read_all(fd, UNIT_FILE_MAX, ret_data, ret_size);
	if (r == -EFBIG)
		*ret_refusal = PATH_TOO_LARGE;
	return r;
}

static int read_file(struct loader *l, int dir_fd, const char *name, struct unit_file *f,
		enum path_refusal *ret_refusal)
{
	if (l->trust == TRUST_ANY)
		return read_any(dir_fd, name, &f->data, &f->size, ret_refusal);
	return path_read_trusted(
			dir_fd, name, UNIT_FILE_MAX, &f->data, &f->size, ret_refusal);
}

/*
 * A link may mask (/dev/null), or lead to a file of the same folder or of another one of
 * the search path, where that file is checked as if it were named there.
 */
static int read_link_target(struct loader *l, const struct wanted *w, struct unit_file *f,
		enum path_refusal *ret_refusal)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(w->dir_fd, w->name, target, sizeof(target) - 1);
	auto_close int dir_fd = -1;
	char *slash;

	*ret_refusal = PATH_ERROR;
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (strcmp(target, "/dev/null") == 0) {
		f->is_masked = 1;
		f->data = strdup("");
		return f->data ? 0 : -ENOMEM;
	}
	slash = strrchr(target, '/');
	if (!slash)
		return read_file(l, w->dir_fd, target, f, ret_refusal);
	*slash = '\0';
	if (!strv_contains(l->search_path, target))
		return -EXDEV;
	dir_fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	*ret_refusal = path_check_folder(dir_fd);
	if (*ret_refusal == PATH_OK)
		*ret_refusal = path_check_parents(dir_fd);
	if (*ret_refusal != PATH_OK)
		return *ret_refusal == PATH_ERROR ? -errno : -EPERM;
	return read_file(l, dir_fd, slash + 1, f, ret_refusal);
}

static int read_text(struct loader *l, const struct wanted *w, struct unit_file *f,
		enum path_refusal *ret_refusal)
{
	struct stat st;

	if (l->trust == TRUST_CHECKED &&
			fstatat(w->dir_fd, w->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISLNK(st.st_mode))
		return read_link_target(l, w, f, ret_refusal);
	return read_file(l, w->dir_fd, w->name, f, ret_refusal);
}

/* Take a file whose text is there, or is refused. Consumes what f holds. */
static int keep_file(struct loader *l, const struct wanted *w, const char *path,
		struct unit_file *f)
{
	f->is_drop_in = w->is_drop_in;
	f->path = strdup(path);
	f->unit = strdup(w->unit);
	if (f->is_refused)
		f->data = strdup("");
	if (!f->path || !f->unit || !f->data) {
		unit_file_fini(f);
		return -ENOMEM;
	}
	l->snapshot->count++;
	return 0;
}

static int read_wanted(struct loader *l, const struct wanted *w, const char *path)
{
	struct unit_file *f = next_file(l, path);
	enum path_refusal refusal;
	int r;

	if (!f)
		return l->snapshot->count == UNIT_FILES_MAX ? 0 : -ENOMEM;
	*f = (struct unit_file){ 0 };
	r = read_text(l, w, f, &refusal);
	if (fd_is_shortage(r)) {
		unit_file_fini(f);
		return r;
	}
	if (r < 0) {
		tell_refused(l, path, r, refusal);
		unit_file_fini(f);
		f->is_refused = 1;
	}
	return keep_file(l, w, path, f);
}

/* What a folder of drop-ins says about its unit is not known. */
static int refuse_drop_ins(struct loader *l, const char *path, const char *unit)
{
	struct wanted w = { AT_FDCWD, "", path, unit, 1 };
	struct unit_file *f = next_file(l, path);

	if (!f)
		return l->snapshot->count == UNIT_FILES_MAX ? 0 : -ENOMEM;
	*f = (struct unit_file){ .is_refused = 1 };
	return keep_file(l, &w, path, f);
}

/* 1 when an earlier folder has this already, 0 the first time. */
static int is_seen(struct loader *l, const char *unit, const char *drop_in)
{
	char *key = text_format(
			"%s%s%s", unit, drop_in ? "/" : "", drop_in ? drop_in : "");
	int r;

	if (!key)
		return -ENOMEM;
	if (map_find(&l->seen, key)) {
		free(key);
		return 1;
	}
	r = strv_append_take(&l->keys, key);
	return r < 0 ? r : map_put(&l->seen, key, key);
}

static int load_entry(struct loader *l, const struct wanted *w)
{
	auto_free char *path = text_format("%s/%s", w->folder, w->name);
	int r = is_seen(l, w->unit, w->is_drop_in ? w->name : NULL);

	if (!path)
		return -ENOMEM;
	return r ? (r < 0 ? r : 0) : read_wanted(l, w, path);
}

typedef int on_entry_fn(
		struct loader *l, int dir_fd, const char *folder, const char *name);

/* Call on_entry for every name in a folder. Consumes fd. */
static int for_each_entry(
		struct loader *l, int fd, const char *folder, on_entry_fn *on_entry)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		close_fd(fd);
		return -ENOMEM;
	}
	while (r == 0 && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			r = on_entry(l, dirfd(dir), folder, entry->d_name);
	(void)closedir(dir);
	return r;
}

/* The unit whose drop-ins a folder has; NULL when memory is out. */
static char *unit_of_drop_ins(const char *folder)
{
	const char *slash = strrchr(folder, '/');
	const char *base = slash ? slash + 1 : folder;

	return strndup(base, strlen(base) - strlen(DROP_IN_FOLDER_SUFFIX));
}

static int on_drop_in(struct loader *l, int dir_fd, const char *folder, const char *name)
{
	auto_free char *unit = NULL;

	if (!has_suffix(name, DROP_IN_SUFFIX))
		return 0;
	unit = unit_of_drop_ins(folder);
	if (!unit)
		return -ENOMEM;
	return load_entry(l, &(struct wanted){ dir_fd, folder, name, unit, 1 });
}

static void tell_folder(
		struct loader *l, const char *path, const char *why, const char *remedy)
{
	diag_add(&l->snapshot->diag, DIAG_ERROR, unit_code(CODE_FOLDER_REFUSED),
			(struct diag_place){ path, 0 }, remedy,
			"The folder is left out: %s.", why);
}

/* Open a folder and check it. -ENOENT when it is not there, -EPERM when it is left out,
 * which is told; or a shortage. */
static int open_folder(struct loader *l, int dir_fd, const char *name, const char *path)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	enum path_refusal refusal = PATH_OK;
	int fd = openat(dir_fd, name, dir_fd == AT_FDCWD ? flags : flags | O_NOFOLLOW);

	if (fd < 0) {
		if (errno == ENOENT || fd_is_shortage(-errno))
			return -errno;
		tell_folder(l, path, strerrordesc_np(errno), remedy_of(PATH_ERROR));
		return -EPERM;
	}
	if (l->trust == TRUST_CHECKED)
		refusal = path_check_folder(fd);
	/* A drop-in folder lies in one whose parents were looked at. */
	if (refusal == PATH_OK && l->trust == TRUST_CHECKED && dir_fd == AT_FDCWD)
		refusal = path_check_parents(fd);
	if (refusal == PATH_OK)
		return fd;
	if (refusal == PATH_ERROR && fd_is_shortage(-errno)) {
		close_fd(fd);
		return -errno;
	}
	tell_folder(l, path, path_refusal_text(refusal), remedy_of(refusal));
	close_fd(fd);
	return -EPERM;
}

static int load_drop_ins(struct loader *l, int dir_fd, const char *name, const char *path)
{
	int fd = open_folder(l, dir_fd, name, path);
	auto_free char *unit = NULL;

	if (fd >= 0)
		return for_each_entry(l, fd, path, on_drop_in);
	if (fd != -EPERM)
		return fd == -ENOENT ? 0 : fd;
	unit = unit_of_drop_ins(path);
	return unit ? refuse_drop_ins(l, path, unit) : -ENOMEM;
}

static bool is_unit_file_name(const char *name, size_t size)
{
	char copy[NAME_MAX + 1];
	const char *suffix;

	if (size >= sizeof(copy))
		return false;
	memcpy(copy, name, size);
	copy[size] = '\0';
	suffix = name_suffix(copy);
	if (!suffix)
		return false;
	copy[suffix - copy] = '\0';
	return name_is_valid(copy);
}

static int on_unit(struct loader *l, int dir_fd, const char *folder, const char *name)
{
	size_t n = strlen(name);
	auto_free char *path = NULL;

	if (has_suffix(name, NAME_SUFFIX_ACTOR ".d") ||
			has_suffix(name, NAME_SUFFIX_SUPERVISOR ".d")) {
		if (!is_unit_file_name(name, n - strlen(DROP_IN_FOLDER_SUFFIX)))
			return 0;
		path = text_format("%s/%s", folder, name);
		if (!path)
			return -ENOMEM;
		return load_drop_ins(l, dir_fd, name, path);
	}
	if (!name_suffix(name))
		return 0;
	if (!is_unit_file_name(name, n)) {
		path = text_format("%s/%s", folder, name);
		diag_add(&l->snapshot->diag, DIAG_WARNING, unit_code(CODE_FILE_NAME),
				(struct diag_place){ path, 0 },
				"Use letters, digits and : _ . - only, and at most one @.",
				"The file's name is no name of a unit; it is left out.");
		return 0;
	}
	return load_entry(l, &(struct wanted){ dir_fd, folder, name, name, 0 });
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* By unit; its file before its drop-ins, these by name, as files of one name by path. */
static int compare_files(const void *x, const void *y)
{
	const struct unit_file *a = x, *b = y;
	int r = strcmp(a->unit, b->unit);

	if (r == 0)
		r = (int)a->is_drop_in - (int)b->is_drop_in;
	if (r == 0)
		r = strcmp(base_name(a->path), base_name(b->path));
	return r == 0 ? strcmp(a->path, b->path) : r;
}

void unit_snapshot_changed(struct unit_snapshot *snapshot)
{
	unit_store_unref(TAKE_PTR(snapshot->store));
}

void unit_snapshot_sort(struct unit_snapshot *snapshot)
{
	unit_snapshot_changed(snapshot);
	if (snapshot->count > 0)
		qsort(snapshot->files, snapshot->count, sizeof(*snapshot->files),
				compare_files);
}

static int finish(struct loader *l, int r, struct diag *diag,
		struct unit_snapshot **ret_snapshot)
{
	struct unit_snapshot *s = l->snapshot;

	map_fini(&l->seen);
	strv_fini(&l->keys);
	if (r < 0) {
		unit_snapshot_free(s);
		return r;
	}
	unit_snapshot_sort(s);
	diag_append(diag, &s->diag);
	*ret_snapshot = s;
	return 0;
}

/* Specifiers such as %Y need an absolute path, whatever the caller's was. */
static int load_folder(struct loader *l, const char *path)
{
	auto_free char *absolute = NULL;
	int fd;

	fd = open_folder(l, AT_FDCWD, path, path);
	if (fd < 0)
		return fd_is_shortage(fd) ? fd : 0;
	if (*path != '/')
		absolute = realpath(path, NULL);
	return for_each_entry(l, fd, absolute ? absolute : path, on_unit);
}

int unit_snapshot_load(const struct strv *search_path, struct diag *diag,
		struct unit_snapshot **ret_snapshot)
{
	struct loader l = { .search_path = search_path, .trust = TRUST_CHECKED };
	int r = 0;

	l.snapshot = calloc(1, sizeof(*l.snapshot));
	if (!l.snapshot)
		return -ENOMEM;
	for (size_t i = 0; i < search_path->count && r == 0; i++)
		r = load_folder(&l, search_path->items[i]);
	return finish(&l, r, diag, ret_snapshot);
}

/* A named file and the drop-ins that lie beside it. */
static int load_named(struct loader *l, const char *path)
{
	const char *name = base_name(path);
	auto_free char *folder = NULL;
	struct wanted w = { AT_FDCWD, "", path, name, 0 };
	int r;

	if (!is_unit_file_name(name, strlen(name))) {
		diag_add(&l->snapshot->diag, DIAG_ERROR, unit_code(CODE_FILE_NAME),
				(struct diag_place){ path, 0 },
				"Give it the suffix .actor or .supervisor, and letters, digits and "
				": _ . - before it.",
				"The file's name is no name of a unit.");
		return 0;
	}
	folder = text_format("%s%s", path, DROP_IN_FOLDER_SUFFIX);
	if (!folder)
		return -ENOMEM;
	r = read_wanted(l, &w, path);
	return r < 0 ? r : load_drop_ins(l, AT_FDCWD, folder, folder);
}

int unit_snapshot_load_files(const struct strv *paths, struct diag *diag,
		struct unit_snapshot **ret_snapshot)
{
	struct loader l = { .search_path = paths, .trust = TRUST_ANY };
	int r = 0;

	l.snapshot = calloc(1, sizeof(*l.snapshot));
	if (!l.snapshot)
		return -ENOMEM;
	for (size_t i = 0; i < paths->count && r == 0; i++)
		r = load_named(&l, paths->items[i]);
	return finish(&l, r, diag, ret_snapshot);
}
