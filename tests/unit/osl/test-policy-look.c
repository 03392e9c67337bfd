/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <unistd.h>

#include "osl/policy.h"
#include "support/test.h"

START_TEST(policy_is_looked_for_without_a_look_into_it)
{
	const char *first = test_folder(), *second = test_path(first, "second");
	auto_strv paths = { 0 };

	ck_assert_int_eq(strv_append(&paths, "/nonexistent/folder"), 0);
	ck_assert_int_eq(policy_look("broken", &paths), -ENOENT);
	ck_assert_int_eq(strv_append(&paths, first), 0);
	ck_assert_int_eq(strv_append(&paths, second), 0);
	test_write(test_path(first, "broken.policy"), "[Policy]\nNonsense=1\n", 0644);
	ck_assert_int_eq(policy_look("broken", &paths), 0);
	ck_assert_int_eq(policy_look("absent", &paths), -ENOENT);
}
END_TEST

START_TEST(what_cannot_be_looked_at_is_not_said_to_be_absent)
{
	const char *folder = test_folder();
	auto_strv paths = { 0 };

	/* A file where a folder should be, and a link to itself. */
	test_write(test_path(folder, "file"), "", 0644);
	ck_assert_int_eq(strv_append(&paths, test_path(folder, "file")), 0);
	ck_assert_int_eq(policy_look("p", &paths), 0);
	ck_assert_int_eq(symlink("loop.policy", test_path(folder, "loop.policy")), 0);
	strv_fini(&paths);
	ck_assert_int_eq(strv_append(&paths, folder), 0);
	ck_assert_int_eq(policy_look("loop", &paths), 0);
}
END_TEST

TEST_MAIN("policy-look", policy_is_looked_for_without_a_look_into_it,
		what_cannot_be_looked_at_is_not_said_to_be_absent)
