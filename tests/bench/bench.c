/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bench/bench.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/text.h"

#define BENCH_REPEAT 5

static uint64_t read_nsec(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		abort();
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t bench_now_ns(void)
{
	return read_nsec(CLOCK_MONOTONIC);
}

uint64_t bench_cpu_ns(void)
{
	return read_nsec(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_rss(void)
{
	unsigned long long total, resident;
	FILE *f = fopen("/proc/self/statm", "re");
	int n;

	if (!f)
		return 0;
	n = fscanf(f, "%llu %llu", &total, &resident);
	(void)fclose(f);
	return n == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

uint64_t bench_argument(int argc, char **argv, int index, uint64_t otherwise)
{
	uint64_t value;

	return index < argc && parse_u64(argv[index], &value) == 0 ? value : otherwise;
}

uint64_t bench_median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

void bench_percentiles(uint64_t *samples, size_t n, struct bench_result *result)
{
	qsort(samples, n, sizeof(*samples), compare);
	result->p50_ns = (double)samples[n / 2];
	result->p99_ns = (double)samples[n - 1 - n / 100];
	result->p999_ns = (double)samples[n - 1 - n / 1000];
}

static void print_field(const char *name, double value)
{
	if (value > 0)
		printf(",\"%s\":%.1f", name, value);
}

static void print(const struct bench_case *c, unsigned int workers,
		const struct bench_result *r)
{
	printf("{\"bench\":\"%s\",\"workers\":%u,\"n\":%llu", c->name, workers,
			(unsigned long long)r->n);
	print_field("ns_per_op", r->ns_per_op);
	print_field("p50_ns", r->p50_ns);
	print_field("p99_ns", r->p99_ns);
	print_field("p999_ns", r->p999_ns);
	print_field("bytes_per_actor", r->bytes_per_actor);
	print_field("cpu_ms", r->cpu_ms);
	printf("}\n");
	(void)fflush(stdout);
}

/* In a child, so that memory and threads of one run do not bear on the next. */
static int run_apart(const struct bench_case *c, unsigned int workers, uint64_t n,
		struct bench_result *ret_result)
{
	struct bench_result result = { .n = n };
	int fds[2], status;
	ssize_t size;
	pid_t pid;

	if (pipe(fds) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (c->run(workers, n, &result) < 0)
			_exit(1);
		_exit(write(fds[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
	}
	close(fds[1]);
	size = read(fds[0], ret_result, sizeof(*ret_result));
	close(fds[0]);
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return size == sizeof(*ret_result) && status == 0 ? 0 : -EIO;
}

static double key_of(const struct bench_result *r)
{
	return r->ns_per_op > 0 ? r->ns_per_op : r->cpu_ms;
}

static int by_key(const void *a, const void *b)
{
	double x = key_of(a), y = key_of(b);

	return x < y ? -1 : x > y;
}

static int run_case(const struct bench_case *c, unsigned int workers, uint64_t scale)
{
	struct bench_result results[BENCH_REPEAT];
	int i, r;

	for (i = 0; i < BENCH_REPEAT; i++) {
		r = run_apart(c, workers, MAX_OF(c->n / scale, UINT64_C(1)), &results[i]);
		if (r < 0) {
			fprintf(stderr, "%s failed with %u workers\n", c->name, workers);
			return r;
		}
	}
	qsort(results, BENCH_REPEAT, sizeof(results[0]), by_key);
	print(c, workers, &results[BENCH_REPEAT / 2]);
	return 0;
}

int bench_main(int argc, char **argv, const struct bench_case *cases, size_t n_cases)
{
	const char *pattern = argc > 1 ? argv[1] : "*",
		   *scale_text = getenv("BENCH_SCALE");
	unsigned int first = 1, last = 2, workers;
	uint64_t scale = 1;
	int failed = 0;
	size_t i;

	if (argc > 2) {
		if (parse_uint(argv[2], &first) < 0 || first == 0)
			return EXIT_FAILURE;
		last = first;
	}
	if (scale_text && (parse_u64(scale_text, &scale) < 0 || scale == 0))
		return EXIT_FAILURE;
	for (i = 0; i < n_cases; i++)
		for (workers = first; workers <= last; workers++)
			if (fnmatch(pattern, cases[i].name, 0) == 0 &&
					run_case(&cases[i], workers, scale) < 0)
				failed = 1;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
