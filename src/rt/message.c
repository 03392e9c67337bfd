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

int message_check(uint32_t type, const void *data, size_t size)
{
	if (!message_type_is_public(type) || size > MESSAGE_SIZE_MAX || (size && !data))
		return -EINVAL;
	return 0;
}

int message_post(struct airs_system *system, struct worker *worker, struct node *n)
{
	struct airs_actor *a = system_find(system, n->to);
	int counted;

	if (UNLIKELY(!a || !actor_is(a, n->to))) {
		(void)node_post(system, worker, n);
		return 0;
	}
	counted = reserve(a, n);
	if (UNLIKELY(counted < 0)) {
		node_free(system, worker, n);
		return counted;
	}
	/*
	 * In an unbounded mailbox only what goes behind other nodes is counted, which
	 * costs nothing where an idle actor is woken.
	 */
	if (node_push_end(system, worker, a, n, node_push_begin(a, n)) && !counted)
		(void)atomic_fetch_add_explicit(&a->queued, 1, memory_order_relaxed);
	return 0;
}

/* A data node with a copy of data. */
static inline int new_data(struct airs_system *system, struct worker *w, const void *data,
		size_t size, struct node **ret_node)
{
	struct node *n;

	if (UNLIKELY(size > MESSAGE_SIZE_MAX || (size && !data)))
		return -EINVAL;
	n = node_new(system, w, NODE_DATA, size);
	if (UNLIKELY(!n))
		return -ENOMEM;
	node_set_data(n, data, size);
	*ret_node = n;
	return 0;
}

int message_send(struct airs_actor *self, airs_pid to, uint32_t type, const void *data,
		size_t size)
{
	struct worker *w = self->worker;
	struct node *n;
	int r = new_data(w->system, w, data, size, &n);

	if (r < 0)
		return r;
	n->to = to;
	n->from = actor_pid(self);
	n->type = type;
	return message_post(w->system, w, n);
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
	struct node *n;
	int r;

	if (!message_type_is_public(type))
		return -EINVAL;
	r = new_data(system, NULL, data, size, &n);
	if (r < 0)
		return r;
	n->to = to;
	n->from = AIRS_PID_NONE;
	n->type = type;
	return message_post(system, NULL, n);
}

int airs_send_moved(struct airs_actor *self, airs_pid to, uint32_t type,
		struct airs_payload payload)
{
	struct worker *w = self->worker;
	struct node *n = NULL;
	int r;

	r = message_check(type, payload.data, payload.size);
	if (r == 0) {
		n = node_new(w->system, w, NODE_DATA, 0);
		r = -ENOMEM;
	}
	if (!n) {
		if (payload.free_data)
			payload.free_data(payload.data);
		return r;
	}
	n->to = to;
	n->from = actor_pid(self);
	n->type = type;
	node_move_data(n, payload.data, payload.size, payload.free_data);
	return message_post(w->system, w, n);
}
