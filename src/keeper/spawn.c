/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "exec/executor.h"
#include "keeper/clone.h"
#include "keeper/description.h"
#include "keeper/keeper.h"
#include "keeper/reap.h"

/* One start on its way through this file. */
struct spawning {
	struct keeper *keeper;
	const struct protocol_message *request;
	struct charge *charge;
	struct process *process;
	struct exec_spec *spec;
	uint64_t born_before, born_after; /* CLOCK_BOOTTIME in clock ticks */
};

static uint64_t boot_ticks(void)
{
	static long ticks_per_second;
	struct timespec now;

	if (ticks_per_second == 0)
		ticks_per_second = sysconf(_SC_CLK_TCK);
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * (uint64_t)ticks_per_second +
			(uint64_t)now.tv_nsec /
			(UINT64_C(1000000000) / (uint64_t)ticks_per_second);
}

/*
 * The kernel counts a process's start in ticks of CLOCK_BOOTTIME. When the clock shows
 * the same tick before the birth and in the child, that is it; asking /proc costs ten
 * times as much and is left for the rest.
 */
static uint64_t find_start_time(const struct spawning *s, pid_t pid)
{
	struct procid id;

	if (s->born_before == s->born_after)
		return s->born_before;
	return procid_get(pid, &id) < 0 ? 0 : id.start_time;
}

/* What the child of the direct way does, on the keeper's memory. */
struct direct {
	struct exec_run run;
	struct spawning *spawning;
};

static int run_steps(void *data)
{
	struct direct *direct = data;

	direct->spawning->born_after = boot_ticks();
	(void)exec_run(&direct->run);
	return EXEC_STATUS_BASE + (int)direct->run.report.step;
}

static int run_executor(void *data)
{
	static char name[] = "airssys-exec";
	char *const argv[] = { name, NULL };
	char *const envp[] = { NULL };
	struct spawning *s = data;

	s->born_after = boot_ticks();
	/* A table of its own, with the executor's three and the first three. */
	if (syscall(SYS_close_range, KEEPER_FIRST_FREE_FD, ~0U, CLOSE_RANGE_UNSHARE) <
					0 &&
			unshare(CLONE_FILES) < 0)
		return EXEC_STATUS_BASE;
	if (fcntl(EXECUTOR_SPEC_FD, F_SETFD, 0) < 0 ||
			fcntl(EXECUTOR_REPORT_FD, F_SETFD, 0) < 0)
		return EXEC_STATUS_BASE;
	(void)execveat(EXECUTOR_PROGRAM_FD, "", argv, envp, AT_EMPTY_PATH);
	return EXEC_STATUS_BASE + EXEC_STEP_DESCRIPTION;
}

/* Born in the unit's cgroup; where that does not work, without, which is said once. */
static int clone_into_cgroup(
		struct spawning *s, struct clone_request *clone_request, pid_t *ret_pid)
{
	static bool said;
	auto_close int cgroup_fd = -1;
	int r;

	clone_request->cgroup_fd = -1;
	if (cgroup_is_there(&s->keeper->cgroup)) {
		r = cgroup_open(&s->keeper->cgroup, s->charge, &cgroup_fd);
		clone_request->cgroup_fd = cgroup_fd;
		if (r == 0)
			r = clone_process(clone_request, ret_pid);
		if (r == 0 || r == -EAGAIN || r == -ENOMEM)
			return r;
		if (!said)
			log_warning("cannot start %s in a cgroup: %s; its processes are "
				    "followed without",
					s->charge->name, strerror(-r));
		said = true;
		cgroup_remove(&s->keeper->cgroup, s->charge);
		clone_request->cgroup_fd = -1;
	}
	return clone_process(clone_request, ret_pid);
}

static int make_process(struct spawning *s, struct clone_request *clone_request)
{
	struct process *process = s->process;
	pid_t pid;
	int r;

	s->born_before = boot_ticks();
	s->born_after = UINT64_MAX;
	process->since_realtime_usec = clock_realtime_usec();
	process->since_monotonic_usec = clock_monotonic_usec();
	r = clone_into_cgroup(s, clone_request, &pid);
	if (r < 0)
		return r;
	process->start_time = find_start_time(s, pid);
	r = process_attach(&s->keeper->charges, process, pid);
	if (r == 0)
		return 0;
	/* Nobody would ever hear of it. */
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return r;
}

