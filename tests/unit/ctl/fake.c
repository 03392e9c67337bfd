/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "fake.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "manager/names.h"
#include "support/test.h"

#define SECONDS(n) ((n)*USEC_PER_SEC)

static void note_call(struct fake *f, sd_bus_message *m, const char *detail)
{
	(void)snprintf(f->last_call, sizeof(f->last_call), "%s%s%s",
			sd_bus_message_get_member(m), detail[0] ? " " : "", detail);
}

/* Whether the mood answers in place of the method; then *ret is the handler's result. */
static bool mood_answers(struct fake *f, sd_bus_message *m, int *ret)
{
	*ret = 1;
	if (f->mood == FAKE_DEAF)
		return true;
	if (f->mood == FAKE_HANGS_UP) {
		sd_bus_close(sd_bus_message_get_bus(m));
		return true;
	}
	return false;
}

static int append_more(struct fake *f, sd_bus_message *reply)
{
	char name[32];
	int r = 0;

	if (f->has_slow)
		r = sd_bus_message_append(reply, NAMES_LIST_SIGNATURE, "slow", "service",
				"", "stopping", "stop-sigterm", "", 12u, f->now_usec,
				UINT64_C(0), "", "");
	for (size_t i = 1; r >= 0 && i <= f->n_units; i++) {
		(void)snprintf(name, sizeof(name), "u%zu", i);
		r = sd_bus_message_append(reply, NAMES_LIST_SIGNATURE, name, "service",
				"", "running", "", "", 1000u + (unsigned int)i,
				f->now_usec, UINT64_C(0), "", "");
	}
	return r;
}

static void count_down(struct fake *f)
{
	if (f->lists_until_gone > 0)
		f->lists_until_gone--;
}

static int on_list(sd_bus_message *m, void *data, sd_bus_error *error UNUSED)
{
	struct fake *f = data;
	uint64_t now = f->now_usec;
	sd_bus_message *reply = NULL;
	int r;

	f->n_lists++;
	if (mood_answers(f, m, &r))
		return r;
	ck_assert_int_ge(sd_bus_message_new_method_return(m, &reply), 0);
	r = sd_bus_message_open_container(reply, 'a', NAMES_LIST_SIGNATURE);
	ck_assert_int_ge(r, 0);
#define ROW(...) sd_bus_message_append(reply, NAMES_LIST_SIGNATURE, __VA_ARGS__)
	ck_assert_int_ge(ROW("shop", "supervisor", "", "running", "", "Web shop", 0u,
					 now - SECONDS(125), UINT64_C(0), "", ""),
			0);
	ck_assert_int_ge(ROW("db", "service", "shop", "running", "up",
					 "Datenbank für alles", 4711u, now - SECONDS(123),
					 UINT64_C(3), "ready\033[31m\nfor 3 clients",
					 "killed by SIGKILL"),
			0);
	ck_assert_int_ge(ROW("cache", "service", "shop", "backoff", "", "", 0u,
					 now - SECONDS(2), UINT64_C(7), "",
					 "exited with status 1"),
			0);
	ck_assert_int_ge(ROW("web", "service", "shop", "failed", "", "", 0u,
					 now - SECONDS(60), UINT64_C(5), "",
					 "exited with status 203"),
			0);
	ck_assert_int_ge(ROW("probe", "native", "", "running", "", "", 0u,
					 now - SECONDS(100), UINT64_C(0), "", ""),
			0);
#undef ROW
	ck_assert_int_ge(append_more(f, reply), 0);
	ck_assert_int_ge(sd_bus_message_close_container(reply), 0);
	count_down(f);
	r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

static int append_db(struct fake *f, sd_bus_message *m)
{
	uint64_t now = f->now_usec;
	int r;

	r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "Name", "s", "db",
			"Kind", "s", "service", "Description", "s", "Datenbank für alles",
			"Supervisor", "s", "shop", "State", "s", "running", "SubState",
			"s", "up", "Since", "t", now - SECONDS(123));
	if (r >= 0)
		r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "PID", "u",
				4711u, "StatusText", "s", "ready\033[31m\nfor 3 clients",
				"LastEnd", "s", "killed by SIGKILL", "LastEndRealtime",
				"t", now - SECONDS(124), "LastDecision", "s",
				"restarted (one-for-one)", "Restarts", "t", UINT64_C(3),
				"RestartsInWindow", "u", 2u);
	if (r >= 0)
		r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "Intensity",
				"u", 5u, "PeriodUSec", "t", SECONDS(30), "MemoryBytes",
				"t", UINT64_C(12) << 20, "MemoryPeakBytes", "t",
				UINT64_C(20) << 20, "Tasks", "u", 6u, "CPUUSec", "t",
				SECONDS(2), "Confinement", "s", "system-service");
	if (r >= 0)
		r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}", "LogJournal", "b",
				f->log_file == NULL || f->has_journal, "Files", "as", 1,
				f->unit_file, "Future", "(ss)", "a", "b", "Settings", "s",
				"Type=notify\nExecStart=/bin/db -D /x\n"
				"Environment=A=1\nEnvironment=B=2\n");
	if (r >= 0 && f->needs_restart)
		r = sd_bus_message_append(m, "{sv}", "NeedsRestart", "b", 1);
	if (r >= 0 && f->log_file)
		r = sd_bus_message_append(m, "{sv}", "LogFile", "s", f->log_file);
	return r;
}

