/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The threaded scheduler.
 *
 * Each worker has a private hand-off slot for the actor that its handlers woke last, and
 * two queues, woken and continuing, served in turn, so that a newly woken actor never
 * waits behind busy ones for more than a turn. Only the queues can be stolen from, and
 * only when what lies in them is worth the transfer of its cache lines; another worker is
 * woken only when the backlog is worth a wake-up. Actors that keep themselves busy pay
 * for the transfer once. Those that were woken pay for it again with the next message, so
 * they are left alone while a turn costs less than the handful of lines that it touches.
 *
 * Actors woken by other threads and other pools go to the pool's injection stack, at
 * which every worker looks before each turn. Timers and descriptors are looked at every
 * tick_every turns, a number that follows the measured cost of a turn so that it is about
 * TICK_USEC.
 *
 * A worker without work sleeps in its pool's reactor. Lost wake-ups: the sleeper adds
 * itself to idle, then looks at the injection stack and the stop flag; who pushes looks
 * at idle afterwards. All four are sequentially consistent, so at least one of the two
 * sees the other. The wake-up itself is an edge in the epoll set, which waits for the
 * sleeper if that one is late. What lies in another worker's queue may be missed without
 * harm: its owner runs it, and while others are awake a sleeper looks again after a
 * millisecond.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "rt/system.h"
#include "rt/turn.h"

#define TURN_BUDGET    256u
#define TURN_USEC      50u
#define HANDOFF_MAX    16u
#define TICK_USEC      50u
#define TICK_TURNS_MAX 64u
#define POLL_USEC      100u
#define COST_FIRST_NS  1000u
#define STEAL_WORTH_NS 20000u
#define WOKEN_WORTH_NS 600u /* a turn */
#define WAKE_WORTH_NS  60000u
#define STUCK_USEC     500u
#define GLANCE_MSEC    1
#define TRIM_MSEC      50
#define STACK_SIZE     ((size_t)512 * 1024)

/* What a thief saw of another worker. */
struct worker_sight {
	uint64_t turns, since_usec;
};

static uint64_t now(struct airs_system *system)
{
	(void)system;
	return clock_monotonic_usec();
}

/* The clock was cut to microseconds, so a delay needs one more to be over for certain. */
static uint64_t deadline(struct airs_system *system, uint64_t delay_usec)
{
	uint64_t start = now(system);

	return delay_usec ? usec_add(usec_add(start, delay_usec), 1) : start;
}

static uint32_t lane_length(struct worker *w, enum lane lane)
{
	return atomic_load_explicit(&w->queue.count[lane], memory_order_relaxed);
}

static uint32_t queue_length(struct worker *w)
{
	return lane_length(w, LANE_WOKEN) + lane_length(w, LANE_CONTINUING);
}

/* The queue's lock is held. */
static void append(struct run_queue *q, enum lane lane, struct airs_actor *a)
{
	a->run_next = NULL;
	if (q->tail[lane])
		q->tail[lane]->run_next = a;
	else
		q->head[lane] = a;
	q->tail[lane] = a;
	counter_add(&q->count[lane], 1);
}

/* The queue's lock is held. */
static struct airs_actor *take_first(struct run_queue *q, enum lane lane)
{
	struct airs_actor *a = q->head[lane];

	if (!a)
		return NULL;
	q->head[lane] = a->run_next;
	if (!q->head[lane])
		q->tail[lane] = NULL;
	counter_add(&q->count[lane], -1);
	return a;
}

static void enqueue(struct worker *w, enum lane lane, struct airs_actor *a)
{
	spin_lock(&w->queue.lock);
	append(&w->queue, lane, a);
	spin_unlock(&w->queue.lock);
}

static struct airs_actor *dequeue(struct worker *w)
{
	struct airs_actor *a;

	if (queue_length(w) == 0)
		return NULL;
	spin_lock(&w->queue.lock);
	a = take_first(&w->queue, w->next_lane);
	w->next_lane ^= 1;
	if (!a)
		a = take_first(&w->queue, w->next_lane);
	spin_unlock(&w->queue.lock);
	return a;
}

