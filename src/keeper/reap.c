/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/reap.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/procid.h"
#include "keeper/keeper.h"
#include "keeper/members.h"
#include "keeper/spawn.h"

/*
 * Children are found by SIGCHLD and not by a pidfd each: a pid that has not been waited
 * for cannot be another's, and a thousand descriptors fewer are a thousand fewer to pay
 * for. SIGCHLD does not queue, so after the pid that it names all children are asked. The
 * kernel walks through all of them for that, so it is asked once when nothing else is to
 * be done, or after so many events that nobody waits long.
 */

#define EVENTS_BEFORE_REAPING 8
/* Each walk of the kernel's finds one end: after so many it is cheaper to ask one by one.
 */
#define FEW_ENDS 4
/* Ends before others get their turn: a service can make orphans as fast as they end. */
#define REAP_BATCH 64

/* When descriptors, memory or watches have run out. */
#define LOOK_AGAIN_USEC USEC_PER_SEC

/* From <linux/pidfd.h> of Linux 6.15, which is newer than what we build with. */
#define PIDFD_INFO_EXIT_BIT (UINT64_C(1) << 3)
struct pidfd_information {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define PIDFD_GET_INFORMATION _IOWR(0xFF, 11, struct pidfd_information)

struct end {
	int code, status;
	struct rusage usage;
};

static uint64_t timeval_usec(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * USEC_PER_SEC + (uint64_t)t->tv_usec;
}

/* Nothing of the unit is left. */
static void set_empty(struct keeper *keeper, struct charge *charge)
{
	if (cgroup_is_there(&keeper->cgroup))
		cgroup_unwatch(&keeper->cgroup, charge);
	charge->is_occupied = charge->was_adopted = false;
	owed_drop(charge);
	keeper->vanished_are_due |= charge->is_vanished;
}

void reap_tell_empty(struct keeper *keeper, struct charge *charge)
{
	const struct protocol_message m = { .type = PROTOCOL_EMPTY,
		.unit = charge->name };

	set_empty(keeper, charge);
	core_send(&keeper->core, &m, NULL, 0);
}

void reap_look_again(struct keeper *keeper)
{
	if (keeper->look_again_usec == 0)
		keeper->look_again_usec =
				usec_add(clock_monotonic_usec(), LOOK_AGAIN_USEC);
}

/* Something of the unit is left in its cgroup: hear when it goes. */
static void await_empty(struct keeper *keeper, struct charge *charge)
{
	int r = cgroup_watch(&keeper->cgroup, charge), populated;

	/* It may have gone before the watch stood. */
	populated = cgroup_is_populated(&keeper->cgroup, charge);
	if (populated == 0)
		reap_tell_empty(keeper, charge);
	else if (r < 0 || populated < 0)
		reap_look_again(keeper);
}

/* No known process is left: whether nothing is. Without a cgroup that is looked for after
 * this event. */
static bool is_empty(struct keeper *keeper, struct charge *charge)
{
	if (!charge->is_occupied || charge->n_live > 0)
		return false;
	if (charge->has_cgroup) {
		/* In a stop it is to be removed anyway, which asks the same question. */
		if (keeper->phase == KEEPER_STOPPING &&
				cgroup_remove_empty(&keeper->cgroup, charge))
			return true;
		return cgroup_is_populated(&keeper->cgroup, charge) == 0;
	}
	keeper->members_are_due = true;
	return false;
}

static void await_rest(struct keeper *keeper, struct charge *charge)
{
	if (charge->is_occupied && charge->n_live == 0 && charge->has_cgroup)
		await_empty(keeper, charge);
}

void reap_check_empty(struct keeper *keeper, struct charge *charge)
{
	/* Nobody is to hear that it is empty before its last end. */
	if (charge->is_swept)
		return;
	if (is_empty(keeper, charge))
		reap_tell_empty(keeper, charge);
	else
		await_rest(keeper, charge);
}

static void tell_end(struct keeper *keeper, const struct process *process, bool is_last)
{
	const struct protocol_message m = {
		.type = PROTOCOL_EXITED,
		.unit = process->charge->name,
		.kind = process->kind,
		.index = process->index,
		.spawn_id = process->spawn_id,
		.pid = process->pid,
		.state = process->stage == PROCESS_ENDED ? PROTOCOL_ENDED
							 : PROTOCOL_ENDED_UNKNOWN,
		.code = process->code,
		.status = process->status,
		.ended_realtime_usec = process->ended_realtime_usec,
		.cpu_usec = process->cpu_usec,
		.memory_peak_bytes = process->memory_peak_bytes,
		.is_last = is_last,
	};

	core_send(&keeper->core, &m, NULL, 0);
}

/* The end of a process that is in the state file by now. */
static void tell_end_and_rest(
		struct keeper *keeper, const struct process *process, bool is_last)
{
	tell_end(keeper, process, is_last);
	if (is_last)
		set_empty(keeper, process->charge);
	else
		await_rest(keeper, process->charge);
}

/* In a stop the leaf is removed, and another may do it. */
static bool has_asked_for_removal(
		struct keeper *keeper, struct charge *charge, uint64_t spawn_id)
{
	return keeper->phase == KEEPER_STOPPING && charge->is_occupied &&
			charge->n_live == 0 && charge->has_cgroup &&
			sweep_ask(&keeper->sweep, charge, spawn_id);
}

void reap_end_of_unit(struct keeper *keeper, struct charge *charge, uint64_t spawn_id,
		bool leaf_is_gone)
{
	const struct process *process = process_find(&keeper->charges, spawn_id);
	bool is_last = leaf_is_gone;

	if (leaf_is_gone)
		cgroup_forget(&keeper->cgroup, charge);
	else
		is_last = is_empty(keeper, charge);
	if (process)
		tell_end_and_rest(keeper, process, is_last);
}

/* end NULL: nobody can say how. */
static void end_process(
		struct keeper *keeper, struct process *process, const struct end *end)
{
	struct charge *charge = process->charge;
	auto_close int watched_fd UNUSED = process->watch.fd;

