/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The actor core. One operation is: pingpong, one message; pinglat, one round trip with
 * its two clock reads; threadring, one hop; call, one request and reply; counting, one
 * message to one consumer; fanin16, the same from 16 producers; spawn, one actor that
 * gets a message and stays until all are there; spawnchurn, one actor that gets a message
 * and ends, in rounds of 1000; idle, one actor that handled a message and stays; idlecpu,
 * nothing: CPU time of two idle seconds with 10,000 actors; idletimers, the same while
 * every tenth of them has a timer of one second; forkjoin, one message to one of 60 actors
 * in turn; big, one ping to one of 120 actors and its pong; chameneos, one meeting of two
 * of 100 creatures; loadlat, one message from outside to an actor among 100 busy ones, from
 * when it was due.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "airssys/airssys.h"
#include "bench/bench.h"

enum {
	MSG_GO = AIRS_MSG_USER,
	MSG_BALL,
	MSG_ASK,
	MSG_DONE,
};

#define RING_SIZE 503
#define CHURN     1000
#define PRODUCERS 16
#define IN_FLIGHT 1000
#define IDLE_USEC 2000000
#define FORKS     60
#define CROWD     120
#define CREATURES 100
#define BUSY      100
#define TICK_NSEC 1000000
#define BUSY_NSEC 1000
#define SEC_USEC  1000000

/* One run: shared by all its actors; each field is written by one actor, or before the
 * start. */
static struct {
	uint64_t n, start_nsec, end_nsec, rss_before, rss_after, cpu_nsec;
	int failed;
	airs_pid pids[RING_SIZE];
	uint64_t *samples;
	pthread_t thread; /* of loadlat */
} run;

static void stop(struct airs_actor *self)
{
	run.end_nsec = bench_now_ns();
	airs_system_stop(airs_actor_system(self));
}

static int check(int r)
{
	if (r < 0)
		run.failed = 1;
	return r;
}

static airs_pid start_one(struct airs_actor *self, const struct airs_behaviour *behaviour)
{
	airs_pid pid = AIRS_PID_NONE;

	(void)check(airs_spawn(self, behaviour, NULL, &pid));
	return pid;
}

#define BEHAVIOUR(behaviour_name, size_of_state)                                         \
	static const struct airs_behaviour behaviour_name = {                            \
		.size = sizeof(struct airs_behaviour),                                   \
		.name = #behaviour_name,                                                 \
		.state_size = size_of_state,                                             \
		.handle = behaviour_name##_handle,                                       \
	}

static uint64_t number_of(const struct airs_message *message)
{
	uint64_t n;

	memcpy(&n, message->data, sizeof(n));
	return n;
}

static int send_number(struct airs_actor *self, airs_pid to, uint32_t type, uint64_t n)
{
	return check(airs_send(self, to, type, &n, sizeof(n)));
}

/* pingpong and threadring: a counter goes round. The state is the place in the ring. */
static int ring_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t n = number_of(message);
	airs_pid *next = state;

	if (message->type == MSG_GO) {
		*next = n;
		return 0;
	}
	if (n == 0) {
		stop(self);
		return 0;
	}
	return send_number(self, *next, MSG_BALL, n - 1);
}

BEHAVIOUR(ring, sizeof(airs_pid));

static int start_ring(struct airs_actor *self, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		run.pids[i] = start_one(self, &ring);
	for (i = 0; i < size; i++)
		(void)send_number(self, run.pids[i], MSG_GO, run.pids[(i + 1) % size]);
	run.start_nsec = bench_now_ns();
	return send_number(self, run.pids[0], MSG_BALL, run.n);
}

static int pingpong_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)state;
	(void)message;
	return start_ring(self, 2);
}

BEHAVIOUR(pingpong, 0);

static int threadring_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)state;
	(void)message;
	return start_ring(self, RING_SIZE);
}

BEHAVIOUR(threadring, 0);

static int echo_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)state;
	return send_number(self, message->from, MSG_BALL, number_of(message));
}

BEHAVIOUR(echo, 0);

