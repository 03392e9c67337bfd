/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/filter.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "osl/bpf.h"
#include "support/test.h"

/*
 * The reference: entries are kept as they were written, and a call asks them from the
 * last to the first; the first that names it decides. Nothing of osl/filter.c is used for
 * that.
 */

struct entry {
	enum filter_sign sign;
	const char *name;
	int error;
};

static bool has_member(const struct syscall_group *g, const char *call)
{
	char word[64];
	size_t n;

	for (const char *at = g->members; *at; at += n + (at[n] == ' ')) {
		n = strcspn(at, " ");
		memcpy(word, at, n);
		word[n] = '\0';
		if (strcmp(word, call) == 0)
			return true;
		if (word[0] == '@' && has_member(syscall_group_find(word), call))
			return true;
	}
	return false;
}

static bool names(const char *name, const char *call)
{
	if (name[0] != '@')
		return strcmp(name, call) == 0;
	return has_member(syscall_group_find(name), call);
}

static int deny(const struct entry *e, int number)
{
	if (e && e->error)
		return e->error;
	return syscall_is_probed(number) ? ENOSYS : EPERM;
}

/* errno that the kernel has to answer, 0 for an allowed call. */
static int reference(const struct entry *entries, size_t count, int number)
{
	char *call = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
	bool is_allow_list = entries[0].sign == FILTER_PLUS;
	int error;

	if (!call)
		return ENOSYS;
	while (count > 0 && !names(entries[count - 1].name, call))
		count--;
	if (count > 0) {
		const struct entry *e = &entries[count - 1];
		bool denies = is_allow_list ? e->sign == FILTER_MINUS || e->error
					    : e->sign == FILTER_MINUS;

		error = denies ? deny(e, number) : 0;
	} else if (is_allow_list) {
		error = names("@default", call) || names("execveat", call)
				? 0
				: deny(NULL, number);
	} else {
		error = 0;
	}
	free(call);
	return error;
}

static uint32_t run(const struct sock_filter *program, size_t count, uint32_t arch,
		int number)
{
	struct seccomp_data call = { .nr = number, .arch = arch };
	uint32_t answer;

	ck_assert_int_eq(bpf_run(program, count, &call, &answer), 0);
	return answer;
}

/* Compiles and asks the program about every number. */
static void assert_filter(const struct entry *entries, size_t n_entries, const char *what)
{
	struct filter_rules rules;
	struct sock_filter *program;
	size_t count;

	filter_rules_init(&rules);
	for (size_t i = 0; i < n_entries; i++)
		ck_assert_int_eq(filter_rules_add(&rules, entries[i].sign,
						 entries[i].name, entries[i].error),
				0);
	ck_assert_int_eq(filter_compile(&rules, &program, &count), 0);
	for (int i = 0; i < 2 * SYSCALL_LIMIT; i++) {
		int error = reference(entries, n_entries, i);
		uint32_t answer = run(program, count, seccomp_arch_native(), i);

		ck_assert_msg(answer ==
						(error ? SCMP_ACT_ERRNO((unsigned int)error)
						       : SCMP_ACT_ALLOW),
				"%s: call %d answers %x, not errno %d", what, i, answer,
				error);
	}
	free(program);
}

START_TEST(allow_list_has_the_default_group)
{
	static const struct entry entries[] = { { FILTER_PLUS, "@basic-io", 0 } };

	assert_filter(entries, 1, "allow");
}
END_TEST

START_TEST(later_entries_override_earlier_ones)
{
	static const struct entry allow[] = {
		{ FILTER_PLUS, "@system-service", 0 },
		{ FILTER_MINUS, "@privileged", 0 },
		{ FILTER_PLUS, "chown", 0 },
		{ FILTER_PLUS, "kill", EACCES },
		{ FILTER_MINUS, "@timer", EINVAL },
	};
	static const struct entry deny_some[] = {
		{ FILTER_MINUS, "@mount", 0 },
		{ FILTER_MINUS, "@privileged", ENOENT },
		{ FILTER_PLUS, "chroot", 0 },
		{ FILTER_MINUS, "clone3", 0 },
	};

	assert_filter(allow, ARRAY_SIZE(allow), "allow");
	assert_filter(deny_some, ARRAY_SIZE(deny_some), "deny");
}
END_TEST

/* A repeatable sequence. */
static unsigned int draw(uint64_t *state, unsigned int below)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int)(*state >> 33) % below;
}

START_TEST(random_lists_agree_with_the_reference)
{
	static const char *const calls[] = { "mount", "clone3", "read", "execve",
		"io_uring_setup", "bpf", "umount2", "mmap2", "mseal" };
	static const int errors[] = { 0, 0, 0, EACCES, ENOSYS, EPERM, FILTER_ERROR_MAX };
	size_t n_groups = 0;

	while (syscall_group_at(n_groups))
		n_groups++;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t state = seed;
		struct entry entries[6];
		size_t count = 1 + draw(&state, ARRAY_SIZE(entries));
		char what[32];

		for (size_t i = 0; i < count; i++) {
			unsigned int pick = draw(&state,
					(unsigned int)(n_groups + ARRAY_SIZE(calls)));

			entries[i].sign = draw(&state, 2) ? FILTER_PLUS : FILTER_MINUS;
			entries[i].name = pick < n_groups ? syscall_group_at(pick)->name
							  : calls[pick - n_groups];
			entries[i].error = errors[draw(&state, ARRAY_SIZE(errors))];
		}
		(void)snprintf(what, sizeof(what), "seed %u", (unsigned int)seed);
		assert_filter(entries, count, what);
	}
}
END_TEST

