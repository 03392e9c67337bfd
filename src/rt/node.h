/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_NODE_H
#define RT_NODE_H

/*
 * Nodes: what lies in a mailbox. Messages, signals and expired timers are all nodes, in
 * one list, which keeps the order between two actors.
 *
 * A node belongs to its sender until it is posted, then to the mailbox; whoever runs the
 * actor handles it in place and frees it once the list has moved past it. It carries the
 * pid it was sent to, so that a node for an actor that has ended is recognised by whoever
 * finds it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "airssys/message.h"
#include "airssys/types.h"
#include "base/macro.h"
#include "rt/memory.h"

struct relation;
struct system_call; /* see call.c */
struct worker;

enum node_kind {
	NODE_NOTHING,
	NODE_START, /* first of an actor: run init; flags are AIRS_SPAWN_ACK, payload the
		       arguments */
	NODE_DATA, /* a message: without status and ref */
	NODE_REQUEST, /* a message that wants a reply; ref */
	NODE_STARTED, /* AIRS_MSG_STARTED */
	NODE_REPLY, /* ref: the call */
	NODE_TIMER, /* ref: the timer */
	NODE_CALL_TIMEOUT, /* ref: the call */
	NODE_FD, /* ref: the watch */
	NODE_KILL,
	NODE_EXIT, /* exit signal; payload struct airs_reason */
	NODE_LINK_EXIT, /* a linked actor ended; payload struct airs_reason; status: enum
			   link_exit */
	NODE_LINK, /* u.relation: room for the receiver's half */
	NODE_LINK_ACK,
	NODE_UNLINK,
	NODE_UNLINK_ACK,
	NODE_MONITOR, /* ref; u.relation: room for the target's half */
	NODE_DEMONITOR, /* ref */
	NODE_DOWN, /* ref; payload struct airs_reason */
	NODE_CALL_DONE, /* ref: the caller no longer waits */
	NODE_CHILD_ENDED, /* payload struct airs_reason */
	NODE_PARENT_ENDED, /* payload struct airs_reason */
	NODE_TIE_LOOSENED, /* the other side has unlinked this one */
};

enum node_payload {
	PAYLOAD_NONE,
	PAYLOAD_VALUE,
	PAYLOAD_INLINE,
	PAYLOAD_MOVED,
	PAYLOAD_RELATION,
	/* u.timer, of a timer with an interval: freeing it arms it again */
	PAYLOAD_KEPT,
};

/* Whose link ended: the status of NODE_LINK_EXIT. */
enum link_exit {
	LINK_EXIT_ENDED, /* the peer was linked and ended */
	LINK_EXIT_REFUSED, /* the peer was gone when NODE_LINK arrived: also its
			      acknowledgement */
};

#define NODE_INLINE_MAX 16 /* bytes of payload in a node of one cache line */

#define NODE_F_COUNTED 1u /* counted in the mailbox before it was posted */

struct node {
	_Atomic(struct node *) next;
	airs_pid to, from;
	uint32_t type;
	int32_t status; /* not of NODE_DATA; of an armed timer: its place in the heap */
	airs_ref ref; /* not of NODE_DATA */
	uint32_t size;
	uint8_t kind; /* enum node_kind */
	uint8_t size_class;
	uint8_t payload; /* enum node_payload */
	uint8_t flags;
	union {
		unsigned char bytes
				[NODE_INLINE_MAX]; /* or more: the block is as long as the payload
					    needs */
		struct {
			uint64_t value;
			uint64_t deadline_usec; /* timers */
		} timer;
		struct {
			void *data;
			void (*free_data)(void *);
		} moved;
		struct relation *relation;
	} u;
};

/*
 * Kind, class, payload and flags of a plain message: in a node of one line, with its
 * payload inside (size may be 0), not counted. They are compared and set as one word.
 */
static const uint8_t node_plain[4] = { NODE_DATA, MEMORY_CLASS_LINE, PAYLOAD_INLINE, 0 };

static inline bool node_is_plain(const struct node *n)
{
	return memcmp(&n->kind, node_plain, sizeof(node_plain)) == 0;
}

/* For signals of at most a struct airs_reason: never NULL, see memory_alloc_must. */
struct node *node_new_must(struct airs_system *system, struct worker *worker,
		enum node_kind kind, size_t size);

/* A signal with this reason, addressed; never NULL. */
struct node *node_new_reason(struct airs_system *system, struct worker *worker,
		enum node_kind kind, const struct airs_reason *reason);

/* Frees a node with a payload that takes more: the rest of node_free. */
void node_free_slowly(struct airs_system *system, struct worker *worker, struct node *n);
/* Frees the payload only. */
void node_release_payload(
		struct airs_system *system, struct worker *worker, struct node *n);

/* Hands data over: free_data (may be NULL) is called on it with the node. */
void node_move_data(struct node *n, void *data, size_t size, void (*free_data)(void *));

/*
 * Send a node to n->to. It is consumed. Nodes for an actor that is gone are answered as
 * their kind asks for (see node_refuse). worker: the calling worker, or NULL outside of
 * any. Returns whether it went behind another node.
 */
bool node_post(struct airs_system *system, struct worker *worker, struct node *n);

/*
 * Answer what waits for an answer: MONITOR with DOWN, LINK with an exit signal, UNLINK
 * with its acknowledgement, a call with -ESRCH. reason: why the target is not there. The
 * node itself stays the caller's.
 */
void node_refuse(struct airs_system *system, struct worker *worker, struct node *n,
		const struct airs_reason *reason);

#endif
