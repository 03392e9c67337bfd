/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/procid.h"
#include "bed.h"
#include "support/test.h"

/*
 * airssysd as a whole, with the test program in the place of the core.
 */

static struct bed bed;
static struct reply reply;

#define SLEEP "[Service]\nExecStart=/bin/sleep 1000\n"

/* A shell command that leaves its result in folder/out. */
static const char *writes_out(const char *command)
{
	const char *out = test_path(bed.folder, "out");
	char *text = text_format("(%s) >%s.new; mv %s.new %s", command, out, out, out);

	ck_assert_ptr_nonnull(text);
	return text;
}

static const char *await_out(void)
{
	return bed_await_file(test_path(bed.folder, "out"));
}

static void expect_failure(const char *unit, const char *step, int error)
{
	bed_spawn(&bed, unit, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	ck_assert_str_eq(reply.message.step, step);
	ck_assert_int_eq(reply.message.error, error);
}

static void expect_exit(pid_t pid, int code, int status)
{
	bed_await(&bed, PROTOCOL_EXITED, &reply);
	ck_assert_int_eq(reply.message.pid, pid);
	ck_assert_int_eq(reply.message.code, code);
	ck_assert_int_eq(reply.message.status, status);
}

static void ack(uint64_t spawn_id)
{
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_ACK, .spawn_id = spawn_id });
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

START_TEST(end_of_a_service_is_told_with_status_and_then_empty)
{
	pid_t pid;

	bed_init(&bed);
	bed_add_shell(&bed, "one", "exit 7", "");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	expect_exit(pid, CLD_EXITED, 7);
	ck_assert_str_eq(reply.message.unit, "one");
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_EMPTY);
	bed_expect_silence(&bed);
	bed_stop(&bed);
}
END_TEST

START_TEST(signals_reach_main_and_are_told)
{
	pid_t pid;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGTERM);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	ck_assert_int_eq(reply.message.error, ESRCH);
	pid = bed_spawn_main(&bed, "one");
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGTERM);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_DONE);
	expect_exit(pid, CLD_KILLED, SIGTERM);
	bed_stop(&bed);
}
END_TEST

START_TEST(service_starts_with_clean_signals_descriptors_and_limits)
{
	struct rlimit limit;
	const char *out;

	bed_init(&bed);
	bed_add_shell(&bed, "one",
			writes_out("grep -E \"Sig(Blk|Ign|Cgt)\" /proc/self/status; "
				   "for f in /proc/$$$$/fd/*; do echo $${f##*/}; done; "
				   "ulimit -n; cut -d\" \" -f6 /proc/$$$$/stat; "
				   "echo $$$$; cat /proc/self/oom_score_adj; pwd; umask"),
			"StandardOutput=null\nUMask=0027\n");
	bed_start(&bed, NULL);
	(void)bed_spawn_main(&bed, "one");
	out = await_out();
	ck_assert_ptr_nonnull(strstr(out, "SigBlk:\t0000000000000000\n"));
	ck_assert_ptr_nonnull(strstr(out, "SigIgn:\t0000000000000000\n"));
	/* 10 is the shell's own copy while it redirects. */
	ck_assert_ptr_nonnull(strstr(out, "\n0\n1\n2\n"));
	ck_assert_ptr_null(strstr(out, "\n3\n"));
	ck_assert_ptr_null(strstr(out, "\n4\n"));
	ck_assert_ptr_null(strstr(out, "\n5\n"));
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_ptr_nonnull(strstr(out,
			text_format("\n%llu\n", (unsigned long long)limit.rlim_cur)));
	ck_assert_ptr_nonnull(strstr(out, "\n/\n0027\n"));
	bed_stop(&bed);
}
END_TEST

