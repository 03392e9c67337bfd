/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "manager/names.h"
#include "support/test.h"
#include "unit/manager/bus-fixture.h"

/* The bus actor and the manager. */
#define QUIET 2

static void send_bytes(int fd, const void *data, size_t size)
{
	/* The other side may have closed already. */
	(void)!send(fd, data, size, MSG_NOSIGNAL);
}

/* Take part in the authentication as sd-bus does; what follows is messages. */
static void authenticate(int fd)
{
	auto_text hex = { 0 };
	char uid[16], answer[256];
	ssize_t n, have = 0;

	(void)snprintf(uid, sizeof(uid), "%u", (unsigned int)geteuid());
	for (const char *c = uid; *c; c++)
		text_printf(&hex, "%02x", (unsigned int)*c);
	send_bytes(fd, "\0AUTH EXTERNAL ", 15);
	send_bytes(fd, hex.data, hex.size);
	send_bytes(fd, "\r\nBEGIN\r\n", 9);
	while (have == 0 || !memchr(answer, '\n', (size_t)have)) {
		n = recv(fd, answer + have, sizeof(answer) - (size_t)have, 0);
		ck_assert_int_gt(n, 0);
		have += n;
	}
	ck_assert_int_eq(strncmp(answer, "OK ", 3), 0);
}

/* A valid call of a method without arguments, little endian, with this serial. */
static size_t make_call(unsigned char *buffer, const char *member, uint32_t serial)
{
	struct {
		unsigned char code;
		const char *signature, *value;
	} fields[] = {
		{ 1, "o", NAMES_PATH },
		{ 2, "s", NAMES_MANAGER },
		{ 3, "s", member },
	};
	size_t n = 16;

	memcpy(buffer, "l\1\0\1\0\0\0\0", 8);
	memcpy(buffer + 8, &serial, 4);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint32_t length = (uint32_t)strlen(fields[i].value);

		while (n % 8)
			buffer[n++] = 0;
		buffer[n++] = fields[i].code;
		buffer[n++] = 1;
		buffer[n++] = (unsigned char)fields[i].signature[0];
		buffer[n++] = 0;
		memcpy(buffer + n, &length, 4);
		memcpy(buffer + n + 4, fields[i].value, length + 1);
		n += 4 + length + 1;
	}
	memcpy(buffer + 12, &(uint32_t){ (uint32_t)n - 16 }, 4);
	while (n % 8)
		buffer[n++] = 0;
	return n;
}

static char *introspect(struct fixture *f)
{
	sd_bus_message *reply = NULL;
	sd_bus *bus = fixture_client(f);
	const char *xml = NULL;
	char *copy;

	ck_assert_int_ge(sd_bus_call_method(bus, NULL, NAMES_PATH,
					 "org.freedesktop.DBus.Introspectable",
					 "Introspect", NULL, &reply, ""),
			0);
	ck_assert_int_ge(sd_bus_message_read(reply, "s", &xml), 0);
	copy = strdup(xml);
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	return copy;
}

START_TEST(interface_is_the_one_on_record)
{
	auto_free char *path = text_format(
			"%s/tests/data/manager-introspection.xml", getenv("top_srcdir"));
	auto_free char *expected = NULL, *actual = NULL;
	struct fixture *f = fixture_new(0);
	size_t size;

	actual = introspect(f);
	/* AIRSSYS_UPDATE_DATA=1 writes it anew, to be looked at and committed. */
	if (getenv("AIRSSYS_UPDATE_DATA"))
		test_write(path, actual, 0644);
	ck_assert_int_eq(file_read(path, 1 << 20, &expected, &size), 0);
	ck_assert_str_eq(actual, expected);
	fixture_free(f);
}
END_TEST

