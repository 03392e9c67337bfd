/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bench/field.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "bench/bench.h"

#define PATIENCE_SEC 60

static const char *build_folder(void)
{
	const char *top = getenv("top_builddir");

	return top ? top : ".";
}

static const char *source_folder(void)
{
	const char *top = getenv("top_srcdir");

	return top ? top : ".";
}

_Noreturn void field_die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

char *field_made(char *text)
{
	if (!text)
		field_die("memory");
	return text;
}

void field_nap(long usec)
{
	const struct timespec t = { usec / 1000000, usec % 1000000 * 1000 };

	(void)nanosleep(&t, NULL);
}

char *field_build_path(const char *name)
{
	return field_made(text_format("%s/%s", build_folder(), name));
}

void field_write(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, content, strlen(content)) < 0)
		field_die(path);
	close_fd(fd);
}

void field_write_units(const struct field *f, const char *more)
{
	auto_free char *folder = field_made(text_format("%s/units", f->folder));
	auto_free char *top = field_made(text_format("%s/bench.supervisor", folder));

	if (mkdir(folder, 0755) < 0)
		field_die(folder);
	field_write(top, "[Supervisor]\nOrder=parallel\nIntensity=1000000\nPeriod=1s\n");
	for (size_t i = 0; i < f->n; i++) {
		auto_free char *path =
				field_made(text_format("%s/t%zu.actor", folder, i));
		auto_free char *text = field_made(text_format(
				"[Actor]\nSupervisor=bench\nRestart=permanent\n"
				"[Service]\nExecStart=%s/trivial %s %zu\n"
				"StandardOutput=null\nStandardError=null\n%s",
				f->folder, f->page, i, more));

		field_write(path, text);
	}
}

static void make_page(struct field *f)
{
	size_t size = (f->n + 1) * sizeof(struct mark);
	int fd;

	f->page = field_made(text_format("%s/page", f->folder));
	fd = open(f->page, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		field_die(f->page);
	f->marks = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (f->marks == MAP_FAILED)
		field_die("mmap");
	close_fd(fd);
}

static void copy_program(struct field *f)
{
	auto_free char *program = field_build_path("tests/bench/trivial");
	auto_free char *data = NULL;
	size_t size;
	int fd;

	f->program = field_made(text_format("%s/trivial", f->folder));
	if (file_read(program, 1024 * 1024, &data, &size) < 0)
		field_die(program);
	fd = open(f->program, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (fd < 0 || fd_write_all(fd, data, size) < 0 || fchmod(fd, 0755) < 0)
		field_die(f->program);
	close_fd(fd);
}

/* On tmpfs where there is one, so that no disk is measured. */
char *field_make_folder(void)
{
	const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char *folder = field_made(text_format("%s/airssys-bench.XXXXXX", parent));

	if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
		field_die(folder);
	return folder;
}

void field_init_at(struct field *f, size_t n, char *folder)
{
	*f = (struct field){ .n = n, .notify_fd = -1 };
	f->folder = folder;
	make_page(f);
	copy_program(f);
}

void field_init(struct field *f, size_t n, const char *more)
{
	field_init_at(f, n, field_make_folder());
	field_write_units(f, more);
}

void field_remove_folder(char *folder)
{
	char *argv[] = { (char *)(uintptr_t) "rm", (char *)(uintptr_t) "-rf", folder,
		NULL };
	pid_t pid;

	if (posix_spawnp(&pid, "rm", NULL, NULL, argv, environ) == 0)
		(void)waitpid(pid, NULL, 0);
}

void field_fini(struct field *f)
{
	field_remove_folder(f->folder);
	(void)munmap((void *)(uintptr_t)f->marks, (f->n + 1) * sizeof(struct mark));
	close_fd(f->notify_fd);
	free(f->program);
	free(f->page);
	free(f->folder);
}

void field_clear_marks(struct field *f)
{
	for (size_t i = 0; i <= f->n; i++)
		f->marks[i].ns = f->marks[i].pid = 0;
}

/* What airssysd had to say. */
static void show_log(const struct field *f)
{
	auto_free char *path = field_made(text_format("%s/log", f->folder));
	auto_free char *log = NULL;
	size_t size;

	if (file_read(path, 65536, &log, &size) == 0)
		(void)fputs(log, stderr);
}

static void check_patience(uint64_t limit, size_t i, const struct field *f)
{
	if (bench_now_ns() <= limit)
		return;
	(void)fprintf(stderr, "service %zu of %zu did not start\n", i, f->n);
	if (f->keeper > 0) {
		(void)kill(f->keeper, SIGTERM);
		(void)waitpid(f->keeper, NULL, 0);
	}
	show_log(f);
	field_remove_folder(f->folder);
	exit(EXIT_FAILURE);
}

uint64_t field_await(const struct field *f, size_t n, uint64_t since)
{
	uint64_t limit = bench_now_ns() + PATIENCE_SEC * UINT64_C(1000000000), last = 0;

	for (size_t i = 0; i < n; i++) {
		while (f->marks[i].ns <= since || f->marks[i].pid == 0) {
			check_patience(limit, i, f);
			field_nap(200);
		}
		if (f->marks[i].ns > last)
			last = f->marks[i].ns;
	}
	return last;
}

uint64_t field_await_next(const struct field *f, size_t i, pid_t pid, uint64_t since)
{
	uint64_t limit = bench_now_ns() + PATIENCE_SEC * UINT64_C(1000000000);

	while (f->marks[i].ns < since || f->marks[i].pid == (uint64_t)pid) {
		check_patience(limit, i, f);
		field_nap(50);
	}
	return f->marks[i].ns;
}

pid_t field_spawn(const struct field *f, size_t i)
{
	char number[24];
	char *argv[] = { f->program, f->page, number, NULL };
	pid_t pid;

	(void)snprintf(number, sizeof(number), "%zu", i);
	if (posix_spawn(&pid, f->program, NULL, NULL, argv, environ) != 0)
		field_die(f->program);
	return pid;
}

void field_listen_for_ready(struct field *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = PATIENCE_SEC };

	f->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/above", f->folder);
	if (bind(f->notify_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			setsockopt(f->notify_fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
					sizeof(limit)) < 0)
		field_die("notify socket");
}

void field_start_keeper(struct field *f)
{
	const char *build = build_folder();
	char *options[] = { field_made(text_format("%s/airssysd", build)),
		field_made(text_format("--runtime-dir=%s/run", f->folder)),
		field_made(text_format("--unit-path=%s/units", f->folder)),
		field_made(text_format("--policy-path=%s/policies", source_folder())),
		field_made(text_format("--libexec-dir=%s", build)), NULL };
	const char *cgroup = getenv("AIRSSYS_CGROUP");
	char *env[] = { field_made(text_format("NOTIFY_SOCKET=%s/above", f->folder)),
		field_made(text_format("AIRSSYS_CGROUP=%s", cgroup ? cgroup : "")),
		NULL };
	auto_free char *log = field_made(text_format("%s/log", f->folder));
	posix_spawn_file_actions_t actions;

	if (posix_spawn_file_actions_init(&actions) != 0 ||
			posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log,
					O_WRONLY | O_CREAT | O_APPEND, 0644) != 0 ||
			posix_spawn(&f->keeper, options[0], &actions, NULL, options,
					env) != 0)
		field_die(options[0]);
	(void)posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 0; options[i]; i++)
		free(options[i]);
	free(env[0]);
	free(env[1]);
}

