/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The activity log. One operation is one record, from the call that writes it until it
 * is accepted: by one actor, 1,000 in a turn, which is never made to wait. The
 * percentiles are those of the call alone, on the thread of the actor. The journal is a
 * socket that a thread reads (read), that nobody reads, as while journald is stopped
 * (stopped), or that is not there, so that lines go to a pipe that is full (absent).
 *
 * Each case fails unless what was written, what was counted as lost and what waits make up
 * what was generated; "read" compares with what has arrived, too.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "airssys/airssys.h"
#include "base/text.h"
#include "bench/bench.h"
#include "host/activity.h"

#define BATCH    1000
#define MAILBOX  32768
#define ASK_USEC 2000

enum {
	MSG_GO = AIRS_MSG_USER + 1,
};

/* One run. */
static struct {
	uint64_t n, generated, accepted_nsec, start_nsec;
	uint64_t *samples;
	airs_pid writer;
	struct activity_counts counts;
	int is_read; /* so that in the end nothing waits */
} run;

/* The journal's end. */
struct reader {
	int fd;
	uint64_t records, lost;
};

/* Later, while the mailbox is so full that the call might be refused, and be counted with
 * the records that were. */
static int ask(struct airs_actor *self)
{
	struct airs_actor_info info = { .size = sizeof(info) };
	airs_ref ref;
	int r = airs_actor_get_info(airs_actor_system(self), run.writer, &info);

	if (r < 0)
		return r;
	if (info.messages_queued > MAILBOX / 2)
		return airs_timer_start(self, ASK_USEC, 0, &ref);
	return airs_call(self,
			&(struct airs_request){ .to = run.writer,
					.type = ACTIVITY_GET_COUNTS,
					.timeout_usec = AIRS_INFINITY },
			&ref);
}

static int write_batch(struct airs_actor *self)
{
	const struct activity_record record = {
		.kind = ACTIVITY_SERVICE_DONE,
		.unit = "bench",
		.reason = "exited with status 0",
		.detail = "a record of usual size",
	};
	uint64_t before, after = bench_now_ns();

	for (size_t i = 0; i < BATCH && run.generated < run.n; i++) {
		before = after;
		activity_write(self, run.writer, &record);
		after = bench_now_ns();
		run.samples[run.generated++] = after - before;
	}
	if (run.generated < run.n)
		return airs_send(self, airs_self(self), MSG_GO, NULL, 0);
	run.accepted_nsec = after;
	return ask(self);
}

/* Everything is accounted for: nothing is on its way any more. */
static bool is_settled(void)
{
	const struct activity_counts *c = &run.counts;

	return c->written + c->lost + c->waiting >= run.n &&
			(!run.is_read || c->waiting == 0);
}

static int source_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	airs_ref timer;

	(void)state;
	switch (m->type) {
	case MSG_GO:
		return write_batch(self);
	case AIRS_MSG_TIMER:
		return ask(self);
	case AIRS_MSG_REPLY:
		memcpy(&run.counts, m->data, sizeof(run.counts));
		if (!is_settled())
			return airs_timer_start(self, ASK_USEC, 0, &timer);
		airs_system_stop(airs_actor_system(self));
		return 0;
	default:
		return 0;
	}
}

static const struct airs_behaviour source = {
	.size = sizeof(struct airs_behaviour),
	.name = "source",
	.handle = source_handle,
};

static int start_actors(struct airs_system *system, const char *journal, int fallback_fd)
{
	struct activity_args args = { .size = sizeof(args),
		.instance = "/run/airssys",
		.fallback_fd = fallback_fd };
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = &args,
		.args_size = sizeof(args),
		.mailbox_max = MAILBOX,
	};
	airs_pid pid;
	int r;

	(void)snprintf(args.journal_socket, sizeof(args.journal_socket), "%s", journal);
	r = airs_system_spawn(system, &activity_behaviour, &options, &run.writer);
	if (r == 0)
		r = airs_system_spawn(system, &source, NULL, &pid);
	if (r == 0)
		r = airs_system_start(system);
	return r < 0 ? r : airs_system_send(system, pid, MSG_GO, NULL, 0);
}

