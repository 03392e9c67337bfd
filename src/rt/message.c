/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/message.h"

#include <errno.h>

#include "rt/system.h"

/*
 * Reserve a place in a bounded mailbox. The count includes reservations, so the bound is
 * exact however many senders there are. Returns whether the node was counted or -EAGAIN.
 */
static int reserve(struct airs_actor *a, struct node *n)
{
	uint32_t max = atomic_load_explicit(&a->mailbox_max, memory_order_relaxed);

	if (LIKELY(max == 0))
		return 0;
	if (atomic_fetch_add_explicit(&a->queued, 1, memory_order_relaxed) >=
			(int32_t)max) {
		(void)atomic_fetch_sub_explicit(&a->queued, 1, memory_order_relaxed);
		(void)atomic_fetch_add_explicit(&a->refused, 1, memory_order_relaxed);
		return -EAGAIN;
	}
	n->flags |= NODE_F_COUNTED;
	return 1;
}

int message_post(struct airs_system *system, struct worker *worker, struct node *n)
{
	struct airs_actor *a = system_find(system, n->to);
	int counted = 0;

	if (a && actor_is(a, n->to)) {
		counted = reserve(a, n);
		if (counted < 0) {
			node_free(system, worker, n);
			return counted;
		}
	}
	/*
	 * In an unbounded mailbox only what goes behind other nodes is counted, which
	 * costs nothing where an idle actor is woken.
	 */
	if (node_post(system, worker, n) && !counted)
		(void)atomic_fetch_add_explicit(&a->queued, 1, memory_order_relaxed);
	return 0;
}

static int send_copy(struct airs_system *system, struct worker *w,
		const struct node *envelope, const void *data, size_t size)
{
	struct node *n;

	if (size > MESSAGE_SIZE_MAX || (size && !data))
		return -EINVAL;
	n = node_new(system, w, NODE_DATA, size);
	if (!n)
		return -ENOMEM;
	n->to = envelope->to;
	n->from = envelope->from;
	n->type = envelope->type;
	n->ref = envelope->ref;
	node_set_data(n, data, size);
	return message_post(system, w, n);
}

int message_send(struct airs_actor *self, airs_pid to, uint32_t type, const void *data,
		size_t size)
{
	const struct node envelope = { .to = to, .from = actor_pid(self), .type = type };

	return send_copy(self->worker->system, self->worker, &envelope, data, size);
}

int airs_send(struct airs_actor *self, airs_pid to, uint32_t type, const void *data,
		size_t size)
{
	if (!message_type_is_public(type))
		return -EINVAL;
	return message_send(self, to, type, data, size);
}

int airs_system_send(struct airs_system *system, airs_pid to, uint32_t type,
		const void *data, size_t size)
{
	const struct node envelope = { .to = to, .from = AIRS_PID_NONE, .type = type };

	if (!message_type_is_public(type))
		return -EINVAL;
	return send_copy(system, NULL, &envelope, data, size);
}

int airs_send_moved(struct airs_actor *self, airs_pid to, uint32_t type, void *data,
		size_t size, void (*free_data)(void *))
{
	struct worker *w = self->worker;
	struct node *n = NULL;
	int r = -EINVAL;

	if (message_type_is_public(type) && size <= MESSAGE_SIZE_MAX && (data || !size)) {
		n = node_new(w->system, w, NODE_DATA, 0);
		r = -ENOMEM;
	}
	if (!n) {
		if (free_data)
			free_data(data);
		return r;
	}
	n->to = to;
	n->from = actor_pid(self);
	n->type = type;
	node_move_data(n, data, size, free_data);
	return message_post(w->system, w, n);
}