/* Each round trip is timed. */
static int pinglat_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *sent = state, now = bench_now_ns(), left;

	if (message->type == MSG_GO) {
		run.pids[0] = start_one(self, &echo);
		run.start_nsec = now;
		left = run.n;
	} else {
		left = number_of(message) - 1;
		run.samples[left] = now - *sent;
	}
	if (left == 0) {
		stop(self);
		return 0;
	}
	*sent = bench_now_ns();
	return send_number(self, run.pids[0], MSG_BALL, left);
}

BEHAVIOUR(pinglat, sizeof(uint64_t));

static int server_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t n = number_of(message) + 1;

	(void)state;
	return check(airs_reply(self, airs_message_from(message), 0, &n, sizeof(n)));
}

BEHAVIOUR(server, 0);

static int call_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *n = state;
	airs_ref ref;

	if (message->type == MSG_GO) {
		run.pids[0] = start_one(self, &server);
		run.start_nsec = bench_now_ns();
	} else if (message->type != AIRS_MSG_REPLY || number_of(message) != ++*n) {
		return check(-EIO);
	}
	if (*n == run.n) {
		stop(self);
		return 0;
	}
	return check(airs_call(self,
			&(struct airs_request){ .to = run.pids[0],
					.type = MSG_ASK,
					.data = n,
					.size = sizeof(*n),
					.timeout_usec = AIRS_INFINITY },
			&ref));
}

BEHAVIOUR(call, sizeof(uint64_t));

static int counter_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *count = state;

	(void)message;
	if (++*count == run.n)
		stop(self);
	return 0;
}

BEHAVIOUR(counter, sizeof(uint64_t));

/* Sends its share, IN_FLIGHT at a time, so that the mailbox does not become the
 * benchmark. */
static int producer_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *left = state, i;

	if (message->type == MSG_GO)
		*left = number_of(message);
	for (i = 0; i < IN_FLIGHT && *left; i++, --*left)
		(void)send_number(self, run.pids[0], MSG_BALL, *left);
	return *left ? send_number(self, airs_self(self), MSG_BALL, 0) : 0;
}

BEHAVIOUR(producer, sizeof(uint64_t));

static int start_producers(struct airs_actor *self, uint64_t n)
{
	uint64_t i, share = run.n / n;

	run.n = share * n;
	run.pids[0] = start_one(self, &counter);
	run.start_nsec = bench_now_ns();
	for (i = 0; i < n; i++)
		(void)send_number(self, start_one(self, &producer), MSG_GO, share);
	return 0;
}

static int counting_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)state;
	(void)message;
	return start_producers(self, 1);
}

BEHAVIOUR(counting, 0);

static int fanin_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)state;
	(void)message;
	return start_producers(self, PRODUCERS);
}

BEHAVIOUR(fanin, 0);

/* An actor of spawn and idle: tells the latch when it has handled its message. */
static int idler_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *seen = state;

	*seen = number_of(message);
	return check(airs_send(self, message->from, MSG_DONE, NULL, 0));
}

BEHAVIOUR(idler, sizeof(uint64_t));

static int mayfly_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	const struct airs_reason normal = { .reason_class = AIRS_REASON_NORMAL };

	(void)state;
	(void)check(airs_send(self, message->from, MSG_DONE, NULL, 0));
	return airs_exit(self, &normal);
}

BEHAVIOUR(mayfly, sizeof(uint64_t));

/* A thousand at a time are started, and the next thousand when those are done. */
static int start_batch(struct airs_actor *self, uint64_t *started,
		const struct airs_behaviour *what)
{
	uint64_t i;

	for (i = 0; i < CHURN && *started < run.n; i++, ++*started)
		(void)send_number(self, start_one(self, what), MSG_BALL, i);
	return 0;
}

struct latch {
	uint64_t started, done;
};

static int latch(struct airs_actor *self, struct latch *l,
		const struct airs_message *message, const struct airs_behaviour *what)
{
	if (message->type == MSG_GO) {
		run.rss_before = bench_rss();
		run.start_nsec = bench_now_ns();
		return start_batch(self, &l->started, what);
	}
	if (++l->done == run.n) {
		run.rss_after = bench_rss();
		stop(self);
		return 0;
	}
	return l->done == l->started ? start_batch(self, &l->started, what) : 0;
}

