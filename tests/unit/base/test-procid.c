/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/procid.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "support/test.h"

/* A child that waits for the end of a pipe; closing *ret_hold ends it. */
static pid_t start_child(int *ret_hold)
{
	int ends[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		close_fd(ends[1]);
		_exit(read(ends[0], &c, 1) == 0 ? 0 : 1);
	}
	ck_assert_int_gt(pid, 0);
	close_fd(ends[0]);
	*ret_hold = ends[1];
	return pid;
}

static void await_death(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	ck_assert_int_eq(poll(&p, 1, 30000), 1);
}

START_TEST(own_identity_is_stable)
{
	struct procid a, b;

	ck_assert_int_eq(procid_get(getpid(), &a), 0);
	ck_assert_int_eq(procid_get(getpid(), &b), 0);
	ck_assert_int_eq(a.pid, getpid());
	ck_assert_uint_gt(a.start_time, 0);
	ck_assert_uint_eq(a.start_time, b.start_time);
}
END_TEST

START_TEST(name_of_a_process_cannot_forge_its_fields)
{
	struct procid before, after;
	pid_t parent;

	ck_assert_int_eq(procid_get(getpid(), &before), 0);
	ck_assert_int_eq(prctl(PR_SET_NAME, ") S 1 1 1 (x"), 0);
	ck_assert_int_eq(procid_get(getpid(), &after), 0);
	ck_assert_uint_eq(before.start_time, after.start_time);
	ck_assert_int_eq(proc_parent(getpid(), &parent), 0);
	ck_assert_int_eq(parent, getppid());
}
END_TEST

START_TEST(identity_opens_its_process)
{
	struct procid id;
	int hold, pidfd = -1, status;
	pid_t pid = start_child(&hold), parent;

	ck_assert_int_eq(procid_get(pid, &id), 0);
	ck_assert_int_eq(proc_parent(pid, &parent), 0);
	ck_assert_int_eq(parent, getpid());
	ck_assert_int_eq(procid_open(&id, &pidfd), 0);
	ck_assert_int_eq(pidfd_signal(pidfd, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(pidfd_signal(pidfd, SIGKILL), -ESRCH);
	ck_assert_int_eq(procid_open(&id, &pidfd), -ESRCH);
	close_fd(pidfd);
	close_fd(hold);
}
END_TEST

START_TEST(number_of_another_process_is_not_opened)
{
	struct procid id;
	int pidfd = -1;

	ck_assert_int_eq(procid_get(getpid(), &id), 0);
	id.start_time++;
	ck_assert_int_eq(procid_open(&id, &pidfd), -ESRCH);
	ck_assert_int_eq(pidfd, -1);
}
END_TEST

START_TEST(own_zombie_is_opened_for_its_status)
{
	struct procid id;
	int hold, pidfd = -1, watch;
	pid_t pid = start_child(&hold);
	siginfo_t info;

	watch = pidfd_open_pid(pid);
	ck_assert_int_ge(watch, 0);
	close_fd(hold);
	await_death(watch);
	ck_assert_int_eq(procid_get(pid, &id), 0);
	ck_assert_int_eq(procid_open(&id, &pidfd), 0);
	ck_assert_int_eq(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	ck_assert_int_eq(info.si_pid, pid);
	close_fd(pidfd);
	close_fd(watch);
}
END_TEST

/* The zombie is kept by its parent, a child of ours that never reaps. */
START_TEST(zombie_of_another_parent_is_gone)
{
	struct procid id;
	int ends[2], hold, pidfd = -1;
	pid_t middle, zombie;

	ck_assert_int_eq(pipe(ends), 0);
	middle = fork();
	if (middle == 0) {
		zombie = start_child(&hold);
		close_fd(hold);
		hold = pidfd_open_pid(zombie);
		await_death(hold);
		ck_assert_int_eq(write(ends[1], &zombie, sizeof(zombie)), sizeof(zombie));
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ends[0], &zombie, sizeof(zombie)), sizeof(zombie));
	ck_assert_int_eq(procid_get(zombie, &id), 0);
	ck_assert_int_eq(procid_open(&id, &pidfd), -ESRCH);
	ck_assert_int_eq(kill(middle, SIGKILL), 0);
	ck_assert_int_eq(waitpid(middle, NULL, 0), middle);
}
END_TEST

START_TEST(status_of_a_zombie_is_told_until_it_was_waited_for)
{
	siginfo_t info;
	struct procid id;
	int hold, status = 0;
	pid_t pid = start_child(&hold);

	ck_assert_int_eq(procid_get(pid, &id), 0);
	ck_assert_int_eq(proc_zombie_status(&id, &status), -ESRCH);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(proc_zombie_status(&id, &status), 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	id.start_time++;
	ck_assert_int_eq(proc_zombie_status(&id, &status), -ESRCH);
	id.start_time--;
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(proc_zombie_status(&id, &status), -ESRCH);
	close_fd(hold);
}
END_TEST

/* The kernel says 0 to who may not know. */
START_TEST(status_of_a_strangers_zombie_is_refused_and_not_zero)
{
	siginfo_t info;
	struct procid id;
	int hold, status = 0;
	pid_t pid = start_child(&hold);

	if (geteuid() != 0)
		return; /* only root becomes a stranger */
	ck_assert_int_eq(procid_get(pid, &id), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert_int_eq(proc_zombie_status(&id, &status), -EACCES);
}
END_TEST

START_TEST(absent_processes_are_told)
{
	struct procid id;
	pid_t parent;
	int pidfd;

	/* Above the largest number that the kernel gives out: PID_MAX_LIMIT. */
	ck_assert_int_eq(procid_get(4194305, &id), -ESRCH);
	ck_assert_int_eq(procid_get(0, &id), -ESRCH);
	ck_assert_int_eq(procid_get(-1, &id), -ESRCH);
	ck_assert_int_eq(proc_parent(4194305, &parent), -ESRCH);
	id = (struct procid){ 4194305, 1 };
	ck_assert_int_eq(procid_open(&id, &pidfd), -ESRCH);
	id.pid = 0;
	ck_assert_int_eq(procid_open(&id, &pidfd), -ESRCH);
}
END_TEST

START_TEST(boot_has_one_identity)
{
	char a[BOOT_ID_SIZE], b[BOOT_ID_SIZE];

	ck_assert_int_eq(boot_id_get(a), 0);
	ck_assert_int_eq(boot_id_get(b), 0);
	ck_assert_uint_eq(strlen(a), 36);
	ck_assert_str_eq(a, b);
}
END_TEST

TEST_MAIN("procid", own_identity_is_stable, name_of_a_process_cannot_forge_its_fields,
		identity_opens_its_process, number_of_another_process_is_not_opened,
		own_zombie_is_opened_for_its_status, zombie_of_another_parent_is_gone,
		status_of_a_zombie_is_told_until_it_was_waited_for,
		status_of_a_strangers_zombie_is_refused_and_not_zero,
		absent_processes_are_told, boot_has_one_identity)