START_TEST(environment_is_built_from_scratch)
{
	const char *out;

	bed_init(&bed);
	test_write(test_path(bed.folder, "env"), "C=from-file\nB=file-wins\n", 0644);
	bed_add_unit(&bed, "one",
			text_format("[Service]\nEnvironment=A=a B=unit\n"
				    "EnvironmentFile=%s/env\nPassEnvironment=PASSED\n"
				    "RuntimeDirectory=mine\nType=notify\n"
				    "ExecStart=/bin/sh -c '%s'\n",
					bed.folder, writes_out("/usr/bin/env")));
	ck_assert_int_eq(setenv("PASSED", "through", 1), 0);
	ck_assert_int_eq(setenv("SECRET", "of-the-keeper", 1), 0);
	bed_start(&bed, NULL);
	(void)bed_spawn_main(&bed, "one");
	out = await_out();
	ck_assert_ptr_nonnull(strstr(out, "A=a\n"));
	ck_assert_ptr_nonnull(strstr(out, "B=file-wins\n"));
	ck_assert_ptr_nonnull(strstr(out, "C=from-file\n"));
	ck_assert_ptr_nonnull(strstr(out, "PASSED=through\n"));
	ck_assert_ptr_nonnull(strstr(out, "INVOCATION_ID="));
	ck_assert_ptr_nonnull(strstr(
			out, text_format("NOTIFY_SOCKET=%s/notify/one\n", bed.runtime)));
	ck_assert_ptr_nonnull(strstr(out,
			text_format("RUNTIME_DIRECTORY=%s/run/mine\n", bed.runtime)));
	ck_assert_ptr_null(strstr(out, "SECRET"));
	bed_stop(&bed);
}
END_TEST

START_TEST(failed_steps_are_named)
{
	bed_init(&bed);
	bed_add_unit(&bed, "folder",
			"[Service]\nExecStart=/bin/true\nWorkingDirectory=/nowhere/at/all\n");
	bed_add_unit(&bed, "output",
			"[Service]\nExecStart=/bin/true\nStandardOutput=append:/nowhere/x\n");
	bed_add_unit(&bed, "program",
			text_format("[Service]\nExecStart=%s/program\n", bed.folder));
	test_write(test_path(bed.folder, "program"), "not a program", 0755);
	bed_start(&bed, NULL);
	expect_failure("folder", "CHDIR", ENOENT);
	ck_assert_str_eq(reply.message.text, "/nowhere/at/all");
	expect_failure("output", "STDOUT", ENOENT);
	expect_failure("program", "EXEC", ENOEXEC);
	/* None of them leaves a process or says anything more. */
	bed_expect_silence(&bed);
	bed_stop(&bed);
}
END_TEST

START_TEST(unknown_user_is_refused_and_never_root)
{
	bed_init(&bed);
	bed_add_shell(&bed, "one", writes_out("id -u"), "User=no-such-user-here\n");
	bed_add_shell(&bed, "two", writes_out("id -u"), "User=4242424\n");
	bed_start(&bed, NULL);
	if (geteuid() == 0)
		expect_failure("one", "USER", ESRCH);
	expect_failure("two", "USER", ESRCH);
	ck_assert_int_ne(access(test_path(bed.folder, "out"), F_OK), 0);
	bed_stop(&bed);
}
END_TEST

START_TEST(user_of_a_service_is_complete)
{
	const char *out;

	if (geteuid() != 0)
		return; /* only root changes users */
	bed_init(&bed);
	ck_assert_int_eq(chmod(bed.folder, 0777), 0);
	bed_add_shell(&bed, "one",
			"id -u; id -g; id -G; echo $$HOME $$USER; grep CapEff /proc/self/status",
			text_format("User=nobody\nRuntimeDirectory=nb\n"
				    "StandardOutput=file:%s\n",
					test_path(bed.folder, "out")));
	bed_start(&bed, NULL);
	expect_exit(bed_spawn_main(&bed, "one"), CLD_EXITED, 0);
	out = await_out();
	ck_assert_ptr_nonnull(strstr(out, "65534\n65534\n65534\n"));
	ck_assert_ptr_nonnull(strstr(out, "/nonexistent nobody\n"));
	ck_assert_ptr_nonnull(strstr(out, "CapEff:\t0000000000000000\n"));
	bed_stop(&bed);
}
END_TEST

