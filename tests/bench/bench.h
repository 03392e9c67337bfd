/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

/*
 * What benchmarks share: a clock, and the line that each case prints. Nothing in "make
 * check" depends on them.
 */

#include <stddef.h>
#include <stdint.h>

/* The monotonic clock in nanoseconds. */
uint64_t bench_now_ns(void);

/* The first argument as a number, or what stands in for it. */
uint64_t bench_argument(int argc, char **argv, int index, uint64_t otherwise);

/* Sorts and returns the middle. */
uint64_t bench_median(uint64_t *values, size_t n);

#endif
