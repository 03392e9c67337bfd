/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/charge.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "keeper/owed.h"

static void charge_free(struct charge *charge)
{
	owed_drop(charge);
	close_fd(charge->notify_fd);
	unit_free(charge->retired);
	free(charge->note);
	free(charge->name);
	free(charge);
}

void charges_fini(struct charges *charges)
{
	struct process *process, *next;
	struct charge *charge;
	size_t cursor;

	map_foreach(&charges->by_name, cursor, charge) {
		list_foreach_safe(process, next, &charge->processes, link)
			process_free(charges, process);
	}
	map_foreach(&charges->by_name, cursor, charge)
		charge_free(charge);
	map_fini(&charges->by_name);
	map_fini(&charges->by_spawn_id);
	map_fini(&charges->by_pid);
}

struct charge *charge_find(const struct charges *charges, const char *name)
{
	return map_find(&charges->by_name, name);
}

struct charge *charge_get(struct charges *charges, const char *name)
{
	struct charge *charge = charge_find(charges, name);

	if (charge)
		return charge;
	charge = calloc(1, sizeof(*charge));
	if (!charge)
		return NULL;
	charge->notify_fd = -1;
	charge->events_watch = -1;
	list_init(&charge->processes);
	charge->name = strdup(name);
	if (!charge->name || map_put(&charges->by_name, charge->name, charge) < 0) {
		charge_free(charge);
		return NULL;
	}
	return charge;
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

	map_foreach(&charges->by_name, cursor, charge)
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
	if (map_put_number(&charges->by_spawn_id, spawn_id, process) < 0) {
		free(process);
		return NULL;
	}
	list_append(&charge->processes, &process->link);
	charge->n_processes++;
	return process;
}

int process_attach(struct charges *charges, struct process *process, pid_t pid)
{
	int r = map_put_number(&charges->by_pid, (uint64_t)pid, process);

	if (r < 0)
		return r;
	process->pid = pid;
	process->charge->n_live++;
	process->charge->is_occupied = true;
	return 0;
}

void process_detach(struct charges *charges, struct process *process)
{
	if (process->pid <= 0 ||
			map_find_number(&charges->by_pid, (uint64_t)process->pid) !=
					process)
		return;
	(void)map_remove_number(&charges->by_pid, (uint64_t)process->pid);
	process->charge->n_live--;
}

void process_free(struct charges *charges, struct process *process)
{
	process_detach(charges, process);
	(void)map_remove_number(&charges->by_spawn_id, process->spawn_id);
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
