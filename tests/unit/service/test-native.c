/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "unit/service/fixture.h"

#define NATIVE(arguments) "[Native]\nModule=x.so\nArguments=" arguments "\n"

/* A world whose keeper has the module in this file of the build folder. */
static struct world *native_world(const char *text, const char *module)
{
	const char *top = getenv("top_builddir");
	auto_free char *path = text_format("%s/%s", top ? top : ".", module);
	auto_free char *data = NULL;
	struct world *w = world_new(text);
	size_t size;

	w->behaviour = &native_behaviour;
	ck_assert_int_eq(file_read(path, 1 << 26, &data, &size), 0);
	ck_assert_int_eq(memfd_sealed("module", data, size, &w->module_fd), 0);
	return w;
}

#define GOOD "tests/unit/host/.libs/mod-good.so"

START_TEST(module_runs_in_the_tree_and_stops_with_it)
{
	struct world *w = native_world(NATIVE("do=run say=hello"), GOOD);

	world_start(w);
	world_expect(&w->told, "status hello; started; ");
	ck_assert_str_eq(w->report.state, "running");
	ck_assert_uint_ne(w->report.actor, AIRS_PID_NONE);
	ck_assert_uint_ne(w->report.actor, w->service);
	world_stop(w);
	world_expect(&w->told, "ended shutdown; ");
	ck_assert_str_eq(w->report.state, "stopped");
	ck_assert(!airs_is_alive(w->system, w->service));
	ck_assert_uint_eq(airs_system_actor_count(w->system), 2);
	world_free(w);
}
END_TEST

START_TEST(reason_of_the_module_is_the_reason_of_the_unit)
{
	struct world *w = native_world(NATIVE("do=run"), GOOD);

	world_start(w);
	text_clear(&w->told);
	ck_assert_int_eq(airs_system_send(w->system, w->report.actor, AIRS_MSG_USER, NULL,
					 0),
			0);
	world_run(w);
	ck_assert_int_eq(w->reason.reason_class, AIRS_REASON_USER);
	ck_assert_str_eq(w->reason.text, "as told");
	ck_assert_str_eq(w->report.state, "failed");
	ck_assert_ptr_nonnull(w->report.last);
	world_free(w);
}
END_TEST

START_TEST(init_that_fails_is_a_failed_start)
{
	struct world *w = native_world(NATIVE("do=refuse"), GOOD);

	world_start(w);
	ck_assert_ptr_nonnull(strstr(text_get(&w->told), "start failed: "));
	ck_assert_int_eq(w->reason.code, EACCES);
	world_free(w);
}
END_TEST

START_TEST(module_with_nothing_to_do_ends_orderly)
{
	struct world *w = native_world(NATIVE("do=ignore"), GOOD);

	world_start(w);
	world_expect(&w->told, "status ignore; started; ended normal; ");
	world_expect(&w->recorded, "service-ended; ");
	world_free(w);
}
END_TEST

START_TEST(init_that_never_ends_is_ended)
{
	struct world *w = native_world(NATIVE("do=hang"), GOOD);

	world_start(w);
	world_expect(&w->told, "status hang; ");
	world_advance(w, 91 * USEC_PER_SEC);
	ck_assert_ptr_nonnull(strstr(text_get(&w->told), "start failed: "));
	ck_assert_uint_eq(airs_system_actor_count(w->system), 2);
	world_free(w);
}
END_TEST

START_TEST(module_that_traps_exit_signals_is_killed_in_the_end)
{
	struct world *w = native_world("[Actor]\nShutdown=3\n" NATIVE("do=trap"), GOOD);

	world_start(w);
	text_clear(&w->told);
	world_stop(w);
	world_expect(&w->told, "");
	ck_assert_str_eq(w->report.state, "stopping");
	world_advance(w, 4 * USEC_PER_SEC);
	world_expect(&w->told, "ended killed; ");
	ck_assert_uint_eq(airs_system_actor_count(w->system), 2);
	world_free(w);
}
END_TEST

START_TEST(refused_module_is_told_with_its_reason)
{
	struct world *w = native_world(
			NATIVE("do=run"), "tests/unit/host/.libs/mod-abi.so");

	world_start(w);
	ck_assert_str_eq(w->report.failed_step, "module");
	ck_assert_int_eq(w->report.failed_errno, ELIBBAD);
	ck_assert_str_eq(w->report.failed_detail,
			"it was built for another version of the module interface");
	world_free(w);
}
END_TEST

START_TEST(module_that_is_not_there_is_told)
{
	struct world *w = native_world(NATIVE("do=run"), GOOD);

	w->module_fd = close_fd(w->module_fd);
	world_start(w);
	ck_assert_int_eq(w->report.failed_errno, ENOENT);
	ck_assert_str_eq(w->report.state, "failed");
	world_free(w);
}
END_TEST

START_TEST(stop_before_the_module_came_ends_the_start)
{
	struct world *w = native_world(NATIVE("do=run"), GOOD);

	w->silent = true;
	world_start(w);
	world_stop(w);
	world_expect(&w->told, "start failed: shutdown; ended shutdown; ");
	w->silent = false;
	world_run(w);
	ck_assert_uint_eq(airs_system_actor_count(w->system), 2);
	world_free(w);
}
END_TEST

