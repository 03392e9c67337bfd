/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/diag.h"

#include <stdio.h>

#include "support/test.h"

static const struct diag_place nowhere;

START_TEST(diagnostics_are_kept_in_order_and_counted)
{
	auto_diag d = { 0 };

	for (unsigned int i = 0; i < 20; i++)
		diag_add(&d, i % 2 ? DIAG_ERROR : DIAG_WARNING, i ? "U002" : "U001",
				(struct diag_place){ "a.actor", i }, NULL, "number %u",
				i);
	diag_add(&d, DIAG_NOTE, "U003", nowhere, NULL, "note");
	ck_assert_uint_eq(d.count, 21);
	ck_assert_uint_eq(d.errors, 10);
	ck_assert_uint_eq(d.warnings, 10);
	ck_assert_str_eq(d.items[7].text, "number 7");
	ck_assert_uint_eq(d.items[7].line, 7);
	ck_assert(diag_has(&d, "U001"));
	ck_assert(!diag_has(&d, "U00"));
}
END_TEST

START_TEST(without_a_list_nothing_happens)
{
	diag_add(NULL, DIAG_ERROR, "U001", nowhere, NULL, "%s", "text");
}
END_TEST

START_TEST(long_code_is_cut_not_written_beyond)
{
	auto_diag d = { 0 };

	diag_add(&d, DIAG_NOTE, "U123456789", nowhere, NULL, "text");
	ck_assert_str_eq(d.items[0].code, "U123456");
}
END_TEST

START_TEST(lines_show_what_is_known)
{
	auto_diag d = { 0 };
	auto_text t = { 0 };

	diag_add(&d, DIAG_ERROR, "U012", (struct diag_place){ "x.actor", 12 },
			"write yes", "no %s", "value");
	diag_add(&d, DIAG_WARNING, "U013", (struct diag_place){ "x.actor", 0 }, NULL,
			"file");
	diag_add(&d, DIAG_NOTE, "U014", nowhere, NULL, "all");
	for (size_t i = 0; i < d.count; i++)
		diag_item_print(&d.items[i], &t);
	ck_assert_str_eq(text_get(&t),
			"x.actor:12: error U012: no value (write yes)\n"
			"x.actor: warning U013: file\n"
			"note U014: all\n");
}
END_TEST

START_TEST(json_has_the_members_that_are_known)
{
	auto_diag d = { 0 };
	auto_text t = { 0 };

	diag_add(&d, DIAG_ERROR, "U012", (struct diag_place){ "a\"b", 3 }, "do", "is");
	diag_add(&d, DIAG_NOTE, "U014", nowhere, NULL, "all");
	diag_item_print_json(&d.items[0], &t);
	diag_item_print_json(&d.items[1], &t);
	ck_assert_str_eq(text_get(&t),
			"{\"severity\":\"error\",\"code\":\"U012\",\"file\":\"a\\\"b\","
			"\"line\":3,\"text\":\"is\",\"remedy\":\"do\"}"
			"{\"severity\":\"note\",\"code\":\"U014\",\"text\":\"all\"}");
}
END_TEST

START_TEST(what_cannot_be_kept_is_counted)
{
	unsigned int n;

	for (n = 1;; n++) {
		auto_diag d = { 0 };

		alloc_fail_at(n);
		diag_add(&d, DIAG_ERROR, "U001", (struct diag_place){ "f", 1 }, "remedy",
				"text");
		if (!alloc_fail_stop())
			break;
		ck_assert_uint_eq(d.lost, 1);
		ck_assert_uint_eq(d.count, 0);
		ck_assert_uint_eq(d.errors, 1);
	}
	ck_assert_uint_eq(n, 6);
}
END_TEST

START_TEST(appended_diagnostics_are_copies)
{
	struct diag from = { .lost = 3 };
	auto_diag d = { 0 };

	diag_add(&d, DIAG_NOTE, "U001", (struct diag_place){ 0 }, NULL, "first");
	diag_add(&from, DIAG_ERROR, "U002", (struct diag_place){ "f", 7 }, "do", "%%s");
	diag_append(&d, &from);
	diag_append(NULL, &from);
	diag_fini(&from);
	ck_assert_uint_eq(d.count, 2);
	ck_assert_uint_eq(d.errors, 1);
	ck_assert_uint_eq(d.lost, 3);
	ck_assert_str_eq(d.items[1].text, "%s");
	ck_assert_str_eq(d.items[1].file, "f");
	ck_assert_uint_eq(d.items[1].line, 7);
	ck_assert_str_eq(d.items[1].remedy, "do");
}
END_TEST

TEST_MAIN("diag", appended_diagnostics_are_copies,
		diagnostics_are_kept_in_order_and_counted, without_a_list_nothing_happens,
		long_code_is_cut_not_written_beyond, lines_show_what_is_known,
		json_has_the_members_that_are_known, what_cannot_be_kept_is_counted)
