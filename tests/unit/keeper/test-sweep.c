/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/text.h"
#include "bed.h"
#include "support/test.h"

/*
 * A stop of many services, in which a process beside the keeper removes the leaves of the
 * cgroup tree: what the core hears is the same, whatever becomes of that process. Where
 * there are no cgroups there is no such process, and the same is promised.
 */

#define MANY  48
#define SLEEP "[Service]\nExecStart=/bin/sleep 1000\n"

static struct bed bed;
static struct reply reply;
static char names[MANY][16];

static void start_many(void)
{
	bed_init(&bed);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "s%d", i);
		bed_add_unit(&bed, names[i], SLEEP "ExecStopPost=/bin/true\n");
	}
	bed_add_shell(&bed, "leaves",
			"(trap : TERM; echo on >$PWD/left; while :; do sleep 1; done) & "
			"while [ ! -s $PWD/left ]; do sleep 0.01; done; exec sleep 1000",
			test_format("WorkingDirectory=%s\n", bed.folder));
	bed_start(&bed, NULL);
	for (int i = 0; i < MANY; i++)
		(void)bed_spawn_main(&bed, names[i]);
}

static void begin_stop(void)
{
	ck_assert_int_eq(kill(bed.keeper, SIGTERM), 0);
	bed_await(&bed, PROTOCOL_STOP, &reply);
}

static void end_stop(void)
{
	int status;

	(void)bed_send(&bed, (struct protocol_message){ .type = PROTOCOL_DOWN });
	bed.core_fd = close_fd(bed.core_fd);
	status = bed_wait_keeper(&bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d: %s", status,
			bed_output(&bed));
}

static void signal_some(int count, int signo)
{
	for (int i = 0; i < count; i++)
		bed_signal(&bed, names[i], PROTOCOL_ALL, signo);
}

static void signal_many(int signo)
{
	signal_some(MANY, signo);
}

/* Each of them ends, says so, and leaves nothing. */
static void expect_ends(int count)
{
	int ended = 0, empty = 0;

	while (ended < count || empty < count) {
		bed_receive(&bed, &reply);
		ended += reply.message.type == PROTOCOL_EXITED;
		empty += reply.message.type == PROTOCOL_EMPTY;
	}
	ck_assert_int_eq(ended, count);
	ck_assert_int_eq(empty, count);
}

/* The keeper's child of that name; 0: none. */
static pid_t find_helper(void)
{
	const char *list =
			test_format("/proc/%d/task/%d/children", bed.keeper, bed.keeper);
	char *data, *comm, *rest, *word;
	pid_t pid, found = 0;
	size_t size;

	ck_assert_int_eq(file_read(list, 65536, &data, &size), 0);
	rest = data;
	while ((word = strsep(&rest, " "))) {
		if (parse_pid(word, &pid) < 0 ||
				file_read(test_format("/proc/%d/comm", pid), 64, &comm,
						&size) < 0)
			continue;
		if (strcmp(comm, "airssysd-sweep\n") == 0)
			found = pid;
		free(comm);
	}
	free(data);
	return found;
}

START_TEST(many_that_are_stopped_are_told_with_their_end)
{
	start_many();
	begin_stop();
	signal_many(SIGTERM);
	expect_ends(MANY);
	end_stop();
}
END_TEST

START_TEST(unit_that_leaves_a_process_is_empty_when_that_has_gone)
{
	pid_t pid;

	start_many();
	pid = bed_spawn_main(&bed, "leaves");
	(void)bed_await_file(test_path(bed.folder, "left"));
	begin_stop();
	signal_many(SIGTERM);
	expect_ends(MANY);
	bed_signal(&bed, "leaves", PROTOCOL_MAIN, SIGKILL);
	bed_await(&bed, PROTOCOL_DONE, &reply);
	bed_expect_exit(&bed, pid, CLD_KILLED, SIGKILL, &reply);
	bed_signal(&bed, "leaves", PROTOCOL_ALL, SIGTERM);
	bed_await(&bed, PROTOCOL_DONE, &reply);
	bed_expect_silence(&bed);
	bed_signal(&bed, "leaves", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	ck_assert_str_eq(reply.message.unit, "leaves");
	end_stop();
}
END_TEST

/* In the middle of it, too: a leaf that is being removed is made again. */
START_TEST(commands_after_the_end_run_during_the_removal)
{
	int spawned = 0, ended = 0;

	start_many();
	begin_stop();
	for (int i = 0; i < MANY; i++) {
		bed_signal(&bed, names[i], PROTOCOL_ALL, SIGKILL);
		(void)bed_send(&bed,
				(struct protocol_message){ .type = PROTOCOL_SPAWN,
						.unit = names[(i + MANY - 1) % MANY],
						.kind = UNIT_EXEC_STOP_POST });
	}
	while (spawned < MANY || ended < 2 * MANY) {
		bed_receive(&bed, &reply);
		spawned += reply.message.type == PROTOCOL_SPAWNED;
		ended += reply.message.type == PROTOCOL_EXITED;
		if (reply.message.type == PROTOCOL_FAILED)
			ck_assert_int_eq(reply.message.error, ESRCH);
	}
	end_stop();
}
END_TEST

START_TEST(stop_goes_on_when_the_helper_is_killed)
{
	pid_t helper;

	start_many();
	begin_stop();
	helper = find_helper();
	if (helper > 0)
		ck_assert_int_eq(kill(helper, SIGKILL), 0);
	signal_many(SIGTERM);
	expect_ends(MANY);
	end_stop();
}
END_TEST

START_TEST(stop_goes_on_when_the_helper_hangs)
{
	pid_t helper;

	start_many();
	begin_stop();
	helper = find_helper();
	if (helper > 0)
		ck_assert_int_eq(kill(helper, SIGSTOP), 0);
	signal_many(SIGTERM);
	expect_ends(MANY);
	end_stop();
	if (helper > 0)
		bed_await_gone(helper);
}
END_TEST

START_TEST(next_core_hears_of_ends_that_wait_for_the_helper)
{
	pid_t helper;
	int ended = 0;

	start_many();
	begin_stop();
	helper = find_helper();
	if (helper > 0)
		ck_assert_int_eq(kill(helper, SIGSTOP), 0);
	signal_some(MANY - 1, SIGTERM);
	for (int i = 0; i < MANY - 1; i++)
		bed_await(&bed, PROTOCOL_DONE, &reply);
	bed_kill_core(&bed);
	bed_meet_core(&bed);
	while (ended < MANY - 1) {
		bed_receive(&bed, &reply);
		if (reply.message.type == PROTOCOL_PROCESS)
			ended += reply.message.state == PROTOCOL_ENDED;
		else
			ended += reply.message.type == PROTOCOL_EXITED;
	}
	end_stop();
}
END_TEST

TEST_MAIN("sweep", many_that_are_stopped_are_told_with_their_end,
		unit_that_leaves_a_process_is_empty_when_that_has_gone,
		commands_after_the_end_run_during_the_removal,
		stop_goes_on_when_the_helper_is_killed,
		stop_goes_on_when_the_helper_hangs,
		next_core_hears_of_ends_that_wait_for_the_helper)
