/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_NAMES_H
#define RT_NAMES_H

/*
 * Names of actors: one name per actor, one actor per name. Found by name and, to release
 * it at the actor's end, by pid. Any thread; one lock, held for one look-up.
 */

#include <stddef.h>
#include <stdint.h>

#include "airssys/types.h"
#include "base/macro.h"
#include "rt/lock.h"

#define NAME_MAX_SIZE 255

struct name_entry;
struct node;

struct names {
	struct spin lock;
	uint32_t count, mask;
	struct name_entry **by_name, **by_pid;
};

/* -ENOMEM. */
MUST_CHECK int names_init(struct names *names);
void names_fini(struct names *names);
/*
 * As airs_register. start (may be NULL) is the NODE_START of an actor that is being
 * spawned; on success it is pushed before anybody can find the name, so that nothing
 * comes in front of it. The caller completes the push with node_push_end and *ret_before.
 */
MUST_CHECK int names_add(struct airs_system *system, const char *name, airs_pid pid,
		struct node *start, struct node **ret_before);
/* Forget the name of an actor that has begun to end. */
void names_remove_pid(struct airs_system *system, airs_pid pid);
/* Writes "" when it has none. */
void names_copy(struct airs_system *system, airs_pid pid, char *buffer, size_t size);

#endif
