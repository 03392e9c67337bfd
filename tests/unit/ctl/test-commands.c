/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "support/test.h"

static struct fake fake;
static struct run run;

static void setup(void)
{
	fake_start(&fake);
}

START_TEST(tree_draws_branches_in_order)
{
	setup();
	run_ctl(&run, &fake, "tree");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.err), "");
	ck_assert_str_eq(text_get(&run.out),
			"UNIT       STATE       PID  RESTARTS  STATUS\n"
			"airssys\n"
			"├─shop     ● running\n"
			"│ ├─db     ● running  4711         3  "
			"ready\\x1b[31m\\nfor 3 clients\n"
			"│ ├─cache  ↻ backoff               7  exited with status 1\n"
			"│ └─web    × failed                5  exited with status 203\n"
			"└─probe    ● running\n");
}
END_TEST

START_TEST(tree_is_ascii_where_the_locale_is_not_utf8)
{
	setup();
	run_start(&run, &fake, RUN_PIPES, (const char *const[]){ "LC_ALL=C", NULL },
			(const char *const[]){ "tree", NULL });
	run_wait(&run);
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "|-shop");
	expect_contains(&run.out, "| `-web");
	expect_contains(&run.out, "x failed");
	for (size_t i = 0; i < run.out.size; i++)
		ck_assert_int_gt(run.out.data[i], 0);
}
END_TEST

START_TEST(tree_fits_the_terminal)
{
	setup();
	run_start(&run, &fake, RUN_TERMINAL, (const char *const[]){ "NO_COLOR=1", NULL },
			(const char *const[]){ "tree", NULL });
	run_wait(&run);
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "ready\\x1b[31m\\nfor 3 …\r\n");
	expect_lacks(&run.out, "\033");
}
END_TEST

START_TEST(tree_is_colored_on_a_terminal)
{
	setup();
	run_start(&run, &fake, RUN_TERMINAL, NULL, (const char *const[]){ "tree", NULL });
	run_wait(&run);
	expect_contains(&run.out, "\033[31m× failed\033[0m");
	/* What the service says itself is still harmless. */
	expect_contains(&run.out, "ready\\x1b[31m");
}
END_TEST

START_TEST(tree_json_nests_children)
{
	setup();
	run_ctl(&run, &fake, "tree", "--json");
	ck_assert_int_eq(run.status, 0);
	expect_json(&run.out);
	expect_contains(&run.out, "\"children\":[{\"name\":\"shop\"");
	expect_contains(&run.out, "\"status_text\":\"ready\\u001b[31m\\nfor 3 clients\"");
}
END_TEST

START_TEST(list_prints_a_row_per_unit)
{
	setup();
	run_ctl(&run, &fake, "list");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "NAME   KIND        STATE    DETAIL   PID  RESTARTS");
	expect_contains(&run.out,
			"db     service     running  up      4711         3  "
			"2min 3s ago   Datenbank für alles\n");
}
END_TEST

START_TEST(list_filters_by_pattern_and_state)
{
	setup();
	run_ctl(&run, &fake, "list", "--names", "?b", "web");
	ck_assert_str_eq(text_get(&run.out), "db\nweb\n");
	run_fini(&run);
	run_ctl(&run, &fake, "list", "--names", "--state=failed,backoff");
	ck_assert_str_eq(text_get(&run.out), "cache\nweb\n");
	run_fini(&run);
	run_ctl(&run, &fake, "--json", "list", "--state=failed");
	expect_json(&run.out);
	expect_contains(&run.out, "[{\"name\":\"web\",");
	expect_lacks(&run.out, "\"db\"");
}
END_TEST

START_TEST(status_tells_everything_about_a_running_service)
{
	setup();
	run_ctl(&run, &fake, "status", "db");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "● db (service): running (up) since ");
	expect_contains(&run.out, " UTC, 2min 3s ago\n");
	expect_contains(&run.out, "      what: Datenbank für alles\n");
	expect_contains(&run.out, "      says: ready\\x1b[31m\\nfor 3 clients\n");
	expect_contains(&run.out,
			"  last end: killed by SIGKILL, 2min 4s ago; "
			"restarted (one-for-one)\n");
	expect_contains(&run.out, "  restarts: 3; within the last 30s 2 of 5 allowed\n");
	expect_contains(&run.out, "supervisor: shop\n");
	expect_contains(&run.out, "       PID: 4711\n");
	expect_contains(&run.out, "     tasks: 6\n");
	expect_contains(&run.out, "    memory: 12M, at most 20M\n");
	expect_contains(&run.out, "       CPU: 2s\n");
	expect_contains(&run.out, "  confined: system-service\n");
	expect_contains(&run.out, "/db.actor\n");
	expect_lacks(&run.out, "changed on disk");
}
END_TEST

