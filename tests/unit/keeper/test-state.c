/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "keeper/state.h"
#include "support/test.h"

/*
 * The state file: what is written is read, and what is damaged hides nothing before it.
 */

static struct charges charges;
static struct state state;
static int folder_fd;

static void set_up(void)
{
	charges = (struct charges){ .next_spawn_id = 1 };
	folder_fd = open(test_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(folder_fd, 0);
	state_init(&state, folder_fd);
	state.cgroup = "/sys/fs/cgroup/x";
	ck_assert_int_eq(state_rewrite(&state, &charges), 0);
}

static struct process *add_process(const char *unit, pid_t pid)
{
	struct charge *charge = charge_get(&charges, unit);
	struct process *process;

	ck_assert_ptr_nonnull(charge);
	process = process_new(&charges, charge, charges.next_spawn_id++);
	ck_assert_ptr_nonnull(process);
	process->kind = UNIT_EXEC_START;
	process->start_time = 1000 + (uint64_t)pid;
	process->stage = PROCESS_LIVES;
	ck_assert_int_eq(process_attach(&charges, process, pid), 0);
	return process;
}

static void tear_down(void)
{
	state_remove(&state);
	charges_fini(&charges);
	close_fd(folder_fd);
}

#define RECORDS_MAX 24

struct seen {
	struct state_record records[RECORDS_MAX];
	size_t n;
};

static void on_record(void *data, const struct state_record *record)
{
	struct seen *seen = data;

	ck_assert_uint_lt(seen->n, RECORDS_MAX);
	seen->records[seen->n++] = *record;
}

static char *log_data;
static size_t log_size;

static size_t read_back(struct seen *seen)
{
	*seen = (struct seen){ .n = 0 };
	free(log_data);
	log_data = NULL;
	state_flush(&state);
	ck_assert_int_eq(state_load(&state, &log_data, &log_size), 0);
	ck_assert_ptr_nonnull(log_data);
	return state_read(log_data, log_size, on_record, seen);
}

START_TEST(what_is_appended_is_read)
{
	struct process *process;
	struct seen seen;

	set_up();
	process = add_process("db", 77);
	memset(process->charge->invocation, 0x5a, INVOCATION_SIZE);
	state_add_spawn(&state, process);
	process_end(process, PROCESS_ENDED);
	process->code = CLD_EXITED;
	process->status = 3;
	state_add_end(&state, process);
	ck_assert_int_eq(charge_set_note(process->charge, "note", 4), 0);
	state_add_note(&state, process->charge);
	state_add_forget(&state, process->spawn_id);
	ck_assert_uint_eq(read_back(&seen), 0);
	ck_assert_uint_eq(seen.n, 5);
	ck_assert_int_eq(seen.records[0].type, STATE_BEGIN);
	ck_assert_str_eq(seen.records[0].cgroup, "/sys/fs/cgroup/x");
	ck_assert_int_eq(seen.records[1].type, STATE_SPAWN);
	ck_assert_str_eq(seen.records[1].unit, "db");
	ck_assert_int_eq(seen.records[1].pid, 77);
	ck_assert_uint_eq(seen.records[1].start_time, 1077);
	ck_assert_int_eq(((const uint8_t *)seen.records[1].invocation)[15], 0x5a);
	ck_assert_int_eq(seen.records[2].status, 3);
	ck_assert_int_eq(memcmp(seen.records[3].note, "note", 4), 0);
	ck_assert_uint_eq(seen.records[4].spawn_id, process->spawn_id);
	tear_down();
}
END_TEST

START_TEST(start_is_written_at_once_and_the_rest_when_nothing_else_is_to_be_done)
{
	struct process *process;
	struct stat before, after;

	set_up();
	process = add_process("db", 77);
	ck_assert_int_eq(fstat(state.log_fd, &before), 0);
	state_add_spawn(&state, process);
	ck_assert_int_eq(fstat(state.log_fd, &after), 0);
	ck_assert_int_gt(after.st_size, before.st_size);
	process_end(process, PROCESS_ENDED);
	for (int i = 0; i < 10; i++)
		state_add_end(&state, process);
	ck_assert_int_eq(fstat(state.log_fd, &before), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	state_flush(&state);
	ck_assert_int_eq(fstat(state.log_fd, &after), 0);
	ck_assert_int_eq((size_t)after.st_size, state.size);
	ck_assert_int_gt(after.st_size, before.st_size);
	/* More than waits at most. */
	for (int i = 0; i < 1000; i++)
		state_add_end(&state, process);
	ck_assert_int_eq(fstat(state.log_fd, &before), 0);
	ck_assert_int_gt(before.st_size, after.st_size);
	tear_down();
}
END_TEST

START_TEST(rewrite_holds_what_lives_and_what_is_not_acknowledged)
{
	struct process *lives, *ended;
	struct seen seen;

	set_up();
	lives = add_process("a", 10);
	ended = add_process("b", 11);
	process_end(ended, PROCESS_ENDED_UNKNOWN);
	process_detach(&charges, ended);
	for (int i = 0; i < 20; i++)
		state_add_spawn(&state, lives);
	ck_assert_int_eq(state_rewrite(&state, &charges), 0);
	ck_assert_uint_eq(read_back(&seen), 0);
	ck_assert_uint_eq(seen.n, 4);
	ck_assert_uint_eq(seen.records[0].spawn_id, charges.next_spawn_id);
	tear_down();
}
END_TEST

START_TEST(log_that_grew_without_content_is_bloated)
{
	struct process *process;

	set_up();
	process = add_process("a", 10);
	ck_assert(!state_wants_rewrite(&state));
	for (int i = 0; i < 2000 && !state_wants_rewrite(&state); i++)
		state_add_spawn(&state, process);
	ck_assert(state_wants_rewrite(&state));
	ck_assert_int_eq(state_rewrite(&state, &charges), 0);
	ck_assert(!state_wants_rewrite(&state));
	tear_down();
}
END_TEST

START_TEST(every_cut_and_every_flipped_byte_leaves_what_stands_before)
{
	struct seen whole, seen;
	uint8_t *copy;

	set_up();
	state_add_spawn(&state, add_process("a", 10));
	state_add_spawn(&state, add_process("b", 11));
	ck_assert_uint_eq(read_back(&whole), 0);
	copy = malloc(log_size);
	ck_assert_ptr_nonnull(copy);
	for (size_t cut = 0; cut < log_size; cut++) {
		seen.n = 0;
		(void)state_read(log_data, cut, on_record, &seen);
		ck_assert_uint_lt(seen.n, whole.n);
	}
	for (size_t at = 0; at < log_size; at++) {
		memcpy(copy, log_data, log_size);
		copy[at] ^= 0x10;
		seen.n = 0;
		ck_assert_uint_gt(state_read(copy, log_size, on_record, &seen), 0);
		ck_assert_uint_lt(seen.n, whole.n);
	}
	free(copy);
	tear_down();
}
END_TEST

/* A file may not grow any more: as on a full disk, in the middle of a record too. */
static void fill_disk(size_t size)
{
	const struct rlimit limit = { .rlim_cur = size, .rlim_max = RLIM_INFINITY };

	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(full_disk_keeps_the_log_whole_and_is_over_when_there_is_room)
{
	struct process *process;
	struct seen seen;

	set_up();
	process = add_process("a", 10);
	state_add_spawn(&state, process);
	fill_disk(state.size + 10);
	state_add_spawn(&state, process);
	ck_assert_int_ne(state.error, 0);
	ck_assert_uint_eq(read_back(&seen), 0);
	fill_disk(RLIM_INFINITY);
	state_add_spawn(&state, process);
	ck_assert_uint_eq(read_back(&seen), 0);
	ck_assert_uint_ge(seen.n, 3);
	tear_down();
}
END_TEST

START_TEST(what_a_full_disk_lost_is_made_good_when_there_is_room)
{
	struct seen seen;
	size_t n;

	set_up();
	state_add_spawn(&state, add_process("a", 10));
	ck_assert_uint_eq(read_back(&seen), 0);
	n = seen.n;
	fill_disk(state.size + 10);
	state_add_spawn(&state, add_process("b", 11));
	ck_assert(state_wants_rewrite(&state));
	ck_assert_int_lt(state_rewrite(&state, &charges), 0);
	ck_assert(state_wants_rewrite(&state));
	fill_disk(RLIM_INFINITY);
	ck_assert_int_eq(state_rewrite(&state, &charges), 0);
	ck_assert(!state_wants_rewrite(&state));
	ck_assert_int_eq(state.error, 0);
	ck_assert_uint_eq(read_back(&seen), 0);
	ck_assert_uint_eq(seen.n, n + 1);
	tear_down();
}
END_TEST

START_TEST(rewrite_survives_the_lack_of_memory)
{
	struct seen seen;
	int r;

	set_up();
	state_add_spawn(&state, add_process("a", 10));
	for (unsigned int n = 1;; n++) {
		alloc_fail_at(n);
		r = state_rewrite(&state, &charges);
		if (!alloc_fail_stop())
			break;
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_uint_eq(read_back(&seen), 0);
		ck_assert_uint_eq(seen.n, 2);
	}
	ck_assert_int_eq(r, 0);
	tear_down();
}
END_TEST

TEST_MAIN("state", what_is_appended_is_read,
		start_is_written_at_once_and_the_rest_when_nothing_else_is_to_be_done,
		rewrite_holds_what_lives_and_what_is_not_acknowledged,
		log_that_grew_without_content_is_bloated,
		every_cut_and_every_flipped_byte_leaves_what_stands_before,
		full_disk_keeps_the_log_whole_and_is_over_when_there_is_room,
		what_a_full_disk_lost_is_made_good_when_there_is_room,
		rewrite_survives_the_lack_of_memory)
