/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/path.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/text.h"
#include "support/test.h"

static const char *folder;
static int dir_fd;

static void open_folder(void)
{
	folder = test_folder();
	dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir_fd, 0);
}

static void assert_refused(const char *name, int error, enum path_refusal wanted)
{
	enum path_refusal refusal = PATH_OK;
	char *data = NULL;
	size_t size;
	int fd = -1;

	ck_assert_int_eq(path_read_trusted(dir_fd, name, 1000, &data, &size, &refusal),
			error);
	ck_assert_int_eq(refusal, wanted);
	ck_assert_ptr_null(data);
	refusal = PATH_OK;
	ck_assert_int_eq(path_open_trusted(dir_fd, name, 1000, &fd, &refusal), error);
	ck_assert_int_eq(refusal, wanted);
	ck_assert_int_eq(fd, -1);
}

START_TEST(trusted_file_is_read_whole)
{
	enum path_refusal refusal = PATH_CHANGED;
	auto_free char *data = NULL;
	size_t size;

	open_folder();
	test_write(test_path(folder, "a"), "content", 0644);
	ck_assert_int_eq(path_read_trusted(dir_fd, "a", 7, &data, &size, &refusal), 0);
	ck_assert_int_eq(refusal, PATH_OK);
	ck_assert_uint_eq(size, 7);
	ck_assert_str_eq(data, "content");
}
END_TEST

START_TEST(file_in_a_folder_below_is_read)
{
	enum path_refusal refusal;
	auto_free char *data = NULL;
	size_t size;

	open_folder();
	ck_assert_int_eq(mkdirat(dir_fd, "x.d", 0755), 0);
	test_write(test_path(folder, "x.d/a"), "content", 0644);
	ck_assert_int_eq(
			path_read_trusted(dir_fd, "x.d/a", 7, &data, &size, &refusal), 0);
	ck_assert_str_eq(data, "content");
}
END_TEST

START_TEST(empty_file_is_trusted)
{
	enum path_refusal refusal;
	auto_free char *data = NULL;
	size_t size = 1;

	open_folder();
	test_write(test_path(folder, "a"), "", 0600);
	ck_assert_int_eq(path_read_trusted(dir_fd, "a", 0, &data, &size, &refusal), 0);
	ck_assert_uint_eq(size, 0);
	ck_assert_str_eq(data, "");
}
END_TEST

START_TEST(opened_file_does_not_leak_into_programs)
{
	enum path_refusal refusal;
	auto_close int fd = -1;

	open_folder();
	test_write(test_path(folder, "a"), "x", 0600);
	ck_assert_int_eq(path_open_trusted(dir_fd, "a", 10, &fd, &refusal), 0);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}
END_TEST

START_TEST(absent_file_is_told)
{
	open_folder();
	assert_refused("a", -ENOENT, PATH_ERROR);
	assert_refused("b/c", -ENOENT, PATH_ERROR);
}
END_TEST

START_TEST(file_that_others_may_write_is_refused)
{
	static const unsigned int modes[] = { 0664, 0646, 0622, 0620, 0602 };

	open_folder();
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		test_write(test_path(folder, "a"), "x", modes[i]);
		assert_refused("a", -EPERM, PATH_WRITABLE);
	}
}
END_TEST

START_TEST(file_of_another_user_is_refused)
{
	if (geteuid() != 0)
		return;
	open_folder();
	test_write(test_path(folder, "a"), "x", 0644);
	ck_assert_int_eq(fchownat(dir_fd, "a", 12345, 0, 0), 0);
	assert_refused("a", -EPERM, PATH_FOREIGN);
}
END_TEST

/* Without O_NONBLOCK this test would run into its time limit. */
START_TEST(planted_fifo_does_not_hang)
{
	open_folder();
	ck_assert_int_eq(mkfifoat(dir_fd, "a", 0600), 0);
	assert_refused("a", -EINVAL, PATH_NOT_REGULAR);
}
END_TEST

