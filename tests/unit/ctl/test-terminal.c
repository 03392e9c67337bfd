/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/terminal.h"

#include <locale.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/grid.h"
#include "ctl/when.h"
#include "support/test.h"

static const struct terminal utf8 = { .utf8 = true };
static const struct terminal ascii = { 0 };

static const char *safe(const struct terminal *t, const char *s)
{
	static struct text out;

	text_clear(&out);
	terminal_append_safe(t, &out, s);
	return text_get(&out);
}

static const char *cut(const struct terminal *t, const char *s, size_t columns)
{
	static struct text out;

	text_clear(&out);
	terminal_append_cut(t, &out, s, columns);
	return text_get(&out);
}

START_TEST(control_characters_are_escaped)
{
	ck_assert_str_eq(safe(&utf8, "a\033[2Jb"), "a\\x1b[2Jb");
	ck_assert_str_eq(safe(&utf8, "a\n\t\rb"), "a\\n\\t\\rb");
	ck_assert_str_eq(safe(&utf8, "\x01\x7f"), "\\x01\\x7f");
}
END_TEST

START_TEST(eight_bit_control_characters_are_escaped)
{
	/* U+009B begins a control sequence as ESC [ does. */
	ck_assert_str_eq(safe(&utf8,
					 "\xc2\x9b"
					 "31m"),
			"\\u009b31m");
	ck_assert_str_eq(safe(&utf8, "\x9b"), "\\x9b");
}
END_TEST

START_TEST(characters_that_reorder_text_are_escaped)
{
	ck_assert_str_eq(safe(&utf8, "a\u202eb"), "a\\u202eb");
	ck_assert_str_eq(safe(&utf8, "a\u2066b\u2028"), "a\\u2066b\\u2028");
}
END_TEST

START_TEST(what_is_not_utf8_is_escaped)
{
	ck_assert_str_eq(safe(&utf8, "a\xff\xc3"), "a\\xff\\xc3");
	ck_assert_str_eq(safe(&utf8, "\xed\xa0\x80"), "\\xed\\xa0\\x80");
}
END_TEST

START_TEST(letters_of_all_languages_stay)
{
	ck_assert_str_eq(safe(&utf8, "Füße 数据 ●"), "Füße 数据 ●");
}
END_TEST

START_TEST(terminal_without_utf8_gets_ascii)
{
	ck_assert_str_eq(safe(&ascii, "Füße"), "F\\xc3\\xbc\\xc3\\x9fe");
}
END_TEST

START_TEST(width_counts_cells)
{
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	ck_assert_uint_eq(terminal_width("abc"), 3);
	ck_assert_uint_eq(terminal_width("Füße"), 4);
	ck_assert_uint_eq(terminal_width("数据"), 4);
	ck_assert_uint_eq(terminal_width(""), 0);
}
END_TEST

START_TEST(long_text_is_cut_with_an_ellipsis)
{
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	ck_assert_str_eq(cut(&utf8, "abcdef", 6), "abcdef");
	ck_assert_str_eq(cut(&utf8, "abcdef", 5), "abcd…");
	ck_assert_str_eq(cut(&utf8, "数据数据", 4), "数…");
	ck_assert_str_eq(cut(&ascii, "abcdef", 5), "ab...");
	ck_assert_str_eq(cut(&utf8, "abc", 0), "");
}
END_TEST

START_TEST(styles_appear_only_with_color)
{
	struct terminal colored = { .color = true };
	auto_text a = { 0 }, b = { 0 };

	terminal_append_styled(&colored, &a, STYLE_BAD, "x");
	terminal_append_styled(&utf8, &b, STYLE_BAD, "x");
	ck_assert_str_eq(text_get(&a), "\033[31mx\033[0m");
	ck_assert_str_eq(text_get(&b), "x");
}
END_TEST

START_TEST(table_aligns_columns_and_cuts_the_last)
{
	static const struct grid_column columns[] = {
		{ "A", GRID_LEFT, 0 },
		{ "NUM", GRID_RIGHT, 1 },
		{ "LAST", GRID_LEFT, 0 },
	};
	struct terminal narrow = { .columns = 20 };
	auto_text wide_out = { 0 }, narrow_out = { 0 };
	struct grid grid;

	grid_init(&grid, columns, 3);
	grid_add_safe(&grid, &ascii, STYLE_PLAIN, "long\n");
	grid_add_number(&grid, 12345);
	grid_add(&grid, STYLE_PLAIN, "last column");
	grid_add(&grid, STYLE_PLAIN, "x");
	grid_add_number(&grid, 0);
	grid_add(&grid, STYLE_PLAIN, "");
	ck_assert_int_eq(grid_print(&grid, &ascii, &wide_out), 0);
	ck_assert_int_eq(grid_print(&grid, &narrow, &narrow_out), 0);
	ck_assert_str_eq(text_get(&wide_out),
			"A         NUM  LAST\n"
			"long\\n  12345  last column\n"
			"x\n");
	ck_assert_str_eq(text_get(&narrow_out),
			"A         NUM  LAST\n"
			"long\\n  12345  la...\n"
			"x\n");
	grid_fini(&grid);
}
END_TEST

