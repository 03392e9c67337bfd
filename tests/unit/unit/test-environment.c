/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/environment.h"

#include <errno.h>

#include "support/test.h"
#include "unit/unit/fixture.h"

static void expect_file(const char *text, const char *wanted)
{
	auto_strv environment = { 0 };
	auto_diag diag = { 0 };

	ck_assert_int_eq(environment_parse_file(
					 "f", text, strlen(text), &diag, &environment),
			0);
	fixture_silent(&diag);
	ck_assert_str_eq(fixture_join(&environment), wanted);
}

START_TEST(environment_file_is_read_as_systemd_reads_it)
{
	expect_file("A=1\nB=2", "A=1 B=2");
	expect_file("# c\n; c\n\n  A=1  \n\tB = 2\t\n", "A=1 B=2");
	expect_file("A='x  y'\nB=\"x  y\"\n", "A=x  y B=x  y");
	expect_file("A=x'y z'\"w\"v\n", "A=xy zwv");
	expect_file("A=a\\\nb\n", "A=ab");
	expect_file("A=\"a\\\nb\"\n", "A=ab");
	expect_file("A=\"l1\nl2\"\nB=2\n", "A=l1\nl2 B=2");
	expect_file("A=\"\\\"\\\\\\$\\`\\n\"\n", "A=\"\\$`\\n");
	expect_file("A='\\n'\n", "A=\\n");
	expect_file("A=\\x\n", "A=x");
	expect_file("A=1\nA=2\n", "A=2");
	expect_file("A=\nB=''\n", "A= B=");
	expect_file("A=a # b\r\nB=1\r\n", "A=a # b B=1");
	expect_file("", "");
}
END_TEST

START_TEST(wrong_lines_of_an_environment_file_are_told)
{
	static const char text[] = "A=1\nnonsense\n1X=2\nB-C=3\nD=4\nE='open\n";
	auto_strv environment = { 0 };
	auto_diag diag = { 0 };

	ck_assert_int_eq(environment_parse_file(
					 "f", text, strlen(text), &diag, &environment),
			0);
	ck_assert_str_eq(fixture_join(&environment), "A=1 D=4");
	ck_assert_uint_eq(diag.count, 4);
	ck_assert_uint_eq(diag.warnings, 4);
	ck_assert_str_eq(diag.items[0].code, "U033");
	ck_assert_uint_eq(diag.items[0].line, 2);
	ck_assert_uint_eq(diag.items[1].line, 3);
	ck_assert_uint_eq(diag.items[2].line, 4);
	ck_assert_uint_eq(diag.items[3].line, 6);
	ck_assert_int_eq(environment_parse_file("f", "A=\0", 3, &diag, &environment),
			-EINVAL);
}
END_TEST

START_TEST(entries_replace_those_of_their_name)
{
	auto_strv a = { 0 }, b = { 0 };

	ck_assert_int_eq(environment_set(&a, "FOO=1"), 0);
	ck_assert_int_eq(environment_set(&a, "FOOBAR=2"), 0);
	ck_assert_int_eq(environment_set(&b, "FOO=3=4"), 0);
	ck_assert_int_eq(environment_set(&b, "NEW="), 0);
	ck_assert_int_eq(environment_merge(&a, &b), 0);
	ck_assert_str_eq(fixture_join(&a), "FOO=3=4 FOOBAR=2 NEW=");
	ck_assert_str_eq(environment_find(&a, "FOO", 3), "3=4");
	ck_assert_ptr_null(environment_find(&a, "FO", 2));
	ck_assert_int_eq(environment_set(&a, "FOO"), -EINVAL);
	ck_assert_int_eq(environment_set(&a, "=x"), -EINVAL);
	ck_assert_int_eq(environment_set(&a, "1A=x"), -EINVAL);
	ck_assert_int_eq(environment_set(&a, "A B=x"), -EINVAL);
}
END_TEST

/* Words separated by | */
static void expect_argv(const char *words, const char *wanted)
{
	auto_strv environment = { 0 }, argv = { 0 }, got = { 0 };
	auto_text t = { 0 };

	ck_assert_int_eq(environment_set(&environment, "ONE=one"), 0);
	ck_assert_int_eq(environment_set(&environment, "TWO=a  'b c'"), 0);
	ck_assert_int_eq(environment_set(&environment, "EMPTY="), 0);
	ck_assert_int_eq(environment_set(&environment, "OPEN=it's a"), 0);
	for (;; words++) {
		size_t n = strcspn(words, "|");

		ck_assert_int_eq(strv_append_n(&argv, words, n), 0);
		words += n;
		if (!*words)
			break;
	}
	ck_assert_int_eq(environment_expand(&argv, &environment, &got), 0);
	text_append(&t, "");
	for (size_t i = 0; i < got.count; i++)
		text_printf(&t, "%s%s", i ? "|" : "", got.items[i]);
	ck_assert_str_eq(text_get(&t), wanted);
}

START_TEST(variables_are_expanded_as_in_systemd)
{
	expect_argv("a|$ONE", "a|one");
	expect_argv("a|${ONE}", "a|one");
	expect_argv("a|$TWO", "a|a|b c");
	expect_argv("a|${TWO}", "a|a  'b c'");
	expect_argv("a|x${ONE}y${ONE}", "a|xoneyone");
	expect_argv("a|x$ONE", "a|x$ONE");
	expect_argv("a|$EMPTY|b", "a|b");
	expect_argv("a|${EMPTY}|b", "a||b");
	expect_argv("a|$UNKNOWN|${UNKNOWN}", "a|");
	expect_argv("a|$$ONE|$$|a$$b", "a|$ONE|$|a$b");
	expect_argv("a|$|${|${ONE|$1|${1}|${A-B}", "a|$|${|${ONE|$1|${1}|${A-B}");
	expect_argv("$ONE|b", "$ONE|b");
	expect_argv("a|$OPEN", "a|its a");
}
END_TEST

TEST_MAIN("environment", environment_file_is_read_as_systemd_reads_it,
		wrong_lines_of_an_environment_file_are_told,
		entries_replace_those_of_their_name, variables_are_expanded_as_in_systemd)
