/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/pid-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"

#define SIZE_MAX_BYTES 64

int pid_file_parse(char *text, size_t size, pid_t *ret_pid)
{
	while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == ' '))
		text[--size] = '\0';
	if (memchr(text, '\0', size))
		return -EINVAL;
	return parse_pid(text, ret_pid) < 0 ? -EINVAL : 0;
}

int pid_file_read(const char *path, pid_t *ret_pid)
{
	auto_close int folder = -1, fd = -1;
	auto_free char *text = NULL;
	char name[PATH_NAME_SIZE];
	struct stat st;
	size_t size;
	int r;

	r = path_find(path, &folder, name);
	if (r < 0)
		return r;
	fd = openat(folder, name,
			O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = fd_read_all(fd, SIZE_MAX_BYTES, &text, &size);
	return r < 0 ? r : pid_file_parse(text, size, ret_pid);
}
