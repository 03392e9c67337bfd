/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "osl/filter.h"
#include "support/test.h"

/*
 * Every test runs in a process of its own, so a sandbox ends with it. The steps that need
 * privilege are tested for their refusal when there is none.
 */

#define CHOWN      0
#define NET_BIND   10
#define SYS_MODULE 16

static bool has_bounding(int capability)
{
	return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1;
}

static bool is_privileged(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];

	ck_assert_int_eq((int)syscall(SYS_capget, &header, data), 0);
	return data[0].effective & 1u << CAP_SETPCAP && has_bounding(NET_BIND);
}

static void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(65534, 65534, 65534), 0);
	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
}

/* Ends a test behind a filter: the leak checker would want system calls that are denied.
 */
static void leave(struct sock_filter *program)
{
	free(program);
	_exit(EXIT_SUCCESS);
}

static void compile(enum filter_sign sign, const char *name, struct sock_filter **ret,
		size_t *ret_count)
{
	struct filter_rules rules;

	filter_rules_init(&rules);
	ck_assert_int_eq(filter_rules_add(&rules, sign, name, 0), 0);
	ck_assert_int_eq(filter_compile(&rules, ret, ret_count), 0);
}

START_TEST(bounding_set_keeps_what_is_named)
{
	if (!is_privileged()) {
		ck_assert_int_eq(sandbox_drop_bounding_set(1 << NET_BIND), -EPERM);
		return;
	}
	ck_assert_int_eq(sandbox_drop_bounding_set(1 << NET_BIND), 0);
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(has_bounding(i), i == NET_BIND);
	ck_assert_int_eq(sandbox_drop_bounding_set(0), 0);
	ck_assert(!has_bounding(NET_BIND));
}
END_TEST

START_TEST(keeping_everything_needs_no_privilege)
{
	bool before[64];

	become_nobody();
	for (int i = 0; i < 64; i++)
		before[i] = has_bounding(i);
	ck_assert_int_eq(sandbox_drop_bounding_set(UINT64_MAX), 0);
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(has_bounding(i), before[i]);
}
END_TEST

START_TEST(unprivileged_drop_is_refused)
{
	if (!has_bounding(CHOWN))
		return;
	become_nobody();
	ck_assert_int_eq(sandbox_drop_bounding_set(0), -EPERM);
}
END_TEST

START_TEST(inheritable_capabilities_go_with_the_bounding_set)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];

	if (!is_privileged())
		return;
	ck_assert_int_eq((int)syscall(SYS_capget, &header, data), 0);
	data[0].inheritable = 1u << CHOWN | 1u << NET_BIND;
	ck_assert_int_eq((int)syscall(SYS_capset, &header, data), 0);
	ck_assert_int_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CHOWN, 0, 0), 0);
	ck_assert_int_eq(sandbox_drop_bounding_set(1 << NET_BIND), 0);
	ck_assert_int_eq((int)syscall(SYS_capget, &header, data), 0);
	ck_assert_uint_eq(data[0].inheritable, 1u << NET_BIND);
	ck_assert_int_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CHOWN, 0, 0), 0);
}
END_TEST

START_TEST(root_program_does_not_regain_capabilities)
{
	int ends[2], status;
	char line[64] = "";
	pid_t pid;

	if (!is_privileged())
		return;
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (sandbox_drop_bounding_set(1 << CHOWN) < 0 || dup2(ends[1], 1) < 0)
			_exit(1);
		execl("/bin/sh", "sh", "-c",
				"while read -r k v; do [ $k = CapEff: ] && echo $v; done "
				"</proc/self/status",
				NULL);
		_exit(2);
	}
	close(ends[1]);
	ck_assert_int_gt(read(ends[0], line, sizeof(line) - 1), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_uint_eq(strtoull(line, NULL, 16), 1 << CHOWN);
}
END_TEST

START_TEST(no_new_privs_is_set_and_stays)
{
	become_nobody();
	ck_assert_int_eq(sandbox_set_no_new_privs(), 0);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	ck_assert_int_eq(sandbox_set_no_new_privs(), 0);
}
END_TEST

