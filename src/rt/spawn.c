/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Starting actors. The spawner prepares the slot, with the link and the monitor that were
 * asked for, and posts NODE_START; from then on the slot is its runner's. The state is
 * allocated here, so that the actor's start cannot fail for lack of memory.
 */

#include <errno.h>
#include <string.h>

#include "airssys/actor.h"
#include "base/cleanup.h"
#include "rt/system.h"

#define ARGS_MAX ((size_t)64 * 1024)
#define FLAGS_KNOWN                                                                      \
	(AIRS_SPAWN_LINK | AIRS_SPAWN_MONITOR | AIRS_SPAWN_ACK | AIRS_SPAWN_CHILD)

/* What a spawn has gathered before it takes effect. */
struct spawn {
	struct airs_system *system;
	struct worker *worker;
	struct airs_actor *parent;
	struct airs_spawn_options options;
	struct airs_actor *child;
	struct node *start;
	void *state;
	uint8_t state_class;
	/* The parent's half, the child's half. */
	struct relation *links[2], *monitors[2], *ties[2];
};

static int read_options(struct spawn *s, const struct airs_spawn_options *options)
{
	if (options) {
		if (options->size != sizeof(*options))
			return -EINVAL;
		s->options = *options;
	}
	if (s->options.flags & ~FLAGS_KNOWN || (s->options.flags && !s->parent))
		return -EINVAL;
	if (s->options.flags & AIRS_SPAWN_CHILD &&
			s->options.flags & (AIRS_SPAWN_LINK | AIRS_SPAWN_MONITOR))
		return -EINVAL;
	if (s->options.args_size && !s->options.args)
		return -EINVAL;
	if (s->options.args_size > (s->options.free_args ? UINT32_MAX : ARGS_MAX))
		return -EINVAL;
	if (s->options.flags & AIRS_SPAWN_MONITOR && !s->options.ret_monitor)
		return -EINVAL;
	if (!s->options.pool)
		s->options.pool = s->parent ? atomic_load_explicit(&s->parent->pool,
							      memory_order_relaxed)
					    : s->system->default_pool;
	if (s->options.pool->system != s->system)
		return -EINVAL;
	if (!s->options.mailbox_max)
		s->options.mailbox_max = s->system->options.mailbox_max;
	return s->options.mailbox_max > INT32_MAX ? -EINVAL : 0;
}

static void undo(struct spawn *s)
{
	int i;

	if (s->start)
		node_free(s->system, s->worker, s->start);
	else if (s->options.free_args)
		s->options.free_args((void *)(uintptr_t)s->options.args);
	if (s->state)
		memory_free(&s->system->memory, worker_memory(s->worker), s->state,
				s->state_class);
	for (i = 0; i < 2; i++) {
		relation_free(s->system, s->worker, s->links[i]);
		relation_free(s->system, s->worker, s->monitors[i]);
		relation_free(s->system, s->worker, s->ties[i]);
	}
	if (!s->child)
		return;
	s->child->state = NULL;
	/* Relaxed: nobody knows this pid. */
	atomic_store_explicit(&s->child->status, actor_pid(s->child) | STATUS_FREE,
			memory_order_relaxed);
	table_give(&s->system->table, s->worker, s->child);
}

static int make_ties(struct spawn *s, airs_pid parent, airs_pid child)
{
	s->ties[0] = relation_new(s->system, s->worker, RELATION_TIE, child, child);
	s->ties[1] = relation_new(s->system, s->worker, RELATION_TIE, parent, parent);
	if (!s->ties[0] || !s->ties[1])
		return -ENOMEM;
	s->ties[0]->u.tag = s->options.tag;
	return 0;
}

static int make_relations(struct spawn *s)
{
	airs_pid parent = s->parent ? actor_pid(s->parent) : AIRS_PID_NONE;
	airs_pid child = actor_pid(s->child);
	airs_ref ref;

	if (s->options.flags & AIRS_SPAWN_LINK) {
		s->links[0] = relation_new(
				s->system, s->worker, RELATION_LINK, child, child);
		s->links[1] = relation_new(
				s->system, s->worker, RELATION_LINK, parent, parent);
		if (!s->links[0] || !s->links[1])
			return -ENOMEM;
		s->links[0]->u.link.is_linked = s->links[1]->u.link.is_linked = true;
	}
	if (s->options.flags & AIRS_SPAWN_MONITOR) {
		ref = ref_new(s->system, s->worker);
		s->monitors[0] = relation_new(
				s->system, s->worker, RELATION_MONITOR, ref, child);
		s->monitors[1] = relation_new(
				s->system, s->worker, RELATION_MONITORED, ref, parent);
		if (!s->monitors[0] || !s->monitors[1])
			return -ENOMEM;
	}
	return s->options.flags & AIRS_SPAWN_CHILD ? make_ties(s, parent, child) : 0;
}

static int make_start(struct spawn *s)
{
	size_t copied = s->options.free_args ? 0 : s->options.args_size;

	s->start = node_new(s->system, s->worker, NODE_START, copied);
	if (!s->start)
		return -ENOMEM;
	if (s->options.free_args)
		node_move_data(s->start, (void *)(uintptr_t)s->options.args,
				s->options.args_size, s->options.free_args);
	else
		node_set_data(s->start, s->options.args, copied);
	return 0;
}