static int idle_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	return latch(self, state, message, &idler);
}

BEHAVIOUR(idle, sizeof(struct latch));

static int spawnchurn_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	return latch(self, state, message, &mayfly);
}

BEHAVIOUR(spawnchurn, sizeof(struct latch));

/* All at once, each ends after its message. */
static int spawn_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	struct latch *l = state;

	if (message->type == MSG_GO) {
		run.start_nsec = bench_now_ns();
		for (; l->started < run.n; l->started++)
			(void)send_number(self, start_one(self, &mayfly), MSG_BALL, 0);
		return 0;
	}
	if (++l->done == run.n)
		stop(self);
	return 0;
}

BEHAVIOUR(spawn, sizeof(struct latch));

/* CPU time while nothing happens but what the actors themselves do. */
static int measure_idle(struct airs_actor *self, struct latch *l,
		const struct airs_message *message, const struct airs_behaviour *what)
{
	airs_ref timer;

	if (message->type == MSG_GO)
		return start_batch(self, &l->started, what);
	if (message->type == AIRS_MSG_TIMER) {
		run.cpu_nsec = bench_cpu_ns() - run.cpu_nsec;
		stop(self);
		return 0;
	}
	if (++l->done < run.n)
		return l->done == l->started ? start_batch(self, &l->started, what) : 0;
	run.cpu_nsec = bench_cpu_ns();
	return check(airs_timer_start(self, IDLE_USEC, 0, &timer));
}

static int idlecpu_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	return measure_idle(self, state, message, &idler);
}

BEHAVIOUR(idlecpu, sizeof(struct latch));

/* As idler; a tenth has a timer for ever. */
static int ticker_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *seen = state, delay_usec = SEC_USEC;
	airs_ref timer;

	if (message->type != AIRS_MSG_TIMER) {
		*seen = number_of(message);
		delay_usec += airs_random(self) % SEC_USEC; /* Their phases are spread. */
		(void)check(airs_send(self, message->from, MSG_DONE, NULL, 0));
	}
	return *seen % 10 ? 0 : check(airs_timer_start(self, delay_usec, 0, &timer));
}

BEHAVIOUR(ticker, sizeof(uint64_t));

static int idletimers_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	return measure_idle(self, state, message, &ticker);
}

BEHAVIOUR(idletimers, sizeof(struct latch));

/* One of those who get messages in turn. */
static int tine_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *count = state;

	if (++*count < run.n / FORKS)
		return 0;
	return check(airs_send(self, message->from, MSG_DONE, NULL, 0));
}

BEHAVIOUR(tine, sizeof(uint64_t));

static int forkjoin_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	struct latch *l = state;
	uint64_t i;

	if (message->type == MSG_GO) {
		run.n -= run.n % FORKS;
		for (i = 0; i < FORKS; i++)
			run.pids[i] = start_one(self, &tine);
		run.start_nsec = bench_now_ns();
	} else if (message->type == MSG_DONE) {
		if (++l->done == FORKS)
			stop(self);
		return 0;
	}
	for (i = 0; i < IN_FLIGHT && l->started < run.n; i++, l->started++)
		(void)send_number(self, run.pids[l->started % FORKS], MSG_BALL, i);
	return l->started < run.n ? send_number(self, airs_self(self), MSG_BALL, 0) : 0;
}

BEHAVIOUR(forkjoin, sizeof(struct latch));

/* One of the crowd: answers pings, and sends its own one after the other. */
static int neighbour_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *left = state;

	if (message->type == MSG_BALL)
		return send_number(self, message->from, MSG_ASK, 0);
	if (message->type == MSG_GO)
		*left = number_of(message);
	else
		--*left;
	if (*left == 0)
		return check(airs_send(self, airs_parent(self), MSG_DONE, NULL, 0));
	return send_number(self, run.pids[airs_random(self) % CROWD], MSG_BALL, 0);
}

BEHAVIOUR(neighbour, sizeof(uint64_t));

