/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/text.h"

#include <signal.h>
#include <string.h>

#include "support/test.h"

START_TEST(empty_text_reads_as_empty_string)
{
	struct text t = { 0 };

	ck_assert_str_eq(text_get(&t), "");
	auto_free char *taken = text_take(&t);
	ck_assert_str_eq(taken, "");
}
END_TEST

START_TEST(appends_of_all_kinds_add_up)
{
	auto_text t = { 0 };

	text_append(&t, "one");
	text_append_char(&t, ' ');
	text_append_n(&t, "two and more", 3);
	text_append_n(&t, NULL, 0);
	text_printf(&t, " %d%s", 3, "!");
	ck_assert_str_eq(text_get(&t), "one two 3!");
	ck_assert_uint_eq(t.size, strlen("one two 3!"));
}
END_TEST

START_TEST(printf_that_exceeds_the_capacity_is_whole)
{
	auto_text t = { 0 };
	char word[5000];

	memset(word, 'x', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	text_append(&t, "<");
	text_printf(&t, "%s>", word);
	ck_assert_uint_eq(t.size, sizeof(word) + 1);
	ck_assert_int_eq(t.data[t.size - 1], '>');
	ck_assert_uint_eq(strlen(t.data), t.size);
}
END_TEST

START_TEST(each_length_around_the_first_capacity_is_kept)
{
	char word[200];

	memset(word, 'a', sizeof(word));
	for (size_t n = 0; n < sizeof(word); n++) {
		auto_text t = { 0 };
		auto_text p = { 0 };

		text_append_n(&t, word, n);
		text_printf(&p, "%.*s", (int)n, word);
		ck_assert_uint_eq(strlen(text_get(&t)), n);
		ck_assert_uint_eq(strlen(text_get(&p)), n);
	}
}
END_TEST

START_TEST(text_remembers_that_memory_ran_out)
{
	for (unsigned int n = 1; n <= 2; n++) {
		struct text t = { 0 };

		alloc_fail_at(n);
		for (int i = 0; i < 100; i++)
			text_printf(&t, "%d", i);
		text_append(&t, "end");
		ck_assert_int_eq(alloc_fail_stop(), 1);
		ck_assert(t.failed);
		ck_assert_uint_eq(strlen(text_get(&t)), t.size);
		ck_assert_ptr_null(text_take(&t));
		ck_assert(!t.failed);
	}
}
END_TEST

START_TEST(cleared_text_forgets_content_and_failure)
{
	auto_text t = { 0 };

	alloc_fail_at(1);
	text_append(&t, "lost");
	ck_assert_int_eq(alloc_fail_stop(), 1);
	text_clear(&t);
	text_append(&t, "kept");
	ck_assert_str_eq(text_get(&t), "kept");
	text_clear(&t);
	ck_assert_str_eq(text_get(&t), "");
}
END_TEST

START_TEST(format_answers_null_without_memory)
{
	auto_free char *s = text_format("%s-%d", "a", 1), *none;

	ck_assert_str_eq(s, "a-1");
	alloc_fail_at(1);
	none = text_format("%s", "x");
	ck_assert_int_eq(alloc_fail_stop(), 1);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(strv_is_always_terminated)
{
	auto_strv v = { 0 };

	ck_assert_int_eq(strv_append(&v, "a"), 0);
	ck_assert_int_eq(strv_append_n(&v, "bcd", 2), 0);
	ck_assert_int_eq(strv_append_take(&v, strdup("e")), 0);
	ck_assert_uint_eq(v.count, 3);
	ck_assert_str_eq(v.items[1], "bc");
	ck_assert_ptr_null(v.items[3]);
	ck_assert(strv_contains(&v, "e"));
	ck_assert(!strv_contains(&v, "b"));
	ck_assert_int_eq(strv_append_take(&v, NULL), -ENOMEM);
	ck_assert_uint_eq(v.count, 3);
}
END_TEST

START_TEST(strv_copy_is_whole_or_nothing)
{
	auto_strv v = { 0 };
	unsigned int n;

	ck_assert_int_eq(strv_append(&v, "a"), 0);
	ck_assert_int_eq(strv_append(&v, "b"), 0);
	for (n = 1;; n++) {
		auto_strv copy = { 0 };
		int r;

		alloc_fail_at(n);
		r = strv_copy(&v, &copy);
		if (!alloc_fail_stop()) {
			ck_assert_int_eq(r, 0);
			ck_assert_uint_eq(copy.count, 2);
			ck_assert_str_eq(copy.items[1], "b");
			break;
		}
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_ptr_null(copy.items);
	}
	ck_assert_uint_eq(n, 5);
}
END_TEST

START_TEST(json_escapes_what_must_be_escaped)
{
	auto_text t = { 0 };

	text_append_json(&t, "a\"b\\c\n\t\r\b\f\x01\x1f\x7f/\xc3\xa9");
	ck_assert_str_eq(text_get(&t),
			"\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f\x7f/\xc3\xa9\"");
}
END_TEST

START_TEST(json_replaces_each_invalid_byte)
{
	auto_text t = { 0 };

	text_append_json(&t,
			"\xff"
			"a\xc3");
	ck_assert_str_eq(text_get(&t),
			"\"\xef\xbf\xbd"
			"a\xef\xbf\xbd\"");
}
END_TEST

START_TEST(utf8_is_judged_at_its_borders)
{
	static const struct {
		const char *s;
		bool valid;
	} cases[] = {
		{ "", true },
		{ "plain", true },
		{ "\xc2\x80", true },
		{ "\xdf\xbf", true },
		{ "\xe0\xa0\x80", true },
		{ "\xed\x9f\xbf", true },
		{ "\xee\x80\x80", true },
		{ "\xef\xbf\xbf", true },
		{ "\xf0\x90\x80\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\x80", false },
		{ "\xc0\x80", false },
		{ "\xc1\xbf", false },
		{ "\xc2", false },
		{ "\xc2\x41", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xed\xa0\x80", false },
		{ "\xef\xbf", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\xff", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(text_is_utf8(cases[i].s, strlen(cases[i].s)) ==
						cases[i].valid,
				"case %zu", i);
	ck_assert(text_is_utf8("a\0b", 3));
}
END_TEST

START_TEST(prefixes_suffixes_and_equality)
{
	ck_assert(has_prefix("abc", "ab"));
	ck_assert(has_prefix("abc", ""));
	ck_assert(!has_prefix("ab", "abc"));
	ck_assert(has_suffix("a.policy", ".policy"));
	ck_assert(!has_suffix("policy", ".policy"));
	ck_assert(text_equals(NULL, NULL));
	ck_assert(!text_equals(NULL, ""));
	ck_assert(text_equals("a", "a"));
}
END_TEST

START_TEST(signals_are_named_and_found_again)
{
	int signo;

	ck_assert_str_eq(signal_name(SIGTERM), "SIGTERM");
	ck_assert_str_eq(signal_name(SIGRTMIN), "SIGRTMIN");
	ck_assert_str_eq(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
	ck_assert_ptr_null(signal_name(0));
	ck_assert_ptr_null(signal_name(SIGRTMAX + 1));
	ck_assert_ptr_null(signal_name(-1));
	for (int i = 1; i <= SIGRTMAX; i++) {
		if (!signal_name(i))
			continue;
		ck_assert_int_eq(parse_signal(signal_name(i), &signo), 0);
		ck_assert_int_eq(signo, i);
	}
}
END_TEST

START_TEST(signals_are_accepted_in_all_spellings)
{
	static const struct {
		const char *s;
		int r, rtmin_plus, signo;
	} cases[] = {
		{ "TERM", 0, -1, SIGTERM },
		{ "SIGHUP", 0, -1, SIGHUP },
		{ "9", 0, -1, SIGKILL },
		{ "IO", 0, -1, SIGIO },
		{ "SIGPOLL", 0, -1, SIGPOLL },
		{ "SIGIOT", 0, -1, SIGABRT },
		{ "CLD", 0, -1, SIGCHLD },
		{ "RTMIN", 0, 0, 0 },
		{ "SIGRTMIN+3", 0, 3, 0 },
		{ "0", -ERANGE, -1, 0 },
		{ "65", -ERANGE, -1, 0 },
		{ "99999999999999999999", -ERANGE, -1, 0 },
		{ "RTMIN+99", -ERANGE, -1, 0 },
		{ "RTMIN-1", -EINVAL, -1, 0 },
		{ "RTMAX+1", -EINVAL, -1, 0 },
		{ "RTMIN+", -EINVAL, -1, 0 },
		{ "RTMIN3", -EINVAL, -1, 0 },
		{ "term", -EINVAL, -1, 0 },
		{ "SIGSIGTERM", -EINVAL, -1, 0 },
		{ "SIG", -EINVAL, -1, 0 },
		{ "", -EINVAL, -1, 0 },
		{ "-9", -EINVAL, -1, 0 },
	};
	int signo;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int wanted = cases[i].rtmin_plus >= 0 ? SIGRTMIN + cases[i].rtmin_plus
						      : cases[i].signo;

		signo = 0;
		ck_assert_msg(parse_signal(cases[i].s, &signo) == cases[i].r &&
						signo == wanted,
				"\"%s\" gave %d", cases[i].s, signo);
	}
	ck_assert_int_eq(parse_signal("RTMAX-2", &signo), 0);
	ck_assert_int_eq(signo, SIGRTMAX - 2);
}
END_TEST

START_TEST(errors_are_named)
{
	ck_assert_str_eq(errno_name(ENOENT), "ENOENT");
	ck_assert_ptr_null(errno_name(0));
	ck_assert_ptr_null(errno_name(-2));
	ck_assert_ptr_null(errno_name(99999));
}
END_TEST

TEST_MAIN("text", empty_text_reads_as_empty_string, appends_of_all_kinds_add_up,
		printf_that_exceeds_the_capacity_is_whole,
		each_length_around_the_first_capacity_is_kept,
		text_remembers_that_memory_ran_out,
		cleared_text_forgets_content_and_failure,
		format_answers_null_without_memory, strv_is_always_terminated,
		strv_copy_is_whole_or_nothing, json_escapes_what_must_be_escaped,
		json_replaces_each_invalid_byte, utf8_is_judged_at_its_borders,
		prefixes_suffixes_and_equality, signals_are_named_and_found_again,
		signals_are_accepted_in_all_spellings, errors_are_named)