	loop_remove(&keeper->loop, &process->watch);
	process_detach(&keeper->charges, process);
	if (process->is_remnant) {
		process_free(&keeper->charges, process);
		reap_check_empty(keeper, charge);
		return;
	}
	process_end(process, end ? PROCESS_ENDED : PROCESS_ENDED_UNKNOWN);
	process->ended_realtime_usec = clock_realtime_usec();
	if (end) {
		process->code = end->code;
		process->status = end->status;
		process->cpu_usec = timeval_usec(&end->usage.ru_utime) +
				timeval_usec(&end->usage.ru_stime);
		process->memory_peak_bytes = (uint64_t)end->usage.ru_maxrss * 1024;
	}
	state_add_end(&keeper->state, process);
	if (!has_asked_for_removal(keeper, charge, process->spawn_id))
		tell_end_and_rest(keeper, process, is_empty(keeper, charge));
}

/* Whether this child has ended, without waiting for it yet. */
static pid_t peek(idtype_t which, pid_t pid)
{
	siginfo_t info = { 0 };

	if (waitid(which, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return 0;
	return info.si_pid;
}

/*
 * One child that has ended. The number stays taken until it is waited for, so what is to
 * be asked about the dead process is asked before.
 */
static void take_end(struct keeper *keeper, pid_t pid)
{
	struct process *process = process_find_pid(&keeper->charges, pid);
	struct end end = { 0 };
	siginfo_t info = { 0 };

	if (process && process->stage == PROCESS_STARTING) {
		if (peek(P_PID, pid) != pid)
			return;
		if (spawn_finish(keeper, process) < 0)
			process = NULL; /* it never was the service */
	}
	if (syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG, &end.usage) < 0 ||
			info.si_pid != pid)
		return;
	end.code = info.si_code;
	end.status = info.si_status;
	if (core_on_end(&keeper->core, pid, end.code, end.status) ||
			sweep_on_end(&keeper->sweep, pid))
		return;
	if (process)
		end_process(keeper, process, &end);
	else if (!cgroup_is_there(&keeper->cgroup))
		keeper->members_are_due = true; /* an orphan: whose last one was it? */
}

void reap_child(struct keeper *keeper, pid_t pid)
{
	if (pid > 0)
		take_end(keeper, pid);
	if (keeper->events_before_reaping == 0)
		keeper->events_before_reaping = EVENTS_BEFORE_REAPING;
}

/* Ask each process that is known to live. An end takes only its own entry away. */
static void reap_known(struct keeper *keeper)
{
	const struct process *process;
	size_t cursor;

	processes_foreach_live(&keeper->charges, cursor, process)
		take_end(keeper, process->pid);
}

void reap_children(struct keeper *keeper)
{
	unsigned int found = 0;
	pid_t pid;

	keeper->events_before_reaping = 0;
	while (found < REAP_BATCH && (pid = peek(P_ALL, 0)) > 0) {
		take_end(keeper, pid);
		if (++found == FEW_ENDS)
			reap_known(keeper);
	}
	if (found == REAP_BATCH)
		keeper->events_before_reaping = 1;
}

void reap_split_status(int wait_status, int *ret_code, int *ret_status)
{
	if (WIFEXITED(wait_status)) {
		*ret_code = CLD_EXITED;
		*ret_status = WEXITSTATUS(wait_status);
	} else {
		*ret_code = WCOREDUMP(wait_status) ? CLD_DUMPED : CLD_KILLED;
		*ret_status = WTERMSIG(wait_status);
	}
}

/* What the parent was told, for who asks after it; only a new kernel says. */
static bool ask_pidfd(int pidfd, int *ret_status)
{
	struct pidfd_information info = { .mask = PIDFD_INFO_EXIT_BIT };

	if (ioctl(pidfd, PIDFD_GET_INFORMATION, &info) < 0 ||
			!(info.mask & PIDFD_INFO_EXIT_BIT))
		return false;
	*ret_status = info.exit_code;
	return true;
}

/* How a process that is not our child ended. /proc tells it until the parent has waited
 * for it, its pidfd from then on. */
static bool find_end(const struct process *process, struct end *ret_end)
{
	const struct procid id = { .pid = process->pid,
		.start_time = process->start_time };
	int status;

	if (proc_zombie_status(&id, &status) < 0 &&
			!ask_pidfd(process->watch.fd, &status))
		return false;
	*ret_end = (struct end){ 0 };
	reap_split_status(status, &ret_end->code, &ret_end->status);
	return true;
}

static void on_foreign_end(struct loop_source *source, uint32_t events)
{
	struct process *process = CONTAINER_OF(source, struct process, watch);
	struct keeper *keeper = process->keeper;
	struct end end;

	(void)events;
	/* It may have become our child when its own parent ended. */
	if (peek(P_PID, process->pid) == process->pid)
		take_end(keeper, process->pid);
	else
		end_process(keeper, process, find_end(process, &end) ? &end : NULL);
}

uint64_t reap_next_usec(const struct keeper *keeper)
{
	return keeper->look_again_usec ? keeper->look_again_usec : USEC_INFINITY;
}

void reap_on_time(struct keeper *keeper, uint64_t now_usec)
{
	struct charge *charge;
	size_t cursor;

	if (keeper->look_again_usec == 0 || keeper->look_again_usec > now_usec)
		return;
	keeper->look_again_usec = 0;
	charges_foreach(&keeper->charges, cursor, charge)
		reap_check_empty(keeper, charge);
}

int reap_watch_foreign(struct keeper *keeper, struct process *process, int pidfd)
{
	process->is_foreign = true;
	process->keeper = keeper;
	process->watch.on_ready = on_foreign_end;
	return loop_add(&keeper->loop, &process->watch, pidfd, EPOLLIN);
}
