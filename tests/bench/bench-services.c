/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Service management as a whole, with airssysd and airssys-core of this build and trivial
 * services: cold start, memory, idle CPU, restart latency, a storm, re-adoption and stop.
 * Beside each time stands the floor, taken in the same run: the same done by a loop that
 * only spawns, signals and waits. "ratio" is our time to it; a machine that is busy with
 * other things makes both slower. chrt -r 1 keeps most of that out.
 *
 *   bench-services [N…]    default 0 1 100 1000
 */

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "bench/bench.h"
#include "bench/field.h"

#define KILLS       200
#define KILLS_AGAIN 100
#define GAP_USEC    20000
#define REST_USEC   300000
#define IDLE_SEC    10
#define STORMS      3
#define ASKS        9

/* What the first run printed, without a service or with the fewest. */
static struct {
	size_t services;
	uint64_t pss_kib;
	int is_set;
} least;

static double msec(uint64_t ns)
{
	return (double)ns / 1e6;
}

static double ratio(uint64_t ours, uint64_t floor)
{
	return floor ? (double)ours / (double)floor : 0;
}

/* The floor. */

static uint64_t start_floor(struct field *f)
{
	uint64_t begin = bench_now_ns();

	for (size_t i = 0; i < f->n; i++)
		(void)field_spawn(f, i);
	return field_await(f, f->n, begin) - begin;
}

static uint64_t storm_floor(struct field *f)
{
	uint64_t begin;
	pid_t pid;

	field_nap(REST_USEC);
	begin = bench_now_ns();
	for (size_t i = 0; i < f->n; i++)
		(void)kill((pid_t)f->marks[i].pid, SIGKILL);
	for (size_t ended = 0; ended < f->n; ended++) {
		pid = waitpid(-1, NULL, 0);
		for (size_t i = 0; i < f->n; i++)
			if (f->marks[i].pid == (uint64_t)pid) {
				(void)field_spawn(f, i);
				break;
			}
	}
	return field_await(f, f->n, begin) - begin;
}

static uint64_t stop_floor(struct field *f)
{
	uint64_t begin = bench_now_ns();

	for (size_t i = 0; i < f->n; i++)
		(void)kill((pid_t)f->marks[i].pid, SIGTERM);
	for (size_t i = 0; i < f->n; i++)
		(void)waitpid((pid_t)f->marks[i].pid, NULL, 0);
	return bench_now_ns() - begin;
}

struct floors {
	uint64_t start_ns, storm_ns, stop_ns;
};

static struct floors measure_floors(struct field *f)
{
	struct floors floors;

	field_clear_marks(f);
	floors.start_ns = start_floor(f);
	floors.storm_ns = storm_floor(f);
	field_nap(REST_USEC);
	floors.stop_ns = stop_floor(f);
	return floors;
}

/* Memory and idle CPU. */

