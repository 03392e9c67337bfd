/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "service/notify.h"
#include "unit/service/fixture.h"

static int parse(const char *text, size_t size, struct notify_message *ret)
{
	static char buffer[NOTIFY_SIZE_MAX + 2];

	memcpy(buffer, text, size);
	return notify_parse(buffer, size, ret);
}

#define PARSE(text, ret) parse(text, sizeof(text) - 1, ret)

START_TEST(known_keys_are_understood)
{
	struct notify_message m;

	ck_assert_int_eq(PARSE("READY=1\nSTATUS=All well\nMAINPID=42\nERRNO=2\n"
			       "EXTEND_TIMEOUT_USEC=5000000\nWATCHDOG=1\nRELOADING=1\n"
			       "STOPPING=1\nX_UNKNOWN=what\n",
					 &m),
			0);
	ck_assert_uint_eq(m.flags,
			NOTIFY_READY | NOTIFY_STATUS | NOTIFY_MAINPID | NOTIFY_ERRNO |
					NOTIFY_EXTEND_TIMEOUT | NOTIFY_WATCHDOG |
					NOTIFY_RELOADING | NOTIFY_STOPPING);
	ck_assert_str_eq(m.status, "All well");
	ck_assert_int_eq(m.main_pid, 42);
	ck_assert_int_eq(m.error, 2);
	ck_assert_uint_eq(m.extend_timeout_usec, 5000000);
	ck_assert_int_eq(PARSE("WATCHDOG=trigger", &m), 0);
	ck_assert_uint_eq(m.flags, NOTIFY_WATCHDOG_TRIGGER);
}
END_TEST

START_TEST(empty_message_says_nothing)
{
	struct notify_message m;

	ck_assert_int_eq(PARSE("", &m), 0);
	ck_assert_uint_eq(m.flags, 0);
	ck_assert_int_eq(PARSE("\n\n", &m), 0);
	ck_assert_uint_eq(m.flags, 0);
}
END_TEST

START_TEST(one_bad_line_drops_the_message)
{
	static const char *const bad[] = { "READY=1\nnonsense", "READY=1\n=x", "READY=2",
		"READY=", "READY=1\nMAINPID=0", "MAINPID=-1", "MAINPID=1x", "ERRNO=-2",
		"ERRNO=99999", "STATUS=a\001b", "STATUS=\xff\xfe", "WATCHDOG=0",
		"EXTEND_TIMEOUT_USEC=-1" };
	struct notify_message m = { .flags = 77 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(parse(bad[i], strlen(bad[i]), &m) == -EBADMSG, "%s",
				bad[i]);
	ck_assert_int_eq(PARSE("READY=1\0STATUS=x", &m), -EBADMSG);
	ck_assert_uint_eq(m.flags, 77);
}
END_TEST

START_TEST(more_lines_than_allowed_drop_the_message)
{
	char text[3 * (NOTIFY_LINES_MAX + 1)];
	struct notify_message m;

	for (size_t i = 0; i <= NOTIFY_LINES_MAX; i++)
		memcpy(text + 3 * i, "A=\n", 3);
	ck_assert_int_eq(parse(text, 3 * NOTIFY_LINES_MAX, &m), 0);
	ck_assert_int_eq(parse(text, sizeof(text), &m), -EBADMSG);
}
END_TEST

static void make_socket(int fds[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
					 fds),
			0);
	ck_assert_int_eq(notify_enable(fds[0]), 0);
}

START_TEST(sender_is_named_by_the_kernel)
{
	char buffer[NOTIFY_SIZE_MAX + 1];
	struct notify_sender sender;
	int fds[2];

	make_socket(fds);
	ck_assert_int_eq(send(fds[1], "READY=1", 7, 0), 7);
	ck_assert_int_eq(notify_receive(fds[0], buffer, &sender), 7);
	ck_assert_int_eq(sender.pid, getpid());
	ck_assert_uint_eq(sender.uid, getuid());
	ck_assert_int_eq(notify_receive(fds[0], buffer, &sender), -EAGAIN);
	ck_assert_int_eq(send(fds[1], "", 0, 0), 0);
	ck_assert_int_eq(notify_receive(fds[0], buffer, &sender), 0);
}
END_TEST

