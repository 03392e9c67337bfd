/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/ini.h"

#include <errno.h>
#include <string.h>

#include "support/test.h"

#define LINE_MAX_HERE 40

/* All lines in one text: "2[Section]", "3Key=value", "4?", "5!" with their line numbers.
 */
static void assert_lines_n(const char *data, size_t size, const char *wanted)
{
	auto_text t = { 0 };
	auto_ini ini;
	int kind;

	ini_init(&ini, data, size, LINE_MAX_HERE);
	while ((kind = ini_next(&ini)) != INI_END) {
		ck_assert_int_gt(kind, 0);
		text_printf(&t, "%s%u", t.size ? " " : "", ini.line);
		if (kind == INI_SECTION)
			text_printf(&t, "[%s]", ini.section);
		else if (kind == INI_ASSIGNMENT)
			text_printf(&t, "%s=%s.", ini.key, ini.value);
		else
			text_append(&t, kind == INI_MALFORMED ? "?" : "!");
	}
	ck_assert_str_eq(text_get(&t), wanted);
}

static void assert_lines(const char *data, const char *wanted)
{
	/* An exact copy lets the sanitizer see a read behind the end. */
	char *copy = strndup(data, strlen(data));

	ck_assert_ptr_nonnull(copy);
	assert_lines_n(copy, strlen(copy), wanted);
	free(copy);
}

START_TEST(sections_and_assignments_are_told_with_their_lines)
{
	assert_lines("[Policy]\nA=1\n\n# c\n ; d\n B = two words \n[X]\n",
			"1[Policy] 2A=1. 6B=two words. 7[X]");
	assert_lines("", "");
	assert_lines("\n\n", "");
	assert_lines("A=", "1A=.");
	assert_lines("A=b=c", "1A=b=c.");
	assert_lines("A=1\r\nB=2\r\n", "1A=1. 2B=2.");
}
END_TEST

START_TEST(backslash_joins_lines)
{
	assert_lines("A=1 \\\n  2\\\n3\nB=4\n", "1A=1  2 3. 4B=4.");
	assert_lines("A=1 \\\n# comment\n; another\n 2\nB=3", "1A=1  2. 5B=3.");
	assert_lines("A=1\\", "1A=1.");
	assert_lines("A=1\\\n", "1A=1.");
	assert_lines("A=1\\\n\nB=2", "1A=1. 3B=2.");
	assert_lines("# comment\\\nA=1", "2A=1.");
}
END_TEST

START_TEST(what_is_neither_is_malformed)
{
	assert_lines("word\n=value\n[\n[]\n[a\n]\nA=1", "1? 2? 3? 4? 5? 6? 7A=1.");
	assert_lines("\\\n\\\nA=1", "1A=1.");
	assert_lines("\\", "1?");
}
END_TEST

START_TEST(long_lines_are_passed_over)
{
	char data[200], joined[200] = "";

	memset(data, 'a', sizeof(data));
	memcpy(data, "K=", 2);
	data[LINE_MAX_HERE] = '\n';
	memcpy(data + LINE_MAX_HERE + 1, "B=1", 4);
	assert_lines(data, "1K=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa. 2B=1.");
	data[LINE_MAX_HERE] = 'a';
	data[LINE_MAX_HERE + 1] = '\n';
	memcpy(data + LINE_MAX_HERE + 2, "B=1", 4);
	assert_lines(data, "1! 2B=1.");
	for (int i = 0; i < 15; i++)
		memcpy(joined + 5 * i, "K=1\\\n", 5);
	memcpy(joined + 75, "x\nB=1", 6);
	assert_lines(joined, "1! 17B=1.");
}
END_TEST

START_TEST(memory_that_runs_out_is_told)
{
	auto_ini ini;
	int kind;

	ini_init(&ini, "A=1", 3, LINE_MAX_HERE);
	alloc_fail_at(1);
	kind = ini_next(&ini);
	ck_assert_int_eq(alloc_fail_stop(), 1);
	ck_assert_int_eq(kind, -ENOMEM);
}
END_TEST

TEST_MAIN("ini", sections_and_assignments_are_told_with_their_lines,
		backslash_joins_lines, what_is_neither_is_malformed,
		long_lines_are_passed_over, memory_that_runs_out_is_told)