START_TEST(folders_sockets_and_devices_are_refused)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	open_folder();
	ck_assert_int_eq(mkdirat(dir_fd, "d", 0700), 0);
	assert_refused("d", -EINVAL, PATH_NOT_REGULAR);
	ck_assert_uint_lt(strlen(folder) + 2, sizeof(address.sun_path));
	memcpy(address.sun_path, test_path(folder, "s"), strlen(folder) + 2);
	ck_assert_int_eq(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_refused("s", -EINVAL, PATH_NOT_REGULAR);
	close_fd(dir_fd);
	dir_fd = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_refused("null", -EINVAL, PATH_NOT_REGULAR);
}
END_TEST

START_TEST(links_are_not_followed)
{
	open_folder();
	test_write(test_path(folder, "a"), "x", 0644);
	ck_assert_int_eq(mkdirat(dir_fd, "d", 0700), 0);
	test_write(test_path(folder, "d/a"), "x", 0644);
	ck_assert_int_eq(symlinkat("a", dir_fd, "link"), 0);
	ck_assert_int_eq(symlinkat("d", dir_fd, "dlink"), 0);
	ck_assert_int_eq(symlinkat("nowhere", dir_fd, "dangling"), 0);
	assert_refused("link", -ELOOP, PATH_ERROR);
	assert_refused("dlink/a", -ELOOP, PATH_ERROR);
	assert_refused("dangling", -ELOOP, PATH_ERROR);
}
END_TEST

START_TEST(names_do_not_leave_the_folder)
{
	open_folder();
	ck_assert_int_eq(mkdirat(dir_fd, "d", 0700), 0);
	assert_refused("../a", -EXDEV, PATH_ERROR);
	assert_refused("d/../../a", -EXDEV, PATH_ERROR);
	assert_refused("/etc/passwd", -EXDEV, PATH_ERROR);
}
END_TEST

START_TEST(size_is_refused_without_reading)
{
	enum path_refusal refusal;
	char *data = NULL;
	size_t size;
	int r;

	open_folder();
	test_write(test_path(folder, "a"), "", 0600);
	ck_assert_int_eq(truncate(test_path(folder, "a"), 1 << 30), 0);
	alloc_fail_at(1);
	r = path_read_trusted(dir_fd, "a", 1000, &data, &size, &refusal);
	ck_assert_int_eq(alloc_fail_stop(), 0);
	ck_assert_int_eq(r, -EFBIG);
	assert_refused("a", -EFBIG, PATH_TOO_LARGE);
	ck_assert_int_eq(truncate(test_path(folder, "a"), 1001), 0);
	assert_refused("a", -EFBIG, PATH_TOO_LARGE);
}
END_TEST

/* The size that the kernel tells for its own files, 0, is not what they have when read.
 */
START_TEST(file_that_changes_while_it_is_read_is_refused)
{
	enum path_refusal refusal = PATH_OK;
	char *data = NULL;
	size_t size;

	dir_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir_fd, 0);
	ck_assert_int_eq(path_read_trusted(
					 dir_fd, "status", 65536, &data, &size, &refusal),
			-ESTALE);
	ck_assert_int_eq(refusal, PATH_CHANGED);
	ck_assert_ptr_null(data);
	close_fd(dir_fd);
}
END_TEST

/* As kernels before 5.6 and the filters of some containers answer. */
static void deny_openat2(int error)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog fprog = { ARRAY_SIZE(program), program };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(
			(int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog), 0);
}