static int append_cache(struct fake *f, sd_bus_message *m)
{
	return sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "Name", "s",
			"cache", "Kind", "s", "service", "Supervisor", "s", "shop",
			"State", "s", "backoff", "Since", "t", f->now_usec - SECONDS(2),
			"NextRestartRealtime", "t", f->now_usec + SECONDS(3600),
			"Attempt", "u", 4u, "LastEnd", "s", "exited with status 1");
}

static int append_web(struct fake *f, sd_bus_message *m)
{
	return sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}", "Name", "s", "web",
			"Kind", "s", "service", "State", "s", "failed", "Since", "t",
			f->now_usec - SECONDS(60), "LastEnd", "s",
			"exited with status 203", "FailedStep", "s",
			"CAPABILITIES: Operation not permitted");
}

static int append_shop(struct fake *f, sd_bus_message *m)
{
	return sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}",
			"Settings", "s",
			"Strategy=rest-for-one\nIntensity=5\nPeriod=30s\n", "Name", "s",
			"shop", "Kind", "s", "supervisor", "State", "s", "running",
			"Since", "t", f->now_usec - SECONDS(125), "Strategy", "s",
			"rest-for-one", "Intensity", "u", 5u, "PeriodUSec", "t",
			SECONDS(30), "Children", "as", 3, "db", "cache", "web");
}

static int append_probe(struct fake *f, sd_bus_message *m)
{
	return sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}", "Name", "s", "probe",
			"Kind", "s", "native", "State", "s", "running", "Since", "t",
			f->now_usec - SECONDS(100), "MessagesHandled", "t", UINT64_C(9));
}

static const struct {
	const char *name;
	int (*append)(struct fake *f, sd_bus_message *m);
} canned[] = {
	{ "db", append_db },
	{ "cache", append_cache },
	{ "web", append_web },
	{ "shop", append_shop },
	{ "probe", append_probe },
};

static int no_such_unit(sd_bus_error *error, const char *name)
{
	return sd_bus_error_setf(error, NAMES_ERROR_NO_SUCH_UNIT, "No unit %s.", name);
}

static int on_get_unit(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct fake *f = data;
	sd_bus_message *reply = NULL;
	const char *name;
	int r;

	if (mood_answers(f, m, &r))
		return r;
	ck_assert_int_ge(sd_bus_message_read(m, "s", &name), 0);
	for (size_t i = 0; i < ARRAY_SIZE(canned); i++) {
		if (strcmp(canned[i].name, name) != 0)
			continue;
		ck_assert_int_ge(sd_bus_message_new_method_return(m, &reply), 0);
		ck_assert_int_ge(sd_bus_message_open_container(reply, 'a', "{sv}"), 0);
		ck_assert_int_ge(canned[i].append(f, reply), 0);
		ck_assert_int_ge(sd_bus_message_close_container(reply), 0);
		r = sd_bus_send(NULL, reply, NULL);
		sd_bus_message_unref(reply);
		return r < 0 ? r : 1;
	}
	return no_such_unit(error, name);
}

static int on_get_files(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct fake *f = data;
	const char *name;
	int r;

	if (mood_answers(f, m, &r))
		return r;
	ck_assert_int_ge(sd_bus_message_read(m, "s", &name), 0);
	if (strcmp(name, "db") == 0)
		return sd_bus_reply_method_return(
				m, "a(ss)", 1, f->unit_file, f->unit_text);
	for (size_t i = 0; i < ARRAY_SIZE(canned); i++)
		if (strcmp(canned[i].name, name) == 0)
			return sd_bus_reply_method_return(m, "a(ss)", 0);
	return no_such_unit(error, name);
}

/* Answers left and right once both were asked for. */
static int wait_for_both(struct fake *f, sd_bus_message *m)
{
	if (!f->waiting) {
		f->waiting = sd_bus_message_ref(m);
		return 1;
	}
	ck_assert_int_ge(sd_bus_reply_method_return(f->waiting, "s", "done"), 0);
	f->waiting = sd_bus_message_unref(f->waiting);
	return sd_bus_reply_method_return(m, "s", "done");
}

