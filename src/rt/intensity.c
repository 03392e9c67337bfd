/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/intensity.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { FIRST_CAPACITY = 4 };

static uint64_t time_at(const struct intensity *window, uint32_t index)
{
	return window->times[(
			uint32_t)(((uint64_t)window->first + index) % window->capacity)];
}

static void drop_oldest(struct intensity *window)
{
	window->first = (uint32_t)(((uint64_t)window->first + 1) % window->capacity);
	window->count--;
}

static void drop_older_than(struct intensity *window, uint64_t oldest_usec)
{
	while (window->count > 0 && time_at(window, 0) < oldest_usec)
		drop_oldest(window);
}

/* Room for one more, in a ring of at most limit + 1 entries. */
static int make_room(struct intensity *window, uint32_t limit)
{
	uint64_t capacity = (uint64_t)window->capacity * 2;
	uint64_t *times = NULL;

	if (window->count < window->capacity)
		return 0;
	capacity = MIN_OF(MAX_OF(capacity, FIRST_CAPACITY), (uint64_t)limit + 1);
	capacity = MIN_OF(capacity, UINT32_MAX);
	if (capacity <= window->count)
		return -1;
	times = calloc(capacity, sizeof(*times));
	if (!times)
		return -1;
	for (uint32_t i = 0; i < window->count; i++)
		times[i] = time_at(window, i);
	free(window->times);
	window->times = times;
	window->capacity = (uint32_t)capacity;
	window->first = 0;
	return 0;
}

void intensity_fini(struct intensity *window)
{
	free(window->times);
	memset(window, 0, sizeof(*window));
}

void intensity_reset(struct intensity *window)
{
	window->first = window->count = 0;
}

enum intensity_verdict intensity_add(struct intensity *window, uint64_t now_usec,
		uint32_t limit, uint64_t period_usec)
{
	drop_older_than(window, usec_sub(now_usec, period_usec));
	/* More than limit + 1 are never needed; one that was over the limit may still be
	 * here. */
	while (window->count > limit)
		drop_oldest(window);
	if (make_room(window, limit) < 0)
		return INTENSITY_EXCEEDED;
	window->times[((uint64_t)window->first + window->count) % window->capacity] =
			now_usec;
	window->count++;
	return window->count > limit ? INTENSITY_EXCEEDED : INTENSITY_WITHIN;
}

uint32_t intensity_count(
		const struct intensity *window, uint64_t now_usec, uint64_t period_usec)
{
	uint64_t oldest_usec = usec_sub(now_usec, period_usec);
	uint32_t low = 0,
		 high = window->count; /* the first that counts is in low … high */

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (time_at(window, middle) < oldest_usec)
			low = middle + 1;
		else
			high = middle;
	}
	return window->count - low;
}
