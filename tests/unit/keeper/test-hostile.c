/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "bed.h"
#include "keeper/charge.h"
#include "support/test.h"

/*
 * A core that was taken over, and a service that means ill: what they ask for, and in what
 * numbers, takes nothing from the keeper that it owes the others.
 */

static struct bed bed;
static struct reply reply;

#define SLEEP "[Service]\nExecStart=/bin/sleep 1000\n"

/* SPAWN with a result that protocol_encode would refuse; as long as the word in its
 * place. */
static void spawn_with_result(const char *word, const char *result)
{
	const struct protocol_message m = { .type = PROTOCOL_SPAWN,
		.serial = bed.serial++,
		.unit = "one",
		.kind = UNIT_EXEC_STOP_POST,
		.text = word };
	uint8_t buffer[PROTOCOL_MESSAGE_MAX], *at;
	ssize_t n = protocol_encode(&m, buffer, sizeof(buffer));

	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(strlen(word), strlen(result));
	at = memmem(buffer, (size_t)n, word, strlen(word));
	ck_assert_ptr_nonnull(at);
	memcpy(at, result, strlen(result));
	bed_send_raw(&bed, buffer, (size_t)n);
}

START_TEST(words_of_the_core_are_no_shell_commands)
{
	const char *out;

	bed_init(&bed);
	out = test_path(bed.folder, "out");
	bed_add_unit(&bed, "one",
			test_format("[Service]\nExecStart=/bin/true\n"
				    "ExecStopPost=/bin/sh -c \"echo ${SERVICE_RESULT} >%s\"\n",
					out));
	bed_start(&bed, NULL);
	spawn_with_result("exit-code", "$(id -u);");
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	ck_assert_int_eq(reply.message.error, EBADMSG);
	ck_assert_int_ne(access(out, F_OK), 0);
	spawn_with_result("exit-code", "core-dump");
	ck_assert_str_eq(bed_await_file(out), "core-dump\n");
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

START_TEST(core_that_closes_its_link_and_stays_is_killed_and_started_again)
{
	pid_t first, service;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	service = bed_spawn_main(&bed, "one");
	first = bed.core;
	bed.link_fd = close_fd(bed.link_fd);
	bed_meet_core(&bed);
	ck_assert_int_ne(bed.core, first);
	ck_assert_int_ne(kill(first, 0), 0);
	bed_await(&bed, PROTOCOL_PROCESS, &reply);
	ck_assert_int_eq(reply.message.pid, service);
	bed_await(&bed, PROTOCOL_ADOPTED, &reply);
	bed_stop(&bed);
}
END_TEST

START_TEST(nonsense_of_a_core_is_told_once)
{
	const char *at;

	bed_init(&bed);
	bed_start(&bed, NULL);
	for (int i = 0; i < 50; i++) {
		bed_send_raw(&bed, "nonsense", 8);
		bed_receive(&bed, &reply);
		ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	}
	at = strstr(bed_output(&bed), "means nothing");
	ck_assert_ptr_nonnull(at);
	ck_assert_ptr_null(strstr(at + 1, "means nothing"));
	bed_stop(&bed);
}
END_TEST

/* Ask for what is refused and read no answer, until the keeper takes nothing more. */
static int ask_and_do_not_listen(int most)
{
	const struct protocol_message m = { .type = PROTOCOL_SIGNAL,
		.serial = 1,
		.unit = "nobody",
		.whom = PROTOCOL_ALL,
		.signal = SIGTERM };
	struct pollfd room = { .fd = bed.link_fd, .events = POLLOUT };
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	ssize_t size = protocol_encode(&m, buffer, sizeof(buffer));
	int n = 0, r;

	ck_assert_int_gt(size, 0);
	while (n < most) {
		r = fd_send(bed.link_fd, buffer, (size_t)size, NULL, 0);
		n += r == 0;
		if (r == -EAGAIN && poll(&room, 1, 500) == 0)
			break;
		ck_assert(r == 0 || r == -EAGAIN);
	}
	return n;
}

START_TEST(core_that_does_not_listen_is_not_listened_to)
{
	const int most = 200000;
	int n;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	n = ask_and_do_not_listen(most);
	ck_assert_int_lt(n, most);
	/* Nothing of what it said is lost. */
	for (; n > 0; n--) {
		bed_receive(&bed, &reply);
		ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	}
	(void)bed_spawn_main(&bed, "one");
	bed_stop(&bed);
}
END_TEST

/* The answer to SPAWN of ExecStart, whatever else comes before it. */
static bool can_spawn(const char *unit)
{
	bed_spawn(&bed, unit, &reply);
	if (reply.message.type == PROTOCOL_FAILED)
		ck_assert_int_eq(reply.message.error, EAGAIN);
	return reply.message.type == PROTOCOL_SPAWNED;
}

START_TEST(core_cannot_start_processes_without_end)
{
	int n = 0;

	bed_init(&bed);
	bed_add_unit(&bed, "one", "[Service]\nExecStart=/bin/true\n");
	bed_add_unit(&bed, "two", SLEEP);
	bed_start(&bed, NULL);
	/* The ends are never acknowledged. */
	while (n <= CHARGE_PROCESSES_MAX && can_spawn("one"))
		n++;
	ck_assert_int_eq(n, CHARGE_PROCESSES_MAX);
	ck_assert(can_spawn("two"));
	bed_stop(&bed);
}
END_TEST

static bool set_main(const char *unit, pid_t pid)
{
	uint64_t serial = bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_SET_MAIN,
					.unit = unit,
					.pid = pid });

	do {
		bed_receive(&bed, &reply);
	} while (reply.message.serial != serial);
	if (reply.message.type == PROTOCOL_FAILED)
		ck_assert_int_eq(reply.message.error, EAGAIN);
	return reply.message.type == PROTOCOL_SPAWNED;
}

