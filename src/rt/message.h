/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_MESSAGE_H
#define RT_MESSAGE_H

/*
 * Sending messages with types of the runtime itself, which the public functions refuse.
 * For the behaviours that live in rt.
 */

#include <stdbool.h>
#include <stdint.h>

#include "airssys/message.h"
#include "base/macro.h"
#include "rt/node.h"

#define MESSAGE_SIZE_MAX ((size_t)64 * 1024 * 1024)

/* Whether applications may send it: their own types, and what goes to and from
 * supervisors. */
static inline bool message_type_is_public(uint32_t type)
{
	return type >= AIRS_MSG_USER || type == AIRS_MSG_SUPERVISOR ||
			type == AIRS_MSG_EVENT;
}

/*
 * -EINVAL for a type or payload that airs_send refuses. free_data given or not, nothing is
 * released.
 */
MUST_CHECK int message_check(uint32_t type, const void *data, size_t size);

/* airs_send of any type. */
MUST_CHECK int message_send(struct airs_actor *self, airs_pid to, uint32_t type,
		const void *data, size_t size);

/*
 * Post a data node to its mailbox, within the mailbox's bound; the node is consumed.
 * worker may be NULL. 0, or -EAGAIN when the mailbox is full.
 */
MUST_CHECK int message_post(
		struct airs_system *system, struct worker *worker, struct node *n);

#endif
