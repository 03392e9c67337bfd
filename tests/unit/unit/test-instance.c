/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "support/test.h"
#include "unit/instance.h"

START_TEST(name_does_not_depend_on_how_the_folder_is_written)
{
	static const char *const ways[] = { "/run/airssys", "/run/airssys/",
		"//run//airssys", "/run/./airssys/.", "run/airssys", "./run/airssys/" };

	ck_assert_int_eq(chdir("/"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		auto_free char *name = instance_name(ways[i]);

		ck_assert_ptr_nonnull(name);
		ck_assert_str_eq(name, "/run/airssys");
	}
}
END_TEST

START_TEST(relative_folder_is_below_the_current_one)
{
	auto_free char *expected = NULL, *name = NULL;

	ck_assert_int_eq(chdir("/tmp"), 0);
	name = instance_name("a");
	ck_assert_ptr_nonnull(name);
	expected = getcwd(NULL, 0);
	ck_assert_int_eq(strncmp(name, expected, strlen(expected)), 0);
	ck_assert_str_eq(name + strlen(expected), "/a");
}
END_TEST

START_TEST(root_folder_has_a_name_too)
{
	auto_free char *name = instance_name("/.//");

	ck_assert_ptr_nonnull(name);
	ck_assert_str_eq(name, "/");
}
END_TEST

/* What is in a journal is found by later versions, so the digits are for ever. */
START_TEST(identifier_tells_the_instances_apart)
{
	static const char *const cases[][3] = {
		{ "/run/airssys", "db", "db" },
		{ "/run/airssys/", "db", "db" },
		{ "/tmp/one", "db", "db@ea9ea760" },
		{ "/tmp/two", "db", "db@660491d6" },
		{ "/tmp/two", "web@1", "web@1@660491d6" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *identifier =
				instance_log_identifier(cases[i][0], cases[i][1]);

		ck_assert_ptr_nonnull(identifier);
		ck_assert_str_eq(identifier, cases[i][2]);
	}
}
END_TEST

TEST_MAIN("instance", name_does_not_depend_on_how_the_folder_is_written,
		relative_folder_is_below_the_current_one, root_folder_has_a_name_too,
		identifier_tells_the_instances_apart)
