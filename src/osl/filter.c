/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/filter.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/fd.h"
#include "osl/bpf.h"

/*
 * libseccomp has one default action, but two are needed: EPERM for what is known and
 * denied, ENOSYS for what is not known. So every known call gets a rule of its own and
 * the default is for the unknown. The tree keeps the walk through some hundred rules
 * short, and the kernel answers constantly allowed calls from a bitmap anyway.
 */

#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define NAME_SIZE   64
/* Groups contain groups; the table is two deep. */
#define DEPTH_MAX 4

void filter_rules_init(struct filter_rules *rules)
{
	rules->error_number = EPERM;
	filter_rules_reset(rules);
}

void filter_rules_reset(struct filter_rules *rules)
{
	rules->kind = FILTER_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(rules->calls); i++)
		rules->calls[i] = FILTER_NOT_LISTED;
}

/* What the entry means for a list of this kind. */
static int16_t listing_of(enum filter_kind kind, enum filter_sign sign, int error)
{
	if (kind == FILTER_ALLOW_LIST) {
		if (sign == FILTER_MINUS && error == 0)
			return FILTER_NOT_LISTED;
		return (int16_t)error;
	}
	return sign == FILTER_MINUS ? (int16_t)error : FILTER_NOT_LISTED;
}

/* A walk over the calls of a group and of the groups in it. */
struct walk {
	const char *at[DEPTH_MAX];
	unsigned int depth;
};

static void walk_into(struct walk *w, const char *members)
{
	bug_unless(w->depth < DEPTH_MAX);
	w->at[w->depth++] = members;
}

/* Cuts the next word off the innermost list; false when that is at its end. */
static bool cut_word(struct walk *w, char name[static NAME_SIZE])
{
	const char **at = &w->at[w->depth - 1];
	size_t n = strcspn(*at, " ");

	bug_unless(n < NAME_SIZE);
	memcpy(name, *at, n);
	name[n] = '\0';
	*at += n + strspn(*at + n, " ");
	return n > 0;
}

/* The next call; false at the end. */
static bool walk_next(struct walk *w, char name[static NAME_SIZE])
{
	while (w->depth > 0) {
		if (!cut_word(w, name))
			w->depth--;
		else if (name[0] == '@')
			walk_into(w, syscall_group_find(name)->members);
		else
			return true;
	}
	return false;
}

/* name is known and short enough. */
static void list_name(struct filter_rules *rules, const char *name, int16_t listing)
{
	struct walk w = { 0 };
	char call[NAME_SIZE];
	int number;

	walk_into(&w, name);
	while (walk_next(&w, call)) {
		number = syscall_number(call);
		if (number >= 0 && number < SYSCALL_LIMIT)
			rules->calls[number] = listing;
	}
}

int filter_rules_add(struct filter_rules *rules, enum filter_sign sign, const char *name,
		int error)
{
	if (strlen(name) >= NAME_SIZE || strchr(name, ' '))
		return -ENOENT;
	if (name[0] == '@' ? !syscall_group_find(name) : syscall_number(name) == -ENOENT)
		return -ENOENT;
	if (rules->kind == FILTER_NONE && sign == FILTER_MINUS)
		rules->kind = FILTER_DENY_LIST;
	if (rules->kind == FILTER_NONE) {
		rules->kind = FILTER_ALLOW_LIST;
		list_name(rules, "@default", FILTER_LISTED);
		list_name(rules, "execveat", FILTER_LISTED);
	}
	list_name(rules, name, listing_of(rules->kind, sign, error));
	return 0;
}

static int decide_denied(const struct filter_rules *rules, int number, int16_t listing)
{
	if (listing > 0)
		return listing;
	return syscall_is_probed(number) ? ENOSYS : rules->error_number;
}

int filter_rules_decide(const struct filter_rules *rules, int number)
{
	int16_t listing;

	if (rules->kind == FILTER_NONE)
		return 0;
	if (!syscall_is_known(number))
		return ENOSYS;
	listing = rules->calls[number];
	if (rules->kind == FILTER_ALLOW_LIST)
		return listing == FILTER_LISTED ? 0
						: decide_denied(rules, number, listing);
	return listing == FILTER_NOT_LISTED ? 0 : decide_denied(rules, number, listing);
}