/* Keeps the calls for the u units open until the client sends no more for now. */
static int hold(struct fake *f, sd_bus_message *m)
{
	ck_assert_uint_lt(f->n_open, ARRAY_SIZE(f->held));
	f->held[f->n_open++] = sd_bus_message_ref(m);
	f->n_open_max = MAX_OF(f->n_open_max, f->n_open);
	return 1;
}

static void release_held(struct fake *f)
{
	for (size_t i = 0; i < f->n_open; i++) {
		ck_assert_int_ge(sd_bus_reply_method_return(f->held[i], "s", "done"), 0);
		sd_bus_message_unref(f->held[i]);
	}
	f->n_open = 0;
}

static int on_job(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct fake *f = data;
	const char *name;
	int r;

	if (mood_answers(f, m, &r))
		return r;
	ck_assert_int_ge(sd_bus_message_read(m, "s", &name), 0);
	note_call(f, m, name);
	if (strcmp(name, "left") == 0 || strcmp(name, "right") == 0)
		return wait_for_both(f, m);
	f->has_slow |= strcmp(name, "slow") == 0;
	if (strcmp(name, "never") == 0 || strcmp(name, "slow") == 0)
		return 1;
	if (name[0] == 'u')
		return hold(f, m);
	if (strcmp(name, "web") == 0)
		return sd_bus_error_set(error, NAMES_ERROR_FAILED,
				"failed at step CAPABILITIES: Operation not permitted");
	if (strcmp(name, "cache") == 0 &&
			strcmp(sd_bus_message_get_member(m), "ReloadUnit") == 0)
		return sd_bus_error_set(error, NAMES_ERROR_NOT_RUNNING, "It is not.");
	if (strcmp(name, "nope") == 0)
		return no_such_unit(error, name);
	return sd_bus_reply_method_return(
			m, "s", strcmp(name, "db") == 0 ? "already" : "done");
}

static int on_kill(sd_bus_message *m, void *data, sd_bus_error *error)
{
	const char *name, *whom;
	char detail[128];
	int signal;

	ck_assert_int_ge(sd_bus_message_read(m, "ssi", &name, &whom, &signal), 0);
	(void)snprintf(detail, sizeof(detail), "%s %s %d", name, whom, signal);
	note_call(data, m, detail);
	if (strcmp(name, "cache") == 0)
		return sd_bus_error_set(error, NAMES_ERROR_NOT_RUNNING, "It is not.");
	return sd_bus_reply_method_return(m, NULL);
}

static int on_daemon_reload(sd_bus_message *m, void *data, sd_bus_error *error UNUSED)
{
	struct fake *f = data;
	int r;

	if (mood_answers(f, m, &r))
		return r;
	note_call(f, m, "");
	return sd_bus_reply_method_return(m, "a(sssuss)", 2, "warning", "U001",
			"/etc/airssys/units/db.actor", 7u, "unknown key 'Exec'",
			"did you mean ExecStart?", "error", "U002", "", 0u,
			"cycle: a -> b -> a", "");
}

static int on_shutdown(sd_bus_message *m, void *data, sd_bus_error *error UNUSED)
{
	struct fake *f = data;
	int r;

	if (mood_answers(f, m, &r))
		return r;
	note_call(f, m, "");
	f->lists_until_gone = f->shutdown_lists;
	return sd_bus_reply_method_return(m, NULL);
}

static int get_version(sd_bus *bus UNUSED, const char *path UNUSED,
		const char *interface UNUSED, const char *property UNUSED,
		sd_bus_message *reply, void *data UNUSED, sd_bus_error *error UNUSED)
{
	return sd_bus_message_append(reply, "s", "9.9.9");
}

static int on_hello(sd_bus_message *m, void *data UNUSED, sd_bus_error *error UNUSED)
{
	return sd_bus_reply_method_return(m, "s", ":1.1");
}

#define METHOD(name, in, out, handler)                                                   \
	SD_BUS_METHOD(name, in, out, handler, SD_BUS_VTABLE_UNPRIVILEGED)

static int on_foreign(sd_bus_message *m, void *data UNUSED, sd_bus_error *error UNUSED)
{
	return sd_bus_reply_method_return(m, "u", 42u);
}

