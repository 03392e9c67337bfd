/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/policy.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "osl/bpf.h"
#include "osl/draft.h"
#include "osl/syscall.h"
#include "support/test.h"

#define BIT(capability) (UINT64_C(1) << (capability))

static struct strv paths;
static const char *folder;

/* A folder of policies that all of a test's loads look into. */
static void use_folder(void)
{
	folder = test_folder();
	ck_assert_int_eq(strv_append(&paths, folder), 0);
}

static void write_policy(const char *name, const char *lines)
{
	auto_free char *file = text_format("%s.policy", name);
	auto_free char *content = text_format("[Policy]\n%s\n", lines);

	if (!folder)
		use_folder();
	ck_assert(file && content);
	test_write(test_path(folder, file), content, 0644);
}

static struct policy *load(const char *name)
{
	struct policy *p = NULL;
	auto_diag d = { 0 };
	int r = policy_load(name, &paths, &d, &p);

	ck_assert_msg(r == 0, "%s: %d %s", name, r, d.count ? d.items[0].text : "");
	ck_assert_uint_eq(d.errors, 0);
	return p;
}

static struct policy *load_lines(const char *lines)
{
	write_policy("p", lines);
	return load("p");
}

/* The errno that the policy's program answers, 0 when it allows the call. */
static int answer(const struct policy *p, int number)
{
	struct seccomp_data call = { .nr = number, .arch = seccomp_arch_native() };
	uint32_t action;

	ck_assert_ptr_nonnull(p->filter);
	ck_assert_int_eq(bpf_run(p->filter, p->filter_count, &call, &action), 0);
	return action == SECCOMP_RET_ALLOW ? 0 : (int)(action & SECCOMP_RET_DATA);
}

/* The policy "p" is refused with exactly one error of this code, at this line. */
static void assert_refused(const char *code, unsigned int line)
{
	struct policy *p = NULL;
	auto_diag d = { 0 };

	ck_assert_int_eq(policy_load("p", &paths, &d, &p), -EINVAL);
	ck_assert_ptr_null(p);
	ck_assert_uint_eq(d.count, 1);
	ck_assert_str_eq(d.items[0].code, code);
	ck_assert_uint_eq(d.items[0].line, line);
	ck_assert_ptr_nonnull(d.items[0].remedy);
	ck_assert_int_eq(policy_load("p", &paths, NULL, &p), -EINVAL);
}

static void assert_line_refused(const char *lines, const char *code, unsigned int line)
{
	write_policy("p", lines);
	assert_refused(code, line);
}

START_TEST(empty_policy_restricts_nothing)
{
	auto_(policy) p = load_lines("");

	ck_assert_str_eq(p->name, "p");
	ck_assert_ptr_null(p->description);
	ck_assert(!p->no_new_privs);
	ck_assert_uint_eq(p->bounding_set, POLICY_ALL_CAPABILITIES);
	ck_assert_ptr_null(p->filter);
	ck_assert_uint_eq(p->filter_count, 0);
	ck_assert_uint_eq(p->files.count, 1);
}
END_TEST

START_TEST(all_keys_reach_the_policy)
{
	auto_(policy) p = load_lines("# comment\n"
				     "Description=Two  words\n"
				     "NoNewPrivileges=yes\n"
				     "CapabilityBoundingSet=CAP_CHOWN cap_kill\n"
				     "SystemCallFilter=@system-service \\\n"
				     "  chroot\n"
				     "SystemCallFilter=~kill:EACCES tkill:ENOENT @timer\n"
				     "SystemCallErrorNumber=EXDEV\n"
				     "SystemCallArchitectures=native\n"
				     "X-Own=ignored\n"
				     "[X-Section]\n"
				     "Key=ignored");

	ck_assert_str_eq(p->description, "Two  words");
	ck_assert(p->no_new_privs);
	ck_assert_uint_eq(p->bounding_set, BIT(CAP_CHOWN) | BIT(CAP_KILL));
	ck_assert_int_eq(answer(p, SYS_read), 0);
	ck_assert_int_eq(answer(p, SYS_chroot), 0);
	ck_assert_int_eq(answer(p, SYS_kill), EACCES);
	ck_assert_int_eq(answer(p, SYS_tkill), ENOENT);
	ck_assert_int_eq(answer(p, SYS_timer_create), EXDEV);
	ck_assert_int_eq(answer(p, SYS_mount), EXDEV);
	ck_assert_int_eq(answer(p, 1000), ENOSYS);
}
END_TEST