START_TEST(policy_of_a_service_is_in_force)
{
	const char *out;

	bed_init(&bed);
	test_write(test_path(bed.units, "tight.policy"),
			"[Policy]\nNoNewPrivileges=yes\nSystemCallFilter=~ptrace\n",
			0644);
	bed_add_unit(&bed, "one",
			text_format("[Security]\nPolicy=tight\n[Service]\n"
				    "ExecStart=/bin/sh -c '%s'\n",
					writes_out("grep -E \"NoNewPrivs|Seccomp:\" "
						   "/proc/self/status")));
	bed_add_unit(&bed, "two",
			"[Security]\nPolicy=missing\n[Service]\nExecStart=/bin/true\n");
	bed_start(&bed, NULL);
	(void)bed_spawn_main(&bed, "one");
	out = await_out();
	ck_assert_ptr_nonnull(strstr(out, "NoNewPrivs:\t1\n"));
	ck_assert_ptr_nonnull(strstr(out, "Seccomp:\t2\n"));
	expect_failure("two", "FILTER", ENOENT);
	bed_stop(&bed);
}
END_TEST

START_TEST(output_goes_to_the_log_file_without_a_journal)
{
	const char *log;

	bed_init(&bed);
	bed_add_shell(&bed, "one", "echo said; echo complained >&2", "");
	ck_assert_int_eq(setenv("AIRSSYS_JOURNAL_DIR", bed.folder, 1), 0);
	bed_start(&bed, NULL);
	expect_exit(bed_spawn_main(&bed, "one"), CLD_EXITED, 0);
	log = bed_await_file(test_path(bed.runtime, "log/one.log"));
	ck_assert_str_eq(log, "said\ncomplained\n");
	bed_stop(&bed);
}
END_TEST

START_TEST(output_goes_to_the_journal_as_the_services_own)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	char text[512] = "";
	struct ucred peer;
	socklen_t size = sizeof(peer);
	ssize_t n, total = 0;
	pid_t pid;

	bed_init(&bed);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/stdout",
			bed.folder);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	bed_add_shell(&bed, "one", "echo $$JOURNAL_STREAM", "SyslogIdentifier=me\n");
	ck_assert_int_eq(setenv("AIRSSYS_JOURNAL_DIR", bed.folder, 1), 0);
	bed_start(&bed, NULL);
	close_fd(accept4(listener, NULL, NULL, SOCK_CLOEXEC)); /* the keeper's look */
	pid = bed_spawn_main(&bed, "one");
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
	ck_assert_int_eq(peer.pid, pid);
	while ((n = read(fd, text + total, sizeof(text) - 1 - (size_t)total)) > 0)
		total += n;
	ck_assert_int_eq(strncmp(text, "me\n\n6\n1\n0\n0\n0\n", 14), 0);
	ck_assert_ptr_nonnull(strchr(text + 14, ':'));
	bed_stop(&bed);
}
END_TEST

