/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/manager/straw.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "airssys/system.h"
#include "base/clock.h"
#include "base/fd.h"
#include "manager/manager.h"
#include "manager/names.h"
#include "support/test.h"
#include "unit/protocol.h"

#define WAIT_USEC  (20 * USEC_PER_SEC)
#define UNITS_MAX  16
#define NOTE_BYTES PROTOCOL_NOTE_MAX

struct straw_unit {
	char name[64];
	unsigned int spawned;
	uint64_t spawn_id; /* 0: no process lives */
	uint8_t note[NOTE_BYTES];
	size_t note_size;
	unsigned int notes; /* received */
};

static struct {
	pthread_mutex_t lock;
	struct straw_unit units[UNITS_MAX];
	size_t n_units;
	uint64_t next_spawn_id;
	struct unit_snapshot *snapshot;
	struct airs_system *system;
	struct manager_home home;
	pthread_t core, keeper;
	int link; /* the keeper's end */
	char path[108];
	bool up, down, ended;
	bool garbles_files;
} straw = { .lock = PTHREAD_MUTEX_INITIALIZER, .next_spawn_id = 1, .link = -1 };

static struct straw_unit *find_unit(const char *name)
{
	struct straw_unit *unit;

	for (size_t i = 0; i < straw.n_units; i++)
		if (strcmp(straw.units[i].name, name) == 0)
			return &straw.units[i];
	if (straw.n_units == UNITS_MAX)
		abort();
	unit = &straw.units[straw.n_units++];
	(void)snprintf(unit->name, sizeof(unit->name), "%s", name);
	return unit;
}

static void say(const struct protocol_message *message, const int *fds, size_t n_fds)
{
	uint8_t datagram[PROTOCOL_MESSAGE_MAX];
	ssize_t size = protocol_encode(message, datagram, sizeof(datagram));

	if (size < 0 || fd_send(straw.link, datagram, (size_t)size, fds, n_fds) < 0)
		return; /* The core has gone. */
}

static void say_config(uint64_t serial, int control)
{
	struct protocol_message config = { .type = PROTOCOL_CONFIG, .serial = serial };
	int fds[2] = { -1, control };

	config.runtime_dir = "/nonexistent/straw";
	config.owner_uid = geteuid();
	if (unit_snapshot_pack(straw.snapshot, &fds[0]) < 0)
		abort();
	if (straw.garbles_files) {
		close_fd(fds[0]);
		if (memfd_sealed("units", "nothing", 7, &fds[0]) < 0)
			abort();
	}
	say(&config, fds, control >= 0 ? 2 : 1);
	close_fd(fds[0]);
}

static void on_spawn(const struct protocol_message *m)
{
	struct protocol_message answer = { .type = PROTOCOL_SPAWNED,
		.serial = m->serial };
	struct straw_unit *unit = find_unit(m->unit);

	unit->spawned++;
	if (strcmp(m->unit, "missing") == 0) {
		answer.type = PROTOCOL_FAILED;
		answer.error = ENOENT;
		answer.step = "EXEC";
		answer.text = "/no/such/program";
	} else {
		unit->spawn_id = straw.next_spawn_id++;
		answer.spawn_id = unit->spawn_id;
		answer.pid = (pid_t)(100000 + unit->spawn_id);
		answer.since_realtime_usec = clock_realtime_usec();
	}
	say(&answer, NULL, 0);
}

static void say_end(struct straw_unit *unit, int code, int status)
{
	struct protocol_message ended = { .type = PROTOCOL_EXITED, .unit = unit->name };
	struct protocol_message empty = { .type = PROTOCOL_EMPTY, .unit = unit->name };

	ended.spawn_id = unit->spawn_id;
	ended.kind = UNIT_EXEC_START;
	ended.state = PROTOCOL_ENDED;
	ended.pid = (pid_t)(100000 + unit->spawn_id);
	ended.code = code;
	ended.status = status;
	ended.ended_realtime_usec = clock_realtime_usec();
	unit->spawn_id = 0;
	say(&ended, NULL, 0);
	say(&empty, NULL, 0);
}