static void wake_one(struct airs_pool *pool)
{
	/* Sequentially consistent: pairs with the addition in park, see above. */
	if (atomic_load_explicit(&pool->idle, memory_order_seq_cst) == 0)
		return;
	/* Acquire-release: pairs with the exchange in after_wait, whose worker then sees
	 * our push. */
	if (!atomic_exchange_explicit(&pool->waking, true, memory_order_acq_rel))
		reactor_wake(pool->reactor);
}

static void inject(struct airs_pool *pool, struct airs_actor *a)
{
	struct airs_actor *head =
			atomic_load_explicit(&pool->injected, memory_order_relaxed);

	do
		a->run_next = head;
	while (!atomic_compare_exchange_weak_explicit(&pool->injected, &head, a,
			memory_order_seq_cst, memory_order_relaxed));
	/* Sequentially consistent: see wake_one; it is also the release for
	 * take_injected. */
	wake_one(pool);
}

static int ready(struct airs_system *system, struct worker *w, struct airs_actor *a)
{
	struct airs_pool *pool = atomic_load_explicit(&a->pool, memory_order_relaxed);

	(void)system;
	if (UNLIKELY(!w || w->pool != pool)) {
		inject(pool, a);
		return 0;
	}
	if (w->handoff)
		enqueue(w, LANE_WOKEN, w->handoff);
	w->handoff = a;
	return 0;
}

static inline bool has_injected(struct worker *w)
{
	return atomic_load_explicit(&w->pool->injected, memory_order_relaxed);
}

static inline bool is_stopping(struct worker *w)
{
	/* Relaxed: the flag stops the worker and guards nothing. */
	return atomic_load_explicit(&w->pool->is_stopping, memory_order_relaxed);
}

/* Moves what was injected to the own queue, oldest first. */
static __attribute__((noinline)) void take_injected(struct worker *w)
{
	struct airs_actor *a, *next, *first = NULL;

	/* Acquire: pairs with the exchange in inject. */
	a = atomic_exchange_explicit(&w->pool->injected, NULL, memory_order_acquire);
	for (; a; a = next) {
		next = a->run_next;
		a->run_next = first;
		first = a;
	}
	spin_lock(&w->queue.lock);
	for (a = first; a; a = next) {
		next = a->run_next;
		append(&w->queue, LANE_WOKEN, a);
	}
	spin_unlock(&w->queue.lock);
}

/* The work that lies in a queue and may be taken by another worker. */
static uint64_t backlog_ns(struct worker *w)
{
	uint32_t cost = atomic_load_explicit(&w->turn_cost_ns, memory_order_relaxed);
	uint64_t n = cost < WOKEN_WORTH_NS ? lane_length(w, LANE_CONTINUING)
					   : queue_length(w);

	return n * cost;
}

/* Whether a worker with a queue has not ended a turn for a while. */
static bool is_stuck(struct worker *w, struct worker *victim)
{
	struct worker_sight *sight = &w->sights[victim->index];
	uint64_t turns = atomic_load_explicit(&victim->turns, memory_order_relaxed);
	uint64_t now_usec = clock_monotonic_usec();

	if (sight->turns == turns && sight->since_usec)
		return now_usec - sight->since_usec >= STUCK_USEC;
	sight->turns = turns;
	sight->since_usec = now_usec;
	return false;
}

/* Half of what lies in this lane and in those behind it, but not too many. */
static struct airs_actor *steal_from(
		struct worker *w, struct worker *victim, enum lane lane)
{
	struct airs_actor *batch[16], *a;
	uint32_t n = 0, want, i;

