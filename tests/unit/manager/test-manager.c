/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/manager.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "manager/names.h"
#include "support/test.h"
#include "unit/manager/straw.h"

#define SERVICE "[Service]\nExecStart=/bin/true\n"

static const struct text_file shop[] = {
	{ "shop.supervisor", "[Supervisor]\nStrategy=rest-for-one\nChildren=db web\n" },
	{ "db.actor", SERVICE },
	{ "web.actor", SERVICE },
	{ "lone.actor", SERVICE },
};

#define START(files) straw_start(files, ARRAY_SIZE(files))
#define SET(files)   straw_set_files(files, ARRAY_SIZE(files))

static void expect(const char *method, const char *unit, const char *result)
{
	const char *text = "";

	ck_assert_msg(straw_call(method, unit, &text) == 0, "%s of %s: %s", method, unit,
			text);
	ck_assert_str_eq(text, result);
}

static void expect_error(const char *method, const char *unit, const char *error)
{
	const char *text = "";

	ck_assert_int_lt(straw_call(method, unit, &text), 0);
	ck_assert_str_eq(text, error);
}

START_TEST(tree_comes_up_and_goes_down)
{
	START(shop);
	straw_wait_up();
	ck_assert_str_eq(straw_get("db", "State"), "running");
	ck_assert_uint_eq(straw_count("ListUnits", NAMES_LIST_SIGNATURE), 4);
	ck_assert_uint_eq(straw_count("Diagnostics", NAMES_DIAG_SIGNATURE), 0);
	straw_shut_down();
	straw_wait_down();
	expect_error("Start", "db", NAMES_ERROR_FAILED);
	straw_stop();
}
END_TEST

START_TEST(core_ends_when_it_cannot_read_the_unit_files)
{
	straw_garble_files();
	START(shop);
	ck_assert_int_eq(straw_wait_ended(), EXIT_FAILURE);
	straw_stop();
}
END_TEST

START_TEST(stop_and_start_say_whether_anything_was_done)
{
	START(shop);
	straw_wait_up();
	expect("Start", "lone", "already");
	expect("Stop", "lone", "done");
	expect("Stop", "lone", "already");
	ck_assert_str_eq(straw_get("lone", "State"), "stopped");
	ck_assert_str_eq(straw_get("lone", "LastDecision"),
			"stopped by the administrator");
	expect("Start", "lone", "done");
	ck_assert_str_eq(straw_get("lone", "State"), "running");
	ck_assert_uint_eq(straw_spawned("lone"), 2);
	expect("Restart", "lone", "done");
	ck_assert_uint_eq(straw_spawned("lone"), 3);
	expect_error("Start", "nobody", NAMES_ERROR_NO_SUCH_UNIT);
	straw_stop();
}
END_TEST

START_TEST(supervisor_takes_its_subtree_along)
{
	START(shop);
	straw_wait_up();
	expect("Stop", "shop", "done");
	ck_assert_str_eq(straw_get("db", "State"), "stopped");
	ck_assert_str_eq(straw_get("web", "State"), "stopped");
	ck_assert_str_eq(straw_get("lone", "State"), "running");
	/* A unit brings up the supervisors above it. */
	expect("Start", "web", "done");
	ck_assert_str_eq(straw_get("shop", "State"), "running");
	straw_wait_for("db", "State", "running");
	expect("Restart", "shop", "done");
	ck_assert_uint_eq(straw_spawned("db"), 3);
	ck_assert_uint_eq(straw_spawned("lone"), 1);
	straw_stop();
}
END_TEST

START_TEST(end_of_a_process_is_told_with_what_was_done)
{
	START(shop);
	straw_wait_up();
	straw_exit("db", 3);
	straw_wait_for("db", "LastEnd", "exited with status 3");
	straw_wait_for("web", "LastDecision",
			"restarted with its group after db ended (rest-for-one)");
	straw_wait_for("web", "State", "running");
	ck_assert_str_eq(straw_get("db", "LastDecision"), "restarted (rest-for-one)");
	ck_assert_uint_eq(straw_spawned("db"), 2);
	ck_assert_uint_eq(straw_spawned("web"), 2);
	ck_assert_uint_eq(straw_spawned("lone"), 1);
	straw_stop();
}
END_TEST

START_TEST(failed_start_names_its_step)
{
	static const struct text_file files[] = { { "missing.actor", SERVICE } };

	START(files);
	straw_wait_up();
	straw_wait_for("missing", "SubState", "given-up");
	expect_error("Start", "missing", NAMES_ERROR_FAILED);
	ck_assert_ptr_nonnull(strstr(straw_get("missing", "FailedStep"), "EXEC"));
	expect_error("ReloadUnit", "missing", NAMES_ERROR_NOT_RUNNING);
	straw_stop();
}
END_TEST

