/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rt/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/actor.h"
#include "rt/system.h"

#define BUCKETS_FIRST 64u

struct name_entry {
	struct name_entry *next_by_name, *next_by_pid;
	airs_pid pid;
	uint32_t hash;
	char name[];
};

static uint32_t hash_name(const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash ^ hash >> 15;
}

static uint32_t hash_pid(airs_pid pid)
{
	return (uint32_t)((pid * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

int names_init(struct names *names)
{
	*names = (struct names){ .mask = BUCKETS_FIRST - 1 };
	names->by_name = calloc(BUCKETS_FIRST, sizeof(struct name_entry *));
	names->by_pid = calloc(BUCKETS_FIRST, sizeof(struct name_entry *));
	if (names->by_name && names->by_pid)
		return 0;
	names_fini(names);
	return -ENOMEM;
}

void names_fini(struct names *names)
{
	struct name_entry *e;
	uint32_t i;

	for (i = 0; names->by_name && i <= names->mask; i++)
		while ((e = names->by_name[i])) {
			names->by_name[i] = e->next_by_name;
			free(e);
		}
	free(names->by_name);
	free(names->by_pid);
	*names = (struct names){ 0 };
}

static struct name_entry **find_name(struct names *names, const char *name, uint32_t hash)
{
	struct name_entry **place = &names->by_name[hash & names->mask];

	while (*place && ((*place)->hash != hash || strcmp((*place)->name, name) != 0))
		place = &(*place)->next_by_name;
	return place;
}

static struct name_entry **find_pid(struct names *names, airs_pid pid)
{
	struct name_entry **place = &names->by_pid[hash_pid(pid) & names->mask];

	while (*place && (*place)->pid != pid)
		place = &(*place)->next_by_pid;
	return place;
}

static void insert(struct names *names, struct name_entry *e)
{
	struct name_entry **bucket = &names->by_name[e->hash & names->mask];

	e->next_by_name = *bucket;
	*bucket = e;
	bucket = &names->by_pid[hash_pid(e->pid) & names->mask];
	e->next_by_pid = *bucket;
	*bucket = e;
}

/* When memory is short the chains just get longer. */
static void grow(struct names *names)
{
	uint32_t old_mask = names->mask, n = (old_mask + 1) * 2, i;
	struct name_entry **old = names->by_name, **old_pid = names->by_pid, *e;
	struct name_entry **by_name = calloc(n, sizeof(struct name_entry *));
	struct name_entry **by_pid = calloc(n, sizeof(struct name_entry *));

	if (!by_name || !by_pid) {
		free(by_name);
		free(by_pid);
		return;
	}
	names->by_name = by_name;
	names->by_pid = by_pid;
	names->mask = n - 1;
	for (i = 0; i <= old_mask; i++)
		while ((e = old[i])) {
			old[i] = e->next_by_name;
			insert(names, e);
		}
	free(old);
	free(old_pid);
}

/* Takes e out of the chain by name and frees it; the chain by pid is the caller's. */
static void forget(struct names *names, struct name_entry *e)
{
	struct name_entry **place = find_name(names, e->name, e->hash);

	*place = e->next_by_name;
	names->count--;
	free(e);
}

/* Called with the lock held. */
static int add_locked(struct airs_system *system, struct name_entry *e)
{
	struct airs_actor *a = system_find(system, e->pid);
	struct names *names = &system->names;
	uint64_t status;

	if (*find_name(names, e->name, e->hash))
		return -EEXIST;
	if (!a)
		return -ESRCH;
	status = atomic_load_explicit(&a->status, memory_order_relaxed);
	do {
		if ((status & ~STATUS_NAMED) != e->pid)
			return -ESRCH;
		if (status & STATUS_NAMED)
			return -EEXIST;
		/*
		 * One word holds NAMED and DYING, so either the actor sees its name when
		 * it begins to end, or we see that it has begun. Relaxed: the entry
		 * itself is guarded by the lock, which the actor takes when it saw NAMED.
		 */
	} while (!atomic_compare_exchange_weak_explicit(&a->status, &status,
			status | STATUS_NAMED, memory_order_relaxed,
			memory_order_relaxed));
	if (names->count++ > names->mask)
		grow(names);
	insert(names, e);
	return 0;
}

int names_add(struct airs_system *system, const char *name, airs_pid pid,
		struct node *start, struct node **ret_before)
{
	size_t size = strlen(name);
	struct name_entry *e;
	int r;

	if (size == 0 || size > NAME_MAX_SIZE)
		return -EINVAL;
	e = malloc(sizeof(*e) + size + 1);
	if (!e)
		return -ENOMEM;
	e->pid = pid;
	e->hash = hash_name(name);
	memcpy(e->name, name, size + 1);
	spin_lock(&system->names.lock);
	r = add_locked(system, e);
	if (r == 0 && start)
		*ret_before = node_push_begin(system_find(system, pid), start);
	spin_unlock(&system->names.lock);
	if (r < 0)
		free(e);
	return r;
}

void names_remove_pid(struct airs_system *system, airs_pid pid)
{
	struct names *names = &system->names;
	struct name_entry **place, *e;

	spin_lock(&names->lock);
	place = find_pid(names, pid);
	e = *place;
	if (e) {
		*place = e->next_by_pid;
		forget(names, e);
	}
	spin_unlock(&names->lock);
}

void names_copy(struct airs_system *system, airs_pid pid, char *buffer, size_t size)
{
	struct name_entry *e;
	size_t n = 0;

	spin_lock(&system->names.lock);
	e = *find_pid(&system->names, pid);
	if (e) {
		n = strnlen(e->name, size - 1);
		memcpy(buffer, e->name, n);
	}
	spin_unlock(&system->names.lock);
	buffer[n] = '\0';
}

int airs_register(struct airs_system *system, const char *name, airs_pid pid)
{
	return names_add(system, name, pid, NULL, NULL);
}

int airs_unregister(struct airs_system *system, const char *name)
{
	struct names *names = &system->names;
	struct name_entry *e, **place;
	struct airs_actor *a;

	spin_lock(&names->lock);
	e = *find_name(names, name, hash_name(name));
	if (!e) {
		spin_unlock(&names->lock);
		return -ENOENT;
	}
	/* The slot cannot belong to another pid yet: its actor removes the name first. */
	a = system_find(system, e->pid);
	(void)atomic_fetch_and_explicit(&a->status, ~STATUS_NAMED, memory_order_relaxed);
	place = find_pid(names, e->pid);
	*place = e->next_by_pid;
	forget(names, e);
	spin_unlock(&names->lock);
	return 0;
}

airs_pid airs_whereis(struct airs_system *system, const char *name)
{
	struct names *names = &system->names;
	struct name_entry *e;
	airs_pid pid;

	spin_lock(&names->lock);
	e = *find_name(names, name, hash_name(name));
	pid = e ? e->pid : AIRS_PID_NONE;
	spin_unlock(&names->lock);
	return pid;
}
