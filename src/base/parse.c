/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"

/*
 * Conversion of text to numbers. Only ASCII digits count, whatever the locale. The form
 * is checked to the end before a value is found out of range, so that
 * "99999999999999999999x" is malformed and not merely large.
 */

#define DIGITS "0123456789"
#define BLANKS " \t\n\r"

int parse_bool(const char *s, bool *ret)
{
	static const char *const words[][2] = {
		{ "0", "1" },
		{ "no", "yes" },
		{ "n", "y" },
		{ "false", "true" },
		{ "f", "t" },
		{ "off", "on" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (int value = 0; value < 2; value++)
			if (strcasecmp(s, words[i][value]) == 0) {
				*ret = value;
				return 0;
			}
	return -EINVAL;
}

/* The value of n digits of a base up to ten. */
static int digits_value(const char *s, size_t n, unsigned int base, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(value, base, &value) ||
				__builtin_add_overflow(
						value, (uint64_t)(s[i] - '0'), &value))
			return -ERANGE;
	*ret = value;
	return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
	size_t n = strspn(s, DIGITS);

	if (n == 0 || s[n])
		return -EINVAL;
	return digits_value(s, n, 10, ret);
}

int parse_i64(const char *s, int64_t *ret)
{
	bool negative = s[0] == '-';
	uint64_t magnitude;
	int r;

	r = parse_u64(s + (s[0] == '-' || s[0] == '+'), &magnitude);
	if (r < 0)
		return r;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t)-magnitude : (int64_t)magnitude;
	return 0;
}

int parse_uint(const char *s, unsigned int *ret)
{
	uint64_t value;
	int r;

	r = parse_u64(s, &value);
	if (r < 0)
		return r;
	if (value > UINT_MAX)
		return -ERANGE;
	*ret = (unsigned int)value;
	return 0;
}

int parse_int(const char *s, int *ret)
{
	int64_t value;
	int r;

	r = parse_i64(s, &value);
	if (r < 0)
		return r;
	if (value < INT_MIN || value > INT_MAX)
		return -ERANGE;
	*ret = (int)value;
	return 0;
}

int parse_pid(const char *s, pid_t *ret)
{
	uint64_t value;
	int r;

	r = parse_u64(s, &value);
	if (r < 0)
		return r;
	if (value < 1 || value > INT_MAX)
		return -ERANGE;
	*ret = (pid_t)value;
	return 0;
}

int parse_mode(const char *s, mode_t *ret)
{
	size_t n = strspn(s, "01234567");
	uint64_t value;
	int r;

	if (n == 0 || s[n])
		return -EINVAL;
	r = digits_value(s, n, 8, &value);
	if (r < 0)
		return r;
	if (value > 07777)
		return -ERANGE;
	*ret = (mode_t)value;
	return 0;
}

/* A decimal number with an optional fraction, as it stands in the text. */
struct decimal {
	const char *whole, *fraction;
	size_t n_whole, n_fraction;
};

/* Cuts it off the front of *s. One digit at least on each side of a point, if there is
 * one. */
static int cut_decimal(const char **s, struct decimal *ret)
{
	struct decimal d = { .whole = *s, .n_whole = strspn(*s, DIGITS) };
	const char *p = *s + d.n_whole;

	if (*p == '.') {
		d.fraction = p + 1;
		d.n_fraction = strspn(d.fraction, DIGITS);
		if (d.n_fraction == 0)
			return -EINVAL;
		p = d.fraction + d.n_fraction;
	} else if (d.n_whole == 0) {
		return -EINVAL;
	}
	*s = p;
	*ret = d;
	return 0;
}

