/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * The seam for time and randomness. Everything that asks for the time or for a random
 * number does it here, so that tests and the seeded scheduler can put their own source in
 * place.
 *
 * Times are microseconds in 64 bits. USEC_INFINITY means "never".
 */

#include <stdint.h>

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_INFINITY UINT64_MAX

struct clock_source {
	uint64_t (*monotonic)(void *data);
	uint64_t (*realtime)(void *data);
	uint64_t (*random)(void *data);
	void *data;
};

/* CLOCK_MONOTONIC in microseconds. Any thread. */
uint64_t clock_monotonic_usec(void);

/* CLOCK_REALTIME in microseconds since 1970. Any thread. */
uint64_t clock_realtime_usec(void);

/* 64 unpredictable bits from getrandom(2), or from the source in place. Any thread. */
uint64_t clock_random(void);

/*
 * Put another source in place; NULL restores the system's. The struct is borrowed until
 * it is replaced. Call it while no other thread asks for the time.
 */
void clock_replace(const struct clock_source *source);

/* a + b without wrapping; infinity absorbs. */
static inline uint64_t usec_add(uint64_t a, uint64_t b)
{
	return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

static inline uint64_t usec_sub(uint64_t a, uint64_t b)
{
	if (a == USEC_INFINITY)
		return a;
	return a > b ? a - b : 0;
}

#endif
