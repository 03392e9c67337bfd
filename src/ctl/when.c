/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/when.h"

#include <string.h>
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

enum zone {
	ZONE_LOCAL,
	ZONE_UTC,
};

/* Cuts "UTC" or "Z" off. */
static enum zone take_zone(char *s)
{
	static const char *const names[] = { " UTC", "Z" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (has_suffix(s, names[i])) {
			s[strlen(s) - strlen(names[i])] = '\0';
			return ZONE_UTC;
		}
	return ZONE_LOCAL;
}

/* Midnight of the day of now. */
static int get_today(uint64_t now_usec, enum zone zone, struct tm *ret_day)
{
	time_t seconds = (time_t)(now_usec / USEC_PER_SEC);

	if (!(zone == ZONE_UTC ? gmtime_r(&seconds, ret_day)
			       : localtime_r(&seconds, ret_day)))
		return -EINVAL;
	ret_day->tm_hour = ret_day->tm_min = ret_day->tm_sec = 0;
	return 0;
}

static int to_usec(struct tm *tm, enum zone zone, uint64_t *ret_realtime_usec)
{
	time_t seconds;

	tm->tm_isdst = -1;
	seconds = zone == ZONE_UTC ? timegm(tm) : mktime(tm);
	if (seconds < 0)
		return -EINVAL;
	*ret_realtime_usec = (uint64_t)seconds * USEC_PER_SEC;
	return 0;
}

static int parse_calendar(char *s, uint64_t now_usec, uint64_t *ret_realtime_usec)
{
	static const char *const formats[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
		"%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%a %Y-%m-%d %H:%M:%S",
		"%H:%M:%S", "%H:%M" };
	enum zone zone = take_zone(s);
	const char *end;
	struct tm tm;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (get_today(now_usec, zone, &tm) < 0)
			return -EINVAL;
		end = strptime(s, formats[i], &tm);
		if (end && !*end)
			return to_usec(&tm, zone, ret_realtime_usec);
	}
	return -EINVAL;
}

/* "today" and its neighbours. */
static int parse_day(const char *s, uint64_t now_usec, uint64_t *ret_realtime_usec)
{
	static const struct {
		const char *name;
		int days;
	} days[] = { { "yesterday", -1 }, { "today", 0 }, { "tomorrow", 1 } };
	struct tm tm;

	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		if (strcmp(s, days[i].name) != 0)
			continue;
		if (get_today(now_usec, ZONE_LOCAL, &tm) < 0)
			return -EINVAL;
		tm.tm_mday += days[i].days;
		return to_usec(&tm, ZONE_LOCAL, ret_realtime_usec);
	}
	return -EINVAL;
}

/* "-2h", "+2h", "2h ago" */
static int parse_offset(char *s, uint64_t now_usec, uint64_t *ret_realtime_usec)
{
	bool is_ago = has_suffix(s, " ago"), is_signed = *s == '-' || *s == '+';
	uint64_t span_usec;

	if (is_ago == is_signed)
		return -EINVAL;
	if (is_ago)
		s[strlen(s) - strlen(" ago")] = '\0';
	if (parse_duration(s + is_signed, USEC_PER_SEC, &span_usec) < 0)
		return -EINVAL;
	*ret_realtime_usec = *s == '+' ? usec_add(now_usec, span_usec)
				       : usec_sub(now_usec, span_usec);
	return 0;
}

int when_parse(const char *s, uint64_t now_usec, uint64_t *ret_realtime_usec)
{
	auto_free char *copy = strdup(s);
	uint64_t seconds;
	int r;

	if (!copy)
		return -ENOMEM;
	if (strcmp(s, "now") == 0) {
		*ret_realtime_usec = now_usec;
		return 0;
	}
	if (s[0] == '@') {
		r = parse_u64(s + 1, &seconds);
		if (r < 0 || seconds > UINT64_MAX / USEC_PER_SEC)
			return -EINVAL;
		*ret_realtime_usec = seconds * USEC_PER_SEC;
		return 0;
	}
	r = parse_day(copy, now_usec, ret_realtime_usec);
	if (r < 0)
		r = parse_offset(copy, now_usec, ret_realtime_usec);
	return r < 0 ? parse_calendar(copy, now_usec, ret_realtime_usec) : r;
}