static void send_started(struct keeper *keeper, struct process *process, uint64_t serial)
{
	struct charge *charge = process->charge;
	bool passes_notify = charge->notify_fd >= 0 && !charge->notify_sent;
	const struct protocol_message answer = {
		.type = PROTOCOL_SPAWNED,
		.serial = serial,
		.spawn_id = process->spawn_id,
		.pid = process->pid,
		.start_time = process->start_time,
		.since_realtime_usec = process->since_realtime_usec,
		.since_monotonic_usec = process->since_monotonic_usec,
	};

	core_send(&keeper->core, &answer, &charge->notify_fd, passes_notify ? 1 : 0);
	charge->notify_sent = charge->notify_fd >= 0;
}

void spawn_answer_started(struct keeper *keeper, struct process *process, uint64_t serial)
{
	send_started(keeper, process, serial);
}

void spawn_answer_failed(
		struct keeper *keeper, uint64_t serial, const struct exec_report *report)
{
	const struct protocol_message answer = {
		.type = PROTOCOL_FAILED,
		.serial = serial,
		.error = report->error > 0 && report->error < 4096 ? report->error : EIO,
		.step = exec_step_name(report->step),
		.text = report->detail,
	};

	core_send(&keeper->core, &answer, NULL, 0);
}

/* The process never became the service: nobody hears of it but through FAILED. */
static void drop_process(struct keeper *keeper, struct process *process)
{
	struct charge *charge = process->charge;

	loop_remove(&keeper->loop, &process->watch);
	process_free(&keeper->charges, process);
	/* It may have been the only one, and then there is nobody to say EMPTY about. */
	if (charge->n_live == 0 && list_is_empty(&charge->processes))
		charge->is_occupied = false;
}

static int fail(struct spawning *s, struct exec_report *report, int error)
{
	if (report->error == 0)
		report->error = -error;
	spawn_answer_failed(s->keeper, s->request->serial, report);
	drop_process(s->keeper, s->process);
	return error;
}

static void announce(struct spawning *s)
{
	s->process->stage = PROCESS_LIVES;
	state_add_spawn(&s->keeper->state, s->process);
	send_started(s->keeper, s->process, s->request->serial);
}

/* Wait for a child of the direct way, which has nothing more to do but to end. */
static void collect(pid_t pid)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
		;
}

static void on_report(struct loop_source *source, uint32_t events)
{
	struct process *process = CONTAINER_OF(source, struct process, watch);

	(void)events;
	(void)spawn_finish(process->keeper, process);
}

/* Put the description and the pipe where the executor expects them, and back. */
static void place_descriptors(int spec_fd, int report_fd)
{
	(void)dup3(spec_fd, EXECUTOR_SPEC_FD, O_CLOEXEC);
	(void)dup3(report_fd, EXECUTOR_REPORT_FD, O_CLOEXEC);
}

