/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/table.h"

#include <errno.h>
#include <sys/mman.h>

#include "rt/worker.h"

#define STEP_FIRST 512u /* slots: 64 KiB */
#define STEP_MAX   16384u /* 2 MiB */
#define HUGE_PAGE  ((size_t)2 * 1024 * 1024)
#define EXACT_MAX                                                                        \
	65536u /* below, no slots are kept in workers, so that the limit is exact */

void table_fini(struct table *t)
{
	size_t size = t->capacity * sizeof(struct airs_actor);

	if (t->slots)
		(void)munmap(t->slots, size);
	*t = (struct table){ 0 };
}

/* Called with the lock held. */
static int make_usable(struct table *t)
{
	uint32_t step = t->usable ? MIN_OF(t->usable, STEP_MAX) : STEP_FIRST;
	size_t size;

	step = MIN_OF(step, t->capacity - t->usable);
	size = step * sizeof(struct airs_actor);
	if (mprotect(t->slots + t->usable, size, PROT_READ | PROT_WRITE) < 0)
		return -ENOMEM;
	if (step == STEP_MAX)
		(void)madvise(t->slots + t->usable, size,
				MADV_HUGEPAGE); /* Advice only. */
	t->usable += step;
	return 0;
}

/* The slot may be found from now on; it is free. */
static void make_slot(struct table *t, uint32_t index)
{
	struct airs_actor *a = &t->slots[index];

	atomic_store_explicit(&a->pool, t->pool, memory_order_relaxed);
	/* Release: pairs with the acquire in actor_is. */
	atomic_store_explicit(&a->status, pid_make(1, index) | STATUS_FREE,
			memory_order_release);
}

/* Called with the lock held. */
static int take_fresh(struct table *t, struct airs_actor **ret_actor)
{
	uint32_t index = t->used;
	int r;

	if (index == t->capacity)
		return -EAGAIN;
	if (index == t->usable) {
		r = make_usable(t);
		if (r < 0)
			return r;
	}
	make_slot(t, index);
	t->used = index + 1;
	*ret_actor = &t->slots[index];
	return 0;
}

int table_init(struct table *t, uint64_t capacity, struct airs_pool *pool)
{
	size_t size = capacity * sizeof(struct airs_actor) + HUGE_PAGE;
	char *start;
	int r;

	*t = (struct table){ 0 };
	if (capacity == 0 || capacity > PID_SLOT_MASK)
		return -EINVAL;
	start = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);
	if (start == MAP_FAILED)
		return -ENOMEM;
	t->slots = (struct airs_actor *)(((uintptr_t)start + HUGE_PAGE - 1) &
			~(uintptr_t)(HUGE_PAGE - 1));
	if ((char *)t->slots > start)
		(void)munmap(start, (size_t)((char *)t->slots - start));
	t->capacity = (uint32_t)capacity;
	t->batch = capacity < EXACT_MAX ? 1 : SLOT_CACHE;
	t->pool = pool;
	/* Or AIRS_PID_NONE would be the pid of a slot that reads as zero. */
	r = make_usable(t);
	if (r == 0)
		make_slot(t, 0);
	return r;
}

/* Called with the lock held. */
static int take_shared(struct table *t, struct airs_actor **ret_actor)
{
	if (!t->free)
		return take_fresh(t, ret_actor);
	*ret_actor = t->free;
	t->free = t->free->free_next;
	return 0;
}

int table_take(struct table *t, struct worker *worker, struct airs_actor **ret_actor)
{
	struct airs_actor *extra;
	int r;

	if (worker && worker->free_slots) {
		*ret_actor = worker->free_slots;
		worker->free_slots = (*ret_actor)->free_next;
		worker->n_free_slots--;
		return 0;
	}
	spin_lock(&t->lock);
	r = take_shared(t, ret_actor);
	while (r == 0 && worker && worker->n_free_slots < t->batch - 1) {
		if (take_shared(t, &extra) < 0)
			break;
		extra->free_next = worker->free_slots;
		worker->free_slots = extra;
		worker->n_free_slots++;
	}
	spin_unlock(&t->lock);
	return r;
}

void table_give(struct table *t, struct worker *worker, struct airs_actor *a)
{
	unsigned int i;

	if (worker && t->batch > 1 && worker->n_free_slots < 2 * t->batch) {
		a->free_next = worker->free_slots;
		worker->free_slots = a;
		worker->n_free_slots++;
		return;
	}
	spin_lock(&t->lock);
	a->free_next = t->free;
	t->free = a;
	for (i = 0; worker && worker->free_slots && i < t->batch; i++) {
		a = worker->free_slots;
		worker->free_slots = a->free_next;
		worker->n_free_slots--;
		a->free_next = t->free;
		t->free = a;
	}
	spin_unlock(&t->lock);
}
