/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_INTENSITY_H
#define RT_INTENSITY_H

/*
 * The window of recent restarts: how many happened within the last period.
 *
 * Keeps at most limit + 1 times in a ring, which is what the comparison needs: the oldest
 * of them decides. A restart exactly one period old still counts (OTP). Zero-initialised
 * is a valid empty window. Time is a parameter.
 */

#include <stdint.h>

#include "base/macro.h"

struct intensity {
	uint64_t *times; /* ring, oldest at first */
	uint32_t capacity, first, count;
};

/* What intensity_add found. */
enum intensity_verdict {
	INTENSITY_WITHIN,
	INTENSITY_EXCEEDED,
};

void intensity_fini(struct intensity *window);
void intensity_reset(struct intensity *window);

/*
 * Count one restart attempt at now_usec.
 *
 * Exceeded when more than limit attempts, this one included, lie within period_usec. When
 * memory for the ring runs out the answer is exceeded too: restarts that cannot be
 * counted must not go on for ever.
 */
MUST_CHECK enum intensity_verdict intensity_add(struct intensity *window,
		uint64_t now_usec, uint32_t limit, uint64_t period_usec);

/* Attempts within period_usec before now_usec. */
uint32_t intensity_count(
		const struct intensity *window, uint64_t now_usec, uint64_t period_usec);

#endif
