/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Service management as a whole, with airssysd and airssys-core of this build and trivial
 * services: cold start, memory, idle CPU, restart latency, a storm, and stop. Beside the
 * start and the storm stands the floor: a loop that only spawns the same program.
 *
 *   bench-services [N…]    default 1 100 1000
 */

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

#define KILLS        200
#define KILLS_AGAIN  50
#define GAP_MSEC     25
#define PATIENCE_SEC 60
#define IDLE_SEC     10
#define STORMS       3

struct mark {
	uint64_t ns, pid;
};

struct field {
	size_t n;
	char *folder, *page;
	volatile struct mark *marks;
	pid_t keeper, core;
	int notify_fd;
};

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

_Noreturn static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static char *made(char *text)
{
	if (!text)
		die("memory");
	return text;
}

static void nap(long usec)
{
	const struct timespec t = { usec / 1000000, usec % 1000000 * 1000 };

	(void)nanosleep(&t, NULL);
}

static double msec(uint64_t ns)
{
	return (double)ns / 1e6;
}

static void write_text(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, content, strlen(content)) < 0)
		die(path);
	close_fd(fd);
}

static void write_units(const struct field *f, const char *more)
{
	auto_free char *folder = made(text_format("%s/units", f->folder));
	auto_free char *top = made(text_format("%s/bench.supervisor", folder));

	if (mkdir(folder, 0755) < 0)
		die(folder);
	write_text(top, "[Supervisor]\nOrder=parallel\nIntensity=1000000\nPeriod=1s\n");
	for (size_t i = 0; i < f->n; i++) {
		auto_free char *path = made(text_format("%s/t%zu.actor", folder, i));
		auto_free char *text = made(text_format(
				"[Actor]\nSupervisor=bench\nRestart=permanent\n"
				"[Service]\nExecStart=%s/trivial %s %zu\n"
				"StandardOutput=null\nStandardError=null\n%s",
				f->folder, f->page, i, more));

		write_text(path, text);
	}
}

/* Everything lies on tmpfs where there is one, so that no disk is measured. */
static void make_field(struct field *f, size_t n, const char *more)
{
	const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	auto_free char *program = NULL, *copy = NULL, *data = NULL;
	size_t size;
	int fd;

	*f = (struct field){ .n = n, .notify_fd = -1 };
	f->folder = made(text_format("%s/airssys-bench.XXXXXX", parent));
	if (!mkdtemp(f->folder) || chmod(f->folder, 0755) < 0)
		die(f->folder);
	f->page = made(text_format("%s/page", f->folder));
	fd = open(f->page, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, (off_t)(n * sizeof(struct mark))) < 0)
		die(f->page);
	f->marks = mmap(NULL, n * sizeof(struct mark), PROT_READ | PROT_WRITE, MAP_SHARED,
			fd, 0);
	if (f->marks == MAP_FAILED)
		die("mmap");
	close_fd(fd);
	program = made(text_format("%s/tests/bench/trivial", build_folder()));
	copy = made(text_format("%s/trivial", f->folder));
	if (file_read(program, 1024 * 1024, &data, &size) < 0)
		die(program);
	fd = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (fd < 0 || fd_write_all(fd, data, size) < 0 || fchmod(fd, 0755) < 0)
		die(copy);
	close_fd(fd);
	write_units(f, more);
}

static void remove_field(struct field *f)
{
	char *argv[] = { (char *)(uintptr_t) "rm", (char *)(uintptr_t) "-rf", f->folder,
		NULL };
	pid_t pid;

	if (posix_spawnp(&pid, "rm", NULL, NULL, argv, environ) == 0)
		(void)waitpid(pid, NULL, 0);
	(void)munmap((void *)(uintptr_t)f->marks, f->n * sizeof(struct mark));
	close_fd(f->notify_fd);
	free(f->page);
	free(f->folder);
}

static void clear_marks(struct field *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->marks[i].ns = f->marks[i].pid = 0;
}

/* Wait until every service has a mark later than since; the time of the last one. */
static uint64_t await_all(const struct field *f, uint64_t since)
{
	uint64_t limit = bench_now_ns() + PATIENCE_SEC * UINT64_C(1000000000), last = 0;

	for (size_t i = 0; i < f->n; i++) {
		while (f->marks[i].ns <= since || f->marks[i].pid == 0) {
			if (bench_now_ns() > limit) {
				fprintf(stderr, "service %zu of %zu did not start\n", i,
						f->n);
				exit(EXIT_FAILURE);
			}
			nap(200);
		}
		if (f->marks[i].ns > last)
			last = f->marks[i].ns;
	}
	return last;
}

