/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "exec/executor.h"
#include "exec/steps.h"
#include "support/test.h"

/*
 * The steps, run in a child of the test by themselves and through airssys-exec.
 */

static struct exec_spec *spec;
static const char *folder, *out;

static void set_up(const char *command)
{
	exec_spec_free(spec);
	spec = calloc(1, sizeof(*spec));
	ck_assert_ptr_nonnull(spec);
	folder = test_folder();
	out = test_path(folder, "out");
	spec->path = strdup("/bin/sh");
	ck_assert_int_eq(strv_append(&spec->argv, "sh"), 0);
	ck_assert_int_eq(strv_append(&spec->argv, "-c"), 0);
	ck_assert_int_eq(strv_append(&spec->argv, command), 0);
	ck_assert_int_eq(strv_append(&spec->envp, "PATH=/usr/bin:/bin"), 0);
	spec->uid = geteuid();
	spec->gid = getegid();
	spec->umask = 022;
	spec->out.output = EXEC_OUTPUT_TRUNCATE;
	spec->out.path = strdup(out);
	spec->err.output = EXEC_OUTPUT_NULL;
}

static const char *output(void)
{
	size_t size;
	char *data;

	ck_assert_int_eq(file_read(out, 65536, &data, &size), 0);
	return test_keep(data);
}

static int wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Runs the list in a child; the report is in shared memory, as with the keeper. */
static int run_here(struct exec_report *report)
{
	struct exec_run *run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	ck_assert_ptr_ne(run, MAP_FAILED);
	*run = (struct exec_run){
		.spec = spec, .program_fd = -1, .keep_fd = -1, .report_fd = -1
	};
	run->envp = exec_run_environment(spec);
	pid = fork();
	if (pid == 0) {
		(void)exec_run(run);
		_exit(EXEC_STATUS_BASE + (int)run->report.step);
	}
	status = wait_for(pid);
	*report = run->report;
	free(run->envp);
	return status;
}

/* Runs airssys-exec as the keeper does. */
static int run_executor(int spec_fd, struct exec_report *report)
{
	const char *program = test_path(getenv("top_builddir"), "airssys-exec");
	int pipe_fds[2];
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int spec_copy = fcntl(spec_fd, F_DUPFD_CLOEXEC, 10);
		int pipe_copy = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, 10);

		if (dup2(spec_copy, EXECUTOR_SPEC_FD) >= 0 &&
				dup2(pipe_copy, EXECUTOR_REPORT_FD) >= 0)
			(void)execl(program, "airssys-exec", (char *)NULL);
		_exit(99);
	}
	close_fd(pipe_fds[1]);
	*report = (struct exec_report){ 0 };
	n = read(pipe_fds[0], report, sizeof(*report));
	ck_assert(n == 0 || n == (ssize_t)sizeof(*report));
	close_fd(pipe_fds[0]);
	return wait_for(pid);
}

static int run_packed(struct exec_report *report)
{
	int fd, status;

	ck_assert_int_eq(exec_spec_pack(spec, &fd), 0);
	status = run_executor(fd, report);
	close_fd(fd);
	return status;
}

