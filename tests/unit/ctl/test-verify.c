/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "support/test.h"

/*
 * No instance is there. Which mistakes are found is tested beside the unit files; here it
 * is that each comes out with its place, and that the exit status tells.
 */

static struct run run;
static const char *folder;

static const char *write_unit(const char *name, const char *content)
{
	const char *path;

	if (!folder)
		folder = test_folder();
	path = test_path(folder, name);
	test_write(path, content, 0644);
	return path;
}

static void expect_diagnostic(const char *path, const char *place, const char *what)
{
	auto_free char *begin = text_format("%s%s: %s", path, place, what);

	expect_contains(&run.out, begin);
}

START_TEST(sound_files_pass)
{
	const char *shop = write_unit("shop.supervisor",
			"[Supervisor]\nStrategy=one-for-all\nChildren=db web\n");
	const char *db = write_unit("db.actor", "[Service]\nExecStart=/bin/true\n");
	const char *web = write_unit("web.actor", "[Service]\nExecStart=/bin/true\n");

	run_ctl(&run, NULL, "verify", shop, db, web);
	ck_assert_str_eq(text_get(&run.out), "3 units: 0 errors, 0 warnings\n");
	ck_assert_int_eq(run.status, 0);
	run_fini(&run);
	run_ctl(&run, NULL, "verify", "--json", folder);
	ck_assert_int_eq(run.status, 0);
	expect_json(&run.out);
	expect_contains(&run.out, "\"errors\":0,\"warnings\":0,\"diagnostics\":[]");
	expect_contains(&run.out, "\"shop\"");
}
END_TEST

START_TEST(unknown_key_is_a_warning_that_strict_makes_fail)
{
	const char *db = write_unit(
			"db.actor", "[Service]\nExecStart=/bin/true\nExecStrat=x\n");

	run_ctl(&run, NULL, "verify", db);
	ck_assert_int_eq(run.status, 0);
	expect_diagnostic(db, ":3", "warning U014: ");
	run_fini(&run);
	run_ctl(&run, NULL, "verify", "--strict", db);
	ck_assert_int_eq(run.status, 1);
}
END_TEST

START_TEST(wrong_value_and_missing_program_have_their_lines)
{
	const char *db = write_unit("db.actor",
			"[Actor]\nRestart=often\n[Service]\nExecStart=/no/such/program\n");

	run_ctl(&run, NULL, "verify", db);
	ck_assert_int_eq(run.status, 1);
	expect_diagnostic(db, ":2", "error U020: ");
	expect_diagnostic(db, ":4", "error U022: ");
}
END_TEST

START_TEST(file_of_somebody_else_is_a_warning)
{
	const char *db = write_unit("db.actor", "[Service]\nExecStart=/bin/true\n");

	if (geteuid() != 0)
		return; /* only root gives files away */
	ck_assert_int_eq(chown(db, 65534, 65534), 0);
	run_ctl(&run, NULL, "verify", db);
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "warning U001: The file belongs to uid 65534; ");
	expect_contains(&run.out, "chown root");
}
END_TEST

START_TEST(cycle_is_told_with_its_path)
{
	const char *a = write_unit(
			"a.actor", "[Actor]\nAfter=b\n[Service]\nExecStart=/bin/true\n");
	const char *b = write_unit(
			"b.actor", "[Actor]\nAfter=a\n[Service]\nExecStart=/bin/true\n");

	run_ctl(&run, NULL, "verify", a, b);
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.out, "error U045: ");
	expect_contains(&run.out, "a");
}
END_TEST

START_TEST(two_units_of_one_name_are_an_error)
{
	const char *a = write_unit("x.actor", "[Service]\nExecStart=/bin/true\n");
	const char *b = write_unit("x.supervisor", "[Supervisor]\n");

	run_ctl(&run, NULL, "verify", a, b);
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.out, "error U005: ");
}
END_TEST

