/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/manager/bus-fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "airssys/system.h"
#include "base/clock.h"
#include "base/fd.h"
#include "host/activity.h"
#include "manager/bus.h"
#include "manager/messages.h"
#include "manager/names.h"
#include "manager/request.h"
#include "support/test.h"

#define LONG_ROW    20000
#define RECORD_SIZE 2048

struct fixture {
	char path[108];
	int fd;
	struct airs_system *system;
	pthread_t thread;
	_Atomic unsigned int requests, records;
	char record[RECORD_SIZE]; /* the last, complete when records says so */
	size_t record_size;
};

struct fake {
	struct fixture *fixture;
};

static int fake_init(struct airs_actor *self, void *state, const void *args, size_t size)
{
	(void)self;
	memcpy(state, args, size);
	return 0;
}

static void answer_long(struct request *request)
{
	static char text[LONG_ROW];
	sd_bus_message *answer = NULL;

	memset(text, 'x', sizeof(text) - 1);
	if (sd_bus_message_new_method_return(request->call, &answer) < 0)
		abort();
	if (sd_bus_message_append(answer, "a" NAMES_LIST_SIGNATURE, 1, "a", "service", "",
			    "running", "running", text, 1, UINT64_C(0), UINT64_C(0), "",
			    "") < 0)
		abort();
	request_set_answer(request, answer);
}

/* It stands for the activity log too. */
static void keep_record(struct fixture *f, const struct airs_message *message)
{
	f->record_size = message->size < RECORD_SIZE ? message->size : RECORD_SIZE;
	memcpy(f->record, message->data, f->record_size);
	f->records++;
}

static int fake_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	struct fake *fake = state;
	struct request *request;

	if (message->type == ACTIVITY_WRITE)
		keep_record(fake->fixture, message);
	if (message->type != MANAGER_REQUEST)
		return 0;
	fake->fixture->requests++;
	request = request_take(message);
	if (request->name && strcmp(request->name, "never") == 0) {
		request_free(request);
		return 0;
	}
	if (request->method == ACCESS_LIST_UNITS)
		answer_long(request);
	else if (request->name)
		request_answer_text(request, request->name);
	else
		request_answer_empty(request);
	return request_send(self, request->connection, BUS_ANSWER, request);
}

static const struct airs_behaviour fake_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "fake-manager",
	.state_size = sizeof(struct fake),
	.init = fake_init,
	.handle = fake_handle,
};

static void *run(void *data)
{
	struct fixture *f = data;

	(void)airs_system_run(f->system, AIRS_INFINITY);
	return NULL;
}

static void listen_at(struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(f->path, sizeof(f->path), "%s",
			test_path(test_folder(), "control"));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(f->fd, 0);
	ck_assert_int_eq(bind(f->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(f->fd, 512), 0);
}

static void spawn_actors(struct fixture *f, uint64_t auth_usec)
{
	struct fake fake = { f };
	struct bus_args bus = {
		.size = sizeof(bus), .fd = f->fd, .owner_uid = geteuid()
	};
	struct airs_spawn_options options = { .size = sizeof(options) };
	airs_pid pid;

	options.pool = airs_system_main_pool(f->system);
	options.args = &fake;
	options.args_size = sizeof(fake);
	ck_assert_int_eq(airs_system_spawn(f->system, &fake_behaviour, &options,
					 &bus.manager),
			0);
	bus.activity = bus.manager;
	bus.runtime_dir = "/run/test";
	bus.auth_usec = auth_usec;
	options.args = &bus;
	options.args_size = sizeof(bus);
	ck_assert_int_eq(airs_system_spawn(f->system, &bus_behaviour, &options, &pid), 0);
}

struct fixture *fixture_new(uint64_t auth_usec)
{
	struct airs_system_options options = { .size = sizeof(options), .workers = 1 };
	struct fixture *f = calloc(1, sizeof(*f));

	ck_assert_ptr_nonnull(f);
	listen_at(f);
	ck_assert_int_eq(airs_system_new(&options, &f->system), 0);
	spawn_actors(f, auth_usec);
	ck_assert_int_eq(airs_system_start(f->system), 0);
	ck_assert_int_eq(pthread_create(&f->thread, NULL, run, f), 0);
	return f;
}

void fixture_free(struct fixture *f)
{
	airs_system_stop(f->system);
	ck_assert_int_eq(pthread_join(f->thread, NULL), 0);
	airs_system_free(f->system);
	close_fd(f->fd);
	free(f);
}

const char *fixture_path(const struct fixture *f)
{
	return f->path;
}

unsigned int fixture_requests(const struct fixture *f)
{
	return f->requests;
}

unsigned int fixture_records(const struct fixture *f)
{
	return f->records;
}

void fixture_wait_for_record(struct fixture *f, const char *bytes)
{
	uint64_t end = clock_monotonic_usec() + FIXTURE_WAIT_USEC;

	while (f->records == 0) {
		ck_assert_uint_lt(clock_monotonic_usec(), end);
		(void)usleep(1000);
	}
	ck_assert_msg(memmem(f->record, f->record_size, bytes, strlen(bytes)) != NULL,
			"no %s", bytes);
}

void fixture_wait_for_actors(struct fixture *f, uint64_t n)
{
	uint64_t end = clock_monotonic_usec() + FIXTURE_WAIT_USEC;

	while (airs_system_actor_count(f->system) > n) {
		ck_assert_uint_lt(clock_monotonic_usec(), end);
		(void)usleep(1000);
	}
}

sd_bus *fixture_client(const struct fixture *f)
{
	char address[160];
	sd_bus *bus = NULL;

	(void)snprintf(address, sizeof(address), "unix:path=%s", f->path);
	ck_assert_int_ge(sd_bus_new(&bus), 0);
	ck_assert_int_ge(sd_bus_set_address(bus, address), 0);
	ck_assert_int_ge(sd_bus_start(bus), 0);
	return bus;
}

int fixture_raw(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = FIXTURE_WAIT_USEC / USEC_PER_SEC };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
			0);
	return fd;
}

void fixture_expect_close(int fd)
{
	char buffer[4096];
	ssize_t n;

	do
		n = recv(fd, buffer, sizeof(buffer), 0);
	while (n > 0);
	/* A reset is an end as well: what we had sent was not read. */
	ck_assert_msg(n == 0 || errno == ECONNRESET, "the connection is still there: %s",
			strerror(errno));
}

void fixture_expect_service(const struct fixture *f)
{
	sd_bus_message *reply = NULL;
	sd_bus *bus = fixture_client(f);
	const char *text = NULL;

	ck_assert_int_ge(sd_bus_call_method(bus, NULL, NAMES_PATH, NAMES_MANAGER, "Start",
					 NULL, &reply, "s", "db"),
			0);
	ck_assert_int_ge(sd_bus_message_read(reply, "s", &text), 0);
	ck_assert_str_eq(text, "db");
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
}
