/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "airssys/airssys.h"
#include "base/clock.h"
#include "base/fd.h"
#include "host/activity.h"
#include "support/test.h"
#include "world.h"

/* The id of service-failed is for ever. */
#define TEST_FAILED_ID "07fbad49f7b44e83b8525a4f512124e8"

static int bind_journal(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* The next datagram as text, or NULL. */
static const char *next_datagram(void)
{
	static char buffer[65536];
	ssize_t n = recv(w.journal, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);

	if (n < 0)
		return NULL;
	buffer[n] = '\0';
	return buffer;
}

/* What one drain of the journal's socket has in it. */
struct seen {
	uint64_t records, lost, warnings;
};

static void drain(struct seen *seen)
{
	const char *datagram, *count;

	while ((datagram = next_datagram())) {
		if (!strstr(datagram, "AIRSSYS_EVENT=records-lost\n")) {
			seen->records++;
			seen->warnings += strstr(datagram, "PRIORITY=4\n") != NULL;
			continue;
		}
		count = strstr(datagram, "AIRSSYS_COUNT=");
		ck_assert_ptr_nonnull(count);
		seen->lost += strtoull(count + 14, NULL, 10);
	}
}

/* Until nothing waits any more. */
static void drain_all(struct seen *seen)
{
	do {
		drain(seen);
		world_run();
		world_ask();
	} while (w.counts.waiting > 0);
	drain(seen);
}

START_TEST(record_arrives_with_all_its_fields)
{
	const char *text, *path = test_path(test_folder(), "journal");

	w.journal = bind_journal(path);
	world_start(path, 0, 0);
	world_write(ACTIVITY_SERVICE_FAILED, 7, 1, 0);
	text = next_datagram();
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text,
			"MESSAGE=db has failed: killed (#7).\n"
			"MESSAGE_ID=" TEST_FAILED_ID "\n"
			"PRIORITY=4\nSYSLOG_IDENTIFIER=airssys\n"
			"AIRSSYS_EVENT=service-failed\nAIRSSYS_UNIT=db\n"
			"AIRSSYS_REASON=killed\nAIRSSYS_DETAIL=#7\n"
			"AIRSSYS_INSTANCE=/run/here\n");
	world_ask();
	ck_assert_uint_eq(w.counts.written, 1);
	ck_assert_uint_eq(w.counts.journal, 1);
	airs_system_free(w.system);
}
END_TEST

START_TEST(without_a_journal_lines_are_written)
{
	char line[256];
	ssize_t n;

	world_start("", 0, 0);
	world_write(ACTIVITY_SERVICE_DONE, 0, 1, 0);
	n = read(w.fallback[0], line, sizeof(line) - 1);
	ck_assert_int_gt(n, 0);
	line[n] = '\0';
	ck_assert_str_eq(line, "airssys: db is done: killed.\n");
	airs_system_free(w.system);
}
END_TEST

START_TEST(journal_that_comes_back_is_found)
{
	const char *path = test_path(test_folder(), "journal");
	char line[256];

	world_start(path, 0, 0);
	world_write(ACTIVITY_SERVICE_DONE, 0, 1, 0);
	ck_assert_int_gt(read(w.fallback[0], line, sizeof(line)), 0);
	w.journal = bind_journal(path);
	(void)airs_system_run(w.system, airs_system_now(w.system) + 2 * USEC_PER_SEC);
	world_write(ACTIVITY_SERVICE_DONE, 1, 1, 0);
	ck_assert_ptr_nonnull(next_datagram());
	/* And one that goes is left. */
	(void)close(w.journal);
	world_write(ACTIVITY_SERVICE_DONE, 2, 1, 0);
	ck_assert_int_gt(read(w.fallback[0], line, sizeof(line)), 0);
	world_ask();
	ck_assert_uint_eq(w.counts.written, 3);
	ck_assert_uint_eq(w.counts.lost, 0);
	airs_system_free(w.system);
}
END_TEST

START_TEST(full_journal_loses_nothing_that_the_ring_holds)
{
	const char *path = test_path(test_folder(), "journal");
	struct seen seen = { 0 };

	w.journal = bind_journal(path);
	world_start(path, 0, 0);
	world_write(ACTIVITY_SERVICE_DONE, 0, 1000, 0);
	world_ask();
	ck_assert_uint_gt(w.counts.waiting, 0);
	drain_all(&seen);
	ck_assert_uint_eq(seen.records, 1000);
	ck_assert_uint_eq(seen.lost, 0);
	airs_system_free(w.system);
}
END_TEST