static void await_ready(struct field *f)
{
	char text[1024];
	ssize_t n;

	do {
		n = recv(f->notify_fd, text, sizeof(text) - 1, 0);
		if (n < 0)
			field_die("readiness");
		text[n] = '\0';
	} while (!strstr(text, "READY=1"));
}

/* The keeper's one child that is no service. */
void field_find_core(struct field *f)
{
	auto_free char *path = field_made(
			text_format("/proc/%d/task/%d/children", f->keeper, f->keeper));
	auto_free char *data = NULL;
	char comm[64], *name, *rest, *word;
	size_t size;
	pid_t pid;

	if (file_read(path, 1024 * 1024, &data, &size) < 0)
		field_die(path);
	rest = data;
	while ((word = strsep(&rest, " "))) {
		if (parse_pid(word, &pid) < 0)
			continue;
		(void)snprintf(comm, sizeof(comm), "/proc/%d/comm", pid);
		if (file_read(comm, 64, &name, &size) < 0)
			continue;
		if (has_prefix(name, "airssys-core"))
			f->core = pid;
		free(name);
	}
}

void field_start_again(struct field *f)
{
	if (f->notify_fd < 0)
		field_listen_for_ready(f);
	field_start_keeper(f);
	await_ready(f);
	field_find_core(f);
}

void field_start(struct field *f, uint64_t *ret_begin_ns, uint64_t *ret_last_ns)
{
	field_clear_marks(f);
	if (f->notify_fd < 0)
		field_listen_for_ready(f);
	*ret_begin_ns = bench_now_ns();
	field_start_keeper(f);
	*ret_last_ns = field_await(f, f->n, *ret_begin_ns);
	await_ready(f);
	field_find_core(f);
}

int field_stop(struct field *f)
{
	int status;

	(void)kill(f->keeper, SIGTERM);
	if (waitpid(f->keeper, &status, 0) < 0)
		field_die("airssysd");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
