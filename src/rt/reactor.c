/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Timers: a heap with four children a node, ordered by deadline and, for equal ones, by
 * reference, which grows, so that timers fire in the order in which they were started.
 * status of an armed node is its place in the heap, -1 when it has fired.
 *
 * The timerfd and the wake-up eventfd are watched edge-triggered and never read: each
 * expiry and each write is one edge, which wakes one waiter. The timerfd is only moved to
 * an earlier time; when its timer was cancelled meanwhile, one wake-up finds nothing to
 * do.
 *
 * Descriptors are watched with EPOLLONESHOT. An event names its watch by place and
 * generation, so one that was fetched while the watch was removed finds another
 * generation and is dropped.
 */

#include "rt/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "rt/system.h"

#define EVENTS_MAX 32
#define WATCH_NONE UINT32_MAX
#define KEY_WAKE   UINT64_MAX
#define KEY_TIMER  (UINT64_MAX - 1)
#define FIRE_BATCH 32
#define CHILDREN   4u

static bool is_before(const struct node *a, const struct node *b)
{
	if (a->u.timer.deadline_usec != b->u.timer.deadline_usec)
		return a->u.timer.deadline_usec < b->u.timer.deadline_usec;
	return a->ref < b->ref;
}

static void put(struct reactor *r, size_t place, struct node *n)
{
	r->heap[place] = n;
	n->status = (int32_t)place;
}

static void sift_up(struct reactor *r, size_t place, struct node *n)
{
	size_t parent;

	while (place > 0) {
		parent = (place - 1) / CHILDREN;
		if (!is_before(n, r->heap[parent]))
			break;
		put(r, place, r->heap[parent]);
		place = parent;
	}
	put(r, place, n);
}

static void sift_down(struct reactor *r, size_t place, struct node *n)
{
	size_t child, end, best;

	for (;;) {
		child = place * CHILDREN + 1;
		if (child >= r->heap_size)
			break;
		end = MIN_OF(child + CHILDREN, r->heap_size);
		for (best = child++; child < end; child++)
			if (is_before(r->heap[child], r->heap[best]))
				best = child;
		if (!is_before(r->heap[best], n))
			break;
		put(r, place, r->heap[best]);
		place = best;
	}
	put(r, place, n);
}

static void publish_next(struct reactor *r)
{
	uint64_t next = r->heap_size ? r->heap[0]->u.timer.deadline_usec : USEC_INFINITY;

	atomic_store_explicit(&r->next_usec, next, memory_order_relaxed);
}

static void take_from_heap(struct reactor *r, size_t place)
{
	struct node *last = r->heap[--r->heap_size];

	r->heap[place]->status = -1;
	if (place == r->heap_size)
		return;
	if (place > 0 && is_before(last, r->heap[(place - 1) / CHILDREN]))
		sift_up(r, place, last);
	else
		sift_down(r, place, last);
}

static int grow_heap(struct reactor *r)
{
	size_t capacity = r->heap_capacity ? r->heap_capacity * 2 : 16;
	struct node **heap;

	if (r->heap_size + r->n_away < r->heap_capacity)
		return 0;
	if (capacity > INT32_MAX)
		return -ENOMEM;
	heap = realloc(r->heap, capacity * sizeof(struct node *));
	if (!heap)
		return -ENOMEM;
	r->heap = heap;
	r->heap_capacity = capacity;
	return 0;
}

int reactor_add_timer(struct reactor *r, struct node *timer)
{
	int ret;

	spin_lock(&r->timer_lock);
	ret = grow_heap(r);
	if (ret == 0) {
		sift_up(r, r->heap_size++, timer);
		publish_next(r);
	}
	spin_unlock(&r->timer_lock);
	return ret;
}

void reactor_add_again(struct reactor *r, struct node *timer)
{
	spin_lock(&r->timer_lock);
	r->n_away--;
	sift_up(r, r->heap_size++, timer);
	publish_next(r);
	spin_unlock(&r->timer_lock);
}

bool reactor_cancel_timer(struct reactor *r, struct node *timer)
{
	bool is_armed;

	spin_lock(&r->timer_lock);
	is_armed = timer->status >= 0;
	if (is_armed) {
		take_from_heap(r, (size_t)timer->status);
		publish_next(r);
	} else if (timer->payload == PAYLOAD_KEPT) {
		r->n_away--;
	}
	if (timer->payload == PAYLOAD_KEPT)
		timer->payload = PAYLOAD_VALUE;
	spin_unlock(&r->timer_lock);
	return is_armed;
}

