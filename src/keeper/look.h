/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_LOOK_H
#define KEEPER_LOOK_H

/*
 * Which processes there are and whose they are, as /proc shows them at one moment, where
 * no cgroup tells.
 *
 * The near look sees one unit: its known processes, the orphans that the keeper got, and
 * what descends from either. It does not grow with the machine. The far look sees all
 * processes; it is for units of an earlier keeper, whose orphans went elsewhere, and for
 * kernels that do not list children.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"

struct keeper;
struct charge;

struct sight {
	pid_t pid, parent, session; /* 0: not looked for */
	uint64_t start_time;
	struct charge *charge; /* whose it is; NULL: nobody's */
};

struct look {
	struct sight *sights;
	size_t count, capacity;
	struct map by_pid; /* filled by look_far only */
};

/* Children of the keeper that it did not start, as they were in this turn of its loop. */
struct orphans {
	pid_t *pids;
	size_t count;
	uint64_t turn; /* of the loop; 0: never looked */
	int error; /* -ENOENT: the kernel does not list children */
};

void orphans_fini(struct orphans *orphans);

/* Look for orphans, once in a turn. How many, or a negative errno. */
MUST_CHECK int look_orphans(struct keeper *keeper);

/* All that may belong to charge (NULL: the orphans only). look must be zero. */
MUST_CHECK int look_near(struct keeper *keeper, struct charge *charge, struct look *look);
MUST_CHECK int look_far(struct keeper *keeper, struct look *look);
void look_fini(struct look *look);

#endif