START_TEST(unknown_units_and_commands_and_garbage_change_nothing)
{
	const char garbage[] =
			"\x01\x00\x01\x00 this is nothing that anybody understands";
	uint8_t datagram[PROTOCOL_MESSAGE_MAX];
	struct protocol_message m = { .type = PROTOCOL_SPAWN, .unit = "one" };
	ssize_t n;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	expect_failure("nobody", "", ENOENT);
	m.kind = UNIT_EXEC_STOP;
	(void)bed_send(&bed, m);
	bed_await(&bed, PROTOCOL_FAILED, &reply);
	m.kind = UNIT_EXEC_START;
	m.index = 1;
	(void)bed_send(&bed, m);
	bed_await(&bed, PROTOCOL_FAILED, &reply);
	m.index = 0;
	n = protocol_encode(&m, datagram, sizeof(datagram));
	for (ssize_t cut = 1; cut < n; cut++) {
		bed_send_raw(&bed, datagram, (size_t)cut);
		bed_await(&bed, PROTOCOL_FAILED, &reply);
		ck_assert_int_eq(reply.message.error, EBADMSG);
	}
	bed_send_raw(&bed, garbage, sizeof(garbage));
	bed_await(&bed, PROTOCOL_FAILED, &reply);
	/* The core may not play the keeper. */
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_EMPTY, .unit = "one" });
	bed_await(&bed, PROTOCOL_FAILED, &reply);
	bed_expect_silence(&bed);
	(void)bed_spawn_main(&bed, "one");
	bed_stop(&bed);
}
END_TEST

START_TEST(a_thousand_services_start_and_end)
{
	char name[16];

	bed_init(&bed);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		bed_add_unit(&bed, name, SLEEP);
	}
	bed_start(&bed, NULL);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		(void)bed_spawn_main(&bed, name);
	}
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		bed_signal(&bed, name, PROTOCOL_MAIN, SIGKILL);
	}
	for (int ended = 0, empty = 0; ended < 1000 || empty < 1000;) {
		bed_receive(&bed, &reply);
		ck_assert_int_ne(reply.message.type, PROTOCOL_FAILED);
		if (reply.message.type == PROTOCOL_EMPTY)
			empty++;
		if (reply.message.type != PROTOCOL_EXITED)
			continue;
		ck_assert_int_eq(reply.message.status, SIGKILL);
		ack(reply.message.spawn_id);
		ended++;
	}
	bed_stop(&bed);
}
END_TEST

/* A service whose processes leave session and parent and ignore SIGTERM. */
static void add_stubborn(void)
{
	const char *script = test_path(bed.folder, "stubborn");

	test_write(script,
			text_format("#!/bin/sh\ntrap '' TERM\n"
				    "setsid sh -c 'trap \"\" TERM; "
				    "(echo $$ >%s/two; exec sleep 1000) & ' &\n"
				    "setsid sleep 1000 &\necho $$ >%s/one\nwait\n"
				    "while :; do sleep 1000; done\n",
					bed.folder, bed.folder),
			0755);
	bed_add_unit(&bed, "stubborn",
			text_format("[Service]\nExecStart=%s\nStandardOutput=null\n",
					script));
}

START_TEST(killing_all_reaches_every_descendant)
{
	pid_t pid;

	bed_init(&bed);
	add_stubborn();
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "stubborn");
	(void)bed_await_file(test_path(bed.folder, "one"));
	(void)bed_await_file(test_path(bed.folder, "two"));
	bed_signal(&bed, "stubborn", PROTOCOL_ALL, SIGTERM);
	bed_await(&bed, PROTOCOL_DONE, &reply);
	ck_assert_int_eq(kill(pid, 0), 0);
	bed_signal(&bed, "stubborn", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_DONE, &reply);
	expect_exit(pid, CLD_KILLED, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_signal(&bed, "stubborn", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_FAILED, &reply);
	ck_assert_int_eq(reply.message.error, ESRCH);
	bed_stop(&bed);
}
END_TEST

START_TEST(service_that_was_killed_with_all_its_processes_starts_again)
{
	pid_t pid;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	bed_signal(&bed, "one", PROTOCOL_ALL, SIGKILL);
	expect_exit(pid, CLD_KILLED, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	/* Not killed at its birth, so another signal ends it. */
	pid = bed_spawn_main(&bed, "one");
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGTERM);
	expect_exit(pid, CLD_KILLED, SIGTERM);
	bed_stop(&bed);
}
END_TEST

