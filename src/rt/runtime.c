/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/system.h"
#include "base/clock.h"
#include "rt/system.h"

#define ACTORS_DEFAULT UINT64_C(1048576)
#define WORKERS_MAX    256u
#define REF_FIRST      (UINT64_C(1) << 63) /* references never look like pids */
#define REF_BATCH      (UINT64_C(1) << 16)

airs_ref ref_new(struct airs_system *system, struct worker *worker)
{
	if (!worker)
		return atomic_fetch_add_explicit(&system->refs, 1, memory_order_relaxed);
	if (worker->ref_next == worker->ref_end) {
		worker->ref_next = atomic_fetch_add_explicit(
				&system->refs, REF_BATCH, memory_order_relaxed);
		worker->ref_end = worker->ref_next + REF_BATCH;
	}
	return worker->ref_next++;
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state +=
			UINT64_C(0x9e3779b97f4a7c15); /* splitmix64, Steele et al. 2014 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void worker_init(struct worker *w, struct airs_system *system, struct airs_pool *pool,
		uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->system = system;
	w->pool = pool;
	w->random = seed;
}

int pool_new(struct airs_system *system, const char *name, unsigned int n_workers,
		struct airs_pool **ret_pool)
{
	struct airs_pool *pool;
	int r;

	if (posix_memalign((void **)&pool, CACHE_LINE, sizeof(*pool)) != 0)
		return -ENOMEM;
	memset(pool, 0, sizeof(*pool));
	pool->system = system;
	pool->n_workers = n_workers;
	memcpy(pool->name, name, strnlen(name, sizeof(pool->name) - 1));
	r = reactor_new(&pool->reactor);
	if (r < 0) {
		free(pool);
		return r;
	}
	pool->next = system->pools;
	system->pools = pool;
	*ret_pool = pool;
	return 0;
}

static unsigned int count_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned int)CPU_COUNT(&set);
}

static int read_options(
		struct airs_system *system, const struct airs_system_options *options)
{
	struct airs_system_options *own = &system->options;

	if (options) {
		if (options->size != sizeof(*options))
			return -EINVAL;
		*own = *options;
	}
	if (own->scheduler != AIRS_SCHEDULER_THREADS &&
			own->scheduler != AIRS_SCHEDULER_SEEDED)
		return -EINVAL;
	if (!own->workers)
		own->workers = MIN_OF(count_cpus(), WORKERS_MAX);
	if (!own->max_actors)
		own->max_actors = ACTORS_DEFAULT;
	if (own->workers > WORKERS_MAX || own->max_actors > PID_SLOT_MASK ||
			own->mailbox_max > INT32_MAX)
		return -EINVAL;
	system->scheduler = own->scheduler == AIRS_SCHEDULER_SEEDED ? &scheduler_seeded
								    : &scheduler_threads;
	return 0;
}

static int init_call_wait(struct airs_system *system)
{
	pthread_condattr_t attributes;

	(void)pthread_mutex_init(
			&system->call_lock, NULL); /* Cannot fail with defaults. */
	if (pthread_condattr_init(&attributes) != 0)
		return -ENOMEM;
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&system->call_done, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	return 0;
}

static int build(struct airs_system *system)
{
	int r;

	atomic_init(&system->refs, REF_FIRST);
	r = init_call_wait(system);
	if (r < 0)
		return r;
	r = memory_init(&system->memory);
	if (r < 0)
		return r;
	r = names_init(&system->names);
	if (r < 0)
		return r;
	r = pool_new(system, "airs-main", 1, &system->main_pool);
	if (r < 0)
		return r;
	r = pool_new(system, "airs", system->options.workers, &system->default_pool);
	if (r < 0)
		return r;
	r = table_init(&system->table, system->options.max_actors, system->default_pool);
	if (r < 0)
		return r;
	return system->scheduler->new (system);
}

int airs_system_new(const struct airs_system_options *options,
		struct airs_system **ret_system)
{
	struct airs_system *system;
	int r;

