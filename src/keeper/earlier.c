/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/earlier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "keeper/keeper.h"
#include "unit/snapshot.h"

#define FILE_NAME "units"
#define FILE_NEW  ".units.new"
#define FILE_MAX  ((size_t)256 * 1024 * 1024)

static void tell_ignored(const char *why)
{
	log_warning("the unit files of an earlier airssysd are not used: %s; a service "
		    "whose file has a mistake now is ended",
			why);
}

static int parse(struct keeper *keeper, int fd, struct unit_set **ret_set)
{
	auto_(unit_snapshot) snapshot = NULL;
	int r = unit_snapshot_unpack(fd, &snapshot);

	if (r < 0)
		return r;
	/* Nothing of another boot runs. */
	if (!text_equals(snapshot->context.boot_id, keeper->context.boot_id))
		return -ESTALE;
	return unit_set_parse(snapshot, &snapshot->context, NULL, ret_set);
}

static int take_data(struct keeper *keeper, const char *data, size_t size, int *ret_fd,
		struct unit_set **ret_set)
{
	auto_close int fd = -1;
	int r = memfd_sealed("airssys-units", data, size, &fd);

	if (r == 0)
		r = parse(keeper, fd, ret_set);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

int earlier_read(struct keeper *keeper, int *ret_snapshot_fd, struct unit_set **ret_set)
{
	enum path_refusal refusal;
	auto_free char *data = NULL;
	size_t size;
	int r;

	*ret_set = NULL;
	r = path_read_trusted(keeper->runtime.state_fd, FILE_NAME, FILE_MAX, &data, &size,
			&refusal);
	if (r < 0 && refusal != PATH_ERROR) {
		tell_ignored(path_refusal_text(refusal));
		return 0;
	}
	if (r == 0)
		r = take_data(keeper, data, size, ret_snapshot_fd, ret_set);
	if (r == 0 || r == -ENOENT || r == -ESTALE)
		return 0;
	if (fd_is_shortage(r))
		return r;
	tell_ignored(r == -EBADMSG ? "they are damaged, or of another version"
				   : strerror(-r));
	return 0;
}

static int copy_to(int fd, int snapshot_fd)
{
	off_t at = 0;
	struct stat st;
	ssize_t n;

	if (fstat(snapshot_fd, &st) < 0)
		return -errno;
	while (at < st.st_size) {
		n = sendfile(fd, snapshot_fd, &at, (size_t)(st.st_size - at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

static int replace(int folder_fd, int snapshot_fd)
{
	auto_close int fd = -1;
	int r;

	(void)unlinkat(folder_fd, FILE_NEW, 0);
	fd = openat(folder_fd, FILE_NEW,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = copy_to(fd, snapshot_fd);
	if (r == 0 && renameat(folder_fd, FILE_NEW, folder_fd, FILE_NAME) < 0)
		r = -errno;
	return r;
}

void earlier_write(struct keeper *keeper)
{
	int r = replace(keeper->runtime.state_fd, keeper->snapshot_fd);

	if (r == 0)
		return;
	log_warning("cannot keep the unit files for a later airssysd: %s; it would end "
		    "services whose files have a mistake by then",
			strerror(-r));
	/* What is there is not in force any more. */
	earlier_remove(keeper);
}

void earlier_remove(struct keeper *keeper)
{
	(void)unlinkat(keeper->runtime.state_fd, FILE_NAME, 0);
	(void)unlinkat(keeper->runtime.state_fd, FILE_NEW, 0);
}
