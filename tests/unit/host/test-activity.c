/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "airssys/airssys.h"
#include "base/clock.h"
#include "base/fd.h"
#include "host/activity.h"
#include "support/test.h"

/* The id of service-failed is for ever. */
#define TEST_FAILED_ID "07fbad49f7b44e83b8525a4f512124e8"

/* An actor that writes records when it is told, and asks for the counts. */
enum {
	WRITE = AIRS_MSG_USER + 1,
	ASK,
};

static struct world {
	struct airs_system *system;
	airs_pid writer, source;
	struct activity_counts counts;
	int journal, fallback[2];
	const char *path;
} w;

struct order {
	enum activity_kind kind;
	uint64_t first, count;
	size_t detail_size;
};

static void write_some(struct airs_actor *self, const struct order *order)
{
	auto_free char *detail = calloc(1, order->detail_size + 64);
	struct activity_record record = {
		.kind = order->kind, .unit = "db", .reason = "killed"
	};

	memset(detail, 'x', order->detail_size);
	record.detail = detail;
	for (uint64_t i = 0; i < order->count; i++) {
		(void)snprintf(detail + order->detail_size, 64, "#%" PRIu64,
				order->first + i);
		activity_write(self, w.writer, &record);
	}
}

static int source_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	airs_ref call;

	(void)state;
	if (m->type == WRITE)
		write_some(self, m->data);
	else if (m->type == ASK)
		return airs_call(self,
				&(struct airs_request){ .to = w.writer,
						.type = ACTIVITY_GET_COUNTS,
						.timeout_usec = AIRS_INFINITY },
				&call);
	else if (m->type == AIRS_MSG_REPLY)
		memcpy(&w.counts, m->data, sizeof(w.counts));
	return 0;
}

static const struct airs_behaviour source_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "source",
	.handle = source_handle,
};

static int bind_journal(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void run(void)
{
	(void)airs_system_run(w.system, airs_system_now(w.system));
}

static void start(const char *journal, size_t ring_bytes, size_t mailbox_max)
{
	struct airs_system_options system = {
		.size = sizeof(system), .scheduler = AIRS_SCHEDULER_SEEDED, .seed = 1
	};
	struct activity_args args = {
		.size = sizeof(args), .ring_bytes = ring_bytes, .instance = "/run/here"
	};
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = &args,
		.args_size = sizeof(args),
		.mailbox_max = mailbox_max,
	};

	ck_assert_int_eq(pipe2(w.fallback, O_CLOEXEC | O_NONBLOCK), 0);
	args.fallback_fd = w.fallback[1];
	(void)snprintf(args.journal_socket, sizeof(args.journal_socket), "%s", journal);
	ck_assert_int_eq(airs_system_new(&system, &w.system), 0);
	ck_assert_int_eq(airs_system_spawn(w.system, &activity_behaviour, &options,
					 &w.writer),
			0);
	ck_assert_int_eq(airs_system_spawn(w.system, &source_behaviour, NULL, &w.source),
			0);
	run();
}

static void write_records(enum activity_kind kind, uint64_t first, uint64_t count,
		size_t detail_size)
{
	struct order order = { kind, first, count, detail_size };

	ck_assert_int_eq(airs_system_send(w.system, w.source, WRITE, &order,
					 sizeof(order)),
			0);
	run();
}

static void ask(void)
{
	ck_assert_int_eq(airs_system_send(w.system, w.source, ASK, NULL, 0), 0);
	run();
}

/* The next datagram as text, or NULL. */
static const char *next_datagram(void)
{
	static char buffer[65536];
	ssize_t n = recv(w.journal, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);

	if (n < 0)
		return NULL;
	buffer[n] = '\0';
	return buffer;
}

/* What one drain of the journal's socket has in it. */
struct seen {
	uint64_t records, lost, warnings;
};

static void drain(struct seen *seen)
{
	const char *datagram, *count;

	while ((datagram = next_datagram())) {
		if (!strstr(datagram, "AIRSSYS_EVENT=records-lost\n")) {
			seen->records++;
			seen->warnings += strstr(datagram, "PRIORITY=4\n") != NULL;
			continue;
		}
		count = strstr(datagram, "AIRSSYS_COUNT=");
		ck_assert_ptr_nonnull(count);
		seen->lost += strtoull(count + 14, NULL, 10);
	}
}