/* What the program has to answer. */
static uint32_t answer_to(const struct filter_rules *rules, int number)
{
	int error = filter_rules_decide(rules, number);

	return error ? SCMP_ACT_ERRNO((unsigned int)error) : SCMP_ACT_ALLOW;
}

static int set_up(scmp_filter_ctx context)
{
	int r;

	r = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r < 0)
		return r;
	/* no_new_privs is a setting of the policy, not a consequence of the program. */
	r = seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0);
	if (r < 0)
		return r;
	return seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

static int add_rules(scmp_filter_ctx context, const struct filter_rules *rules,
		uint32_t default_answer)
{
	uint32_t answer;
	int r;

	for (int i = 0; i < SYSCALL_LIMIT; i++) {
		answer = answer_to(rules, i);
		/* libseccomp refuses a rule that says what the default says. */
		if (answer == default_answer)
			continue;
		r = seccomp_rule_add_exact(context, answer, i, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int export_program(scmp_filter_ctx context, struct sock_filter **ret_program,
		size_t *ret_count)
{
	auto_close int fd = memfd_create("filter", MFD_CLOEXEC);
	auto_free char *data = NULL;
	size_t size;
	int r;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(context, fd);
	if (r < 0)
		return r;
	r = fd_read_all(fd, PROGRAM_MAX, &data, &size);
	if (r < 0)
		return r;
	if (size == 0 || size % sizeof(struct sock_filter))
		return -EPROTO;
	*ret_program = (struct sock_filter *)(void *)TAKE_PTR(data);
	*ret_count = size / sizeof(struct sock_filter);
	return 0;
}

static int check_answer(const struct sock_filter *program, size_t count,
		const struct seccomp_data *call, uint32_t wanted)
{
	uint32_t answer;

	if (bpf_run(program, count, call, &answer) < 0 || answer != wanted)
		return -EPROTO;
	return 0;
}

/* Calls that come in by another architecture, or as x32 by this one. */
static int check_foreign(const struct sock_filter *program, size_t count, int number)
{
	struct seccomp_data call = { .nr = number };
	uint32_t native = seccomp_arch_native();

	call.arch = native == SCMP_ARCH_X86_64 ? SCMP_ARCH_X86 : SCMP_ARCH_X86_64;
	if (check_answer(program, count, &call, SCMP_ACT_KILL_PROCESS) < 0)
		return -EPROTO;
	if (native != SCMP_ARCH_X86_64)
		return 0;
	call.arch = native;
	call.nr = number | 0x40000000;
	return check_answer(program, count, &call, SCMP_ACT_KILL_PROCESS);
}

static int check_program(const struct filter_rules *rules,
		const struct sock_filter *program, size_t count)
{
	struct seccomp_data call = { .arch = seccomp_arch_native() };

	for (int i = 0; i < SYSCALL_LIMIT; i++) {
		call.nr = i;
		if (check_answer(program, count, &call, answer_to(rules, i)) < 0 ||
				check_foreign(program, count, i) < 0)
			return -EPROTO;
	}
	/* The largest number that is not x32's, and no number at all. */
	call.nr = 0x3fffffff;
	if (check_answer(program, count, &call, answer_to(rules, SYSCALL_LIMIT)) < 0)
		return -EPROTO;
	call.nr = -1;
	return check_answer(program, count, &call, answer_to(rules, SYSCALL_LIMIT));
}

int filter_compile(const struct filter_rules *rules, struct sock_filter **ret_program,
		size_t *ret_count)
{
	uint32_t unknown = answer_to(rules, SYSCALL_LIMIT);
	auto_free struct sock_filter *program = NULL;
	scmp_filter_ctx context;
	size_t count = 0;
	int r;

	context = seccomp_init(unknown);
	if (!context)
		return -ENOMEM;
	r = set_up(context);
	if (r == 0)
		r = add_rules(context, rules, unknown);
	if (r == 0)
		r = export_program(context, &program, &count);
	seccomp_release(context);
	if (r < 0)
		return r;
	r = check_program(rules, program, count);
	if (r < 0)
		return r;
	*ret_program = TAKE_PTR(program);
	*ret_count = count;
	return 0;
}
