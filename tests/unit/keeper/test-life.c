/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/text.h"
#include "bed.h"
#include "support/test.h"

/*
 * Processes from their start to their end, over the deaths of cores and keepers. Built
 * twice: with the cgroups of the machine, and as if it had none.
 */

static struct bed bed;
static struct reply reply;

#define SLEEP "[Service]\nExecStart=/bin/sleep 1000\n"

static void ack(uint64_t spawn_id)
{
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_ACK, .spawn_id = spawn_id });
}

/* A service whose processes leave session and parent and ignore SIGTERM. */
static void add_stubborn(void)
{
	const char *script = test_path(bed.folder, "stubborn");

	test_write(script,
			test_format("#!/bin/sh\ntrap '' TERM\n"
				    "setsid sh -c 'trap \"\" TERM; "
				    "(echo $$ >%s/two; exec sleep 1000) & ' &\n"
				    "setsid sleep 1000 &\necho $$ >%s/one\nwait\n"
				    "while :; do sleep 1000; done\n",
					bed.folder, bed.folder),
			0755);
	bed_add_unit(&bed, "stubborn",
			test_format("[Service]\nExecStart=%s\nStandardOutput=null\n",
					script));
}

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

START_TEST(end_of_a_service_is_told_with_status_and_then_empty)
{
	pid_t pid;

	bed_init(&bed);
	bed_add_shell(&bed, "one", "exit 7", "");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	bed_expect_exit(&bed, pid, CLD_EXITED, 7, &reply);
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
	bed_expect_exit(&bed, pid, CLD_KILLED, SIGTERM, &reply);
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
	bed_expect_failure(&bed, "nobody", "", ENOENT, &reply);
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
	bed_expect_exit(&bed, pid, CLD_KILLED, SIGKILL, &reply);
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
	bed_expect_exit(&bed, pid, CLD_KILLED, SIGKILL, &reply);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	/* Not killed at its birth, so another signal ends it. */
	pid = bed_spawn_main(&bed, "one");
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGTERM);
	bed_expect_exit(&bed, pid, CLD_KILLED, SIGTERM, &reply);
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
			test_format("setsid sh -c \"read x <%s/fifo\" & exit 0",
					bed.folder),
			"");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	bed_expect_exit(&bed, pid, CLD_EXITED, 0, &reply);
	fd = open(fifo, O_WRONLY | O_CLOEXEC); /* waits for the one left behind */
	bed_expect_silence(&bed);
	close_fd(fd);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	ck_assert_str_eq(reply.message.unit, "one");
	bed_stop(&bed);
}
END_TEST

START_TEST(session_of_a_stranger_with_a_number_used_again_is_spared)
{
	pid_t pid, stranger;
	int status;

	bed_init(&bed);
	bed_add_shell(&bed, "one",
			test_format("setsid sh -c \"echo \\$$\\$$ >%s/left; exec sleep 1000\" "
				    "& while ! test -s %s/left; do sleep 0.01; done",
					bed.folder, bed.folder),
			"");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	bed_expect_exit(&bed, pid, CLD_EXITED, 0,
			&reply); /* and the core does not acknowledge it */
	stranger = bed_become_stranger(pid);
	bed_signal(&bed, "one", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	/* Only root chooses a number. */
	if (stranger > 0) {
		ck_assert_int_eq(waitpid(stranger, &status, WNOHANG), 0);
		ck_assert_int_eq(kill(stranger, SIGKILL), 0);
		ck_assert_int_eq(waitpid(stranger, &status, 0), stranger);
	}
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
	bed_await_gone(second);
	bed_stop(&bed); /* which ends what it knows of */
	bed_await_gone(first);
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
	bed_await_gone(spared);
	/* Its cgroup stayed with it and is removed by the next keeper. */
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	bed_stop(&bed);
}
END_TEST

START_TEST(signal_to_the_process_and_then_to_its_group_is_one_request)
{
	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	(void)bed_spawn_main(&bed, "one");
	ck_assert_int_eq(kill(bed.keeper, SIGTERM), 0);
	bed_await(&bed, PROTOCOL_STOP, &reply);
	ck_assert_int_eq(kill(bed.keeper, SIGTERM), 0);
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGTERM);
	bed_await(&bed, PROTOCOL_EXITED, &reply);
	(void)bed_send(&bed, (struct protocol_message){ .type = PROTOCOL_DOWN });
	bed.core_fd = close_fd(bed.core_fd);
	ck_assert_int_eq(bed_wait_keeper(&bed), 0);
}
END_TEST

/* From somebody else, with another signal, or later. */
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
	ck_assert_int_eq(kill(bed.keeper, SIGINT), 0);
	status = bed_wait_keeper(&bed);
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	bed_await_gone(pid);
}
END_TEST

