/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "bed.h"
#include "support/test.h"

/*
 * airssysd itself: its core, the manager above it, its command line and its folder.
 */

static struct bed bed;
static struct reply reply;

#define SLEEP "[Service]\nExecStart=/bin/sleep 1000\n"

static int listen_for_keeper(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = { .tv_sec = BED_PATIENCE_MSEC / 1000 };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
			0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
	return fd;
}

static void expect_said(int fd, const char *wanted)
{
	char text[1024];
	ssize_t n;

	do {
		n = recv(fd, text, sizeof(text) - 1, 0);
		ck_assert_msg(n >= 0, "nobody said %s", wanted);
		text[n] = '\0';
	} while (!strstr(text, wanted));
}

START_TEST(greets_the_core_with_files_control_socket_and_adopted)
{
	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_CONFIG);
	ck_assert_str_eq(reply.message.runtime_dir, bed.runtime);
	ck_assert_uint_eq(reply.n_fds, 2);
	ck_assert_int_eq(memfd_is_sealed(reply.fds[0]), 1);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_ADOPTED);
	bed_stop(&bed);
	ck_assert_int_ne(access(test_path(bed.runtime, "control"), F_OK), 0);
	ck_assert_int_ne(access(test_path(bed.runtime, "state"), F_OK), 0);
}
END_TEST

START_TEST(second_keeper_is_refused)
{
	struct bed second;
	int status;

	bed_init(&bed);
	bed_start(&bed, NULL);
	second = bed;
	bed_launch(&second, NULL);
	status = bed_wait_keeper(&second);
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	ck_assert_ptr_nonnull(strstr(bed_output(&bed), "another airssysd serves"));
	bed_stop(&bed);
}
END_TEST

START_TEST(strict_refuses_a_tree_with_mistakes)
{
	int status;

	bed_init(&bed);
	bed_add_unit(&bed, "bad", "[Service]\nExecStart=relative/path\n");
	bed_launch(&bed, "--strict");
	status = bed_wait_keeper(&bed);
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	ck_assert_ptr_nonnull(strstr(bed_output(&bed), "bad.actor:2"));
}
END_TEST

START_TEST(stop_is_done_when_the_core_dies_and_nothing_is_left)
{
	int status;

	bed_init(&bed);
	bed_start(&bed, NULL);
	ck_assert_int_eq(kill(bed.keeper, SIGTERM), 0);
	bed_await(&bed, PROTOCOL_STOP, &reply);
	bed_kill_core(&bed);
	status = bed_wait_keeper(&bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
}
END_TEST

START_TEST(core_cannot_speak_for_the_keeper)
{
	int fd;

	bed_init(&bed);
	fd = listen_for_keeper(test_path(bed.folder, "above"));
	bed_start(&bed, NULL);
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_STATUS,
					.text = "fine\nMAINPID=1" });
	expect_said(fd, "STATUS=fine MAINPID=1");
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_UP, .text = "up\nMAINPID=1" });
	expect_said(fd, "READY=1\nSTATUS=up MAINPID=1");
	bed_stop(&bed);
	close_fd(fd);
}
END_TEST

START_TEST(manager_above_hears_ready_reloading_and_stopping)
{
	int fd;

	bed_init(&bed);
	fd = listen_for_keeper(test_path(bed.folder, "above"));
	bed_start(&bed, NULL);
	(void)bed_send(&bed, (struct protocol_message){ .type = PROTOCOL_UP });
	expect_said(fd, "READY=1");
	ck_assert_ptr_nonnull(strstr(bed_output(&bed), "ready: 0 units, tree is up\n"));
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_STATUS, .text = "fine" });
	expect_said(fd, "STATUS=fine");
	ck_assert_int_eq(kill(bed.keeper, SIGHUP), 0);
	expect_said(fd, "RELOADING=1");
	expect_said(fd, "READY=1");
	bed_stop(&bed);
	expect_said(fd, "STOPPING=1");
}
END_TEST

START_TEST(core_that_does_not_answer_is_killed_and_started_again)
{
	pid_t first;
	int fd;

	bed_init(&bed);
	fd = listen_for_keeper(test_path(bed.folder, "above"));
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "400000", 1), 0);
	bed_start(&bed, NULL);
	first = bed.core;
	bed_await(&bed, PROTOCOL_PING, &reply);
	(void)bed_send(&bed, (struct protocol_message){ .type = PROTOCOL_PONG });
	bed_await(&bed, PROTOCOL_PING, &reply);
	expect_said(fd, "WATCHDOG=1");
	bed_await_gone(first);
	bed_meet_core(&bed);
	ck_assert_int_ne(bed.core, first);
	bed_stop(&bed);
}
END_TEST

START_TEST(readiness_reaches_the_core_through_the_notify_socket)
{
	char text[64] = "";

	bed_init(&bed);
	/* A path that a shell can send a datagram to needs a helper: python is not there.
	 */
	bed_add_unit(&bed, "one", SLEEP "Type=notify\n");
	bed_start(&bed, NULL);
	bed_spawn(&bed, "one", &reply);
	ck_assert_uint_eq(reply.n_fds, 1);
	{
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		(void)snprintf(address.sun_path, sizeof(address.sun_path),
				"%s/notify/one", bed.runtime);
		ck_assert_int_eq(sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&address,
						 sizeof(address)),
				7);
		close_fd(fd);
	}
	ck_assert_int_eq(recv(reply.fds[0], text, sizeof(text), 0), 7);
	ck_assert_str_eq(text, "READY=1");
	/* Passed with the first process only. */
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_spawn(&bed, "one", &reply);
	ck_assert_uint_eq(reply.n_fds, 0);
	bed_stop(&bed);
}
END_TEST

START_TEST(core_has_no_privileges)
{
	auto_free char *status = NULL;
	size_t size;

	bed_init(&bed);
	bed_start(&bed, NULL);
	ck_assert_int_eq(file_read(test_format("/proc/%d/status", bed.core), 8192,
					 &status, &size),
			0);
	ck_assert_ptr_nonnull(strstr(status, "NoNewPrivs:\t1\n"));
	if (geteuid() == 0) {
		ck_assert_ptr_nonnull(strstr(status, "CapEff:\t0000000000000000\n"));
		ck_assert_ptr_nonnull(strstr(status, "CapBnd:\t0000000000000000\n"));
		ck_assert_ptr_null(strstr(status, "Uid:\t0"));
	}
	bed_stop(&bed);
}
END_TEST

TEST_MAIN("keeper", greets_the_core_with_files_control_socket_and_adopted,
		second_keeper_is_refused, strict_refuses_a_tree_with_mistakes,
		stop_is_done_when_the_core_dies_and_nothing_is_left,
		core_cannot_speak_for_the_keeper,
		manager_above_hears_ready_reloading_and_stopping,
		core_that_does_not_answer_is_killed_and_started_again,
		readiness_reaches_the_core_through_the_notify_socket,
		core_has_no_privileges)