START_TEST(message_that_is_too_long_is_consumed)
{
	char buffer[NOTIFY_SIZE_MAX + 1], large[NOTIFY_SIZE_MAX + 1];
	struct notify_sender sender;
	int fds[2];

	make_socket(fds);
	memset(large, 'x', sizeof(large));
	ck_assert_int_eq(send(fds[1], large, sizeof(large), 0), sizeof(large));
	ck_assert_int_eq(notify_receive(fds[0], buffer, &sender), -EMSGSIZE);
	ck_assert_int_eq(notify_receive(fds[0], buffer, &sender), -EAGAIN);
}
END_TEST

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(passed_descriptors_are_closed)
{
	char buffer[NOTIFY_SIZE_MAX + 1];
	struct notify_sender sender;
	int fds[2], passed[3], before;

	make_socket(fds);
	for (int i = 0; i < 3; i++)
		passed[i] = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(fd_send(fds[1], "FDSTORE=1", 9, passed, 3), 0);
	before = count_fds();
	ck_assert_int_eq(notify_receive(fds[0], buffer, &sender), 9);
	ck_assert_int_eq(count_fds(), before);
}
END_TEST

#define NOTIFY                                                                           \
	"[Service]\nType=notify\nExecStart=/bin/x\nTimeoutStartSec=10\nRestart=on-failure\n"

static int notify_end; /* the service's end */

/* The process of straw has our own pid, so that what we send comes from it. */
static struct world *notify_world(const char *text, pid_t pid)
{
	struct world *w = world_new(text);
	int fds[2];

	make_socket(fds);
	w->notify_fd = fds[0];
	notify_end = fds[1];
	w->next_pid = pid;
	return w;
}

static void say(struct world *w, const char *text)
{
	ck_assert_int_eq(send(notify_end, text, strlen(text), 0), (ssize_t)strlen(text));
	world_run(w);
}

START_TEST(notify_service_is_ready_when_it_says_so)
{
	struct world *w = notify_world(NOTIFY, getpid());

	world_start(w);
	world_expect(&w->told, "");
	ck_assert_str_eq(w->report.state, "starting");
	say(w, "READY=1\nSTATUS=Serving");
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.state, "running");
	ck_assert_str_eq(w->report.status_text, "Serving");
	world_free(w);
}
END_TEST

START_TEST(ready_that_comes_before_the_pid_is_known_counts)
{
	struct world *w = notify_world(NOTIFY, getpid());

	w->silent = true;
	world_start(w);
	ck_assert_int_eq(send(notify_end, "READY=1", 7, 0), 7);
	world_run(w);
	world_expect(&w->told, "");
	w->silent = false;
	world_run(w);
	world_expect(&w->told, "started; ");
	world_free(w);
}
END_TEST

START_TEST(stranger_is_not_believed)
{
	struct world *w = notify_world(NOTIFY, 100);

	world_start(w);
	say(w, "READY=1\nSTATUS=lies");
	world_expect(&w->told, "");
	ck_assert_ptr_null(w->report.status_text);
	world_advance(w, 11 * USEC_PER_SEC);
	ck_assert_str_eq(w->report.result, "timeout");
	world_free(w);
}
END_TEST

START_TEST(any_process_of_the_unit_is_believed_where_the_unit_allows_it)
{
	struct world *w = notify_world(NOTIFY "NotifyAccess=all\n", 100);

	world_start(w);
	world_expect(&w->asked, "ExecStart 0; ");
	say(w, "READY=1\nSTATUS=From a helper");
	world_expect(&w->asked, "OWNS; ");
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.status_text, "From a helper");
	/* Read again after the answer. */
	say(w, "STATUS=More");
	ck_assert_str_eq(w->report.status_text, "More");
	world_free(w);
}
END_TEST

START_TEST(stranger_is_not_believed_where_any_process_is_allowed)
{
	struct world *w = notify_world(NOTIFY "NotifyAccess=all\n", 100);

	w->owns_error = EPERM;
	world_start(w);
	say(w, "READY=1\nSTATUS=lies");
	world_expect(&w->told, "");
	ck_assert_ptr_null(w->report.status_text);
	w->owns_error = 0;
	say(w, "READY=1");
	world_expect(&w->told, "started; ");
	world_free(w);
}
END_TEST

START_TEST(words_keep_their_order_while_the_keeper_is_asked)
{
	struct world *w = notify_world(NOTIFY "NotifyAccess=all\n", 100);

	world_start(w);
	w->silent = true;
	ck_assert_int_eq(send(notify_end, "STATUS=one\nREADY=1", 18, 0), 18);
	say(w, "STATUS=two");
	world_expect(&w->told, "");
	w->silent = false;
	world_run(w);
	world_expect(&w->told, "started; ");
	ck_assert_str_eq(w->report.status_text, "two");
	world_free(w);
}
END_TEST