	spin_lock(&victim->queue.lock);
	want = lane == LANE_WOKEN ? queue_length(victim) : lane_length(victim, lane);
	want = MIN_OF((want + 1) / 2, (uint32_t)ARRAY_SIZE(batch));
	while (n < want) {
		a = take_first(&victim->queue, lane);
		if (!a)
			a = take_first(&victim->queue, LANE_CONTINUING);
		batch[n++] = a;
	}
	spin_unlock(&victim->queue.lock);
	for (i = 1; i < n; i++)
		enqueue(w, LANE_WOKEN, batch[i]);
	return n ? batch[0] : NULL;
}

/* The first lane of the victim's that may be taken from. */
static enum lane lane_to_steal(struct worker *victim)
{
	return atomic_load_explicit(&victim->turn_cost_ns, memory_order_relaxed) <
					WOKEN_WORTH_NS
			? LANE_CONTINUING
			: LANE_WOKEN;
}

static struct airs_actor *steal(struct worker *w)
{
	struct airs_pool *pool = w->pool;
	struct airs_actor *a;
	struct worker *victim;
	enum lane lane;
	unsigned int i;

	for (i = 1; i < pool->n_workers; i++) {
		victim = &pool->workers[(w->index + i) % pool->n_workers];
		if (queue_length(victim) == 0)
			continue;
		if (is_stuck(w, victim))
			lane = LANE_WOKEN;
		else if (backlog_ns(victim) >= STEAL_WORTH_NS)
			lane = lane_to_steal(victim);
		else
			continue;
		a = steal_from(w, victim, lane);
		if (a)
			return a;
	}
	return NULL;
}

static void after_wait(struct worker *w, unsigned int flags)
{
	/* Acquire-release: whoever found waking set pushed before we look at the stack
	 * again. */
	if (flags & REACTOR_WOKEN)
		(void)atomic_exchange_explicit(
				&w->pool->waking, false, memory_order_acq_rel);
	reactor_fire(w->pool->reactor, w, clock_monotonic_usec());
	/* What fired may take long to handle; the others must still see the next one. */
	if (flags & REACTOR_EXPIRED && w->pool->n_workers > 1)
		reactor_arm(w->pool->reactor);
}

/* Look at timers and descriptors, and measure what a turn costs. */
static void tick(struct worker *w)
{
	uint64_t turns = atomic_load_explicit(&w->turns, memory_order_relaxed);
	uint64_t now_usec = clock_monotonic_usec(), elapsed = now_usec - w->tick_usec;
	uint64_t cost = elapsed * 1000 / MAX_OF(turns - w->tick_turns, UINT64_C(1));
	uint32_t old = atomic_load_explicit(&w->turn_cost_ns, memory_order_relaxed);

	if (w->tick_usec) {
		cost = (3 * (uint64_t)old + MIN_OF(cost, UINT64_C(1000000))) / 4;
		atomic_store_explicit(
				&w->turn_cost_ns, (uint32_t)cost, memory_order_relaxed);
		w->tick_every = (unsigned int)(TICK_USEC * 1000 /
				MAX_OF(cost, UINT64_C(1)));
		w->tick_every = MIN_OF(MAX_OF(w->tick_every, 1u), TICK_TURNS_MAX);
	}
	w->tick_usec = now_usec;
	w->tick_turns = turns;
	w->tick_at = turns + w->tick_every;
	reactor_fire(w->pool->reactor, w, now_usec);
	if (now_usec - w->poll_usec < POLL_USEC)
		return;
	w->poll_usec = now_usec;
	if (atomic_load_explicit(&w->pool->reactor->n_watches, memory_order_relaxed))
		after_wait(w, reactor_wait(w->pool->reactor, w, 0));
}

/*
 * How long to wait at most. Who sleeps while all others do sleeps for ever, but when a
 * burst has left much memory free, wakes once more to give it back.
 */
static int wait_limit(struct worker *w, unsigned int idle)
{
	if (idle < w->pool->n_workers)
		return GLANCE_MSEC;
	return memory_wants_trim(&w->system->memory, &w->memory) ? TRIM_MSEC : -1;
}

static inline bool has_work(struct worker *w)
{
	return w->handoff || queue_length(w) || has_injected(w);
}