START_TEST(empty_waits_for_what_the_main_process_left_behind)
{
	const char *fifo;
	pid_t pid;
	int fd;

	bed_init(&bed);
	fifo = test_path(bed.folder, "fifo");
	ck_assert_int_eq(mkfifo(fifo, 0666), 0);
	bed_add_shell(&bed, "one",
			text_format("setsid sh -c \"read x <%s\" & exit 0", fifo), "");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	expect_exit(pid, CLD_EXITED, 0);
	fd = open(fifo, O_WRONLY | O_CLOEXEC); /* waits for the one left behind */
	bed_expect_silence(&bed);
	close_fd(fd);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	ck_assert_str_eq(reply.message.unit, "one");
	bed_stop(&bed);
}
END_TEST

START_TEST(new_core_hears_of_everything_that_the_last_one_missed)
{
	pid_t lives, ends;

	bed_init(&bed);
	bed_add_unit(&bed, "lives", SLEEP);
	bed_add_unit(&bed, "ends", SLEEP);
	bed_start(&bed, NULL);
	lives = bed_spawn_main(&bed, "lives");
	ends = bed_spawn_main(&bed, "ends");
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_NOTE,
					.unit = "lives",
					.data = "remember",
					.size = 8 });
	/* The keeper has taken the note when it answers what comes behind it. */
	bed_signal(&bed, "lives", PROTOCOL_MAIN, SIGCONT);
	bed_await(&bed, PROTOCOL_DONE, &reply);
	ck_assert_int_eq(kill(bed.core, SIGSTOP), 0);
	ck_assert_int_eq(kill(ends, SIGUSR1), 0);
	bed_await_gone(ends);
	bed_kill_core(&bed);
	bed_meet_core(&bed);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_CONFIG);
	ck_assert_uint_eq(reply.message.restarts, 1);
	for (int seen = 0; seen != 7;) {
		bed_receive(&bed, &reply);
		ck_assert_int_ne(reply.message.type, PROTOCOL_ADOPTED);
		if (reply.message.type == PROTOCOL_NOTE) {
			ck_assert_int_eq(memcmp(reply.message.data, "remember", 8), 0);
			seen |= 4;
		} else if (reply.message.pid == lives) {
			ck_assert_uint_eq(reply.message.state, PROTOCOL_LIVES);
			seen |= 1;
		} else {
			ck_assert_int_eq(reply.message.pid, ends);
			ck_assert_uint_eq(reply.message.state, PROTOCOL_ENDED);
			ck_assert_int_eq(reply.message.status, SIGUSR1);
			seen |= 2;
		}
	}
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_ADOPTED);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	ck_assert_str_eq(reply.message.unit, "ends");
	ck_assert_int_eq(kill(lives, 0), 0);
	bed_stop(&bed);
}
END_TEST

