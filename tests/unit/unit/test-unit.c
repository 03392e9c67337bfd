/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "support/test.h"
#include "unit/unit/fixture.h"

START_TEST(a_tree_of_all_kinds_is_understood)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("db.actor",
				"[Actor]\nSupervisor=shop\nRestart=transient\nShutdown=20s\n"
				"[Service]\nType=notify\nExecStart=/bin/db -D %t/db\nUser=postgres\n"
				"[Security]\nPolicy=system-service\n[Limits]\nLimitNOFILE=4096\n"),
		UNIT_FILE("probe.actor",
				"[Actor]\nType=native\nSupervisor=shop\nAfter=web\n"
				"[Native]\nModule=tcp-probe.so\nArguments=target=db port=5432\n"),
		UNIT_FILE("shop.supervisor",
				"[Supervisor]\nDescription=Web shop\nStrategy=rest-for-one\n"
				"Intensity=3\nPeriod=10s\nChildren=db web probe\n"),
		UNIT_FILE("web.actor",
				"[Unit]\nDescription=Web\n[Service]\nExecStart=/bin/web\n"),
		NO_MORE_FILES
	};
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);
	const struct unit *db = fixture_unit(set, "db"),
			  *probe = fixture_unit(set, "probe");
	const struct unit *shop = fixture_unit(set, "shop"),
			  *web = fixture_unit(set, "web");

	fixture_silent(&diag);
	ck_assert_uint_eq(set->count, 4);
	ck_assert_str_eq(fixture_children(set, NULL), "shop");
	ck_assert_str_eq(fixture_join(&shop->children), "db web probe");
	ck_assert_int_eq(shop->kind, UNIT_SUPERVISOR);
	ck_assert_int_eq(shop->supervising.strategy, UNIT_REST_FOR_ONE);
	ck_assert_int_eq(shop->supervising.order, UNIT_ORDERED);
	ck_assert_uint_eq(shop->supervising.intensity, 3);
	ck_assert_uint_eq(shop->supervising.period_usec, 10 * USEC_PER_SEC);
	ck_assert_ptr_null(shop->supervisor);
	ck_assert_str_eq(db->supervisor, "shop");
	ck_assert_int_eq(db->kind, UNIT_SERVICE);
	ck_assert_int_eq(db->restart, UNIT_RESTART_TRANSIENT);
	ck_assert_uint_eq(db->shutdown_usec, 20 * USEC_PER_SEC);
	ck_assert_int_eq(db->service.type, UNIT_NOTIFY);
	ck_assert_int_eq(db->service.notify_access, UNIT_NOTIFY_MAIN);
	ck_assert_str_eq(db->service.user, "postgres");
	ck_assert_str_eq(db->policy, "system-service");
	ck_assert_uint_eq(db->service.n_limits, 1);
	ck_assert_uint_eq(db->service.limits[0].value.rlim_max, 4096);
	ck_assert_str_eq(fixture_join(&db->service.commands[UNIT_EXEC_START]
							 .items[0]
							 .argv),
			"/bin/db -D /run/t/db");
	ck_assert_int_eq(probe->kind, UNIT_NATIVE);
	ck_assert_str_eq(probe->native.module, "tcp-probe.so");
	ck_assert_str_eq(fixture_join(&probe->native.arguments), "target=db port=5432");
	ck_assert_uint_eq(probe->shutdown_usec, 5 * USEC_PER_SEC);
	ck_assert_str_eq(web->description, "Web");
	ck_assert_int_eq(web->restart, UNIT_RESTART_PERMANENT);
	unit_set_free(set);
}
END_TEST

static struct unit_set *parse_text(const char *text)
{
	const struct fixture_file files[] = { UNIT_FILE("x.actor", text), NO_MORE_FILES };
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);

	fixture_silent(&diag);
	return set;
}

static enum unit_change compare(const char *a, const char *b)
{
	struct unit_set *x = parse_text(a), *y = parse_text(b);
	enum unit_change change =
			unit_compare(fixture_unit(x, "x"), fixture_unit(y, "x"));

	ck_assert_int_eq(unit_equals(fixture_unit(x, "x"), fixture_unit(y, "x")),
			change == UNIT_UNCHANGED);
	unit_set_free(x);
	unit_set_free(y);
	return change;
}

START_TEST(changes_tell_whether_they_need_a_restart)
{
	const char *base = "[Service]\nExecStart=/bin/a b\n";

	ck_assert_int_eq(
			compare(base, "# c\n[Service]\nExecStart=\"/bin/a\"  b\nNice=\n"),
			UNIT_UNCHANGED);
	ck_assert_int_eq(
			compare(base, "[Service]\nExecStart=/bin/a b\nTimeoutStopSec=1\n"),
			UNIT_CHANGED_LIVE);
	ck_assert_int_eq(
			compare(base, "[Service]\nExecStart=/bin/a c\nTimeoutStopSec=1\n"),
			UNIT_CHANGED_RESTART);
	ck_assert_int_eq(compare(base, "[Native]\nModule=a.so\n"), UNIT_CHANGED_RESTART);
}
END_TEST