/* Its wait status. */
static int run_busctl(const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
	ck_assert_int_eq(posix_spawn_file_actions_addopen(
					 &actions, 1, "/dev/null", O_WRONLY, 0),
			0);
	ck_assert_int_eq(posix_spawn(&pid, "/usr/bin/busctl", &actions, NULL,
					 (char *const *)(uintptr_t)argv, environ),
			0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	(void)posix_spawn_file_actions_destroy(&actions);
	return status;
}

START_TEST(busctl_can_introspect_and_call)
{
	struct fixture *f = fixture_new(0);
	auto_free char *address = text_format("--address=unix:path=%s", fixture_path(f));
	const char *const introspecting[] = { "busctl", address, "introspect", NAMES_BUS,
		NAMES_PATH, NULL };
	const char *const calling[] = { "busctl", address, "call", NAMES_BUS, NAMES_PATH,
		NAMES_MANAGER, "Start", "s", "db", NULL };

	if (access("/usr/bin/busctl", X_OK) == 0) {
		ck_assert_int_eq(run_busctl(introspecting), 0);
		ck_assert_int_eq(run_busctl(calling), 0);
		ck_assert_uint_eq(fixture_requests(f), 1);
	}
	fixture_free(f);
}
END_TEST

START_TEST(properties_can_be_read)
{
	struct fixture *f = fixture_new(0);
	sd_bus *bus = fixture_client(f);
	auto_free char *folder = NULL;
	int up = -1;

	ck_assert_int_ge(sd_bus_get_property_string(bus, NULL, NAMES_PATH, NAMES_MANAGER,
					 "RuntimeDirectory", NULL, &folder),
			0);
	ck_assert_str_eq(folder, "/run/test");
	ck_assert_int_ge(sd_bus_get_property_trivial(bus, NULL, NAMES_PATH, NAMES_MANAGER,
					 "TreeUp", NULL, 'b', &up),
			0);
	ck_assert_int_eq(up, 0);
	sd_bus_flush_close_unref(bus);
	fixture_free(f);
}
END_TEST

START_TEST(garbage_ends_its_own_connection_only)
{
	struct fixture *f = fixture_new(0);
	unsigned char noise[4096];
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(noise); i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (unsigned char)(x >> 24);
	}
	for (int when = 0; when < 2; when++) {
		int fd = fixture_raw(f);

		if (when == 1)
			authenticate(fd);
		send_bytes(fd, noise, sizeof(noise));
		fixture_expect_close(fd);
		close_fd(fd);
	}
	fixture_expect_service(f);
	ck_assert_uint_eq(fixture_requests(f), 1);
	fixture_wait_for_actors(f, QUIET);
	fixture_free(f);
}
END_TEST

START_TEST(client_that_stalls_before_it_has_authenticated_is_dropped)
{
	struct fixture *f = fixture_new(100 * USEC_PER_MSEC);
	int silent = fixture_raw(f), half = fixture_raw(f);

	send_bytes(half, "\0AUTH EXT", 9);
	fixture_expect_service(f);
	fixture_expect_close(silent);
	fixture_expect_close(half);
	fixture_wait_for_actors(f, QUIET);
	close_fd(silent);
	close_fd(half);
	fixture_free(f);
}
END_TEST

START_TEST(authenticated_client_may_be_idle)
{
	struct fixture *f = fixture_new(100 * USEC_PER_MSEC);
	int idle = fixture_raw(f), silent = fixture_raw(f);
	unsigned char call[512], answer[64];

	authenticate(idle);
	/* The other one's time is over: so is that of the idle one, which came first. */
	fixture_expect_close(silent);
	send_bytes(idle, call, make_call(call, "Shutdown", 1));
	ck_assert_int_gt(recv(idle, answer, sizeof(answer), 0), 0);
	close_fd(idle);
	close_fd(silent);
	fixture_free(f);
}
END_TEST

START_TEST(half_a_message_changes_nothing)
{
	struct fixture *f = fixture_new(0);
	unsigned char call[512];
	size_t size = make_call(call, "Shutdown", 1);

	for (size_t part = 1; part < size; part += 7) {
		int fd = fixture_raw(f);

		authenticate(fd);
		send_bytes(fd, call, part);
		if (part % 2)
			ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		close_fd(fd);
	}
	fixture_wait_for_actors(f, QUIET);
	ck_assert_uint_eq(fixture_requests(f), 0);
	fixture_expect_service(f);
	fixture_free(f);
}
END_TEST

/* The head of a call whose body is to have this many bytes. */
static size_t make_long_call(unsigned char *buffer, uint32_t body)
{
	size_t size = make_call(buffer, "Shutdown", 1);

	memcpy(buffer + 4, &body, 4);
	return size;
}

