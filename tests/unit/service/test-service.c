/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "unit/service/fixture.h"

#define SIMPLE "[Service]\nExecStart=/bin/sleep 1000\n"

START_TEST(simple_service_is_ready_when_it_is_spawned)
{
	struct world *w = world_new(SIMPLE);

	world_start(w);
	world_expect(&w->asked, "ExecStart 0; ");
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.state, "running");
	ck_assert_int_eq(w->report.main_pid, 100);
	ck_assert_uint_eq(w->report.start_realtime_usec, 500);
	world_free(w);
}
END_TEST

START_TEST(stop_ends_with_the_reason_of_the_request)
{
	struct world *w = world_new(SIMPLE);

	world_start(w);
	text_clear(&w->asked);
	text_clear(&w->told);
	world_stop(w);
	world_expect(&w->asked, "SIGNAL all TERM; SIGNAL all CONT; ACK 1; ");
	world_expect(&w->told, "ended shutdown; ");
	ck_assert_str_eq(w->report.state, "stopped");
	ck_assert_str_eq(w->report.result, "success");
	ck_assert_uint_eq(w->report.final, 1);
	ck_assert_uint_eq(w->report.last.known, 1);
	ck_assert_uint_eq(w->report.last.cpu_usec, 77);
	world_free(w);
}
END_TEST

TEST_MAIN("service", simple_service_is_ready_when_it_is_spawned,
		stop_ends_with_the_reason_of_the_request)
