/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_RELATION_H
#define RT_RELATION_H

/*
 * Relations: what an actor holds towards others and towards the runtime, one entry for
 * each link, monitor, tie, call, timer and watch, found by kind and key.
 *
 * An actor touches only its own relations; the other half is in the other actor and is
 * told by a signal. Entries are chained, so inserting cannot fail: a few in a list, more
 * in a hash table that grows when memory allows. A relation is half a cache line.
 */

#include <stdbool.h>
#include <stdint.h>

#include "airssys/types.h"
#include "base/macro.h"

struct airs_actor;
struct node;
struct worker;

enum relation_kind {
	RELATION_LINK, /* key: the peer's pid */
	RELATION_MONITOR, /* key: ref; peer: the target */
	RELATION_MONITORED, /* key: ref; peer: the watcher */
	RELATION_CALL, /* key: ref; peer: who was asked; timer: or NULL */
	RELATION_REQUEST, /* key: ref; peer: the caller, whom no answer was given yet */
	RELATION_TIMER, /* key: ref; timer */
	RELATION_WATCH, /* key: ref; watch: of the reactor */
	RELATION_TIE, /* key: the child's or the parent's pid; see tie.c */
};

struct relation {
	struct relation *next;
	uint64_t key;
	uint64_t peer : 60; /* a pid */
	uint64_t kind : 3; /* enum relation_kind */
	uint64_t is_heap : 1; /* its block is the reserve's or malloc's */
	union {
		struct node *timer;
		uint64_t watch;
		uint64_t tag; /* of the parent's half of a tie */
		struct {
			/* link and unlink signals not acknowledged yet */
			uint32_t pending;
			uint32_t pending_unlinks : 31;
			uint32_t is_linked : 1;
		} link;
	} u;
};

struct relation_table {
	uint32_t mask, count;
	struct relation *buckets[];
};

union relations {
	struct relation *list;
	struct relation_table *table; /* ACTOR_HASHED */
};

/* NULL when memory ran out. */
MUST_CHECK struct relation *relation_new(struct airs_system *system,
		struct worker *worker, enum relation_kind kind, uint64_t key,
		airs_pid peer);
struct relation *relation_new_must(struct airs_system *system, struct worker *worker,
		enum relation_kind kind, uint64_t key, airs_pid peer);
void relation_free(struct airs_system *system, struct worker *worker, struct relation *r);

/* Takes ownership. No relation of that kind and key may be there. */
void relation_insert(struct airs_actor *a, struct relation *r);
/* Borrowed; NULL when absent. */
struct relation *relation_find(
		const struct airs_actor *a, enum relation_kind kind, uint64_t key);
/* Ownership moves out; NULL when absent. */
struct relation *relation_take(
		struct airs_actor *a, enum relation_kind kind, uint64_t key);
/* Any one; NULL when none is left, and then the table is gone too. */
struct relation *relation_take_any(struct airs_actor *a);

#endif