START_TEST(message_that_is_too_long_is_refused_by_its_head)
{
	struct fixture *f = fixture_new(0);
	static const unsigned char zeros[60 * 1024];
	unsigned char call[512];
	int longer, fits;

	longer = fixture_raw(f);
	authenticate(longer);
	send_bytes(longer, call, make_long_call(call, 100 * 1024));
	fixture_expect_close(longer);
	close_fd(longer);

	/* Read whole: what it asks for makes no sense, but the next one does. */
	fits = fixture_raw(f);
	authenticate(fits);
	send_bytes(fits, call, make_long_call(call, sizeof(zeros)));
	send_bytes(fits, zeros, sizeof(zeros));
	send_bytes(fits, call, make_call(call, "ListUnits", 2));
	while (fixture_requests(f) == 0)
		usleep(1000);
	close_fd(fits);
	fixture_expect_service(f);
	fixture_free(f);
}
END_TEST

START_TEST(client_that_leaves_before_its_answer_harms_nobody)
{
	struct fixture *f = fixture_new(0);
	unsigned char call[512];
	size_t size = make_call(call, "ListUnits", 1);

	for (int i = 0; i < 50; i++) {
		int fd = fixture_raw(f);

		authenticate(fd);
		send_bytes(fd, call, size);
		close_fd(fd);
	}
	fixture_wait_for_actors(f, QUIET);
	fixture_expect_service(f);
	fixture_free(f);
}
END_TEST

/* Send as much as the other side takes without reading an answer. Bytes sent. */
static size_t flood(int fd)
{
	unsigned char call[512];
	size_t total = 0;

	for (uint32_t serial = 1; serial < 200000; serial++) {
		size_t size = make_call(call, "ListUnits", serial);
		struct pollfd ready = { .fd = fd, .events = POLLOUT };
		ssize_t n = send(fd, call, size, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == (ssize_t)size) {
			total += size;
			continue;
		}
		if (n >= 0 || errno != EAGAIN || poll(&ready, 1, 500) <= 0)
			break;
	}
	return total;
}

START_TEST(client_that_does_not_read_is_not_read_from)
{
	struct fixture *f = fixture_new(0);
	int fd = fixture_raw(f);

	authenticate(fd);
	(void)flood(fd);
	/* Each answer has 20 KB: the socket takes some, and then no more is read. */
	ck_assert_uint_lt(fixture_requests(f), 150);
	fixture_expect_service(f);
	close_fd(fd);
	fixture_wait_for_actors(f, QUIET);
	fixture_free(f);
}
END_TEST

START_TEST(too_many_unanswered_requests_are_refused)
{
	struct fixture *f = fixture_new(0);
	sd_bus *bus = fixture_client(f);
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *call = NULL;

	for (int i = 0; i < 64; i++) {
		ck_assert_int_ge(sd_bus_message_new_method_call(bus, &call, NULL,
						 NAMES_PATH, NAMES_MANAGER, "Start"),
				0);
		ck_assert_int_ge(sd_bus_message_append(call, "s", "never"), 0);
		ck_assert_int_ge(sd_bus_send(bus, call, NULL), 0);
		call = sd_bus_message_unref(call);
	}
	ck_assert_int_lt(sd_bus_call_method(bus, NULL, NAMES_PATH, NAMES_MANAGER, "Start",
					 &error, NULL, "s", "db"),
			0);
	ck_assert_str_eq(error.name, SD_BUS_ERROR_LIMITS_EXCEEDED);
	fixture_expect_service(f);
	sd_bus_error_free(&error);
	sd_bus_flush_close_unref(bus);
	fixture_free(f);
}
END_TEST

START_TEST(hundred_clients_are_served_at_once)
{
	struct fixture *f = fixture_new(0);
	sd_bus *clients[100];

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		clients[i] = fixture_client(f);
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
			sd_bus_message *reply = NULL;

			ck_assert_int_ge(sd_bus_call_method(clients[i], NULL, NAMES_PATH,
							 NAMES_MANAGER, "Start", NULL,
							 &reply, "s", "db"),
					0);
			sd_bus_message_unref(reply);
		}
	ck_assert_uint_eq(fixture_requests(f), 300);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		sd_bus_flush_close_unref(clients[i]);
	fixture_wait_for_actors(f, QUIET);
	fixture_free(f);
}
END_TEST

