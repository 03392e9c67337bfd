/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "exec/spec.h"
#include "support/test.h"

/*
 * The execution description survives its way through a sealed memory file, and nothing
 * else does.
 */

static struct exec_spec *make_spec(void)
{
	struct exec_spec *spec = calloc(1, sizeof(*spec));

	ck_assert_ptr_nonnull(spec);
	spec->path = strdup("/bin/true");
	ck_assert_int_eq(strv_append(&spec->argv, "true"), 0);
	ck_assert_int_eq(strv_append(&spec->argv, ""), 0);
	ck_assert_int_eq(strv_append(&spec->envp, "A=b"), 0);
	spec->working_directory = strdup("/tmp");
	spec->working_directory_optional = true;
	spec->set_credentials = true;
	spec->uid = 17;
	spec->gid = 18;
	spec->n_groups = 2;
	spec->groups = calloc(2, sizeof(*spec->groups));
	spec->groups[1] = 99;
	spec->group_name = strdup("wheel");
	ck_assert_int_eq(strv_append(&spec->group_names, "audio"), 0);
	ck_assert_int_eq(strv_append(&spec->own_folders, "/run"), 0);
	ck_assert_int_eq(strv_append(&spec->own_folders, "db"), 0);
	spec->umask = 027;
	spec->ignore_sigpipe = spec->new_keyring = true;
	spec->set_nice = true;
	spec->nice = -5;
	spec->n_limits = 1;
	spec->limits = calloc(1, sizeof(*spec->limits));
	spec->limits[0] = (struct exec_limit){ RLIMIT_NOFILE, { 10, 20 } };
	spec->out = (struct exec_stream){ EXEC_OUTPUT_APPEND, strdup("/tmp/out"), true };
	spec->err.output = EXEC_OUTPUT_JOURNAL;
	spec->journal_stream = strdup("/run/j");
	spec->syslog_identifier = strdup("me");
	spec->unit_name = strdup("me");
	spec->no_new_privileges = true;
	spec->set_capability_bounding = true;
	spec->capability_bounding = 0x123;
	spec->filter_size = sizeof(struct sock_filter);
	spec->filter = calloc(1, spec->filter_size);
	return spec;
}

START_TEST(description_comes_back_as_it_was)
{
	struct exec_spec *spec = make_spec(), *back = NULL;
	int fd = -1;

	ck_assert_int_eq(exec_spec_pack(spec, &fd), 0);
	ck_assert_int_eq(memfd_is_sealed(fd), 1);
	ck_assert_int_eq(exec_spec_unpack(fd, &back), 0);
	ck_assert_str_eq(back->path, "/bin/true");
	ck_assert_uint_eq(back->argv.count, 2);
	ck_assert_str_eq(back->argv.items[1], "");
	ck_assert_ptr_null(back->argv.items[2]);
	ck_assert_str_eq(back->envp.items[0], "A=b");
	ck_assert(back->working_directory_optional && back->set_credentials);
	ck_assert(back->ignore_sigpipe && back->new_keyring);
	ck_assert_uint_eq(back->uid, 17);
	ck_assert_uint_eq(back->groups[1], 99);
	ck_assert_ptr_null(back->user_name);
	ck_assert_str_eq(back->group_names.items[0], "audio");
	ck_assert_uint_eq(back->own_folders.count, 2);
	ck_assert_str_eq(back->own_folders.items[1], "db");
	ck_assert_int_eq(back->nice, -5);
	ck_assert_uint_eq(back->limits[0].value.rlim_max, 20);
	ck_assert_str_eq(back->out.path, "/tmp/out");
	ck_assert(back->out.is_own && !back->err.is_own);
	ck_assert_uint_eq(back->capability_bounding, 0x123);
	ck_assert_uint_eq(back->filter_size, spec->filter_size);
	exec_spec_free(back);
	exec_spec_free(spec);
	close_fd(fd);
}
END_TEST

START_TEST(every_cut_is_refused)
{
	struct exec_spec *spec = make_spec(), *back = NULL;
	char *data;
	size_t size;
	int fd, cut_fd;

	ck_assert_int_eq(exec_spec_pack(spec, &fd), 0);
	ck_assert_int_eq(fd_read_all(fd, EXEC_SPEC_MAX, &data, &size), 0);
	for (size_t cut = 0; cut < size; cut++) {
		ck_assert_int_eq(memfd_sealed("cut", data, cut, &cut_fd), 0);
		ck_assert_int_eq(exec_spec_unpack(cut_fd, &back), -EBADMSG);
		close_fd(cut_fd);
	}
	ck_assert_ptr_null(back);
	free(data);
	exec_spec_free(spec);
	close_fd(fd);
}
END_TEST

START_TEST(file_that_could_still_change_is_refused)
{
	struct exec_spec *back = NULL;
	int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(exec_spec_unpack(fd, &back), -EPERM);
	ck_assert_int_lt(exec_spec_unpack(-1, &back), 0);
	close_fd(fd);
}
END_TEST

static void expect_refused(struct exec_spec *spec)
{
	struct exec_spec *back = NULL;
	int fd;

	ck_assert_int_eq(exec_spec_pack(spec, &fd), 0);
	ck_assert_int_eq(exec_spec_unpack(fd, &back), -EBADMSG);
	close_fd(fd);
	exec_spec_free(spec);
}

START_TEST(values_that_mean_nothing_are_refused)
{
	struct exec_spec *spec = make_spec();

	spec->path[0] = 'x';
	expect_refused(spec);
	spec = make_spec();
	strv_fini(&spec->argv);
	expect_refused(spec);
	spec = make_spec();
	spec->out.output = (enum exec_output)77;
	expect_refused(spec);
	spec = make_spec();
	spec->limits[0].resource = RLIM_NLIMITS;
	expect_refused(spec);
	spec = make_spec();
	spec->umask = 01000;
	expect_refused(spec);
	spec = make_spec();
	free(spec->out.path);
	spec->out.path = NULL;
	expect_refused(spec);
	spec = make_spec();
	spec->filter_size--;
	expect_refused(spec);
}
END_TEST

START_TEST(lack_of_memory_is_told_and_leaks_nothing)
{
	struct exec_spec *spec = make_spec(), *back = NULL;
	int fd, r;

	for (unsigned int n = 1;; n++) {
		alloc_fail_at(n);
		r = exec_spec_pack(spec, &fd);
		if (!alloc_fail_stop())
			break;
		ck_assert_int_eq(r, -ENOMEM);
	}
	ck_assert_int_eq(r, 0);
	for (unsigned int n = 1;; n++) {
		alloc_fail_at(n);
		r = exec_spec_unpack(fd, &back);
		if (!alloc_fail_stop())
			break;
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_ptr_null(back);
	}
	ck_assert_int_eq(r, 0);
	exec_spec_free(back);
	exec_spec_free(spec);
	close_fd(fd);
}
END_TEST

TEST_MAIN("spec", description_comes_back_as_it_was, every_cut_is_refused,
		file_that_could_still_change_is_refused,
		values_that_mean_nothing_are_refused,
		lack_of_memory_is_told_and_leaks_nothing)
