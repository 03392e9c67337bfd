/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/path.h"
#include "base/procid.h"
#include "keeper/guess.h"
#include "keeper/keeper.h"
#include "keeper/load.h"
#include "keeper/members.h"
#include "keeper/pid-file.h"
#include "keeper/reap.h"
#include "keeper/spawn.h"

#define MODULE_MAX (64 * 1024 * 1024)

typedef void request_fn(struct keeper *keeper, const struct protocol_message *m);

static void answer_done(struct keeper *keeper, uint64_t serial)
{
	const struct protocol_message m = { .type = PROTOCOL_DONE, .serial = serial };

	core_send(&keeper->core, &m, NULL, 0);
}

static void answer_error(
		struct keeper *keeper, uint64_t serial, int error, const char *detail)
{
	struct exec_report report = { .error = -error };

	(void)snprintf(report.detail, sizeof(report.detail), "%s", detail ? detail : "");
	spawn_answer_failed(keeper, serial, &report);
}

static void answer(struct keeper *keeper, const struct protocol_message *m, int r)
{
	if (r < 0)
		answer_error(keeper, m->serial, r, m->unit);
	else
		answer_done(keeper, m->serial);
}

/* A child's number is its own until it is waited for; a foreigner is held by pidfd. */
static int signal_process(const struct process *process, struct signals signals)
{
	if (process->is_foreign)
		return signals_to_pidfd(process->watch.fd, signals);
	return signals_to_child(process->pid, signals);
}

static int signal_control(const struct charge *charge, struct signals signals)
{
	const struct process *process;
	int r = -ESRCH, s;

	list_foreach(process, &charge->processes, link) {
		if (!process_is_live(process) || process->is_remnant ||
				process->kind == UNIT_EXEC_START)
			continue;
		s = signal_process(process, signals);
		if (r < 0)
			r = s;
	}
	return r;
}

static int signal_all(
		struct keeper *keeper, struct charge *charge, struct signals signals)
{
	if (charge->has_cgroup)
		return owed_signal(keeper, charge, signals);
	return members_signal(keeper, charge, signals);
}

static int signal_charge(struct keeper *keeper, struct charge *charge, uint32_t whom,
		struct signals signals)
{
	const struct process *process;

	switch ((enum protocol_whom)whom) {
	case PROTOCOL_MAIN:
		process = charge_main(charge);
		return process ? signal_process(process, signals) : -ESRCH;
	case PROTOCOL_CONTROL:
		return signal_control(charge, signals);
	case PROTOCOL_ALL:
		return signal_all(keeper, charge, signals);
	}
	return -EINVAL;
}

static void on_signal(struct keeper *keeper, const struct protocol_message *m)
{
	struct charge *charge = charge_find(&keeper->charges, m->unit);
	const struct signals signals = { m->signal, m->further };
	int r = -ESRCH;

	if (charge)
		r = signal_charge(keeper, charge, m->whom, signals);
	else if (!keeper_knows(keeper, m->unit))
		r = -ENOENT;
	answer(keeper, m, r);
}

bool request_is_of_unit(struct keeper *keeper, struct charge *charge, pid_t pid)
{
	if (pid <= 1 || pid == getpid() || pid == keeper->core.pid)
		return false;
	return charge->has_cgroup ? cgroup_contains(&keeper->cgroup, charge, pid)
				  : members_contain(keeper, charge, pid);
}

static void on_owns(struct keeper *keeper, const struct protocol_message *m)
{
	struct charge *charge = charge_find(&keeper->charges, m->unit);
	int r = -ESRCH;

	if (charge)
		r = request_is_of_unit(keeper, charge, m->pid) ? 0 : -EPERM;
	answer(keeper, m, r);
}

/* The process is pinned first and asked whose it is after. */
static int adopt_main(struct keeper *keeper, struct charge *charge, pid_t pid,
		struct process **ret_process)
{
	struct charges *charges = &keeper->charges;
	struct process *process;
	auto_close int pidfd = -1;
	struct procid id;
	pid_t parent;
	int r;