START_TEST(narrow_table_leaves_columns_out_and_cuts_the_first)
{
	static const struct grid_column columns[] = {
		{ "NAME", GRID_LEFT, 0 },
		{ "EMPTY", GRID_LEFT, 0 },
		{ "NUM", GRID_RIGHT, 1 },
		{ "LAST", GRID_LEFT, 0 },
	};
	struct terminal narrow = { .columns = 45 }, tiny = { .columns = 20 };
	auto_text narrow_out = { 0 }, tiny_out = { 0 }, wide_out = { 0 };
	struct grid grid;

	grid_init(&grid, columns, 4);
	grid_add(&grid, STYLE_PLAIN, "a-name-of-thirty-characters-in");
	grid_add(&grid, STYLE_BAD, "");
	grid_add_number(&grid, 1);
	grid_add(&grid, STYLE_PLAIN, "the last column");
	ck_assert_int_eq(grid_print(&grid, &ascii, &wide_out), 0);
	ck_assert_int_eq(grid_print(&grid, &narrow, &narrow_out), 0);
	ck_assert_int_eq(grid_print(&grid, &tiny, &tiny_out), 0);
	ck_assert_str_eq(text_get(&wide_out),
			"NAME                            EMPTY  NUM  LAST\n"
			"a-name-of-thirty-characters-in           1  the last column\n");
	ck_assert_str_eq(text_get(&narrow_out),
			"NAME                     NUM  LAST\n"
			"a-name-of-thirty-cha...    1  the last column\n");
	ck_assert_str_eq(text_get(&tiny_out),
			"NAME\n"
			"a-name-of-thirty-...\n");
	grid_fini(&grid);
}
END_TEST

START_TEST(distances_and_spans_have_no_useless_digits)
{
	auto_text t = { 0 };

	when_append_relative(&t, 1000000, 1079328);
	text_append_char(&t, '|');
	when_append_relative(&t, 1000000, 1000328);
	text_append_char(&t, '|');
	when_append_relative(&t, 1000000, 3079328);
	text_append_char(&t, '|');
	when_append_span(&t, 3079328);
	text_append_char(&t, '|');
	when_append_span(&t, 328);
	ck_assert_str_eq(text_get(&t), "79ms ago|328us ago|2s ago|3s 79ms|328us");
}
END_TEST

START_TEST(moments_are_told_as_distance_and_date)
{
	auto_text t = { 0 };

	when_append_relative(&t, 1000000, 124000000);
	text_append_char(&t, '|');
	when_append_relative(&t, 9000000, 4000000);
	ck_assert_str_eq(text_get(&t), "2min 3s ago|in 5s");
	text_clear(&t);
	ck_assert_int_eq(putenv((char[]){ "TZ=UTC" }), 0);
	when_append_absolute(&t, UINT64_C(1795351106123456));
	text_append_char(&t, '|');
	when_append_stamp(&t, UINT64_C(1795351106123456));
	ck_assert_str_eq(text_get(&t),
			"Sun 2026-11-22 12:38:26 UTC|2026-11-22 12:38:26.123");
}
END_TEST

START_TEST(moments_are_understood_as_people_write_them)
{
	/* Sunday 2026-11-22 16:11:46 UTC */
	static const uint64_t now = UINT64_C(1795363906500000);
	static const struct {
		const char *text;
		uint64_t seconds;
	} cases[] = {
		{ "2026-11-22 12:38:26", 1795351106 },
		{ "2026-11-22T12:38:26Z", 1795351106 },
		{ "Sun 2026-11-22 12:38:26 UTC", 1795351106 },
		{ "2026-11-22 12:38", 1795351080 },
		{ "2026-11-22", 1795305600 },
		{ "12:38:26", 1795351106 },
		{ "12:38", 1795351080 },
		{ "today", 1795305600 },
		{ "yesterday", 1795305600 - 86400 },
		{ "tomorrow", 1795305600 + 86400 },
		{ "@1795351106", 1795351106 },
	};
	static const char *const wrong[] = { "", "x", "2026-11-22x", "2026-13-01", "@",
		"@x", "@99999999999999999999", "-", "-x", "ago", "-2h ago", "25:00", "1h",
		"2026-11-22 12:38:26 CET" };
	uint64_t usec;

	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_msg(when_parse(cases[i].text, now, &usec) == 0, "%s",
				cases[i].text);
		ck_assert_uint_eq(usec, cases[i].seconds * USEC_PER_SEC);
	}
	ck_assert_int_eq(when_parse("now", now, &usec), 0);
	ck_assert_uint_eq(usec, now);
	ck_assert_int_eq(when_parse("2h ago", now, &usec), 0);
	ck_assert_uint_eq(usec, now - 7200 * USEC_PER_SEC);
	ck_assert_int_eq(when_parse("-1min 30s", now, &usec), 0);
	ck_assert_uint_eq(usec, now - 90 * USEC_PER_SEC);
	ck_assert_int_eq(when_parse("+30", now, &usec), 0);
	ck_assert_uint_eq(usec, now + 30 * USEC_PER_SEC);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_msg(when_parse(wrong[i], now, &usec) == -EINVAL, "%s",
				wrong[i]);
}
END_TEST

TEST_MAIN("terminal", control_characters_are_escaped,
		eight_bit_control_characters_are_escaped,
		characters_that_reorder_text_are_escaped, what_is_not_utf8_is_escaped,
		letters_of_all_languages_stay, terminal_without_utf8_gets_ascii,
		width_counts_cells, long_text_is_cut_with_an_ellipsis,
		styles_appear_only_with_color, table_aligns_columns_and_cuts_the_last,
		narrow_table_leaves_columns_out_and_cuts_the_first,
		distances_and_spans_have_no_useless_digits,
		moments_are_told_as_distance_and_date,
		moments_are_understood_as_people_write_them)
