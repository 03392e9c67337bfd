/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The activity log and a systemd-journald of the test's own, in a private folder: two
 * environment variables and a name move all its paths, and it needs no privilege.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "airssys/airssys.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "support/test.h"
#include "world.h"

#define FAILED_ID "07fbad49f7b44e83b8525a4f512124e8"

static const char *const programs[] = { "/usr/lib/systemd/systemd-journald",
	"/lib/systemd/systemd-journald" };

static const char *find_journald(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	return NULL;
}

static struct journald {
	const char *folder, *socket;
	pid_t pid;
} j;

/* Wait until the condition holds, at most ten seconds. */
#define WAIT_FOR(condition)                                                              \
	do {                                                                             \
		int tries_ = 0;                                                          \
		while (!(condition) && tries_++ < 2000)                                  \
			(void)poll(NULL, 0, 5);                                          \
		ck_assert(condition);                                                    \
	} while (0)

static void make_folders(void)
{
	j.folder = test_folder();
	j.socket = test_path(j.folder, "run/socket");
	ck_assert_int_eq(mkdir(test_path(j.folder, "run"), 0700), 0);
	ck_assert_int_eq(mkdir(test_path(j.folder, "logs"), 0700), 0);
}

/* It has come so far that the signal which asks for a sync does not end it. */
static bool awaits_signals(void)
{
	auto_free char *path = text_format("/proc/%d/status", j.pid);
	auto_free char *status = NULL;
	const char *blocked;
	size_t size;

	ck_assert_ptr_nonnull(path);
	if (file_read(path, 65536, &status, &size) < 0)
		return false;
	blocked = strstr(status, "\nSigBlk:");
	return blocked &&
			strtoull(blocked + strlen("\nSigBlk:"), NULL, 16) >> SIGRTMIN &
			1; /* SIGRTMIN + 1 is bit SIGRTMIN */
}

