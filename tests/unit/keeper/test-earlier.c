/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/procid.h"
#include "bed.h"
#include "support/test.h"

/*
 * What a keeper knows of units whose files are not as they were: a new one of those that
 * the last one had in force, and one that reads its files again of those that are gone.
 */

static struct bed bed;
static struct reply reply;

#define SERVICE "[Service]\nExecStart=/bin/sleep 1000\nExecStop=/bin/true\n"
#define MISTAKE "[Service]\nExecStart=/bin/sleep 1000\nRestart=whenever\n"

static const char *kept_file(void)
{
	return test_path(bed.runtime, "state/units");
}

/* A service runs, its keeper is killed, and its file gets a mistake. */
static pid_t begin(void)
{
	pid_t pid;

	bed_init(&bed);
	bed_add_unit(&bed, "one", SERVICE);
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	bed_kill_keeper(&bed);
	bed_add_unit(&bed, "one", MISTAKE);
	return pid;
}

static void launch_again(const char *option)
{
	bed_launch(&bed, option);
	bed_meet_core(&bed);
	bed_await(&bed, PROTOCOL_PROCESS, &reply);
	ck_assert_str_eq(reply.message.unit, "one");
	bed_await(&bed, PROTOCOL_ADOPTED, &reply);
}

/* Whether the definition of the unit is known. */
static bool is_known(const char *unit)
{
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_SPAWN,
					.unit = unit,
					.kind = UNIT_EXEC_STOP });
	/* The command of an earlier question may end meanwhile. */
	do {
		bed_receive(&bed, &reply);
	} while (reply.message.type == PROTOCOL_EXITED);
	if (reply.message.type == PROTOCOL_SPAWNED)
		return true;
	ck_assert_int_eq(reply.message.type, PROTOCOL_FAILED);
	ck_assert_int_eq(reply.message.error, ENOENT);
	return false;
}