START_TEST(filter_without_privilege_needs_no_new_privs)
{
	struct sock_filter *program;
	size_t count;

	compile(FILTER_PLUS, "@system-service", &program, &count);
	become_nobody();
	ck_assert_int_eq(sandbox_install_filter(program, count), -EACCES);
	ck_assert_int_eq(sandbox_set_no_new_privs(), 0);
	ck_assert_int_eq(sandbox_install_filter(program, count), 0);
	ck_assert_int_eq(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), SECCOMP_MODE_FILTER);
	leave(program);
}
END_TEST

START_TEST(broken_programs_are_refused)
{
	static const struct sock_filter endless = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);

	ck_assert_int_eq(sandbox_set_no_new_privs(), 0);
	ck_assert_int_eq(sandbox_install_filter(&endless, 0), -EMSGSIZE);
	ck_assert_int_eq(sandbox_install_filter(&endless, 4097), -EMSGSIZE);
	ck_assert_int_eq(sandbox_install_filter(&endless, 65536 + 1), -EMSGSIZE);
	ck_assert_int_eq(sandbox_install_filter(&endless, 1), -EINVAL);
}
END_TEST

/* Asks the kernel itself. Each call would fail otherwise in another way. */
START_TEST(kernel_answers_as_the_rules_say)
{
	struct sock_filter *program;
	size_t count;

	compile(FILTER_PLUS, "@system-service", &program, &count);
	ck_assert_int_eq(sandbox_set_no_new_privs(), 0);
	ck_assert_int_eq(sandbox_install_filter(program, count), 0);
	ck_assert_int_eq(mount(NULL, NULL, NULL, 0, NULL), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq((int)syscall(SYS_reboot, 0, 0, 0, NULL), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq((int)syscall(1000), -1);
	ck_assert_int_eq(errno, ENOSYS);
	ck_assert_int_eq((int)syscall(SYS_clone3, NULL, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq((int)syscall(SYS_getpid), getpid());
	leave(program);
}
END_TEST

START_TEST(denied_clone3_leaves_programs_their_older_way)
{
	struct sock_filter *program;
	size_t count;
	int status;
	pid_t pid;

	compile(FILTER_MINUS, "clone3", &program, &count);
	ck_assert_int_eq(sandbox_set_no_new_privs(), 0);
	ck_assert_int_eq(sandbox_install_filter(program, count), 0);
	ck_assert_int_eq((int)syscall(SYS_clone3, NULL, 0), -1);
	ck_assert_int_eq(errno, ENOSYS);
	pid = fork();
	if (pid == 0)
		_exit(7);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	free(program);
}
END_TEST

#ifdef __x86_64__
#	define X32_GETPID (0x40000000 | SYS_getpid)

START_TEST(call_of_another_architecture_ends_the_process)
{
	struct sock_filter *program;
	size_t count;
	int status;
	pid_t pid;

	compile(FILTER_MINUS, "@mount", &program, &count);
	pid = fork();
	if (pid == 0) {
		if (sandbox_set_no_new_privs() < 0 ||
				sandbox_install_filter(program, count) < 0)
			_exit(1);
		(void)syscall(X32_GETPID);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	free(program);
}
END_TEST
#	define FOREIGN_TESTS call_of_another_architecture_ends_the_process,
#else
#	define FOREIGN_TESTS
#endif

TEST_MAIN("sandbox", bounding_set_keeps_what_is_named,
		keeping_everything_needs_no_privilege, unprivileged_drop_is_refused,
		inheritable_capabilities_go_with_the_bounding_set,
		root_program_does_not_regain_capabilities, no_new_privs_is_set_and_stays,
		FOREIGN_TESTS filter_without_privilege_needs_no_new_privs,
		broken_programs_are_refused, kernel_answers_as_the_rules_say,
		denied_clone3_leaves_programs_their_older_way)
