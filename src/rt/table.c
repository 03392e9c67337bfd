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

int table_init(struct table *t, uint64_t capacity)
{
	size_t size = capacity * sizeof(struct airs_actor) + HUGE_PAGE;
	char *start;

	*t = (struct table){ 0 };
	if (capacity == 0 || capacity > PID_SLOT_MASK)
		return -EINVAL;
	start = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);
	if (start == MAP_FAILED)
		return -ENOMEM;
	t->slots = (struct airs_actor *)(((uintptr_t)start + HUGE_PAGE - 1) &
			~(uintptr_t)(HUGE_PAGE - 1));
	if ((char *)t->slots > start)
		(void)munmap(start, (size_t)((char *)t->slots - start));
	t->capacity = (uint32_t)capacity;
	t->batch = capacity < EXACT_MAX ? 1 : SLOT_CACHE;
	return 0;
}

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

/* Called with the lock held. */
static int take_fresh(struct table *t, struct airs_actor **ret_actor)
{
	uint32_t index = atomic_load_explicit(&t->used, memory_order_relaxed);
	struct airs_actor *a;
	int r;

	if (index == t->capacity)
		return -EAGAIN;
	if (index == t->usable) {
		r = make_usable(t);
		if (r < 0)
			return r;
	}
	a = &t->slots[index];
	a->index = index;
	atomic_store_explicit(&a->status, UINT64_C(1) << STATUS_FLAG_BITS | STATUS_FREE,
			memory_order_relaxed);
	/* Release: pairs with the acquire in table_find. */
	atomic_store_explicit(&t->used, index + 1, memory_order_release);
	*ret_actor = a;
	return 0;
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