static int measure(struct airs_system *system, const char *journal, int fallback_fd)
{
	int r;

	run.start_nsec = bench_now_ns();
	r = start_actors(system, journal, fallback_fd);
	if (r < 0)
		return r;
	(void)airs_system_run(system, AIRS_INFINITY);
	if (run.counts.written + run.counts.lost + run.counts.waiting == run.n)
		return 0;
	fprintf(stderr,
			"bench-activity: of %" PRIu64 " records %" PRIu64
			" written, %" PRIu64 " lost, %" PRIu64 " waiting\n",
			run.n, run.counts.written, run.counts.lost, run.counts.waiting);
	return -EBADMSG;
}

static int run_records(const char *journal, int fallback_fd, unsigned int workers,
		uint64_t n, struct bench_result *ret_result)
{
	struct airs_system_options options = { .size = sizeof(options),
		.workers = workers };
	struct airs_system *system;
	int r;

	run.n = n;
	run.samples = calloc(n, sizeof(*run.samples));
	if (!run.samples)
		return -ENOMEM;
	r = airs_system_new(&options, &system);
	if (r < 0)
		return r;
	r = measure(system, journal, fallback_fd);
	ret_result->n = n;
	ret_result->ns_per_op = (double)(run.accepted_nsec - run.start_nsec) / (double)n;
	bench_percentiles(run.samples, n, ret_result);
	airs_system_free(system);
	return r;
}

/* The journal: a socket in /tmp, removed at the end of the case. */
static int bind_socket(char path[static 108])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(path, 108, "/tmp/airssys-bench-activity.%ld", (long)getpid());
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return fd;
}

/* Until a datagram of one byte comes. */
static void *read_all(void *data)
{
	struct reader *reader = data;
	static char buffer[65536];
	const char *count;
	ssize_t n;

	while ((n = recv(reader->fd, buffer, sizeof(buffer) - 1, 0)) > 1) {
		buffer[n] = '\0';
		count = strstr(buffer, "AIRSSYS_COUNT=");
		if (count && strstr(buffer, "AIRSSYS_EVENT=records-lost\n"))
			reader->lost += strtoull(
					count + strlen("AIRSSYS_COUNT="), NULL, 10);
		else
			reader->records++;
	}
	return NULL;
}

static int end_reader(pthread_t thread, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 ||
			sendto(fd, "", 1, 0, (struct sockaddr *)&address,
					sizeof(address)) < 0)
		return -errno;
	(void)close(fd);
	return -pthread_join(thread, NULL);
}

static int run_read(unsigned int workers, uint64_t n, struct bench_result *ret_result)
{
	struct reader reader = { 0 };
	char path[108];
	pthread_t thread;
	int r;

	reader.fd = bind_socket(path);
	if (reader.fd < 0)
		return reader.fd;
	r = -pthread_create(&thread, NULL, read_all, &reader);
	if (r < 0)
		return r;
	run.is_read = 1;
	r = run_records(path, -1, workers, n, ret_result);
	if (r == 0)
		r = end_reader(thread, path);
	(void)unlink(path);
	if (r == 0 &&
			(reader.records != run.counts.written ||
					reader.lost != run.counts.lost))
		r = -EBADMSG;
	return r;
}

static int run_stopped(unsigned int workers, uint64_t n, struct bench_result *ret_result)
{
	char path[108];
	int fd = bind_socket(path), r;

	if (fd < 0)
		return fd;
	r = run_records(path, -1, workers, n, ret_result);
	(void)unlink(path);
	(void)close(fd);
	return r;
}

static int run_absent(unsigned int workers, uint64_t n, struct bench_result *ret_result)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	return run_records("", fds[1], workers, n, ret_result);
}

static const struct bench_case cases[] = {
	{ "activity_read", 200000, run_read },
	{ "activity_stopped", 200000, run_stopped },
	{ "activity_absent", 200000, run_absent },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