static void park(struct worker *w)
{
	struct airs_pool *pool = w->pool;
	unsigned int idle, flags = 0;
	int limit_msec = 0;

	/* Sequentially consistent: pairs with wake_one and airs_system_stop, see above.
	 */
	idle = atomic_fetch_add_explicit(&pool->idle, 1, memory_order_seq_cst) + 1;
	if (!atomic_load_explicit(&pool->injected, memory_order_seq_cst) &&
			!atomic_load_explicit(
					&w->system->is_stopping, memory_order_seq_cst)) {
		reactor_arm(pool->reactor);
		limit_msec = wait_limit(w, idle);
		flags = reactor_wait(pool->reactor, w, limit_msec);
	}
	(void)atomic_fetch_sub_explicit(&pool->idle, 1, memory_order_relaxed);
	after_wait(w, flags);
	if (limit_msec == TRIM_MSEC && flags == 0 && !has_work(w))
		memory_trim(&w->system->memory, &w->memory);
	w->tick_usec = 0; /* The time asleep is not the cost of a turn. */
}

/* The turns since the last call, and this one. */
static void count_turns(struct worker *w)
{
	uint64_t turns = atomic_load_explicit(&w->turns, memory_order_relaxed);

	turns += HANDOFF_MAX + 1 - w->handoffs_left;
	w->handoffs_left = HANDOFF_MAX;
	atomic_store_explicit(&w->turns, turns, memory_order_relaxed);
	if (turns >= w->tick_at)
		tick(w);
}

/* What the hand-off slot holds goes behind the others, if there are others. */
static struct airs_actor *take_handoff(struct worker *w)
{
	struct airs_actor *a = TAKE_PTR(w->handoff);

	if (!a || queue_length(w) == 0)
		return a;
	enqueue(w, LANE_WOKEN, a);
	return NULL;
}

/* Everything that is not done before each turn. NULL when the system stops. */
static __attribute__((noinline)) struct airs_actor *next_queued(struct worker *w)
{
	struct airs_actor *a;

	while (!is_stopping(w)) {
		count_turns(w);
		if (has_injected(w))
			take_injected(w);
		if (backlog_ns(w) >= WAKE_WORTH_NS && w->pool->n_workers > 1)
			wake_one(w->pool);
		a = take_handoff(w);
		if (!a)
			a = dequeue(w);
		if (!a)
			a = steal(w);
		if (a)
			return a;
		park(w);
	}
	return NULL;
}

static inline struct airs_actor *next_actor(struct worker *w)
{
	struct airs_actor *a = w->handoff;

	if (UNLIKELY(!a || w->handoffs_left == 0 || has_injected(w) || is_stopping(w)))
		return next_queued(w);
	w->handoffs_left--;
	w->handoff = NULL;
	return a;
}

/*
 * What a turn with so much before it may take is measured in time, since it is cheaper to
 * go on with a mailbox than to come back to it.
 */
static __attribute__((noinline)) void go_on(struct worker *w, struct airs_actor *a)
{
	uint64_t start_usec = clock_monotonic_usec();
	enum turn turn;

	do
		turn = turn_run(w, a, TURN_BUDGET);
	while (turn == TURN_USED_UP && !is_stopping(w) &&
			clock_monotonic_usec() - start_usec < TURN_USEC);
	if (turn == TURN_USED_UP || turn == TURN_MORE)
		enqueue(w, LANE_CONTINUING, a);
}

static void work(struct worker *w)
{
	struct airs_actor *a;
	enum turn turn;

	while ((a = next_actor(w))) {
		turn = turn_run(w, a, TURN_BUDGET);
		if (UNLIKELY(turn == TURN_MORE))
			enqueue(w, LANE_CONTINUING, a);
		else if (UNLIKELY(turn == TURN_USED_UP))
			go_on(w, a);
	}
	/* The edge that woke us woke nobody else. */
	reactor_wake(w->pool->reactor);
}

