/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

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
	const struct unit *db = unit_find(set, "db"), *probe = unit_find(set, "probe");
	const struct unit *shop = unit_find(set, "shop"), *web = unit_find(set, "web");

	fixture_silent(&diag);
	ck_assert_uint_eq(set->count, 4);
	ck_assert_str_eq(fixture_join(&set->root_children), "shop");
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

int main(void)
{
	TCase *tc = tcase_create("unit");

	tcase_add_test(tc, a_tree_of_all_kinds_is_understood);
	return fixture_run(tc);
}