START_TEST(kill_checks_its_arguments)
{
	START(shop);
	straw_wait_up();
	ck_assert_int_lt(straw_kill("lone", "everybody", SIGTERM), 0);
	ck_assert_int_lt(straw_kill("lone", "main", 0), 0);
	ck_assert_int_lt(straw_kill("lone", "main", 4000), 0);
	ck_assert_int_lt(straw_kill("shop", "main", SIGTERM), 0);
	ck_assert_uint_eq(straw_spawned("lone"), 1);
	ck_assert_int_eq(straw_kill("lone", "main", SIGKILL), 0);
	straw_wait_for("lone", "LastEnd", "killed by SIGKILL");
	straw_stop();
}
END_TEST

START_TEST(reload_adds_removes_and_changes)
{
	static const struct text_file after[] = {
		{ "shop.supervisor",
				"[Supervisor]\nStrategy=rest-for-one\nChildren=db fresh\n" },
		{ "db.actor", "[Service]\nExecStart=/bin/false\n" },
		{ "fresh.actor", SERVICE },
		{ "web.actor", SERVICE },
		{ "broken.actor", "[Service]\n" },
	};

	START(shop);
	straw_wait_up();
	SET(after);
	/* One diagnostic at least: of the broken file. */
	ck_assert_uint_ge(straw_count("DaemonReload", NAMES_DIAG_SIGNATURE), 1);
	straw_wait_for("fresh", "State", "running");
	ck_assert_str_eq(straw_get("fresh", "Supervisor"), "shop");
	straw_wait_for("web", "Supervisor", "");
	straw_wait_for("web", "State", "running");
	/* What changed runs on. */
	ck_assert_uint_eq(straw_spawned("db"), 1);
	ck_assert_ptr_nonnull(strstr(straw_get("db", "Settings"), "/bin/false"));
	expect_error("Start", "lone", NAMES_ERROR_NO_SUCH_UNIT);
	/* The supervisor starts what the files say now. */
	expect("Restart", "shop", "done");
	straw_wait_for("fresh", "State", "running");
	ck_assert_uint_eq(straw_spawned("fresh"), 2);
	ck_assert_uint_eq(straw_spawned("web"), 2);
	straw_stop();
}
END_TEST

START_TEST(broken_file_leaves_its_unit_as_it_was)
{
	static const struct text_file after[] = {
		{ "shop.supervisor",
				"[Supervisor]\nStrategy=rest-for-one\nChildren=db web\n" },
		{ "db.actor", SERVICE },
		{ "web.actor", SERVICE },
		{ "lone.actor", "[Service]\n" },
	};

	START(shop);
	straw_wait_up();
	SET(after);
	ck_assert_uint_ge(straw_count("DaemonReload", NAMES_DIAG_SIGNATURE), 1);
	ck_assert_str_eq(straw_get("lone", "State"), "running");
	expect("Restart", "lone", "done");
	straw_stop();
}
END_TEST

START_TEST(file_that_was_not_read_is_told_like_one_with_a_mistake)
{
	START(shop);
	straw_wait_up();
	SET(shop);
	straw_leave_out("/units/x\xff.actor");
	ck_assert_uint_eq(straw_count("DaemonReload", NAMES_DIAG_SIGNATURE), 1);
	ck_assert_uint_eq(straw_count("Diagnostics", NAMES_DIAG_SIGNATURE), 1);
	SET(shop);
	ck_assert_uint_eq(straw_count("DaemonReload", NAMES_DIAG_SIGNATURE), 0);
	straw_stop();
}
END_TEST

START_TEST(new_core_leaves_down_what_was_stopped)
{
	START(shop);
	straw_wait_up();
	expect("Stop", "lone", "done");
	straw_exit("db", 3);
	straw_wait_for_notes("lone", 1);
	straw_wait_for_notes("db", 2); /* its end, and that it runs again */
	straw_stop();
	START(shop);
	straw_wait_up();
	ck_assert_str_eq(straw_get("lone", "State"), "stopped");
	ck_assert_str_eq(straw_get("lone", "LastDecision"),
			"stopped by the administrator");
	ck_assert_uint_eq(straw_spawned("lone"), 1);
	ck_assert_str_eq(straw_get("db", "LastEnd"), "exited with status 3");
	expect("Start", "lone", "done");
	straw_wait_for_notes("lone", 2);
	straw_stop();
	/* Started again: the note is gone with the rest. */
	START(shop);
	straw_wait_up();
	straw_wait_for("lone", "State", "running");
	straw_stop();
}
END_TEST

TEST_MAIN("manager", tree_comes_up_and_goes_down,
		core_ends_when_it_cannot_read_the_unit_files,
		stop_and_start_say_whether_anything_was_done,
		supervisor_takes_its_subtree_along,
		end_of_a_process_is_told_with_what_was_done, failed_start_names_its_step,
		kill_checks_its_arguments, reload_adds_removes_and_changes,
		broken_file_leaves_its_unit_as_it_was,
		file_that_was_not_read_is_told_like_one_with_a_mistake,
		new_core_leaves_down_what_was_stopped)