START_TEST(beyond_the_limit_clients_wait_until_one_leaves)
{
	struct fixture *f = fixture_new(0);
	int fds[BUS_CLIENTS_MAX];
	int late;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = fixture_raw(f);
		authenticate(fds[i]);
	}
	late = fixture_raw(f);
	close_fd(fds[0]);
	authenticate(late);
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		close_fd(fds[i]);
	fixture_wait_for_actors(f, QUIET + 1);
	fixture_expect_service(f);
	close_fd(late);
	fixture_free(f);
}
END_TEST

/* Let everybody reach the socket. */
static void open_to_all(const char *path)
{
	auto_free char *folder = strdup(path);

	ck_assert_int_eq(chmod(path, 0666), 0);
	for (int level = 0; level < 2; level++) {
		*strrchr(folder, '/') = '\0';
		ck_assert_int_eq(chmod(folder, 0711), 0);
	}
}

static void expect_denied(sd_bus *bus, const char *unit)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	ck_assert_int_lt(sd_bus_call_method(bus, NULL, NAMES_PATH, NAMES_MANAGER, "Stop",
					 &error, NULL, "s", unit),
			0);
	ck_assert_str_eq(error.name, NAMES_ERROR_DENIED);
	sd_bus_error_free(&error);
}

/* What was denied is recorded, once for each method of a connection. */
static void expect_to_be_an_observer(struct fixture *f)
{
	sd_bus_message *reply = NULL;
	sd_bus *bus = fixture_client(f);

	ck_assert_int_ge(sd_bus_call_method(bus, NULL, NAMES_PATH, NAMES_MANAGER,
					 "ListUnits", NULL, &reply, ""),
			0);
	sd_bus_message_unref(reply);
	expect_denied(bus, "db");
	fixture_wait_for_record(f, "request-denied");
	fixture_wait_for_record(f, "Stop db was denied to uid 65534 (pid ");
	expect_denied(bus, "db");
	/* The answer comes behind a second record, if there were one. */
	ck_assert_int_ge(sd_bus_call_method(bus, NULL, NAMES_PATH, NAMES_MANAGER,
					 "ListUnits", NULL, &reply, ""),
			0);
	sd_bus_message_unref(reply);
	ck_assert_uint_eq(fixture_records(f), 1);
	sd_bus_flush_close_unref(bus);
}

/* Only root can be somebody else for a while; without that the table's test in
 * test-access must do. */
START_TEST(ordinary_user_has_a_limit_and_may_only_look)
{
	struct fixture *f = fixture_new(0);
	int fds[BUS_CLIENTS_PER_USER], one_more;

	if (geteuid() != 0) {
		fixture_free(f);
		return;
	}
	open_to_all(fixture_path(f));
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setegid(65534), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	expect_to_be_an_observer(f);
	fixture_wait_for_actors(f, QUIET);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = fixture_raw(f);
		authenticate(fds[i]);
	}
	one_more = fixture_raw(f);
	fixture_expect_close(one_more);
	close_fd(one_more);
	ck_assert_int_eq(seteuid(0), 0);
	fixture_expect_service(f);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close_fd(fds[i]);
	fixture_free(f);
}
END_TEST

TEST_MAIN("bus", interface_is_the_one_on_record, busctl_can_introspect_and_call,
		properties_can_be_read, garbage_ends_its_own_connection_only,
		client_that_stalls_before_it_has_authenticated_is_dropped,
		authenticated_client_may_be_idle, half_a_message_changes_nothing,
		message_that_is_too_long_is_refused_by_its_head,
		client_that_leaves_before_its_answer_harms_nobody,
		client_that_does_not_read_is_not_read_from,
		too_many_unanswered_requests_are_refused,
		hundred_clients_are_served_at_once,
		beyond_the_limit_clients_wait_until_one_leaves,
		ordinary_user_has_a_limit_and_may_only_look)
