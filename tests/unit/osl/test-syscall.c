/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/syscall.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/text.h"
#include "support/test.h"

/* Splits members at blanks. */
static void split(const char *members, struct strv *ret)
{
	size_t n;

	for (const char *at = members; *at; at += n + (at[n] == ' ')) {
		n = strcspn(at, " ");
		ck_assert_msg(n > 0, "two blanks in \"%s\"", members);
		ck_assert_int_eq(strv_append_n(ret, at, n), 0);
	}
}

static bool is_known_anywhere(const char *name)
{
	/* Newer than the oldest libseccomp that is supported. */
	static const char *const newer[] = {
		"cachestat",
		"fchmodat2",
		"file_getattr",
		"file_setattr",
		"futex_requeue",
		"futex_wait",
		"futex_waitv",
		"futex_wake",
		"getxattrat",
		"listmount",
		"listxattrat",
		"map_shadow_stack",
		"mseal",
		"open_tree_attr",
		"quotactl_fd",
		"removexattrat",
		"riscv_hwprobe",
		"set_mempolicy_home_node",
		"setxattrat",
		"statmount",
		"uretprobe",
	};

	for (size_t i = 0; i < ARRAY_SIZE(newer); i++)
		if (strcmp(newer[i], name) == 0)
			return true;
	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

START_TEST(every_member_is_a_group_or_a_call)
{
	const struct syscall_group *g;

	for (size_t i = 0; (g = syscall_group_at(i)); i++) {
		auto_strv members = { 0 };

		split(g->members, &members);
		for (size_t j = 0; j < members.count; j++) {
			const char *m = members.items[j];

			if (m[0] == '@')
				ck_assert_msg(syscall_group_find(m), "%s in %s", m,
						g->name);
			else
				ck_assert_msg(is_known_anywhere(m), "%s in %s", m,
						g->name);
			for (size_t k = 0; k < j; k++)
				ck_assert_msg(strcmp(members.items[k], m) != 0,
						"%s twice in %s", m, g->name);
		}
	}
}
END_TEST

START_TEST(groups_stand_in_order_and_are_found)
{
	const struct syscall_group *g, *before = NULL;

	for (size_t i = 0; (g = syscall_group_at(i)); i++) {
		ck_assert_int_eq(g->name[0], '@');
		ck_assert_ptr_eq(syscall_group_find(g->name), g);
		if (before)
			ck_assert_int_lt(strcmp(before->name, g->name), 0);
		before = g;
	}
	ck_assert_ptr_null(syscall_group_find("@none"));
	ck_assert_ptr_null(syscall_group_find("mount"));
}
END_TEST

START_TEST(numbers_are_those_of_the_kernel)
{
	ck_assert_int_eq(syscall_number("execve"), SYS_execve);
	ck_assert_int_eq(syscall_number("openat"), SYS_openat);
	ck_assert_int_eq(syscall_number("mount"), SYS_mount);
	ck_assert_int_eq(syscall_number("clone3"), SYS_clone3);
	ck_assert_int_eq(syscall_number("s390_runtime_instr"), SYSCALL_ABSENT);
	ck_assert_int_eq(syscall_number("file_setattr"), SYSCALL_ABSENT);
	ck_assert_int_eq(syscall_number("monut"), -ENOENT);
	ck_assert_int_eq(syscall_number(""), -ENOENT);
	ck_assert_int_eq(syscall_number("io"), -ENOENT);
	ck_assert_int_eq(syscall_number("@mount"), -ENOENT);
	ck_assert_int_eq(syscall_number("@aio"), -ENOENT);
}
END_TEST

START_TEST(unknown_numbers_are_unknown)
{
	ck_assert(syscall_is_known(SYS_execve));
	ck_assert(!syscall_is_known(-1));
	ck_assert(!syscall_is_known(SYSCALL_LIMIT));
	ck_assert(!syscall_is_known(1000));
}
END_TEST

START_TEST(only_newcomers_are_probed)
{
	ck_assert(syscall_is_probed(SYS_clone3));
	ck_assert(syscall_is_probed(SYS_faccessat2));
	ck_assert(syscall_is_probed(SYS_openat2));
	ck_assert(syscall_is_probed(SYS_close_range));
	ck_assert(syscall_is_probed(SYS_rseq));
	ck_assert(!syscall_is_probed(SYS_mount));
	ck_assert(!syscall_is_probed(-1));
}
END_TEST

TEST_MAIN("syscall", every_member_is_a_group_or_a_call,
		groups_stand_in_order_and_are_found, numbers_are_those_of_the_kernel,
		unknown_numbers_are_unknown, only_newcomers_are_probed)
