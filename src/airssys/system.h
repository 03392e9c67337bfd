/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_SYSTEM_H
#define AIRSSYS_SYSTEM_H

/*
 * An actor system: its schedulers, pools and life.
 *
 * Two schedulers stand behind this interface. The threaded one runs the actors of each
 * pool on that pool's workers. The seeded one runs everything on the thread that calls
 * airs_system_run, in an order that the seed decides, in virtual time that jumps to the
 * next timer when nothing is runnable: the same seed replays the same run bit for bit.
 */

#include <airssys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum airs_scheduler {
	AIRS_SCHEDULER_THREADS,
	AIRS_SCHEDULER_SEEDED,
};

struct airs_system_options {
	size_t size; /* sizeof(struct airs_system_options) */
	enum airs_scheduler scheduler;
	/* of the default pool, 1 … 256; 0: one for each CPU that may be used */
	unsigned int workers;
	uint64_t seed; /* seeded scheduler */
	uint64_t max_actors; /* 0: 1,048,576 */
	uint64_t mailbox_max; /* messages in one mailbox; 0: unbounded */
};

/*
 * Make a system; nothing runs yet. options may be NULL. The caller frees it.
 * -EINVAL, -ENOMEM, -EMFILE, -ENFILE.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_system_new(const struct airs_system_options *options,
		struct airs_system **ret_system);

/* Start the workers of the threaded scheduler. -EAGAIN when threads cannot be made. */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_system_start(struct airs_system *system);

/*
 * Threaded: be the worker of the main pool on the calling thread until airs_system_stop.
 * Seeded: run until nothing is runnable and no timer is pending before until_usec on the
 * virtual clock (AIRS_INFINITY: run all timers), or airs_system_stop.
 * Returns 0.
 */
AIRS_PUBLIC int airs_system_run(struct airs_system *system, uint64_t until_usec);

/*
 * Ask workers and airs_system_run to return. Actors are not told. Threads: any,
 * handlers included.
 */
AIRS_PUBLIC void airs_system_stop(struct airs_system *system);

/*
 * Stop, join the workers, end what still lives without running its code, release
 * everything. NULL is accepted. Not from inside an actor.
 */
AIRS_PUBLIC void airs_system_free(struct airs_system *system);

/*
 * The main pool: one worker, which is the thread in airs_system_run. For actors whose
 * libraries belong to one thread. Exists in every system.
 */
AIRS_PUBLIC struct airs_pool *airs_system_main_pool(struct airs_system *system);

/* The default pool, for an actor of another pool that starts one there. */
AIRS_PUBLIC struct airs_pool *airs_system_default_pool(struct airs_system *system);

struct airs_pool_options {
	size_t size; /* sizeof(struct airs_pool_options) */
	const char *name; /* at most 15 bytes, copied */
	unsigned int workers; /* 1 … 256 */
};
/*
 * A further pool; lives as long as the system. Before airs_system_start. -EINVAL,
 * -ENOMEM, -EBUSY when started.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_pool_new(struct airs_system *system,
		const struct airs_pool_options *options, struct airs_pool **ret_pool);

/* Now on the system's clock, in microseconds. Threads: any. */
AIRS_PUBLIC uint64_t airs_system_now(struct airs_system *system);

/* Number of actors that exist. Threads: any. */
AIRS_PUBLIC uint64_t airs_system_actor_count(struct airs_system *system);

#ifdef __cplusplus
}
#endif

#endif
