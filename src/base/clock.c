/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/clock.h"

#include <sys/random.h>
#include <time.h>

#include "base/assert.h"

static const struct clock_source *replaced;

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	bug_unless(clock_gettime(id, &ts) == 0);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_monotonic_usec(void)
{
	return replaced ? replaced->monotonic(replaced->data)
			: read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_realtime_usec(void)
{
	return replaced ? replaced->realtime(replaced->data) : read_clock(CLOCK_REALTIME);
}

uint64_t clock_random(void)
{
	uint64_t value;

	if (replaced)
		return replaced->random(replaced->data);
	bug_unless(getrandom(&value, sizeof(value), 0) == (ssize_t)sizeof(value));
	return value;
}

void clock_replace(const struct clock_source *source)
{
	replaced = source;
}
