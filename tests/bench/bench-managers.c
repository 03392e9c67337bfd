/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * airssysd and other service managers, one after the other in rounds, with the same program
 * and the same method, and the bare loop that only spawns, signals and waits: one JSON line a
 * figure, then a table of medians, of ratios, and of what is asked of them.
 *
 *   bench-managers [MANAGER…]    default: those that are installed
 *
 * BENCH_ROUNDS in the environment says how many rounds, default 3. DINIT=PATH names a dinit
 * that is not packaged. Each measurement is a process with a limit of time; whatever it
 * leaves is killed and removed.
 */

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "bench/bench.h"
#include "bench/figures.h"
#include "bench/managers.h"

#define KILLS     200
#define GAP_USEC  20000
#define REST_USEC 1200000 /* some pause before they restart what is younger than 1 s */
/* runsvdir leaves a folder alone in the second in which it was changed. */
#define SETTLE_USEC   2100000
#define IDLE_SEC      10
#define KILLS_BUDGET  (UINT64_C(12) * 1000000000) /* of those that pause for a second */
#define PATIENCE_MSEC 180000

/* What one measuring process sends. */
struct report {
	bool is_complete;
	char why[80]; /* it could not be measured */
	struct figures figures;
};

static double msec(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* The processes of the manager: all that descend from it but the services. */

struct pids {
	pid_t *items;
	size_t n;
};

static bool is_anything(pid_t pid)
{
	(void)pid;
	return true;
}

static bool is_manager(pid_t pid)
{
	auto_free char *path = field_made(text_format("/proc/%d/comm", pid));
	auto_free char *comm = NULL;
	size_t size;

	return file_read(path, 64, &comm, &size) == 0 && strcmp(comm, "trivial\n") != 0 &&
			strcmp(comm, "run\n") != 0;
}

static void add_pid(struct pids *pids, pid_t pid)
{
	pids->items = realloc(pids->items, (pids->n + 1) * sizeof(*pids->items));
	if (!pids->items)
		field_die("memory");
	pids->items[pids->n++] = pid;
}

/* Those of its children that are wanted. */
static void add_children(struct pids *pids, pid_t pid, bool (*is_wanted)(pid_t pid))
{
	auto_free char *path =
			field_made(text_format("/proc/%d/task/%d/children", pid, pid));
	auto_free char *data = NULL;
	char *rest, *word;
	size_t size;
	pid_t child;

	if (file_read(path, 1024 * 1024, &data, &size) < 0)
		return;
	rest = data;
	while ((word = strsep(&rest, " ")))
		if (parse_pid(word, &child) == 0 && is_wanted(child))
			add_pid(pids, child);
}

/* From a process down. The list is used again. */
static void find_family(struct pids *pids, pid_t pid, bool (*is_wanted)(pid_t pid))
{
	pids->n = 0;
	add_pid(pids, pid);
	for (size_t i = 0; i < pids->n; i++)
		add_children(pids, pids->items[i], is_wanted);
}

static struct pids find_processes(const struct field *f)
{
	struct pids pids = { 0 };

	find_family(&pids, f->keeper, is_manager);
	return pids;
}

static uint64_t number_behind(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static uint64_t number_of(pid_t pid, const char *file, const char *key)
{
	auto_free char *path = field_made(text_format("/proc/%d/%s", pid, file));
	auto_free char *data = NULL;
	size_t size;

	return file_read(path, 65536, &data, &size) < 0 ? 0 : number_behind(data, key);
}

static void measure_memory(const struct field *f, struct figures *figures)
{
	struct pids pids = find_processes(f);
	uint64_t kib = 0;

	for (size_t i = 0; i < pids.n; i++)
		kib += number_of(pids.items[i], "smaps_rollup", "\nPss:");
	figures->value[FIGURE_MEMORY] = (double)kib;
	free(pids.items);
}

static uint64_t cpu_ns(const struct pids *pids, uint64_t *ret_switches)
{
	struct timespec cpu;
	clockid_t clock;
	uint64_t ns = 0;

	*ret_switches = 0;
	for (size_t i = 0; i < pids->n; i++) {
		if (clock_getcpuclockid(pids->items[i], &clock) != 0 ||
				clock_gettime(clock, &cpu) < 0)
			continue;
		ns += (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec;
		*ret_switches += number_of(
				pids->items[i], "status", "\nvoluntary_ctxt_switches:");
	}
	return ns;
}

static void measure_idle(const struct field *f, struct figures *figures)
{
	struct pids pids = find_processes(f);
	uint64_t before, after, switches_before, switches_after;

	before = cpu_ns(&pids, &switches_before);
	field_nap(IDLE_SEC * 1000000L);
	after = cpu_ns(&pids, &switches_after);
	figures->value[FIGURE_IDLE_CPU] = msec(after - before);
	figures->value[FIGURE_IDLE_SWITCHES] = (double)(switches_after - switches_before);
	free(pids.items);
}

/* Restarts. */

static uint64_t kill_one(const struct field *f, size_t i)
{
	pid_t pid = (pid_t)f->marks[i].pid;
	uint64_t begin = bench_now_ns();

	(void)kill(pid, SIGKILL);
	return field_await_next(f, i, pid, begin) - begin;
}

static void measure_restart(const struct field *f, struct figures *figures)
{
	uint64_t values[KILLS], limit = bench_now_ns() + KILLS_BUDGET;
	size_t n = 0;

	while (n < KILLS && bench_now_ns() < limit) {
		field_nap(GAP_USEC);
		values[n] = kill_one(f, n * 7 % f->n);
		n++;
	}
	figures->value[FIGURE_RESTART_P50] = msec(bench_median(values, n));
	figures->value[FIGURE_RESTART_P99] = msec(values[n * 99 / 100]);
}

static void measure_again(const struct field *f, struct figures *figures)
{
	uint64_t first[KILLS], again[KILLS], limit = bench_now_ns() + KILLS_BUDGET;
	size_t n = 0;

	while (n < KILLS / 2 && bench_now_ns() < limit) {
		field_nap(GAP_USEC);
		first[n] = kill_one(f, n * 7 % f->n);
		again[n] = kill_one(f, n * 7 % f->n);
		n++;
	}
	figures->value[FIGURE_FIRST] = msec(bench_median(first, n));
	figures->value[FIGURE_AGAIN] = msec(bench_median(again, n));
}

static void measure_storm(const struct field *f, struct figures *figures)
{
	uint64_t begin;

	field_nap(REST_USEC);
	begin = bench_now_ns();
	for (size_t i = 0; i < f->n; i++)
		(void)kill((pid_t)f->marks[i].pid, SIGKILL);
	figures->value[FIGURE_STORM] = msec(field_await(f, f->n, begin) - begin);
}

enum length { SHORT, WHOLE };

static void measure(const struct manager *manager, const char *program, struct field *f,
		enum length length, struct figures *figures)
{
	uint64_t begin;

	manager->configure(f);
	field_nap(SETTLE_USEC);
	begin = bench_now_ns();
	manager->start(f, program);
	if (f->n > 0)
		figures->value[FIGURE_START] = msec(field_await(f, f->n, begin) - begin);
	field_nap(REST_USEC);
	measure_memory(f, figures);
	if (length == WHOLE && f->n >= 1000)
		measure_idle(f, figures);
	if (f->n > 0) {
		measure_restart(f, figures);
		field_nap(REST_USEC);
		measure_again(f, figures);
		measure_storm(f, figures);
		field_nap(REST_USEC);
	}
	begin = bench_now_ns();
	manager->stop(f);
	figures->value[FIGURE_STOP] = msec(bench_now_ns() - begin);
}

/* One measurement, in a process and a folder of its own. */

struct task {
	const struct manager *manager;
	const char *program;
	size_t services;
	enum length length;
};

static void measure_apart(const struct task *task, char *folder, struct report *report)
{
	const struct rlimit files = { 16384, 16384 };
	struct field f;
	const char *why;

	for (size_t i = 0; i < N_FIGURES; i++)
		report->figures.value[i] = NOT_MEASURED;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	why = task->manager->enter ? task->manager->enter() : NULL;
	if (why) {
		(void)snprintf(report->why, sizeof(report->why), "%s", why);
		return;
	}
	field_init_at(&f, task->services, folder);
	measure(task->manager, task->program, &f, task->length, &report->figures);
	report->is_complete = true;
}

_Noreturn static void be_measurer(const struct task *task, char *folder, int fd)
{
	struct report report = { 0 };
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	measure_apart(task, folder, &report);
	_exit(fd_write_all(fd, &report, sizeof(report)) < 0 ? EXIT_FAILURE
							    : EXIT_SUCCESS);
}

/* Until nothing that descends from us lives: what is orphaned by one look is found by the
 * next. */
static void kill_all(void)
{
	struct pids pids = { 0 };

	do {
		find_family(&pids, getpid(), is_anything);
		for (size_t i = 1; i < pids.n; i++)
			(void)kill(pids.items[i], SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		field_nap(1000);
	} while (pids.n > 1);
	free(pids.items);
}

/* Its report, or why there is none; a signal to us ends everything. */
static bool await_report(int fd, int signal_fd, struct report *report)
{
	struct pollfd polled[] = { { fd, POLLIN, 0 }, { signal_fd, POLLIN, 0 } };
	int r = poll(polled, 2, PATIENCE_MSEC);

	*report = (struct report){ 0 };
	if (r > 0 && polled[1].revents)
		return false;
	if (r == 0)
		(void)snprintf(report->why, sizeof(report->why), "no end in %d s",
				PATIENCE_MSEC / 1000);
	else if (read(fd, report, sizeof(*report)) != sizeof(*report))
		(void)snprintf(report->why, sizeof(report->why), "it failed");
	return true;
}

static bool run_task(const struct task *task, int signal_fd, struct report *ret_report)
{
	auto_free char *folder = field_make_folder();
	int fds[2];
	bool go_on;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		field_die("pipe");
	(void)fflush(stdout);
	pid = fork();
	if (pid < 0)
		field_die("fork");
	if (pid == 0)
		be_measurer(task, folder, fds[1]);
	close_fd(fds[1]);
	go_on = await_report(fds[0], signal_fd, ret_report);
	close_fd(fds[0]);
	kill_all();
	if (task->manager->enter)
		systemd_clear(pid);
	field_remove_folder(folder);
	return go_on;
}

/* The rounds. */

static bool is_wanted(int argc, char **argv, const struct manager *manager)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], manager->name) == 0)
			return true;
	return argc < 2;
}