/* The file that PIDFile= names is the service's to write. */
static int set_main_from(const char *content, int is_link)
{
	const char *pid_file;

	bed_init(&bed);
	pid_file = test_path(bed.folder, "pid");
	bed_add_unit(&bed, "one",
			test_format("[Service]\nExecStart=/bin/sleep 1000\nPIDFile=%s\n",
					pid_file));
	bed_start(&bed, NULL);
	(void)bed_spawn_main(&bed, "one");
	if (is_link) {
		ck_assert_int_eq(symlink(content, pid_file), 0);
		ck_assert_int_eq(lchown(pid_file, 65534, 65534), 0);
	} else {
		test_write(pid_file, content, 0644);
	}
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_SET_MAIN, .unit = "one" });
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	bed_stop(&bed);
	return reply.message.error;
}

START_TEST(pid_file_with_a_stranger_changes_nothing)
{
	ck_assert_int_eq(set_main_from("1\n", 0), EPERM);
}
END_TEST

START_TEST(pid_file_that_is_a_link_of_the_services_user_is_not_followed)
{
	if (geteuid() != 0)
		return; /* only root gives files away */
	ck_assert_int_eq(set_main_from("/proc/self/stat", 1), ELOOP);
}
END_TEST

START_TEST(pid_file_in_a_linked_folder_of_the_services_user_is_refused)
{
	const char *real, *link;

	if (geteuid() != 0)
		return; /* only root gives files away */
	bed_init(&bed);
	real = test_path(bed.folder, "real");
	link = test_path(bed.folder, "link");
	ck_assert_int_eq(mkdir(real, 0755), 0);
	ck_assert_int_eq(symlink(real, link), 0);
	ck_assert_int_eq(lchown(link, 65534, 65534), 0);
	bed_add_unit(&bed, "one", test_format(SLEEP "PIDFile=%s/pid\n", link));
	bed_start(&bed, NULL);
	test_write(test_path(real, "pid"),
			test_format("%d\n", bed_spawn_main(&bed, "one")), 0644);
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_SET_MAIN, .unit = "one" });
	bed_await(&bed, PROTOCOL_FAILED, &reply);
	ck_assert_int_eq(reply.message.error, ELOOP);
	bed_stop(&bed);
}
END_TEST

START_TEST(command_beside_the_service_does_not_become_its_main_process)
{
	pid_t main_pid, other;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP "ExecReload=/bin/sleep 1000\n");
	bed_start(&bed, NULL);
	main_pid = bed_spawn_main(&bed, "one");
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_SPAWN,
					.unit = "one",
					.kind = UNIT_EXEC_RELOAD });
	bed_await(&bed, PROTOCOL_SPAWNED, &reply);
	other = reply.message.pid;
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_SET_MAIN,
					.unit = "one",
					.pid = other });
	bed_await(&bed, PROTOCOL_FAILED, &reply);
	ck_assert_int_eq(reply.message.error, EPERM);
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGTERM);
	bed_expect_exit(&bed, main_pid, CLD_KILLED, SIGTERM, &reply);
	bed_stop(&bed);
}
END_TEST

/* The cgroup of a process, as a folder; NULL where there is none. */
static const char *cgroup_of(pid_t pid)
{
	char *data, *line;
	size_t size;

	if (file_read(test_format("/proc/%d/cgroup", pid), 65536, &data, &size) < 0)
		return NULL;
	line = strstr(test_keep(data), "0::/");
	if (!line)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return access("/sys/fs/cgroup/unified", F_OK) == 0
			? test_format("/sys/fs/cgroup/unified%s", line + 3)
			: test_format("/sys/fs/cgroup%s", line + 3);
}

static void add_to(struct protocol_batch *batch, struct protocol_message message)
{
	message.serial = bed.serial++;
	ck_assert_int_eq(protocol_batch_add(batch, &message), 0);
}

