/* SPDX-License-Identifier: Apache-2.0 OR MIT */
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
#include "base/journal.h"
#include "base/text.h"
#include "bed.h"
#include "support/test.h"
#include "unit/instance.h"

/*
 * What a service finds when it starts, and what is said when it does not.
 */

static struct bed bed;
static struct reply reply;

#define SLEEP "[Service]\nExecStart=/bin/sleep 1000\n"

/* A shell command that leaves its result in folder/out. */
static const char *writes_out(const char *command)
{
	const char *out = test_path(bed.folder, "out");

	return test_format("(%s) >%s.new; mv %s.new %s", command, out, out, out);
}

static const char *await_out(void)
{
	return bed_await_file(test_path(bed.folder, "out"));
}

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
	ck_assert_ptr_nonnull(strstr(out, "SigIgn:\t0000000000001000\n"));
	/* 10 is the shell's own copy while it redirects. */
	ck_assert_ptr_nonnull(strstr(out, "\n0\n1\n2\n"));
	ck_assert_ptr_null(strstr(out, "\n3\n"));
	ck_assert_ptr_null(strstr(out, "\n4\n"));
	ck_assert_ptr_null(strstr(out, "\n5\n"));
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_ptr_nonnull(strstr(out,
			test_format("\n%llu\n", (unsigned long long)limit.rlim_cur)));
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
			test_format("[Service]\nEnvironment=A=a B=unit\n"
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
			out, test_format("NOTIFY_SOCKET=%s/notify/one\n", bed.runtime)));
	ck_assert_ptr_nonnull(strstr(out,
			test_format("RUNTIME_DIRECTORY=%s/run/mine\n", bed.runtime)));
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
			test_format("[Service]\nExecStart=%s/program\n", bed.folder));
	test_write(test_path(bed.folder, "program"), "not a program", 0755);
	bed_add_unit(&bed, "environment",
			test_format("[Service]\nExecStart=/bin/true\n"
				    "EnvironmentFile=-/nowhere/env\n"
				    "EnvironmentFile=%s/env\n",
					bed.folder));
	test_write(test_path(bed.folder, "env"), "A=1\n", 0666);
	bed_start(&bed, NULL);
	bed_expect_failure(&bed, "environment", "ENVIRONMENT", EPERM, &reply);
	ck_assert_ptr_nonnull(strstr(
			reply.message.text, "/env: its group or others may write it"));
	bed_expect_failure(&bed, "folder", "CHDIR", ENOENT, &reply);
	ck_assert_str_eq(reply.message.text, "/nowhere/at/all");
	bed_expect_failure(&bed, "output", "STDOUT", ENOENT, &reply);
	bed_expect_failure(&bed, "program", "EXEC", ENOEXEC, &reply);
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
		bed_expect_failure(&bed, "one", "USER", ESRCH, &reply);
	bed_expect_failure(&bed, "two", "USER", ESRCH, &reply);
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
	ck_assert_int_eq(chmod(bed.folder, 01777), 0);
	bed_add_shell(&bed, "one",
			"id -u; id -g; id -G; echo $$HOME $$USER; grep CapEff /proc/self/status",
			test_format("User=nobody\nRuntimeDirectory=nb\n"
				    "StandardOutput=file:%s\n",
					test_path(bed.folder, "out")));
	bed_start(&bed, NULL);
	bed_expect_exit(&bed, bed_spawn_main(&bed, "one"), CLD_EXITED, 0, &reply);
	out = await_out();
	ck_assert_ptr_nonnull(strstr(out, "65534\n65534\n65534\n"));
	ck_assert_ptr_nonnull(strstr(out, "/nonexistent nobody\n"));
	ck_assert_ptr_nonnull(strstr(out, "CapEff:\t0000000000000000\n"));
	bed_stop(&bed);
}
END_TEST

