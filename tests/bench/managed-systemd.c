/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * systemd wants to be the first process. It is that of a PID namespace of its own, with
 * mounts of its own and a cgroup v2 tree of its own, so that whatever the first process of
 * this machine is, it is left alone. Journal, bus and logins do not run: what is measured is
 * the manager.
 *
 * The first process of the namespace is a shell that prepares the mounts and waits to be
 * told; then it becomes systemd. Who measures lives in the namespace, too.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "bench/managers.h"

#define WORD(text) ((char *)(uintptr_t)(text))

#define PATIENCE_NAPS 6000 /* of 10 ms */

/* Its input is what it waits for; its output, that it waits. */
static char prepare[] = "set -e\n"
			"mount --make-rprivate /\n"
			"mount -t proc proc /proc\n"
			"mount -t cgroup2 cgroup2 /sys/fs/cgroup\n"
			"mount -t tmpfs tmpfs /run\n"
			"mkdir -p /run/systemd/system\n"
			"echo ready\n"
			"read folder program\n"
			"mount --bind \"$folder/units\" /run/systemd/system\n"
			"exec \"$program\" --system --unit=bench.target "
			"--log-target=null --show-status=no "
			"</dev/null >/dev/null 2>&1\n";

static int order_fd = -1;

static char *cgroup_path(pid_t pid)
{
	const char *root = access("/sys/fs/cgroup/unified/cgroup.procs", W_OK) == 0
			? "/sys/fs/cgroup/unified"
			: "/sys/fs/cgroup";

	return field_made(text_format("%s/airssys-bench-%d", root, pid));
}

static bool enter_cgroup(void)
{
	auto_free char *path = cgroup_path(getpid());
	auto_free char *procs = field_made(text_format("%s/cgroup.procs", path));
	auto_close int fd = -1;

	if (mkdir(path, 0755) < 0)
		return false;
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && fd_write_all(fd, "0", 1) == 0;
}

/* The first process; whether its mounts stand. */
static bool start_shell(void)
{
	char *argv[] = { WORD("sh"), WORD("-c"), prepare, NULL };
	char *env[] = { WORD("PATH=/usr/sbin:/usr/bin:/sbin:/bin"),
		WORD("container=other"), NULL };
	auto_close int order = -1, answer = -1, answer_end = -1;
	posix_spawn_file_actions_t actions;
	int fds[2];
	char c;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	order = fds[0];
	order_fd = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	answer = fds[0];
	answer_end = fds[1];
	if (posix_spawn_file_actions_init(&actions) != 0 ||
			posix_spawn_file_actions_adddup2(&actions, order, STDIN_FILENO) !=
					0 ||
			posix_spawn_file_actions_adddup2(
					&actions, answer_end, STDOUT_FILENO) != 0 ||
			posix_spawnp(&pid, argv[0], &actions, NULL, argv, env) != 0)
		return false;
	(void)posix_spawn_file_actions_destroy(&actions);
	answer_end = close_fd(answer_end);
	return read(answer, &c, 1) == 1;
}

const char *systemd_enter(void)
{
	pid_t pid;
	int status;

	if (geteuid() != 0)
		return "only root can give it namespaces";
	if (!enter_cgroup())
		return "no cgroup v2 may be written";
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWCGROUP) < 0)
		return "no namespaces can be made";
	if (!start_shell())
		return "its mounts cannot be made";
	pid = fork();
	if (pid < 0)
		return "no process can be made";
	if (pid == 0)
		return NULL;
	(void)waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void remove_cgroups(const char *path)
{
	char *const argv[] = { WORD("find"), WORD(path), WORD("-depth"), WORD("-type"),
		WORD("d"), WORD("-exec"), WORD("rmdir"), WORD("{}"), WORD("+"), NULL };
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) == 0)
		(void)waitpid(pid, NULL, 0);
}

void systemd_clear(pid_t pid)
{
	auto_free char *path = cgroup_path(pid);

	/* The dead leave a moment after their end is known. */
	for (int i = 0; i < 100 && access(path, F_OK) == 0; i++) {
		remove_cgroups(path);
		field_nap(10000);
	}
}

void systemd_configure(const struct field *f)
{
	auto_free char *units = field_made(text_format("%s/units", f->folder));
	auto_free char *target = field_made(text_format("%s/bench.target", units));
	auto_text all = { 0 };

	if (mkdir(units, 0755) < 0)
		field_die(units);
	text_append(&all, "[Unit]\nDefaultDependencies=no\n");
	for (size_t i = 0; i < f->n; i++) {
		auto_free char *path =
				field_made(text_format("%s/t%zu.service", units, i));
		auto_free char *text = field_made(text_format(
				"[Unit]\nDefaultDependencies=no\nPartOf=bench.target\n"
				"After=bench.target\nStartLimitIntervalSec=0\n"
				"[Service]\nExecStart=%s %s %zu\nRestart=always\n"
				"RestartSec=0\nStandardOutput=null\n",
				f->program, f->page, i));

		field_write(path, text);
		text_printf(&all, "Wants=t%zu.service\n", i);
	}
	field_write(target, text_get(&all));
}

void systemd_start(struct field *f, const char *program)
{
	auto_free char *order = field_made(text_format("%s %s\n", f->folder, program));

	f->keeper = 1;
	if (fd_write_all(order_fd, order, strlen(order)) < 0)
		field_die("systemd");
	order_fd = close_fd(order_fd);
}

/* The target is stopped when its services are. */
void systemd_stop(const struct field *f)
{
	char *const argv[] = { WORD("/bin/systemctl"), WORD("stop"), WORD("bench.target"),
		NULL };
	char *const env[] = { NULL };

	(void)waitpid(manager_execute(f, argv, env), NULL, 0);
	for (size_t i = 0; i < f->n; i++)
		for (int naps = 0; kill((pid_t)f->marks[i].pid, 0) == 0 &&
				naps < PATIENCE_NAPS;
				naps++)
			field_nap(10000);
}
