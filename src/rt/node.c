/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/node.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "rt/system.h"

_Static_assert(sizeof(struct node) == 64, "a small message is one cache line");
_Static_assert(sizeof(struct relation) <= sizeof(struct node), "");
_Static_assert(offsetof(struct node, u) + sizeof(struct airs_reason) <= MEMORY_MUST_MAX,
		"a signal with its reason fits the reserve");

static size_t block_size(size_t payload)
{
	return MAX_OF(sizeof(struct node), offsetof(struct node, u) + payload);
}

static void prepare(struct node *n, enum node_kind kind, uint8_t size_class)
{
	*n = (struct node){ .kind = (uint8_t)kind, .size_class = size_class };
}

struct node *node_new(struct airs_system *system, struct worker *worker,
		enum node_kind kind, size_t size)
{
	uint8_t size_class;
	struct node *n = memory_alloc(&system->memory, worker_memory(worker),
			block_size(size), &size_class);

	if (n)
		prepare(n, kind, size_class);
	return n;
}

struct node *node_new_must(struct airs_system *system, struct worker *worker,
		enum node_kind kind, size_t size)
{
	uint8_t size_class;
	struct node *n = memory_alloc_must(&system->memory, worker_memory(worker),
			block_size(size), &size_class);

	prepare(n, kind, size_class);
	return n;
}

struct node *node_new_reason(struct airs_system *system, struct worker *worker,
		enum node_kind kind, const struct airs_reason *reason)
{
	struct node *n = node_new_must(system, worker, kind, sizeof(*reason));

	node_set_data(n, reason, sizeof(*reason));
	return n;
}

void node_set_data(struct node *n, const void *data, size_t size)
{
	if (size == 0)
		return;
	memcpy((char *)n + offsetof(struct node, u), data, size);
	n->size = (uint32_t)size;
	n->payload = PAYLOAD_INLINE;
}

void node_move_data(struct node *n, void *data, size_t size, void (*free_data)(void *))
{
	n->payload = PAYLOAD_MOVED;
	n->size = (uint32_t)size;
	n->u.moved.data = data;
	n->u.moved.free_data = free_data;
}

void *node_data(struct node *n)
{
	if (n->payload == PAYLOAD_INLINE)
		return (char *)n + offsetof(struct node, u);
	return n->payload == PAYLOAD_MOVED ? n->u.moved.data : NULL;
}

void node_release_payload(
		struct airs_system *system, struct worker *worker, struct node *n)
{
	if (n->payload == PAYLOAD_MOVED && n->u.moved.free_data)
		n->u.moved.free_data(n->u.moved.data);
	else if (n->payload == PAYLOAD_RELATION)
		relation_free(system, worker, n->u.relation);
	n->payload = PAYLOAD_NONE;
	n->size = 0;
}

void node_free(struct airs_system *system, struct worker *worker, struct node *n)
{
	if (UNLIKELY(n->payload >= PAYLOAD_MOVED))
		node_release_payload(system, worker, n);
	memory_free(&system->memory, worker_memory(worker), n, n->size_class);
}

struct node *node_push_begin(struct airs_actor *a, struct node *n)
{
	atomic_store_explicit(&n->next, NULL, memory_order_relaxed);
	/*
	 * Release: hands the node's contents to the runner, which reads a tail or a next
	 * that leads to it. Acquire: pairs with the release that swapped the tail to NULL
	 * in advance, since finding NULL makes us the next owner of first, run_next and
	 * runner.
	 */
	return atomic_exchange_explicit(&a->tail, n, memory_order_acq_rel);
}

bool node_push_end(struct airs_system *system, struct worker *worker,
		struct airs_actor *a, struct node *n, struct node *before)
{
	if (before) {
		/* Release: pairs with the acquire load of next in advance. */
		atomic_store_explicit(&before->next, n, memory_order_release);
		return true;
	}
	a->first = n;
	system->scheduler->ready(system, worker, a);
	return false;
}

bool node_post(struct airs_system *system, struct worker *worker, struct node *n)
{
	static const struct airs_reason noproc = { .reason_class = AIRS_REASON_NOPROC };
	struct airs_actor *a = system_find(system, n->to);

	if (LIKELY(a && actor_is(a, n->to)))
		return node_push_end(system, worker, a, n, node_push_begin(a, n));
	node_refuse(system, worker, n, &noproc);
	node_free(system, worker, n);
	return false;
}

static void answer(struct airs_system *system, struct worker *worker,
		const struct node *n, struct node *reply)
{
	reply->to = n->from;
	reply->from = n->to;
	reply->ref = n->ref;
	node_post(system, worker, reply);
}

void node_refuse(struct airs_system *system, struct worker *worker, struct node *n,
		const struct airs_reason *reason)
{
	static const struct airs_reason noproc = { .reason_class = AIRS_REASON_NOPROC };
	struct node *reply = NULL;

	switch ((enum node_kind)n->kind) {
	case NODE_MONITOR:
		reply = node_new_reason(system, worker, NODE_DOWN, &noproc);
		break;
	case NODE_LINK:
		reply = node_new_reason(system, worker, NODE_LINK_EXIT, &noproc);
		reply->status = LINK_EXIT_REFUSED;
		break;
	case NODE_UNLINK:
		reply = node_new_must(system, worker, NODE_UNLINK_ACK, 0);
		break;
	case NODE_DATA:
		if (!n->ref)
			return;
		reply = node_new_reason(system, worker, NODE_REPLY, reason);
		reply->status = -ESRCH;
		break;
	case NODE_NOTHING:
	case NODE_START:
	case NODE_STARTED:
	case NODE_REPLY:
	case NODE_TIMER:
	case NODE_CALL_TIMEOUT:
	case NODE_FD:
	case NODE_KILL:
	case NODE_EXIT:
	case NODE_LINK_EXIT:
	case NODE_LINK_ACK:
	case NODE_UNLINK_ACK:
	case NODE_DEMONITOR:
	case NODE_DOWN:
	case NODE_CALL_DONE:
		return;
	}
	answer(system, worker, n, reply);
}
