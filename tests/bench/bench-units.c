/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "bench/bench.h"
#include "unit/snapshot.h"
#include "unit/unit.h"

/*
 * Unit files on disk (10,000, or the first argument; one supervisor for each hundred
 * services): reading them, handing them over, parsing and resolving them, and opening each unit.
 */

#define ROUNDS 5
#define GROUP  100

struct times {
	uint64_t load[ROUNDS], hand_over[ROUNDS], parse[ROUNDS], open[ROUNDS];
	size_t heap; /* of a parsed set */
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "bench-units: %s failed\n", what);
	exit(EXIT_FAILURE);
}

static void write_file(int dir_fd, const char *name, const char *data)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, data, strlen(data)) < 0)
		fail(name);
	close_fd(fd);
}

static void write_unit(int dir_fd, uint64_t i)
{
	char name[64], data[256];
	uint64_t group = i / GROUP;

	if (i % GROUP == 0) {
		(void)snprintf(name, sizeof(name), "group%" PRIu64 ".supervisor", group);
		(void)snprintf(data, sizeof(data),
				"[Supervisor]\nDescription=Group %" PRIu64 "\n", group);
	} else {
		(void)snprintf(name, sizeof(name), "service%" PRIu64 ".actor", i);
		(void)snprintf(data, sizeof(data),
				"[Actor]\nDescription=Service %" PRIu64
				"\nSupervisor=group%" PRIu64
				"\n\n[Service]\nExecStart=/bin/sleep infinity\n",
				i, group);
	}
	write_file(dir_fd, name, data);
}

static void open_all(const struct unit_set *set)
{
	struct unit *unit;

	for (uint32_t i = 0; i < set->count; i++) {
		if (unit_set_open(set, i, &unit) < 0)
			fail("open");
		unit_free(unit);
	}
}

static void measure(const struct strv *path, size_t round, struct times *times)
{
	auto_(unit_snapshot) snapshot = NULL;
	auto_(unit_snapshot) unpacked = NULL;
	struct unit_context context;
	struct unit_set *set = NULL;
	auto_diag diag = { 0 };
	uint64_t begin = bench_now_ns(), loaded, handed_over, parsed;
	size_t heap;
	int fd = -1;

	if (unit_snapshot_load(path, &diag, &snapshot) < 0)
		fail("load");
	loaded = bench_now_ns();
	if (unit_snapshot_pack(snapshot, &fd) < 0 ||
			unit_snapshot_unpack(fd, &unpacked) < 0)
		fail("hand over");
	handed_over = bench_now_ns();
	heap = mallinfo2().uordblks;
	if (unit_context_init(&context, NULL) < 0 ||
			unit_set_parse(unpacked, &context, &diag, &set) < 0 ||
			diag.count > 0)
		fail("parse");
	times->load[round] = loaded - begin;
	times->hand_over[round] = handed_over - loaded;
	parsed = bench_now_ns();
	times->heap = mallinfo2().uordblks - heap;
	open_all(set);
	times->parse[round] = parsed - handed_over;
	times->open[round] = bench_now_ns() - parsed;
	unit_set_free(set);
	close_fd(fd);
}

static double ms(uint64_t *values)
{
	return (double)bench_median(values, ROUNDS) / 1e6;
}

int main(int argc, char **argv)
{
	uint64_t n = bench_argument(argc, argv, 1, 10000);
	char folder[] = "/tmp/airssys-bench.XXXXXX";
	struct times times = { 0 };
	auto_strv path = { 0 };
	char name[64];
	int dir_fd;

	if (!mkdtemp(folder) || strv_append(&path, folder) < 0)
		fail("mkdtemp");
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (uint64_t i = 0; i < n; i++)
		write_unit(dir_fd, i);
	for (size_t round = 0; round < ROUNDS; round++)
		measure(&path, round, &times);
	printf("{\"bench\":\"units\",\"n\":%" PRIu64
	       ",\"load_ms\":%.1f,\"hand_over_ms\":%.1f,"
	       "\"parse_ms\":%.1f,\"open_ms\":%.1f,\"heap_bytes_per_unit\":%zu}\n",
			n, ms(times.load), ms(times.hand_over), ms(times.parse),
			ms(times.open), times.heap / (n ? n : 1));
	for (uint64_t i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name),
				i % GROUP ? "service%" PRIu64 ".actor"
					  : "group%" PRIu64 ".supervisor",
				i % GROUP ? i : i / GROUP);
		(void)unlinkat(dir_fd, name, 0);
	}
	close_fd(dir_fd);
	(void)rmdir(folder);
	return EXIT_SUCCESS;
}