/* Until nothing waits any more. */
static void drain_all(struct seen *seen)
{
	do {
		drain(seen);
		run();
		ask();
	} while (w.counts.waiting > 0);
	drain(seen);
}

START_TEST(record_arrives_with_all_its_fields)
{
	const char *text, *path = test_path(test_folder(), "journal");

	w.journal = bind_journal(path);
	start(path, 0, 0);
	write_records(ACTIVITY_SERVICE_FAILED, 7, 1, 0);
	text = next_datagram();
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text,
			"MESSAGE=db has failed: killed (#7).\n"
			"MESSAGE_ID=" TEST_FAILED_ID "\n"
			"PRIORITY=4\nSYSLOG_IDENTIFIER=airssys\n"
			"AIRSSYS_EVENT=service-failed\nAIRSSYS_UNIT=db\n"
			"AIRSSYS_REASON=killed\nAIRSSYS_DETAIL=#7\n"
			"AIRSSYS_INSTANCE=/run/here\n");
	ask();
	ck_assert_uint_eq(w.counts.written, 1);
	ck_assert_uint_eq(w.counts.journal, 1);
	airs_system_free(w.system);
}
END_TEST

START_TEST(without_a_journal_lines_are_written)
{
	char line[256];
	ssize_t n;

	start("", 0, 0);
	write_records(ACTIVITY_SERVICE_DONE, 0, 1, 0);
	n = read(w.fallback[0], line, sizeof(line) - 1);
	ck_assert_int_gt(n, 0);
	line[n] = '\0';
	ck_assert_str_eq(line, "airssys: db is done: killed.\n");
	airs_system_free(w.system);
}
END_TEST

START_TEST(journal_that_comes_back_is_found)
{
	const char *path = test_path(test_folder(), "journal");
	char line[256];

	start(path, 0, 0);
	write_records(ACTIVITY_SERVICE_DONE, 0, 1, 0);
	ck_assert_int_gt(read(w.fallback[0], line, sizeof(line)), 0);
	w.journal = bind_journal(path);
	(void)airs_system_run(w.system, airs_system_now(w.system) + 2 * USEC_PER_SEC);
	write_records(ACTIVITY_SERVICE_DONE, 1, 1, 0);
	ck_assert_ptr_nonnull(next_datagram());
	/* And one that goes is left. */
	(void)close(w.journal);
	write_records(ACTIVITY_SERVICE_DONE, 2, 1, 0);
	ck_assert_int_gt(read(w.fallback[0], line, sizeof(line)), 0);
	ask();
	ck_assert_uint_eq(w.counts.written, 3);
	ck_assert_uint_eq(w.counts.lost, 0);
	airs_system_free(w.system);
}
END_TEST

START_TEST(full_journal_loses_nothing_that_the_ring_holds)
{
	const char *path = test_path(test_folder(), "journal");
	struct seen seen = { 0 };

	w.journal = bind_journal(path);
	start(path, 0, 0);
	write_records(ACTIVITY_SERVICE_DONE, 0, 1000, 0);
	ask();
	ck_assert_uint_gt(w.counts.waiting, 0);
	drain_all(&seen);
	ck_assert_uint_eq(seen.records, 1000);
	ck_assert_uint_eq(seen.lost, 0);
	airs_system_free(w.system);
}
END_TEST

START_TEST(what_is_lost_is_counted_exactly)
{
	const char *path = test_path(test_folder(), "journal");
	struct seen seen = { 0 };

	w.journal = bind_journal(path);
	start(path, 8192, 0);
	for (int i = 0; i < 20; i++) {
		write_records(ACTIVITY_SERVICE_DONE, 0, 500, 0);
		if (i % 3 == 0)
			drain(&seen);
	}
	drain_all(&seen);
	ck_assert_uint_gt(seen.lost, 0);
	ck_assert_uint_eq(seen.records + seen.lost, 20 * 500);
	ask();
	ck_assert_uint_eq(w.counts.lost, seen.lost);
	airs_system_free(w.system);
}
END_TEST