/* A manager of another time. */
static const sd_bus_vtable foreign[] = {
	SD_BUS_VTABLE_START(0),
	METHOD("ListUnits", NULL, "u", on_foreign),
	METHOD("GetUnit", "s", "u", on_foreign),
	METHOD("GetFiles", "s", "u", on_foreign),
	METHOD("DaemonReload", NULL, "u", on_foreign),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable driver[] = {
	SD_BUS_VTABLE_START(0),
	METHOD("Hello", NULL, "s", on_hello),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable manager[] = {
	SD_BUS_VTABLE_START(0),
	METHOD("ListUnits", NULL, "a" NAMES_LIST_SIGNATURE, on_list),
	METHOD("GetUnit", "s", "a{sv}", on_get_unit),
	METHOD("GetFiles", "s", "a(ss)", on_get_files),
	METHOD("Start", "s", "s", on_job),
	METHOD("Stop", "s", "s", on_job),
	METHOD("Restart", "s", "s", on_job),
	METHOD("ReloadUnit", "s", "s", on_job),
	METHOD("Kill", "ssi", NULL, on_kill),
	METHOD("DaemonReload", NULL, "a" NAMES_DIAG_SIGNATURE, on_daemon_reload),
	METHOD("Shutdown", NULL, NULL, on_shutdown),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_VTABLE_END,
};

void fake_start(struct fake *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	f->folder = test_folder();
	f->socket = test_path(f->folder, NAMES_CONTROL);
	f->unit_file = test_path(f->folder, "db.actor");
	f->unit_text = "[Actor]\nDescription=Datenbank\n";
	test_write(f->unit_file, f->unit_text, 0644);
	f->now_usec = clock_realtime_usec();
	f->shutdown_lists = 2;
	f->lists_until_gone = -1;
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(f->listener, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket);
	ck_assert_int_eq(bind(f->listener, (struct sockaddr *)&address, sizeof(address)),
			0);
	ck_assert_int_eq(listen(f->listener, 16), 0);
}

void fake_stop(struct fake *f)
{
	for (size_t i = 0; i < f->n_peers; i++)
		sd_bus_close_unref(f->peers[i]);
	f->n_peers = 0;
	f->listener = close_fd(f->listener);
	(void)unlink(f->socket);
}

static void serve(struct fake *f, int fd)
{
	sd_id128_t id;
	sd_bus *bus;

	ck_assert_int_eq(sd_id128_randomize(&id), 0);
	ck_assert_int_ge(sd_bus_new(&bus), 0);
	ck_assert_int_ge(sd_bus_set_fd(bus, fd, fd), 0);
	ck_assert_int_ge(sd_bus_set_server(bus, 1, id), 0);
	ck_assert_int_ge(sd_bus_start(bus), 0);
	ck_assert_int_ge(sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/DBus",
					 "org.freedesktop.DBus", driver, f),
			0);
	ck_assert_int_ge(sd_bus_add_object_vtable(bus, NULL, NAMES_PATH, NAMES_MANAGER,
					 f->mood == FAKE_FOREIGN ? foreign : manager, f),
			0);
	ck_assert_uint_lt(f->n_peers, FAKE_PEERS_MAX);
	f->peers[f->n_peers++] = bus;
}

static void accept_one(struct fake *f)
{
	int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (f->mood != FAKE_SILENT && f->mood != FAKE_BABBLES) {
		serve(f, fd);
		return;
	}
	if (f->mood == FAKE_BABBLES)
		ck_assert_int_gt(send(fd, "garbage\r\n\0\1\2\r\n", 14, MSG_NOSIGNAL), 0);
	ck_assert_uint_lt(f->n_silent, FAKE_PEERS_MAX);
	f->silent[f->n_silent++] = fd;
}

static void process_peers(struct fake *f)
{
	int r;

	for (size_t i = 0; i < f->n_peers;) {
		do
			r = sd_bus_process(f->peers[i], NULL);
		while (r > 0);
		if (r == 0 && sd_bus_is_open(f->peers[i]) > 0) {
			i++;
			continue;
		}
		sd_bus_close_unref(f->peers[i]);
		f->peers[i] = f->peers[--f->n_peers];
	}
	release_held(f);
}

size_t fake_fill(struct fake *f, struct pollfd *fds, size_t n_fds)
{
	size_t n = 0;

	if (f->listener >= 0)
		fds[n++] = (struct pollfd){ .fd = f->listener, .events = POLLIN };
	for (size_t i = 0; i < f->n_peers && n < n_fds; i++)
		fds[n++] = (struct pollfd){
			.fd = sd_bus_get_fd(f->peers[i]),
			.events = (short)sd_bus_get_events(f->peers[i]),
		};
	return n;
}

void fake_step(struct fake *f)
{
	if (f->listener >= 0)
		accept_one(f);
	process_peers(f);
	if (f->lists_until_gone == 0 && f->listener >= 0)
		fake_stop(f);
}