/* The same program, spawned in a loop: what a manager cannot beat. */
static double measure_floor(struct field *f)
{
	auto_free char *program = made(text_format("%s/trivial", f->folder));
	uint64_t begin, last;
	char number[24];
	pid_t pid;

	clear_marks(f);
	begin = bench_now_ns();
	for (size_t i = 0; i < f->n; i++) {
		char *argv[] = { program, f->page, number, NULL };

		(void)snprintf(number, sizeof(number), "%zu", i);
		if (posix_spawn(&pid, program, NULL, NULL, argv, environ) != 0)
			die(program);
	}
	last = await_all(f, begin);
	for (size_t i = 0; i < f->n; i++) {
		pid = (pid_t)f->marks[i].pid;
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	return msec(last - begin);
}

static void listen_for_ready(struct field *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = PATIENCE_SEC };

	f->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/above", f->folder);
	if (bind(f->notify_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			setsockopt(f->notify_fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
					sizeof(limit)) < 0)
		die("notify socket");
}

static void start_keeper(struct field *f)
{
	const char *build = build_folder();
	char *options[] = { made(text_format("%s/airssysd", build)),
		made(text_format("--runtime-dir=%s/run", f->folder)),
		made(text_format("--unit-path=%s/units", f->folder)),
		made(text_format("--policy-path=%s/policies", source_folder())),
		made(text_format("--libexec-dir=%s", build)), NULL };
	const char *cgroup = getenv("AIRSSYS_CGROUP");
	char *env[] = { made(text_format("NOTIFY_SOCKET=%s/above", f->folder)),
		made(text_format("AIRSSYS_CGROUP=%s", cgroup ? cgroup : "")), NULL };
	auto_free char *log = made(text_format("%s/log", f->folder));
	posix_spawn_file_actions_t actions;

	if (posix_spawn_file_actions_init(&actions) != 0 ||
			posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log,
					O_WRONLY | O_CREAT | O_APPEND, 0644) != 0 ||
			posix_spawn(&f->keeper, options[0], &actions, NULL, options,
					env) != 0)
		die(options[0]);
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
			die("readiness");
		text[n] = '\0';
	} while (!strstr(text, "READY=1"));
}