static int start_executor(struct spawning *s, int *ret_report_fd)
{
	struct clone_request clone_request = {
		.memory = CLONE_SHARED,
		.child = run_executor,
		.data = s,
	};
	auto_close int spec_fd = -1, report_fd = -1, write_fd = -1;
	int pipe_fds[2], r;

	r = exec_spec_pack(s->spec, &spec_fd);
	if (r < 0)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	report_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	if (fcntl(report_fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	place_descriptors(spec_fd, write_fd);
	r = make_process(s, &clone_request);
	place_descriptors(EXECUTOR_PROGRAM_FD, EXECUTOR_PROGRAM_FD);
	if (r < 0)
		return r;
	*ret_report_fd = take_fd(&report_fd);
	return 0;
}

static int spawn_by_executor(struct spawning *s)
{
	struct exec_report report = { 0 };
	auto_close int report_fd = -1;
	int r;

	r = start_executor(s, &report_fd);
	if (r < 0)
		return fail(s, &report, r);
	s->process->stage = PROCESS_STARTING;
	s->process->serial = s->request->serial;
	s->process->watch.on_ready = on_report;
	/* Known before it is announced: a new keeper must find it in either stage. */
	state_add_spawn(&s->keeper->state, s->process);
	r = loop_add(&s->keeper->loop, &s->process->watch, report_fd, EPOLLIN);
	if (r == 0) {
		(void)take_fd(&report_fd);
		return 0;
	}
	(void)kill(s->process->pid, SIGKILL);
	state_add_forget(&s->keeper->state, s->process->spawn_id);
	return fail(s, &report, r);
}

static int spawn_directly(struct spawning *s)
{
	struct direct direct = {
		.run = { .spec = s->spec,
				.program_fd = -1,
				.keep_fd = -1,
				.report_fd = -1 },
		.spawning = s,
	};
	struct clone_request clone_request = {
		.memory = CLONE_SHARED,
		.child = run_steps,
		.data = &direct,
	};
	auto_free char **envp = exec_run_environment(s->spec);
	int r;

	if (!envp)
		return fail(s, &direct.run.report, -ENOMEM);
	direct.run.envp = envp;
	r = make_process(s, &clone_request);
	if (r < 0)
		return fail(s, &direct.run.report, r);
	if (direct.run.report.step == EXEC_STEP_NONE) {
		announce(s);
		return 0;
	}
	collect(s->process->pid);
	if (direct.run.report.error == EAGAIN &&
			(direct.run.report.step == EXEC_STEP_STDOUT ||
					direct.run.report.step == EXEC_STEP_STDERR)) {
		/* A journal that is busy: the executor can wait, the keeper must not. */
		process_detach(&s->keeper->charges, s->process);
		return spawn_by_executor(s);
	}
	return fail(s, &direct.run.report, -direct.run.report.error);
}

/* 1: the service runs; 0: *ret_report says why not. A pipe that is still open when the
 * executor has ended is held by somebody of its making: it says nothing. */
static int read_report(int fd, struct exec_report *ret_report)
{
	ssize_t n;

	do {
		n = read(fd, ret_report, sizeof(*ret_report));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 1;
	if (n != (ssize_t)sizeof(*ret_report) || ret_report->error == 0)
		*ret_report = (struct exec_report){ .step = EXEC_STEP_DESCRIPTION,
			.error = EPROTO };
	ret_report->detail[EXEC_DETAIL_SIZE - 1] = '\0';
	return 0;
}

/*
 * 0: it lives. Else *ret_report says at which step it failed, and it is ended: nobody
 * waits here for a process, which may hang in a system call. Its end is one of a child
 * that nobody knows.
 */
static int settle(struct keeper *keeper, struct process *process,
		struct exec_report *ret_report)
{
	auto_close int fd = process->watch.fd;

	loop_remove(&keeper->loop, &process->watch);
	if (read_report(fd, ret_report) == 1) {
		process->stage = PROCESS_LIVES;
		return 0;
	}
	(void)kill(process->pid, SIGKILL);
	state_add_forget(&keeper->state, process->spawn_id);
	return ret_report->error > 0 ? -ret_report->error : -EPROTO;
}

int spawn_finish(struct keeper *keeper, struct process *process)
{
	uint64_t serial = process->serial;
	struct exec_report report;
	int r = settle(keeper, process, &report);

	if (r == 0) {
		send_started(keeper, process, serial);
		return 0;
	}
	spawn_answer_failed(keeper, serial, &report);
	drop_process(keeper, process);
	return r;
}

void spawn_abandon(struct keeper *keeper, struct process *process)
{
	struct pollfd pipe_end = { .fd = process->watch.fd, .events = POLLIN };
	struct exec_report report;

	if (poll(&pipe_end, 1, 0) == 1) {
		if (settle(keeper, process, &report) < 0)
			drop_process(keeper, process);
		return;
	}
	loop_remove(&keeper->loop, &process->watch);
	close_fd(pipe_end.fd);
	(void)kill(process->pid, SIGKILL);
	state_add_forget(&keeper->state, process->spawn_id);
	drop_process(keeper, process);
}

/* A new life of the service has a new number. */
static void renew_invocation(struct charge *charge, const struct protocol_message *m)
{
	uint64_t random[2];

	if (charge->is_occupied || m->index != 0 ||
			(m->kind != UNIT_EXEC_START && m->kind != UNIT_EXEC_START_PRE))
		return;
	random[0] = clock_random();
	random[1] = clock_random();
	memcpy(charge->invocation, random, sizeof(charge->invocation));
}

/* Whom the socket is for. A user whom only the executor can find gets it from there; of a
 * service that was adopted, its process says who that was. */
static uid_t notify_uid(struct keeper *keeper, const struct charge *charge,
		const struct unit *unit)
{
	const struct process *process = charge_main(charge);
	uid_t uid = description_uid(keeper, unit);
	char path[64];
	struct stat st;

	if (uid != (uid_t)-1 || !process)
		return uid;
	(void)snprintf(path, sizeof(path), "/proc/%d", process->pid);
	return stat(path, &st) < 0 ? uid : st.st_uid;
}

int spawn_open_notify(
		struct keeper *keeper, struct charge *charge, const struct unit *unit)
{
	int r;

	if (charge->notify_fd >= 0 || !description_has_notify(unit))
		return 0;
	if (!runtime_path_fits(
			    keeper->options.runtime_dir, RUNTIME_NOTIFY, charge->name)) {
		log_error("%s: its notify socket in %s would have a path that is too long to "
			  "be reached; give a shorter name or --runtime-dir=",
				charge->name, keeper->options.runtime_dir);
		return -ENAMETOOLONG;
	}
	r = runtime_open_notify(&keeper->runtime, charge->name,
			notify_uid(keeper, charge, unit), &charge->notify_fd);
	charge->notify_sent = false;
	return r;
}

static const struct unit_command *find_command(
		const struct unit *unit, const struct protocol_message *m)
{
	if (!unit || unit->kind != UNIT_SERVICE || m->kind >= UNIT_COMMAND_KIND_COUNT ||
			m->index >= unit->service.commands[m->kind].count)
		return NULL;
	return &unit->service.commands[m->kind].items[m->index];
}

static void refuse(struct keeper *keeper, const struct protocol_message *m, int error,
		const char *detail)
{
	struct exec_report report = { .error = -error };

	(void)snprintf(report.detail, sizeof(report.detail), "%s", detail);
	spawn_answer_failed(keeper, m->serial, &report);
}

/* The direct way waits for execve: a server that does not answer would hold the keeper. */
static bool is_near(const struct spawning *s)
{
	return near_has(&s->keeper->near, s->spec->path) &&
			near_has(&s->keeper->near, s->spec->working_directory);
}

static void spawn_described(struct spawning *s)
{
	struct charges *charges = &s->keeper->charges;

	s->process = process_new(charges, s->charge, charges->next_spawn_id++);
	if (!s->process) {
		refuse(s->keeper, s->request, -ENOMEM, "");
		return;
	}
	s->process->keeper = s->keeper;
	s->process->kind = s->request->kind;
	s->process->index = s->request->index;
	if (exec_spec_is_direct(s->spec) && is_near(s))
		(void)spawn_directly(s);
	else
		(void)spawn_by_executor(s);
}

void spawn_handle(struct keeper *keeper, const struct protocol_message *m)
{
	struct description_request request = { .message = m };
	auto_(unit) unit = NULL;
	auto_(exec_spec) spec = NULL;
	struct exec_report report;
	int r = keeper_open_unit(keeper, m->unit, &unit);

	request.unit = unit;
	request.command = find_command(unit, m);
	if (r == 0 && (!request.command || keeper->phase >= KEEPER_KILLING))
		r = request.command ? -ESHUTDOWN : -ENOENT;
	if (r < 0) {
		refuse(keeper, m, r, m->unit);
		return;
	}
	request.charge = charge_get(&keeper->charges, m->unit);
	if (!request.charge) {
		refuse(keeper, m, -ENOMEM, m->unit);
		return;
	}
	if (charge_is_full(request.charge)) {
		refuse(keeper, m, -EAGAIN, "too many processes of this unit");
		return;
	}
	owed_settle(keeper, request.charge);
	sweep_settle(&keeper->sweep);
	request.charge->was_killed = false;
	renew_invocation(request.charge, m);
	r = spawn_open_notify(keeper, request.charge, unit);
	if (r < 0) {
		refuse(keeper, m, r, "notify socket");
		return;
	}
	r = description_build(keeper, &request, &spec, &report);
	if (r < 0) {
		spawn_answer_failed(keeper, m->serial, &report);
		return;
	}
	spawn_described(&(struct spawning){ .keeper = keeper,
			.request = m,
			.charge = request.charge,
			.spec = spec });
}

int spawn_init(struct keeper *keeper)
{
	auto_free char *path =
			text_format("%s/airssys-exec", keeper->options.libexec_dir);
	auto_close int fd = -1;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		log_error("cannot open %s: %s", path, strerror(errno));
		return -errno;
	}
	/* The other places are taken by the same file until they are needed, so that no
	 * other descriptor ever gets their numbers. */
	for (int place = EXECUTOR_PROGRAM_FD; place < KEEPER_FIRST_FREE_FD; place++)
		if (fd != place && dup3(fd, place, O_CLOEXEC) < 0)
			return -errno;
	if (fd < KEEPER_FIRST_FREE_FD)
		(void)take_fd(&fd);
	return 0;
}