START_TEST(dumped_unit_reads_as_the_same)
{
	struct unit_set *a = parse_text(
			"[Actor]\nDescription=100%% \"a\"\nAfter=network.target\nRestart=transient\n"
			"RestartSec=250ms\n[Service]\nType=notify\nExecStart=-/bin/a 'b c' %% \\n\n"
			"ExecStop=/bin/s ; /bin/t\nEnvironment=\"A=b  c\" D='%%'\nUser=u\n"
			"StandardOutput=file:/a%%b\nSuccessExitStatus=1 SIGINT\nLimitCPU=5:6\n"
			"WorkingDirectory=-/a\nEnvironmentFile=-/e\nNice=-3\nRuntimeDirectory=a/b\n");
	auto_text sections = { 0 }, first = { 0 }, second = { 0 };
	const struct unit *unit = fixture_unit(a, "x");
	struct unit_set *b;
	const char *type;

	unit_dump(unit, &first);
	/* Type=service is [Actor]'s; the rest may be sorted into sections by the second
	 * Type=. */
	type = strstr(text_get(&first) + 1, "\nType=");
	ck_assert_ptr_nonnull(type);
	text_append(&sections, "[Actor]\n");
	text_append_n(&sections, text_get(&first), (size_t)(type - text_get(&first)));
	text_append(&sections, "\n[Service]");
	text_append(&sections, type);
	b = parse_text(text_get(&sections));
	unit_dump(fixture_unit(b, "x"), &second);
	ck_assert_str_eq(text_get(&first), text_get(&second));
	ck_assert(unit_equals(unit, fixture_unit(b, "x")));
	unit_set_free(a);
	unit_set_free(b);
}
END_TEST

START_TEST(set_lives_as_long_as_its_last_reference)
{
	struct unit_set *set = parse_text("[Service]\nExecStart=/bin/a\n");

	ck_assert_ptr_eq(unit_set_ref(set), set);
	unit_set_unref(set);
	ck_assert_str_eq(fixture_unit(set, "x")->name, "x");
	unit_set_free(set);
	unit_set_free(NULL);
	unit_free(NULL);
}
END_TEST

START_TEST(names_of_values_are_those_of_the_files)
{
	ck_assert_str_eq(unit_kind_name(UNIT_NATIVE), "native");
	ck_assert_str_eq(unit_strategy_name(UNIT_REST_FOR_ONE), "rest-for-one");
	ck_assert_str_eq(unit_restart_name(UNIT_RESTART_ON_ABORT), "on-abort");
	ck_assert_str_eq(unit_command_kind_name(UNIT_EXEC_STOP_POST), "ExecStopPost");
}
END_TEST

static const struct fixture_file whole_tree[] = {
	UNIT_FILE("a.actor",
			"[Actor]\nSupervisor=s\nAfter=b\n[Service]\nExecStart=/bin/a %n ; \n"
			"Environment=A=1\nLimitCPU=1\nSuccessExitStatus=1\nUser=u\n"
			"EnvironmentFile=/e\nStandardOutput=file:/x\nNonsense=\n"),
	UNIT_FILE("b.actor", "[Service]\nExecStart=/bin/b\nExecStart=/bin/c\n"),
	UNIT_FILE("c.actor", "[Actor]\nAfter=c\n[Native]\nModule=m.so\n"),
	UNIT_FILE("s.supervisor", "[Supervisor]\nChildren=b w@1 gone\n"),
	UNIT_FILE("w@.actor", "[Service]\nExecStart=/bin/%i\n"),
	DROP_IN_FILE("w@.actor", "x.conf", "[Service]\nNice=1\n"),
	NO_MORE_FILES,
};

START_TEST(every_failed_allocation_is_told_and_leaks_nothing)
{
	struct unit_snapshot *s = fixture_snapshot(whole_tree);
	struct unit_set *set = NULL;
	struct diag diag;
	unsigned int n;
	int r;

	for (n = 1;; n++) {
		diag = (struct diag){ 0 };
		alloc_fail_at(n);
		r = unit_set_parse(s, &fixture_context, &diag, &set);
		if (!alloc_fail_stop())
			break;
		/* A diagnostic that is lost is counted there, and fails nothing. */
		ck_assert_msg(r == -ENOMEM || (r == 0 && diag.lost > 0),
				"allocation %u: %d", n, r);
		if (r == 0)
			unit_set_free(set);
		diag_fini(&diag);
	}
	ck_assert_int_eq(r, 0);
	ck_assert_uint_gt(n, 50);
	unit_set_free(set);
	diag_fini(&diag);
	unit_snapshot_free(s);
}
END_TEST

TEST_MAIN("unit", a_tree_of_all_kinds_is_understood,
		changes_tell_whether_they_need_a_restart, dumped_unit_reads_as_the_same,
		set_lives_as_long_as_its_last_reference,
		names_of_values_are_those_of_the_files,
		every_failed_allocation_is_told_and_leaks_nothing)