/* Take up to FIRE_BATCH timers that are due, so that they are posted without the lock. */
static unsigned int take_due(struct reactor *r, uint64_t now_usec, struct node **due)
{
	unsigned int n = 0;

	spin_lock(&r->timer_lock);
	while (n < FIRE_BATCH && r->heap_size &&
			r->heap[0]->u.timer.deadline_usec <= now_usec) {
		r->n_away += r->heap[0]->payload == PAYLOAD_KEPT;
		due[n++] = r->heap[0];
		take_from_heap(r, 0);
	}
	if (n)
		publish_next(r);
	spin_unlock(&r->timer_lock);
	return n;
}

unsigned int reactor_fire(struct reactor *r, struct worker *w, uint64_t now_usec)
{
	struct node *due[FIRE_BATCH];
	unsigned int n, i, total = 0;

	if (reactor_next_usec(r) > now_usec)
		return 0;
	do {
		n = take_due(r, now_usec, due);
		for (i = 0; i < n; i++)
			node_post(w->system, w, due[i]);
		total += n;
	} while (n == FIRE_BATCH);
	return total;
}

static struct watch *find_watch(struct reactor *r, uint64_t key)
{
	uint32_t index = (uint32_t)key;
	struct watch *watch;

	if (index >= r->watch_capacity)
		return NULL;
	watch = &r->watches[index];
	return watch->pid && watch->generation == key >> 32 ? watch : NULL;
}

static uint64_t watch_key(const struct reactor *r, const struct watch *watch)
{
	return (uint64_t)watch->generation << 32 | (uint32_t)(watch - r->watches);
}

static int grow_watches(struct reactor *r)
{
	uint32_t capacity = r->watch_capacity ? r->watch_capacity * 2 : 16, i;
	struct watch *watches;

	if (r->first_free != WATCH_NONE)
		return 0;
	watches = realloc(r->watches, capacity * sizeof(*watches));
	if (!watches)
		return -ENOMEM;
	for (i = r->watch_capacity; i < capacity; i++)
		watches[i] = (struct watch){ .next_free = i + 1 < capacity ? i + 1
									   : WATCH_NONE };
	r->first_free = r->watch_capacity;
	r->watches = watches;
	r->watch_capacity = capacity;
	return 0;
}

static int take_watch(struct reactor *r, const struct watch *values, uint64_t *ret_key)
{
	struct watch *watch;
	int ret;

	spin_lock(&r->watch_lock);
	ret = grow_watches(r);
	if (ret == 0) {
		watch = &r->watches[r->first_free];
		r->first_free = watch->next_free;
		watch->pid = values->pid;
		watch->ref = values->ref;
		watch->fd = values->fd;
		*ret_key = watch_key(r, watch);
	}
	spin_unlock(&r->watch_lock);
	return ret;
}

/* The descriptor, or -1 when the watch is gone. */
static int give_watch(struct reactor *r, uint64_t key)
{
	struct watch *watch;
	int fd = -1;

	spin_lock(&r->watch_lock);
	watch = find_watch(r, key);
	if (watch) {
		fd = watch->fd;
		watch->pid = AIRS_PID_NONE;
		watch->generation = (watch->generation + 1) & INT32_MAX;
		watch->next_free = r->first_free;
		r->first_free = (uint32_t)key;
	}
	spin_unlock(&r->watch_lock);
	return fd;
}

int reactor_watch(struct reactor *r, airs_pid pid, airs_ref ref, int fd, uint32_t events,
		uint64_t *ret_watch)
{
	const struct watch values = { .pid = pid, .ref = ref, .fd = fd };
	struct epoll_event event = { .events = events | EPOLLONESHOT };
	uint64_t key;
	int ret;

	ret = take_watch(r, &values, &key);
	if (ret < 0)
		return ret;
	event.data.u64 = key;
	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		ret = -errno;
		(void)give_watch(r, key);
		return ret;
	}
	(void)atomic_fetch_add_explicit(&r->n_watches, 1, memory_order_relaxed);
	*ret_watch = key;
	return 0;
}

