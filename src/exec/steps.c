/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "exec/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/journal.h"
#include "base/path.h"
#include "osl/sandbox.h"

/*
 * Why this order. The session comes first, so that a signal to the terminal's group no
 * longer reaches the child. Descriptors are made private before anything changes them:
 * the table may still be the keeper's. Files and the journal are opened, and the bounding
 * set is lowered, while the child still has the keeper's rights; the folder is entered
 * with the service's. The filter comes last, because every later system call is filtered.
 */

typedef int step_fn(struct exec_run *run);

static int fail(struct exec_run *run, int error, const char *detail)
{
	size_t n = detail ? strnlen(detail, EXEC_DETAIL_SIZE - 1) : 0;

	if (n > 0)
		memcpy(run->report.detail, detail, n);
	run->report.detail[n] = '\0';
	return error;
}

/*
 * Without one of its own a service would have the keeper's keys, or find the keys that
 * another one left. It is root's, so that it does not count for the user's few; who has it
 * may use it. A kernel without keys, or a container that forbids them, has nothing to share.
 */
static int join_keyring(struct exec_run *run)
{
	if (!run->spec->new_keyring ||
			syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 ||
			errno == ENOSYS || errno == EPERM || errno == EACCES ||
			errno == EDQUOT)
		return 0;
	return fail(run, -errno, "session keyring");
}

static int enter_session(struct exec_run *run)
{
	if (setsid() < 0 && errno != EPERM)
		return fail(run, -errno, NULL);
	return join_keyring(run);
}

static int close_range_from(unsigned int first, unsigned int flags)
{
	return syscall(SYS_close_range, first, ~0U, flags) < 0 ? -errno : 0;
}

/*
 * CLOSE_RANGE_UNSHARE copies only the descriptors below first, however many the keeper
 * has: the cost of a start does not grow with the number of services.
 */
static int keep_descriptors(struct exec_run *run)
{
	unsigned int first = run->keep_fd >= 0 ? EXEC_KEPT_FD + 1 : EXEC_KEPT_FD;
	unsigned int flags = CLOSE_RANGE_UNSHARE;
	int r;

	if (run->program_fd >= 0 || run->report_fd >= 0)
		flags |= CLOSE_RANGE_CLOEXEC;
	if (run->keep_fd >= 0 && run->keep_fd != EXEC_KEPT_FD &&
			dup3(run->keep_fd, EXEC_KEPT_FD, 0) < 0)
		return fail(run, -errno, NULL);
	if (run->keep_fd == EXEC_KEPT_FD && fcntl(EXEC_KEPT_FD, F_SETFD, 0) < 0)
		return fail(run, -errno, NULL);
	r = close_range_from(first, flags);
	if (r == 0)
		return 0;
	/* An old kernel: every descriptor is close-on-exec from its birth. */
	return unshare(CLONE_FILES) < 0 ? fail(run, -errno, NULL) : 0;
}

static int reset_oom_score(struct exec_run *run)
{
	static const char path[] = "/proc/self/oom_score_adj";
	int fd, r = 0;

	if (!run->spec->reset_oom_score)
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(run, -errno, path);
	if (write(fd, "0", 1) < 0)
		r = fail(run, -errno, path);
	(void)close(fd);
	return r;
}

static int set_limits(struct exec_run *run)
{
	const struct exec_spec *spec = run->spec;

	for (uint32_t i = 0; i < spec->n_limits; i++)
		if (setrlimit(spec->limits[i].resource, &spec->limits[i].value) < 0)
			return fail(run, -errno, NULL);
	return 0;
}

static int move_descriptor(int from, int to)
{
	int r = dup3(from, to, 0) < 0 ? -errno : 0;

	(void)close(from);
	return r;
}

static int open_onto(const char *path, int flags, mode_t mode, int to)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);

	if (fd < 0)
		return -errno;
	if (fd != to)
		return move_descriptor(fd, to);
	return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
}

static int set_stdin(struct exec_run *run)
{
	int r = open_onto("/dev/null", O_RDONLY, 0, STDIN_FILENO);

	return r < 0 ? fail(run, r, "/dev/null") : 0;
}

static char *append_number(char *p, uint64_t v)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

/* Tells the service which file its output is, so that it can write to the journal's own
 * socket instead. */
