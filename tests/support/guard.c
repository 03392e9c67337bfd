/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

#define STEP_MSEC     5
#define PATIENCE_MSEC 2000 /* for what is about to end by itself */
#define KILL_MSEC     10000
#define BOX_NAME      "airssys-guard"

struct guard {
	pid_t child;
	char *box; /* the path of the cgroup; NULL: there is none */
	int complaints;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	interrupted = signo;
}

static void handle_signals(void (*handler)(int signo))
{
	/* Not restarted: the wait for the child is to notice. */
	const struct sigaction action = { .sa_handler = handler };

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
}

static void __attribute__((format(printf, 2, 3)))
complain(struct guard *guard, const char *format, ...)
{
	va_list ap;

	guard->complaints++;
	(void)fputs("# left behind: ", stderr);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

/* The folder of the v2 hierarchy in which this process is. */
static char *own_cgroup(void)
{
	static const char *const mounts[] = { "/sys/fs/cgroup",
		"/sys/fs/cgroup/unified" };
	auto_free char *data = NULL;
	struct statfs fs;
	size_t size;
	char *line;

	if (file_read("/proc/self/cgroup", 64 * 1024, &data, &size) < 0)
		return NULL;
	line = strncmp(data, "0::", 3) == 0 ? data + 3 : strstr(data, "\n0::");
	if (!line)
		return NULL;
	line = strchr(line, '/');
	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		if (statfs(mounts[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return text_format("%s%s", mounts[i],
					strcmp(line, "/") == 0 ? "" : line);
	return NULL;
}

static void make_box(struct guard *guard)
{
	auto_free char *own = own_cgroup();
	char *box = own ? text_format("%s/" BOX_NAME ".%d", own, (int)getpid()) : NULL;

	if (box && mkdir(box, 0755) == 0)
		guard->box = box;
	else
		free(box);
}

static int write_box(const struct guard *guard, const char *name, const char *value)
{
	auto_free char *path = guard->box ? text_format("%s/%s", guard->box, name) : NULL;
	auto_close int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reaps orphans meanwhile, as the first process of a machine does. */
static int wait_for_child(const struct guard *guard)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, 0)) != guard->child) {
		if (pid > 0 || errno == EINTR) {
			if (interrupted)
				(void)kill(guard->child, interrupted);
			continue;
		}
		perror("waitpid");
		return EXIT_FAILURE;
	}
	return status_of(status);
}

static void nap(void)
{
	const struct timespec step = { .tv_nsec = STEP_MSEC * 1000000L };

	(void)nanosleep(&step, NULL);
}

/* The processes that are our children now, those that we were left included. */
static char *read_children(void)
{
	auto_free char *path = text_format("/proc/self/task/%d/children", (int)getpid());
	char *data = NULL;
	size_t size;

	return path && file_read(path, 1024 * 1024, &data, &size) == 0 ? data : NULL;
}

static void for_each_child(struct guard *guard, void (*act)(struct guard *guard, int pid))
{
	auto_free char *children = read_children();
	char *rest = children, *word;

	while (rest && (word = strsep(&rest, " \n")))
		if (*word)
			act(guard, (int)strtol(word, NULL, 10));
}

static void name_child(struct guard *guard, int pid)
{
	auto_free char *path = text_format("/proc/%d/cmdline", pid);
	auto_free char *words = NULL;
	size_t size = 0;

	if (!path || file_read(path, 4096, &words, &size) < 0)
		return;
	for (size_t i = 0; i + 1 < size; i++)
		if (words[i] == '\0')
			words[i] = ' ';
	complain(guard, "process %d: %s", pid, words);
}

static void kill_child(struct guard *guard UNUSED, int pid)
{
	(void)kill(pid, SIGKILL);
}

static void reap_for(int msec)
{
	for (int waited = 0; waited < msec; waited += STEP_MSEC) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0) /* there is none any more */
			return;
		nap();
	}
}

static void end_processes(struct guard *guard)
{
	reap_for(interrupted ? 0 : PATIENCE_MSEC);
	if (!interrupted)
		for_each_child(guard, name_child);
	for (int waited = 0; waited < KILL_MSEC && waitpid(-1, NULL, WNOHANG) >= 0;
			waited += 10 * STEP_MSEC) {
		(void)write_box(guard, "cgroup.kill", "1");
		for_each_child(guard, kill_child);
		reap_for(10 * STEP_MSEC);
	}
}

static int remove_folder(const char *path, const struct stat *st UNUSED, int type,
		struct FTW *at UNUSED)
{
	if (type != FTW_DP)
		return 0;
	if (!interrupted)
		(void)fprintf(stderr, "# left behind: cgroup %s\n", path);
	(void)rmdir(path);
	return 0;
}

static void remove_box(struct guard *guard)
{
	if (!guard->box)
		return;
	if (rmdir(guard->box) < 0) {
		guard->complaints += !interrupted;
		(void)nftw(guard->box, remove_folder, 16, FTW_DEPTH | FTW_PHYS);
	}
	free(guard->box);
	guard->box = NULL;
}

int guard_run(int (*body)(void *data), void *data)
{
	struct guard guard = { 0 };
	int status;

	(void)fflush(NULL);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	handle_signals(on_signal);
	make_box(&guard);
	guard.child = fork();
	if (guard.child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		handle_signals(SIG_DFL);
		(void)write_box(&guard, "cgroup.procs", "0");
		free(guard.box);
		exit(body(data));
	}
	if (guard.child < 0)
		perror("fork");
	status = guard.child < 0 ? EXIT_FAILURE : wait_for_child(&guard);
	end_processes(&guard);
	remove_box(&guard);
	return status == EXIT_SUCCESS && guard.complaints > 0 ? EXIT_FAILURE : status;
}
