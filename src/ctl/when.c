/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/when.h"

#include <time.h>

#include "base/clock.h"

#define TIME_SIZE 64

static void append_formatted(struct text *t, uint64_t realtime_usec, const char *format)
{
	time_t seconds = (time_t)(realtime_usec / USEC_PER_SEC);
	char buffer[TIME_SIZE];
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return;
		/* The formats are the literals below. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (strftime(buffer, sizeof(buffer), format, &tm) > 0)
		text_append(t, buffer);
#pragma GCC diagnostic pop
}

void when_append_absolute(struct text *t, uint64_t realtime_usec)
{
	append_formatted(t, realtime_usec, "%a %Y-%m-%d %H:%M:%S %Z");
}

void when_append_stamp(struct text *t, uint64_t realtime_usec)
{
	append_formatted(t, realtime_usec, "%Y-%m-%d %H:%M:%S");
	text_printf(t, ".%03u", (unsigned int)(realtime_usec % USEC_PER_SEC / 1000));
}

/* Nobody reads what is smaller than a thousandth of the whole. */
static uint64_t round_down(uint64_t usec)
{
	if (usec >= USEC_PER_SEC)
		return usec - usec % USEC_PER_SEC;
	return usec < USEC_PER_MSEC ? usec : usec - usec % USEC_PER_MSEC;
}

void when_append_span(struct text *t, uint64_t usec)
{
	text_append_duration(t, usec - usec % (usec < USEC_PER_MSEC ? 1 : USEC_PER_MSEC));
}

void when_append_relative(struct text *t, uint64_t realtime_usec, uint64_t now_usec)
{
	if (realtime_usec > now_usec) {
		text_append(t, "in ");
		text_append_duration(t, round_down(realtime_usec - now_usec));
		return;
	}
	text_append_duration(t, round_down(now_usec - realtime_usec));
	text_append(t, " ago");
}
