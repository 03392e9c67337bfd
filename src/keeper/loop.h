/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_LOOP_H
#define KEEPER_LOOP_H

/*
 * The keeper's event loop: epoll, one event at a time. A source is embedded in what it
 * belongs to and may be removed at any moment, by its own callback too, since no event is
 * held back while another is handled.
 */

#include <stdint.h>
#include <sys/epoll.h>

#include "base/macro.h"

struct loop {
	int epoll_fd;
};

struct loop_source {
	int fd; /* borrowed; -1 while it is in no loop */
	void (*on_ready)(struct loop_source *source, uint32_t events);
};

MUST_CHECK int loop_init(struct loop *loop);
void loop_fini(struct loop *loop);

/* events: EPOLLIN …, level-triggered. on_ready must be set. */
MUST_CHECK int loop_add(
		struct loop *loop, struct loop_source *source, int fd, uint32_t events);
MUST_CHECK int loop_change(
		struct loop *loop, struct loop_source *source, uint32_t events);
/* Does nothing for a source that is in no loop. Call it before the fd is closed. */
void loop_remove(struct loop *loop, struct loop_source *source);

/*
 * Wait for one event and handle it. timeout_usec USEC_INFINITY waits for ever. 1 when an
 * event was handled, 0 after the timeout, or a negative errno.
 */
MUST_CHECK int loop_turn(struct loop *loop, uint64_t timeout_usec);

#endif