START_TEST(filter_implies_no_new_privileges)
{
	auto_(policy) p = load_lines("SystemCallFilter=@system-service");

	ck_assert(p->no_new_privs);
}
END_TEST

START_TEST(filter_without_no_new_privileges_is_warned_of)
{
	auto_(policy) p = NULL;
	auto_diag d = { 0 };

	write_policy("p", "SystemCallFilter=~@mount\nNoNewPrivileges=no");
	ck_assert_int_eq(policy_load("p", &paths, &d, &p), 0);
	ck_assert(!p->no_new_privs);
	ck_assert_uint_eq(d.warnings, 1);
	ck_assert(diag_has(&d, "O016"));
}
END_TEST

START_TEST(architecture_alone_makes_a_filter)
{
	auto_(policy) p = load_lines("SystemCallArchitectures=native");

	ck_assert_int_eq(answer(p, SYS_mount), 0);
	ck_assert_int_eq(answer(p, 1000), 0);
	ck_assert(p->no_new_privs);
}
END_TEST

START_TEST(bounding_sets_combine_as_in_systemd)
{
	static const struct {
		const char *lines;
		uint64_t set;
	} cases[] = {
		{ "CapabilityBoundingSet=", 0 },
		{ "CapabilityBoundingSet=~", UINT64_MAX },
		{ "CapabilityBoundingSet=CAP_CHOWN", BIT(CAP_CHOWN) },
		{ "CapabilityBoundingSet=~CAP_CHOWN CAP_KILL",
				~(BIT(CAP_CHOWN) | BIT(CAP_KILL)) },
		{ "CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=CAP_KILL",
				BIT(CAP_CHOWN) | BIT(CAP_KILL) },
		{ "CapabilityBoundingSet=~CAP_CHOWN\nCapabilityBoundingSet=~CAP_KILL",
				~(BIT(CAP_CHOWN) | BIT(CAP_KILL)) },
		{ "CapabilityBoundingSet=CAP_CHOWN CAP_KILL\nCapabilityBoundingSet=~CAP_KILL",
				BIT(CAP_CHOWN) },
		{ "CapabilityBoundingSet=~CAP_KILL\nCapabilityBoundingSet=CAP_KILL",
				UINT64_MAX },
		{ "CapabilityBoundingSet=CAP_KILL\nCapabilityBoundingSet=", 0 },
		{ "CapabilityBoundingSet=\nCapabilityBoundingSet=CAP_KILL",
				BIT(CAP_KILL) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(policy) p = load_lines(cases[i].lines);

		ck_assert_msg(p->bounding_set == cases[i].set, "case %zu", i);
	}
}
END_TEST

START_TEST(empty_filter_starts_anew)
{
	auto_(policy) p = load_lines("SystemCallFilter=@system-service\n"
				     "SystemCallFilter=\n"
				     "SystemCallFilter=~@mount");

	ck_assert_int_eq(answer(p, SYS_reboot), 0);
	ck_assert_int_eq(answer(p, SYS_mount), EPERM);
}
END_TEST

START_TEST(errors_are_names_or_numbers)
{
	auto_(policy) p = load_lines("SystemCallFilter=~mount:13 swapon:EHOSTUNREACH\n"
				     "SystemCallErrorNumber=71\n"
				     "SystemCallFilter=~reboot");

	ck_assert_int_eq(answer(p, SYS_mount), EACCES);
	ck_assert_int_eq(answer(p, SYS_swapon), EHOSTUNREACH);
	ck_assert_int_eq(answer(p, SYS_reboot), EPROTO);
}
END_TEST

START_TEST(extension_is_edited_by_its_own_lines)
{
	write_policy("base",
			"Description=Base\nSystemCallFilter=@system-service\nNoNewPrivileges=no\n"
			"CapabilityBoundingSet=CAP_CHOWN CAP_KILL\nSystemCallErrorNumber=EACCES");
	write_policy("middle",
			"Extends=base\nSystemCallFilter=~kill\nNoNewPrivileges=yes");
	/* Extends= counts from wherever it stands. */
	write_policy("p", "CapabilityBoundingSet=~CAP_KILL\nExtends=middle");
	auto_(policy) p = load("p");

	ck_assert_ptr_null(p->description);
	ck_assert(p->no_new_privs);
	ck_assert_uint_eq(p->bounding_set, BIT(CAP_CHOWN));
	ck_assert_int_eq(answer(p, SYS_read), 0);
	ck_assert_int_eq(answer(p, SYS_kill), EACCES);
	ck_assert_uint_eq(p->files.count, 3);
	ck_assert(has_suffix(p->files.items[0], "/p.policy"));
	ck_assert(has_suffix(p->files.items[2], "/base.policy"));
}
END_TEST

START_TEST(empty_extension_is_none)
{
	auto_(policy) p = load_lines("Extends=nothing\nExtends=");

	ck_assert_uint_eq(p->files.count, 1);
}
END_TEST

START_TEST(circles_of_extensions_are_refused)
{
	write_policy("p", "Extends=p");
	assert_refused("O009", 2);
	write_policy("p", "\nExtends=q");
	write_policy("q", "Extends=r");
	write_policy("r", "Extends=p");
	assert_refused("O009", 2);
}
END_TEST

START_TEST(chain_of_extensions_has_an_end)
{
	for (int i = 0; i < POLICY_DEPTH_MAX; i++) {
		auto_free char *name = text_format("n%d", i);
		auto_free char *lines = text_format("Extends=n%d", i + 1);

		write_policy(name, i < POLICY_DEPTH_MAX - 1 ? lines : "");
	}
	policy_free(load("n0"));
	write_policy("p", "Extends=n0");
	assert_refused("O009", 2);
}
END_TEST

START_TEST(mistakes_are_told_with_their_line)
{
	assert_line_refused("\nNoNewPriviliges=yes", "O007", 3);
	assert_line_refused("NoNewPrivileges=perhaps", "O008", 2);
	assert_line_refused("NoNewPrivileges=", "O008", 2);
	assert_line_refused("CapabilityBoundingSet=CAP_CHOWN CAP_FLY", "O010", 2);
	assert_line_refused("CapabilityBoundingSet=CHOWN", "O010", 2);
	assert_line_refused("CapabilityBoundingSet=~~CAP_CHOWN", "O010", 2);
	assert_line_refused("SystemCallFilter=@system-service monut", "O011", 2);
	assert_line_refused("SystemCallFilter=read,write", "O011", 2);
	assert_line_refused("SystemCallFilter=read \\\n ~write", "O011", 2);
	assert_line_refused("SystemCallFilter=@systm-service", "O012", 2);
	assert_line_refused("SystemCallFilter=~@mount:EWHAT", "O013", 2);
	assert_line_refused("SystemCallFilter=~@mount:0", "O013", 2);
	assert_line_refused("SystemCallFilter=~@mount:", "O013", 2);
	assert_line_refused("SystemCallErrorNumber=4095", "O013", 2);
	assert_line_refused("SystemCallErrorNumber=kill", "O013", 2);
	assert_line_refused("SystemCallArchitectures=native x86", "O014", 2);
	assert_line_refused("Extends=absent", "O002", 2);
	assert_line_refused("Extends=../etc/passwd", "O001", 2);
	assert_line_refused("word", "O005", 2);
	assert_line_refused("[Limits]\nLimitNOFILE=5\nLimitCORE=0", "O006", 2);
}
END_TEST

START_TEST(all_mistakes_are_told_at_once)
{
	struct policy *p = NULL;
	auto_diag d = { 0 };

	write_policy("q", "NoNewPrivileges=x");
	write_policy("p",
			"Extends=q\nCapabilityBoundingSet=A B\nword\nSystemCallFilter=c d");
	ck_assert_int_eq(policy_load("p", &paths, &d, &p), -EINVAL);
	ck_assert_uint_eq(d.errors, 6);
	ck_assert(has_suffix(d.items[0].file, "/q.policy"));
	ck_assert(has_suffix(d.items[5].file, "/p.policy"));
}
END_TEST

START_TEST(lines_before_a_section_are_refused)
{
	use_folder();
	test_write(test_path(folder, "p.policy"), "NoNewPrivileges=yes\n[Policy]\n",
			0644);
	assert_refused("O006", 1);
}
END_TEST

START_TEST(policy_must_let_the_service_start)
{
	write_policy("p", "SystemCallFilter=@system-service\nSystemCallFilter=~execve");
	assert_refused("O015", 0);
	write_policy("p", "SystemCallFilter=~execveat");
	assert_refused("O015", 0);
}
END_TEST

START_TEST(absent_policy_is_told)
{
	struct policy *p;
	auto_diag d = { 0 };

	use_folder();
	ck_assert_int_eq(strv_append(&paths, "/nonexistent/folder"), 0);
	ck_assert_int_eq(policy_load("p", &paths, &d, &p), -ENOENT);
	ck_assert(diag_has(&d, "O002"));
}
END_TEST

START_TEST(names_are_only_names)
{
	static const char *const bad[] = { "", ".", "..", "../p", "a/b", "-p", ".p",
		"a b", "a\n", "\xc3\xa9",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	use_folder();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct policy *p;
		auto_diag d = { 0 };

		ck_assert_int_eq(policy_load(bad[i], &paths, &d, &p), -EINVAL);
		ck_assert_msg(diag_has(&d, "O001"), "%s", bad[i]);
	}
	ck_assert(policy_name_is_valid("system-service@2_x.Y"));
}
END_TEST

START_TEST(first_folder_decides)
{
	const char *second;

	write_policy("q", "Description=second");
	write_policy("p", "Description=second");
	second = folder;
	strv_fini(&paths);
	use_folder();
	write_policy("p", "Description=first\nExtends=q");
	ck_assert_int_eq(strv_append(&paths, second), 0);
	auto_(policy) p = load("p");
	ck_assert_str_eq(p->description, "first");
	ck_assert(has_prefix(p->files.items[1], second));
}
END_TEST

START_TEST(untrusted_files_and_folders_are_refused)
{
	write_policy("p", "");
	ck_assert_int_eq(chmod(test_path(folder, "p.policy"), 0664), 0);
	assert_refused("O003", 0);
	ck_assert_int_eq(chmod(test_path(folder, "p.policy"), 0644), 0);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	assert_refused("O004", 0);
	ck_assert_int_eq(chmod(folder, 0700), 0);
	policy_free(load("p"));
	ck_assert_int_eq(
			rename(test_path(folder, "p.policy"), test_path(folder, "q")), 0);
	ck_assert_int_eq(symlink("q", test_path(folder, "p.policy")), 0);
	assert_refused("O003", 0);
	ck_assert_int_eq(unlink(test_path(folder, "p.policy")), 0);
	ck_assert_int_eq(mkfifo(test_path(folder, "p.policy"), 0600), 0);
	assert_refused("O003", 0);
}
END_TEST

START_TEST(folder_that_is_a_file_is_refused)
{
	use_folder();
	test_write(test_path(folder, "file"), "", 0644);
	strv_fini(&paths);
	ck_assert_int_eq(strv_append(&paths, test_path(folder, "file")), 0);
	assert_refused("O004", 0);
}
END_TEST

START_TEST(large_files_and_lines_are_refused)
{
	auto_free char *line = malloc(POLICY_LINE_MAX + 2);

	write_policy("p", "");
	ck_assert_int_eq(truncate(test_path(folder, "p.policy"), 1 << 30), 0);
	assert_refused("O003", 0);
	ck_assert_ptr_nonnull(line);
	memset(line, 'a', POLICY_LINE_MAX + 1);
	line[POLICY_LINE_MAX + 1] = '\0';
	memcpy(line, "Description=", 12);
	assert_line_refused(line, "O005", 2);
}
END_TEST

START_TEST(binary_content_is_refused)
{
	write_policy("p", "Description=\xff");
	assert_refused("O005", 0);
	ck_assert_int_eq(truncate(test_path(folder, "p.policy"), 100), 0);
	assert_refused("O005", 0);
}
END_TEST

START_TEST(allocation_failures_leave_nothing)
{
	unsigned int n;

	write_policy("q", "SystemCallFilter=@basic-io\nDescription=q");
	write_policy("p", "Extends=q\nDescription=p");
	for (n = 1;; n++) {
		auto_(policy) p = NULL;
		auto_diag d = { 0 };
		int r;

		alloc_fail_at(n);
		r = policy_load("p", &paths, &d, &p);
		if (!alloc_fail_stop()) {
			ck_assert_int_eq(r, 0);
			break;
		}
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_ptr_null(p);
	}
	ck_assert_uint_gt(n, 15);
}
END_TEST

START_TEST(lack_of_descriptors_is_no_mistake_of_the_policy)
{
	struct rlimit limit = { 0 };
	int r = -EMFILE;

	write_policy("q", "SystemCallFilter=@basic-io\n");
	write_policy("p", "Extends=q\n");
	for (limit.rlim_max = 1024; r != 0; limit.rlim_cur++) {
		auto_(policy) p = NULL;
		auto_diag d = { 0 };

		ck_assert_uint_lt(limit.rlim_cur, limit.rlim_max);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		r = policy_load("p", &paths, &d, &p);
		if (r == 0)
			break;
		ck_assert_int_eq(r, -EMFILE);
		ck_assert_uint_eq(d.count, 0);
	}
	ck_assert_uint_gt(limit.rlim_cur, 2);
}
END_TEST

/* Copies what is shipped, since the source folder may be writable by a group. */
static void use_shipped_policies(void)
{
	static const char *const names[] = { "system-service", "system-service-strict",
		"network-client" };
	const char *top = getenv("top_srcdir");

	use_folder();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_free char *from = text_format(
				"%s/policies/%s.policy", top ? top : ".", names[i]);
		auto_free char *to = text_format("%s/%s.policy", folder, names[i]);
		auto_free char *data = NULL;
		size_t size;

		ck_assert_int_eq(file_read(from, POLICY_FILE_MAX, &data, &size), 0);
		test_write(to, data, 0644);
	}
}

