/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "keeper/charge.h"
#include "keeper/clone.h"
#include "keeper/keeper.h"
#include "keeper/logs.h"
#include "keeper/loop.h"
#include "keeper/reap.h"
#include "keeper/runtime.h"
#include "keeper/transient-uid.h"
#include "keeper/upward.h"
#include "keeper/users.h"
#include "support/test.h"

/*
 * The small parts of the keeper, each by itself.
 */

static volatile int written;

static int write_and_end(void *data)
{
	written = *(int *)data;
	return 42;
}

static int clone_and_wait(enum clone_memory memory, int *value)
{
	struct clone_request request = {
		.memory = memory, .child = write_and_end, .data = value, .cgroup_fd = -1
	};
	int status;
	pid_t pid;

	ck_assert_int_eq(clone_process(&request, &pid), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(shared_child_writes_our_memory_and_a_copied_one_its_own)
{
	int value = 5;

	ck_assert_int_eq(clone_and_wait(CLONE_COPIED, &value), 42);
	ck_assert_int_eq(written, 0);
	ck_assert_int_eq(clone_and_wait(CLONE_SHARED, &value), 42);
	ck_assert_int_eq(written, 5);
}
END_TEST

START_TEST(clone_into_what_is_no_cgroup_is_refused)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), value = 1;
	struct clone_request request = {
		.child = write_and_end, .data = &value, .cgroup_fd = fd
	};
	pid_t pid;

	ck_assert_int_lt(clone_process(&request, &pid), 0);
	ck_assert_int_eq(written, 0);
	close_fd(fd);
}
END_TEST

START_TEST(users_are_those_of_the_local_files)
{
	struct users users = { 0 };
	const struct user *root, *zero, *nobody;
	gid_t gid;

	ck_assert_int_eq(users_find(&users, "root", &root), 0);
	ck_assert_uint_eq(root->uid, 0);
	ck_assert_str_eq(root->home, "/root");
	ck_assert_uint_ge(root->n_groups, 1);
	ck_assert_int_eq(users_find(&users, "0", &zero), 0);
	ck_assert_str_eq(zero->name, "root");
	ck_assert_int_eq(users_find(&users, "nobody", &nobody), 0);
	ck_assert_uint_eq(nobody->uid, 65534);
	ck_assert_int_eq(users_find(&users, "no such user", &root), -ESRCH);
	ck_assert_int_eq(users_find(&users, "no such user", &root), -ESRCH);
	ck_assert_int_eq(users_find(&users, "4294967295", &root), -ESRCH);
	ck_assert_int_eq(users_find_group(&users, "root", &gid), 0);
	ck_assert_uint_eq(gid, 0);
	ck_assert_int_eq(users_find_group(&users, "1234", &gid), 0);
	ck_assert_uint_eq(gid, 1234);
	ck_assert_int_eq(users_find_group(&users, "no such group", &gid), -ESRCH);
	users_forget(&users);
}
END_TEST

/* Children that have ended and were not waited for. */
static void leave_zombies(int n)
{
	siginfo_t info;
	pid_t pid;

	for (int i = 0; i < n; i++) {
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			_exit(0);
		ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	}
}

START_TEST(orphans_that_end_all_the_time_do_not_keep_the_others_waiting)
{
	static struct keeper keeper = { .cgroup = { .folder_fd = -1 },
		.core = { .link_fd = -1 } };
	siginfo_t info;
	int turns = 0;

	leave_zombies(200);
	do {
		turns++;
		keeper.events_before_reaping = 0;
		reap_children(&keeper);
	} while (keeper.events_before_reaping > 0);
	ck_assert_int_gt(turns, 2);
	ck_assert_int_lt(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), 0);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

struct leaf {
	struct charge *charge;
	int n_events;
	int fd; /* its cgroup.events */
};

static void on_leaf_event(void *data, struct charge *charge)
{
	struct leaf *leaves = data;

	while (leaves->charge != charge)
		leaves++;
	leaves->n_events++;
}