START_TEST(new_keeper_adopts_by_identity)
{
	pid_t lives, ends, core;
	uint64_t spawn_id;

	bed_init(&bed);
	bed_add_unit(&bed, "lives", SLEEP "Type=notify\n");
	bed_add_unit(&bed, "ends", SLEEP);
	bed_start(&bed, NULL);
	lives = bed_spawn_main(&bed, "lives");
	ends = bed_spawn_main(&bed, "ends");
	core = bed.core;
	bed_kill_keeper(&bed);
	bed_await_gone(core);
	ck_assert_int_eq(kill(ends, SIGKILL), 0);
	bed_await_gone(ends);
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	bed_await(&bed, PROTOCOL_PROCESS, &reply);
	for (int seen = 0;;) {
		if (reply.message.pid == lives) {
			ck_assert_uint_eq(reply.message.state, PROTOCOL_LIVES);
			ck_assert_uint_eq(reply.n_fds, 1); /* its notify socket */
			spawn_id = reply.message.spawn_id;
		} else {
			ck_assert_int_eq(reply.message.pid, ends);
			ck_assert_uint_eq(reply.message.state, PROTOCOL_ENDED_UNKNOWN);
		}
		if (++seen == 2)
			break;
		bed_await(&bed, PROTOCOL_PROCESS, &reply);
	}
	bed_await(&bed, PROTOCOL_ADOPTED, &reply);
	bed_signal(&bed, "lives", PROTOCOL_MAIN, SIGTERM);
	bed_await(&bed, PROTOCOL_EXITED, &reply);
	ck_assert_int_eq(reply.message.pid, lives);
	ck_assert_uint_eq(reply.message.spawn_id, spawn_id);
	/* Only a new kernel tells the status to who is not the parent. */
	if (reply.message.state == PROTOCOL_ENDED)
		ck_assert_int_eq(reply.message.status, SIGTERM);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

/* Changes one byte of the start time of the last process in the state file. */
static void damage_state(size_t offset_from_end)
{
	const char *path = test_path(bed.runtime, "state/log");
	struct stat st;
	char byte;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(pread(fd, &byte, 1, st.st_size - (off_t)offset_from_end), 1);
	byte = (char)~byte;
	ck_assert_int_eq(pwrite(fd, &byte, 1, st.st_size - (off_t)offset_from_end), 1);
	close_fd(fd);
}

START_TEST(damaged_state_is_ignored_from_the_damage_on)
{
	pid_t first, second;

	bed_init(&bed);
	bed_add_unit(&bed, "first", SLEEP);
	bed_add_unit(&bed, "second", SLEEP);
	bed_start(&bed, NULL);
	first = bed_spawn_main(&bed, "first");
	second = bed_spawn_main(&bed, "second");
	bed_kill_keeper(&bed);
	damage_state(3);
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	bed_await(&bed, PROTOCOL_PROCESS, &reply);
	ck_assert_int_eq(reply.message.pid, first);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_ADOPTED);
	ck_assert_ptr_nonnull(strstr(bed_output(&bed), "damaged"));
	ck_assert_int_eq(kill(second, SIGKILL), 0);
	bed_stop(&bed);
	ck_assert_int_eq(kill(first, SIGKILL), 0);
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

START_TEST(reload_brings_new_files_and_keeps_what_runs)
{
	pid_t pid;

	bed_init(&bed);
	bed_add_unit(&bed, "old", SLEEP "ExecStop=/bin/true\n");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "old");
	bed_add_unit(&bed, "new", SLEEP);
	ck_assert_int_eq(unlink(test_path(bed.units, "old.actor")), 0);
	(void)bed_send(&bed, (struct protocol_message){ .type = PROTOCOL_RELOAD });
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_CONFIG);
	ck_assert_uint_eq(reply.n_fds, 1);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_DONE);
	(void)bed_spawn_main(&bed, "new");
	/* What is gone from the files can still be stopped as it was defined. */
	ck_assert_int_eq(kill(pid, 0), 0);
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_SPAWN,
					.unit = "old",
					.kind = UNIT_EXEC_STOP });
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_SPAWNED);
	ck_assert_int_eq(kill(bed.keeper, SIGHUP), 0);
	bed_await(&bed, PROTOCOL_CONFIG, &reply);
	bed_stop(&bed);
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

START_TEST(processes_that_outlive_the_tree_are_killed)
{
	pid_t pid, spared;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_add_unit(&bed, "spared", SLEEP "KillMode=process\n");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	spared = bed_spawn_main(&bed, "spared");
	bed_stop(&bed);
	bed_await_gone(pid);
	ck_assert_int_eq(kill(spared, SIGKILL), 0);
}
END_TEST

START_TEST(second_sigterm_kills_everything)
{
	pid_t pid;
	int status;

	bed_init(&bed);
	add_stubborn();
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "stubborn");
	(void)bed_await_file(test_path(bed.folder, "two"));
	ck_assert_int_eq(kill(bed.keeper, SIGTERM), 0);
	bed_await(&bed, PROTOCOL_STOP, &reply);
	ck_assert_int_eq(kill(bed.keeper, SIGTERM), 0);
	status = bed_wait_keeper(&bed);
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	bed_await_gone(pid);
}
END_TEST

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

