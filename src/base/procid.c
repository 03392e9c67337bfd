/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/procid.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/text.h"

/* What proc(5) tells in /proc/PID/stat and is of use here. */
struct proc_stat {
	char state;
	pid_t parent;
	uint64_t start_time;
	int exit_status; /* 0 also for who may not be told */
};

#define FIELD_PARENT     4
#define FIELD_START_TIME 22 /* the exit status is the last one, 52 */

/* Cuts the field off at its blank; NULL when there is none. Moves *line behind it. */
static char *cut_field(char **line)
{
	char *field = strsep(line, " \n");

	return field && *field ? field : NULL;
}

/* line begins with field 3, the state. */
static int parse_fields(char *line, struct proc_stat *ret)
{
	char *last = strrchr(line, ' '), *end = line + strlen(line);
	char *field;
	int r;

	if (end > line && end[-1] == '\n')
		end[-1] = '\0';
	if (!last || parse_int(last + 1, &ret->exit_status) < 0)
		return -EBADMSG;
	field = cut_field(&line);
	if (!field)
		return -EBADMSG;
	ret->state = field[0];
	for (int i = FIELD_PARENT; i <= FIELD_START_TIME; i++) {
		field = cut_field(&line);
		if (!field)
			return -EBADMSG;
		r = i == FIELD_PARENT ? parse_int(field, &ret->parent)
				: i == FIELD_START_TIME
				? parse_u64(field, &ret->start_time)
				: 0;
		if (r < 0)
			return -EBADMSG;
	}
	return 0;
}

static int read_stat(pid_t pid, struct proc_stat *ret)
{
	auto_free char *data = NULL;
	char path[64], *end;
	size_t size;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = file_read(path, 4096, &data, &size);
	if (r == -ENOENT)
		return -ESRCH;
	if (r < 0)
		return r;
	/* The name in parentheses may hold blanks and parentheses itself. */
	end = strrchr(data, ')');
	if (!end || end[1] != ' ')
		return -EBADMSG;
	return parse_fields(end + 2, ret);
}

int boot_id_get(char ret_id[static BOOT_ID_SIZE])
{
	auto_free char *data = NULL;
	size_t size;
	int r;

	r = file_read("/proc/sys/kernel/random/boot_id", 64, &data, &size);
	if (r < 0)
		return r;
	if (size < BOOT_ID_SIZE - 1)
		return -EBADMSG;
	memcpy(ret_id, data, BOOT_ID_SIZE - 1);
	ret_id[BOOT_ID_SIZE - 1] = '\0';
	return 0;
}

int procid_get(pid_t pid, struct procid *ret_id)
{
	struct proc_stat st;
	int r;

	if (pid <= 0)
		return -ESRCH;
	r = read_stat(pid, &st);
	if (r < 0)
		return r;
	*ret_id = (struct procid){ .pid = pid, .start_time = st.start_time };
	return 0;
}

int procid_open(const struct procid *id, int *ret_pidfd)
{
	auto_close int pidfd = pidfd_open_pid(id->pid);
	struct proc_stat st;
	int r;

	if (pidfd < 0)
		return pidfd == -EINVAL ? -ESRCH : pidfd;
	r = read_stat(id->pid, &st);
	if (r < 0)
		return r;
	if (st.start_time != id->start_time)
		return -ESRCH;
	/* A dead process is of use only to its parent, who may ask for its status. */
	if (strchr("ZXx", st.state) && st.parent != getpid())
		return -ESRCH;
	*ret_pidfd = take_fd(&pidfd);
	return 0;
}

/* The kernel has one rule for who may know what a process was. */
static int may_ask(pid_t pid)
{
	char path[64], target[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (readlink(path, target, sizeof(target)) >= 0)
		return 0;
	return errno == ENOENT ? -ESRCH : -errno;
}

int proc_zombie_status(const struct procid *id, int *ret_status)
{
	struct proc_stat st;
	int r;

	r = may_ask(id->pid);
	if (r == 0)
		r = read_stat(id->pid, &st);
	if (r < 0)
		return r;
	if (st.state != 'Z' || st.start_time != id->start_time)
		return -ESRCH;
	*ret_status = st.exit_status;
	return 0;
}

int proc_parent(pid_t pid, pid_t *ret_parent)
{
	struct proc_stat st;
	int r;

	if (pid <= 0)
		return -ESRCH;
	r = read_stat(pid, &st);
	if (r < 0)
		return r;
	*ret_parent = st.parent;
	return 0;
}

int pidfd_open_pid(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int pidfd_signal(int pidfd, int signo)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}