static void watch_leaf(struct cgroup *cgroup, struct leaf *leaf)
{
	char *name = test_format("%s.actor", leaf->charge->name);
	const char *folder = test_path(cgroup->path, name);
	const char *file = test_path(folder, "cgroup.events");

	ck_assert_int_eq(mkdir(folder, 0755), 0);
	test_write(file, "x", 0644);
	leaf->fd = open(file, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(leaf->fd, 0);
	ck_assert_int_eq(cgroup_watch(cgroup, leaf->charge), 0);
}

static void change_leaf(const struct leaf *leaf)
{
	ck_assert_int_eq(pwrite(leaf->fd, "y", 1, 0), 1);
}

/* Two leaves whose events fill the kernel's queue, and a third whose event is lost. */
START_TEST(lost_events_of_cgroups_are_made_good)
{
	struct charges charges = { 0 };
	struct leaf leaves[] = { { charge_get(&charges, "a"), 0, -1 },
		{ charge_get(&charges, "b"), 0, -1 },
		{ charge_get(&charges, "c"), 0, -1 } };
	struct cgroup cgroup = {
		.path = (char *)(uintptr_t)test_folder(), .folder_fd = -1, .source.fd = -1
	};
	auto_free char *limit = NULL;
	struct loop loop;
	size_t size;
	long most;

	ck_assert_int_eq(file_read("/proc/sys/fs/inotify/max_queued_events", 64, &limit,
					 &size),
			0);
	most = strtol(limit, NULL, 10);
	if (most > 200000)
		return; /* it would take too long to fill */
	ck_assert_int_eq(loop_init(&loop), 0);
	ck_assert_int_eq(cgroup_start_watching(&cgroup, &loop, on_leaf_event, leaves), 0);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
		watch_leaf(&cgroup, &leaves[i]);
	for (long i = 0; i < most; i++)
		change_leaf(&leaves[i % 2]);
	change_leaf(&leaves[2]);
	while (loop_turn(&loop, 0) == 1)
		;
	ck_assert_int_gt(leaves[2].n_events, 0);
	cgroup_fini(&(struct cgroup){ .folder_fd = -1,
			.inotify_fd = cgroup.inotify_fd,
			.watches = cgroup.watches });
	loop_fini(&loop);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
		close_fd(leaves[i].fd);
	charges_fini(&charges);
}
END_TEST

START_TEST(user_is_not_looked_up_by_halves_when_descriptors_run_out)
{
	struct users users = { 0 };
	const struct user *root;
	struct rlimit old, none;
	gid_t gid;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ 3, old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(users_find(&users, "root", &root), -EMFILE);
	ck_assert_int_eq(users_find_group(&users, "root", &gid), -EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	/* It is not remembered. */
	ck_assert_int_eq(users_find(&users, "root", &root), 0);
	ck_assert_int_eq(users_find_group(&users, "root", &gid), 0);
	users_forget(&users);
}
END_TEST

static uint64_t always_zero(void *data)
{
	(void)data;
	return 0;
}

static void take_twice(const char *lock_folder)
{
	/* Both begin to look at the same number. */
	const struct clock_source source = { .random = always_zero };
	struct users users = { 0 };
	struct transient_uid one, two, again;

	clock_replace(&source);
	ck_assert_int_eq(transient_uid_take(lock_folder, &users, &one), 0);
	ck_assert_uint_ge(one.uid, TRANSIENT_UID_FIRST);
	ck_assert_int_eq(transient_uid_take(lock_folder, &users, &two), 0);
	ck_assert_uint_gt(two.uid, one.uid);
	transient_uid_release(&one);
	ck_assert_int_eq(transient_uid_take(lock_folder, &users, &again), 0);
	ck_assert_uint_eq(again.uid, one.uid);
	transient_uid_release(&again);
	transient_uid_release(&two);
	clock_replace(NULL);
	users_forget(&users);
}

START_TEST(user_number_of_a_core_is_held_by_one_keeper_only)
{
	const char *folder = test_folder();
	int fd;

	take_twice(folder);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing is left */
	take_twice(folder);
	/* One that systemd holds. */
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	fd = open(test_path(folder, "61184"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	take_twice(folder);
	close_fd(fd);
}
END_TEST

START_TEST(main_process_is_the_last_start_that_lives)
{
	struct charges charges = { .next_spawn_id = 1 };
	struct charge *charge = charge_get(&charges, "one");
	struct process *pre, *first, *second;

	pre = process_new(&charges, charge, 1);
	first = process_new(&charges, charge, 2);
	second = process_new(&charges, charge, 3);
	pre->kind = UNIT_EXEC_START_PRE;
	first->kind = second->kind = UNIT_EXEC_START;
	pre->stage = first->stage = second->stage = PROCESS_LIVES;
	ck_assert_int_eq(process_attach(&charges, pre, 10), 0);
	ck_assert_int_eq(process_attach(&charges, first, 11), 0);
	ck_assert_int_eq(process_attach(&charges, second, 12), 0);
	ck_assert_ptr_eq(charge_main(charge), second);
	process_detach(&charges, second);
	process_end(second, PROCESS_ENDED);
	ck_assert_ptr_eq(charge_main(charge), first);
	ck_assert_uint_eq(charge->n_live, 2);
	/* A number that is used again belongs to the new process alone. */
	process_free(&charges, second);
	ck_assert_ptr_eq(process_find_pid(&charges, 11), first);
	ck_assert(charges_are_occupied(&charges));
	charges_fini(&charges);
}
END_TEST

struct counting {
	struct loop_source source;
	struct loop *loop;
	int count;
};

static void on_ready(struct loop_source *source, uint32_t events)
{
	struct counting *counting = CONTAINER_OF(source, struct counting, source);

	ck_assert_uint_eq(events & EPOLLIN, EPOLLIN);
	counting->count++;
	loop_remove(counting->loop, source);
}

START_TEST(source_may_remove_itself_and_a_quiet_loop_times_out)
{
	struct loop loop;
	struct counting counting = { .source = { .fd = -1, .on_ready = on_ready },
		.loop = &loop };
	int fds[2];

	ck_assert_int_eq(loop_init(&loop), 0);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(loop_add(&loop, &counting.source, fds[0], EPOLLIN), 0);
	ck_assert_int_eq(loop_turn(&loop, 1000), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(loop_turn(&loop, USEC_INFINITY), 1);
	ck_assert_int_eq(counting.count, 1);
	ck_assert_int_eq(loop_turn(&loop, 1000), 0);
	loop_remove(&loop, &counting.source);
	close_fd(fds[0]);
	close_fd(fds[1]);
	loop_fini(&loop);
}
END_TEST

static mode_t mode_of(const char *folder, const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(test_path(folder, name), &st), 0);
	return st.st_mode & 07777;
}

START_TEST(runtime_folder_is_locked_and_has_tight_modes)
{
	struct runtime runtime, other;
	const char *folder = test_folder();
	int fd;

	ck_assert_int_eq(runtime_init(&runtime, folder), 0);
	ck_assert_int_eq(runtime_init(&other, folder), -EWOULDBLOCK);
	runtime_fini(&other);
	ck_assert_uint_eq(mode_of(folder, "state"), 0700);
	ck_assert_uint_eq(mode_of(folder, "notify"), 0711);
	ck_assert_int_eq(runtime_listen(&runtime, RUNTIME_USER, (gid_t)-1), 0);
	ck_assert_uint_eq(mode_of(folder, "control"), 0600);
	close_fd(runtime.control_fd);
	ck_assert_int_eq(runtime_listen(&runtime, RUNTIME_SYSTEM, getgid()), 0);
	ck_assert_uint_eq(mode_of(folder, "control"), 0660);
	ck_assert_int_eq(runtime_open_notify(&runtime, "a", geteuid(), &fd), 0);
	ck_assert_uint_eq(mode_of(folder, "notify/a"), 0600);
	close_fd(fd);
	ck_assert_int_eq(runtime_open_notify(&runtime, "a", (uid_t)-1, &fd), 0);
	ck_assert_uint_eq(mode_of(folder, "notify/a"), 0600);
	close_fd(fd);
	runtime_remove_notify(&runtime, "a");
	runtime_clear(&runtime);
	runtime_fini(&runtime);
	ck_assert_int_eq(runtime_init(&other, folder), 0);
	runtime_fini(&other);
}
END_TEST

START_TEST(runtime_folder_that_others_may_write_is_refused)
{
	struct runtime runtime;
	const char *folder = test_folder();

	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert_int_eq(runtime_init(&runtime, folder), -EPERM);
	runtime_fini(&runtime);
	if (geteuid() != 0)
		return; /* only root gives folders away */
	/* Nor is one whose owner could put another in its place. */
	ck_assert_int_eq(chmod(folder, 0755), 0);
	ck_assert_int_eq(mkdir(test_path(folder, "theirs"), 0755), 0);
	ck_assert_int_eq(chown(test_path(folder, "theirs"), 65534, 65534), 0);
	ck_assert_int_eq(runtime_init(&runtime, test_path(folder, "theirs/run")), -EPERM);
	runtime_fini(&runtime);
}
END_TEST

/* Lets the loop work until the file is as large, for at most ten seconds. */
static void await_size(struct loop *loop, struct logs *logs, const char *path, off_t size)
{
	struct stat st = { .st_size = -1 };

	for (int turns = 0; st.st_size != size && turns < 1000; turns++) {
		ck_assert_int_ge(loop_turn(loop, 10000), 0);
		logs_on_time(logs, clock_monotonic_usec());
		if (stat(path, &st) < 0)
			st.st_size = -1;
	}
	ck_assert_int_eq(st.st_size, size);
}

START_TEST(large_log_file_is_emptied_and_its_end_kept)
{
	const char *folder = test_folder(), *log = test_path(folder, "a.log");
	auto_close int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int writer = -1;
	auto_free char *kept = NULL;
	struct stat st;
	size_t size;

	test_write(log, "begin", 0640);
	logs_shorten(folder_fd, "a.log");
	logs_shorten(folder_fd, "b.log");
	ck_assert_int_lt(access(test_path(folder, "a.log.1"), F_OK), 0);
	/* A process that holds it goes on at its begin. */
	writer = open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(writer, LOGS_LIMIT + 1024), 0);
	ck_assert_int_eq(write(writer, "end", 3), 3);
	logs_shorten(folder_fd, "a.log");
	ck_assert_int_eq(write(writer, "new", 3), 3);
	ck_assert_int_eq(stat(log, &st), 0);
	ck_assert_int_eq(st.st_size, 3);
	ck_assert_int_eq(stat(test_path(folder, "a.log.1"), &st), 0);
	ck_assert_int_eq(st.st_size, LOGS_LIMIT);
	ck_assert_int_eq(
			file_read(test_path(folder, "a.log.1"), LOGS_LIMIT, &kept, &size),
			0);
	ck_assert_str_eq(kept + size - 3, "end");
}
END_TEST

START_TEST(flood_of_a_running_service_is_bounded)
{
	const char *folder = test_folder(), *log = test_path(folder, "a.log");
	auto_close int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int writer =
			open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	struct loop loop;
	struct logs logs;

	ck_assert_int_eq(loop_init(&loop), 0);
	logs_init(&logs, folder_fd, &loop);
	logs_watch(&logs);
	ck_assert_uint_eq(logs_next_usec(&logs), USEC_INFINITY);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(write(writer, "x", 1), 1);
		ck_assert_int_eq(ftruncate(writer, LOGS_LIMIT), 0);
		await_size(&loop, &logs, log, 0);
	}
	/* It sleeps again when nobody writes. */
	for (int i = 0; i < 1000 && logs_next_usec(&logs) != USEC_INFINITY; i++) {
		ck_assert_int_ge(loop_turn(&loop, 10000), 0);
		logs_on_time(&logs, clock_monotonic_usec());
	}
	ck_assert_uint_eq(logs_next_usec(&logs), USEC_INFINITY);
	logs_fini(&logs);
	loop_fini(&loop);
}
END_TEST

START_TEST(words_for_the_manager_above_reach_an_abstract_socket)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[64], text[64] = "";
	struct upward upward;
	int n;

	n = snprintf(name, sizeof(name), "@airssys-test-%d", getpid());
	memcpy(address.sun_path, name, (size_t)n);
	address.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
					 (socklen_t)(sizeof(sa_family_t) + (size_t)n)),
			0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "5000", 1), 0);
	ck_assert_int_eq(setenv("WATCHDOG_PID", "1", 1), 0);
	upward_init(&upward);
	/* The watchdog is another process's. */
	ck_assert_uint_eq(upward.watchdog_usec, 0);
	upward_say(&upward, "STATUS=%d", 7);
	ck_assert_int_eq(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 8);
	ck_assert_str_eq(text, "STATUS=7");
	upward_fini(&upward);
	ck_assert_int_eq(unsetenv("WATCHDOG_PID"), 0);
	upward_init(&upward);
	ck_assert_uint_eq(upward.watchdog_usec, 5000);
	upward_fini(&upward);
	close_fd(fd);
}
END_TEST

