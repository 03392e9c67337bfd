/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"

/* All conversions of base/text.h from one text, and back where there is a way back. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is shown has two units, so it is never more than the value; shown again it is the
 * same. */
static void check_duration(const char *s)
{
	auto_text shown = { 0 };
	auto_text again = { 0 };
	uint64_t usec, back;

	if (parse_duration(s, USEC_PER_SEC, &usec) < 0)
		return;
	text_append_duration(&shown, usec);
	bug_unless(parse_duration(text_get(&shown), 1, &back) == 0);
	bug_unless(back <= usec && back >= usec / 2);
	text_append_duration(&again, back);
	bug_unless(strcmp(text_get(&shown), text_get(&again)) == 0);
}

static void check_bytes(const char *s)
{
	auto_text shown = { 0 };
	uint64_t bytes, back;

	if (parse_bytes(s, &bytes) < 0)
		return;
	text_append_bytes(&shown, bytes);
	bug_unless(parse_bytes(text_get(&shown), &back) == 0);
	bug_unless(back <= bytes && back >= bytes - bytes / 8);
}

static void check_numbers(const char *s)
{
	auto_text shown = { 0 };
	uint64_t value;
	int64_t negative;
	int signo;

	if (parse_u64(s, &value) == 0) {
		text_printf(&shown, "%llu", (unsigned long long)value);
		bug_unless(strcmp(text_get(&shown), s + strspn(s, "0")) == 0 ||
				value == 0);
		bug_unless(value > INT64_MAX ||
				(parse_i64(s, &negative) == 0 &&
						negative == (int64_t)value));
	}
	if (parse_signal(s, &signo) == 0 && signal_name(signo)) {
		int back;

		bug_unless(parse_signal(signal_name(signo), &back) == 0 && back == signo);
	}
}

/* The result is printable UTF-8 in quotes whatever comes in. */
static void check_json(const char *s)
{
	auto_text json = { 0 };

	text_append_json(&json, s);
	bug_unless(json.size >= 2 && json.data[0] == '"' &&
			json.data[json.size - 1] == '"');
	bug_unless(text_is_utf8(json.data, json.size));
	for (size_t i = 0; i < json.size; i++)
		bug_unless((unsigned char)json.data[i] >= 0x20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *s = strndup((const char *)data, size);

	if (!s)
		return 0;
	check_duration(s);
	check_bytes(s);
	check_numbers(s);
	check_json(s);
	return 0;
}
