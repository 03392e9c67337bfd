/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/charge.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "keeper/owed.h"

static uint64_t hash_charge(const void *item)
{
	return lookup_hash_text(((const struct charge *)item)->name);
}

static bool is_named(const void *item, const void *key)
{
	return strcmp(((const struct charge *)item)->name, key) == 0;
}

static uint64_t hash_spawn_id(const void *item)
{
	return lookup_hash_number(((const struct process *)item)->spawn_id);
}

static bool has_spawn_id(const void *item, const void *key)
{
	return ((const struct process *)item)->spawn_id == *(const uint64_t *)key;
}

static uint64_t hash_pid(const void *item)
{
	return lookup_hash_number((uint64_t)((const struct process *)item)->pid);
}

static bool has_pid(const void *item, const void *key)
{
	return ((const struct process *)item)->pid == *(const pid_t *)key;
}

static void charge_free(struct charge *charge)
{
	owed_drop(charge);
	close_fd(charge->notify_fd);
	unit_free(charge->retired);
	free(charge->note);
	free(charge);
}

void charges_fini(struct charges *charges)
{
	struct process *process, *next;
	struct charge *charge;
	size_t cursor;

	charges_foreach(charges, cursor, charge) {
		list_foreach_safe(process, next, &charge->processes, link)
			process_free(charges, process);
	}
	charges_foreach(charges, cursor, charge)
		charge_free(charge);
	lookup_fini(&charges->by_name);
	lookup_fini(&charges->by_spawn_id);
	lookup_fini(&charges->by_pid);
}

struct charge *charge_find(const struct charges *charges, const char *name)
{
	return lookup_find(&charges->by_name, lookup_hash_text(name), is_named, name);
}

struct charge *charge_get(struct charges *charges, const char *name)
{
	struct charge *charge = charge_find(charges, name);
	size_t size = strlen(name) + 1;

	if (charge)
		return charge;
	charge = calloc(1, offsetof(struct charge, name) + size);
	if (!charge)
		return NULL;
	charge->notify_fd = -1;
	charge->events_watch = -1;
	list_init(&charge->processes);
	memcpy(charge->name, name, size);
	if (lookup_put(&charges->by_name, hash_charge, charge) < 0) {
		charge_free(charge);
		return NULL;
	}
	return charge;
}

void charge_remove(struct charges *charges, struct charge *charge)
{
	(void)lookup_remove(&charges->by_name, hash_charge, charge);
	charge_free(charge);
}

int charge_set_note(struct charge *charge, const void *data, size_t size)
{
	void *copy = NULL;

	if (size > 0) {
		copy = malloc(size);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, data, size);
	}
	free(charge->note);
	charge->note = copy;
	charge->note_size = (uint32_t)size;
	return 0;
}

bool charges_are_occupied(const struct charges *charges)
{
	const struct charge *charge;
	size_t cursor;

	charges_foreach(charges, cursor, charge)
		if (charge->is_occupied)
			return true;
	return false;
}

struct process *process_new(
		struct charges *charges, struct charge *charge, uint64_t spawn_id)
{
	struct process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->charge = charge;
	process->spawn_id = spawn_id;
	process->watch.fd = -1;
	list_init(&process->link);
	if (lookup_put(&charges->by_spawn_id, hash_spawn_id, process) < 0) {
		free(process);
		return NULL;
	}
	list_append(&charge->processes, &process->link);
	charge->n_processes++;
	return process;
}

int process_attach(struct charges *charges, struct process *process, pid_t pid)
{
	pid_t earlier = process->pid;
	int r;

	if (process_find_pid(charges, pid))
		return -EEXIST;
	process->pid = pid;
	r = lookup_put(&charges->by_pid, hash_pid, process);
	if (r < 0) {
		process->pid = earlier;
		return r;
	}
	process->charge->n_live++;
	process->charge->is_occupied = true;
	return 0;
}

void process_detach(struct charges *charges, struct process *process)
{
	if (process->pid > 0 && lookup_remove(&charges->by_pid, hash_pid, process))
		process->charge->n_live--;
}

void process_end(struct process *process, enum process_stage stage)
{
	process->ended_realtime_usec = process->cpu_usec = 0;
	process->memory_peak_bytes = 0;
	process->code = process->status = 0;
	process->stage = (uint8_t)stage;
}

struct process *process_find(const struct charges *charges, uint64_t spawn_id)
{
	return lookup_find(&charges->by_spawn_id, lookup_hash_number(spawn_id),
			has_spawn_id, &spawn_id);
}

struct process *process_find_pid(const struct charges *charges, pid_t pid)
{
	return lookup_find(&charges->by_pid, lookup_hash_number((uint64_t)pid), has_pid,
			&pid);
}

void process_free(struct charges *charges, struct process *process)
{
	process_detach(charges, process);
	(void)lookup_remove(&charges->by_spawn_id, hash_spawn_id, process);
	list_remove(&process->link);
	process->charge->n_processes--;
	free(process);
}

struct process *charge_main(const struct charge *charge)
{
	struct process *process;

	list_foreach_reverse(process, &charge->processes,
			link) if (process_is_live(process) && !process->is_remnant &&
			process->kind == UNIT_EXEC_START) return process;
	return NULL;
}