/* The number times unit; what is smaller than one is cut off. */
static int scale_decimal(const struct decimal *d, uint64_t unit, uint64_t *ret)
{
	uint64_t value, part = unit;
	int r;

	r = digits_value(d->whole, d->n_whole, 10, &value);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(value, unit, &value))
		return -ERANGE;
	/*
	 * Digit by digit from the right, so that the largest unit cannot overflow:
	 * ((d3 * unit) / 10 + d2 * unit) / 10 and so on stays below 10 * unit.
	 */
	part = 0;
	for (size_t i = d->n_fraction; i-- > 0;)
		part = ((uint64_t)(d->fraction[i] - '0') * unit + part) / 10;
	if (__builtin_add_overflow(value, part, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_bytes(const char *s, uint64_t *ret)
{
	static const char suffixes[] = "BKMGTPE";
	const char *suffix;
	struct decimal d;
	int r;

	if (strcmp(s, "infinity") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	r = cut_decimal(&s, &d);
	if (r < 0)
		return r;
	suffix = *s ? strchr(suffixes, *s) : suffixes;
	if (!suffix || (*s && s[1]) || (suffix == suffixes && d.n_fraction > 0))
		return -EINVAL;
	return scale_decimal(&d, UINT64_C(1) << (10 * (suffix - suffixes)), ret);
}

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Lengths of month and year as in systemd.time(7): 30.44 and 365.25 days. */
static const struct duration_unit {
	const char *name;
	uint64_t usec;
} duration_units[] = {
	{ "us", 1 },
	{ "usec", 1 },
	{ "\xc2\xb5s", 1 }, /* micro sign */
	{ "\xce\xbcs", 1 }, /* Greek mu */
	{ "ms", USEC_PER_MSEC },
	{ "msec", USEC_PER_MSEC },
	{ "s", USEC_PER_SEC },
	{ "sec", USEC_PER_SEC },
	{ "second", USEC_PER_SEC },
	{ "seconds", USEC_PER_SEC },
	{ "m", MINUTE },
	{ "min", MINUTE },
	{ "minute", MINUTE },
	{ "minutes", MINUTE },
	{ "h", HOUR },
	{ "hr", HOUR },
	{ "hour", HOUR },
	{ "hours", HOUR },
	{ "d", DAY },
	{ "day", DAY },
	{ "days", DAY },
	{ "w", 7 * DAY },
	{ "week", 7 * DAY },
	{ "weeks", 7 * DAY },
	{ "M", 2629800 * USEC_PER_SEC },
	{ "month", 2629800 * USEC_PER_SEC },
	{ "months", 2629800 * USEC_PER_SEC },
	{ "y", 31557600 * USEC_PER_SEC },
	{ "year", 31557600 * USEC_PER_SEC },
	{ "years", 31557600 * USEC_PER_SEC },
};

/* Cuts a unit off the front of *s; the default when there is none. 0 when it is unknown.
 */
static uint64_t cut_duration_unit(const char **s, uint64_t default_unit_usec)
{
	size_t n = strcspn(*s, DIGITS "." BLANKS);

	if (n == 0)
		return default_unit_usec;
	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++)
		if (strlen(duration_units[i].name) == n &&
				memcmp(duration_units[i].name, *s, n) == 0) {
			*s += n;
			return duration_units[i].usec;
		}
	return 0;
}

/* Cuts "1.5 s" and the blanks behind it off the front of *s and adds it to *sum. */
static int add_duration_term(const char **s, uint64_t default_unit_usec, uint64_t *sum)
{
	struct decimal d;
	uint64_t unit, usec;
	int r;

	r = cut_decimal(s, &d);
	if (r < 0)
		return r;
	*s += strspn(*s, BLANKS);
	unit = cut_duration_unit(s, default_unit_usec);
	if (unit == 0)
		return -EINVAL;
	*s += strspn(*s, BLANKS);
	r = scale_decimal(&d, unit, &usec);
	*sum = r < 0 ? USEC_INFINITY : usec_add(*sum, usec);
	return 0;
}

int parse_duration(const char *s, uint64_t default_unit_usec, uint64_t *ret_usec)
{
	uint64_t sum = 0;
	int r;

	s += strspn(s, BLANKS);
	if (has_prefix(s, "infinity") && !s[8 + strspn(s + 8, BLANKS)]) {
		*ret_usec = USEC_INFINITY;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	if (*s == '-')
		return -ERANGE;
	while (*s) {
		r = add_duration_term(&s, default_unit_usec, &sum);
		if (r < 0)
			return r;
	}
	if (sum == USEC_INFINITY)
		return -ERANGE;
	*ret_usec = sum;
	return 0;
}

void text_append_duration(struct text *t, uint64_t usec)
{
	static const struct duration_unit units[] = {
		{ "y", 31557600 * USEC_PER_SEC },
		{ "month", 2629800 * USEC_PER_SEC },
		{ "w", 7 * DAY },
		{ "d", DAY },
		{ "h", HOUR },
		{ "min", MINUTE },
		{ "s", USEC_PER_SEC },
		{ "ms", USEC_PER_MSEC },
		{ "us", 1 },
	};
	unsigned int shown = 0;

	if (usec == USEC_INFINITY || usec == 0) {
		text_append(t, usec ? "infinity" : "0");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units) && shown < 2; i++) {
		if (usec < units[i].usec)
			continue;
		text_printf(t, "%s%llu%s", shown ? " " : "",
				(unsigned long long)(usec / units[i].usec),
				units[i].name);
		usec %= units[i].usec;
		shown++;
	}
}

void text_append_bytes(struct text *t, uint64_t bytes)
{
	unsigned int power = 0;
	uint64_t whole, tenth;

	if (bytes == UINT64_MAX) {
		text_append(t, "infinity");
		return;
	}
	while (power < 6 && bytes >> (10 * (power + 1)))
		power++;
	whole = bytes >> (10 * power);
	tenth = power ? ((bytes >> (10 * (power - 1))) & 1023) * 10 / 1024 : 0;
	text_printf(t, "%llu", (unsigned long long)whole);
	if (tenth)
		text_printf(t, ".%llu", (unsigned long long)tenth);
	text_append_char(t, "BKMGTPE"[power]);
}