static void on_signal(const struct protocol_message *m)
{
	struct protocol_message done = { .type = PROTOCOL_DONE, .serial = m->serial };
	struct straw_unit *unit = find_unit(m->unit);

	if (unit->spawn_id == 0) {
		done.type = PROTOCOL_FAILED;
		done.error = ESRCH;
	}
	say(&done, NULL, 0);
	if (unit->spawn_id != 0)
		say_end(unit, CLD_KILLED, m->signal);
}

static void on_note(const struct protocol_message *m)
{
	struct straw_unit *unit = find_unit(m->unit);

	unit->note_size = m->size;
	unit->notes++;
	if (m->size > 0)
		memcpy(unit->note, m->data, m->size);
}

static void on_message(const struct protocol_message *m)
{
	struct protocol_message done = { .type = PROTOCOL_DONE, .serial = m->serial };

	switch ((unsigned int)m->type) {
	case PROTOCOL_SPAWN:
		on_spawn(m);
		break;
	case PROTOCOL_SIGNAL:
		on_signal(m);
		break;
	case PROTOCOL_NOTE:
		on_note(m);
		break;
	case PROTOCOL_RELOAD:
		say_config(m->serial, -1);
		say(&done, NULL, 0);
		break;
	case PROTOCOL_UP:
		straw.up = true;
		break;
	case PROTOCOL_DOWN:
		straw.down = true;
		break;
	}
}

static void *run_keeper(void *data)
{
	static uint8_t datagram[PROTOCOL_MESSAGE_MAX];
	struct protocol_message message;
	struct protocol_part part;
	size_t cursor;
	ssize_t size;

	(void)data;
	while ((size = fd_receive(straw.link, datagram, sizeof(datagram), NULL, 0,
				NULL)) > 0) {
		(void)pthread_mutex_lock(&straw.lock);
		cursor = 0;
		while (protocol_next(datagram, (size_t)size, &cursor, &part) > 0)
			if (protocol_decode(part.data, part.size, &message) == 0)
				on_message(&message);
		(void)pthread_mutex_unlock(&straw.lock);
	}
	return NULL;
}

static void *run_core(void *data)
{
	(void)data;
	(void)airs_system_run(straw.system, AIRS_INFINITY);
	(void)pthread_mutex_lock(&straw.lock);
	straw.ended = true;
	(void)pthread_mutex_unlock(&straw.lock);
	return NULL;
}

static void on_closed(void *data, const char *reason)
{
	(void)reason;
	airs_system_stop(data);
}

static void spawn_core(int link)
{
	struct manager_home *home = &straw.home;
	struct link_args args = {
		.size = sizeof(args), .fd = link, .on_closed = on_closed
	};
	struct airs_spawn_options options = { .size = sizeof(options) };
	airs_pid pid;

	manager_home_init(home);
	home->main_pool = airs_system_main_pool(straw.system);
	options.pool = home->main_pool;
	options.args = &home;
	options.args_size = sizeof(home);
	ck_assert_int_eq(airs_system_spawn(straw.system, &manager_behaviour, &options,
					 &args.manager),
			0);
	args.data = straw.system;
	options.args = &args;
	options.args_size = sizeof(args);
	ck_assert_int_eq(airs_system_spawn(straw.system, &link_behaviour, &options, &pid),
			0);
}