static int big_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *done = state, i;

	if (message->type == MSG_DONE) {
		if (++*done == CROWD)
			stop(self);
		return 0;
	}
	run.n = run.n / CROWD * CROWD;
	for (i = 0; i < CROWD; i++)
		run.pids[i] = start_one(self, &neighbour);
	run.start_nsec = bench_now_ns();
	for (i = 0; i < CROWD; i++)
		(void)send_number(self, run.pids[i], MSG_GO, run.n / CROWD);
	return 0;
}

BEHAVIOUR(big, sizeof(uint64_t));

struct creature {
	uint64_t colour, meetings;
};

/* Asks for a meeting, takes the third colour, asks again. */
static int creature_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	struct creature *c = state;
	uint64_t other = number_of(message);

	if (message->type == MSG_DONE)
		return send_number(self, message->from, MSG_DONE, c->meetings);
	if (message->type == MSG_GO) {
		c->colour = other;
	} else {
		c->meetings++;
		c->colour = c->colour == other ? other : 3 - c->colour - other;
	}
	return send_number(self, airs_parent(self), MSG_ASK, c->colour);
}

BEHAVIOUR(creature, sizeof(struct creature));

struct mall {
	airs_pid waiting;
	uint64_t colour, meetings, reports, sum;
};

/* All meetings are over: whoever asks is sent home and reports. */
static int close_mall(struct airs_actor *self, struct mall *m,
		const struct airs_message *message)
{
	if (message->type == MSG_ASK)
		return send_number(self, message->from, MSG_DONE, 0);
	m->sum += number_of(message);
	if (++m->reports < CREATURES)
		return 0;
	if (m->sum != 2 * run.n)
		run.failed = 1;
	stop(self);
	return 0;
}

static int chameneos_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	struct mall *m = state;
	uint64_t i, colour = number_of(message);

	if (message->type == MSG_GO) {
		run.start_nsec = bench_now_ns();
		for (i = 0; i < CREATURES; i++)
			(void)send_number(
					self, start_one(self, &creature), MSG_GO, i % 3);
		return 0;
	}
	if (m->meetings == run.n)
		return close_mall(self, m, message);
	if (!m->waiting) {
		m->waiting = message->from;
		m->colour = colour;
		return 0;
	}
	m->meetings++;
	(void)send_number(self, m->waiting, MSG_BALL, colour);
	m->waiting = AIRS_PID_NONE;
	return send_number(self, message->from, MSG_BALL, m->colour);
}

BEHAVIOUR(chameneos, sizeof(struct mall));

/* Computes and sends to itself for ever. */
static int busy_handle(struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t end_nsec = bench_now_ns() + BUSY_NSEC;

	(void)state;
	(void)message;
	while (bench_now_ns() < end_nsec)
		continue;
	return send_number(self, airs_self(self), MSG_BALL, 0);
}

BEHAVIOUR(busy, 0);

/* The thread outside: one message each millisecond, with the time when it was due. */
static void *send_ticks(void *data)
{
	struct airs_system *system = data;
	struct timespec due;
	uint64_t due_nsec = bench_now_ns(), i;

	for (i = 0; i < run.n; i++) {
		due_nsec += TICK_NSEC;
		due.tv_sec = (time_t)(due_nsec / 1000000000);
		due.tv_nsec = (long)(due_nsec % 1000000000);
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) ==
				EINTR)
			continue;
		(void)check(airs_system_send(system, run.pids[0], MSG_BALL, &due_nsec,
				sizeof(due_nsec)));
	}
	return NULL;
}

static int loadlat_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	uint64_t *count = state, i;

	if (message->type == MSG_GO) {
		run.start_nsec = bench_now_ns();
		run.pids[0] = airs_self(self);
		for (i = 0; i < BUSY; i++)
			(void)send_number(self, start_one(self, &busy), MSG_BALL, 0);
		return check(-pthread_create(
				&run.thread, NULL, send_ticks, airs_actor_system(self)));
	}
	run.samples[*count] = bench_now_ns() - number_of(message);
	if (++*count == run.n)
		stop(self);
	return 0;
}

