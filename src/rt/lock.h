/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_LOCK_H
#define RT_LOCK_H

/*
 * The spin lock of the actor core, for sections of a few dozen instructions.
 *
 * The lock order is the shortest there can be: no lock of the core is taken while another
 * is held. Developer builds check it. A waiter gives up its time slice when the holder
 * seems to have lost its processor.
 */

#include <sched.h>
#include <stdatomic.h>

#include "base/assert.h"

struct spin {
	atomic_uint held;
};

/* How many locks the calling thread holds. Used by developer builds. */
extern _Thread_local unsigned int locks_held;

static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static inline void spin_lock(struct spin *s)
{
	unsigned int rounds = 0;

	if (ENABLE_DEVELOPER)
		bug_unless(locks_held++ == 0);
	/* Acquire: pairs with the release store of spin_unlock. */
	while (atomic_exchange_explicit(&s->held, 1, memory_order_acquire))
		while (atomic_load_explicit(&s->held, memory_order_relaxed)) {
			cpu_relax();
			if (++rounds % 128 == 0)
				(void)sched_yield(); /* It cannot fail on Linux. */
		}
}

static inline void spin_unlock(struct spin *s)
{
	if (ENABLE_DEVELOPER)
		bug_unless(locks_held-- == 1);
	/* Release: pairs with the acquire exchange of spin_lock. */
	atomic_store_explicit(&s->held, 0, memory_order_release);
}

#endif