static void note_journal_stream(struct exec_run *run, int fd)
{
	static const char name[] = "JOURNAL_STREAM=";
	char *p = run->journal_stream;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return;
	memcpy(p, name, sizeof(name) - 1);
	p = append_number(p + sizeof(name) - 1, st.st_dev);
	*p++ = ':';
	p = append_number(p, st.st_ino);
	*p = '\0';
}

static struct iovec part(const char *s)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)s, .iov_len = strlen(s) };
}

/*
 * The lines that journald expects first: identifier, unit, priority, whether lines may
 * begin with a priority, and three ways of forwarding that are off. The unit is believed
 * from root alone, and recorded for a process whose cgroup tells nothing: it may be gone
 * when its line is read.
 */
static int greet_journal(int fd, const char *identifier)
{
	struct iovec parts[] = {
		part(identifier),
		part("\n" JOURNAL_UNIT_PREFIX),
		part(identifier),
		part(JOURNAL_UNIT_SUFFIX "\n6\n1\n0\n0\n0\n"),
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };

	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/*
 * A child that shares the keeper's memory must not wait for a stuck journald: the keeper
 * would wait with it. It gives -EAGAIN, and the keeper uses the executor instead.
 */
static int connect_journal(struct exec_run *run, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = run->spec->journal_stream;
	size_t n = path ? strlen(path) : 0;

	if (n == 0 || n >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, n + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	if (errno != EAGAIN || run->report_fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, 0) < 0 ||
			connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

static int open_journal(struct exec_run *run, int to)
{
	const char *identifier = run->spec->syslog_identifier;
	int fd, r;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect_journal(run, fd);
	if (r == 0)
		r = greet_journal(fd, identifier ? identifier : "");
	if (r == 0 && (shutdown(fd, SHUT_RD) < 0 || fcntl(fd, F_SETFL, 0) < 0))
		r = -errno;
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	note_journal_stream(run, fd);
	return move_descriptor(fd, to);
}

/* A journal that is not there, or not for us, keeps no service from running. */
static int open_journal_or_file(
		struct exec_run *run, const struct exec_stream *stream, int to)
{
	int r = open_journal(run, to);

	if (!stream->path ||
			(r != -ECONNREFUSED && r != -ENOENT && r != -ENOTDIR &&
					r != -EACCES))
		return r;
	return open_onto(stream->path, O_WRONLY | O_CREAT | O_APPEND, 0640, to);
}

/* Whether others may make names in this folder. */
static bool is_for_others(int folder)
{
	struct stat st;

	return fstat(folder, &st) < 0 || (st.st_uid != 0 && st.st_uid != geteuid()) ||
			(st.st_mode & (S_IWGRP | S_IWOTH));
}

/*
 * A hard link in such a folder may be any file of its file system. One look at the name
 * tells that it is the file that was opened, and that this has no other name.
 */
static int check_only_name(int folder, const char *name, int fd)
{
	struct stat opened, named;

	if (fstat(fd, &opened) < 0 ||
			fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
		return -ESTALE;
	return S_ISREG(named.st_mode) && named.st_nlink > 1 ? -EMLINK : 0;
}

static int prepare_chosen(int folder, const char *name, int fd, int flags)
{
	int r = is_for_others(folder) ? check_only_name(folder, name, fd) : 0;

	if (r < 0)
		return r;
	/* A pipe or a device has no length. */
	if ((flags & O_TRUNC) && ftruncate(fd, 0) < 0 && errno != EINVAL)
		return -errno;
	return fcntl(fd, F_SETFL, flags & O_APPEND) < 0 ? -errno : 0;
}

/*
 * A file of the administrator's choice, perhaps in a folder of the service's user: a link
 * that he put there must not lead root elsewhere, nor a FIFO hold it up; nothing is
 * emptied before that is known. Only the
 * executor does this: it allocates memory.
 */
static int open_chosen(const char *path, int flags, int to)
{
	auto_close int folder = -1;
	char name[PATH_NAME_SIZE];
	int fd, r;

	r = path_find(path, &folder, name);
	if (r < 0)
		return r;
	fd = openat(folder, name,
			(flags & ~O_TRUNC) | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC |
					O_NOCTTY,
			0644);
	if (fd < 0)
		return -errno;
	r = prepare_chosen(folder, name, fd, flags);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return move_descriptor(fd, to);
}

static int open_file(const struct exec_stream *stream, int flags, int to)
{
	flags |= O_WRONLY | O_CREAT;
	if (stream->is_own)
		return open_onto(stream->path, flags, 0640, to);
	return open_chosen(stream->path, flags, to);
}

static int open_output(struct exec_run *run, const struct exec_stream *stream, int to)
{
	switch (stream->output) {
	case EXEC_OUTPUT_NULL:
		return open_onto("/dev/null", O_WRONLY, 0, to);
	case EXEC_OUTPUT_FILE:
		return open_file(stream, 0, to);
	case EXEC_OUTPUT_APPEND:
		return open_file(stream, O_APPEND, to);
	case EXEC_OUTPUT_TRUNCATE:
		return open_file(stream, O_TRUNC, to);
	case EXEC_OUTPUT_JOURNAL:
		return open_journal_or_file(run, stream, to);
	case EXEC_OUTPUT_INHERIT:
		return 0;
	}
	return -EINVAL;
}

static const char *output_detail(
		const struct exec_run *run, const struct exec_stream *stream)
{
	return stream->output == EXEC_OUTPUT_JOURNAL ? run->spec->journal_stream
						     : stream->path;
}

static int set_stdout(struct exec_run *run)
{
	const struct exec_stream *out = &run->spec->out;
	int r = open_output(run, out, STDOUT_FILENO);

	return r < 0 ? fail(run, r, output_detail(run, out)) : 0;
}

static int set_stderr(struct exec_run *run)
{
	const struct exec_stream *out = &run->spec->out, *err = &run->spec->err;
	int r;

	if (err->output == EXEC_OUTPUT_INHERIT ||
			(err->output == EXEC_OUTPUT_JOURNAL &&
					out->output == EXEC_OUTPUT_JOURNAL)) {
		if (out->output == EXEC_OUTPUT_INHERIT)
			return 0;
		r = dup3(STDOUT_FILENO, STDERR_FILENO, 0) < 0 ? -errno : 0;
		return r < 0 ? fail(run, r, NULL) : 0;
	}
	r = open_output(run, err, STDERR_FILENO);
	return r < 0 ? fail(run, r, output_detail(run, err)) : 0;
}

static int set_nice(struct exec_run *run)
{
	if (!run->spec->set_nice)
		return 0;
	return setpriority(PRIO_PROCESS, 0, run->spec->nice) < 0 ? fail(run, -errno, NULL)
								 : 0;
}

static int set_umask(struct exec_run *run)
{
	(void)umask(run->spec->umask);
	return 0;
}

static int limit_capabilities(struct exec_run *run)
{
	int r;

	if (!run->spec->set_capability_bounding)
		return 0;
	r = sandbox_drop_bounding_set(run->spec->capability_bounding);
	return r < 0 ? fail(run, r, NULL) : 0;
}

static int set_group(struct exec_run *run)
{
	const struct exec_spec *spec = run->spec;

	if (!spec->set_credentials)
		return 0;
	if (setgroups(spec->n_groups, spec->groups) < 0)
		return fail(run, -errno, NULL);
	return setresgid(spec->gid, spec->gid, spec->gid) < 0 ? fail(run, -errno, NULL)
							      : 0;
}

static int set_credentials(struct exec_run *run)
{
	uid_t uid = run->spec->uid, real, effective, saved;

	if (!run->spec->set_credentials)
		return 0;
	if (setresuid(uid, uid, uid) < 0)
		return fail(run, -errno, NULL);
	if (getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid ||
			saved != uid)
		return fail(run, -EPERM, NULL);
	return 0;
}

static int change_folder(struct exec_run *run)
{
	const char *folder = run->spec->working_directory;

	if (chdir(folder ? folder : "/") == 0)
		return 0;
	if (run->spec->working_directory_optional && errno == ENOENT && chdir("/") == 0)
		return 0;
	return fail(run, -errno, folder);
}

static int forbid_new_privileges(struct exec_run *run)
{
	int r = run->spec->no_new_privileges ? sandbox_set_no_new_privs() : 0;

	return r < 0 ? fail(run, r, NULL) : 0;
}

static int set_signals(struct exec_run *run)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t none;

	if (run->spec->ignore_sigpipe && sigaction(SIGPIPE, &ignore, NULL) < 0)
		return fail(run, -errno, NULL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? fail(run, -errno, NULL) : 0;
}

static int install_filter(struct exec_run *run)
{
	const struct exec_spec *spec = run->spec;
	int r;

	if (spec->filter_size == 0)
		return 0;
	r = sandbox_install_filter(
			spec->filter, spec->filter_size / sizeof(struct sock_filter));
	return r < 0 ? fail(run, r, NULL) : 0;
}

static int execute(struct exec_run *run)
{
	const struct exec_spec *spec = run->spec;
	char **envp = run->envp + 1;

	if (*run->journal_stream) {
		run->envp[0] = run->journal_stream;
		envp = run->envp;
	}
	if (run->program_fd >= 0)
		(void)execveat(run->program_fd, "", spec->argv.items, envp,
				AT_EMPTY_PATH);
	else
		(void)execve(spec->path, spec->argv.items, envp);
	return fail(run, -errno, spec->path);
}

static const struct {
	const char *name;
	step_fn *take; /* NULL: belongs to airssys-exec itself */
} steps[EXEC_STEP_COUNT] = {
	[EXEC_STEP_NONE] = { "", NULL },
	[EXEC_STEP_DESCRIPTION] = { "DESCRIPTION", NULL },
	[EXEC_STEP_USER] = { "USER", NULL },
	[EXEC_STEP_SESSION] = { "SESSION", enter_session },
	[EXEC_STEP_DESCRIPTORS] = { "DESCRIPTORS", keep_descriptors },
	[EXEC_STEP_OOM] = { "OOM", reset_oom_score },
	[EXEC_STEP_LIMITS] = { "LIMITS", set_limits },
	[EXEC_STEP_STDIN] = { "STDIN", set_stdin },
	[EXEC_STEP_STDOUT] = { "STDOUT", set_stdout },
	[EXEC_STEP_STDERR] = { "STDERR", set_stderr },
	[EXEC_STEP_NICE] = { "NICE", set_nice },
	[EXEC_STEP_UMASK] = { "UMASK", set_umask },
	[EXEC_STEP_CAPABILITIES] = { "CAPABILITIES", limit_capabilities },
	[EXEC_STEP_GROUP] = { "GROUP", set_group },
	[EXEC_STEP_CREDENTIALS] = { "CREDENTIALS", set_credentials },
	[EXEC_STEP_CHDIR] = { "CHDIR", change_folder },
	[EXEC_STEP_NO_NEW_PRIVILEGES] = { "NO_NEW_PRIVILEGES", forbid_new_privileges },
	[EXEC_STEP_SIGNALS] = { "SIGNALS", set_signals },
	[EXEC_STEP_FILTER] = { "FILTER", install_filter },
	[EXEC_STEP_EXEC] = { "EXEC", execute },
	[EXEC_STEP_ENVIRONMENT] = { "ENVIRONMENT", NULL },
	[EXEC_STEP_FOLDERS] = { "FOLDERS", NULL },
};

int exec_run(struct exec_run *run)
{
	int r = 0;

	for (uint32_t i = EXEC_STEP_NONE; i < EXEC_STEP_COUNT && r == 0; i++) {
		if (!steps[i].take)
			continue;
		r = steps[i].take(run);
		if (r == 0)
			continue;
		run->report.error = -r;
		run->report.step = i;
	}
	return r;
}

char **exec_run_environment(const struct exec_spec *spec)
{
	char **envp = calloc(spec->envp.count + 2, sizeof(*envp));

	if (!envp)
		return NULL;
	if (spec->envp.count > 0)
		memcpy(envp + 1, spec->envp.items, spec->envp.count * sizeof(*envp));
	return envp;
}

static bool may_block(const struct exec_stream *stream)
{
	return !stream->is_own &&
			(stream->output == EXEC_OUTPUT_FILE ||
					stream->output == EXEC_OUTPUT_APPEND ||
					stream->output == EXEC_OUTPUT_TRUNCATE);
}

bool exec_spec_is_direct(const struct exec_spec *spec)
{
	return !spec->set_credentials && !spec->user_name && !spec->group_name &&
			spec->group_names.count == 0 && !spec->set_capability_bounding &&
			!spec->no_new_privileges && spec->filter_size == 0 &&
			!may_block(&spec->out) && !may_block(&spec->err);
}

const char *exec_step_name(uint32_t step)
{
	return step < EXEC_STEP_COUNT ? steps[step].name : "";
}