int reactor_rearm(struct reactor *r, uint64_t watch, uint32_t events)
{
	struct epoll_event event = { .events = events | EPOLLONESHOT, .data.u64 = watch };
	const struct watch *found;
	int fd = -1;

	spin_lock(&r->watch_lock);
	found = find_watch(r, watch);
	if (found)
		fd = found->fd;
	spin_unlock(&r->watch_lock);
	if (!found)
		return -ENOENT;
	return epoll_ctl(r->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0 ? -errno : 0;
}

void reactor_unwatch(struct reactor *r, uint64_t watch)
{
	int fd = give_watch(r, watch);

	if (fd < 0)
		return;
	/* Fails when the owner closed the descriptor before, which removed it as well. */
	(void)epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	(void)atomic_fetch_sub_explicit(&r->n_watches, 1, memory_order_relaxed);
}

static void post_event(
		struct reactor *r, struct worker *w, const struct epoll_event *event)
{
	const struct watch *found;
	airs_pid pid = AIRS_PID_NONE;
	airs_ref ref = 0;
	struct node *n;

	spin_lock(&r->watch_lock);
	found = find_watch(r, event->data.u64);
	if (found) {
		pid = found->pid;
		ref = found->ref;
	}
	spin_unlock(&r->watch_lock);
	if (!found)
		return;
	n = node_new_must(w->system, w, NODE_FD, 0);
	n->to = pid;
	n->from = pid;
	n->type = AIRS_MSG_FD;
	n->ref = ref;
	n->payload = PAYLOAD_VALUE;
	n->u.timer.value = event->events;
	node_post(w->system, w, n);
}

static unsigned int note_expiry(struct reactor *r)
{
	spin_lock(&r->timer_lock);
	r->armed_usec = USEC_INFINITY;
	spin_unlock(&r->timer_lock);
	return REACTOR_EXPIRED;
}

unsigned int reactor_wait(struct reactor *r, struct worker *w, int timeout_msec)
{
	struct epoll_event events[EVENTS_MAX];
	unsigned int flags = 0;
	int n, i;

	n = epoll_wait(r->epoll_fd, events, EVENTS_MAX, timeout_msec);
	bug_unless(n >= 0 || errno == EINTR);
	for (i = 0; i < n; i++)
		if (events[i].data.u64 == KEY_WAKE)
			flags |= REACTOR_WOKEN;
		else if (events[i].data.u64 == KEY_TIMER)
			flags |= note_expiry(r);
		else
			post_event(r, w, &events[i]);
	return flags;
}

void reactor_arm(struct reactor *r)
{
	struct itimerspec spec = { 0 };
	uint64_t next;

	spin_lock(&r->timer_lock);
	next = r->heap_size ? r->heap[0]->u.timer.deadline_usec : USEC_INFINITY;
	if (next < r->armed_usec) {
		r->armed_usec = next;
		/* A time of zero would disarm. */
		spec.it_value.tv_sec = (time_t)(next / USEC_PER_SEC);
		spec.it_value.tv_nsec = (long)(next % USEC_PER_SEC) * 1000 + 1;
		bug_unless(timerfd_settime(r->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) ==
				0);
	}
	spin_unlock(&r->timer_lock);
}

void reactor_wake(struct reactor *r)
{
	uint64_t one = 1;

	/* The counter cannot come near its limit. */
	bug_unless(write(r->event_fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

static int add_own(struct reactor *r, int fd, uint64_t key)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = key };

	return epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_descriptors(struct reactor *r)
{
	int ret;

	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0)
		return -errno;
	r->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r->timer_fd < 0)
		return -errno;
	r->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->event_fd < 0)
		return -errno;
	ret = add_own(r, r->timer_fd, KEY_TIMER);
	return ret < 0 ? ret : add_own(r, r->event_fd, KEY_WAKE);
}

int reactor_new(struct reactor **ret_reactor)
{
	struct reactor *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return -ENOMEM;
	r->epoll_fd = r->timer_fd = r->event_fd = -1;
	r->armed_usec = USEC_INFINITY;
	r->first_free = WATCH_NONE;
	atomic_init(&r->next_usec, USEC_INFINITY);
	ret = open_descriptors(r);
	if (ret < 0) {
		reactor_free(r, NULL);
		return ret;
	}
	*ret_reactor = r;
	return 0;
}

void reactor_free(struct reactor *r, struct airs_system *system)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->heap_size; i++)
		node_free(system, NULL, r->heap[i]);
	free(r->heap);
	free(r->watches);
	close_fd(r->epoll_fd);
	close_fd(r->timer_fd);
	close_fd(r->event_fd);
	free(r);
}
