/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/adopt.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/procid.h"
#include "keeper/keeper.h"
#include "keeper/reap.h"
#include "keeper/spawn.h"

struct reading {
	struct keeper *keeper;
	char boot_id[BOOT_ID_SIZE];
	char *cgroup;
	bool is_this_boot;
	int error;
};

static void take_begin(struct reading *reading, const struct state_record *record)
{
	struct charges *charges = &reading->keeper->charges;

	reading->is_this_boot = strcmp(record->boot_id, reading->boot_id) == 0;
	charges->next_spawn_id = MAX_OF(charges->next_spawn_id, record->spawn_id);
	if (!record->cgroup || !reading->is_this_boot)
		return;
	free(reading->cgroup);
	reading->cgroup = strdup(record->cgroup);
	if (!reading->cgroup)
		reading->error = -ENOMEM;
}

/* A second record of one process gives it the role of the main process. */
static void take_spawn(struct reading *reading, const struct state_record *record)
{
	struct charges *charges = &reading->keeper->charges;
	struct process *process = process_find(charges, record->spawn_id);
	struct charge *charge = charge_get(charges, record->unit);

	if (!process && charge)
		process = process_new(charges, charge, record->spawn_id);
	if (!process) {
		reading->error = -ENOMEM;
		return;
	}
	list_remove(&process->link);
	list_append(&process->charge->processes, &process->link);
	process->keeper = reading->keeper;
	process->watch = (struct loop_source){ .fd = -1 };
	process->kind = (uint8_t)record->kind;
	process->index = record->index;
	process->pid = record->pid;
	process->start_time = record->start_time;
	process->since_realtime_usec = record->since_realtime_usec;
	process->since_monotonic_usec = record->since_monotonic_usec;
	process->stage = PROCESS_LIVES;
	memcpy(process->charge->invocation, record->invocation, INVOCATION_SIZE);
	charges->next_spawn_id = MAX_OF(charges->next_spawn_id, record->spawn_id + 1);
}

static void take_end(struct process *process, const struct state_record *record)
{
	process_end(process, (enum process_stage)record->stage);
	process->code = record->code;
	process->status = record->status;
	process->ended_realtime_usec = record->ended_realtime_usec;
	process->cpu_usec = record->cpu_usec;
	process->memory_peak_bytes = record->memory_peak_bytes;
}

static void take_note(struct reading *reading, const struct state_record *record)
{
	struct charges *charges = &reading->keeper->charges;
	struct charge *charge = charge_find(charges, record->unit);

	if (!charge && record->note_size == 0)
		return;
	if (!charge)
		charge = charge_get(charges, record->unit);
	if (!charge || charge_set_note(charge, record->note, record->note_size) < 0)
		reading->error = -ENOMEM;
}

static void on_record(void *data, const struct state_record *record)
{
	struct reading *reading = data;
	struct charges *charges = &reading->keeper->charges;
	struct process *process;

	if (record->type == STATE_BEGIN)
		take_begin(reading, record);
	/* Nothing of another boot lives, and what was noted about it is over. */
	if (!reading->is_this_boot || record->type == STATE_BEGIN)
		return;
	process = process_find(charges, record->spawn_id);
	if (record->type == STATE_SPAWN)
		take_spawn(reading, record);
	else if (record->type == STATE_NOTE)
		take_note(reading, record);
	else if (process && record->type == STATE_END)
		take_end(process, record);
	else if (process && record->type == STATE_FORGET)
		process_free(charges, process);
}

int adopt_read(struct keeper *keeper, char **ret_cgroup)
{
	struct reading reading = { .keeper = keeper };
	auto_free char *data = NULL;
	size_t size, damaged;
	int r;

	keeper->charges.next_spawn_id = 1;
	*ret_cgroup = NULL;
	r = boot_id_get(reading.boot_id);
	if (r < 0)
		return r;
	r = state_load(&keeper->state, &data, &size);
	if (r < 0) {
		log_error("cannot read the state file: %s; services that an earlier "
			  "airssysd left running are not known",
				strerror(-r));
		return 0;
	}
	if (!data)
		return 0;
	damaged = state_read(data, size, on_record, &reading);
	if (damaged > 0)
		log_warning("the last %zu of %zu bytes of the state file are damaged and "
			    "ignored",
				damaged, size);
	*ret_cgroup = reading.cgroup;
	return reading.error;
}

/*
 * 0 when it lives and is the one that was started; -ESRCH when it has ended. What could not
 * be looked at has not ended: a second one would be started beside it.
 */
static int adopt_process(struct keeper *keeper, struct process *process)
{
	const struct procid id = { .pid = process->pid,
		.start_time = process->start_time };
	auto_close int pidfd = -1;
	int r = procid_open(&id, &pidfd);

	if (r == 0)
		r = process_attach(&keeper->charges, process, process->pid);
	if (r < 0)
		return fd_is_shortage(r) ? r : -ESRCH;
	r = reap_watch_foreign(keeper, process, pidfd);
	if (r < 0) {
		process_detach(&keeper->charges, process);
		return r;
	}
	(void)take_fd(&pidfd);
	return 0;
}

/* It ended while no keeper was there. Nobody knows how, but while its parent has not waited
 * for it. */
static void take_late_end(struct process *process)
{
	const struct procid id = { .pid = process->pid,
		.start_time = process->start_time };
	int status;

	process_end(process, PROCESS_ENDED_UNKNOWN);
	process->ended_realtime_usec = clock_realtime_usec();
	if (proc_zombie_status(&id, &status) < 0)
		return;
	process->stage = PROCESS_ENDED;
	reap_split_status(status, &process->code, &process->status);
}

static int adopt_notify(struct keeper *keeper, struct charge *charge)
{
	auto_(unit) unit = NULL;
	int r = keeper_open_unit(keeper, charge->name, &unit);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return unit->kind == UNIT_SERVICE ? spawn_open_notify(keeper, charge, unit) : 0;
}

static int adopt_charge(struct keeper *keeper, struct charge *charge, size_t *n_adopted)
{
	struct process *process;
	int r;

	list_foreach(process, &charge->processes, link) {
		if (!process_is_live(process))
			continue;
		r = adopt_process(keeper, process);
		if (r == -ESRCH)
			take_late_end(process);
		else if (r < 0)
			return r;
		else
			++*n_adopted;
	}
	(void)cgroup_adopt(&keeper->cgroup, charge);
	if (list_is_empty(&charge->processes) && !charge->has_cgroup)
		return 0;
	charge->is_occupied = charge->was_adopted = true;
	r = charge->n_live > 0 ? adopt_notify(keeper, charge) : 0;
	if (r < 0)
		log_warning("cannot open the notify socket of %s: %s", charge->name,
				strerror(-r));
	reap_check_empty(keeper, charge);
	return 0;
}

int adopt_processes(struct keeper *keeper)
{
	struct charge *charge;
	size_t cursor, n_adopted = 0;
	int r;

	charges_foreach(&keeper->charges, cursor, charge) {
		r = adopt_charge(keeper, charge, &n_adopted);
		if (r == 0)
			continue;
		log_error("%s, which an earlier airssysd left running, cannot be watched: "
			  "%s; nothing is touched, start airssysd again with more "
			  "(LimitNOFILE=, ulimit -n)",
				charge->name, strerror(-r));
		return r;
	}
	if (n_adopted > 0)
		log_notice("adopted %zu processes of an earlier airssysd", n_adopted);
	return 0;
}