static void start_journald(void)
{
	char *program = test_format("%s", find_journald()), name[] = "airssystest";
	char *run_env = test_format("RUNTIME_DIRECTORY=%s/run", j.folder);
	char *logs_env = test_format("LOGS_DIRECTORY=%s/logs", j.folder);
	char *const argv[] = { program, name, NULL };
	char *const envp[] = { run_env, logs_env, NULL };
	posix_spawn_file_actions_t actions;

	(void)unlink(j.socket);
	ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
	ck_assert_int_eq(posix_spawn_file_actions_addopen(
					 &actions, STDERR_FILENO, "/dev/null", 1, 0),
			0);
	ck_assert_int_eq(posix_spawn(&j.pid, program, &actions, NULL, argv, envp), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	WAIT_FOR(access(j.socket, F_OK) == 0 && awaits_signals() &&
			access(test_path(j.folder, "logs/system.journal"), F_OK) == 0);
}

/* Everything that it has been sent is in its file then. */
static void sync_journald(void)
{
	const char *synced = test_path(j.folder, "run/synced");

	(void)unlink(synced);
	ck_assert_int_eq(kill(j.pid, SIGRTMIN + 1), 0);
	WAIT_FOR(access(synced, F_OK) == 0);
}

static void stop_journald(void)
{
	int status;

	ck_assert_int_eq(kill(j.pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(j.pid, &status, 0), j.pid);
}

/* Our records there, one object in a line. */
static char *read_journal(void)
{
	char *directory = test_format("--directory=%s/logs", j.folder);
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

	sync_journald();
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
	ck_assert_int_eq(status, 0);
	text_append(&out, "");
	return test_keep(text_take(&out));
}

/* Records in the journal, and how many of them say that others are missing. */
struct seen {
	uint64_t records, lost;
};

static struct seen count_journal(void)
{
	struct seen seen = { 0 };
	char *rest = read_journal(), *line;
	const char *count;

	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		count = strstr(line, "\"AIRSSYS_COUNT\":\"");
		if (count && strstr(line, "\"AIRSSYS_EVENT\":\"records-lost\""))
			seen.lost += strtoull(count + 17, NULL, 10);
		else
			seen.records++;
	}
	return seen;
}

static void await_written(void)
{
	for (int tries = 0; tries < 5000; tries++) {
		world_run();
		world_ask();
		if (w.counts.waiting == 0)
			return;
		(void)poll(NULL, 0, 2);
	}
	ck_abort_msg("records still wait");
}

static uint64_t count_lines(void)
{
	char buffer[4096];
	uint64_t lines = 0;
	ssize_t n;

	while ((n = read(w.fallback[0], buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += buffer[i] == '\n';
	return lines;
}

START_TEST(every_field_is_kept)
{
	const char *json;

	make_folders();
	start_journald();
	world_start(j.socket, 0, 0);
	world_write(ACTIVITY_SERVICE_FAILED, 7, 1, 0);
	world_write(ACTIVITY_SERVICE_FAILED, 8, 1, 300000);
	json = read_journal();
	stop_journald();
	ck_assert_ptr_nonnull(
			strstr(json, "\"MESSAGE\":\"db has failed: killed (#7).\""));
	ck_assert_ptr_nonnull(strstr(json, "\"MESSAGE_ID\":\"" FAILED_ID "\""));
	ck_assert_ptr_nonnull(strstr(json, "\"AIRSSYS_UNIT\":\"db\""));
	ck_assert_ptr_nonnull(strstr(json, "\"AIRSSYS_INSTANCE\":\"/run/here\""));
	ck_assert_ptr_nonnull(strstr(json, "\"AIRSSYS_EVENT\":\"service-failed\""));
	ck_assert_ptr_nonnull(strstr(strstr(json, "\n"), "\"AIRSSYS_UNIT\":\"db\""));
	airs_system_free(w.system);
}
END_TEST

START_TEST(journal_that_stops_makes_nobody_wait_and_gets_the_rest_later)
{
	struct seen seen;

	make_folders();
	start_journald();
	world_start(j.socket, 64 * 1024, 0);
	world_write(ACTIVITY_SERVICE_DONE, 0, 10, 0);
	await_written();
	ck_assert_int_eq(kill(j.pid, SIGSTOP), 0);
	world_write(ACTIVITY_SERVICE_DONE, 10, 1500, 0);
	world_ask();
	ck_assert_uint_gt(w.counts.waiting, 0);
	ck_assert_uint_gt(w.counts.lost, 0);
	ck_assert_int_eq(kill(j.pid, SIGCONT), 0);
	await_written();
	seen = count_journal();
	stop_journald();
	ck_assert_uint_eq(seen.records, w.counts.written);
	ck_assert_uint_eq(seen.lost, w.counts.lost);
	ck_assert_uint_eq(seen.records + seen.lost, 1510);
	ck_assert_uint_eq(count_lines(), 0);
	airs_system_free(w.system);
}
END_TEST

START_TEST(journal_that_is_restarted_gets_what_comes_then)
{
	struct seen seen;

	make_folders();
	start_journald();
	world_start(j.socket, 0, 0);
	world_write(ACTIVITY_SERVICE_DONE, 0, 100, 0);
	await_written();
	sync_journald();
	stop_journald();
	world_write(ACTIVITY_SERVICE_DONE, 100, 50, 0);
	ck_assert_uint_eq(count_lines(), 50);
	start_journald();
	(void)airs_system_run(w.system, airs_system_now(w.system) + 2 * USEC_PER_SEC);
	world_write(ACTIVITY_SERVICE_DONE, 150, 100, 0);
	await_written();
	seen = count_journal();
	stop_journald();
	ck_assert_uint_eq(seen.records, 200);
	ck_assert_uint_eq(w.counts.written, 250);
	ck_assert_uint_eq(w.counts.lost, 0);
	ck_assert_uint_eq(w.counts.journal, 1);
	airs_system_free(w.system);
}
END_TEST

int main(void)
{
	static const TTest *tests[3];

	if (!find_journald() || access("/usr/bin/journalctl", X_OK) < 0) {
		puts("1..0 # SKIP systemd-journald or journalctl is not installed");
		return EXIT_SUCCESS;
	}
	tests[0] = every_field_is_kept;
	tests[1] = journal_that_stops_makes_nobody_wait_and_gets_the_rest_later;
	tests[2] = journal_that_is_restarted_gets_what_comes_then;
	return test_run("journald", tests, ARRAY_SIZE(tests));
}