static int listen_for_clients(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(straw.path, sizeof(straw.path), "%s",
			test_path(test_folder(), "control"));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", straw.path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}

static void greet(void)
{
	struct protocol_message adopted = { .type = PROTOCOL_ADOPTED };
	int control = listen_for_clients();

	say_config(0, control);
	close_fd(control);
	for (size_t i = 0; i < straw.n_units; i++) {
		struct protocol_message note = { .type = PROTOCOL_NOTE };

		straw.units[i].spawn_id = 0;
		if (straw.units[i].note_size == 0)
			continue;
		note.unit = straw.units[i].name;
		note.data = straw.units[i].note;
		note.size = straw.units[i].note_size;
		say(&note, NULL, 0);
	}
	say(&adopted, NULL, 0);
}

void straw_set_files(const struct text_file *files, size_t n)
{
	static const struct unit_context context = { .runtime_dir = "/run" };
	struct unit_set *set = NULL;

	(void)pthread_mutex_lock(&straw.lock);
	unit_snapshot_free(straw.snapshot);
	straw.snapshot = units_snapshot(files, n);
	unit_snapshot_set_context(straw.snapshot, &context);
	straw.snapshot->programs.is_closed = true;
	if (unit_snapshot_parse(straw.snapshot, &set) < 0)
		abort();
	unit_set_free(set);
	(void)pthread_mutex_unlock(&straw.lock);
}

void straw_leave_out(const char *path)
{
	(void)pthread_mutex_lock(&straw.lock);
	diag_add(&straw.snapshot->diag, DIAG_ERROR, "U001",
			(struct diag_place){ path, 0 }, "Change it.", "It is left out.");
	(void)pthread_mutex_unlock(&straw.lock);
}

void straw_garble_files(void)
{
	straw.garbles_files = true;
}

void straw_start(const struct text_file *files, size_t n)
{
	struct airs_system_options options = { .size = sizeof(options), .workers = 1 };
	int ends[2];

	straw_set_files(files, n);
	straw.up = straw.down = straw.ended = false;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	straw.link = ends[0];
	ck_assert_int_eq(fd_set_nonblocking(ends[1]), 0);
	ck_assert_int_eq(airs_system_new(&options, &straw.system), 0);
	spawn_core(ends[1]);
	greet();
	ck_assert_int_eq(pthread_create(&straw.keeper, NULL, run_keeper, NULL), 0);
	ck_assert_int_eq(airs_system_start(straw.system), 0);
	ck_assert_int_eq(pthread_create(&straw.core, NULL, run_core, NULL), 0);
}

void straw_stop(void)
{
	ck_assert_int_eq(shutdown(straw.link, SHUT_RDWR), 0);
	ck_assert_int_eq(pthread_join(straw.keeper, NULL), 0);
	ck_assert_int_eq(pthread_join(straw.core, NULL), 0);
	airs_system_free(straw.system);
	manager_home_fini(&straw.home);
	straw.link = close_fd(straw.link);
	unit_snapshot_free(straw.snapshot);
	straw.snapshot = NULL;
}

void straw_exit(const char *unit, int status)
{
	(void)pthread_mutex_lock(&straw.lock);
	say_end(find_unit(unit), CLD_EXITED, status);
	(void)pthread_mutex_unlock(&straw.lock);
}

static void wait_for_flag(const bool *flag)
{
	uint64_t end = clock_monotonic_usec() + WAIT_USEC;
	bool is_set = false;

	while (!is_set) {
		ck_assert_uint_lt(clock_monotonic_usec(), end);
		(void)usleep(1000);
		(void)pthread_mutex_lock(&straw.lock);
		is_set = *flag;
		(void)pthread_mutex_unlock(&straw.lock);
	}
}

void straw_wait_up(void)
{
	wait_for_flag(&straw.up);
}

void straw_wait_down(void)
{
	wait_for_flag(&straw.down);
}

int straw_wait_ended(void)
{
	wait_for_flag(&straw.ended);
	return straw.home.exit_status;
}

unsigned int straw_spawned(const char *unit)
{
	unsigned int n;

	(void)pthread_mutex_lock(&straw.lock);
	n = find_unit(unit)->spawned;
	(void)pthread_mutex_unlock(&straw.lock);
	return n;
}

/* Copies that live as long as the test. */
static const char *keep_text(const char *text)
{
	static struct strv kept;

	ck_assert_int_eq(strv_append(&kept, text), 0);
	return kept.items[kept.count - 1];
}

static sd_bus *connect_client(void)
{
	char address[160];
	sd_bus *bus = NULL;

	(void)snprintf(address, sizeof(address), "unix:path=%s", straw.path);
	ck_assert_int_ge(sd_bus_new(&bus), 0);
	ck_assert_int_ge(sd_bus_set_address(bus, address), 0);
	ck_assert_int_ge(sd_bus_start(bus), 0);
	return bus;
}

/* The reply, or NULL with the name of the error. */
static sd_bus_message *call(
		sd_bus *bus, const char *method, const char *unit, const char **ret_error)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	if (unit)
		r = sd_bus_call_method(bus, NULL, NAMES_PATH, NAMES_MANAGER, method,
				&error, &reply, "s", unit);
	else
		r = sd_bus_call_method(bus, NULL, NAMES_PATH, NAMES_MANAGER, method,
				&error, &reply, NULL);
	if (r < 0 && ret_error)
		*ret_error = keep_text(error.name ? error.name : "?");
	sd_bus_error_free(&error);
	return r < 0 ? NULL : reply;
}