static int make_memory(struct spawn *s, const struct airs_behaviour *behaviour)
{
	int r = make_start(s);

	if (r < 0)
		return r;
	if (!behaviour->state_size)
		return 0;
	s->state = memory_alloc(&s->system->memory, worker_memory(s->worker),
			behaviour->state_size, &s->state_class);
	if (!s->state)
		return -ENOMEM;
	memset(s->state, 0, behaviour->state_size);
	return 0;
}

static void fill_slot(struct spawn *s, const struct airs_behaviour *behaviour)
{
	struct airs_actor *child = s->child;
	airs_pid parent = s->parent ? actor_pid(s->parent) : AIRS_PID_NONE;

	atomic_store_explicit(&child->pool, s->options.pool, memory_order_relaxed);
	atomic_store_explicit(&child->mailbox_max, (uint32_t)s->options.mailbox_max,
			memory_order_relaxed);
	atomic_store_explicit(&child->refused, 0, memory_order_relaxed);
	atomic_store_explicit(&child->behaviour, behaviour, memory_order_relaxed);
	atomic_store_explicit(&child->handled, 0, memory_order_relaxed);
	atomic_store_explicit(&child->parent, parent, memory_order_relaxed);
	child->state = s->state;
	child->state_class = s->state_class;
	child->flags = 0;
	child->relation_count = 0;
	child->relations.list = NULL;
	child->worker = NULL;
	/* Release: pairs with the acquire in actor_is. */
	atomic_store_explicit(&child->status, actor_pid(child), memory_order_release);
}

static void insert_ties(struct spawn *s)
{
	relation_insert(s->parent, TAKE_PTR(s->ties[0]));
	relation_insert(s->child, TAKE_PTR(s->ties[1]));
	counter_add(&s->parent->n_links, 1);
	counter_add(&s->child->n_links, 1);
	counter_add(&s->parent->n_monitors, 1);
	counter_add(&s->child->n_monitored_by, 1);
}

static void insert_relations(struct spawn *s)
{
	if (s->links[0]) {
		relation_insert(s->parent, TAKE_PTR(s->links[0]));
		relation_insert(s->child, TAKE_PTR(s->links[1]));
		counter_add(&s->parent->n_links, 1);
		counter_add(&s->child->n_links, 1);
	}
	if (s->monitors[0]) {
		*s->options.ret_monitor = s->monitors[0]->key;
		relation_insert(s->parent, TAKE_PTR(s->monitors[0]));
		relation_insert(s->child, TAKE_PTR(s->monitors[1]));
		counter_add(&s->parent->n_monitors, 1);
		counter_add(&s->child->n_monitored_by, 1);
	}
	if (s->ties[0])
		insert_ties(s);
}

static void count_spawn(struct spawn *s)
{
	if (s->worker) /* Only this worker writes it. */
		atomic_store_explicit(&s->worker->spawned,
				atomic_load_explicit(&s->worker->spawned,
						memory_order_relaxed) +
						1,
				memory_order_relaxed);
	else
		(void)atomic_fetch_add_explicit(
				&s->system->spawned_outside, 1, memory_order_relaxed);
}

/* Everything that can fail but the name. */
static int prepare(struct spawn *s, const struct airs_behaviour *behaviour)
{
	int r;

	/* Relaxed: a spawn that misses the flag is a spawn before the stop. */
	if (atomic_load_explicit(&s->system->is_stopping, memory_order_relaxed))
		return -ESHUTDOWN;
	if (behaviour->size != sizeof(*behaviour))
		return -EINVAL;
	r = make_memory(s, behaviour);
	if (r < 0)
		return r;
	r = table_take(&s->system->table, s->worker, &s->child);
	if (r < 0)
		return r;
	r = make_relations(s);
	if (r < 0)
		return r;
	fill_slot(s, behaviour);
	return 0;
}

/* Take the first place in the mailbox, under the name if one is wanted. */
static int enter(struct spawn *s, struct node **ret_before)
{
	s->start->to = actor_pid(s->child);
	s->start->from = s->parent ? actor_pid(s->parent) : AIRS_PID_NONE;
	s->start->flags = (uint8_t)s->options.flags;
	if (s->options.name)
		return names_add(s->system, s->options.name, s->start->to, s->start,
				ret_before);
	*ret_before = node_push_begin(s->child, s->start);
	return 0;
}

static int spawn(struct spawn *s, const struct airs_behaviour *behaviour,
		const struct airs_spawn_options *options, airs_pid *ret_pid)
{
	struct node *before = NULL;
	int r;

	r = read_options(s, options);
	if (r == 0)
		r = prepare(s, behaviour);
	if (r == 0)
		r = enter(s, &before);
	if (r < 0) {
		undo(s);
		return r;
	}
	insert_relations(s);
	count_spawn(s);
	if (ret_pid)
		*ret_pid = s->start->to;
	(void)node_push_end(s->system, s->worker, s->child, s->start, before);
	return 0;
}

int airs_spawn(struct airs_actor *self, const struct airs_behaviour *behaviour,
		const struct airs_spawn_options *options, airs_pid *ret_pid)
{
	struct spawn s = {
		.system = self->worker->system,
		.worker = self->worker,
		.parent = self,
	};

	return spawn(&s, behaviour, options, ret_pid);
}

int airs_system_spawn(struct airs_system *system, const struct airs_behaviour *behaviour,
		const struct airs_spawn_options *options, airs_pid *ret_pid)
{
	struct spawn s = { .system = system };

	return spawn(&s, behaviour, options, ret_pid);
}