START_TEST(what_a_full_mailbox_refuses_is_counted_too)
{
	const char *path = test_path(test_folder(), "journal");
	struct seen seen = { 0 };

	w.journal = bind_journal(path);
	start(path, 0, 50);
	write_records(ACTIVITY_SERVICE_DONE, 0, 5000, 0);
	write_records(ACTIVITY_SERVICE_DONE, 0, 1, 0);
	drain_all(&seen);
	ck_assert_uint_gt(seen.lost, 0);
	ck_assert_uint_eq(seen.records + seen.lost, 5001);
	airs_system_free(w.system);
}
END_TEST

START_TEST(warnings_are_lost_last)
{
	const char *path = test_path(test_folder(), "journal");
	struct seen seen = { 0 };

	w.journal = bind_journal(path);
	start(path, 20000, 0);
	write_records(ACTIVITY_SERVICE_DONE, 0, 200, 0);
	write_records(ACTIVITY_SERVICE_FAILED, 0, 20, 0);
	write_records(ACTIVITY_SERVICE_DONE, 0, 2000, 0);
	drain_all(&seen);
	ck_assert_uint_gt(seen.lost, 0);
	ck_assert_uint_eq(seen.warnings, 20);
	ck_assert_uint_eq(seen.records + seen.lost, 2220);
	airs_system_free(w.system);
}
END_TEST

START_TEST(full_standard_error_does_not_block)
{
	char buffer[4096];
	uint64_t lines = 0;
	ssize_t n;

	start("", 100000, 0);
	write_records(ACTIVITY_SERVICE_DONE, 0, 20000, 0);
	ask();
	ck_assert_uint_gt(w.counts.waiting, 0);
	ck_assert_uint_gt(w.counts.lost, 0);
	do {
		while ((n = read(w.fallback[0], buffer, sizeof(buffer))) > 0)
			for (ssize_t i = 0; i < n; i++)
				lines += buffer[i] == '\n';
		run();
		ask();
	} while (w.counts.waiting > 0);
	ck_assert_uint_eq(w.counts.written + w.counts.lost, 20000);
	ck_assert_uint_gt(lines, 0);
	airs_system_free(w.system);
}
END_TEST

START_TEST(large_record_goes_by_a_memory_file)
{
	const char *path = test_path(test_folder(), "journal");
	auto_free char *text = NULL;
	char nothing[16];
	int fds[1] = { -1 };
	size_t n_fds = 0, size;

	w.journal = bind_journal(path);
	start(path, 0, 0);
	write_records(ACTIVITY_SERVICE_FAILED, 0, 1, 300000);
	ck_assert_int_eq(fd_receive(w.journal, nothing, sizeof(nothing), fds, 1, &n_fds),
			0);
	ck_assert_uint_eq(n_fds, 1);
	ck_assert_int_eq(memfd_is_sealed(fds[0]), 1);
	ck_assert_int_eq(fd_read_all(fds[0], 1 << 24, &text, &size), 0);
	ck_assert_uint_gt(size, 600000); /* in MESSAGE and in the detail */
	ck_assert_int_eq(strncmp(text, "MESSAGE=db has failed: killed (xxx", 34), 0);
	ck_assert_ptr_nonnull(strstr(text, "\nAIRSSYS_INSTANCE=/run/here\n"));
	airs_system_free(w.system);
}
END_TEST

START_TEST(what_waits_at_the_end_is_written_as_far_as_it_goes)
{
	struct airs_reason shutdown = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, NULL);
	char buffer[256];

	start("", 0, 0);
	write_records(ACTIVITY_TREE_DOWN, 0, 1, 0);
	airs_system_exit_signal(w.system, w.writer, &shutdown);
	run();
	ck_assert_int_gt(read(w.fallback[0], buffer, sizeof(buffer)), 0);
	airs_system_free(w.system);
}
END_TEST

/* A journald of our own in a private folder (environment variables move all its paths).
 */