START_TEST(main_process_can_be_moved_within_the_unit_only)
{
	const char *pid_file;
	pid_t daemon;
	uint64_t spawn_id;

	bed_init(&bed);
	pid_file = test_path(bed.folder, "pid");
	test_write(test_path(bed.folder, "daemon"),
			text_format("#!/bin/sh\nsetsid sh -c 'echo $$ >%s; exec sleep 1000' "
				    "</dev/null >/dev/null 2>&1 &\n",
					pid_file),
			0755);
	bed_add_unit(&bed, "one",
			text_format("[Service]\nType=forking\nExecStart=%s/daemon\n",
					bed.folder));
	bed_start(&bed, NULL);
	expect_exit(bed_spawn_main(&bed, "one"), CLD_EXITED, 0);
	daemon = atoi(bed_await_file(pid_file));
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_SET_MAIN,
					.unit = "one",
					.pid = getpid() });
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	ck_assert_int_eq(reply.message.error, EPERM);
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_SET_MAIN,
					.unit = "one",
					.pid = daemon });
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_SPAWNED);
	ck_assert_int_eq(reply.message.pid, daemon);
	spawn_id = reply.message.spawn_id;
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGTERM);
	expect_exit(daemon, CLD_KILLED, SIGTERM);
	ck_assert_uint_eq(reply.message.spawn_id, spawn_id);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

START_TEST(module_is_passed_sealed_and_only_from_the_module_path)
{
	bed_init(&bed);
	test_write(test_path(bed.units, "mod.so"), "code", 0644);
	test_write(test_path(bed.units, "loose.so"), "code", 0666);
	bed_add_unit(&bed, "good", "[Native]\nModule=mod.so\n");
	bed_add_unit(&bed, "loose", "[Native]\nModule=loose.so\n");
	bed_start(&bed, NULL);
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_MODULE, .unit = "good" });
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_DONE);
	ck_assert_uint_eq(reply.n_fds, 1);
	ck_assert_int_eq(memfd_is_sealed(reply.fds[0]), 1);
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_MODULE, .unit = "loose" });
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	bed_stop(&bed);
}
END_TEST

START_TEST(core_has_no_privileges)
{
	char *status;
	size_t size;

	bed_init(&bed);
	bed_start(&bed, NULL);
	ck_assert_int_eq(file_read(text_format("/proc/%d/status", bed.core), 8192,
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
		end_of_a_service_is_told_with_status_and_then_empty,
		signals_reach_main_and_are_told,
		service_starts_with_clean_signals_descriptors_and_limits,
		environment_is_built_from_scratch, failed_steps_are_named,
		unknown_user_is_refused_and_never_root, user_of_a_service_is_complete,
		policy_of_a_service_is_in_force,
		output_goes_to_the_log_file_without_a_journal,
		output_goes_to_the_journal_as_the_services_own,
		unknown_units_and_commands_and_garbage_change_nothing,
		a_thousand_services_start_and_end, killing_all_reaches_every_descendant,
		service_that_was_killed_with_all_its_processes_starts_again,
		empty_waits_for_what_the_main_process_left_behind,
		new_core_hears_of_everything_that_the_last_one_missed,
		new_keeper_adopts_by_identity,
		damaged_state_is_ignored_from_the_damage_on, second_keeper_is_refused,
		strict_refuses_a_tree_with_mistakes,
		reload_brings_new_files_and_keeps_what_runs,
		stop_is_done_when_the_core_dies_and_nothing_is_left,
		processes_that_outlive_the_tree_are_killed,
		second_sigterm_kills_everything,
		manager_above_hears_ready_reloading_and_stopping,
		core_that_does_not_answer_is_killed_and_started_again,
		readiness_reaches_the_core_through_the_notify_socket,
		main_process_can_be_moved_within_the_unit_only,
		module_is_passed_sealed_and_only_from_the_module_path,
		core_has_no_privileges)
