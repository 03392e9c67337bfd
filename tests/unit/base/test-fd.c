/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support/test.h"

static bool is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static int count_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(stream_is_read_to_its_end)
{
	auto_free char *data = NULL;
	size_t size;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fd_write_all(ends[1], "a\0b", 3), 0);
	ends[1] = close_fd(ends[1]);
	ck_assert_int_eq(fd_read_all(ends[0], 3, &data, &size), 0);
	ck_assert_uint_eq(size, 3);
	ck_assert_mem_eq(data, "a\0b\0", 4);
	close_fd(ends[0]);
}
END_TEST

START_TEST(one_byte_too_many_is_refused)
{
	char *data = NULL;
	size_t size;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fd_write_all(ends[1], "abcd", 4), 0);
	ends[1] = close_fd(ends[1]);
	ck_assert_int_eq(fd_read_all(ends[0], 3, &data, &size), -EFBIG);
	ck_assert_ptr_null(data);
	close_fd(ends[0]);
}
END_TEST

START_TEST(large_content_is_whole)
{
	const char *path = test_path(test_folder(), "large");
	auto_free char *content = malloc(300001);
	auto_free char *data = NULL;
	size_t size;

	ck_assert_ptr_nonnull(content);
	memset(content, 'x', 300000);
	content[300000] = '\0';
	content[299999] = 'y';
	test_write(path, content, 0600);
	ck_assert_int_eq(file_read(path, 300000, &data, &size), 0);
	ck_assert_uint_eq(size, 300000);
	ck_assert_str_eq(data, content);
	ck_assert_int_eq(file_read(path, 299999, &data, &size), -EFBIG);
}
END_TEST

/* Nothing is read: there is not even memory to read into. */
START_TEST(huge_file_is_refused_by_its_size)
{
	const char *path = test_path(test_folder(), "huge");
	char *data = NULL;
	size_t size;
	int r;

	test_write(path, "", 0600);
	ck_assert_int_eq(truncate(path, 1 << 30), 0);
	alloc_fail_at(1);
	r = file_read(path, 1 << 20, &data, &size);
	ck_assert_int_eq(alloc_fail_stop(), 0);
	ck_assert_int_eq(r, -EFBIG);
}
END_TEST

START_TEST(kernel_files_without_a_size_are_read)
{
	auto_free char *data = NULL;
	size_t size;

	ck_assert_int_eq(file_read("/proc/self/status", 65536, &data, &size), 0);
	ck_assert_uint_gt(size, 100);
	ck_assert_int_eq(file_read("/nonexistent/file", 10, &data, &size), -ENOENT);
}
END_TEST

START_TEST(reading_ignores_a_shared_offset)
{
	auto_close int fd = -1;
	size_t size;

	ck_assert_int_eq(memfd_sealed("test", "content", 7, &fd), 0);
	for (int i = 0; i < 2; i++) {
		auto_free char *data = NULL;

		ck_assert_int_eq(lseek(fd, 5, SEEK_SET), 5);
		ck_assert_int_eq(fd_read_all(fd, 100, &data, &size), 0);
		ck_assert_str_eq(data, "content");
		ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 5);
	}
}
END_TEST

START_TEST(read_all_survives_failed_allocations)
{
	const char *path = test_path(test_folder(), "file");

	test_write(path, "content", 0600);
	for (unsigned int n = 1;; n++) {
		auto_free char *data = NULL;
		size_t size;
		int r;

		alloc_fail_at(n);
		r = file_read("/proc/self/maps", 1 << 20, &data, &size);
		if (!alloc_fail_stop()) {
			ck_assert_int_eq(r, 0);
			ck_assert_uint_ge(n, 2);
			break;
		}
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_ptr_null(data);
	}
}
END_TEST

static size_t count_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

START_TEST(file_is_replaced_in_one_step)
{
	const char *folder = test_folder(), *path = test_path(folder, "state");
	auto_close int dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_free char *data = NULL;
	struct stat st;
	size_t size;

	(void)umask(077);
	test_write(path, "old", 0600);
	ck_assert_int_eq(file_write_atomic(dir_fd, "state", "newer", 5), 0);
	ck_assert_int_eq(file_read(path, 100, &data, &size), 0);
	ck_assert_str_eq(data, "newer");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_uint_eq(count_entries(folder), 1);
}
END_TEST

START_TEST(failed_replacement_keeps_the_old_file)
{
	const char *folder = test_folder(), *path = test_path(folder, "state");
	auto_close int dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct rlimit limit = { 2, 2 };
	auto_free char *data = NULL;
	size_t size;

	test_write(path, "old", 0600);
	ck_assert_int_eq(sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN },
					 NULL),
			0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(file_write_atomic(dir_fd, "state", "newer", 5), -EFBIG);
	ck_assert_int_eq(file_read(path, 100, &data, &size), 0);
	ck_assert_str_eq(data, "old");
	ck_assert_uint_eq(count_entries(folder), 1);
}
END_TEST

START_TEST(folder_is_not_replaced_by_a_file)
{
	const char *folder = test_folder();
	auto_close int dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(mkdirat(dir_fd, "state", 0700), 0);
	ck_assert_int_eq(file_write_atomic(dir_fd, "state", "x", 1), -EISDIR);
	ck_assert_uint_eq(count_entries(folder), 1);
}
END_TEST