START_TEST(status_tells_that_new_settings_wait_for_a_start)
{
	setup();
	run_ctl(&run, &fake, "status", "db");
	expect_lacks(&run.out, "settings:");
	run_fini(&run);
	fake.needs_restart = true;
	run_ctl(&run, &fake, "status", "db");
	expect_contains(&run.out,
			"  settings: changed since it was started; they apply at the next start");
}
END_TEST

START_TEST(status_sees_a_file_that_changed_on_disk)
{
	setup();
	test_write(fake.unit_file, "[Actor]\nDescription=Neu\n", 0644);
	run_ctl(&run, &fake, "status", "db");
	expect_contains(&run.out, "/db.actor (changed on disk");
	run_fini(&run);
	run_ctl(&run, &fake, "status", "db", "--json");
	expect_json(&run.out);
	expect_contains(&run.out, "\"on_disk\":\"changed\"");
	run_fini(&run);
	ck_assert_int_eq(unlink(fake.unit_file), 0);
	run_ctl(&run, &fake, "status", "db");
	expect_contains(&run.out, "/db.actor (gone from disk");
}
END_TEST

START_TEST(status_of_a_unit_that_is_not_running_exits_3)
{
	setup();
	run_ctl(&run, &fake, "status", "web");
	ck_assert_int_eq(run.status, 3);
	expect_contains(&run.out, " failed at: CAPABILITIES: Operation not permitted\n");
	run_fini(&run);
	run_ctl(&run, &fake, "status", "db", "cache");
	ck_assert_int_eq(run.status, 3);
	expect_contains(&run.out, "● db");
	expect_contains(&run.out, "\n\n↻ cache");
	expect_contains(&run.out, "   restart: in 59min ");
	expect_contains(&run.out, ", attempt 4\n");
}
END_TEST

START_TEST(status_of_a_supervisor_shows_its_children)
{
	setup();
	run_ctl(&run, &fake, "status", "shop.supervisor");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out,
			"  strategy: rest-for-one, restarts at most 5 within 30s\n");
	expect_contains(&run.out,
			"\nchildren:\n"
			"  ● db running, PID 4711, restarts 3\n"
			"  ↻ cache backoff, restarts 7, exited with status 1\n"
			"  × web failed, restarts 5, exited with status 203\n");
	run_fini(&run);
	run_ctl(&run, &fake, "status", "shop", "--json");
	expect_json(&run.out);
	expect_contains(&run.out, "\"Children\":[{\"name\":\"db\"");
}
END_TEST

START_TEST(status_without_a_name_puts_failures_first)
{
	setup();
	run_ctl(&run, &fake, "status");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "airssys 9.9.9 at ");
	expect_contains(&run.out,
			"5 units: 1 failed, 1 backoff, 3 running\n"
			"  × web failed 1min ago: exited with status 203\n"
			"  ↻ cache backoff ");
	run_fini(&run);
	run_ctl(&run, &fake, "status", "--json");
	expect_json(&run.out);
	expect_contains(&run.out,
			"\"states\":{\"failed\":1,\"refused\":0,\"backoff\":1,");
}
END_TEST

START_TEST(status_asks_for_all_units_only_for_a_supervisor)
{
	setup();
	fake.n_units = 1000;
	run_ctl(&run, &fake, "status", "db", "probe");
	ck_assert_int_eq(run.status, 0);
	ck_assert_uint_eq(fake.n_lists, 0);
	run_fini(&run);
	run_ctl(&run, &fake, "status", "shop", "shop");
	ck_assert_uint_eq(fake.n_lists, 1);
}
END_TEST

START_TEST(status_of_an_unknown_unit_exits_4)
{
	setup();
	run_ctl(&run, &fake, "status", "nope");
	ck_assert_int_eq(run.status, 4);
	ck_assert_str_eq(text_get(&run.err), "airssysctl: there is no unit 'nope'\n");
	run_fini(&run);
	run_ctl(&run, &fake, "status", "nope", "db", "--json");
	ck_assert_int_eq(run.status, 4);
	expect_json(&run.out);
	expect_contains(&run.out, "[{\"Name\":\"nope\",\"Error\":");
}
END_TEST

START_TEST(status_json_carries_unknown_scalars_and_skips_unknown_types)
{
	setup();
	run_ctl(&run, &fake, "status", "db", "--json");
	ck_assert_int_eq(run.status, 0);
	expect_json(&run.out);
	expect_contains(&run.out, "\"LogJournal\":true");
	expect_contains(&run.out, "\"Log\":[");
	expect_lacks(&run.out, "Future");
}
END_TEST