/* The keeper's one child that is no service. */
static void find_core(struct field *f)
{
	auto_free char *path = made(
			text_format("/proc/%d/task/%d/children", f->keeper, f->keeper));
	auto_free char *data = NULL;
	char comm[64], *name, *rest, *word;
	size_t size;
	pid_t pid;

	if (file_read(path, 1024 * 1024, &data, &size) < 0)
		die(path);
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

static uint64_t number_behind(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static uint64_t pss_kib(pid_t pid)
{
	auto_free char *path = made(text_format("/proc/%d/smaps_rollup", pid));
	auto_free char *data = NULL;
	size_t size;

	return file_read(path, 65536, &data, &size) < 0 ? 0
							: number_behind(data, "\nPss:");
}

/* CPU time of all threads in nanoseconds, and how often they were switched in. */
static void read_cpu(pid_t pid, uint64_t *ret_ns, uint64_t *ret_switches)
{
	auto_free char *path = made(text_format("/proc/%d/status", pid));
	auto_free char *data = NULL;
	struct timespec cpu = { 0 };
	clockid_t clock;
	size_t size;

	if (clock_getcpuclockid(pid, &clock) == 0)
		(void)clock_gettime(clock, &cpu);
	*ret_ns += (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec;
	if (file_read(path, 65536, &data, &size) == 0)
		*ret_switches += number_behind(data, "\nvoluntary_ctxt_switches:");
}

static void measure_memory(const struct field *f)
{
	uint64_t keeper = pss_kib(f->keeper), core = pss_kib(f->core);

	printf("{\"bench\":\"service_memory\",\"services\":%zu,\"pss_kib\":%llu,"
	       "\"keeper_kib\":%llu,\"core_kib\":%llu}\n",
			f->n, (unsigned long long)(keeper + core),
			(unsigned long long)keeper, (unsigned long long)core);
}

static void measure_idle(const struct field *f)
{
	uint64_t before = 0, after = 0, switches_before = 0, switches_after = 0;

	nap(500000);
	read_cpu(f->keeper, &before, &switches_before);
	read_cpu(f->core, &before, &switches_before);
	nap(IDLE_SEC * 1000000L);
	read_cpu(f->keeper, &after, &switches_after);
	read_cpu(f->core, &after, &switches_after);
	printf("{\"bench\":\"service_idle\",\"services\":%zu,\"seconds\":%d,"
	       "\"cpu_ms\":%.3f,\"switches\":%llu}\n",
			f->n, IDLE_SEC, msec(after - before),
			(unsigned long long)(switches_after - switches_before));
}

/* From SIGKILL to the first instruction of the next program. */
static uint64_t kill_one(const struct field *f, size_t i)
{
	volatile struct mark *mark = &f->marks[i];
	uint64_t begin = bench_now_ns();
	uint64_t limit = begin + PATIENCE_SEC * UINT64_C(1000000000);
	pid_t pid = (pid_t)mark->pid;

	(void)kill(pid, SIGKILL);
	while (mark->ns < begin || mark->pid == (uint64_t)pid) {
		if (bench_now_ns() > limit)
			die("restart");
		nap(50);
	}
	return mark->ns - begin;
}

static void print_latency(
		const char *name, const struct field *f, uint64_t *values, size_t n)
{
	double p50 = msec(bench_median(values, n));

	printf("{\"bench\":\"%s\",\"services\":%zu,\"n\":%zu,\"p50_ms\":%.3f,"
	       "\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
			name, f->n, n, p50, msec(values[n * 99 / 100]),
			msec(values[n - 1]));
}

static void measure_restart(const struct field *f, const char *name)
{
	uint64_t values[KILLS];

	for (size_t i = 0; i < KILLS; i++) {
		nap(GAP_MSEC * 1000);
		values[i] = kill_one(f, i * 7 % f->n);
	}
	print_latency(name, f, values, KILLS);
}

static void measure_again(const struct field *f)
{
	uint64_t again[KILLS_AGAIN];

	for (size_t i = 0; i < KILLS_AGAIN; i++) {
		nap(GAP_MSEC * 1000);
		(void)kill_one(f, i % f->n);
		again[i] = kill_one(f, i % f->n);
	}
	print_latency("service_restart_again", f, again, KILLS_AGAIN);
}

static void measure_storm(const struct field *f)
{
	uint64_t values[STORMS], begin;

	for (size_t s = 0; s < STORMS; s++) {
		nap(300000);
		begin = bench_now_ns();
		for (size_t i = 0; i < f->n; i++)
			(void)kill((pid_t)f->marks[i].pid, SIGKILL);
		values[s] = await_all(f, begin) - begin;
	}
	printf("{\"bench\":\"service_storm\",\"services\":%zu,\"ms\":%.1f}\n", f->n,
			msec(bench_median(values, STORMS)));
}

static void measure_core_death(struct field *f)
{
	uint64_t begin = bench_now_ns();
	size_t changed = 0;
	uint64_t *pids = calloc(f->n, sizeof(*pids));

	if (!pids)
		die("memory");
	for (size_t i = 0; i < f->n; i++)
		pids[i] = f->marks[i].pid;
	(void)kill(f->core, SIGKILL);
	/* Adopted is who is restarted when it dies: ask the last one. */
	(void)kill_one(f, f->n - 1);
	begin = bench_now_ns() - begin;
	for (size_t i = 0; i + 1 < f->n; i++)
		changed += pids[i] != f->marks[i].pid;
	printf("{\"bench\":\"service_core_death\",\"services\":%zu,\"ms\":%.1f,"
	       "\"restarted\":%zu}\n",
			f->n, msec(begin), changed);
	free(pids);
	find_core(f);
}

static void measure_stop(struct field *f)
{
	uint64_t begin = bench_now_ns();
	int status;

	(void)kill(f->keeper, SIGTERM);
	if (waitpid(f->keeper, &status, 0) < 0)
		die("airssysd");
	printf("{\"bench\":\"service_stop\",\"services\":%zu,\"ms\":%.1f,\"status\":%d}\n",
			f->n, msec(bench_now_ns() - begin), WEXITSTATUS(status));
}

static void bench(size_t n)
{
	struct field f;
	uint64_t begin, last, cpu = 0, switches = 0;
	double floor;

	make_field(&f, n > 0 ? n : 1, "");
	floor = measure_floor(&f);
	clear_marks(&f);
	listen_for_ready(&f);
	begin = bench_now_ns();
	start_keeper(&f);
	last = await_all(&f, begin);
	await_ready(&f);
	find_core(&f);
	read_cpu(f.keeper, &cpu, &switches);
	read_cpu(f.core, &cpu, &switches);
	printf("{\"bench\":\"service_cold_start\",\"services\":%zu,\"ms\":%.2f,"
	       "\"floor_ms\":%.2f,\"cpu_ms\":%.2f}\n",
			n, msec(last - begin), floor, msec(cpu));
	measure_memory(&f);
	if (n >= 1000 && !getenv("NOIDLE"))
		measure_idle(&f);
	measure_restart(&f, "service_restart");
	measure_again(&f);
	measure_storm(&f);
	measure_core_death(&f);
	measure_stop(&f);
	remove_field(&f);
	(void)fflush(stdout);
}

/* The same service with more to do between its birth and its first instruction. */
static void bench_restart_with(const char *name, const char *more)
{
	struct field f;
	uint64_t begin;

	make_field(&f, 1, more);
	listen_for_ready(&f);
	begin = bench_now_ns();
	start_keeper(&f);
	(void)await_all(&f, begin);
	await_ready(&f);
	measure_restart(&f, name);
	(void)kill(f.keeper, SIGTERM);
	(void)waitpid(f.keeper, NULL, 0);
	remove_field(&f);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 1, 100, 1000 };

	if (argc > 1)
		for (int i = 1; i < argc; i++)
			bench((size_t)bench_argument(argc, argv, i, 1));
	else
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
			bench(sizes[i]);
	bench_restart_with("service_restart_executor", "NoNewPrivileges=yes\n");
	bench_restart_with("service_restart_confined",
			"[Security]\nPolicy=system-service-strict\n");
	return EXIT_SUCCESS;
}