static uint64_t number_behind(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static uint64_t pss_kib(pid_t pid)
{
	auto_free char *path = field_made(text_format("/proc/%d/smaps_rollup", pid));
	auto_free char *data = NULL;
	size_t size;

	return file_read(path, 65536, &data, &size) < 0 ? 0
							: number_behind(data, "\nPss:");
}

struct used {
	uint64_t cpu_ns; /* of all threads */
	uint64_t switches; /* how often they went to sleep */
};

static void add_used(pid_t pid, struct used *used)
{
	auto_free char *path = field_made(text_format("/proc/%d/status", pid));
	auto_free char *data = NULL;
	struct timespec cpu = { 0 };
	clockid_t clock;
	size_t size;

	if (clock_getcpuclockid(pid, &clock) == 0)
		(void)clock_gettime(clock, &cpu);
	used->cpu_ns += (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec;
	if (file_read(path, 65536, &data, &size) == 0)
		used->switches += number_behind(data, "\nvoluntary_ctxt_switches:");
}

static struct used get_used(const struct field *f)
{
	struct used used = { 0 };

	add_used(f->keeper, &used);
	add_used(f->core, &used);
	return used;
}

static void measure_memory(const struct field *f)
{
	uint64_t keeper = pss_kib(f->keeper), core = pss_kib(f->core);

	printf("{\"bench\":\"service_memory\",\"services\":%zu,\"pss_kib\":%llu,"
	       "\"keeper_kib\":%llu,\"core_kib\":%llu",
			f->n, (unsigned long long)(keeper + core),
			(unsigned long long)keeper, (unsigned long long)core);
	if (least.is_set && f->n > least.services)
		printf(",\"bytes_per_service\":%.0f",
				((double)(keeper + core) - (double)least.pss_kib) * 1024 /
						(double)(f->n - least.services));
	printf("}\n");
	if (least.is_set)
		return;
	least.services = f->n;
	least.pss_kib = keeper + core;
	least.is_set = 1;
}

static void measure_idle(const struct field *f)
{
	struct used before, after;

	field_nap(500000);
	before = get_used(f);
	field_nap(IDLE_SEC * 1000000L);
	after = get_used(f);
	printf("{\"bench\":\"service_idle\",\"services\":%zu,\"seconds\":%d,"
	       "\"cpu_ms\":%.3f,\"switches\":%llu}\n",
			f->n, IDLE_SEC, msec(after.cpu_ns - before.cpu_ns),
			(unsigned long long)(after.switches - before.switches));
}

/* Restart. */

/* From SIGKILL to the first instruction of the next program. */
static uint64_t kill_one(const struct field *f, size_t i)
{
	pid_t pid = (pid_t)f->marks[i].pid;
	uint64_t begin = bench_now_ns();

	(void)kill(pid, SIGKILL);
	return field_await_next(f, i, pid, begin) - begin;
}

/* The same for the process of our own, with nothing between but waiting and spawning. */
static uint64_t kill_own(const struct field *f)
{
	pid_t pid = (pid_t)f->marks[f->n].pid;
	uint64_t begin = bench_now_ns();

	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)field_spawn(f, f->n);
	return field_await_next(f, f->n, pid, begin) - begin;
}

static void begin_own(const struct field *f)
{
	uint64_t begin = bench_now_ns();

	(void)field_spawn(f, f->n);
	(void)field_await_next(f, f->n, 0, begin);
}

static void end_own(const struct field *f)
{
	pid_t pid = (pid_t)f->marks[f->n].pid;

	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void measure_restart(const struct field *f, const char *name)
{
	uint64_t ours[KILLS], floor[KILLS], p50, floor_p50;

	begin_own(f);
	for (size_t i = 0; i < KILLS; i++) {
		field_nap(GAP_USEC / 2);
		ours[i] = kill_one(f, i * 7 % f->n);
		field_nap(GAP_USEC / 2);
		floor[i] = kill_own(f);
	}
	end_own(f);
	p50 = bench_median(ours, KILLS);
	floor_p50 = bench_median(floor, KILLS);
	printf("{\"bench\":\"%s\",\"services\":%zu,\"n\":%d,\"p50_ms\":%.3f,"
	       "\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"floor_p50_ms\":%.3f,"
	       "\"floor_p90_ms\":%.3f,\"floor_p99_ms\":%.3f,\"ratio_p50\":%.2f,"
	       "\"ratio_p99\":%.2f}\n",
			name, f->n, KILLS, msec(p50), msec(ours[KILLS * 90 / 100]),
			msec(ours[KILLS * 99 / 100]), msec(ours[KILLS - 1]),
			msec(floor_p50), msec(floor[KILLS * 90 / 100]),
			msec(floor[KILLS * 99 / 100]), ratio(p50, floor_p50),
			ratio(ours[KILLS * 99 / 100], floor[KILLS * 99 / 100]));
}

/* Killed, and killed again as soon as it is back. */
static void measure_again(const struct field *f)
{
	uint64_t first[KILLS_AGAIN], again[KILLS_AGAIN], p50_first, p50_again;

	for (size_t i = 0; i < KILLS_AGAIN; i++) {
		field_nap(GAP_USEC);
		first[i] = kill_one(f, i % f->n);
		again[i] = kill_one(f, i % f->n);
	}
	p50_first = bench_median(first, KILLS_AGAIN);
	p50_again = bench_median(again, KILLS_AGAIN);
	printf("{\"bench\":\"service_restart_again\",\"services\":%zu,\"n\":%d,"
	       "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"first_p50_ms\":%.3f,"
	       "\"ratio_to_first\":%.2f}\n",
			f->n, KILLS_AGAIN, msec(p50_again),
			msec(again[KILLS_AGAIN * 99 / 100]), msec(p50_first),
			ratio(p50_again, p50_first));
}

static void measure_storm(const struct field *f, const struct floors *floors)
{
	uint64_t values[STORMS], begin;

	for (size_t s = 0; s < STORMS; s++) {
		field_nap(REST_USEC);
		begin = bench_now_ns();
		for (size_t i = 0; i < f->n; i++)
			(void)kill((pid_t)f->marks[i].pid, SIGKILL);
		values[s] = field_await(f, f->n, begin) - begin;
	}
	begin = bench_median(values, STORMS);
	printf("{\"bench\":\"service_storm\",\"services\":%zu,\"ms\":%.1f,"
	       "\"floor_ms\":%.1f,\"ratio\":%.2f}\n",
			f->n, msec(begin), msec(floors->storm_ns),
			ratio(begin, floors->storm_ns));
}

/* Re-adoption. */

static uint64_t *copy_pids(const struct field *f)
{
	uint64_t *pids = calloc(f->n, sizeof(*pids));

	if (!pids)
		field_die("memory");
	for (size_t i = 0; i < f->n; i++)
		pids[i] = f->marks[i].pid;
	return pids;
}

/* All but the last one, which was killed to see that it is restarted. */
static size_t count_changed(const struct field *f, const uint64_t *pids)
{
	size_t changed = 0;

	for (size_t i = 0; i + 1 < f->n; i++)
		changed += pids[i] != f->marks[i].pid;
	return changed;
}

static void print_adoption(const char *name, const struct field *f, uint64_t ns,
		const uint64_t *pids)
{
	printf("{\"bench\":\"%s\",\"services\":%zu,\"ms\":%.1f,\"restarted\":%zu}\n",
			name, f->n, msec(ns), count_changed(f, pids));
}

/* Adopted is who is restarted when it dies. */
static void measure_core_death(struct field *f)
{
	auto_free uint64_t *pids = copy_pids(f);
	uint64_t begin = bench_now_ns();

	(void)kill(f->core, SIGKILL);
	(void)kill_one(f, f->n - 1);
	print_adoption("service_core_death", f, bench_now_ns() - begin, pids);
	field_find_core(f);
}

static void measure_keeper_death(struct field *f)
{
	auto_free uint64_t *pids = copy_pids(f);
	uint64_t begin = bench_now_ns();

	(void)kill(f->keeper, SIGKILL);
	(void)waitpid(f->keeper, NULL, 0);
	field_start_again(f);
	(void)kill_one(f, f->n - 1);
	print_adoption("service_keeper_death", f, bench_now_ns() - begin, pids);
}

/* The administrator's view. */

/* NULL arguments are skipped at the end. */
static uint64_t run_quietly(char *const argv[])
{
	posix_spawn_file_actions_t actions;
	uint64_t begin = bench_now_ns();
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0 ||
			posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
					"/dev/null", O_WRONLY, 0) != 0 ||
			posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		field_die(argv[0]);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)waitpid(pid, NULL, 0);
	return bench_now_ns() - begin;
}