START_TEST(socket_paths_are_as_long_as_a_client_can_reach)
{
	char path[108];

	(void)memset(path, 'x', sizeof(path));
	path[107 - strlen("/control")] = '\0';
	ck_assert(runtime_path_fits(path, RUNTIME_CONTROL, ""));
	ck_assert(!runtime_path_fits(path, RUNTIME_NOTIFY, "db"));
	path[107 - strlen("/notify/db")] = '\0';
	ck_assert(runtime_path_fits(path, RUNTIME_NOTIFY, "db"));
	ck_assert(!runtime_path_fits(path, RUNTIME_NOTIFY, "db2"));
}
END_TEST

TEST_MAIN("parts", user_number_of_a_core_is_held_by_one_keeper_only,
		socket_paths_are_as_long_as_a_client_can_reach,
		shared_child_writes_our_memory_and_a_copied_one_its_own,
		clone_into_what_is_no_cgroup_is_refused,
		users_are_those_of_the_local_files,
		orphans_that_end_all_the_time_do_not_keep_the_others_waiting,
		lost_events_of_cgroups_are_made_good,
		user_is_not_looked_up_by_halves_when_descriptors_run_out,
		main_process_is_the_last_start_that_lives,
		source_may_remove_itself_and_a_quiet_loop_times_out,
		runtime_folder_is_locked_and_has_tight_modes,
		runtime_folder_that_others_may_write_is_refused,
		large_log_file_is_emptied_and_its_end_kept,
		flood_of_a_running_service_is_bounded,
		words_for_the_manager_above_reach_an_abstract_socket)
