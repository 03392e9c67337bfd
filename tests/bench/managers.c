/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bench/managers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/text.h"

#define WORD(text) ((char *)(uintptr_t)(text))

pid_t manager_execute(const struct field *f, char *const argv[], char *const env[])
{
	auto_free char *log = field_made(text_format("%s/log", f->folder));
	posix_spawn_file_actions_t actions;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0 ||
			posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
					"/dev/null", O_RDONLY, 0) != 0 ||
			posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log,
					O_WRONLY | O_CREAT | O_APPEND, 0644) != 0 ||
			posix_spawn_file_actions_adddup2(
					&actions, STDOUT_FILENO, STDERR_FILENO) != 0 ||
			posix_spawn(&pid, argv[0], &actions, NULL, argv, env) != 0)
		field_die(argv[0]);
	(void)posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static char *const plain[] = { WORD("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), NULL };

/* Everything that we started, and what that started, has ended. */
static void await_all(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static void stop_with(const struct field *f, int signo)
{
	(void)kill(f->keeper, signo);
	await_all();
}

static void stop_by_term(const struct field *f)
{
	stop_with(f, SIGTERM);
}

static char *make_folder(const struct field *f, const char *name)
{
	char *path = field_made(text_format("%s/%s", f->folder, name));

	if (mkdir(path, 0755) < 0)
		field_die(path);
	return path;
}

/* The bare loop: nothing but spawning, waiting and signalling. */

static volatile sig_atomic_t loop_shall_end;

static void on_term(int signo)
{
	(void)signo;
	loop_shall_end = 1;
}

static void end_loop(pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)kill(pids[i], SIGTERM);
	await_all();
	_exit(0);
}

/* A service that is looked for from where the last one was found: kills come in order. */
static size_t find_pid(const pid_t *pids, size_t n, pid_t pid, size_t from)
{
	for (size_t i = 0; i < n; i++)
		if (pids[(from + i) % n] == pid)
			return (from + i) % n;
	return n;
}

_Noreturn static void loop(const struct field *f)
{
	const struct sigaction term = { .sa_handler = on_term };
	pid_t *pids = calloc(f->n + 1, sizeof(*pids)), pid;
	size_t i = 0;

	if (!pids || sigaction(SIGTERM, &term, NULL) < 0)
		_exit(1);
	for (i = 0; i < f->n; i++)
		pids[i] = field_spawn(f, i);
	while (!loop_shall_end) {
		if (f->n == 0)
			(void)pause();
		pid = waitpid(-1, NULL, 0);
		i = pid > 0 ? find_pid(pids, f->n, pid, i) : f->n;
		if (i < f->n)
			pids[i] = field_spawn(f, i);
	}
	end_loop(pids, f->n);
	_exit(0);
}

static void configure_nothing(const struct field *f)
{
	(void)f;
}

static void start_loop(struct field *f, const char *program)
{
	(void)program;
	f->keeper = fork();
	if (f->keeper < 0)
		field_die("fork");
	if (f->keeper == 0)
		loop(f);
}

/* airssysd. */

static void configure_ours(const struct field *f)
{
	field_write_units(f, "");
}

static void start_ours(struct field *f, const char *program)
{
	(void)program;
	field_listen_for_ready(f);
	field_start_keeper(f);
}

/* runit and s6: a folder for each service, in which the program is called run. */

static void configure_folders(const struct field *f)
{
	auto_free char *services = make_folder(f, "services");

	for (size_t i = 0; i < f->n; i++) {
		auto_free char *folder = field_made(text_format("%s/t%zu", services, i));
		auto_free char *run = field_made(text_format("%s/run", folder));

		if (mkdir(folder, 0755) < 0 || symlink(f->program, run) < 0)
			field_die(folder);
	}
}

/* -P as distributions start it: a process group for each service. */
static void start_runit(struct field *f, const char *program)
{
	auto_free char *services = field_made(text_format("%s/services", f->folder));
	char *argv[] = { WORD(program), WORD("-P"), services, NULL };

	f->keeper = manager_execute(f, argv, plain);
}

static void stop_runit(const struct field *f)
{
	stop_with(f, SIGHUP);
}

static void start_s6(struct field *f, const char *program)
{
	auto_free char *services = field_made(text_format("%s/services", f->folder));
	char *argv[] = { WORD(program), WORD("-c"), WORD("2000"), services, NULL };

	f->keeper = manager_execute(f, argv, plain);
}

/* supervisor: one file with a section for each program. */

static void configure_supervisor(const struct field *f)
{
	auto_free char *path = field_made(text_format("%s/supervisord.conf", f->folder));
	auto_text text = { 0 };

	text_printf(&text,
			"[supervisord]\nnodaemon=true\nlogfile=/dev/null\n"
			"logfile_maxbytes=0\npidfile=%s/pid\nminfds=8192\nuser=root\n",
			f->folder);
	for (size_t i = 0; i < f->n; i++)
		text_printf(&text,
				"[program:t%zu]\ncommand=%s %s %zu\nautorestart=true\n"
				"startsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n",
				i, f->program, f->page, i);
	field_write(path, text_get(&text));
}

static void start_supervisor(struct field *f, const char *program)
{
	auto_free char *path = field_made(text_format("%s/supervisord.conf", f->folder));
	char *argv[] = { WORD(program), WORD("-c"), path, NULL };

	f->keeper = manager_execute(f, argv, plain);
}

/* dinit: a file for each service, and one that waits for them all. */

static void configure_dinit(const struct field *f)
{
	auto_free char *services = make_folder(f, "services");
	auto_free char *boot = field_made(text_format("%s/boot", services));
	auto_text all = { 0 };

	text_append(&all, "type = internal\n");
	for (size_t i = 0; i < f->n; i++) {
		auto_free char *path = field_made(text_format("%s/t%zu", services, i));
		auto_free char *text = field_made(text_format(
				"type = process\ncommand = %s %s %zu\nrestart = true\n"
				"smooth-recovery = true\nrestart-delay = 0\n"
				"restart-limit-count = 0\n",
				f->program, f->page, i));

		field_write(path, text);
		text_printf(&all, "waits-for = t%zu\n", i);
	}
	field_write(boot, text_get(&all));
}

static void start_dinit(struct field *f, const char *program)
{
	auto_free char *services = field_made(text_format("%s/services", f->folder));
	auto_free char *control = field_made(text_format("%s/control", f->folder));
	char *argv[] = { WORD(program), WORD("--container"), WORD("--quiet"), WORD("-d"),
		services, WORD("-p"), control, WORD("boot"), NULL };

	f->keeper = manager_execute(f, argv, plain);
}

const struct manager managers[] = {
	{ .name = "loop",
			.configure = configure_nothing,
			.start = start_loop,
			.stop = stop_by_term },
	{ .name = "airssys",
			.configure = configure_ours,
			.start = start_ours,
			.stop = stop_by_term },
	{ .name = "runit",
			.program = "runsvdir",
			.configure = configure_folders,
			.start = start_runit,
			.stop = stop_runit },
	{ .name = "s6",
			.program = "s6-svscan",
			.configure = configure_folders,
			.start = start_s6,
			.stop = stop_by_term },
	{ .name = "dinit",
			.program = "dinit",
			.variable = "DINIT",
			.configure = configure_dinit,
			.start = start_dinit,
			.stop = stop_by_term },
	{ .name = "systemd",
			.program = "/lib/systemd/systemd",
			.configure = systemd_configure,
			.start = systemd_start,
			.stop = systemd_stop,
			.enter = systemd_enter },
	{ .name = "supervisor",
			.program = "supervisord",
			.configure = configure_supervisor,
			.start = start_supervisor,
			.stop = stop_by_term },
};
const size_t n_managers = ARRAY_SIZE(managers);

static char *find_in_path(const char *name)
{
	static const char *const folders[] = { "/usr/local/sbin", "/usr/local/bin",
		"/usr/sbin", "/usr/bin", "/sbin", "/bin" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char *path = field_made(text_format("%s/%s", folders[i], name));

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

char *manager_find(const struct manager *manager)
{
	const char *named = manager->variable ? getenv(manager->variable) : NULL;

	if (named && *named)
		return access(named, X_OK) == 0 ? field_made(strdup(named)) : NULL;
	if (!manager->program)
		return field_made(strdup(""));
	if (manager->program[0] != '/')
		return find_in_path(manager->program);
	return access(manager->program, X_OK) == 0 ? field_made(strdup(manager->program))
						   : NULL;
}
