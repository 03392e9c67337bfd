/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "unit/rt/fixture.h"

enum {
	MSG_GO = AIRS_MSG_USER,
};

static int fds[2];

static void open_pipe(void)
{
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
}

static void close_pipe(void)
{
	close(fds[0]);
	close(fds[1]);
}

/* One message an event, none until it is armed again. */
static int read_pipe(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref watch, timer;
	static int n_events;
	char c;

	if (!message) {
		n_events = 0;
		open_pipe();
		ck_assert_int_eq(airs_fd_watch(self, fds[0], EPOLLIN, &watch), 0);
		ck_assert_int_eq(write(fds[1], "abc", 3), 3);
		return 0;
	}
	if (message->type == AIRS_MSG_TIMER) {
		ck_assert_int_eq(n_events, 1);
		return airs_fd_rearm(self, watch, EPOLLIN);
	}
	ck_assert_uint_eq(message->type, AIRS_MSG_FD);
	ck_assert_uint_eq(message->ref, watch);
	ck_assert(message->value & EPOLLIN);
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	if (++n_events == 1)
		return airs_timer_start(self, 5000, 0, &timer);
	ck_assert_int_eq(c, "abc"[n_events - 1]);
	if (n_events < 3)
		return airs_fd_rearm(self, watch, EPOLLIN);
	airs_fd_unwatch(self, watch);
	ck_assert_int_eq(airs_fd_rearm(self, watch, EPOLLIN), -ENOENT);
	close_pipe();
	finish(self);
	return 0;
}

START_TEST(a_watch_tells_once_until_it_is_armed_again)
{
	run_everywhere(read_pipe);
}
END_TEST

static int watch_wrongly(struct airs_actor *self, struct airs_message *message)
{
	airs_ref watch = 1, other = 1;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int regular = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)message;
	open_pipe();
	ck_assert_int_eq(airs_fd_watch(self, fds[0], EPOLLIN, &watch), 0);
	ck_assert_int_eq(airs_fd_watch(self, fds[0], EPOLLIN, &other), -EEXIST);
	ck_assert_int_eq(airs_fd_watch(self, 9999, EPOLLIN, &other), -EBADF);
	ck_assert_int_eq(airs_fd_watch(self, regular, EPOLLIN, &other), -EPERM);
	ck_assert_uint_eq(other, 1);
	ck_assert_int_eq(airs_fd_rearm(self, other, EPOLLIN), -ENOENT);
	airs_fd_unwatch(self, other);
	airs_fd_unwatch(self, watch);
	ck_assert_int_eq(airs_fd_watch(self, fds[0], EPOLLIN, &watch), 0);
	close(file);
	close(regular);
	finish(self);
	return 0;
}

START_TEST(wrong_watches_are_refused)
{
	run_seeded(1, watch_wrongly);
	close_pipe();
}
END_TEST

/* A message of the watch that is queued already does not arrive after unwatch. */
static int unwatch_queued(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref watches[2], timer;
	static int other[2], n_events;

	if (!message) {
		n_events = 0;
		open_pipe();
		ck_assert_int_eq(pipe2(other, O_CLOEXEC), 0);
		ck_assert_int_eq(airs_fd_watch(self, fds[0], EPOLLIN, &watches[0]), 0);
		ck_assert_int_eq(airs_fd_watch(self, other[0], EPOLLIN, &watches[1]), 0);
		ck_assert_int_eq(write(fds[1], "a", 1), 1);
		ck_assert_int_eq(write(other[1], "a", 1), 1);
		return 0;
	}
	if (message->type == AIRS_MSG_FD) {
		ck_assert_int_eq(n_events++, 0);
		airs_fd_unwatch(self, watches[0]);
		airs_fd_unwatch(self, watches[1]);
		close_pipe();
		close(other[0]);
		close(other[1]);
		return airs_timer_start(self, 3000, 0, &timer);
	}
	finish(self);
	return 0;
}

START_TEST(nothing_arrives_after_unwatch)
{
	run_everywhere(unwatch_queued);
}
END_TEST

/* The watches of an actor that ends are gone: the descriptor can be watched again. */
static int watch_and_end(struct airs_actor *self, struct airs_message *message)
{
	airs_ref watch;

	ck_assert_int_eq(airs_fd_watch(self, fds[0], EPOLLIN, &watch), 0);
	(void)message;
	return exit_with(self, 1);
}