START_TEST(show_prints_properties_then_settings)
{
	setup();
	run_ctl(&run, &fake, "show", "db.actor");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "Name=db\nKind=service\n");
	expect_contains(&run.out, "LogJournal=yes\n");
	expect_contains(&run.out, "StatusText=ready\\x1b[31m\\nfor 3 clients\n");
	expect_contains(&run.out,
			"Type=notify\nExecStart=/bin/db -D /x\n"
			"Environment=A=1\nEnvironment=B=2\n");
	run_fini(&run);
	run_ctl(&run, &fake, "show", "db", "-p", "PID,Environment", "-p", "State");
	ck_assert_str_eq(text_get(&run.out),
			"State=running\nPID=4711\nEnvironment=A=1\nEnvironment=B=2\n");
	run_fini(&run);
	run_ctl(&run, &fake, "show", "db", "--json");
	expect_json(&run.out);
	expect_contains(&run.out, "\"Settings\":{\"Type\":[\"notify\"],");
	expect_contains(&run.out, "\"Environment\":[\"A=1\",\"B=2\"]");
	run_fini(&run);
	run_ctl(&run, &fake, "show", "db", "nope", "--json");
	ck_assert_int_eq(run.status, 4);
	expect_json(&run.out);
	expect_contains(&run.out, "{\"error\":{\"kind\":\"no-such-unit\"");
}
END_TEST

START_TEST(cat_prints_the_files_as_loaded)
{
	setup();
	test_write(fake.unit_file, "other", 0644);
	run_ctl(&run, &fake, "cat", "db");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "/db.actor\n[Actor]\nDescription=Datenbank\n");
	run_fini(&run);
	run_ctl(&run, &fake, "cat", "db", "--json");
	expect_json(&run.out);
	expect_contains(&run.out, "\"text\":\"[Actor]\\nDescription=Datenbank\\n\"");
	run_fini(&run);
	run_ctl(&run, &fake, "cat", "nope");
	ck_assert_int_eq(run.status, 4);
}
END_TEST

START_TEST(cat_escapes_on_a_terminal_only)
{
	setup();
	fake.unit_text = "a\033[31m\n\tb\n";
	run_start(&run, &fake, RUN_TERMINAL, (const char *const[]){ "NO_COLOR=1", NULL },
			(const char *const[]){ "cat", "db", NULL });
	run_wait(&run);
	expect_contains(&run.out, "a\\x1b[31m\r\n\tb\r\n");
	run_fini(&run);
	run_ctl(&run, &fake, "cat", "db");
	expect_contains(&run.out, "a\033[31m\n\tb\n");
}
END_TEST

START_TEST(daemon_reload_prints_diagnostics_and_fails_on_errors)
{
	setup();
	run_ctl(&run, &fake, "daemon-reload");
	ck_assert_int_eq(run.status, 1);
	ck_assert_str_eq(text_get(&run.out),
			"/etc/airssys/units/db.actor:7: warning U001: unknown key 'Exec' "
			"(did you mean ExecStart?)\n"
			"error U002: cycle: a -> b -> a\n"
			"reloaded: 1 error, 1 warning\n");
	run_fini(&run);
	run_ctl(&run, &fake, "daemon-reload", "--json");
	ck_assert_int_eq(run.status, 1);
	expect_json(&run.out);
	expect_contains(&run.out, "{\"errors\":1,\"warnings\":1,\"diagnostics\":[{");
}
END_TEST

START_TEST(version_names_program_and_instance)
{
	setup();
	run_ctl(&run, &fake, "version");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(text_get(&run.out),
			"airssysctl " PACKAGE_VERSION "\ninstance 9.9.9\n");
	run_fini(&run);
	fake_stop(&fake);
	run_ctl(&run, &fake, "--version", "--json");
	ck_assert_int_eq(run.status, 0);
	expect_json(&run.out);
	expect_contains(&run.out, "\"instance\":null");
}
END_TEST

START_TEST(thousand_units_are_listed_and_drawn)
{
	setup();
	fake.n_units = 1000;
	run_ctl(&run, &fake, "tree");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "└─u1000    ● running  2000\n");
	run_fini(&run);
	run_ctl(&run, &fake, "list", "--json");
	expect_json(&run.out);
	expect_contains(&run.out, "\"u1000\"");
}
END_TEST

TEST_MAIN("commands", tree_draws_branches_in_order,
		tree_is_ascii_where_the_locale_is_not_utf8, tree_fits_the_terminal,
		tree_is_colored_on_a_terminal, tree_json_nests_children,
		list_prints_a_row_per_unit, list_filters_by_pattern_and_state,
		status_tells_everything_about_a_running_service,
		status_tells_that_new_settings_wait_for_a_start,
		status_sees_a_file_that_changed_on_disk,
		status_of_a_unit_that_is_not_running_exits_3,
		status_of_a_supervisor_shows_its_children,
		status_without_a_name_puts_failures_first,
		status_asks_for_all_units_only_for_a_supervisor,
		status_of_an_unknown_unit_exits_4,
		status_json_carries_unknown_scalars_and_skips_unknown_types,
		show_prints_properties_then_settings, cat_prints_the_files_as_loaded,
		cat_escapes_on_a_terminal_only,
		daemon_reload_prints_diagnostics_and_fails_on_errors,
		version_names_program_and_instance, thousand_units_are_listed_and_drawn)
