/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/procid.h"
#include "bed.h"
#include "support/test.h"

/*
 * A new keeper takes over what the last one has started, and never a stranger: a process
 * is its number, its start time and the boot.
 */

static struct bed bed;
static struct reply reply;

#define SLEEP "[Service]\nExecStart=/bin/sleep 1000\n"

/* Nothing that lives is the unit's: a signal to it finds nobody. */
static void expect_nobody(const char *unit)
{
	bed_signal(&bed, unit, PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_FAILED, &reply);
	ck_assert_int_eq(reply.message.error, ESRCH);
}

static int64_t now_ticks(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	return now.tv_sec * 100 + now.tv_nsec / 10000000;
}

/* Numbers are not used again so soon that two processes are born in one tick. */
static void pass_a_tick(void)
{
	int64_t begun = now_ticks();

	while (now_ticks() < begun + 2)
		(void)sched_yield();
}

START_TEST(stranger_with_a_number_used_again_is_not_adopted)
{
	pid_t pid, stranger;
	int status;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	pass_a_tick();
	bed_kill_keeper(&bed);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	bed_await_gone(pid);
	stranger = bed_become_stranger(pid);
	if (stranger == 0)
		return; /* only root may choose a number */
	ck_assert_int_eq(stranger, pid);
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	bed_await(&bed, PROTOCOL_PROCESS, &reply);
	ck_assert_int_eq(reply.message.pid, pid);
	ck_assert_uint_eq(reply.message.state, PROTOCOL_ENDED_UNKNOWN);
	bed_await(&bed, PROTOCOL_ADOPTED, &reply);
	expect_nobody("one");
	bed_stop(&bed);
	ck_assert_int_eq(waitpid(stranger, &status, WNOHANG), 0);
	ck_assert_int_eq(kill(stranger, SIGKILL), 0);
	ck_assert_int_eq(waitpid(stranger, &status, 0), stranger);
}
END_TEST

/* Makes the state file that of another boot: its first record holds the id. */
static void move_state_to_another_boot(void)
{
	const char *path = test_path(bed.runtime, "state/log");
	char boot_id[BOOT_ID_SIZE], *data, *at;
	size_t size, length;
	uint32_t sum = 2166136261u;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(boot_id_get(boot_id), 0);
	ck_assert_int_eq(file_read(path, 1024 * 1024, &data, &size), 0);
	at = memmem(data, size, boot_id, strlen(boot_id));
	ck_assert_ptr_nonnull(at);
	*at = *at == '0' ? '1' : '0';
	length = (uint8_t)data[0] | (size_t)(uint8_t)data[1] << 8;
	ck_assert_uint_lt((size_t)(at - data), 8 + length);
	for (size_t i = 8; i < 8 + length; i++)
		sum = (sum ^ (uint8_t)data[i]) * 16777619u;
	for (int i = 0; i < 4; i++)
		data[4 + i] = (char)(sum >> 8 * i);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, data, size), 0);
	close_fd(fd);
	free(data);
}

START_TEST(nothing_is_taken_for_ended_because_descriptors_run_out)
{
	pid_t pids[60];
	int status;

	bed_init(&bed);
	for (int i = 0; i < 60; i++)
		bed_add_unit(&bed, test_format("s%d", i), SLEEP);
	bed_start(&bed, NULL);
	for (int i = 0; i < 60; i++)
		pids[i] = bed_spawn_main(&bed, test_format("s%d", i));
	bed_kill_keeper(&bed);
	bed.max_files = 40;
	bed_launch(&bed, NULL);
	status = bed_wait_keeper(&bed);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	ck_assert_ptr_nonnull(strstr(bed_output(&bed), "cannot be watched"));
	bed.max_files = 0;
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	for (int lives = 0; lives < 60;) {
		bed_receive(&bed, &reply);
		ck_assert_int_ne(reply.message.type, PROTOCOL_ADOPTED);
		lives += reply.message.type == PROTOCOL_PROCESS &&
				reply.message.state == PROTOCOL_LIVES;
	}
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(kill(pids[i], 0), 0);
	bed_stop(&bed);
}
END_TEST

START_TEST(process_of_another_boot_is_not_adopted)
{
	pid_t pid;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	bed_kill_keeper(&bed);
	move_state_to_another_boot();
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	do {
		bed_receive(&bed, &reply);
		ck_assert_int_ne(reply.message.type, PROTOCOL_PROCESS);
	} while (reply.message.type != PROTOCOL_ADOPTED);
	ck_assert_ptr_null(strstr(bed_output(&bed), "damaged"));
	expect_nobody("one");
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	bed_await_gone(pid);
	bed_stop(&bed);
}
END_TEST

TEST_MAIN("identity", stranger_with_a_number_used_again_is_not_adopted,
		nothing_is_taken_for_ended_because_descriptors_run_out,
		process_of_another_boot_is_not_adopted)
