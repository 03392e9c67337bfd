/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_REACTOR_H
#define RT_REACTOR_H

/*
 * A pool's timers and descriptor watches, and the place where its idle workers sleep.
 *
 * All idle workers of a pool wait in epoll_wait on one epoll descriptor, so a
 * descriptor's readiness, an expired timer and a wake-up each wake one sleeper, which
 * runs the actor itself. Timers lie in a heap; a timerfd is armed for the earliest of
 * them before a worker sleeps.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "airssys/types.h"
#include "base/macro.h"
#include "rt/lock.h"
#include "rt/node.h"

struct worker;

struct watch {
	airs_pid pid; /* 0: free */
	airs_ref ref;
	int fd;
	uint32_t generation;
	uint32_t next_free;
};

struct reactor {
	int epoll_fd, timer_fd, event_fd;

	struct spin timer_lock; /* of what follows */
	struct node **heap; /* armed NODE_TIMER and NODE_CALL_TIMEOUT, earliest first */
	size_t heap_size, heap_capacity;
	size_t n_away; /* with an interval: posted, and coming back to the heap */
	uint64_t armed_usec; /* what timer_fd waits for, USEC_INFINITY for nothing */
	_Atomic uint64_t next_usec; /* of the earliest timer; a hint for readers without
				       the lock */

	struct spin watch_lock; /* of what follows */
	struct watch *watches;
	uint32_t watch_capacity, first_free;
	_Atomic uint32_t n_watches;
};

/* -ENOMEM, -EMFILE, -ENFILE. */
MUST_CHECK int reactor_new(struct reactor **ret_reactor);
/* Frees the timers that are armed. NULL is accepted. */
void reactor_free(struct reactor *r, struct airs_system *system);

/* Arm a timer node, whose deadline is set. The reactor keeps it until it fires or is
 * cancelled. -ENOMEM. */
MUST_CHECK int reactor_add_timer(struct reactor *r, struct node *timer);
/* One with an interval that has expired: arm it for its next time. Cannot fail. */
void reactor_add_again(struct reactor *r, struct node *timer);
/*
 * Whether it was still armed; then it is the caller's again. Else it is in the mailbox, or
 * on its way there, and does not come back to the heap.
 */
bool reactor_cancel_timer(struct reactor *r, struct node *timer);
/* Post every timer that is due. Returns their number. */
unsigned int reactor_fire(struct reactor *r, struct worker *w, uint64_t now_usec);
/* The earliest deadline, USEC_INFINITY when there is none. A hint. */
static inline uint64_t reactor_next_usec(struct reactor *r)
{
	return atomic_load_explicit(&r->next_usec, memory_order_relaxed);
}

/* As airs_fd_watch. *ret_watch names the watch in the calls below. */
MUST_CHECK int reactor_watch(struct reactor *r, airs_pid pid, airs_ref ref, int fd,
		uint32_t events, uint64_t *ret_watch);
MUST_CHECK int reactor_rearm(struct reactor *r, uint64_t watch, uint32_t events);
void reactor_unwatch(struct reactor *r, uint64_t watch);

/* What a wait ended with. */
#define REACTOR_EXPIRED 2u /* the timerfd has fired and is not armed any more */
#define REACTOR_WOKEN   1u /* reactor_wake was called */

/*
 * Wait for events, at most timeout_msec (-1: for ever, 0: not at all), and post a message
 * for each. The seeded scheduler never waits. Returns REACTOR_… flags.
 */
unsigned int reactor_wait(struct reactor *r, struct worker *w, int timeout_msec);

/* Make the timerfd fire for the earliest timer. Before a wait without limit. */
void reactor_arm(struct reactor *r);

/* Wake one waiter. Any thread. */
void reactor_wake(struct reactor *r);

#endif
