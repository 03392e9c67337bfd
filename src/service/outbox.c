/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "service/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

/* Messages that wait for each other: the keeper shall work while we do. */
#define TOGETHER 8
/* More than this waiting means that the keeper does not read any more. */
#define QUEUE_MAX (16u * 1024 * 1024)

struct outbox_datagram {
	struct list link;
	size_t size;
	uint8_t data[];
};

void outbox_init(struct outbox *outbox, int fd)
{
	outbox->fd = fd;
	list_init(&outbox->queue);
}

void outbox_fini(struct outbox *outbox)
{
	struct outbox_datagram *d, *next;

	list_foreach_safe(d, next, &outbox->queue, link)
		free(d);
}

static void set_broken(struct outbox *outbox, const char *why)
{
	if (!outbox->broken)
		outbox->broken = why;
}

void outbox_resume(struct outbox *outbox)
{
	struct outbox_datagram *d;
	int r;

	while ((d = list_first(&outbox->queue, struct outbox_datagram, link))) {
		r = fd_send(outbox->fd, d->data, d->size, NULL, 0);
		if (r == -EAGAIN)
			return;
		if (r < 0) {
			set_broken(outbox, "the keeper does not listen any more");
			return;
		}
		list_remove(&d->link);
		outbox->queued_bytes -= d->size;
		free(d);
	}
}

static void enqueue(struct outbox *outbox, struct protocol_part part)
{
	struct outbox_datagram *d;

	d = outbox->queued_bytes + part.size > QUEUE_MAX ? NULL
							 : malloc(sizeof(*d) + part.size);
	if (!d) {
		set_broken(outbox, "the keeper does not read any more");
		return;
	}
	d->size = part.size;
	memcpy(d->data, part.data, part.size);
	list_append(&outbox->queue, &d->link);
	outbox->queued_bytes += part.size;
}

void outbox_flush(struct outbox *outbox)
{
	struct protocol_part part = protocol_batch_get(&outbox->batch);
	int r = -EAGAIN;

	if (outbox->batch.count == 0)
		return;
	if (list_is_empty(&outbox->queue))
		r = fd_send(outbox->fd, part.data, part.size, NULL, 0);
	if (r == -EAGAIN)
		enqueue(outbox, part);
	else if (r < 0)
		set_broken(outbox, "the keeper does not listen any more");
	protocol_batch_clear(&outbox->batch);
}

void outbox_add(struct outbox *outbox, const struct protocol_message *message)
{
	int r = protocol_batch_add(&outbox->batch, message);

	if (r == -EMSGSIZE && outbox->batch.count > 0) {
		outbox_flush(outbox);
		r = protocol_batch_add(&outbox->batch, message);
	}
	if (r < 0)
		set_broken(outbox, "a message could not be encoded");
	if (outbox->batch.count >= TOGETHER)
		outbox_flush(outbox);
}