START_TEST(sealed_memory_cannot_change)
{
	auto_close int fd = -1, plain = memfd_create("plain", MFD_CLOEXEC);
	auto_close int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(memfd_sealed("test", "content", 7, &fd), 0);
	ck_assert(is_cloexec(fd));
	ck_assert_int_eq(memfd_is_sealed(fd), 1);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_ptr_eq(mmap(NULL, 7, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
	ck_assert_int_eq(memfd_is_sealed(plain), 0);
	ck_assert_int_eq(memfd_is_sealed(file), 0);
	ck_assert_int_eq(memfd_is_sealed(-1), -EBADF);
}
END_TEST

static void make_pair(int pair[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

START_TEST(datagram_carries_descriptors)
{
	int pair[2], fds[2], got[FD_PASS_MAX];
	char data[16];
	struct stat a, b;
	size_t n;

	make_pair(pair);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(fd_send(pair[0], "hello", 5, fds, 2), 0);
	ck_assert_int_eq(
			fd_receive(pair[1], data, sizeof(data), got, FD_PASS_MAX, &n), 5);
	ck_assert_mem_eq(data, "hello", 5);
	ck_assert_uint_eq(n, 2);
	for (int i = 0; i < 2; i++) {
		ck_assert(is_cloexec(got[i]));
		ck_assert_int_eq(fstat(fds[i], &a), 0);
		ck_assert_int_eq(fstat(got[i], &b), 0);
		ck_assert_uint_eq(a.st_ino, b.st_ino);
		close_fd(got[i]);
		close_fd(fds[i]);
	}
	close_fd(pair[0]);
	ck_assert_int_eq(
			fd_receive(pair[1], data, sizeof(data), got, FD_PASS_MAX, &n), 0);
	close_fd(pair[1]);
}
END_TEST

START_TEST(descriptors_nobody_asked_for_are_closed)
{
	int pair[2], fds[FD_PASS_MAX], got[1], before;
	char data[16];
	size_t n;

	make_pair(pair);
	for (int i = 0; i < FD_PASS_MAX; i++)
		fds[i] = STDERR_FILENO;
	before = count_open();
	ck_assert_int_eq(fd_send(pair[0], "x", 1, fds, FD_PASS_MAX), 0);
	ck_assert_int_eq(fd_receive(pair[1], data, sizeof(data), got, 1, &n), 1);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(count_open(), before + 1);
	close_fd(got[0]);
	ck_assert_int_eq(fd_send(pair[0], "x", 1, fds, 3), 0);
	ck_assert_int_eq(fd_receive(pair[1], data, sizeof(data), NULL, 0, NULL), 1);
	ck_assert_int_eq(count_open(), before);
	ck_assert_int_eq(fd_send(pair[0], "x", 1, fds, FD_PASS_MAX + 1), -EINVAL);
}
END_TEST

START_TEST(cut_datagram_leaks_no_descriptor)
{
	int pair[2], fds[2] = { 0, 1 }, got[FD_PASS_MAX], before;
	char data[4];
	size_t n;

	make_pair(pair);
	before = count_open();
	ck_assert_int_eq(fd_send(pair[0], "hello", 5, fds, 2), 0);
	ck_assert_int_eq(fd_receive(pair[1], data, sizeof(data), got, FD_PASS_MAX, &n),
			-EMSGSIZE);
	ck_assert_int_eq(count_open(), before);
}
END_TEST

START_TEST(descriptors_beyond_the_limit_of_files_are_an_error)
{
	int pair[2], fds[4] = { 0, 0, 0, 0 }, got[FD_PASS_MAX], before;
	struct rlimit limit = { 0 };
	char data[4];
	size_t n;

	make_pair(pair);
	before = count_open();
	ck_assert_int_eq(fd_send(pair[0], "x", 1, fds, 4), 0);
	limit.rlim_cur = limit.rlim_max = (rlim_t)MAX_OF(pair[0], pair[1]) + 2;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(fd_receive(pair[1], data, sizeof(data), got, FD_PASS_MAX, &n),
			-EMSGSIZE);
	ck_assert_int_eq(count_open(), before);
}
END_TEST

START_TEST(nonblocking_sockets_say_so)
{
	int pair[2];
	char data[4], block[1024] = { 0 };
	size_t n;
	int r;

	make_pair(pair);
	ck_assert_int_eq(fd_set_nonblocking(pair[0]), 0);
	ck_assert_int_eq(fd_receive(pair[0], data, sizeof(data), NULL, 0, &n), -EAGAIN);
	do {
		r = fd_send(pair[0], block, sizeof(block), NULL, 0);
	} while (r == 0);
	ck_assert_int_eq(r, -EAGAIN);
	make_pair(pair);
	close_fd(pair[1]);
	ck_assert_int_eq(fd_send(pair[0], "x", 1, NULL, 0), -EPIPE);
	ck_assert_int_eq(fd_set_nonblocking(-1), -EBADF);
}
END_TEST

START_TEST(closing_keeps_errno)
{
	errno = ENOTTY;
	ck_assert_int_eq(close_fd(12345), -1);
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_int_eq(close_fd(-1), -1);
}
END_TEST

TEST_MAIN("fd", stream_is_read_to_its_end, one_byte_too_many_is_refused,
		large_content_is_whole, huge_file_is_refused_by_its_size,
		kernel_files_without_a_size_are_read, reading_ignores_a_shared_offset,
		read_all_survives_failed_allocations, file_is_replaced_in_one_step,
		failed_replacement_keeps_the_old_file, folder_is_not_replaced_by_a_file,
		sealed_memory_cannot_change, datagram_carries_descriptors,
		descriptors_nobody_asked_for_are_closed, cut_datagram_leaks_no_descriptor,
		descriptors_beyond_the_limit_of_files_are_an_error,
		nonblocking_sockets_say_so, closing_keeps_errno)