START_TEST(file_that_others_may_write_is_an_error)
{
	const char *db = write_unit("db.actor", "[Service]\nExecStart=/bin/true\n");

	ck_assert_int_eq(chmod(db, 0666), 0);
	run_ctl(&run, NULL, "verify", db);
	ck_assert_int_eq(run.status, 1);
	expect_diagnostic(db, "", "error U001: ");
	expect_contains(&run.out, "chmod go-w");
}
END_TEST

START_TEST(folder_that_others_may_write_is_a_warning)
{
	const char *db = write_unit("db.actor", "[Service]\nExecStart=/bin/true\n");
	const char *below, *deep;

	ck_assert_int_eq(chmod(folder, 0777), 0);
	run_ctl(&run, NULL, "verify", db);
	ck_assert_int_eq(run.status, 0);
	expect_diagnostic(folder, "", "warning U002: ");
	expect_contains(&run.out, "group or others may write");
	run_fini(&run);
	/* And one below it, which is told once. */
	below = test_path(folder, "below");
	ck_assert_int_eq(mkdir(below, 0755), 0);
	deep = test_path(below, "deep.actor");
	test_write(deep, "[Service]\nExecStart=/bin/true\n", 0644);
	test_write(test_path(below, "other.actor"), "[Service]\nExecStart=/bin/true\n",
			0644);
	run_ctl(&run, NULL, "verify", "--strict", below);
	ck_assert_int_eq(run.status, 1);
	expect_diagnostic(below, "", "warning U002: ");
	expect_contains(&run.out, "1 warning");
	run_fini(&run);
	ck_assert_int_eq(chmod(folder, 01777), 0);
	run_ctl(&run, NULL, "verify", "--strict", below);
	ck_assert_int_eq(run.status, 0);
}
END_TEST

START_TEST(fifo_and_absent_file_are_errors_at_once)
{
	const char *fifo;

	write_unit("db.actor", "");
	fifo = test_path(folder, "f.actor");
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	run_ctl(&run, NULL, "verify", fifo);
	ck_assert_int_eq(run.status, 1);
	expect_diagnostic(fifo, "", "error U001: ");
	run_fini(&run);
	run_ctl(&run, NULL, "verify", test_path(folder, "absent.actor"));
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.out, "error U001: ");
}
END_TEST

START_TEST(line_of_a_gibibyte_is_refused_without_reading_it)
{
	const char *db = write_unit("db.actor", "");
	auto_close int fd = open(db, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)1 << 30), 0);
	run_ctl(&run, NULL, "verify", db);
	ck_assert_int_eq(run.status, 1);
	expect_diagnostic(db, "", "error U001: ");
}
END_TEST

START_TEST(file_that_is_no_unit_is_an_error)
{
	run_ctl(&run, NULL, "verify", "/etc/passwd");
	ck_assert_int_eq(run.status, 1);
	expect_contains(&run.out, "/etc/passwd: error U003: ");
}
END_TEST

START_TEST(names_in_diagnostics_are_escaped)
{
	const char *db = write_unit("db.actor",
			"[Service]\nExecStart=/bin/true\nTimeoutSec=\033[2J\n");

	run_ctl(&run, NULL, "verify", db);
	expect_lacks(&run.out, "\033");
	ck_assert_int_eq(run.status, 1);
}
END_TEST

TEST_MAIN("verify", sound_files_pass, unknown_key_is_a_warning_that_strict_makes_fail,
		wrong_value_and_missing_program_have_their_lines,
		file_of_somebody_else_is_a_warning, cycle_is_told_with_its_path,
		two_units_of_one_name_are_an_error,
		file_that_others_may_write_is_an_error,
		folder_that_others_may_write_is_a_warning,
		fifo_and_absent_file_are_errors_at_once,
		line_of_a_gibibyte_is_refused_without_reading_it,
		file_that_is_no_unit_is_an_error, names_in_diagnostics_are_escaped)
