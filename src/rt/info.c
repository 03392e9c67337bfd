/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Looking at actors, from inside and from any thread. Nothing here waits for a handler:
 * what others may read of a slot is atomic, and the generation is compared before and
 * after.
 */

#include <errno.h>

#include "airssys/actor.h"
#include "rt/system.h"

airs_pid airs_self(const struct airs_actor *self)
{
	return actor_pid(self);
}

struct airs_system *airs_actor_system(const struct airs_actor *self)
{
	return self->worker->system;
}

airs_pid airs_parent(const struct airs_actor *self)
{
	return atomic_load_explicit(&self->parent, memory_order_relaxed);
}

uint64_t airs_now(const struct airs_actor *self)
{
	return system_now(self->worker->system);
}

uint64_t airs_random(struct airs_actor *self)
{
	return random_next(&self->worker->random);
}

uint64_t airs_system_now(struct airs_system *system)
{
	return system_now(system);
}

int airs_is_alive(struct airs_system *system, airs_pid pid)
{
	struct airs_actor *a = system_find(system, pid);
	uint64_t status;

	if (!a || pid == AIRS_PID_NONE)
		return 0;
	/* Acquire: as in actor_is. */
	status = atomic_load_explicit(&a->status, memory_order_acquire);
	return (status & ~STATUS_NAMED) == pid && !actor_is_killed(a, pid);
}

static uint64_t queued(struct airs_actor *a)
{
	int32_t n = atomic_load_explicit(&a->queued, memory_order_relaxed);

	return n > 0 ? (uint64_t)n : 0;
}

int airs_actor_get_info(
		struct airs_system *system, airs_pid pid, struct airs_actor_info *info)
{
	struct airs_actor *a = system_find(system, pid);
	struct airs_actor_info copy = { .size = sizeof(copy) };
	const struct airs_behaviour *behaviour;

	if (info->size != sizeof(*info))
		return -EINVAL;
	if (!airs_is_alive(system, pid))
		return -ESRCH;
	behaviour = atomic_load_explicit(&a->behaviour, memory_order_relaxed);
	copy.parent = atomic_load_explicit(&a->parent, memory_order_relaxed);
	copy.messages_handled = atomic_load_explicit(&a->handled, memory_order_relaxed);
	copy.messages_queued = queued(a);
	copy.messages_refused = atomic_load_explicit(&a->refused, memory_order_relaxed);
	copy.links = atomic_load_explicit(&a->n_links, memory_order_relaxed);
	copy.monitors = atomic_load_explicit(&a->n_monitors, memory_order_relaxed);
	copy.monitored_by =
			atomic_load_explicit(&a->n_monitored_by, memory_order_relaxed);
	names_copy(system, pid, copy.name, sizeof(copy.name));
	/* What was read is this actor's only if it is still there. */
	if (!airs_is_alive(system, pid))
		return -ESRCH;
	copy.behaviour = behaviour ? behaviour->name : NULL;
	*info = copy;
	return 0;
}