	r = procid_get(pid, &id);
	if (r == 0)
		r = procid_open(&id, &pidfd);
	if (r < 0)
		return r;
	if (!request_is_of_unit(keeper, charge, pid))
		return -EPERM;
	if (charge_is_full(charge))
		return -EAGAIN;
	process = process_new(charges, charge, charges->next_spawn_id++);
	if (!process)
		return -ENOMEM;
	process->keeper = keeper;
	process->kind = UNIT_EXEC_START;
	process->stage = PROCESS_LIVES;
	process->start_time = id.start_time;
	process->since_realtime_usec = clock_realtime_usec();
	process->since_monotonic_usec = clock_monotonic_usec();
	r = process_attach(charges, process, pid);
	/*
	 * A descendant that is not our child yet becomes it when its parent ends, and
	 * tells by SIGCHLD then; until that, it is its parent who waits for it.
	 */
	if (r == 0 && (proc_parent(pid, &parent) < 0 || parent != getpid())) {
		r = reap_watch_foreign(keeper, process, pidfd);
		if (r == 0)
			(void)take_fd(&pidfd);
	}
	if (r < 0) {
		process_free(charges, process);
		return r;
	}
	*ret_process = process;
	return 0;
}

/* The same process under the role that it has now: the last one of a kind counts. */
static void promote(struct process *process)
{
	struct charge *charge = process->charge;

	list_remove(&process->link);
	list_append(&charge->processes, &process->link);
	process->kind = UNIT_EXEC_START;
	process->index = 0;
	process->is_remnant = false;
}

static int set_main(struct keeper *keeper, struct charge *charge, pid_t pid,
		struct process **ret_process)
{
	struct process *process = process_find_pid(&keeper->charges, pid);

	if (!process)
		return adopt_main(keeper, charge, pid, ret_process);
	/* A command beside the service is none of its processes. */
	if (process->charge != charge ||
			(process->kind != UNIT_EXEC_START && !process->is_remnant))
		return -EPERM;
	if (process != charge_main(charge))
		promote(process);
	*ret_process = process;
	return 0;
}

/* The pid that is asked for, or that the unit's PIDFile= says, or that can be guessed. */
static int get_main_pid(struct keeper *keeper, struct charge *charge,
		const struct protocol_message *m, pid_t *ret_pid)
{
	auto_(unit) unit = NULL;
	int r;

	if (m->pid != 0) {
		*ret_pid = m->pid;
		return 0;
	}
	r = keeper_open_unit(keeper, m->unit, &unit);
	if (r < 0)
		return r;
	if (unit->kind != UNIT_SERVICE)
		return -ENOENT;
	if (unit->service.pid_file)
		return pid_file_read(unit->service.pid_file, ret_pid);
	return unit->service.guess_main_pid ? guess_main(keeper, charge, ret_pid)
					    : -ENOENT;
}

static void on_set_main(struct keeper *keeper, const struct protocol_message *m)
{
	struct charge *charge = charge_find(&keeper->charges, m->unit);
	struct process *process = NULL;
	pid_t pid;
	int r = charge ? get_main_pid(keeper, charge, m, &pid) : -ESRCH;

	if (r == 0)
		r = set_main(keeper, charge, pid, &process);
	if (r < 0) {
		answer_error(keeper, m->serial, r, m->unit);
		return;
	}
	state_add_spawn(&keeper->state, process);
	spawn_answer_started(keeper, process, m->serial);
}

static void on_ack(struct keeper *keeper, const struct protocol_message *m)
{
	struct charges *charges = &keeper->charges;
	struct process *process = process_find(charges, m->spawn_id);

	if (!process || process_is_live(process))
		return;
	keeper->vanished_are_due |= process->charge->is_vanished;
	process_free(charges, process);
	state_add_forget(&keeper->state, m->spawn_id);
}

static void on_note(struct keeper *keeper, const struct protocol_message *m)
{
	struct charge *charge = charge_find(&keeper->charges, m->unit);

	if (!charge && (!keeper_knows(keeper, m->unit) || m->size == 0))
		return;
	if (!charge)
		charge = charge_get(&keeper->charges, m->unit);
	if (!charge || charge_set_note(charge, m->data, m->size) < 0) {
		log_warning("no memory for a note of %s", m->unit);
		return;
	}
	state_add_note(&keeper->state, charge);
}

static void on_reload(struct keeper *keeper, const struct protocol_message *m)
{
	int r;

	upward_say(&keeper->upward, "RELOADING=1\nMONOTONIC_USEC=%llu",
			(unsigned long long)clock_monotonic_usec());
	r = load_units(keeper);
	if (r >= 0)
		load_send_config(keeper, m->serial);
	upward_say(&keeper->upward, "READY=1");
	if (r < 0)
		answer_error(keeper, m->serial, r, "unit files");
	else
		answer_done(keeper, m->serial);
}

