/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_OUTBOX_H
#define SERVICE_OUTBOX_H

/*
 * What the core says to the keeper, on its way into the socket: messages of one moment
 * leave together, in order, and what cannot be sent now waits. The first thing that goes
 * wrong is kept, and nothing is right after it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "unit/protocol.h"

struct outbox {
	int fd; /* borrowed, non-blocking */
	struct protocol_batch batch; /* what is to be sent next */
	struct list queue; /* [struct outbox_datagram.link]: what did not fit the socket */
	size_t queued_bytes;
	const char *broken; /* why the link has to end; NULL */
};

void outbox_init(struct outbox *outbox, int fd);
void outbox_fini(struct outbox *outbox);

/* Say it at outbox_flush at the latest. */
void outbox_add(struct outbox *outbox, const struct protocol_message *message);
void outbox_flush(struct outbox *outbox);
/* There is room in the socket: send what waits. */
void outbox_resume(struct outbox *outbox);

static inline bool outbox_waits_for_room(const struct outbox *outbox)
{
	return !list_is_empty(&outbox->queue);
}

static inline bool outbox_is_due(const struct outbox *outbox)
{
	return outbox->batch.count > 0;
}

#endif