static void expect_both(uint32_t step, int error)
{
	struct exec_report report;

	ck_assert_int_eq(run_here(&report), EXEC_STATUS_BASE + (int)step);
	ck_assert_uint_eq(report.step, step);
	ck_assert_int_eq(report.error, error);
	ck_assert_int_eq(run_packed(&report), EXEC_STATUS_BASE + (int)step);
	ck_assert_uint_eq(report.step, step);
	ck_assert_int_eq(report.error, error);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

START_TEST(service_is_the_same_both_ways)
{
	struct exec_report report;
	const char *direct;

	set_up("umask; pwd; ulimit -n; nice; echo $A; ls /proc/self/fd; "
	       "grep Sig[BI] /proc/self/status; cut -d' ' -f6 /proc/$$/stat | "
	       "grep -qx $$ && echo leader");
	ck_assert_int_eq(strv_append(&spec->envp, "A=value"), 0);
	spec->umask = 077;
	spec->working_directory = strdup("/tmp");
	spec->set_nice = true;
	spec->nice = 3;
	spec->n_limits = 1;
	spec->limits = calloc(1, sizeof(*spec->limits));
	spec->limits[0] = (struct exec_limit){ RLIMIT_NOFILE, { 99, 99 } };
	ck_assert_int_eq(run_here(&report), 0);
	direct = output();
	ck_assert_int_eq(strncmp(direct, "0077\n/tmp\n99\n3\nvalue\n0\n1\n2\n", 27), 0);
	ck_assert_ptr_nonnull(strstr(direct, "leader\n"));
	ck_assert_int_eq(run_packed(&report), 0);
	ck_assert_str_eq(output(), direct);
}
END_TEST

START_TEST(each_failed_step_is_named_both_ways)
{
	set_up("true");
	spec->working_directory = strdup("/no/such/folder");
	expect_both(EXEC_STEP_CHDIR, ENOENT);
	set_up("true");
	free(spec->path);
	spec->path = strdup("/no/such/program");
	expect_both(EXEC_STEP_EXEC, ENOENT);
	set_up("true");
	free(spec->out.path);
	spec->out.path = strdup("/no/such/folder/out");
	expect_both(EXEC_STEP_STDOUT, ENOENT);
	set_up("true");
	spec->err.output = EXEC_OUTPUT_JOURNAL;
	spec->journal_stream = strdup(test_path(folder, "nobody"));
	expect_both(EXEC_STEP_STDERR, ENOENT);
	set_up("true");
	spec->n_limits = 1;
	spec->limits = calloc(1, sizeof(*spec->limits));
	spec->limits[0] = (struct exec_limit){ RLIMIT_NOFILE, { 20, 10 } };
	expect_both(EXEC_STEP_LIMITS, EINVAL);
}
END_TEST

START_TEST(journal_is_greeted_with_identifier_and_unit)
{
	static const char expected[] =
			"talk@0123\nairssys-talk@0123.service\n6\n1\n0\n0\n0\nhello\n";
	struct exec_report report;
	char got[sizeof(expected)] = "";
	int journal, stream;

	set_up("echo hello >&2");
	spec->err.output = EXEC_OUTPUT_JOURNAL;
	spec->journal_stream = strdup(test_path(folder, "journal"));
	spec->syslog_identifier = strdup("talk@0123");
	journal = listen_at(spec->journal_stream);
	ck_assert_int_eq(run_here(&report), 0);
	stream = accept(journal, NULL, NULL);
	ck_assert_int_ge(stream, 0);
	ck_assert_int_eq(recv(stream, got, sizeof(got) - 1, MSG_WAITALL),
			sizeof(expected) - 1);
	ck_assert_str_eq(got, expected);
	close_fd(stream);
	close_fd(journal);
}
END_TEST

START_TEST(optional_folder_may_be_missing)
{
	struct exec_report report;

	set_up("pwd");
	spec->working_directory = strdup("/no/such/folder");
	spec->working_directory_optional = true;
	ck_assert_int_eq(run_here(&report), 0);
	ck_assert_str_eq(output(), "/\n");
}
END_TEST

START_TEST(unknown_names_are_refused_and_nothing_runs)
{
	struct exec_report report;

	set_up("id -u");
	spec->user_name = strdup("no-such-user-at-all");
	ck_assert_int_eq(run_packed(&report), EXEC_STATUS_BASE + EXEC_STEP_USER);
	ck_assert_int_eq(report.error, ESRCH);
	ck_assert_str_eq(report.detail, "no-such-user-at-all");
	set_up("id -u");
	ck_assert_int_eq(strv_append(&spec->group_names, "no-such-group"), 0);
	ck_assert_int_eq(run_packed(&report), EXEC_STATUS_BASE + EXEC_STEP_USER);
	ck_assert_str_eq(report.detail, "no-such-group");
	ck_assert_int_ne(access(out, F_OK), 0);
}
END_TEST

START_TEST(name_service_fills_in_user_groups_home_and_environment)
{
	struct exec_report report;

	if (geteuid() != 0)
		return; /* only root changes users */
	set_up("id -un; id -G; echo $HOME $LOGNAME; pwd");
	spec->user_name = strdup("daemon");
	spec->working_directory = strdup("~");
	ck_assert_int_eq(run_packed(&report), 0);
	ck_assert_ptr_nonnull(
			strstr(output(), "daemon\n1\n/usr/sbin daemon\n/usr/sbin\n"));
}
END_TEST

START_TEST(group_and_notify_socket_are_a_looked_up_users_own)
{
	struct exec_report report;
	const char *socket_path;
	struct stat st;

	if (geteuid() != 0)
		return; /* only root changes users */
	set_up("id -u; id -g; id -G");
	socket_path = test_path(folder, "socket");
	test_write(socket_path, "", 0600);
	spec->notify_path = strdup(socket_path);
	spec->user_name = strdup("daemon");
	spec->group_name = strdup("1234");
	ck_assert_int_eq(strv_append(&spec->group_names, "5678"), 0);
	ck_assert_int_eq(run_packed(&report), 0);
	ck_assert_str_eq(output(), "1\n1234\n1234 1 5678\n");
	ck_assert_int_eq(stat(socket_path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 1);
}
END_TEST

START_TEST(folders_are_a_looked_up_users_own_and_never_through_a_link)
{
	struct exec_report report;
	struct stat st;

	if (geteuid() != 0)
		return; /* only root changes users */
	set_up("true");
	spec->out.output = EXEC_OUTPUT_NULL;
	spec->user_name = strdup("nobody");
	ck_assert_int_eq(mkdir(test_path(folder, "state"), 0755), 0);
	ck_assert_int_eq(strv_append(&spec->own_folders, folder), 0);
	ck_assert_int_eq(strv_append(&spec->own_folders, "state/deep"), 0);
	ck_assert_int_eq(run_packed(&report), 0);
	ck_assert_int_eq(stat(test_path(folder, "state/deep"), &st), 0);
	ck_assert_uint_eq(st.st_uid, 65534);
	ck_assert_int_eq(stat(test_path(folder, "state"), &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_int_eq(symlink("/etc", test_path(folder, "state/link")), 0);
	ck_assert_int_eq(strv_append(&spec->own_folders, folder), 0);
	ck_assert_int_eq(strv_append(&spec->own_folders, "state/link"), 0);
	ck_assert_int_eq(run_packed(&report), EXEC_STATUS_BASE + EXEC_STEP_USER);
	ck_assert_str_eq(report.detail, "state/link");
	ck_assert_int_eq(stat("/etc", &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
}
END_TEST

START_TEST(broken_pipe_is_an_error_or_the_end_as_asked)
{
	struct exec_report report;

	set_up("grep SigIgn /proc/self/status");
	ck_assert_int_eq(run_here(&report), 0);
	/* make leaves others ignored. */
	ck_assert(has_suffix(output(), "0000\n"));
	spec->ignore_sigpipe = true;
	ck_assert_int_eq(run_here(&report), 0);
	ck_assert(has_suffix(output(), "1000\n"));
	ck_assert_int_eq(run_packed(&report), 0);
	ck_assert(has_suffix(output(), "1000\n"));
}
END_TEST

START_TEST(keys_of_the_keeper_are_shared_only_when_asked)
{
	struct exec_report report;
	long key;

	set_up("grep -c airssys-test-key /proc/keys; true");
	if (access("/proc/keys", R_OK) < 0 ||
			syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		return; /* a kernel or container without keys */
	key = syscall(SYS_add_key, "user", "airssys-test-key", "x", 1,
			KEY_SPEC_SESSION_KEYRING);
	ck_assert_int_gt(key, 0);
	/* For those alone who have the keyring. */
	ck_assert_int_eq(syscall(SYS_keyctl, KEYCTL_SETPERM, key, 0x3f000000), 0);
	ck_assert_int_eq(run_here(&report), 0);
	ck_assert_str_eq(output(), "1\n");
	spec->new_keyring = true;
	ck_assert_int_eq(run_here(&report), 0);
	ck_assert_str_eq(output(), "0\n");
	ck_assert_int_eq(run_packed(&report), 0);
	ck_assert_str_eq(output(), "0\n");
}
END_TEST

START_TEST(confinement_holds_in_the_service)
{
	struct exec_report report;
	/* Allow everything: that a filter is there is seen. */
	const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, 0x7fff0000);

	set_up("grep -E '^(NoNewPrivs|Seccomp|CapBnd|CapEff):' /proc/self/status");
	spec->no_new_privileges = true;
	spec->filter_size = sizeof(allow);
	spec->filter = malloc(sizeof(allow));
	memcpy(spec->filter, &allow, sizeof(allow));
	if (geteuid() == 0) {
		spec->set_capability_bounding = true;
		spec->capability_bounding = 1; /* CAP_CHOWN */
	}
	ck_assert_int_eq(run_packed(&report), 0);
	ck_assert_ptr_nonnull(strstr(output(), "NoNewPrivs:\t1\nSeccomp:\t2\n"));
	if (geteuid() == 0) {
		ck_assert_ptr_nonnull(strstr(output(), "CapBnd:\t0000000000000001\n"));
		ck_assert_ptr_nonnull(strstr(output(), "CapEff:\t0000000000000001\n"));
	}
	ck_assert(!exec_spec_is_direct(spec));
}
END_TEST

/* An old kernel: the call is not there. */
static void forbid_close_range(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(executor_leaves_no_descriptor_to_the_service_on_an_old_kernel)
{
	struct exec_report report;

	set_up("test -e /proc/$$/fd/4 && echo four; test -e /proc/$$/fd/5 && echo five");
	forbid_close_range();
	ck_assert_int_eq(run_packed(&report), 1);
	ck_assert_uint_eq(report.step, EXEC_STEP_NONE);
	ck_assert_str_eq(output(), "");
}
END_TEST

START_TEST(executor_without_a_description_says_so)
{
	struct exec_report report;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(run_executor(fd, &report),
			EXEC_STATUS_BASE + EXEC_STEP_DESCRIPTION);
	ck_assert_uint_eq(report.step, EXEC_STEP_DESCRIPTION);
	close_fd(fd);
}
END_TEST

START_TEST(only_what_needs_no_process_of_its_own_is_direct)
{
	set_up("true");
	ck_assert(!exec_spec_is_direct(spec)); /* a file of the administrator's */
	spec->out.is_own = true;
	ck_assert(exec_spec_is_direct(spec));
	spec->out.output = EXEC_OUTPUT_JOURNAL;
	spec->out.is_own = false;
	ck_assert(exec_spec_is_direct(spec));
	spec->set_credentials = true;
	ck_assert(!exec_spec_is_direct(spec));
	spec->set_credentials = false;
	spec->set_capability_bounding = true;
	ck_assert(!exec_spec_is_direct(spec));
}
END_TEST

START_TEST(every_step_has_a_name)
{
	ck_assert_str_eq(exec_step_name(EXEC_STEP_NONE), "");
	for (uint32_t i = EXEC_STEP_NONE + 1; i < EXEC_STEP_COUNT; i++)
		ck_assert_str_ne(exec_step_name(i), "");
	ck_assert_str_eq(exec_step_name(EXEC_STEP_COUNT), "");
}
END_TEST

TEST_MAIN("steps", service_is_the_same_both_ways, each_failed_step_is_named_both_ways,
		journal_is_greeted_with_identifier_and_unit,
		optional_folder_may_be_missing,
		unknown_names_are_refused_and_nothing_runs,
		name_service_fills_in_user_groups_home_and_environment,
		folders_are_a_looked_up_users_own_and_never_through_a_link,
		group_and_notify_socket_are_a_looked_up_users_own,
		broken_pipe_is_an_error_or_the_end_as_asked,
		keys_of_the_keeper_are_shared_only_when_asked,
		confinement_holds_in_the_service,
		executor_leaves_no_descriptor_to_the_service_on_an_old_kernel,
		executor_without_a_description_says_so,
		only_what_needs_no_process_of_its_own_is_direct, every_step_has_a_name)