int straw_call(const char *method, const char *unit, const char **ret_text)
{
	sd_bus *bus = connect_client();
	sd_bus_message *reply = call(bus, method, unit, ret_text);
	const char *text = NULL;

	if (reply) {
		ck_assert_int_ge(sd_bus_message_read(reply, "s", &text), 0);
		*ret_text = keep_text(text);
	}
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	return text ? 0 : -EREMOTEIO;
}

unsigned int straw_count(const char *method, const char *signature)
{
	sd_bus *bus = connect_client();
	sd_bus_message *reply = call(bus, method, NULL, NULL);
	unsigned int n = 0;

	ck_assert_ptr_nonnull(reply);
	ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', signature), 0);
	while (sd_bus_message_skip(reply, signature) > 0)
		n++;
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	return n;
}

const char *straw_get(const char *unit, const char *key)
{
	sd_bus *bus = connect_client();
	sd_bus_message *reply = call(bus, "GetUnit", unit, NULL);
	const char *name, *value, *found = "";

	ck_assert_msg(reply, "there is no unit %s", unit);
	ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
	while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
		ck_assert_int_gt(sd_bus_message_read(reply, "s", &name), 0);
		if (strcmp(name, key) == 0) {
			ck_assert_int_gt(sd_bus_message_read(reply, "v", "s", &value), 0);
			found = keep_text(value);
		} else {
			ck_assert_int_gt(sd_bus_message_skip(reply, "v"), 0);
		}
		ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
	}
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	return found;
}

void straw_wait_for(const char *unit, const char *key, const char *value)
{
	uint64_t end = clock_monotonic_usec() + WAIT_USEC;

	while (strcmp(straw_get(unit, key), value) != 0) {
		ck_assert_msg(clock_monotonic_usec() < end, "%s of %s is %s, not %s", key,
				unit, straw_get(unit, key), value);
		(void)usleep(1000);
	}
}

int straw_kill(const char *unit, const char *whom, int signo)
{
	sd_bus *bus = connect_client();
	int r = sd_bus_call_method(bus, NULL, NAMES_PATH, NAMES_MANAGER, "Kill", NULL,
			NULL, "ssi", unit, whom, signo);

	sd_bus_flush_close_unref(bus);
	return r < 0 ? r : 0;
}

void straw_shut_down(void)
{
	sd_bus *bus = connect_client();

	sd_bus_message_unref(call(bus, "Shutdown", NULL, NULL));
	sd_bus_flush_close_unref(bus);
}

void straw_wait_for_notes(const char *unit, unsigned int n)
{
	uint64_t end = clock_monotonic_usec() + WAIT_USEC;
	unsigned int have = 0;

	while (have < n) {
		ck_assert_uint_lt(clock_monotonic_usec(), end);
		(void)usleep(1000);
		(void)pthread_mutex_lock(&straw.lock);
		have = find_unit(unit)->notes;
		(void)pthread_mutex_unlock(&straw.lock);
	}
}