static uint64_t ask(char *const argv[])
{
	uint64_t values[ASKS];

	for (size_t i = 0; i < ASKS; i++)
		values[i] = run_quietly(argv);
	return bench_median(values, ASKS);
}

#define WORD(text) ((char *)(uintptr_t)(text))

static void measure_command(const struct field *f, const char *command, const char *name,
		const char *peer_name)
{
	auto_free char *program = field_build_path("airssysctl");
	auto_free char *where =
			field_made(text_format("--runtime-dir=%s/run", f->folder));
	char *ours[] = { program, where, WORD(command), WORD(name), NULL };
	char *peer[] = { WORD("systemctl"), WORD("--no-pager"),
		WORD(peer_name ? "status" : "list-units"), WORD(peer_name), NULL };
	uint64_t ns = ask(ours), peer_ns;

	printf("{\"bench\":\"ctl_%s\",\"services\":%zu,\"p50_ms\":%.2f", command, f->n,
			msec(ns));
	if (access("/run/systemd/system", F_OK) == 0) {
		peer_ns = ask(peer);
		printf(",\"systemctl_ms\":%.2f,\"ratio\":%.2f", msec(peer_ns),
				ratio(ns, peer_ns));
	}
	printf("}\n");
}

static void measure_stop(struct field *f, const char *name, const struct floors *floors)
{
	uint64_t begin = bench_now_ns(), ns;
	int status = field_stop(f);

	ns = bench_now_ns() - begin;
	printf("{\"bench\":\"%s\",\"services\":%zu,\"ms\":%.1f,"
	       "\"floor_ms\":%.1f,\"ratio\":%.2f,\"status\":%d}\n",
			name, f->n, msec(ns), msec(floors->stop_ns),
			ratio(ns, floors->stop_ns), status);
}

static void measure_life(struct field *f, const struct floors *floors)
{
	measure_restart(f, "service_restart");
	measure_again(f);
	measure_storm(f, floors);
	measure_command(f, "status", "t0", "systemd-journald.service");
	measure_command(f, "tree", NULL, NULL);
	measure_core_death(f);
}

/* Another life, in which the services outlive the keeper that started them. */
static void measure_adopted(struct field *f, const struct floors *floors)
{
	uint64_t begin, last;

	field_start(f, &begin, &last);
	measure_keeper_death(f);
	measure_stop(f, "service_stop_adopted", floors);
}

static void bench(size_t n)
{
	struct floors floors;
	struct field f;
	uint64_t begin, last;
	struct used used;

	field_init(&f, n, "");
	floors = measure_floors(&f);
	field_start(&f, &begin, &last);
	used = get_used(&f);
	if (n > 0)
		printf("{\"bench\":\"service_cold_start\",\"services\":%zu,\"ms\":%.2f,"
		       "\"floor_ms\":%.2f,\"ratio\":%.2f,\"cpu_ms\":%.2f}\n",
				n, msec(last - begin), msec(floors.start_ns),
				ratio(last - begin, floors.start_ns), msec(used.cpu_ns));
	field_nap(REST_USEC);
	measure_memory(&f);
	if (n >= 1000)
		measure_idle(&f);
	if (n > 0)
		measure_life(&f, &floors);
	measure_stop(&f, "service_stop", &floors);
	if (n > 0)
		measure_adopted(&f, &floors);
	field_fini(&f);
	(void)fflush(stdout);
}

/* The same service with more to do between its birth and its first instruction. */
static void bench_restart_with(const char *name, const char *more)
{
	struct field f;
	uint64_t begin, last;

	field_init(&f, 1, more);
	field_start(&f, &begin, &last);
	measure_restart(&f, name);
	(void)field_stop(&f);
	field_fini(&f);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 0, 1, 100, 1000 };

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