	if (posix_memalign((void **)&system, CACHE_LINE, sizeof(*system)) != 0)
		return -ENOMEM;
	memset(system, 0, sizeof(*system));
	r = read_options(system, options);
	if (r < 0) {
		free(system);
		return r;
	}
	r = build(system);
	if (r < 0) {
		airs_system_free(system);
		return r;
	}
	*ret_system = system;
	return 0;
}

int airs_pool_new(struct airs_system *system, const struct airs_pool_options *options,
		struct airs_pool **ret_pool)
{
	if (options->size != sizeof(*options) || !options->name ||
			strlen(options->name) > 15 || !options->workers ||
			options->workers > WORKERS_MAX)
		return -EINVAL;
	if (system->is_started)
		return -EBUSY;
	return pool_new(system, options->name, options->workers, ret_pool);
}

int airs_system_start(struct airs_system *system)
{
	int r;

	if (system->is_started)
		return 0;
	r = system->scheduler->start(system);
	if (r == 0)
		system->is_started = true;
	return r;
}

int airs_system_run(struct airs_system *system, uint64_t until_usec)
{
	return system->scheduler->run(system, until_usec);
}

void airs_system_stop(struct airs_system *system)
{
	/* Sequentially consistent: pairs with the check in park, see sched-threads.c. */
	atomic_store_explicit(&system->is_stopping, true, memory_order_seq_cst);
	system->scheduler->stop(system);
	(void)pthread_mutex_lock(&system->call_lock);
	(void)pthread_cond_broadcast(&system->call_done);
	(void)pthread_mutex_unlock(&system->call_lock);
}

/* Nothing runs any more. Frees what the slot holds. */
static void free_slot(struct airs_system *system, struct airs_actor *a)
{
	struct node *n = atomic_load_explicit(&a->tail, memory_order_relaxed) ? a->first
									      : NULL;
	const struct airs_behaviour *behaviour;
	struct node *next;
	struct relation *r;

	while (n) {
		next = atomic_load_explicit(&n->next, memory_order_relaxed);
		node_free(system, NULL, n);
		n = next;
	}
	while ((r = relation_take_any(a)))
		relation_free(system, NULL, r);
	if (!a->state)
		return;
	/* Relaxed: no thread is left. */
	behaviour = atomic_load_explicit(&a->behaviour, memory_order_relaxed);
	if (behaviour->release)
		behaviour->release(a->state);
	memory_free(&system->memory, NULL, a->state, a->state_class);
}

static void free_actors(struct airs_system *system)
{
	uint32_t i;

	for (i = 0; i < system->table.used; i++)
		free_slot(system, &system->table.slots[i]);
}

void airs_system_free(struct airs_system *system)
{
	struct airs_pool *pool;

	if (!system)
		return;
	airs_system_stop(system);
	system->scheduler->join(system);
	free_actors(system);
	system->scheduler->free(system);
	while ((pool = system->pools)) {
		system->pools = pool->next;
		reactor_free(pool->reactor, system);
		pool->reactor = NULL;
		free(pool);
	}
	names_fini(&system->names);
	table_fini(&system->table);
	memory_fini(&system->memory);
	(void)pthread_cond_destroy(&system->call_done);
	(void)pthread_mutex_destroy(&system->call_lock);
	free(system);
}

struct airs_pool *airs_system_main_pool(struct airs_system *system)
{
	return system->main_pool;
}

struct airs_pool *airs_system_default_pool(struct airs_system *system)
{
	return system->default_pool;
}

static uint64_t count_of(struct worker *w)
{
	return atomic_load_explicit(&w->spawned, memory_order_relaxed) -
			atomic_load_explicit(&w->ended_count, memory_order_relaxed);
}

uint64_t airs_system_actor_count(struct airs_system *system)
{
	uint64_t count = atomic_load_explicit(
			&system->spawned_outside, memory_order_relaxed);
	struct airs_pool *pool;
	unsigned int i;

	for (pool = system->pools; pool; pool = pool->next)
		for (i = 0; pool->workers && i < pool->n_workers; i++)
			count += count_of(&pool->workers[i]);
	return count;
}
