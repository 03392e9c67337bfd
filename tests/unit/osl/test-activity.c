/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "osl/activity.h"
#include "support/test.h"

static const char *format(const struct activity_record *record)
{
	static struct text t;

	text_clear(&t);
	activity_format(record, &t);
	return text_get(&t);
}

START_TEST(every_kind_has_an_id_of_its_own)
{
	for (int a = 0; a < ACTIVITY_KIND_COUNT; a++) {
		const char *id = activity_message_id((enum activity_kind)a);

		ck_assert_uint_eq(strlen(id), 32);
		ck_assert_uint_eq(strspn(id, "0123456789abcdef"), 32);
		for (int b = 0; b < a; b++)
			ck_assert_str_ne(id, activity_message_id((enum activity_kind)b));
	}
}
END_TEST

START_TEST(every_sentence_is_one)
{
	for (int k = 0; k < ACTIVITY_KIND_COUNT; k++) {
		struct activity_record record = { .kind = (enum activity_kind)k };
		const char *text = format(&record);

		ck_assert_msg(text[strlen(text) - 1] == '.', "%s", text);
		ck_assert_msg(!strchr(text, '%') && !strchr(text, '['), "%s", text);
	}
}
END_TEST

START_TEST(names_are_those_of_the_journal)
{
	auto_text t = { 0 };

	activity_append_name(ACTIVITY_SERVICE_READY, &t);
	ck_assert_str_eq(text_get(&t), "service-ready");
}
END_TEST

START_TEST(part_without_its_field_is_left_out)
{
	struct activity_record record = { .kind = ACTIVITY_SERVICE_READY, .unit = "db" };

	ck_assert_str_eq(format(&record), "db is ready.");
	record.pid = 42;
	ck_assert_str_eq(format(&record), "db is ready with pid 42.");
	record.detail = "late";
	ck_assert_str_eq(format(&record), "db is ready with pid 42: late.");
	record.pid = 0;
	ck_assert_str_eq(format(&record), "db is ready: late.");
}
END_TEST

START_TEST(root_supervisor_has_a_name_for_people)
{
	struct activity_record record = { .kind = ACTIVITY_SUPERVISOR_STARTED,
		.supervisor = "" };

	ck_assert_str_eq(
			format(&record), "Supervisor the root has started its children.");
}
END_TEST

START_TEST(line_stays_a_line_whatever_a_field_holds)
{
	struct activity_record record = {
		.kind = ACTIVITY_SERVICE_DONE,
		.unit = "db",
		.reason = "a\nb\x1b[31m\x7f",
	};

	ck_assert_str_eq(format(&record), "db is done: a\\x0ab\\x1b[31m\\x7f.");
}
END_TEST

START_TEST(field_with_a_newline_goes_with_its_length)
{
	struct activity_record record = {
		.kind = ACTIVITY_SERVICE_DONE,
		.unit = "db",
		.reason = "x\nPRIORITY=0",
	};
	static const char expected[] =
			"AIRSSYS_REASON\n\x0c\0\0\0\0\0\0\0x\nPRIORITY=0\n";
	auto_text t = { 0 };

	activity_encode(&record, &t);
	ck_assert(!t.failed);
	ck_assert_ptr_nonnull(memmem(t.data, t.size, expected, sizeof(expected) - 1));
	ck_assert_ptr_nonnull(memmem(t.data, t.size, "\nPRIORITY=5\n", 12));
}
END_TEST

START_TEST(fields_that_are_not_set_are_not_there)
{
	struct activity_record record = { .kind = ACTIVITY_TREE_DOWN };
	auto_text t = { 0 };

	activity_encode(&record, &t);
	ck_assert_ptr_nonnull(strstr(text_get(&t), "MESSAGE=The tree is down.\n"));
	ck_assert_ptr_nonnull(strstr(text_get(&t), "AIRSSYS_EVENT=tree-down\n"));
	ck_assert_ptr_null(strstr(text_get(&t), "AIRSSYS_UNIT"));
	ck_assert_ptr_null(strstr(text_get(&t), "AIRSSYS_PID"));
	ck_assert_ptr_null(strstr(text_get(&t), "AIRSSYS_COUNT"));
}
END_TEST

static char *read_catalog(void)
{
	const char *top = getenv("top_srcdir");
	auto_free char *path = text_format(
			"%s/contrib/catalog/airssys.catalog", top ? top : ".");
	char *catalog;
	size_t size;

	ck_assert_int_eq(file_read(path, 1 << 20, &catalog, &size), 0);
	return catalog;
}

START_TEST(catalog_explains_every_kind_and_no_other)
{
	auto_free char *catalog = read_catalog();
	size_t entries = 0;

	for (int k = 0; k < ACTIVITY_KIND_COUNT; k++) {
		const char *id = activity_message_id((enum activity_kind)k);
		auto_free char *head = text_format("\n-- %s\nSubject: ", id);

		ck_assert_msg(strstr(catalog, head), "%s is not in the catalog", id);
	}
	for (const char *at = catalog; (at = strstr(at, "\n-- ")); at++)
		entries++;
	ck_assert_uint_eq(entries, ACTIVITY_KIND_COUNT);
}
END_TEST

START_TEST(catalog_uses_only_fields_that_records_have)
{
	static const char *const fields[] = { "UNIT", "SUPERVISOR", "ACTOR", "PID",
		"REASON", "DECISION", "CALLER", "DETAIL", "COUNT" };
	auto_free char *catalog = read_catalog();

	for (const char *at = catalog; (at = strstr(at, "@AIRSSYS_")); at++) {
		bool known = false;

		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			size_t n = strlen(fields[i]);

			known = known ||
					(strncmp(at + 9, fields[i], n) == 0 &&
							at[9 + n] == '@');
		}
		/* The "@" that ends a name is followed by text. */
		ck_assert_msg(known, "%.40s", at);
	}
}
END_TEST

TEST_MAIN("activity", every_kind_has_an_id_of_its_own, every_sentence_is_one,
		names_are_those_of_the_journal, part_without_its_field_is_left_out,
		root_supervisor_has_a_name_for_people,
		line_stays_a_line_whatever_a_field_holds,
		field_with_a_newline_goes_with_its_length,
		fields_that_are_not_set_are_not_there,
		catalog_explains_every_kind_and_no_other,
		catalog_uses_only_fields_that_records_have)
