/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_TABLE_H
#define RT_TABLE_H

/*
 * The table of actor slots: one reservation of address space, all of it readable, made
 * writable in growing steps and never unmapped while the system lives, so that a slot that was handed out
 * once can be read for ever. Free slots wait in per-worker stacks and in one shared
 * stack.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "base/macro.h"
#include "rt/actor.h"
#include "rt/lock.h"

struct table {
	struct airs_actor *slots;
	uint32_t capacity;
	uint32_t batch; /* slots that a worker takes and gives at once */
	struct airs_pool *pool; /* of a slot before its first actor */

	/* Of what follows; apart from what every sender reads. */
	struct spin lock __attribute__((aligned(CACHE_LINE)));
	uint32_t used; /* slots below were handed out at least once */
	uint32_t usable; /* slots below are mapped for reading and writing */
	struct airs_actor *free;
};

/* -ENOMEM. */
MUST_CHECK int table_init(struct table *t, uint64_t capacity, struct airs_pool *pool);
void table_fini(struct table *t);

/* NULL for what is no slot. One that was never handed out reads as zero. */
static inline struct airs_actor *table_find(const struct table *t, uint64_t index)
{
	return LIKELY(index < t->capacity) ? &t->slots[index] : NULL;
}

/*
 * Take a free slot. Its mailbox is whatever stale senders left; its status holds the
 * generation to use. -EAGAIN when all are taken, -ENOMEM. worker may be NULL.
 */
MUST_CHECK int table_take(
		struct table *t, struct worker *worker, struct airs_actor **ret_actor);
void table_give(struct table *t, struct worker *worker, struct airs_actor *a);

#endif
