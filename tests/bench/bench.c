/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bench/bench.h"

#include <stdlib.h>
#include <time.h>

#include "base/text.h"

uint64_t bench_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t bench_argument(int argc, char **argv, int index, uint64_t otherwise)
{
	uint64_t value;

	return index < argc && parse_u64(argv[index], &value) == 0 ? value : otherwise;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

uint64_t bench_median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}
