/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/parser.h"

#include <errno.h>

#include "support/test.h"
#include "unit/unit/fixture.h"

/* "Section.Key=value@line" of each assignment, one per line. */
static char *parse(const char *text, size_t size, struct diag *diag, int *ret_mistakes)
{
	auto_parsed_file parsed = { 0 };
	struct text t = { 0 };

	*ret_mistakes = parser_parse("f", text, size, diag, &parsed);
	text_append(&t, "");
	for (size_t i = 0; i < parsed.count; i++)
		text_printf(&t, "%s.%s=%s@%u\n", parsed.items[i].section,
				parsed.items[i].key, parsed.items[i].value,
				parsed.items[i].line);
	return text_take(&t);
}

static void expect(const char *text, const char *wanted)
{
	auto_diag diag = { 0 };
	auto_free char *got = NULL;
	int mistakes;

	got = parse(text, strlen(text), &diag, &mistakes);
	fixture_silent(&diag);
	ck_assert_int_eq(mistakes, 0);
	ck_assert_str_eq(got, wanted);
}

static void expect_mistake(
		const char *text, size_t size, const char *code, unsigned int line)
{
	auto_diag diag = { 0 };
	auto_free char *got = NULL;
	int mistakes;

	got = parse(text, size, &diag, &mistakes);
	ck_assert_int_gt(mistakes, 0);
	ck_assert_uint_eq(fixture_find(&diag, code)->line, line);
	ck_assert_ptr_nonnull(fixture_find(&diag, code)->remedy);
}

START_TEST(assignments_carry_their_section_and_line)
{
	expect("[A]\nk=v\n\n[B]\n  k2 = v 2 \nk3=\n", "A.k=v@2\nB.k2=v 2@5\nB.k3=@6\n");
	expect("", "");
	expect("[A]\nk=v", "A.k=v@2\n");
	expect("[A]\nk=a=b\n", "A.k=a=b@2\n");
}
END_TEST

START_TEST(comments_and_blank_lines_are_passed_over)
{
	expect("# c\n; c\n\t\n[A]\n  # c\nk=v # no comment\n", "A.k=v # no comment@6\n");
}
END_TEST

START_TEST(backslash_joins_lines_with_a_space)
{
	expect("[A]\nk=a\\\nb\\\n  c\nl=d\n", "A.k=a b   c@2\nA.l=d@5\n");
	expect("[A]\nk=a\\\n# between\n; too\nb\nl=d\n", "A.k=a b@2\nA.l=d@6\n");
	expect("[A]\nk=a\\", "A.k=a@2\n");
	expect("[A]\nk=a\\\n", "A.k=a@2\n");
	expect("[A]\nk=a\\\n\nl=b\n", "A.k=a@2\nA.l=b@4\n");
	expect("# comment\\\n[A]\nk=v\n", "A.k=v@3\n");
}
END_TEST

START_TEST(carriage_returns_and_byte_order_mark_are_borne)
{
	expect("\xef\xbb\xbf[A]\r\nk=v\r\nl=a\\\r\nb\r\n", "A.k=v@2\nA.l=a b@3\n");
}
END_TEST

START_TEST(private_sections_and_keys_are_left_out)
{
	expect("[X-Mine]\nk=v\n[A]\nX-k=v\nl=w\n", "A.l=w@5\n");
}
END_TEST

START_TEST(nul_byte_is_told_with_its_line)
{
	expect_mistake("[A]\nk=v\nl=\0x\n", 13, "U013", 3);
}
END_TEST

START_TEST(wrong_lines_are_told_and_the_rest_is_read)
{
	static const char text[] = "[A]\nnonsense\nk=v\n[B\n[]\nb d=c\n=x\n";
	auto_diag diag = { 0 };
	auto_free char *got = NULL;
	int mistakes;

	got = parse(text, strlen(text), &diag, &mistakes);
	ck_assert_int_eq(mistakes, 5);
	ck_assert_str_eq(got, "A.k=v@3\n");
	expect_mistake("k=v\n", 4, "U011", 1);
	expect_mistake("[A]\n\nnonsense\n", 14, "U010", 3);
	expect_mistake("[A]\nk=\xff\n", 8, "U013", 2);
	expect_mistake("[A]\n[B\n", 7, "U011", 2);
}
END_TEST

START_TEST(line_of_a_mebibyte_is_refused)
{
	size_t size = 1024 * 1024;
	auto_free char *text = malloc(size + 1);
	auto_diag diag = { 0 };
	auto_free char *got = NULL;
	int mistakes;

	memset(text, 'a', size);
	memcpy(text, "[A]\nk=", 6);
	memcpy(text + size - 5, "\nl=b\n", 5);
	text[size] = '\0';
	got = parse(text, size, &diag, &mistakes);
	ck_assert_int_eq(mistakes, 1);
	ck_assert_uint_eq(fixture_find(&diag, "U012")->line, 2);
	ck_assert_str_eq(got, "A.l=b@3\n");
}
END_TEST

START_TEST(joined_lines_count_together)
{
	auto_text t = { 0 };

	text_append(&t, "[A]\nk=");
	for (int i = 0; i < 70; i++) {
		for (int k = 0; k < 1024; k++)
			text_append_char(&t, 'a');
		text_append(&t, "\\\n");
	}
	text_append(&t, "\n");
	expect_mistake(t.data, t.size, "U012", 2);
}
END_TEST

START_TEST(a_file_of_mistakes_does_not_flood)
{
	auto_text t = { 0 };
	auto_diag diag = { 0 };
	auto_free char *got = NULL;
	int mistakes;

	for (int i = 0; i < 10000; i++)
		text_append(&t, "x\n");
	got = parse(t.data, t.size, &diag, &mistakes);
	ck_assert_int_eq(mistakes, 10000);
	ck_assert_uint_le(diag.count, 21);
}
END_TEST

TEST_MAIN("parser", assignments_carry_their_section_and_line,
		comments_and_blank_lines_are_passed_over,
		backslash_joins_lines_with_a_space,
		carriage_returns_and_byte_order_mark_are_borne,
		private_sections_and_keys_are_left_out, nul_byte_is_told_with_its_line,
		wrong_lines_are_told_and_the_rest_is_read, line_of_a_mebibyte_is_refused,
		joined_lines_count_together, a_file_of_mistakes_does_not_flood)
