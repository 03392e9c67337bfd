/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "keeper/clone.h"
#include "keeper/keeper.h"
#include "keeper/reap.h"

#define WORTHWHILE    32 /* units; for fewer, a process of its own costs more */
#define PATIENCE_USEC USEC_PER_SEC

struct swept {
	struct list link;
	struct charge *charge;
	uint64_t spawn_id;
};

void sweep_init(struct sweep *sweep, struct keeper *keeper)
{
	*sweep = (struct sweep){ .keeper = keeper, .fd = -1 };
	sweep->source.fd = -1;
	list_init(&sweep->asked);
}

/* The helper. */

struct helper {
	int fd, folder_fd;
};

/* Each name's answer: whether there is no such leaf now. */
static size_t remove_leaves(int folder_fd, const char *names, size_t size, char *answers)
{
	size_t count = 0;

	for (size_t at = 0; at < size; at += strlen(names + at) + 1)
		answers[count++] = unlinkat(folder_fd, names + at, AT_REMOVEDIR) == 0 ||
				errno == ENOENT;
	return count;
}

/* Without the keeper's descriptors: who waits for the end of one would wait for us. */
static int help(void *data)
{
	const struct helper *helper = data;
	int fd = helper->fd, folder_fd = helper->folder_fd;
	char names[SWEEP_ROOM], answers[SWEEP_BATCH];
	ssize_t n;

	(void)prctl(PR_SET_NAME, "airssysd-sweep");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup3(fd, 0, O_CLOEXEC) < 0 || dup3(folder_fd, 1, O_CLOEXEC) < 0 ||
			syscall(SYS_close_range, 2, ~0U, 0) < 0)
		return EXIT_FAILURE;
	while ((n = recv(0, names, sizeof(names), 0)) > 0) {
		size_t count = remove_leaves(1, names, (size_t)n, answers);

		if (send(0, answers, count, MSG_NOSIGNAL) < 0)
			break;
	}
	return EXIT_SUCCESS;
}

/* The keeper's side. */

/* It may hang in the kernel, so its end is not waited for here. */
static void end_helper(struct sweep *sweep)
{
	if (sweep->fd < 0)
		return;
	loop_remove(&sweep->keeper->loop, &sweep->source);
	sweep->fd = close_fd(sweep->fd);
	if (sweep->pid > 0)
		(void)kill(sweep->pid, SIGKILL);
}

bool sweep_on_end(struct sweep *sweep, pid_t pid)
{
	if (pid != sweep->pid)
		return false;
	sweep->pid = 0;
	return true;
}

static void answer(struct sweep *sweep, bool is_gone)
{
	struct swept *swept = list_first(&sweep->asked, struct swept, link);
	struct charge *charge = swept->charge;
	uint64_t spawn_id = swept->spawn_id;

	list_remove(&swept->link);
	free(swept);
	charge->is_swept = false;
	reap_end_of_unit(sweep->keeper, charge, spawn_id, is_gone);
}

/* Nobody answers any more: it is looked at as if nobody had been asked. */
static void give_up(struct sweep *sweep)
{
	end_helper(sweep);
	sweep->n_named = 0;
	sweep->size = 0;
	while (!list_is_empty(&sweep->asked))
		answer(sweep, false);
}

static void read_answers(struct sweep *sweep)
{
	char answers[SWEEP_BATCH];
	ssize_t n = recv(sweep->fd, answers, sizeof(answers), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		give_up(sweep);
	sweep->heard_usec = clock_monotonic_usec();
	for (ssize_t i = 0; i < n && !list_is_empty(&sweep->asked); i++)
		answer(sweep, answers[i]);
}

static void on_answers(struct loop_source *source, uint32_t events)
{
	(void)events;
	read_answers(CONTAINER_OF(source, struct sweep, source));
}

static bool is_worthwhile(const struct keeper *keeper)
{
	struct charge *charge;
	unsigned int n = 0;
	size_t cursor;

	charges_foreach(&keeper->charges, cursor, charge)
		n += charge->is_occupied && charge->has_cgroup;
	return n >= WORTHWHILE;
}

void sweep_begin(struct sweep *sweep)
{
	struct keeper *keeper = sweep->keeper;
	struct helper helper = { .folder_fd = keeper->cgroup.folder_fd };
	const struct clone_request request = {
		.memory = CLONE_COPIED, .child = help, .data = &helper, .cgroup_fd = -1
	};
	auto_close int near_fd = -1, far_fd = -1;
	int fds[2];

	if (sweep->fd >= 0 || !cgroup_is_there(&keeper->cgroup) ||
			!is_worthwhile(keeper) ||
			socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return;
	near_fd = fds[0];
	far_fd = helper.fd = fds[1];
	if (clone_process(&request, &sweep->pid) < 0)
		return;
	sweep->source.on_ready = on_answers;
	sweep->fd = near_fd;
	if (loop_add(&keeper->loop, &sweep->source, near_fd, EPOLLIN) < 0)
		end_helper(sweep);
	(void)take_fd(&near_fd);
}

bool sweep_ask(struct sweep *sweep, struct charge *charge, uint64_t spawn_id)
{
	struct swept *swept;
	size_t room;
	int n;

	if (sweep->n_named == SWEEP_BATCH ||
			SWEEP_ROOM - sweep->size < CGROUP_LEAF_NAME_SIZE)
		sweep_flush(sweep);
	room = SWEEP_ROOM - sweep->size;
	if (sweep->fd < 0 || room < CGROUP_LEAF_NAME_SIZE)
		return false;
	n = cgroup_leaf_name(charge, sweep->names + sweep->size, room);
	swept = n < 0 ? NULL : calloc(1, sizeof(*swept));
	if (!swept)
		return false;
	if (list_is_empty(&sweep->asked))
		sweep->heard_usec = clock_monotonic_usec();
	charge->is_swept = true;
	swept->charge = charge;
	swept->spawn_id = spawn_id;
	list_append(&sweep->asked, &swept->link);
	sweep->size += (size_t)n + 1;
	sweep->n_named++;
	return true;
}

void sweep_flush(struct sweep *sweep)
{
	if (sweep->fd < 0 || sweep->n_named == 0)
		return;
	if (send(sweep->fd, sweep->names, sweep->size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		give_up(sweep);
		return;
	}
	sweep->n_named = 0;
	sweep->size = 0;
}

uint64_t sweep_next_usec(const struct sweep *sweep)
{
	return sweep_is_busy(sweep) ? usec_add(sweep->heard_usec, PATIENCE_USEC)
				    : USEC_INFINITY;
}

void sweep_on_time(struct sweep *sweep, uint64_t now_usec)
{
	if (now_usec >= sweep_next_usec(sweep))
		give_up(sweep);
}

void sweep_settle(struct sweep *sweep)
{
	struct pollfd polled;

	if (!sweep_is_busy(sweep))
		return;
	sweep_flush(sweep);
	while (sweep_is_busy(sweep)) {
		polled = (struct pollfd){ .fd = sweep->fd, .events = POLLIN };
		if (poll(&polled, 1, (int)(PATIENCE_USEC / USEC_PER_MSEC)) > 0)
			read_answers(sweep);
		sweep_on_time(sweep, clock_monotonic_usec());
	}
}

void sweep_fini(struct sweep *sweep)
{
	bool is_idle;

	sweep_settle(sweep);
	/* It has not been given up: it waits for names, and its end is near. */
	is_idle = sweep->fd >= 0;
	end_helper(sweep);
	if (is_idle && sweep->pid > 0)
		(void)waitpid(sweep->pid, NULL, 0);
	sweep->pid = 0;
}