START_TEST(shipped_policies_narrow_step_by_step)
{
	use_shipped_policies();
	auto_(policy) service = load("system-service");
	auto_(policy) strict = load("system-service-strict");
	auto_(policy) client = load("network-client");

	ck_assert(service->no_new_privs && strict->no_new_privs && client->no_new_privs);
	ck_assert(service->description && strict->description && client->description);
	ck_assert_uint_ne(service->bounding_set & BIT(CAP_NET_BIND_SERVICE), 0);
	ck_assert_uint_eq(service->bounding_set &
					(BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_MODULE) |
							BIT(CAP_SYS_PTRACE) |
							BIT(CAP_SYS_RAWIO) |
							BIT(CAP_SYS_BOOT) |
							BIT(CAP_SYS_TIME) |
							BIT(CAP_NET_ADMIN)),
			0);
	ck_assert_uint_eq(strict->bounding_set, 0);
	ck_assert_uint_eq(client->bounding_set, 0);
	for (int i = 0; i < SYSCALL_LIMIT; i++) {
		if (answer(client, i) == 0)
			ck_assert_int_eq(answer(strict, i), 0);
		if (answer(strict, i) == 0)
			ck_assert_int_eq(answer(service, i), 0);
	}
}
END_TEST

START_TEST(shipped_policies_deny_what_they_promise)
{
	static const int never[] = { SYS_mount, SYS_reboot, SYS_init_module, SYS_bpf,
		SYS_ptrace, SYS_kexec_load, SYS_swapon, SYS_settimeofday,
		SYS_perf_event_open, SYS_pivot_root };
	static const int not_strict[] = { SYS_setuid, SYS_setns, SYS_unshare, SYS_keyctl,
		SYS_process_vm_readv, SYS_io_uring_setup, SYS_userfaultfd,
		SYS_setpriority };
	static const int not_client[] = { SYS_bind, SYS_listen, SYS_accept, SYS_accept4 };
	static const int always[] = { SYS_execve, SYS_openat, SYS_socket, SYS_connect,
		SYS_clone, SYS_clone3, SYS_futex, SYS_epoll_wait, SYS_mmap, SYS_sendmsg,
		SYS_recvmsg };

	use_shipped_policies();
	auto_(policy) service = load("system-service");
	auto_(policy) strict = load("system-service-strict");
	auto_(policy) client = load("network-client");

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		ck_assert_int_ne(answer(service, never[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(not_strict); i++)
		ck_assert_int_ne(answer(strict, not_strict[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(not_client); i++) {
		ck_assert_int_ne(answer(client, not_client[i]), 0);
		ck_assert_int_eq(answer(strict, not_client[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		ck_assert_int_eq(answer(client, always[i]), 0);
}
END_TEST

/* Each is an entry of its own in the manual page. */
static void assert_documented(
		const char *page, const char *before, const char *word, const char *after)
{
	auto_free char *entry = text_format("\n.It %s%s%s\n", before, word, after);

	ck_assert_msg(strstr(page, entry), "%s is not in airssys.policy(5)", word);
}

START_TEST(manual_has_every_key_group_and_code)
{
	const char *top = getenv("top_srcdir"), *key, *code;
	auto_free char *path = text_format("%s/man/airssys.policy.5", top ? top : ".");
	auto_free char *page = NULL;
	const struct syscall_group *g;
	size_t size;

	ck_assert_int_eq(file_read(path, 1 << 20, &page, &size), 0);
	for (size_t i = 0; (key = draft_key_at(i)); i++)
		assert_documented(page, "Ic ", key, "=");
	for (size_t i = 0; (g = syscall_group_at(i)); i++)
		assert_documented(page, "Ic ", g->name, "");
	for (size_t i = 0; (code = draft_code_at(i)); i++)
		assert_documented(page, "", code, "");
}
END_TEST

START_TEST(default_folders_go_from_the_administrator_to_the_installation)
{
	auto_strv folders = { 0 };

	ck_assert_int_eq(policy_default_paths(&folders), 0);
	ck_assert_uint_eq(folders.count, 3);
	ck_assert_str_eq(folders.items[0], AIRSSYS_SYSCONF_DIR "/policies");
	ck_assert_str_eq(folders.items[1], "/run/airssys/policies");
	ck_assert_str_eq(folders.items[2], AIRSSYS_LIB_DIR "/policies");
}
END_TEST

TEST_MAIN("policy", empty_policy_restricts_nothing, all_keys_reach_the_policy,
		filter_implies_no_new_privileges,
		filter_without_no_new_privileges_is_warned_of,
		architecture_alone_makes_a_filter, bounding_sets_combine_as_in_systemd,
		empty_filter_starts_anew, errors_are_names_or_numbers,
		extension_is_edited_by_its_own_lines, empty_extension_is_none,
		circles_of_extensions_are_refused, chain_of_extensions_has_an_end,
		mistakes_are_told_with_their_line, all_mistakes_are_told_at_once,
		lines_before_a_section_are_refused, policy_must_let_the_service_start,
		absent_policy_is_told, names_are_only_names, first_folder_decides,
		untrusted_files_and_folders_are_refused, folder_that_is_a_file_is_refused,
		large_files_and_lines_are_refused, binary_content_is_refused,
		allocation_failures_leave_nothing,
		lack_of_descriptors_is_no_mistake_of_the_policy,
		shipped_policies_narrow_step_by_step,
		shipped_policies_deny_what_they_promise,
		manual_has_every_key_group_and_code,
		default_folders_go_from_the_administrator_to_the_installation)
