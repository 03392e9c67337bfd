/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/message.h"

#include <errno.h>

#include "rt/system.h"
#include "rt/turn.h"

#define BEHIND_MAX 64u

/*
 * Reserve a place in a bounded mailbox. The count includes reservations, so the bound is
 * exact however many senders there are. Returns whether the node was counted or -EAGAIN.
 */
static int reserve(struct airs_actor *a, struct node *n)
{
	uint32_t max = atomic_load_explicit(&a->mailbox_max, memory_order_relaxed);

	if (max == 0)
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

/* Of more than one mailbox, or too many for one: 0. */
static __attribute__((noinline)) int count_behind_anew(
		struct worker *w, struct airs_actor *a)
{
	turn_count_behind(w);
	w->behind = a;
	w->n_behind = 1;
	return 0;
}

/* w has sent a message that went behind others in a's mailbox. What one handler sends to
 * one actor is counted at once, up to a limit. 0. */
static inline int count_behind(struct worker *w, struct airs_actor *a)
{
	if (UNLIKELY(w->behind != a || w->n_behind >= BEHIND_MAX))
		return count_behind_anew(w, a);
	w->n_behind++;
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
	if (counted < 0) {
		node_free(system, worker, n);
		return counted;
	}
	/*
	 * In an unbounded mailbox only what goes behind other nodes is counted, which
	 * costs nothing where an idle actor is woken.
	 */
	if (!node_push_end(system, worker, a, n, node_push_begin(a, n)) || counted)
		return 0;
	if (worker)
		return count_behind(worker, a);
	(void)atomic_fetch_add_explicit(&a->queued, 1, memory_order_relaxed);
	return 0;
}

/* A data node with a copy of data. */
static int new_data(struct airs_system *system, struct worker *w, const void *data,
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
	n->from = self->live;
	n->type = type;
	return message_post(w->system, w, n);
}

/* A plain message of 8 to 16 bytes; NULL when there is no block at hand. */
static inline struct node *new_plain(
		struct airs_actor *self, const void *data, size_t size)
{
	struct node *n = memory_take(&self->worker->memory, MEMORY_CLASS_LINE);

	if (UNLIKELY(!n))
		return NULL;
	n->from = self->live;
	n->size = (uint32_t)size;
	memcpy(&n->kind, node_plain, sizeof(node_plain));
	/* Its first and its last 8 bytes, which may overlap. */
	memcpy(n->u.bytes, data, 8);
	memcpy(n->u.bytes + size - 8, (const char *)data + size - 8, 8);
	return n;
}

static int send_other(struct airs_actor *self, airs_pid to, uint32_t type,
		const void *data, size_t size)
{
	if (!message_type_is_public(type))
		return -EINVAL;
	return message_send(self, to, type, data, size);
}

/*
 * The way of most messages, a short one to an actor of the same pool, with nothing on it
 * that needs a stack frame. What is not so common leaves it by a tail call.
 */
int airs_send(struct airs_actor *self, airs_pid to, uint32_t type, const void *data,
		size_t size)
{
	struct worker *w = self->worker;
	struct airs_actor *a;
	struct node *n, *before;

	if (UNLIKELY(type < AIRS_MSG_USER || size - 8 > NODE_INLINE_MAX - 8 || !data))
		return send_other(self, to, type, data, size);
	n = new_plain(self, data, size);
	if (UNLIKELY(!n))
		return send_other(self, to, type, data, size);
	n->to = to;
	n->type = type;
	a = system_find(w->system, to);
	if (UNLIKELY(!a || !actor_is(a, to) ||
			    atomic_load_explicit(&a->mailbox_max, memory_order_relaxed)))
		return message_post(w->system, w, n);
	before = node_push_begin(a, n);
	if (!before)
		return actor_wake(w, a, n);
	/* Release: as in node_push_end. */
	atomic_store_explicit(&before->next, n, memory_order_release);
	return count_behind(w, a);
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