static void *worker_main(void *data)
{
	struct worker *w = data;

	(void)pthread_setname_np(pthread_self(), w->pool->name); /* For people only. */
	/* Timers of the reactor are exact; this is for the waits with a limit. */
	(void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	work(w);
	return NULL;
}

static int new_workers(struct airs_system *system, struct airs_pool *pool)
{
	struct worker *w;
	unsigned int i;

	if (posix_memalign((void **)&pool->workers, CACHE_LINE,
			    pool->n_workers * sizeof(struct worker)) != 0) {
		pool->workers = NULL;
		return -ENOMEM;
	}
	for (i = 0; i < pool->n_workers; i++) {
		w = &pool->workers[i];
		worker_init(w, system, pool, clock_random());
		w->index = i;
		w->tick_every = TICK_TURNS_MAX;
		atomic_init(&w->turn_cost_ns, COST_FIRST_NS);
	}
	for (i = 0; i < pool->n_workers; i++) {
		w = &pool->workers[i];
		w->sights = calloc(pool->n_workers, sizeof(*w->sights));
		if (!w->sights)
			return -ENOMEM;
	}
	return 0;
}

static int threads_new(struct airs_system *system)
{
	/* The main pool's worker is whoever calls run; the others come with start. */
	return new_workers(system, system->main_pool);
}

static int start_thread(struct worker *w, const pthread_attr_t *attributes)
{
	if (pthread_create(&w->thread, attributes, worker_main, w) != 0)
		return -EAGAIN;
	w->has_thread = true;
	return 0;
}

static int start_pool(struct airs_system *system, struct airs_pool *pool)
{
	pthread_attr_t attributes;
	unsigned int i;
	int r;

	r = new_workers(system, pool);
	if (r < 0)
		return r;
	if (pthread_attr_init(&attributes) != 0)
		return -EAGAIN;
	r = pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0 ? 0 : -EAGAIN;
	for (i = 0; r == 0 && i < pool->n_workers; i++)
		r = start_thread(&pool->workers[i], &attributes);
	(void)pthread_attr_destroy(&attributes);
	return r;
}

static int threads_start(struct airs_system *system)
{
	struct airs_pool *pool;
	sigset_t all, saved;
	int r = 0;

	/* Signals belong to the program's own threads. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &saved);
	for (pool = system->pools; pool && r == 0; pool = pool->next)
		if (pool != system->main_pool)
			r = start_pool(system, pool);
	(void)pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return r;
}

static int threads_run(struct airs_system *system, uint64_t until_usec)
{
	(void)until_usec;
	work(&system->main_pool->workers[0]);
	return 0;
}

static void threads_stop(struct airs_system *system)
{
	struct airs_pool *pool;

	for (pool = system->pools; pool; pool = pool->next) {
		atomic_store_explicit(&pool->is_stopping, true, memory_order_relaxed);
		reactor_wake(pool->reactor);
	}
}

static void threads_join(struct airs_system *system)
{
	struct airs_pool *pool;
	unsigned int i;

	for (pool = system->pools; pool; pool = pool->next)
		for (i = 0; pool->workers && i < pool->n_workers; i++)
			if (pool->workers[i].has_thread) {
				(void)pthread_join(pool->workers[i].thread, NULL);
				pool->workers[i].has_thread = false;
			}
}

static void free_workers(struct airs_pool *pool)
{
	unsigned int i;

	for (i = 0; pool->workers && i < pool->n_workers; i++)
		free(pool->workers[i].sights);
	free(pool->workers);
	pool->workers = NULL;
}

static void threads_free(struct airs_system *system)
{
	struct airs_pool *pool;

	for (pool = system->pools; pool; pool = pool->next)
		free_workers(pool);
}

const struct scheduler scheduler_threads = {
	.new = threads_new,
	.start = threads_start,
	.run = threads_run,
	.stop = threads_stop,
	.join = threads_join,
	.free = threads_free,
	.ready = ready,
	.now = now,
	.deadline = deadline,
};