static int inherit_watch(struct airs_actor *self, struct airs_message *message)
{
	static airs_ref watch, monitor;

	if (!message) {
		open_pipe();
		ck_assert_int_eq(write(fds[1], "a", 1), 1);
		act_spawn(self, watch_and_end, AIRS_SPAWN_MONITOR, &monitor);
		return 0;
	}
	if (message->type == AIRS_MSG_DOWN)
		return airs_fd_watch(self, fds[0], EPOLLIN, &watch);
	ck_assert_uint_eq(message->ref, watch);
	close_pipe();
	finish(self);
	return 0;
}

START_TEST(watches_end_with_their_actor)
{
	run_everywhere(inherit_watch);
}
END_TEST

/* Actors of the main pool run on the thread in airs_system_run, those of others
 * elsewhere. */
static pthread_t main_thread;

static int on_main(struct airs_actor *self, struct airs_message *message)
{
	static int n_events;
	static airs_ref watch;
	char c;

	ck_assert(pthread_equal(pthread_self(), main_thread));
	if (!message)
		return airs_fd_watch(self, fds[0], EPOLLIN, &watch);
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	if (++n_events == 5)
		finish(self);
	return airs_fd_rearm(self, watch, EPOLLIN);
}

static int write_often(struct airs_actor *self, struct airs_message *message)
{
	static int n_writes;
	airs_ref timer;

	(void)message;
	ck_assert(!pthread_equal(pthread_self(), main_thread));
	ck_assert_int_eq(write(fds[1], "a", 1), 1);
	return ++n_writes < 5 ? airs_timer_start(self, 2000, 0, &timer) : 0;
}

START_TEST(the_main_pool_runs_on_the_calling_thread)
{
	struct airs_system *system = threaded_system(2);

	main_thread = pthread_self();
	open_pipe();
	act_start_in(system, airs_system_main_pool(system), on_main);
	act_start(system, write_often);
	ck_assert_int_eq(airs_system_start(system), 0);
	ck_assert_int_eq(airs_system_run(system, AIRS_INFINITY), 0);
	airs_system_free(system);
	close_pipe();
}
END_TEST

/* Pools of their own: messages between three pools. */
static airs_pid relay_ends[3];

static int relay(struct airs_actor *self, struct airs_message *message)
{
	uint64_t n;

	if (!message)
		return 0;
	memcpy(&n, message->data, sizeof(n));
	if (n == 3000) {
		finish(self);
		return 0;
	}
	n++;
	return airs_send(self, relay_ends[n % 3], MSG_GO, &n, sizeof(n));
}

START_TEST(messages_cross_pools)
{
	struct airs_system *system = threaded_system(1);
	struct airs_pool_options options = {
		.size = sizeof(options), .name = "extra", .workers = 2
	};
	struct airs_pool *pool = NULL;
	uint64_t n = 0;

	ck_assert_int_eq(airs_pool_new(system, &options, &pool), 0);
	options.workers = 0;
	ck_assert_int_eq(airs_pool_new(system, &options, &pool), -EINVAL);
	options.workers = 1;
	options.name = "a name that is too long";
	ck_assert_int_eq(airs_pool_new(system, &options, &pool), -EINVAL);
	relay_ends[0] = act_start(system, relay);
	relay_ends[1] = act_start_in(system, pool, relay);
	relay_ends[2] = act_start_in(system, airs_system_main_pool(system), relay);
	ck_assert_int_eq(airs_system_start(system), 0);
	options.name = "late";
	ck_assert_int_eq(airs_pool_new(system, &options, &pool), -EBUSY);
	ck_assert_int_eq(airs_system_send(system, relay_ends[0], MSG_GO, &n, sizeof(n)),
			0);
	ck_assert_int_eq(airs_system_run(system, AIRS_INFINITY), 0);
	airs_system_free(system);
}
END_TEST

TEST_MAIN("watch", a_watch_tells_once_until_it_is_armed_again, wrong_watches_are_refused,
		nothing_arrives_after_unwatch, watches_end_with_their_actor,
		the_main_pool_runs_on_the_calling_thread, messages_cross_pools)