/* Why a module is not passed on: a refusal, or PATH_ERROR with the errno that is
 * returned beside it. */
struct module_refusal {
	enum path_refusal why;
	const char *folder; /* borrowed; the one that it was found in, or NULL */
};

static int read_module(
		int folder, const char *name, enum path_refusal *ret_refusal, int *ret_fd)
{
	auto_free char *data = NULL;
	size_t size;
	int r;

	*ret_refusal = path_check_folder(folder);
	if (*ret_refusal == PATH_OK)
		*ret_refusal = path_check_parents(folder);
	if (*ret_refusal != PATH_OK)
		return -EPERM;
	r = path_read_trusted(folder, name, MODULE_MAX, &data, &size, ret_refusal);
	return r < 0 ? r : memfd_sealed(name, data, size, ret_fd);
}

static int open_module(struct keeper *keeper, const char *name,
		struct module_refusal *ret_refusal, int *ret_fd)
{
	const struct strv *folders = &keeper->options.module_path;
	int r = -ENOENT;

	*ret_refusal = (struct module_refusal){ .why = PATH_ERROR };
	if (strchr(name, '/'))
		return -EINVAL;
	for (size_t i = 0; i < folders->count && r == -ENOENT; i++) {
		auto_close int folder = open(
				folders->items[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (folder < 0)
			continue;
		r = read_module(folder, name, &ret_refusal->why, ret_fd);
		ret_refusal->folder = folders->items[i];
	}
	return r;
}

/* "FOLDER/NAME: its group or others may write it" */
static void answer_refused_module(struct keeper *keeper, uint64_t serial, int error,
		const struct module_refusal *refusal, const char *name)
{
	auto_text text = { 0 };

	if (error == -ENOENT)
		text_printf(&text, "%s is in no folder of the module path", name);
	else if (!refusal->folder)
		text_printf(&text, "%s: a module is named without a folder", name);
	else if (refusal->why == PATH_ERROR || refusal->why == PATH_OK)
		text_printf(&text, "%s/%s", refusal->folder, name);
	else
		text_printf(&text, "%s/%s: %s", refusal->folder, name,
				path_refusal_text(refusal->why));
	answer_error(keeper, serial, error, text_get(&text));
}

static void on_module(struct keeper *keeper, const struct protocol_message *m)
{
	auto_(unit) unit = NULL;
	const struct protocol_message done = {
		.type = PROTOCOL_DONE,
		.serial = m->serial,
	};
	struct module_refusal refusal;
	auto_close int fd = -1;
	int r;

	r = keeper_open_unit(keeper, m->unit, &unit);
	if (r == 0 && unit->kind != UNIT_NATIVE)
		r = -ENOENT;
	if (r < 0) {
		answer_error(keeper, m->serial, r, m->unit);
		return;
	}
	r = open_module(keeper, unit->native.module, &refusal, &fd);
	if (r < 0)
		answer_refused_module(
				keeper, m->serial, r, &refusal, unit->native.module);
	else
		core_send(&keeper->core, &done, &fd, 1);
}

static void on_up(struct keeper *keeper, const struct protocol_message *m)
{
	keeper->core.is_up = true;
	heap_trim();
	if (keeper->was_ready)
		return;
	keeper->was_ready = true;
	log_notice("ready: %u unit%s, tree is up", keeper->n_units,
			keeper->n_units == 1 ? "" : "s");
	upward_say_status(&keeper->upward, "READY=1\n",
			m->text && *m->text ? m->text : "The tree is up.");
}

static void on_status(struct keeper *keeper, const struct protocol_message *m)
{
	upward_say_status(&keeper->upward, "", m->text ? m->text : "");
}

static void on_down(struct keeper *keeper, const struct protocol_message *m)
{
	keeper->exit_status = m->status;
	keeper->phase = KEEPER_DONE;
}

static void on_pong(struct keeper *keeper, const struct protocol_message *m)
{
	(void)m;
	keeper->core.owes_pong = false;
}

static request_fn *const requests[] = {
	[PROTOCOL_SPAWN] = spawn_handle,
	[PROTOCOL_SIGNAL] = on_signal,
	[PROTOCOL_SET_MAIN] = on_set_main,
	[PROTOCOL_OWNS] = on_owns,
	[PROTOCOL_ACK] = on_ack,
	[PROTOCOL_RELOAD] = on_reload,
	[PROTOCOL_MODULE] = on_module,
	[PROTOCOL_UP] = on_up,
	[PROTOCOL_STATUS] = on_status,
	[PROTOCOL_DOWN] = on_down,
	[PROTOCOL_PONG] = on_pong,
	[PROTOCOL_NOTE] = on_note,
};

static void handle(struct keeper *keeper, struct protocol_part part)
{
	struct protocol_message m;

	if (protocol_decode(part.data, part.size, &m) < 0 ||
			(size_t)m.type >= ARRAY_SIZE(requests) || !requests[m.type]) {
		if (!keeper->core.said_nonsense)
			log_warning("airssys-core sent a message that means nothing");
		keeper->core.said_nonsense = true;
		answer_error(keeper, 0, -EBADMSG, NULL);
		return;
	}
	requests[m.type](keeper, &m);
	if (state_wants_rewrite(&keeper->state))
		(void)state_rewrite(&keeper->state,
				&keeper->charges); /* says itself what failed */
}

void request_handle(struct keeper *keeper, const void *datagram, size_t size)
{
	struct protocol_part part;
	size_t cursor = 0;
	int r;

	while ((r = protocol_next(datagram, size, &cursor, &part)) > 0)
		handle(keeper, part);
	if (r < 0)
		handle(keeper, (struct protocol_part){ "", 0 });
}

static void send_process(struct keeper *keeper, const struct process *process)
{
	static const enum protocol_process_state states[] = {
		[PROCESS_LIVES] = PROTOCOL_LIVES,
		[PROCESS_ENDED] = PROTOCOL_ENDED,
		[PROCESS_ENDED_UNKNOWN] = PROTOCOL_ENDED_UNKNOWN,
	};
	struct charge *charge = process->charge;
	bool passes_notify = charge->notify_fd >= 0 && !charge->notify_sent;
	struct protocol_message m = {
		.type = PROTOCOL_PROCESS,
		.unit = charge->name,
		.kind = process->kind,
		.index = process->index,
		.spawn_id = process->spawn_id,
		.pid = process->pid,
		.start_time = process->start_time,
		.since_realtime_usec = process->since_realtime_usec,
		.since_monotonic_usec = process->since_monotonic_usec,
		.state = states[process->stage],
	};

	if (!process_is_live(process)) {
		m.code = process->code;
		m.status = process->status;
		m.ended_realtime_usec = process->ended_realtime_usec;
		m.cpu_usec = process->cpu_usec;
		m.memory_peak_bytes = process->memory_peak_bytes;
	}
	core_send(&keeper->core, &m, &charge->notify_fd, passes_notify ? 1 : 0);
	charge->notify_sent = charge->notify_fd >= 0;
}

static void greet_about(struct keeper *keeper, struct charge *charge)
{
	const struct protocol_message note = {
		.type = PROTOCOL_NOTE,
		.unit = charge->name,
		.data = charge->note,
		.size = charge->note_size,
	};
	struct process *process, *next;

	charge->notify_sent = false;
	list_foreach_safe(process, next, &charge->processes, link) {
		if (process->stage == PROCESS_STARTING)
			spawn_abandon(keeper, process);
	}
	list_foreach(process, &charge->processes, link)
		if (!process->is_remnant)
			send_process(keeper, process);
	if (charge->note_size > 0)
		core_send(&keeper->core, &note, NULL, 0);
}

/* Ends that the last core did not hear of were followed by an EMPTY that it did not hear
 * either. */
static void greet_empty(struct keeper *keeper, const struct charge *charge)
{
	const struct protocol_message m = { .type = PROTOCOL_EMPTY,
		.unit = charge->name };

	if (!charge->is_occupied && !list_is_empty(&charge->processes))
		core_send(&keeper->core, &m, NULL, 0);
}

void request_greet(struct keeper *keeper)
{
	const struct protocol_message adopted = { .type = PROTOCOL_ADOPTED };
	const struct protocol_message stop = { .type = PROTOCOL_STOP };
	struct charge *charge;
	size_t cursor;

	load_send_first_config(keeper);
	charges_foreach(&keeper->charges, cursor, charge)
		greet_about(keeper, charge);
	core_send(&keeper->core, &adopted, NULL, 0);
	charges_foreach(&keeper->charges, cursor, charge)
		greet_empty(keeper, charge);
	if (keeper->phase == KEEPER_STOPPING)
		core_send(&keeper->core, &stop, NULL, 0);
}