static void assert_same_without_openat2(int error)
{
	enum path_refusal refusal;
	auto_free char *data = NULL;
	char long_name[300];
	size_t size;

	open_folder();
	ck_assert_int_eq(mkdirat(dir_fd, "d", 0700), 0);
	test_write(test_path(folder, "d/a"), "content", 0644);
	ck_assert_int_eq(symlinkat("d", dir_fd, "dlink"), 0);
	ck_assert_int_eq(symlinkat("d/a", dir_fd, "link"), 0);
	deny_openat2(error);
	ck_assert_int_eq(path_read_trusted(dir_fd, "d//a", 7, &data, &size, &refusal), 0);
	ck_assert_str_eq(data, "content");
	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	assert_refused(long_name, -ENAMETOOLONG, PATH_ERROR);
	assert_refused("d/b", -ENOENT, PATH_ERROR);
	assert_refused("b/a", -ENOENT, PATH_ERROR);
	assert_refused("d/a/b", -ENOTDIR, PATH_ERROR);
	assert_refused("d", -EINVAL, PATH_NOT_REGULAR);
	assert_refused("link", -ELOOP, PATH_ERROR);
	assert_refused("dlink/a", -ELOOP, PATH_ERROR);
	assert_refused("../a", -EXDEV, PATH_ERROR);
	assert_refused("d/../../a", -EXDEV, PATH_ERROR);
	assert_refused("/etc/passwd", -EXDEV, PATH_ERROR);
}

START_TEST(kernel_without_openat2_refuses_the_same)
{
	assert_same_without_openat2(ENOSYS);
}
END_TEST

START_TEST(filtered_openat2_refuses_the_same)
{
	assert_same_without_openat2(EPERM);
}
END_TEST

START_TEST(memory_that_runs_out_is_told)
{
	enum path_refusal refusal = PATH_OK;
	char *data = NULL;
	size_t size;
	int r;

	open_folder();
	test_write(test_path(folder, "a"), "x", 0600);
	alloc_fail_at(1);
	r = path_read_trusted(dir_fd, "a", 10, &data, &size, &refusal);
	ck_assert_int_eq(alloc_fail_stop(), 1);
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_int_eq(refusal, PATH_ERROR);
}
END_TEST

START_TEST(folders_are_judged_like_files)
{
	open_folder();
	ck_assert_int_eq(path_check_folder(dir_fd), PATH_OK);
	ck_assert_int_eq(chmod(folder, 01777), 0);
	ck_assert_int_eq(path_check_folder(dir_fd), PATH_WRITABLE);
	ck_assert_int_eq(chmod(folder, 0700), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(folder, 12345, 0), 0);
		ck_assert_int_eq(path_check_folder(dir_fd), PATH_FOREIGN);
		ck_assert_int_eq(chown(folder, 0, 0), 0);
	}
	ck_assert_int_eq(path_check_folder(-1), PATH_ERROR);
}
END_TEST

/* What is said of folder/a/b when folder/a has this mode. */
static enum path_refusal judge_below(mode_t mode)
{
	auto_close int fd = -1;