START_TEST(error_number_of_the_rules_is_the_answer)
{
	struct filter_rules rules;

	filter_rules_init(&rules);
	rules.error_number = EACCES;
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_MINUS, "@mount", 0), 0);
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_MINUS, "chroot", EXDEV), 0);
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_MINUS, "clone3", 0), 0);
	ck_assert_int_eq(filter_rules_decide(&rules, SYS_mount), EACCES);
	ck_assert_int_eq(filter_rules_decide(&rules, SYS_chroot), EXDEV);
	ck_assert_int_eq(filter_rules_decide(&rules, SYS_clone3), ENOSYS);
	ck_assert_int_eq(filter_rules_decide(&rules, SYS_read), 0);
	ck_assert_int_eq(filter_rules_decide(&rules, 1000), ENOSYS);
}
END_TEST

/* libseccomp takes no rule that equals its default. */
START_TEST(denied_calls_may_answer_enosys)
{
	struct filter_rules rules;
	struct sock_filter *program;
	size_t count;

	filter_rules_init(&rules);
	rules.error_number = ENOSYS;
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_PLUS, "@system-service", 0), 0);
	ck_assert_int_eq(filter_compile(&rules, &program, &count), 0);
	ck_assert_uint_eq(run(program, count, seccomp_arch_native(), SYS_mount),
			SCMP_ACT_ERRNO(ENOSYS));
	free(program);
}
END_TEST

START_TEST(without_a_list_only_foreign_calls_end)
{
	struct filter_rules rules;
	struct sock_filter *program;
	size_t count;

	filter_rules_init(&rules);
	ck_assert_int_eq(filter_compile(&rules, &program, &count), 0);
	for (int i = -1; i < SYSCALL_LIMIT; i++)
		ck_assert_uint_eq(run(program, count, seccomp_arch_native(), i),
				SCMP_ACT_ALLOW);
	ck_assert_uint_eq(run(program, count, SCMP_ARCH_S390X, 1), SCMP_ACT_KILL_PROCESS);
	free(program);
}
END_TEST

START_TEST(foreign_architectures_end_the_process)
{
	static const struct entry entries[] = { { FILTER_PLUS, "@system-service", 0 } };
	static const uint32_t foreign[] = { SCMP_ARCH_X86, SCMP_ARCH_X86_64,
		SCMP_ARCH_ARM, SCMP_ARCH_AARCH64, SCMP_ARCH_S390X, 0, UINT32_MAX };
	struct filter_rules rules;
	struct sock_filter *program;
	size_t count;

	filter_rules_init(&rules);
	ck_assert_int_eq(
			filter_rules_add(&rules, entries[0].sign, entries[0].name, 0), 0);
	ck_assert_int_eq(filter_compile(&rules, &program, &count), 0);
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (foreign[i] != seccomp_arch_native())
			ck_assert_uint_eq(run(program, count, foreign[i], 0),
					SCMP_ACT_KILL_PROCESS);
	if (seccomp_arch_native() == SCMP_ARCH_X86_64)
		for (int i = 0; i < SYSCALL_LIMIT; i++)
			ck_assert_uint_eq(run(program, count, SCMP_ARCH_X86_64,
							  0x40000000 | i),
					SCMP_ACT_KILL_PROCESS);
	free(program);
}
END_TEST

START_TEST(unknown_names_change_nothing)
{
	struct filter_rules rules;

	filter_rules_init(&rules);
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_PLUS, "@systm-service", 0),
			-ENOENT);
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_MINUS, "monut", 0), -ENOENT);
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_PLUS, "", 0), -ENOENT);
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_PLUS, "read write", 0), -ENOENT);
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_PLUS,
					 "a_name_that_is_longer_than_any_system_call_"
					 "could_ever_be_in_any_kernel",
					 0),
			-ENOENT);
	ck_assert_int_eq(rules.kind, FILTER_NONE);
}
END_TEST

START_TEST(reset_list_chooses_its_kind_again)
{
	struct filter_rules rules;

	filter_rules_init(&rules);
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_PLUS, "@system-service", 0), 0);
	filter_rules_reset(&rules);
	ck_assert_int_eq(filter_rules_decide(&rules, SYS_mount), 0);
	ck_assert_int_eq(filter_rules_add(&rules, FILTER_MINUS, "@mount", 0), 0);
	ck_assert_int_eq(rules.kind, FILTER_DENY_LIST);
	ck_assert_int_eq(filter_rules_decide(&rules, SYS_mount), EPERM);
	ck_assert_int_eq(filter_rules_decide(&rules, SYS_reboot), 0);
}
END_TEST

START_TEST(compilation_without_memory_is_told)
{
	struct filter_rules rules;
	struct sock_filter *program = NULL;
	size_t count;
	int r;

	filter_rules_init(&rules);
	alloc_fail_at(1);
	r = filter_compile(&rules, &program, &count);
	ck_assert_int_eq(alloc_fail_stop(), 1);
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_ptr_null(program);
}
END_TEST

TEST_MAIN("filter", allow_list_has_the_default_group, later_entries_override_earlier_ones,
		random_lists_agree_with_the_reference,
		error_number_of_the_rules_is_the_answer, denied_calls_may_answer_enosys,
		without_a_list_only_foreign_calls_end,
		foreign_architectures_end_the_process, unknown_names_change_nothing,
		reset_list_chooses_its_kind_again, compilation_without_memory_is_told)