BEHAVIOUR(loadlat, sizeof(uint64_t));

static int run_system(unsigned int workers, uint64_t n,
		const struct airs_behaviour *first, struct bench_result *ret_result)
{
	const struct airs_system_options options = {
		.size = sizeof(options),
		.workers = workers,
		.max_actors = 1100000,
	};
	struct airs_system *system;
	uint64_t zero = 0;
	airs_pid pid;
	int r;

	run.n = n;
	r = airs_system_new(&options, &system);
	if (r == 0)
		r = airs_system_spawn(system, first, NULL, &pid);
	if (r == 0)
		r = airs_system_start(system);
	if (r == 0)
		r = airs_system_send(system, pid, MSG_GO, &zero, sizeof(zero));
	if (r < 0)
		return r;
	(void)airs_system_run(system, AIRS_INFINITY);
	ret_result->n = run.n;
	ret_result->ns_per_op = (double)(run.end_nsec - run.start_nsec) / (double)run.n;
	return run.failed ? -EIO : 0;
}

#define CASE(case_name)                                                                  \
	static int run_##case_name(unsigned int workers, uint64_t n,                     \
			struct bench_result *ret_result)                                 \
	{                                                                                \
		return run_system(workers, n, &case_name, ret_result);                   \
	}

CASE(pingpong)
CASE(threadring)
CASE(call)
CASE(counting)
CASE(fanin)
CASE(spawn)
CASE(spawnchurn)
CASE(forkjoin)
CASE(big)
CASE(chameneos)

static int run_sampled(unsigned int workers, uint64_t n,
		const struct airs_behaviour *first, struct bench_result *ret_result)
{
	int r;

	run.samples = calloc(n, sizeof(*run.samples));
	if (!run.samples)
		return -ENOMEM;
	r = run_system(workers, n, first, ret_result);
	if (r == 0)
		bench_percentiles(run.samples, n, ret_result);
	free(run.samples);
	return r;
}

static int run_pinglat(unsigned int workers, uint64_t n, struct bench_result *ret_result)
{
	return run_sampled(workers, n, &pinglat, ret_result);
}

static int run_loadlat(unsigned int workers, uint64_t n, struct bench_result *ret_result)
{
	int r = run_sampled(workers, n, &loadlat, ret_result);

	ret_result->ns_per_op = ret_result->p50_ns;
	return r;
}

static int run_idle(unsigned int workers, uint64_t n, struct bench_result *ret_result)
{
	int r = run_system(workers, n, &idle, ret_result);

	ret_result->bytes_per_actor =
			(double)(run.rss_after - run.rss_before) / (double)n;
	return r;
}

static int run_cpu(unsigned int workers, uint64_t n, const struct airs_behaviour *first,
		struct bench_result *ret_result)
{
	int r = run_system(workers, n, first, ret_result);

	ret_result->ns_per_op = 0;
	ret_result->cpu_ms = (double)run.cpu_nsec / 1e6;
	return r;
}

static int run_idlecpu(unsigned int workers, uint64_t n, struct bench_result *ret_result)
{
	return run_cpu(workers, n, &idlecpu, ret_result);
}

static int run_idletimers(
		unsigned int workers, uint64_t n, struct bench_result *ret_result)
{
	return run_cpu(workers, n, &idletimers, ret_result);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		{ "pingpong", 5000000, run_pingpong },
		{ "pinglat", 1000000, run_pinglat },
		{ "threadring", 5000000, run_threadring },
		{ "call", 1000000, run_call },
		{ "counting", 10000000, run_counting },
		{ "fanin16", 8000000, run_fanin },
		{ "spawn", 1000000, run_spawn },
		{ "spawnchurn", 1000000, run_spawnchurn },
		{ "idle", 1000000, run_idle },
		{ "idlecpu", 10000, run_idlecpu },
		{ "idletimers", 10000, run_idletimers },
		{ "forkjoin", 6000000, run_forkjoin },
		{ "big", 2400000, run_big },
		{ "chameneos", 400000, run_chameneos },
		{ "loadlat", 1000, run_loadlat },
	};

	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