START_TEST(folder_of_a_service_is_not_made_through_a_link_of_its_user)
{
	auto_free char *command = NULL;
	const char *away;
	struct stat st;

	if (geteuid() != 0)
		return; /* only root changes users */
	bed_init(&bed);
	ck_assert_int_eq(chmod(bed.folder, 0755), 0);
	ck_assert_int_eq(chmod(test_path(bed.folder, ".."), 0711), 0);
	away = test_path(bed.folder, "away");
	ck_assert_int_eq(mkdir(away, 0755), 0);
	ck_assert_int_eq(mkdir(test_path(away, "kept"), 0755), 0);
	command = text_format("ln -s %s $$RUNTIME_DIRECTORY/link", away);
	bed_add_shell(&bed, "one", command,
			"User=nobody\nRuntimeDirectory=nb\nStandardOutput=null\n");
	bed_add_shell(&bed, "two", "true",
			"User=nobody\nRuntimeDirectory=nb nb/link/kept\n");
	bed_start(&bed, NULL);
	bed_expect_exit(&bed, bed_spawn_main(&bed, "one"), CLD_EXITED, 0, &reply);
	ck_assert_int_eq(access(test_path(bed.runtime, "run/nb/link/kept"), F_OK), 0);
	bed_expect_failure(&bed, "two", "FOLDERS", ELOOP, &reply);
	ck_assert_int_eq(stat(test_path(away, "kept"), &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	bed_stop(&bed);
}
END_TEST

START_TEST(links_of_a_services_user_lead_root_nowhere)
{
	auto_free char *output = NULL;
	auto_free char *environment = NULL;
	auto_free char *fifo = NULL;
	const char *mine, *secret;
	struct stat st;

	if (geteuid() != 0)
		return; /* only root changes users */
	bed_init(&bed);
	mine = test_path(bed.folder, "mine");
	secret = test_path(bed.folder, "secret");
	test_write(secret, "A=secret\n", 0600);
	ck_assert_int_eq(mkdir(mine, 0755), 0);
	ck_assert_int_eq(symlink(secret, test_path(mine, "link")), 0);
	ck_assert_int_eq(lchown(test_path(mine, "link"), 65534, 65534), 0);
	ck_assert_int_eq(mkfifo(test_path(mine, "fifo"), 0600), 0);
	output = text_format("User=nobody\nStandardOutput=truncate:%s/link\n", mine);
	environment = text_format("User=nobody\nEnvironmentFile=%s/link\n", mine);
	fifo = text_format("StandardOutput=append:%s/fifo\n", mine);
	bed_add_shell(&bed, "output", "echo gone", output);
	bed_add_shell(&bed, "environment", "true", environment);
	bed_add_shell(&bed, "fifo", "true", fifo);
	bed_start(&bed, NULL);
	bed_expect_failure(&bed, "output", "STDOUT", ELOOP, &reply);
	bed_expect_failure(&bed, "environment", "ENVIRONMENT", ELOOP, &reply);
	bed_expect_failure(&bed, "fifo", "STDOUT", ENXIO, &reply);
	ck_assert_int_eq(stat(secret, &st), 0);
	ck_assert_int_eq(st.st_size, 9);
	bed_stop(&bed);
}
END_TEST

START_TEST(hard_links_of_a_services_user_are_neither_written_nor_emptied)
{
	const char *his, *secret, *own;
	struct stat st;

	if (geteuid() != 0)
		return; /* only root changes users */
	bed_init(&bed);
	his = test_path(bed.folder, "his");
	own = test_path(his, "own");
	secret = test_path(bed.folder, "secret");
	test_write(secret, "A=secret\n", 0600);
	ck_assert_int_eq(mkdir(his, 0755), 0);
	ck_assert_int_eq(link(secret, test_path(his, "link")), 0);
	ck_assert_int_eq(chown(his, 65534, 65534), 0);
	test_write(own, "before", 0600);
	bed_add_shell(&bed, "append", "echo gone",
			test_format("StandardOutput=append:%s/link\n", his));
	bed_add_shell(&bed, "truncate", "echo gone",
			test_format("StandardOutput=truncate:%s/link\n", his));
	bed_add_shell(&bed, "own", "echo own",
			test_format("StandardOutput=truncate:%s\n", own));
	bed_start(&bed, NULL);
	bed_expect_failure(&bed, "append", "STDOUT", EMLINK, &reply);
	bed_expect_failure(&bed, "truncate", "STDOUT", EMLINK, &reply);
	ck_assert_int_eq(stat(secret, &st), 0);
	ck_assert_int_eq(st.st_size, 9);
	bed_expect_exit(&bed, bed_spawn_main(&bed, "own"), CLD_EXITED, 0, &reply);
	ck_assert_str_eq(bed_await_file(own), "own\n");
	/* In a folder of root's, names are root's. */
	ck_assert_int_eq(chown(his, 0, 0), 0);
	bed_expect_exit(&bed, bed_spawn_main(&bed, "append"), CLD_EXITED, 0, &reply);
	ck_assert_int_eq(stat(secret, &st), 0);
	ck_assert_int_eq(st.st_size, 14);
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
			test_format("[Security]\nPolicy=tight\n[Service]\n"
				    "ExecStart=/bin/sh -c '%s'\n",
					writes_out("grep -E \"NoNewPrivs|Seccomp:\" "
						   "/proc/self/status")));
	bed_add_unit(&bed, "two",
			"[Security]\nPolicy=missing\n[Service]\nExecStart=/bin/true\n");
	test_write(test_path(bed.units, "missing.policy"), "[Policy]\n", 0644);
	bed_start(&bed, NULL);
	ck_assert_int_eq(unlink(test_path(bed.units, "missing.policy")), 0);
	(void)bed_spawn_main(&bed, "one");
	out = await_out();
	ck_assert_ptr_nonnull(strstr(out, "NoNewPrivs:\t1\n"));
	ck_assert_ptr_nonnull(strstr(out, "Seccomp:\t2\n"));
	bed_expect_failure(&bed, "two", "FILTER", ENOENT, &reply);
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
	bed_expect_exit(&bed, bed_spawn_main(&bed, "one"), CLD_EXITED, 0, &reply);
	log = bed_await_file(test_path(bed.runtime, "log/one.log"));
	ck_assert_str_eq(log, "said\ncomplained\n");
	bed_stop(&bed);
}
END_TEST

START_TEST(output_goes_to_the_journal_as_the_services_own)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	auto_free char *identifier = NULL, *head = NULL;
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
	identifier = instance_log_identifier(bed.runtime, "me");
	ck_assert_ptr_nonnull(identifier);
	head = text_format("%s\n" JOURNAL_UNIT_PREFIX "%s" JOURNAL_UNIT_SUFFIX
			   "\n6\n1\n0\n0\n0\n",
			identifier, identifier);
	ck_assert_int_eq(strncmp(text, head, strlen(head)), 0);
	ck_assert_ptr_nonnull(strchr(text + strlen(head), ':'));
	/* A journal that went away is replaced by the file. */
	bed_expect_exit(&bed, pid, CLD_EXITED, 0, &reply);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	close_fd(fd);
	close_fd(listener);
	pid = bed_spawn_main(&bed, "one");
	bed_expect_exit(&bed, pid, CLD_EXITED, 0, &reply);
	ck_assert_str_eq(bed_await_file(test_path(bed.runtime, "log/one.log")), "\n");
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

TEST_MAIN("spawn", service_starts_with_clean_signals_descriptors_and_limits,
		environment_is_built_from_scratch, failed_steps_are_named,
		unknown_user_is_refused_and_never_root, user_of_a_service_is_complete,
		folder_of_a_service_is_not_made_through_a_link_of_its_user,
		links_of_a_services_user_lead_root_nowhere,
		hard_links_of_a_services_user_are_neither_written_nor_emptied,
		policy_of_a_service_is_in_force,
		output_goes_to_the_log_file_without_a_journal,
		output_goes_to_the_journal_as_the_services_own,
		module_is_passed_sealed_and_only_from_the_module_path)
