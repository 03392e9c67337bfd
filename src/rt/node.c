/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/node.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "rt/signals.h"
#include "rt/system.h"

_Static_assert(sizeof(struct node) == 64, "a small message is one cache line");
_Static_assert(offsetof(struct node, u) + sizeof(struct airs_reason) <= MEMORY_MUST_MAX,
		"a signal with its reason fits the reserve");

struct node *node_new_must(struct airs_system *system, struct worker *worker,
		enum node_kind kind, size_t size)
{
	uint8_t size_class;
	struct node *n = memory_alloc_must(&system->memory, worker_memory(worker),
			node_block_size(size), &size_class);

	node_prepare(n, kind, size_class);
	return n;
}

struct node *node_new_reason(struct airs_system *system, struct worker *worker,
		enum node_kind kind, const struct airs_reason *reason)
{
	struct node *n = node_new_must(system, worker, kind, sizeof(*reason));

	node_set_data(n, reason, sizeof(*reason));
	return n;
}

void node_move_data(struct node *n, void *data, size_t size, void (*free_data)(void *))
{
	n->payload = PAYLOAD_MOVED;
	n->size = (uint32_t)size;
	n->u.moved.data = data;
	n->u.moved.free_data = free_data;
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

void node_free_slowly(struct airs_system *system, struct worker *worker, struct node *n)
{
	/* Without a worker the system is being freed. */
	if (n->payload == PAYLOAD_KEPT && worker) {
		timer_again(system, n);
		return;
	}
	node_release_payload(system, worker, n);
	memory_free(&system->memory, worker_memory(worker), n, n->size_class);
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
	case NODE_REQUEST:
		reply = node_new_reason(system, worker, NODE_REPLY, reason);
		reply->status = -ESRCH;
		break;
	case NODE_NOTHING:
	case NODE_DATA:
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
	case NODE_CHILD_ENDED:
	case NODE_PARENT_ENDED:
	case NODE_TIE_LOOSENED:
		return;
	}
	answer(system, worker, n, reply);
}