START_TEST(stop_while_the_keeper_is_asked_loses_nothing)
{
	struct world *w = notify_world(NOTIFY "NotifyAccess=all\n", 100);

	world_start(w);
	w->silent = true;
	say(w, "READY=1");
	world_stop(w);
	w->silent = false;
	world_run(w);
	ck_assert_ptr_nonnull(strstr(text_get(&w->told), "start failed: "));
	world_free(w);
}
END_TEST

/* What systemd-notify waits for. */
START_TEST(barrier_is_released_when_what_came_before_counts)
{
	struct world *w = notify_world(NOTIFY "NotifyAccess=all\n", 100);
	int barrier[2];
	char byte;

	ck_assert_int_eq(pipe2(barrier, O_CLOEXEC | O_NONBLOCK), 0);
	world_start(w);
	w->silent = true;
	ck_assert_int_eq(send(notify_end, "READY=1", 7, 0), 7);
	ck_assert_int_eq(fd_send(notify_end, "BARRIER=1", 9, &barrier[1], 1), 0);
	barrier[1] = close_fd(barrier[1]);
	world_run(w);
	ck_assert_int_eq(read(barrier[0], &byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	w->silent = false;
	world_run(w);
	world_expect(&w->told, "started; ");
	ck_assert_int_eq(read(barrier[0], &byte, 1), 0);
	close_fd(barrier[0]);
	world_free(w);
}
END_TEST

START_TEST(descriptors_to_keep_are_refused_and_the_rest_is_heard)
{
	struct world *w = notify_world(NOTIFY, getpid());
	int kept[2];
	char byte;

	ck_assert_int_eq(pipe2(kept, O_CLOEXEC | O_NONBLOCK), 0);
	world_start(w);
	ck_assert_int_eq(fd_send(notify_end, "FDSTORE=1\nREADY=1", 17, &kept[1], 1), 0);
	kept[1] = close_fd(kept[1]);
	world_run(w);
	world_expect(&w->told, "started; ");
	ck_assert_int_eq(read(kept[0], &byte, 1), 0);
	world_expect(&w->recorded, "notify-refused; ");
	ck_assert_int_eq(send(notify_end, "FDSTORE=1", 9, 0), 9);
	world_run(w);
	world_expect(&w->recorded, "");
	close_fd(kept[0]);
	world_free(w);
}
END_TEST

START_TEST(deadline_is_put_off_by_an_hour_at_most)
{
	struct world *w = notify_world(NOTIFY, getpid());

	world_start(w);
	say(w, "EXTEND_TIMEOUT_USEC=18446744073709551615");
	world_advance(w, 3599 * USEC_PER_SEC);
	world_expect(&w->told, "");
	world_advance(w, 2 * USEC_PER_SEC);
	ck_assert_str_eq(w->report.result, "timeout");
	world_free(w);
}
END_TEST

START_TEST(start_is_extended_on_request)
{
	struct world *w = notify_world(NOTIFY, getpid());

	world_start(w);
	world_advance(w, 9 * USEC_PER_SEC);
	say(w, "EXTEND_TIMEOUT_USEC=20000000");
	world_advance(w, 19 * USEC_PER_SEC);
	world_expect(&w->told, "");
	say(w, "READY=1");
	world_expect(&w->told, "started; ");
	world_free(w);
}
END_TEST

START_TEST(end_before_ready_is_a_failure_even_with_status_0)
{
	struct world *w = notify_world(NOTIFY, getpid());

	world_start(w);
	world_end(w, world_main(w), CLD_EXITED, 0);
	ck_assert_ptr_nonnull(strstr(text_get(&w->told), "start failed: "));
	ck_assert_str_eq(w->report.result, "protocol");
	world_free(w);
}
END_TEST

START_TEST(last_words_of_a_process_are_heard)
{
	struct world *w = notify_world(NOTIFY, getpid());

	world_start(w);
	say(w, "READY=1");
	ck_assert_int_eq(send(notify_end, "STATUS=Out of disk\nERRNO=28", 27, 0), 27);
	world_end(w, world_main(w), CLD_EXITED, 1);
	ck_assert_str_eq(w->report.status_text, "Out of disk");
	ck_assert_int_eq(w->report.failed_errno, ENOSPC);
	world_free(w);
}
END_TEST

START_TEST(words_of_an_earlier_run_do_not_count_for_the_next)
{
	struct world *w = notify_world(NOTIFY, getpid());

	world_start(w);
	say(w, "READY=1");
	world_end(w, world_main(w), CLD_EXITED, 1);
	text_clear(&w->told);
	ck_assert_int_eq(send(notify_end, "READY=1", 7, 0), 7);
	w->next_pid = getpid();
	world_start(w);
	world_expect(&w->told, "");
	say(w, "READY=1");
	world_expect(&w->told, "started; ");
	world_free(w);
}
END_TEST

START_TEST(reloading_and_stopping_show_in_the_state)
{
	struct world *w = notify_world(NOTIFY, getpid());

	world_start(w);
	say(w, "READY=1");
	say(w, "RELOADING=1");
	ck_assert_str_eq(w->report.state, "reloading");
	say(w, "READY=1");
	ck_assert_str_eq(w->report.state, "running");
	say(w, "STOPPING=1");
	ck_assert_str_eq(w->report.state, "stopping");
	world_free(w);
}
END_TEST

START_TEST(main_pid_is_taken_when_the_keeper_agrees)
{
	struct world *w = notify_world(NOTIFY, getpid());

	world_start(w);
	say(w, "READY=1\nMAINPID=4711");
	ck_assert_ptr_nonnull(strstr(text_get(&w->asked), "SET_MAIN 4711; "));
	ck_assert_int_eq(w->report.main_pid, 4711);
	world_free(w);
}
END_TEST

START_TEST(main_pid_that_the_keeper_refuses_changes_nothing)
{
	struct world *w = notify_world(NOTIFY, getpid());

	w->set_main_error = EPERM;
	world_start(w);
	say(w, "READY=1\nMAINPID=1");
	ck_assert_int_eq(w->report.main_pid, getpid());
	ck_assert_str_eq(w->report.state, "running");
	world_free(w);
}
END_TEST

START_TEST(silent_watchdog_ends_the_service)
{
	struct world *w = notify_world(NOTIFY "WatchdogSec=3\n", getpid());

	world_start(w);
	say(w, "READY=1");
	text_clear(&w->asked);
	for (int i = 0; i < 5; i++) {
		world_advance(w, 2 * USEC_PER_SEC);
		say(w, "WATCHDOG=1");
	}
	world_expect(&w->asked, "");
	world_advance(w, 4 * USEC_PER_SEC);
	world_expect(&w->asked, "SIGNAL all ABRT CONT; ACK 1; ");
	ck_assert_str_eq(w->report.result, "watchdog");
	ck_assert(!airs_reason_is_orderly(&w->reason));
	world_free(w);
}
END_TEST

START_TEST(watchdog_can_be_triggered)
{
	struct world *w = notify_world(NOTIFY "WatchdogSec=30\n", getpid());

	world_start(w);
	say(w, "READY=1");
	say(w, "WATCHDOG=trigger");
	ck_assert_str_eq(w->report.result, "watchdog");
	world_free(w);
}
END_TEST

START_TEST(flood_of_notifications_does_not_hold_up_the_stop)
{
	struct world *w = notify_world(NOTIFY, getpid());

	world_start(w);
	say(w, "READY=1");
	text_clear(&w->told);
	while (send(notify_end, "STATUS=flood", 12, MSG_DONTWAIT) == 12)
		;
	world_stop(w);
	world_expect(&w->told, "ended shutdown; ");
	world_free(w);
}
END_TEST

TEST_MAIN("notify", known_keys_are_understood, empty_message_says_nothing,
		one_bad_line_drops_the_message, more_lines_than_allowed_drop_the_message,
		sender_is_named_by_the_kernel, message_that_is_too_long_is_consumed,
		passed_descriptors_are_closed, notify_service_is_ready_when_it_says_so,
		ready_that_comes_before_the_pid_is_known_counts, stranger_is_not_believed,
		any_process_of_the_unit_is_believed_where_the_unit_allows_it,
		stranger_is_not_believed_where_any_process_is_allowed,
		words_keep_their_order_while_the_keeper_is_asked,
		stop_while_the_keeper_is_asked_loses_nothing,
		barrier_is_released_when_what_came_before_counts,
		descriptors_to_keep_are_refused_and_the_rest_is_heard,
		deadline_is_put_off_by_an_hour_at_most, start_is_extended_on_request,
		end_before_ready_is_a_failure_even_with_status_0,
		last_words_of_a_process_are_heard,
		words_of_an_earlier_run_do_not_count_for_the_next,
		reloading_and_stopping_show_in_the_state,
		main_pid_is_taken_when_the_keeper_agrees,
		main_pid_that_the_keeper_refuses_changes_nothing,
		silent_watchdog_ends_the_service, watchdog_can_be_triggered,
		flood_of_notifications_does_not_hold_up_the_stop)
