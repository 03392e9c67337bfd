/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

/*
 * What the benchmark programs share: arguments, and one JSON line per case on standard
 *output.
 *
 *	bench-NAME [PATTERN [WORKERS]]
 *
 * PATTERN is a shell pattern of case names, "*" for all. Without WORKERS each case runs
 *with one and with two. BENCH_SCALE in the environment divides the sizes.
 */

#include <stddef.h>
#include <stdint.h>

struct bench_result {
	uint64_t n; /* operations */
	double ns_per_op; /* 0: left out, as with all the others */
	double p50_ns, p99_ns, p999_ns;
	double bytes_per_actor;
	double cpu_ms;
};

struct bench_case {
	const char *name;
	uint64_t n; /* operations, before scaling */
	/* Returns 0, or a negative errno when a check failed. */
	int (*run)(unsigned int workers, uint64_t n, struct bench_result *ret_result);
};

/* What main should return. Each case is run BENCH_REPEAT times, in a process of its own;
 * the median is printed. */
int bench_main(int argc, char **argv, const struct bench_case *cases, size_t n_cases);

/* The monotonic clock in nanoseconds. */
uint64_t bench_now_ns(void);

/* The first argument as a number, or what stands in for it. */
uint64_t bench_argument(int argc, char **argv, int index, uint64_t otherwise);

/* Sorts and returns the middle. */
uint64_t bench_median(uint64_t *values, size_t n);

/* Resident memory of this process, in bytes. */
uint64_t bench_rss(void);
/* CPU time of this process, in nanoseconds. */
uint64_t bench_cpu_ns(void);
/* Sorts samples and fills the percentiles. */
void bench_percentiles(uint64_t *samples, size_t n, struct bench_result *result);

#endif
