/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The seeded scheduler: everything on the thread that calls airs_system_run, in an order
 * that the seed decides, in virtual time.
 *
 * Runnable actors lie in an array; each step draws one of them and a number of messages
 * that it may handle. When none is runnable and no descriptor is ready the clock jumps to
 * the next timer. Nothing depends on addresses or on real time, so a seed replays its run
 * exactly, as long as no other thread interferes.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "rt/system.h"
#include "rt/turn.h"

#define TURN_MAX 8u

struct seeded {
	struct worker *worker;
	uint64_t random; /* apart from the actors' random numbers */
	_Atomic uint64_t now_usec;

	struct spin lock; /* of what follows: other threads may send */
	struct airs_actor *first, *last;
	size_t n_ready;
};

static uint64_t now(struct airs_system *system)
{
	return atomic_load_explicit(&system->seeded->now_usec, memory_order_relaxed);
}

static uint64_t deadline(struct airs_system *system, uint64_t delay_usec)
{
	return usec_add(now(system), delay_usec);
}

static int ready(struct airs_system *system, struct worker *w, struct airs_actor *a)
{
	struct seeded *s = system->seeded;

	(void)w;
	a->run_next = NULL;
	spin_lock(&s->lock);
	if (s->last)
		s->last->run_next = a;
	else
		s->first = a;
	s->last = a;
	s->n_ready++;
	spin_unlock(&s->lock);
	return 0;
}

/* Draws among the oldest DRAW_MAX, so that a step does not cost more with more actors. */
#define DRAW_MAX 32u

static struct airs_actor *draw(struct seeded *s)
{
	struct airs_actor *a = NULL, *before = NULL;
	uint64_t skip;

	spin_lock(&s->lock);
	if (s->n_ready) {
		skip = random_next(&s->random) % MIN_OF(s->n_ready, DRAW_MAX);
		for (a = s->first; skip > 0; skip--) {
			before = a;
			a = a->run_next;
		}
		if (before)
			before->run_next = a->run_next;
		else
			s->first = a->run_next;
		if (s->last == a)
			s->last = before;
		s->n_ready--;
	}
	spin_unlock(&s->lock);
	return a;
}

static bool poll_descriptors(struct airs_system *system)
{
	struct worker *w = system->seeded->worker;
	struct airs_pool *pool;

	for (pool = system->pools; pool; pool = pool->next)
		if (atomic_load_explicit(&pool->reactor->n_watches, memory_order_relaxed))
			(void)reactor_wait(pool->reactor, w, 0);
	return system->seeded->first;
}

static uint64_t next_timer(struct airs_system *system)
{
	uint64_t next = USEC_INFINITY;
	struct airs_pool *pool;

	for (pool = system->pools; pool; pool = pool->next)
		next = MIN_OF(next, reactor_next_usec(pool->reactor));
	return next;
}

/* Whether there is something to run. */
static bool advance_clock(struct airs_system *system, uint64_t until_usec)
{
	uint64_t next = next_timer(system);
	struct airs_pool *pool;

	if (next == USEC_INFINITY || next > until_usec) {
		if (until_usec != USEC_INFINITY && until_usec > now(system))
			atomic_store_explicit(&system->seeded->now_usec, until_usec,
					memory_order_relaxed);
		return false;
	}
	if (next > now(system))
		atomic_store_explicit(
				&system->seeded->now_usec, next, memory_order_relaxed);
	for (pool = system->pools; pool; pool = pool->next)
		(void)reactor_fire(pool->reactor, system->seeded->worker, now(system));
	return true;
}

static int seeded_run(struct airs_system *system, uint64_t until_usec)
{
	struct seeded *s = system->seeded;
	struct airs_actor *a;
	unsigned int budget;
	enum turn turn;

	/* Relaxed: the flag stops this loop and guards nothing. */
	atomic_store_explicit(&system->is_stopping, false, memory_order_relaxed);
	while (!atomic_load_explicit(&system->is_stopping, memory_order_relaxed)) {
		a = draw(s);
		if (!a) {
			if (poll_descriptors(system) || advance_clock(system, until_usec))
				continue;
			break;
		}
		budget = 1 + (unsigned int)(random_next(&s->random) % TURN_MAX);
		turn = turn_run(s->worker, a, budget);
		if (turn == TURN_MORE || turn == TURN_USED_UP)
			(void)ready(system, s->worker, a);
	}
	return 0;
}

static int seeded_new(struct airs_system *system)
{
	struct seeded *s = calloc(1, sizeof(*s));
	uint64_t seed = system->options.seed;

	if (!s)
		return -ENOMEM;
	system->seeded = s;
	s->random = random_next(&seed);
	if (posix_memalign((void **)&s->worker, CACHE_LINE, sizeof(struct worker)) != 0) {
		s->worker = NULL;
		return -ENOMEM;
	}
	worker_init(s->worker, system, NULL, random_next(&seed));
	system->default_pool->workers = s->worker;
	system->default_pool->n_workers = 1;
	return 0;
}

static int seeded_start(struct airs_system *system)
{
	(void)system;
	return 0;
}

static void seeded_stop(struct airs_system *system)
{
	(void)system;
}

static void seeded_free(struct airs_system *system)
{
	if (system->default_pool)
		system->default_pool->workers = NULL;
	if (system->seeded)
		free(system->seeded->worker);
	free(system->seeded);
}

const struct scheduler scheduler_seeded = {
	.new = seeded_new,
	.start = seeded_start,
	.run = seeded_run,
	.stop = seeded_stop,
	.join = seeded_stop,
	.free = seeded_free,
	.ready = ready,
	.now = now,
	.deadline = deadline,
};