static bool run_manager(size_t m, const char *program, size_t round, int signal_fd,
		struct results *results)
{
	struct report report;
	struct task task = { .manager = &managers[m], .program = program };

	for (size_t s = 0; s < N_SIZES; s++) {
		task.services = figure_sizes[s];
		task.length = round == 0 ? WHOLE : SHORT;
		if (!run_task(&task, signal_fd, &report))
			return false;
		if (!report.is_complete) {
			fprintf(stderr, "%s with %zu services: not measured: %s\n",
					managers[m].name, task.services, report.why);
			break;
		}
		results->rounds[m][s][round] = report.figures;
		figures_dump(&report.figures, managers[m].name, task.services);
	}
	return true;
}

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static bool run_rounds(int argc, char **argv, struct results *results)
{
	int signal_fd = catch_signals();
	bool go_on = signal_fd >= 0;

	for (size_t round = 0; go_on && round < results->n_rounds; round++)
		for (size_t m = 0; go_on && m < n_managers; m++) {
			auto_free char *program = manager_find(&managers[m]);

			if (!is_wanted(argc, argv, &managers[m]))
				continue;
			if (program)
				go_on = run_manager(
						m, program, round, signal_fd, results);
			else if (round == 0)
				fprintf(stderr, "%s: not installed\n", managers[m].name);
		}
	close_fd(signal_fd);
	return go_on;
}

int main(int argc, char **argv)
{
	static struct results results;
	const char *text = getenv("BENCH_ROUNDS");
	uint64_t n = 3;

	if (text && (parse_u64(text, &n) < 0 || n < 1 || n > ROUNDS_MAX)) {
		fprintf(stderr, "BENCH_ROUNDS: 1 to %d\n", ROUNDS_MAX);
		return 2;
	}
	results_init(&results);
	results.n_rounds = n;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (!run_rounds(argc, argv, &results))
		return EXIT_FAILURE;
	results_print(&results);
	return EXIT_SUCCESS;
}