/* A service with children, whose pids the file has in one line. */
static char *start_family(int n_children)
{
	const char *pids = test_path(bed.folder, "pids");

	bed_add_shell(&bed, "family",
			test_format("for i in $(seq %d); do sleep 1000 & l=\"$l $!\"; done; "
				    "echo $l >%s; wait",
					n_children, pids),
			"StandardOutput=null\n");
	bed_start(&bed, NULL);
	(void)bed_spawn_main(&bed, "family");
	return (char *)(uintptr_t)bed_await_file(pids);
}

START_TEST(service_has_no_endless_number_of_main_processes)
{
	char *rest, *word;
	int n = 0;
	pid_t pid;

	bed_init(&bed);
	rest = start_family(CHARGE_PROCESSES_MAX + 10);
	while ((word = strsep(&rest, " \n")) && parse_pid(word, &pid) == 0 &&
			set_main("family", pid))
		n++;
	ck_assert_int_eq(n, CHARGE_PROCESSES_MAX - 1);
	bed_signal(&bed, "family", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

START_TEST(main_process_that_changes_all_the_time_does_not_fill_the_disk)
{
	char *rest;
	struct stat st;
	pid_t one, two;

	bed_init(&bed);
	rest = start_family(2);
	ck_assert_int_eq(parse_pid(strsep(&rest, " \n"), &one), 0);
	ck_assert_int_eq(parse_pid(strsep(&rest, " \n"), &two), 0);
	for (int i = 0; i < 1000; i++) {
		ck_assert(set_main("family", one));
		ck_assert(set_main("family", two));
	}
	ck_assert_int_eq(stat(test_path(bed.runtime, "state/log"), &st), 0);
	ck_assert_int_lt(st.st_size, 128 * 1024);
	bed_signal(&bed, "family", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

/* The number behind key in /proc/PID/status. */
static long status_number(pid_t pid, const char *key)
{
	auto_free char *data = NULL;
	const char *at;
	size_t size;

	ck_assert_int_eq(file_read(test_format("/proc/%d/status", pid), 65536, &data,
					 &size),
			0);
	at = strstr(data, key);
	ck_assert_ptr_nonnull(at);
	return strtol(at + strlen(key), NULL, 10);
}

static void limit_descriptors(rlim_t limit)
{
	struct rlimit old, new;

	ck_assert_int_eq(prlimit(bed.keeper, RLIMIT_NOFILE, NULL, &old), 0);
	new = (struct rlimit){ limit == 0 ? old.rlim_max : limit, old.rlim_max };
	ck_assert_int_eq(prlimit(bed.keeper, RLIMIT_NOFILE, &new, NULL), 0);
}

START_TEST(lack_of_descriptors_makes_no_unit_empty)
{
	pid_t pid, left;

	bed_init(&bed);
	bed_add_shell(&bed, "one",
			test_format("setsid sleep 1000 & echo $! >%s/left; wait",
					bed.folder),
			"StandardOutput=null\n");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	ck_assert_int_eq(
			parse_pid(test_format("%.*s",
						  (int)strcspn(bed_await_file(test_path(
									       bed.folder,
									       "left")),
								  "\n"),
						  bed_await_file(test_path(
								  bed.folder, "left"))),
					&left),
			0);
	limit_descriptors(3);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	bed_await(&bed, PROTOCOL_EXITED, &reply);
	bed_expect_silence(&bed);
	ck_assert_int_eq(kill(left, SIGKILL), 0);
	bed_await_gone(left);
	bed_expect_silence(&bed);
	limit_descriptors(0);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

START_TEST(policy_is_not_refused_for_good_when_descriptors_run_out)
{
	bed_init(&bed);
	bed_add_unit(&bed, "one", "[Security]\nPolicy=open\n" SLEEP);
	test_write(test_path(bed.units, "open.policy"), "[Policy]\nNoNewPrivileges=yes\n",
			0644);
	bed_add_unit(&bed, "two", SLEEP);
	bed_start(&bed, NULL);
	/* An ordinary user is looked up once. */
	(void)bed_spawn_main(&bed, "two");
	limit_descriptors(3);
	bed_spawn(&bed, "one", &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	ck_assert_str_eq(reply.message.step, "FILTER");
	limit_descriptors(0);
	(void)bed_spawn_main(&bed, "one");
	bed_signal(&bed, "one", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_signal(&bed, "two", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

static void await_state(pid_t pid, const char *state)
{
	const struct timespec step = { .tv_nsec = 1000000L };
	bool is_there = false;

	for (int msec = 0; !is_there; msec++) {
		auto_free char *data = NULL;
		size_t size;

		ck_assert_int_lt(msec, BED_PATIENCE_MSEC);
		ck_assert_int_eq(file_read(test_format("/proc/%d/stat", pid), 4096, &data,
						 &size),
				0);
		is_there = strstr(data, state) != NULL;
		if (!is_there)
			(void)nanosleep(&step, NULL);
	}
}

START_TEST(service_that_stops_and_continues_itself_wakes_nobody)
{
	static const char key[] = "\nvoluntary_ctxt_switches:";
	long before, after;
	pid_t pid;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	bed_expect_silence(&bed);
	before = status_number(bed.keeper, key);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(kill(pid, SIGSTOP), 0);
		await_state(pid, ") T ");
		ck_assert_int_eq(kill(pid, SIGCONT), 0);
		await_state(pid, ") S ");
	}
	after = status_number(bed.keeper, key);
	ck_assert_int_lt(after - before, 10);
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

TEST_MAIN("hostile", policy_is_not_refused_for_good_when_descriptors_run_out,
		core_that_does_not_listen_is_not_listened_to,
		lack_of_descriptors_makes_no_unit_empty, nonsense_of_a_core_is_told_once,
		words_of_the_core_are_no_shell_commands,
		core_that_closes_its_link_and_stays_is_killed_and_started_again,
		core_cannot_start_processes_without_end,
		service_has_no_endless_number_of_main_processes,
		main_process_that_changes_all_the_time_does_not_fill_the_disk,
		service_that_stops_and_continues_itself_wakes_nobody)