START_TEST(what_is_lost_is_counted_exactly)
{
	const char *path = test_path(test_folder(), "journal");
	struct seen seen = { 0 };

	w.journal = bind_journal(path);
	world_start(path, 8192, 0);
	for (int i = 0; i < 20; i++) {
		world_write(ACTIVITY_SERVICE_DONE, 0, 500, 0);
		if (i % 3 == 0)
			drain(&seen);
	}
	drain_all(&seen);
	ck_assert_uint_gt(seen.lost, 0);
	ck_assert_uint_eq(seen.records + seen.lost, 20 * 500);
	world_ask();
	ck_assert_uint_eq(w.counts.lost, seen.lost);
	airs_system_free(w.system);
}
END_TEST

START_TEST(what_a_full_mailbox_refuses_is_counted_too)
{
	const char *path = test_path(test_folder(), "journal");
	struct seen seen = { 0 };

	w.journal = bind_journal(path);
	world_start(path, 0, 50);
	world_write(ACTIVITY_SERVICE_DONE, 0, 5000, 0);
	world_write(ACTIVITY_SERVICE_DONE, 0, 1, 0);
	drain_all(&seen);
	ck_assert_uint_gt(seen.lost, 0);
	ck_assert_uint_eq(seen.records + seen.lost, 5001);
	airs_system_free(w.system);
}
END_TEST

START_TEST(warnings_are_lost_last)
{
	const char *path = test_path(test_folder(), "journal");
	struct seen seen = { 0 };

	w.journal = bind_journal(path);
	world_start(path, 20000, 0);
	world_write(ACTIVITY_SERVICE_DONE, 0, 200, 0);
	world_write(ACTIVITY_SERVICE_FAILED, 0, 20, 0);
	world_write(ACTIVITY_SERVICE_DONE, 0, 2000, 0);
	drain_all(&seen);
	ck_assert_uint_gt(seen.lost, 0);
	ck_assert_uint_eq(seen.warnings, 20);
	ck_assert_uint_eq(seen.records + seen.lost, 2220);
	airs_system_free(w.system);
}
END_TEST

START_TEST(full_standard_error_does_not_block)
{
	char buffer[4096];
	uint64_t lines = 0;
	ssize_t n;

	world_start("", 100000, 0);
	world_write(ACTIVITY_SERVICE_DONE, 0, 20000, 0);
	world_ask();
	ck_assert_uint_gt(w.counts.waiting, 0);
	ck_assert_uint_gt(w.counts.lost, 0);
	do {
		while ((n = read(w.fallback[0], buffer, sizeof(buffer))) > 0)
			for (ssize_t i = 0; i < n; i++)
				lines += buffer[i] == '\n';
		world_run();
		world_ask();
	} while (w.counts.waiting > 0);
	ck_assert_uint_eq(w.counts.written + w.counts.lost, 20000);
	ck_assert_uint_gt(lines, 0);
	airs_system_free(w.system);
}
END_TEST

START_TEST(large_record_goes_by_a_memory_file)
{
	const char *path = test_path(test_folder(), "journal");
	auto_free char *text = NULL;
	char nothing[16];
	int fds[1] = { -1 };
	size_t n_fds = 0, size;

	w.journal = bind_journal(path);
	world_start(path, 0, 0);
	world_write(ACTIVITY_SERVICE_FAILED, 0, 1, 300000);
	ck_assert_int_eq(fd_receive(w.journal, nothing, sizeof(nothing), fds, 1, &n_fds),
			0);
	ck_assert_uint_eq(n_fds, 1);
	ck_assert_int_eq(memfd_is_sealed(fds[0]), 1);
	ck_assert_int_eq(fd_read_all(fds[0], 1 << 24, &text, &size), 0);
	ck_assert_uint_gt(size, 600000); /* in MESSAGE and in the detail */
	ck_assert_int_eq(strncmp(text, "MESSAGE=db has failed: killed (xxx", 34), 0);
	ck_assert_ptr_nonnull(strstr(text, "\nAIRSSYS_INSTANCE=/run/here\n"));
	airs_system_free(w.system);
}
END_TEST

START_TEST(what_waits_at_the_end_is_written_as_far_as_it_goes)
{
	struct airs_reason shutdown = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, NULL);
	char buffer[256];

	world_start("", 0, 0);
	world_write(ACTIVITY_TREE_DOWN, 0, 1, 0);
	airs_system_exit_signal(w.system, w.writer, &shutdown);
	world_run();
	ck_assert_int_gt(read(w.fallback[0], buffer, sizeof(buffer)), 0);
	airs_system_free(w.system);
}
END_TEST

TEST_MAIN("activity-writer", record_arrives_with_all_its_fields,
		without_a_journal_lines_are_written, journal_that_comes_back_is_found,
		full_journal_loses_nothing_that_the_ring_holds,
		what_is_lost_is_counted_exactly,
		what_a_full_mailbox_refuses_is_counted_too, warnings_are_lost_last,
		full_standard_error_does_not_block, large_record_goes_by_a_memory_file,
		what_waits_at_the_end_is_written_as_far_as_it_goes)
