/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/json.h"

#include <signal.h>
#include <string.h>

#include "support/json.h"
#include "support/test.h"

START_TEST(objects_and_arrays_nest_with_commas_in_place)
{
	auto_text t = { 0 };
	struct json j = { .out = &t };
	char a[] = "a", b[] = "b";
	char *words[] = { a, b, NULL };
	struct strv list = { .items = words, .count = 2 };

	json_begin_object(&j);
	json_member_text(&j, "t", "x\"\n\xff");
	json_member_number(&j, "n", UINT64_MAX);
	json_member_bool(&j, "b", true);
	json_member_text(&j, "none", NULL);
	json_member_list(&j, "l", &list);
	json_key(&j, "o");
	json_begin_array(&j);
	json_begin_object(&j);
	json_end_object(&j);
	json_begin_array(&j);
	json_end_array(&j);
	json_raw(&j, "1.5");
	json_end_array(&j);
	json_end_object(&j);
	ck_assert_str_eq(text_get(&t),
			"{\"t\":\"x\\\"\\n\uFFFD\",\"n\":18446744073709551615,\"b\":true,"
			"\"none\":null,\"l\":[\"a\",\"b\"],\"o\":[{},[],1.5]}");
	ck_assert_ptr_nonnull(json_skip(text_get(&t)));
	ck_assert_uint_eq(strlen(json_skip(text_get(&t))), 0);
}
END_TEST

START_TEST(value_without_its_key_in_an_object_is_a_bug)
{
	auto_text t = { 0 };
	struct json j = { .out = &t };

	json_begin_object(&j);
	json_number(&j, 1);
}
END_TEST

START_TEST(key_in_an_array_is_a_bug)
{
	auto_text t = { 0 };
	struct json j = { .out = &t };

	json_begin_array(&j);
	json_key(&j, "k");
}
END_TEST

START_TEST(end_of_the_other_kind_is_a_bug)
{
	auto_text t = { 0 };
	struct json j = { .out = &t };

	json_begin_array(&j);
	json_end_object(&j);
}
END_TEST

START_TEST(second_document_is_a_bug)
{
	auto_text t = { 0 };
	struct json j = { .out = &t };

	json_number(&j, 1);
	json_number(&j, 2);
}
END_TEST

START_TEST(key_without_a_value_is_a_bug)
{
	auto_text t = { 0 };
	struct json j = { .out = &t };

	json_begin_object(&j);
	json_key(&j, "k");
	json_end_object(&j);
}
END_TEST

START_TEST(checker_refuses_what_is_not_json)
{
	static const char *const bad[] = { "", "{", "[1,]", "{\"a\":}", "{a:1}", "\"\n\"",
		"\"\\x\"", "01x", "-", "[1 2]", "{\"a\":1,}", "\"\xff\"" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *end = json_skip(bad[i]);

		ck_assert_msg(!end || *end, "'%s' passed", bad[i]);
	}
}
END_TEST

/* Those that end in an abort are told to Check by signal. */
int main(void)
{
	const TTest *const bugs[] = {
		value_without_its_key_in_an_object_is_a_bug,
		key_in_an_array_is_a_bug,
		end_of_the_other_kind_is_a_bug,
		second_document_is_a_bug,
		key_without_a_value_is_a_bug,
	};
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");
	SRunner *runner;

	tcase_add_test(tcase, objects_and_arrays_nest_with_commas_in_place);
	tcase_add_test(tcase, checker_refuses_what_is_not_json);
	for (size_t i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
		tcase_add_test_raise_signal(tcase, bugs[i], SIGABRT);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	srunner_free(runner);
	return 0;
}
