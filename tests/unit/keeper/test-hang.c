/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/near.h"
#include "base/text.h"
#include "bed.h"
#include "support/test.h"

/*
 * What never answers holds up nobody: a file system that is served by a program which does
 * not serve it, and a parent that does not wait for its children.
 */

static struct bed bed;
static struct reply reply;

#define SLEEP "[Service]\nExecStart=/bin/sleep 1000\n"

/* Mounts are seen by this test and its children only from now on. */
static bool hide_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Mount a file system on folder whose server never says a word. False when this machine
 * does not allow it. */
static bool mount_silent(const char *folder)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	return fd >= 0 &&
			mount("silent", folder, "fuse", MS_NOSUID,
					test_format("fd=%d,rootmode=40000,user_id=0,group_id=0",
							fd)) == 0;
}

/* Starts it, and does not wait for an answer. */
static void ask_to_spawn(const char *unit)
{
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_SPAWN,
					.unit = unit,
					.kind = UNIT_EXEC_START });
}

/* False when nothing can be tested here. */
static bool start_with_silent(void)
{
	const char *folder;

	bed_init(&bed);
	folder = test_path(bed.folder, "silent");
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	if (!hide_mounts() || !mount_silent(folder))
		return false;
	bed_add_unit(&bed, "program",
			test_format("[Service]\nExecStart=%s/program\n", folder));
	bed_add_unit(&bed, "folder", test_format(SLEEP "WorkingDirectory=%s\n", folder));
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	return true;
}

START_TEST(program_on_a_silent_file_system_holds_up_nobody)
{
	if (!start_with_silent())
		return;
	ask_to_spawn("program");
	ask_to_spawn("folder");
	(void)bed_spawn_main(&bed, "one");
	bed_signal(&bed, "program", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_DONE, &reply);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	ck_assert_str_eq(reply.message.unit, "program");
	bed_stop(&bed);
}
END_TEST

START_TEST(new_core_is_greeted_while_a_start_hangs)
{
	if (!start_with_silent())
		return;
	ask_to_spawn("program");
	(void)bed_spawn_main(&bed, "one");
	bed_kill_core(&bed);
	bed_meet_core(&bed);
	bed_await(&bed, PROTOCOL_ADOPTED, &reply);
	(void)bed_spawn_main(&bed, "one");
	bed_stop(&bed);
}
END_TEST

START_TEST(near_is_what_the_kernel_knows_on_a_file_system_of_its_own)
{
	const char *folder = test_path(test_folder(), "folder");
	const char *link = test_path(test_folder(), "link");
	bool is_hidden = hide_mounts();
	struct near near = { 0 };

	ck_assert_int_eq(mkdir(folder, 0755), 0);
	ck_assert(near_has(&near, NULL));
	ck_assert(near_has(&near, folder));
	/* The kernel never has these names ready, and nobody has to be asked. */
	ck_assert(near_has(&near, "/proc/self/status"));
	ck_assert(near_has(&near, "/proc/self/none"));
	ck_assert_int_ne(access(test_path(folder, "none"), F_OK), 0);
	ck_assert(near_has(&near, test_path(folder, "none/below")));
	ck_assert_int_eq(symlink(test_path(folder, "program"), link), 0);
	ck_assert(near_has(&near, link));
	if (is_hidden && mount_silent(folder)) {
		/* The table of mounts has changed since it was read. */
		ck_assert(!near_has(&near, folder));
		ck_assert(!near_has(&near, test_path(folder, "none")));
		ck_assert(!near_has(&near, link));
		ck_assert_int_eq(umount2(folder, MNT_DETACH), 0);
		ck_assert(near_has(&near, folder));
	}
	near_fini(&near);
}
END_TEST

/* A service that a keeper leaves to this test, which is its parent from then on. */
static pid_t leave_to_us(void)
{
	pid_t pid;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	bed_init(&bed);
	bed_add_unit(&bed, "left", SLEEP);
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "left");
	bed_kill_keeper(&bed);
	bed_start(&bed, NULL);
	return pid;
}

/* It has ended, and its parent has not waited for it. */
static void end_unwaited(pid_t pid, int signo)
{
	siginfo_t info;

	ck_assert_int_eq(kill(pid, signo), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

START_TEST(status_of_an_adopted_process_needs_no_parent_that_waits)
{
	pid_t pid = leave_to_us();

	end_unwaited(pid, SIGTERM);
	bed_await(&bed, PROTOCOL_EXITED, &reply);
	ck_assert_int_eq(reply.message.pid, pid);
	ck_assert_uint_eq(reply.message.state, PROTOCOL_ENDED);
	ck_assert_int_eq(reply.message.code, CLD_KILLED);
	ck_assert_int_eq(reply.message.status, SIGTERM);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	bed_stop(&bed);
}
END_TEST

START_TEST(status_of_a_process_that_ended_without_a_keeper_is_found_while_it_can_be)
{
	pid_t pid = leave_to_us();

	bed_kill_keeper(&bed);
	end_unwaited(pid, SIGKILL);
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	bed_await(&bed, PROTOCOL_PROCESS, &reply);
	ck_assert_int_eq(reply.message.pid, pid);
	ck_assert_uint_eq(reply.message.state, PROTOCOL_ENDED);
	ck_assert_int_eq(reply.message.status, SIGKILL);
	bed_await(&bed, PROTOCOL_ADOPTED, &reply);
	bed_stop(&bed);
}
END_TEST

TEST_MAIN("hang", program_on_a_silent_file_system_holds_up_nobody,
		new_core_is_greeted_while_a_start_hangs,
		near_is_what_the_kernel_knows_on_a_file_system_of_its_own,
		status_of_an_adopted_process_needs_no_parent_that_waits,
		status_of_a_process_that_ended_without_a_keeper_is_found_while_it_can_be)