START_TEST(unit_goes_on_as_it_was_when_a_new_keeper_finds_a_mistake)
{
	pid_t pid = begin();
	struct stat st;

	ck_assert_int_eq(stat(kept_file(), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	launch_again(NULL);
	ck_assert_ptr_nonnull(strstr(bed_output(&bed), "one.actor:3: error"));
	ck_assert(is_known("one"));
	/* And as it is, for the next one, too. */
	bed_kill_keeper(&bed);
	launch_again(NULL);
	ck_assert(is_known("one"));
	ck_assert_int_eq(kill(pid, 0), 0);
	bed_stop(&bed);
	bed_await_gone(pid);
}
END_TEST

START_TEST(strict_keeper_takes_over_what_was_in_force)
{
	pid_t pid = begin();

	bed_add_unit(&bed, "two", SERVICE);
	launch_again("--strict");
	ck_assert(is_known("one"));
	ck_assert(!is_known("two"));
	bed_stop(&bed);
	bed_await_gone(pid);
}
END_TEST

START_TEST(nothing_is_kept_when_a_keeper_has_stopped)
{
	bed_init(&bed);
	bed_add_unit(&bed, "one", SERVICE);
	bed_start(&bed, NULL);
	bed_stop(&bed);
	ck_assert_int_eq(access(kept_file(), F_OK), -1);
	ck_assert_int_eq(errno, ENOENT);
	bed_add_unit(&bed, "one", MISTAKE);
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	bed_await(&bed, PROTOCOL_ADOPTED, &reply);
	ck_assert(!is_known("one"));
	bed_stop(&bed);
}
END_TEST

static void expect_ignored(const char *why)
{
	launch_again(NULL);
	ck_assert_ptr_nonnull(strstr(bed_output(&bed), "are not used"));
	ck_assert_ptr_nonnull(strstr(bed_output(&bed), why));
	ck_assert(!is_known("one"));
	bed_stop(&bed);
}

START_TEST(kept_files_that_others_may_write_are_not_used)
{
	pid_t pid = begin();

	ck_assert_int_eq(chmod(kept_file(), 0666), 0);
	expect_ignored("may write");
	bed_await_gone(pid);
}
END_TEST

START_TEST(kept_files_that_are_a_link_are_not_used)
{
	pid_t pid = begin();
	const char *elsewhere = test_path(bed.folder, "elsewhere");

	ck_assert_int_eq(rename(kept_file(), elsewhere), 0);
	ck_assert_int_eq(symlink(elsewhere, kept_file()), 0);
	expect_ignored("are not used");
	bed_await_gone(pid);
}
END_TEST

static void change_kept(const char *from, const char *to, size_t size)
{
	char *data, *at;
	size_t n;
	int fd = open(kept_file(), O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_read(kept_file(), 1024 * 1024, &data, &n), 0);
	at = memmem(data, n, from, size);
	ck_assert_ptr_nonnull(at);
	memcpy(at, to, size);
	ck_assert_int_eq(fd_write_all(fd, data, n), 0);
	close_fd(fd);
	free(data);
}

START_TEST(kept_files_that_are_damaged_are_not_used)
{
	pid_t pid = begin();

	change_kept("one.actor", "one.catho", strlen("one.actor"));
	change_kept("one.actor", "one.catho", strlen("one.actor"));
	expect_ignored("damaged");
	bed_await_gone(pid);
}
END_TEST

START_TEST(kept_files_that_are_cut_are_not_used)
{
	pid_t pid = begin();
	struct stat st;

	ck_assert_int_eq(stat(kept_file(), &st), 0);
	ck_assert_int_eq(truncate(kept_file(), st.st_size - 1), 0);
	expect_ignored("damaged");
	bed_await_gone(pid);
}
END_TEST

START_TEST(kept_files_of_another_boot_are_not_used)
{
	pid_t pid = begin();
	char id[BOOT_ID_SIZE], plain[BOOT_ID_SIZE], other[BOOT_ID_SIZE];
	size_t n = 0;

	ck_assert_int_eq(boot_id_get(id), 0);
	for (size_t i = 0; id[i]; i++)
		if (id[i] != '-')
			plain[n++] = id[i];
	memcpy(other, plain, n);
	other[0] = other[0] == '0' ? '1' : '0';
	change_kept(plain, other, n);
	launch_again(NULL);
	ck_assert_ptr_null(strstr(bed_output(&bed), "are not used"));
	ck_assert(!is_known("one"));
	bed_stop(&bed);
	bed_await_gone(pid);
}
END_TEST

static void reload(void)
{
	(void)bed_send(&bed, (struct protocol_message){ .type = PROTOCOL_RELOAD });
	bed_await(&bed, PROTOCOL_CONFIG, &reply);
	bed_await(&bed, PROTOCOL_DONE, &reply);
}

static void note(const char *unit, const char *text)
{
	(void)bed_send(&bed,
			(struct protocol_message){ .type = PROTOCOL_NOTE,
					.unit = unit,
					.data = text,
					.size = strlen(text) });
}

/* How many notes a core is greeted with. */
static int count_notes(void)
{
	int n = 0;

	bed_kill_core(&bed);
	bed_meet_core(&bed);
	do {
		bed_receive(&bed, &reply);
		n += reply.message.type == PROTOCOL_NOTE;
	} while (reply.message.type != PROTOCOL_ADOPTED);
	return n;
}

START_TEST(unit_that_vanished_is_forgotten_when_nothing_of_it_is_left)
{
	const char *socket;
	uint64_t spawn_id;
	pid_t pid;

	bed_init(&bed);
	bed_add_unit(&bed, "stays", SERVICE);
	bed_add_unit(&bed, "runs", SERVICE "Type=notify\n");
	bed_add_unit(&bed, "rests", SERVICE);
	bed_start(&bed, NULL);
	socket = test_path(bed.runtime, "notify/runs");
	bed_spawn(&bed, "runs", &reply);
	pid = reply.message.pid;
	spawn_id = reply.message.spawn_id;
	note("stays", "a");
	note("runs", "b");
	note("rests", "c");
	ck_assert_int_eq(count_notes(), 3);
	ck_assert_int_eq(unlink(test_path(bed.units, "runs.actor")), 0);
	ck_assert_int_eq(unlink(test_path(bed.units, "rests.actor")), 0);
	reload();
	/* What runs is known until the core knows of its end. */
	ck_assert_int_eq(count_notes(), 2);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	bed_await(&bed, PROTOCOL_EMPTY, &reply);
	ck_assert_int_eq(count_notes(), 2);
	ck_assert_int_eq(access(socket, F_OK), 0);
	(void)bed_send(&bed,
			(struct protocol_message){
					.type = PROTOCOL_ACK, .spawn_id = spawn_id });
	ck_assert_int_eq(count_notes(), 1);
	ck_assert_int_eq(access(socket, F_OK), -1);
	/* The next keeper does not hear of it either. */
	bed_kill_keeper(&bed);
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	ck_assert_int_eq(count_notes(), 1);
	bed_stop(&bed);
}
END_TEST

TEST_MAIN("earlier", unit_goes_on_as_it_was_when_a_new_keeper_finds_a_mistake,
		strict_keeper_takes_over_what_was_in_force,
		nothing_is_kept_when_a_keeper_has_stopped,
		kept_files_that_others_may_write_are_not_used,
		kept_files_that_are_a_link_are_not_used,
		kept_files_that_are_damaged_are_not_used,
		kept_files_that_are_cut_are_not_used,
		kept_files_of_another_boot_are_not_used,
		unit_that_vanished_is_forgotten_when_nothing_of_it_is_left)