	ck_assert_int_eq(chmod(test_path(folder, "a"), mode), 0);
	fd = open(test_path(folder, "a/b"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return path_check_parents(fd);
}

START_TEST(folders_above_are_judged_up_to_the_root)
{
	open_folder();
	ck_assert_int_eq(mkdir(test_path(folder, "a"), 0755), 0);
	ck_assert_int_eq(mkdir(test_path(folder, "a/b"), 0755), 0);
	ck_assert_int_eq(judge_below(0755), PATH_OK);
	ck_assert_int_eq(judge_below(01777), PATH_OK);
	ck_assert_int_eq(judge_below(0775), PATH_PARENT_WRITABLE);
	ck_assert_int_eq(judge_below(0757), PATH_PARENT_WRITABLE);
	ck_assert_int_eq(path_check_parents(-1), PATH_ERROR);
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(test_path(folder, "a"), 12345, 0), 0);
	ck_assert_int_eq(judge_below(0755), PATH_PARENT_FOREIGN);
	ck_assert_int_eq(judge_below(01777), PATH_PARENT_FOREIGN);
}
END_TEST

START_TEST(each_refusal_has_a_sentence)
{
	for (int i = PATH_OK; i <= PATH_PARENT_WRITABLE; i++)
		ck_assert_uint_gt(strlen(path_refusal_text((enum path_refusal)i)), 5);
}
END_TEST

static int find(const char *name, char found[static PATH_NAME_SIZE])
{
	int fd = -1, r = path_find(test_path(folder, name), &fd, found);

	close_fd(fd);
	return r;
}

START_TEST(file_is_found_through_links_of_our_own)
{
	char name[PATH_NAME_SIZE];

	open_folder();
	ck_assert_int_eq(mkdir(test_path(folder, "a"), 0755), 0);
	test_write(test_path(folder, "a/file"), "x", 0600);
	ck_assert_int_eq(symlink(test_path(folder, "b"), test_path(folder, "link")), 0);
	ck_assert_int_eq(symlink("a/../a", test_path(folder, "b")), 0);
	ck_assert_int_eq(symlink("./file", test_path(folder, "a/last")), 0);
	ck_assert_int_eq(symlink("loop", test_path(folder, "loop")), 0);
	ck_assert_int_eq(find("link/last", name), 0);
	ck_assert_str_eq(name, "file");
	ck_assert_int_eq(find("link/not-there", name), 0);
	ck_assert_str_eq(name, "not-there");
	ck_assert_int_eq(find("nowhere/file", name), -ENOENT);
	ck_assert_int_eq(find("a/file/x", name), -ENOTDIR);
	ck_assert_int_eq(find("a/..", name), -EISDIR);
	ck_assert_int_eq(find("a/", name), -EISDIR);
	ck_assert_int_eq(find("loop", name), -ELOOP);
	ck_assert_int_eq(path_find("relative", &dir_fd, name), -EINVAL);
}
END_TEST

START_TEST(link_of_another_user_is_not_followed)
{
	char name[PATH_NAME_SIZE];

	if (geteuid() != 0)
		return; /* only root gives files away */
	open_folder();
	ck_assert_int_eq(mkdir(test_path(folder, "a"), 0755), 0);
	test_write(test_path(folder, "a/file"), "x", 0600);
	ck_assert_int_eq(symlink("a", test_path(folder, "link")), 0);
	ck_assert_int_eq(symlink("file", test_path(folder, "a/last")), 0);
	ck_assert_int_eq(find("link/last", name), 0);
	ck_assert_int_eq(lchown(test_path(folder, "link"), 65534, 65534), 0);
	ck_assert_int_eq(find("link/file", name), -ELOOP);
	ck_assert_int_eq(lchown(test_path(folder, "a/last"), 65534, 65534), 0);
	ck_assert_int_eq(find("a/last", name), -ELOOP);
	/* A folder of another's is no link. */
	ck_assert_int_eq(chown(test_path(folder, "a"), 65534, 65534), 0);
	ck_assert_int_eq(find("a/file", name), 0);
}
END_TEST

START_TEST(folders_are_made_down_to_the_last)
{
	auto_free char *deep = NULL;
	struct stat st;

	open_folder();
	(void)umask(022);
	deep = text_format("%s/a//b/c/", folder);
	ck_assert_ptr_nonnull(deep);
	ck_assert_int_eq(path_make_folders(deep, 0750), 0);
	ck_assert_int_eq(path_make_folders(deep, 0700), 0);
	ck_assert_int_eq(stat(deep, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
	test_write(test_path(folder, "file"), "x", 0600);
	ck_assert_int_eq(path_make_folders(test_path(folder, "file"), 0700), -ENOTDIR);
	ck_assert_int_eq(path_make_folders(test_path(folder, "file/x"), 0700), -ENOTDIR);
}
END_TEST

static int make_trusted(const char *name)
{
	int fd = -1, r = path_make_trusted(test_path(folder, name), 0755, &fd);

	ck_assert_int_eq(fd >= 0, r == 0);
	close_fd(fd);
	return r;
}

START_TEST(folder_is_made_where_nobody_else_can_exchange_it)
{
	struct stat st;

	open_folder();
	(void)umask(022);
	ck_assert_int_eq(make_trusted("a//b/c/./"), 0);
	ck_assert_int_eq(stat(test_path(folder, "a/b/c"), &st), 0);
	ck_assert_int_eq(make_trusted("a/b/c"), 0);
	ck_assert_int_eq(make_trusted("a/../a/b/d"), 0);
	test_write(test_path(folder, "file"), "x", 0600);
	ck_assert_int_eq(make_trusted("file"), -ENOTDIR);
	ck_assert_int_eq(make_trusted("file/x"), -ENOTDIR);
	ck_assert_int_eq(symlink("a", test_path(folder, "link")), 0);
	ck_assert_int_eq(make_trusted("link/e"), 0);
	ck_assert_int_eq(chmod(test_path(folder, "a/b"), 0777), 0);
	ck_assert_int_eq(make_trusted("a/b"), -EPERM);
	ck_assert_int_eq(make_trusted("a/b/c"), -EPERM);
	ck_assert_int_eq(chmod(test_path(folder, "a/b"), 01777), 0);
	ck_assert_int_eq(make_trusted("a/b/c"), 0);
}
END_TEST

START_TEST(folder_is_not_made_where_another_user_can_exchange_it)
{
	if (geteuid() != 0)
		return; /* only root gives files away */
	open_folder();
	(void)umask(022);
	ck_assert_int_eq(make_trusted("a/b"), 0);
	ck_assert_int_eq(symlink("a", test_path(folder, "link")), 0);
	ck_assert_int_eq(lchown(test_path(folder, "link"), 65534, 65534), 0);
	ck_assert_int_eq(make_trusted("link"), -ELOOP);
	ck_assert_int_eq(make_trusted("link/c"), -ELOOP);
	ck_assert_int_ne(access(test_path(folder, "a/c"), F_OK), 0);
	ck_assert_int_eq(chown(test_path(folder, "a"), 65534, 65534), 0);
	ck_assert_int_eq(make_trusted("a/b"), -EPERM);
	ck_assert_int_eq(make_trusted("a"), -EPERM);
}
END_TEST

START_TEST(folders_beneath_a_base_are_made_without_following_links)
{
	const char *base, *away;
	int fd;

	open_folder();
	base = test_path(folder, "base");
	away = test_path(folder, "away");
	ck_assert_int_eq(path_make_beneath(base, "a//b/", 0755, &fd), 0);
	ck_assert_int_eq(faccessat(fd, "../../a/b", F_OK, 0), 0);
	close_fd(fd);
	ck_assert_int_eq(mkdir(away, 0755), 0);
	ck_assert_int_eq(symlink(away, test_path(base, "a/link")), 0);
	ck_assert_int_eq(path_make_beneath(base, "a/link/c", 0755, &fd), -ELOOP);
	ck_assert_int_eq(path_make_beneath(base, "a/link", 0755, &fd), -ELOOP);
	ck_assert_int_ne(access(test_path(away, "c"), F_OK), 0);
	ck_assert_int_eq(path_make_beneath(base, "../c", 0755, &fd), -EXDEV);
	ck_assert_int_eq(path_make_beneath(base, "", 0755, &fd), -EINVAL);
	test_write(test_path(base, "file"), "x", 0600);
	ck_assert_int_eq(path_make_beneath(base, "file/c", 0755, &fd), -ENOTDIR);
}
END_TEST

TEST_MAIN("path", trusted_file_is_read_whole, file_in_a_folder_below_is_read,
		empty_file_is_trusted, opened_file_does_not_leak_into_programs,
		absent_file_is_told, file_that_others_may_write_is_refused,
		file_of_another_user_is_refused, planted_fifo_does_not_hang,
		folders_sockets_and_devices_are_refused, links_are_not_followed,
		names_do_not_leave_the_folder, size_is_refused_without_reading,
		file_that_changes_while_it_is_read_is_refused,
		kernel_without_openat2_refuses_the_same,
		filtered_openat2_refuses_the_same, memory_that_runs_out_is_told,
		folders_are_judged_like_files, folders_above_are_judged_up_to_the_root,
		each_refusal_has_a_sentence, file_is_found_through_links_of_our_own,
		link_of_another_user_is_not_followed, folders_are_made_down_to_the_last,
		folder_is_made_where_nobody_else_can_exchange_it,
		folder_is_not_made_where_another_user_can_exchange_it,
		folders_beneath_a_base_are_made_without_following_links)