static pid_t start_journald(const char *folder)
{
	auto_free char *run_dir = text_format("%s/run", folder);
	auto_free char *logs_dir = text_format("%s/logs", folder);
	auto_free char *run_env = text_format("RUNTIME_DIRECTORY=%s", run_dir);
	auto_free char *logs_env = text_format("LOGS_DIRECTORY=%s", logs_dir);
	char program[] = "/lib/systemd/systemd-journald", name[] = "airssystest";
	char *const argv[] = { program, name, NULL };
	char *const envp[] = { run_env, logs_env, NULL };
	pid_t pid;

	ck_assert_int_eq(mkdir(run_dir, 0700), 0);
	ck_assert_int_eq(mkdir(logs_dir, 0700), 0);
	ck_assert_int_eq(posix_spawn(&pid, program, NULL, NULL, argv, envp), 0);
	return pid;
}

/* Wait until the condition holds, at most ten seconds. */
#define WAIT_FOR(condition)                                                              \
	do {                                                                             \
		int tries_ = 0;                                                          \
		while (!(condition) && tries_++ < 2000)                                  \
			(void)poll(NULL, 0, 5);                                          \
		ck_assert(condition);                                                    \
	} while (0)

/* The output of journalctl over that folder. */
static char *read_journal(const char *folder)
{
	auto_free char *directory = text_format("--directory=%s/logs", folder);
	char program[] = "journalctl", format[] = "--output=json", pager[] = "--no-pager",
	     match[] = "SYSLOG_IDENTIFIER=airssys", quiet[] = "--quiet";
	char *const argv[] = { program, directory, format, pager, quiet, match, NULL };
	char *const envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	auto_text out = { 0 };
	char buffer[4096];
	int pipe_fds[2], status;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
	ck_assert_int_eq(posix_spawnp(&pid, program, &actions, NULL, argv, envp), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(pipe_fds[1]);
	while ((n = read(pipe_fds[0], buffer, sizeof(buffer))) > 0)
		text_append_n(&out, buffer, (size_t)n);
	(void)close(pipe_fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	text_append(&out, "");
	return text_take(&out);
}

START_TEST(real_journal_keeps_every_field)
{
	const char *folder = test_folder();
	auto_free char *socket_path = text_format("%s/run/socket", folder);
	auto_free char *file = text_format("%s/logs/system.journal", folder);
	auto_free char *synced = text_format("%s/run/synced", folder);
	auto_free char *json = NULL;
	pid_t pid;
	int status;

	if (access("/lib/systemd/systemd-journald", X_OK) < 0 || getuid() != 0)
		return; /* nothing to test against */
	pid = start_journald(folder);
	WAIT_FOR(access(socket_path, F_OK) == 0 && access(file, F_OK) == 0);
	start(socket_path, 0, 0);
	write_records(ACTIVITY_SERVICE_FAILED, 7, 1, 0);
	write_records(ACTIVITY_SERVICE_FAILED, 8, 1, 300000);
	ck_assert_int_eq(kill(pid, SIGRTMIN + 1), 0);
	WAIT_FOR(access(synced, F_OK) == 0);
	json = read_journal(folder);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_ptr_nonnull(
			strstr(json, "\"MESSAGE\":\"db has failed: killed (#7).\""));
	ck_assert_ptr_nonnull(strstr(json, "\"MESSAGE_ID\":\"" TEST_FAILED_ID "\""));
	ck_assert_ptr_nonnull(strstr(json, "\"AIRSSYS_UNIT\":\"db\""));
	ck_assert_ptr_nonnull(strstr(json, "\"AIRSSYS_EVENT\":\"service-failed\""));
	ck_assert_ptr_nonnull(strstr(strstr(json, "\n"), "\"AIRSSYS_UNIT\":\"db\""));
	airs_system_free(w.system);
}
END_TEST

TEST_MAIN("activity-writer", record_arrives_with_all_its_fields,
		without_a_journal_lines_are_written, journal_that_comes_back_is_found,
		full_journal_loses_nothing_that_the_ring_holds,
		what_is_lost_is_counted_exactly,
		what_a_full_mailbox_refuses_is_counted_too, warnings_are_lost_last,
		full_standard_error_does_not_block, large_record_goes_by_a_memory_file,
		what_waits_at_the_end_is_written_as_far_as_it_goes,
		real_journal_keeps_every_field)