START_TEST(verdict_ends_the_module)
{
	struct world *w = native_world(NATIVE("do=run"), GOOD);
	struct service_kill kill = { 0, 9 };

	world_start(w);
	text_clear(&w->told);
	world_call(w, SERVICE_RELOAD, NULL, 0);
	world_call(w, SERVICE_KILL, &kill, sizeof(kill));
	world_call(w, SERVICE_FAIL, "no good", 8);
	world_expect(&w->told,
			"reply EOPNOTSUPP; reply EOPNOTSUPP; reply 0; "
			"ended application reason: no good; ");
	world_free(w);
}
END_TEST

/* The sample module, against a real socket; only the time is not real. */

#define PROBE ".libs/tcp-probe.so"

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}

START_TEST(probe_is_content_while_somebody_listens)
{
	const char *path = test_path(test_folder(), "socket");
	auto_free char *text = text_format(
			NATIVE("target=web unix=%s interval=1s failures=2 grace=1s"),
			path);
	struct world *w = native_world(text, PROBE);
	int fd = listen_at(path);

	world_start(w);
	world_advance(w, 4500 * USEC_PER_MSEC);
	world_expect(&w->told,
			"started; status ok, 1 check, 0.0 ms; "
			"status ok, 2 checks, 0.0 ms; status ok, 3 checks, 0.0 ms; "
			"status ok, 4 checks, 0.0 ms; status ok, 5 checks, 0.0 ms; ");
	(void)close(fd);
	world_free(w);
}
END_TEST

START_TEST(probe_sees_soon_that_a_service_has_come_up)
{
	const char *path = test_path(test_folder(), "socket");
	auto_free char *text = text_format(NATIVE("target=web unix=%s"), path);
	struct world *w = native_world(text, PROBE);
	int fd;

	world_start(w);
	world_expect(&w->told,
			"started; "
			"status no answer yet: No such file or directory; ");
	fd = listen_at(path);
	world_advance(w, 300 * USEC_PER_MSEC);
	world_expect(&w->told, "status ok, 2 checks, 0.0 ms; ");
	/* From then on it takes its time. */
	world_advance(w, 4 * USEC_PER_SEC);
	world_expect(&w->told, "");
	(void)close(fd);
	world_free(w);
}
END_TEST

START_TEST(probe_gives_its_verdict_after_so_many_failures_and_goes_on)
{
	const char *path = test_path(test_folder(), "socket");
	auto_free char *text = text_format(
			NATIVE("target=web unix=%s interval=1s failures=3 grace=2500ms"),
			path);
	struct world *w = native_world(text, PROBE);

	world_start(w);
	text_clear(&w->told);
	world_advance(w, 3500 * USEC_PER_MSEC);
	ck_assert_ptr_nonnull(strstr(text_get(&w->told),
			"verdict on web: No such file or directory, 4 failed probes; "));
	text_clear(&w->told);
	/* The service has its time to come back. */
	world_advance(w, 2000 * USEC_PER_MSEC);
	ck_assert_ptr_null(strstr(text_get(&w->told), "verdict"));
	world_advance(w, 2000 * USEC_PER_MSEC);
	ck_assert_ptr_nonnull(strstr(text_get(&w->told), "verdict"));
	world_free(w);
}
END_TEST

START_TEST(probe_with_wrong_arguments_does_not_start)
{
	static const char *const bad[] = { NATIVE("port=80"), NATIVE("target=web"),
		NATIVE("target=web port=0"), NATIVE("target=web port=65536"),
		NATIVE("target=web port=80 host=nowhere"),
		NATIVE("target=web port=80 interval=x"),
		NATIVE("target=web port=80 failures=0"),
		NATIVE("target=web port=80 timeout=1h") };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct world *w = native_world(bad[i], PROBE);

		world_start(w);
		ck_assert_msg(w->reason.code == EINVAL, "%s", bad[i]);
		world_free(w);
	}
}
END_TEST

START_TEST(module_that_is_not_wanted_is_not_started)
{
	struct world *w = native_world(NATIVE("do=run"), GOOD);

	w->wish = SERVICE_HELD;
	world_start(w);
	world_expect(&w->states, "");
	world_expect(&w->asked, "");
	w->wish = SERVICE_LEAVING;
	world_start(w);
	world_expect(&w->states, "");
	ck_assert_uint_eq(airs_system_actor_count(w->system), 2);
	world_free(w);
}
END_TEST

TEST_MAIN("native", module_runs_in_the_tree_and_stops_with_it,
		reason_of_the_module_is_the_reason_of_the_unit,
		init_that_fails_is_a_failed_start, module_with_nothing_to_do_ends_orderly,
		init_that_never_ends_is_ended,
		module_that_traps_exit_signals_is_killed_in_the_end,
		refused_module_is_told_with_its_reason, module_that_is_not_there_is_told,
		stop_before_the_module_came_ends_the_start, verdict_ends_the_module,
		probe_is_content_while_somebody_listens,
		probe_sees_soon_that_a_service_has_come_up,
		probe_gives_its_verdict_after_so_many_failures_and_goes_on,
		probe_with_wrong_arguments_does_not_start,
		module_that_is_not_wanted_is_not_started)