/* Asked for in one breath. */
START_TEST(what_starts_after_a_signal_to_all_does_not_get_it)
{
	struct protocol_batch batch = { 0 };
	pid_t main_pid, helper, later;
	const char *script;

	bed_init(&bed);
	script = test_path(bed.folder, "script");
	test_write(script,
			test_format("#!/bin/sh\ntrap : TERM\n"
				    "setsid sh -c 'echo $$ >%s/pid; exec sleep 1000' &\n"
				    "while :; do wait; sleep 1000; done\n",
					bed.folder),
			0755);
	bed_add_unit(&bed, "one",
			test_format("[Service]\nExecStart=%s\nExecReload=/bin/sleep 1000\n",
					script));
	bed_start(&bed, NULL);
	main_pid = bed_spawn_main(&bed, "one");
	helper = atoi(bed_await_file(test_path(bed.folder, "pid")));
	add_to(&batch,
			(struct protocol_message){ .type = PROTOCOL_SIGNAL,
					.unit = "one",
					.whom = PROTOCOL_ALL,
					.signal = SIGTERM,
					.further = UINT64_C(1) << (SIGCONT - 1) });
	add_to(&batch,
			(struct protocol_message){ .type = PROTOCOL_SPAWN,
					.unit = "one",
					.kind = UNIT_EXEC_RELOAD });
	bed_send_raw(&bed, protocol_batch_get(&batch).data,
			protocol_batch_get(&batch).size);
	bed_await(&bed, PROTOCOL_DONE, &reply);
	bed_await(&bed, PROTOCOL_SPAWNED, &reply);
	later = reply.message.pid;
	bed_await_gone(helper);
	ck_assert_int_eq(kill(later, 0), 0);
	ck_assert_int_eq(kill(main_pid, 0), 0);
	bed_expect_silence(&bed); /* none of them has ended */
	bed_signal(&bed, "one", PROTOCOL_ALL, SIGKILL);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

START_TEST(term_reaches_folders_that_the_service_made)
{
	const char *folder;
	pid_t pid, deep;

	bed_init(&bed);
	bed_add_shell(&bed, "one",
			test_format("sleep 1000 & echo $! >%s/pid; wait", bed.folder),
			"");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	deep = atoi(bed_await_file(test_path(bed.folder, "pid")));
	folder = BED_CGROUP ? cgroup_of(pid) : NULL;
	if (folder && strstr(folder, "/one.actor")) {
		ck_assert_int_eq(mkdir(test_path(folder, "a"), 0755), 0);
		ck_assert_int_eq(mkdir(test_path(folder, "a/b"), 0755), 0);
		test_write(test_path(folder, "a/b/cgroup.procs"), test_format("%d", deep),
				0644);
	}
	bed_signal(&bed, "one", PROTOCOL_ALL, SIGTERM);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_await_gone(deep);
	bed_stop(&bed);
}
END_TEST

START_TEST(folders_of_a_service_end_at_a_depth_and_go_with_it)
{
	const char *folder, *deep;
	int depth = 0;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SLEEP);
	bed_start(&bed, NULL);
	folder = deep = BED_CGROUP ? cgroup_of(bed_spawn_main(&bed, "one")) : NULL;
	if (folder && strstr(folder, "/one.actor")) {
		for (; depth < 100; depth++) {
			deep = test_path(deep, "d");
			if (mkdir(deep, 0755) < 0)
				break;
		}
		ck_assert_int_eq(errno, EAGAIN);
		ck_assert_int_eq(depth, 32);
	}
	bed_stop(&bed);
	if (folder && strstr(folder, "/one.actor"))
		ck_assert_int_lt(access(folder, F_OK), 0);
}
END_TEST

START_TEST(pid_file_with_nonsense_is_refused)
{
	ck_assert_int_eq(set_main_from("not a number\n", 0), EINVAL);
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
			test_format("#!/bin/sh\nsetsid sh -c 'echo $$ >%s; exec sleep 1000' "
				    "</dev/null >/dev/null 2>&1 &\n",
					pid_file),
			0755);
	bed_add_unit(&bed, "one",
			test_format("[Service]\nType=forking\nExecStart=%s/daemon\n"
				    "PIDFile=%s\n",
					bed.folder, pid_file));
	bed_start(&bed, NULL);
	bed_expect_exit(&bed, bed_spawn_main(&bed, "one"), CLD_EXITED, 0, &reply);
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
					.pid = 0 }); /* what PIDFile= says */
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_SPAWNED);
	ck_assert_int_eq(reply.message.pid, daemon);
	spawn_id = reply.message.spawn_id;
	bed_signal(&bed, "one", PROTOCOL_MAIN, SIGTERM);
	bed_expect_exit(&bed, daemon, CLD_KILLED, SIGTERM, &reply);
	ck_assert_uint_eq(reply.message.spawn_id, spawn_id);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	bed_stop(&bed);
}
END_TEST

TEST_MAIN("life", pid_file_with_a_stranger_changes_nothing,
		pid_file_that_is_a_link_of_the_services_user_is_not_followed,
		pid_file_in_a_linked_folder_of_the_services_user_is_refused,
		command_beside_the_service_does_not_become_its_main_process,
		term_reaches_folders_that_the_service_made,
		what_starts_after_a_signal_to_all_does_not_get_it,
		folders_of_a_service_end_at_a_depth_and_go_with_it,
		pid_file_with_nonsense_is_refused,
		end_of_a_service_is_told_with_status_and_then_empty,
		signals_reach_main_and_are_told,
		unknown_units_and_commands_and_garbage_change_nothing,
		a_thousand_services_start_and_end, killing_all_reaches_every_descendant,
		service_that_was_killed_with_all_its_processes_starts_again,
		empty_waits_for_what_the_main_process_left_behind,
		session_of_a_stranger_with_a_number_used_again_is_spared,
		new_core_hears_of_everything_that_the_last_one_missed,
		new_keeper_adopts_by_identity,
		damaged_state_is_ignored_from_the_damage_on,
		reload_brings_new_files_and_keeps_what_runs,
		processes_that_outlive_the_tree_are_killed,
		signal_to_the_process_and_then_to_its_group_is_one_request,
		second_sigterm_kills_everything,
		main_process_can_be_moved_within_the_unit_only)
