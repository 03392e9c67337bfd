/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/backoff.h"

/* factor to the power of exponent. */
static double power(double factor, uint32_t exponent)
{
	double result = 1;

	for (; exponent > 0; exponent >>= 1, factor *= factor)
		if (exponent & 1)
			result *= factor;
	return result;
}

/* The number between 1 and ratio whose power of degree is ratio, by bisection: no libm
 * for one root. */
static double root(double ratio, uint32_t degree)
{
	double low = 1, high = ratio;

	for (int i = 0; i < 64; i++) {
		double middle = low + (high - low) / 2;

		if (power(middle, degree) < ratio)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static uint64_t grown(const struct airs_backoff *backoff, uint32_t attempt)
{
	double ratio, delay;

	if (backoff->steps == 0 || attempt <= 1 ||
			backoff->max_usec <= backoff->initial_usec)
		return backoff->initial_usec;
	if (attempt > backoff->steps)
		return backoff->max_usec;
	ratio = (double)backoff->max_usec / (double)backoff->initial_usec;
	delay = (double)backoff->initial_usec *
			power(root(ratio, backoff->steps), attempt - 1);
	if (delay >= (double)backoff->max_usec)
		return backoff->max_usec;
	return (uint64_t)(delay + 0.5);
}

uint64_t backoff_delay(
		const struct airs_backoff *backoff, uint32_t attempt, uint64_t random)
{
	uint64_t delay_usec = backoff->initial_usec ? grown(backoff, attempt) : 0;
	uint64_t part_usec = delay_usec / 100 * backoff->jitter_percent +
			delay_usec % 100 * backoff->jitter_percent / 100;

	if (part_usec == 0)
		return delay_usec;
	return delay_usec - random % (part_usec + 1);
}
