/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "keeper/adopt.h"
#include "keeper/earlier.h"
#include "keeper/keeper.h"
#include "keeper/load.h"
#include "keeper/members.h"
#include "keeper/reap.h"
#include "keeper/spawn.h"

#define KILL_PATIENCE_USEC (10 * USEC_PER_SEC)
#define STOP_SLACK_USEC    (30 * USEC_PER_SEC)
#define CORE_PATIENCE_USEC (5 * USEC_PER_SEC)
#define EXIT_PATIENCE_USEC USEC_PER_SEC
#define ECHO_USEC          (200 * USEC_PER_MSEC)
#define SIGNAL_BATCH       16 /* signals before other events have their turn */

/*
 * By system call: the library refuses the two signals that it uses itself, and a parent
 * may have left them ignored. A zeroed action of the kernel's own form is the default.
 */
static void reset_signals(void)
{
	static const uint64_t default_action[4];

	for (int signo = 1; signo < NSIG; signo++)
		(void)syscall(SYS_rt_sigaction, signo, default_action, NULL,
				sizeof(uint64_t));
}

/* What the keeper was born with is not what its children shall have. */
static int clean_process(struct keeper *keeper)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	reset_signals();
	(void)umask(022);
	if (chdir("/") < 0)
		return -errno;
	/* Orphans of services stay ours to find and to wait for. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	return getrlimit(RLIMIT_NOFILE, &keeper->nofile) < 0 ? -errno : 0;
}

static void raise_descriptors(const struct keeper *keeper)
{
	struct rlimit limit = keeper->nofile;

	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* what we have is enough for most */
}

static void read_oom_score(struct keeper *keeper)
{
	auto_free char *data = NULL;
	size_t size;

	keeper->has_oom_score =
			file_read("/proc/self/oom_score_adj", 32, &data, &size) == 0 &&
			strcmp(data, "0\n") != 0;
}

static void begin_stop(struct keeper *keeper)
{
	const struct protocol_message stop = { .type = PROTOCOL_STOP };
	uint64_t patience = STOP_SLACK_USEC;

	keeper->phase = KEEPER_STOPPING;
	upward_say(&keeper->upward, "STOPPING=1\nSTATUS=Stopping the tree.");
	patience = usec_add(patience,
			usec_add(keeper->set->stop_usec, keeper->set->stop_usec));
	keeper->stop_deadline_usec = usec_add(clock_monotonic_usec(), patience);
	core_send(&keeper->core, &stop, NULL, 0);
	sweep_begin(&keeper->sweep);
}

static void kill_charge(struct keeper *keeper, struct charge *charge)
{
	const struct signals kill = { SIGKILL, 0 };
	int r = charge->has_cgroup ? cgroup_signal(&keeper->cgroup, charge, kill)
				   : members_signal(keeper, charge, kill);

	/* Nobody there: then it is empty by now. */
	if (r < 0)
		reap_check_empty(keeper, charge);
}

static void kill_charges(struct keeper *keeper)
{
	struct charge *charge;
	size_t cursor;

	charges_foreach(&keeper->charges, cursor, charge)
		if (charge->is_occupied)
			kill_charge(keeper, charge);
}

static void begin_kill(struct keeper *keeper, const char *why)
{
	log_error("%s: every process is killed", why);
	sweep_settle(&keeper->sweep);
	keeper->phase = KEEPER_KILLING;
	keeper->exit_status = 1;
	keeper->stop_deadline_usec = usec_add(clock_monotonic_usec(), KILL_PATIENCE_USEC);
	core_kill(&keeper->core);
	kill_charges(keeper);
}

static void reload(struct keeper *keeper)
{
	upward_say(&keeper->upward, "RELOADING=1\nMONOTONIC_USEC=%llu",
			(unsigned long long)clock_monotonic_usec());
	if (load_units(keeper) >= 0)
		load_send_config(keeper, 0);
	upward_say(&keeper->upward, "READY=1");
}

/*
 * timeout(1) and others signal their child and then the group that it is in: that is one
 * request, which a second SIGTERM would otherwise turn into killing everything.
 */
static bool is_said_twice(
		const struct keeper *keeper, const struct signalfd_siginfo *info)
{
	return info->ssi_pid > 0 && (pid_t)info->ssi_pid == keeper->stop_sender &&
			info->ssi_signo == keeper->stop_signal &&
			usec_sub(clock_monotonic_usec(), keeper->stop_asked_usec) <
			ECHO_USEC;
}

static void on_stop_signal(struct keeper *keeper, const struct signalfd_siginfo *info)
{
	if (keeper->phase == KEEPER_STOPPING && !is_said_twice(keeper, info))
		begin_kill(keeper, "asked to stop a second time");
	if (keeper->phase != KEEPER_RUNNING)
		return;
	keeper->stop_asked_usec = clock_monotonic_usec();
	keeper->stop_signal = info->ssi_signo;
	keeper->stop_sender = (pid_t)info->ssi_pid;
	begin_stop(keeper);
}

static void on_signal(struct keeper *keeper, const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGCHLD:
		reap_child(keeper, (pid_t)info->ssi_pid);
		break;
	case SIGHUP:
		reload(keeper);
		break;
	case SIGTERM:
	case SIGINT:
		on_stop_signal(keeper, info);
		break;
	default:
		break;
	}
}

static void on_signal_fd(struct loop_source *source, uint32_t events)
{
	struct keeper *keeper = CONTAINER_OF(source, struct keeper, signal_source);
	struct signalfd_siginfo info;

	(void)events;
	for (int i = 0; i < SIGNAL_BATCH &&
			read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info);
			i++)
		on_signal(keeper, &info);
}

static int catch_signals(struct keeper *keeper)
{
	/* A service that stops and continues itself all the time is nothing to us. */
	const struct sigaction only_ends = { .sa_handler = SIG_DFL,
		.sa_flags = SA_NOCLDSTOP };
	static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(handled); i++)
		sigaddset(&set, handled[i]);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	keeper->signal_fd = fd;
	if (sigaction(SIGCHLD, &only_ends, NULL) < 0)
		return -errno;
	/* A reader of our standard error may be gone. */
	sigaddset(&set, SIGPIPE);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -errno;
	keeper->signal_source.on_ready = on_signal_fd;
	return loop_add(&keeper->loop, &keeper->signal_source, fd, EPOLLIN);
}

static void on_time(struct keeper *keeper, uint64_t now)
{
	if (keeper->phase < KEEPER_KILLING)
		core_on_time(&keeper->core, now);
	if (now >= keeper->next_watchdog_usec) {
		upward_say(&keeper->upward, "WATCHDOG=1");
		core_ping(&keeper->core);
		keeper->next_watchdog_usec =
				usec_add(now, keeper->upward.watchdog_usec / 2);
	}
	if (now < keeper->stop_deadline_usec)
		return;
	if (keeper->phase == KEEPER_STOPPING)
		begin_kill(keeper, "the tree did not stop in time");
	else if (keeper->phase == KEEPER_KILLING)
		keeper->phase = KEEPER_DONE;
}

static uint64_t next_usec(const struct keeper *keeper)
{
	uint64_t next = MIN_OF(core_next_usec(&keeper->core), keeper->next_watchdog_usec);

	return MIN_OF(next, keeper->stop_deadline_usec);
}

/* When there is something that waits until nothing else is to be done; 0: now. */
static uint64_t next_idle_usec(const struct keeper *keeper)
{
	if (keeper->events_before_reaping > 0)
		return 0;
	return sweep_is_busy(&keeper->sweep) ? USEC_INFINITY : owed_next_usec(keeper);
}

static void do_idle_work(struct keeper *keeper)
{
	if (keeper->events_before_reaping > 0)
		reap_children(keeper);
	else if (!sweep_is_busy(&keeper->sweep))
		owed_settle_due(keeper, clock_monotonic_usec());
}

/* However busy the keeper is, it does not wait for ever. */
static void do_late_work(struct keeper *keeper)
{
	if (keeper->events_before_reaping > 0 && --keeper->events_before_reaping == 0)
		reap_children(keeper);
	if (!list_is_empty(&keeper->owed))
		owed_settle_late(keeper, clock_monotonic_usec());
}

static int turn(struct keeper *keeper, uint64_t next)
{
	uint64_t idle = next_idle_usec(keeper);
	int r;

	keeper->turns++;
	/* The core hears of nothing that the next keeper would not. */
	sweep_flush(&keeper->sweep);
	state_flush(&keeper->state);
	core_flush(&keeper->core);
	next = MIN_OF(next, reap_next_usec(keeper));
	next = MIN_OF(next, sweep_next_usec(&keeper->sweep));
	next = MIN_OF(next, logs_next_usec(&keeper->logs));
	next = MIN_OF(next, idle);
	r = loop_turn(&keeper->loop, usec_sub(next, clock_monotonic_usec()));
	if (r < 0)
		return r;
	if (r == 0)
		do_idle_work(keeper);
	else if (idle != USEC_INFINITY)
		do_late_work(keeper);
	if (keeper->look_again_usec > 0)
		reap_on_time(keeper, clock_monotonic_usec());
	if (sweep_is_busy(&keeper->sweep))
		sweep_on_time(&keeper->sweep, clock_monotonic_usec());
	if (keeper->members_are_due)
		members_look(keeper);
	if (keeper->logs.look_usec > 0)
		logs_on_time(&keeper->logs, clock_monotonic_usec());
	if (keeper->vanished_are_due && keeper->phase == KEEPER_RUNNING)
		load_forget_vanished(keeper);
	return 0;
}

static int run(struct keeper *keeper)
{
	int r = 0;

	while (r == 0 && keeper->phase != KEEPER_DONE) {
		r = turn(keeper, next_usec(keeper));
		if (r == 0)
			on_time(keeper, clock_monotonic_usec());
		if (keeper->phase == KEEPER_KILLING &&
				!charges_are_occupied(&keeper->charges))
			keeper->phase = KEEPER_DONE;
	}
	return r;
}

/* The core ends when its link is closed; it is not waited for for ever. */
static void end_core(struct keeper *keeper)
{
	uint64_t deadline = usec_add(clock_monotonic_usec(), CORE_PATIENCE_USEC);

	core_fini(&keeper->core);
	while (keeper->core.pid > 0 && clock_monotonic_usec() < deadline)
		if (turn(keeper, deadline) < 0)
			break;
	if (keeper->core.pid == 0)
		return;
	core_kill(&keeper->core);
	deadline = usec_add(clock_monotonic_usec(), CORE_PATIENCE_USEC);
	while (keeper->core.pid > 0 && clock_monotonic_usec() < deadline)
		if (turn(keeper, deadline) < 0)
			break;
}

/* KillMode= says that something may outlive the service, and so the tree. */
static bool is_spared(const struct keeper *keeper, const struct charge *charge)
{
	auto_(unit) unit = NULL;
	int r = keeper_open_unit(keeper, charge->name, &unit);

	/* Nothing is killed for want of memory. */
	if (r < 0)
		return r != -ENOENT;
	return unit->kind == UNIT_SERVICE &&
			(unit->service.kill_mode == UNIT_KILL_PROCESS ||
					unit->service.kill_mode == UNIT_KILL_NONE);
}

/* The core says that the tree is down. What is still there escaped it. */
static void kill_leftovers(struct keeper *keeper)
{
	uint64_t deadline = usec_add(clock_monotonic_usec(), KILL_PATIENCE_USEC);
	struct charge *charge;
	size_t cursor;

	charges_foreach(&keeper->charges, cursor, charge) {
		if (!charge->is_occupied || is_spared(keeper, charge))
			continue;
		log_warning("%s has processes left and is killed", charge->name);
		kill_charge(keeper, charge);
		while (charge->is_occupied && clock_monotonic_usec() < deadline)
			if (turn(keeper, deadline) < 0)
				return;
	}
}

/* Nothing stays behind: what is still occupied was left alive on purpose. */
static void clear(struct keeper *keeper)
{
	uint64_t deadline = usec_add(clock_monotonic_usec(), EXIT_PATIENCE_USEC);
	struct charge *charge;
	size_t cursor;

	charges_foreach(&keeper->charges, cursor, charge) {
		/* A process whose end is known leaves its cgroup a moment later. */
		if (charge->has_cgroup && !charge->is_occupied)
			cgroup_await_empty(&keeper->cgroup, charge, deadline);
		if (cgroup_is_there(&keeper->cgroup))
			cgroup_remove(&keeper->cgroup, charge);
		if (charge->notify_fd >= 0)
			runtime_remove_notify(&keeper->runtime, charge->name);
	}
	state_remove(&keeper->state);
	earlier_remove(keeper);
	runtime_clear(&keeper->runtime);
}

static int fail(int r, const char *what)
{
	log_error("%s: %s", what, strerror(-r));
	return r;
}

static int open_runtime(struct keeper *keeper)
{
	const char *path = keeper->options.runtime_dir;
	int r;

	if (!runtime_path_fits(path, RUNTIME_CONTROL, "")) {
		log_error("%s is too long: a socket in it could not be reached; give a shorter "
			  "--runtime-dir=",
				path);
		return -ENAMETOOLONG;
	}
	r = runtime_init(&keeper->runtime, path);
	if (r == -EWOULDBLOCK) {
		log_error("another airssysd serves %s; give this one a --runtime-dir= of "
			  "its own",
				path);
		return r;
	}
	if (r == -EPERM || r == -ELOOP) {
		log_error("%s, or a folder or link on the way to it, belongs to somebody "
			  "else or may be written by others; give a --runtime-dir= "
			  "below folders of your own or of root",
				path);
		return r;
	}
	if (r < 0)
		log_error("the runtime directory %s cannot be made or written: %s; give "
			  "another --runtime-dir=",
				path, strerror(-r));
	return r;
}

static char *instance_name(const struct options *options)
{
	uint64_t h = UINT64_C(14695981039346656037);

	if (options->is_default_runtime)
		return strdup("airssys");
	for (const char *p = options->runtime_dir; *p; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
	return text_format("airssys-%016llx", (unsigned long long)h);
}

static void on_cgroup(void *data, struct charge *charge)
{
	reap_check_empty(data, charge);
}

static int open_cgroup(struct keeper *keeper, const char *previous)
{
	auto_free char *instance = instance_name(&keeper->options);
	int r = -EOPNOTSUPP;

	if (!instance)
		return -ENOMEM;
	if (!text_equals(getenv("AIRSSYS_CGROUP"), "no"))
		r = cgroup_init(&keeper->cgroup, instance, previous);
	if (r == 0)
		r = cgroup_start_watching(
				&keeper->cgroup, &keeper->loop, on_cgroup, keeper);
	if (r == 0)
		return 0;
	log_notice("no cgroup can be used (%s): services are followed by descent and "
		   "session, and one that leaves both escapes",
			strerror(-r));
	cgroup_fini(&keeper->cgroup);
	return 0;
}

/* What an earlier keeper knew, and the files of now. */
static int take_over(struct keeper *keeper)
{
	auto_free char *previous = NULL;
	int r;

	state_init(&keeper->state, keeper->runtime.state_fd);
	r = adopt_read(keeper, &previous);
	if (r == 0)
		r = open_cgroup(keeper, previous);
	if (r < 0)
		return r;
	keeper->state.cgroup = keeper->cgroup.path;
	r = adopt_processes(keeper);
	if (r < 0)
		return r;
	load_find_vanished(keeper);
	(void)state_rewrite(
			&keeper->state, &keeper->charges); /* says itself what failed */
	return 0;
}

static int listen_for_control(struct keeper *keeper)
{
	gid_t group = (gid_t)-1;
	int r;

	if (geteuid() == 0 && !keeper->options.is_user &&
			users_find_group(&keeper->users, "airssys", &group) < 0)
		group = (gid_t)-1;
	r = runtime_listen(&keeper->runtime,
			keeper->options.is_user ? RUNTIME_USER : RUNTIME_SYSTEM, group);
	return r < 0 ? fail(r, "control socket") : 0;
}

static int load_first(struct keeper *keeper)
{
	int r;

	r = unit_context_init(&keeper->context, keeper->options.runtime_base);
	if (r == 0)
		r = load_units(keeper);
	/* What an earlier keeper had in force goes on. */
	if (r <= 0 || !keeper->options.is_strict || keeper->has_earlier)
		return r < 0 ? r : 0;
	log_error("%d mistakes in the unit files, and --strict is given", r);
	return -EINVAL;
}

static int start(struct keeper *keeper)
{
	int r;

	/* First of all: its descriptors have fixed numbers. */
	r = clean_process(keeper);
	if (r == 0)
		r = spawn_init(keeper);
	if (r < 0)
		return r;
	upward_init(&keeper->upward);
	raise_descriptors(keeper);
	read_oom_score(keeper);
	r = loop_init(&keeper->loop);
	if (r == 0)
		r = catch_signals(keeper);
	if (r < 0)
		return fail(r, "event loop");
	r = open_runtime(keeper);
	if (r < 0)
		return r;
	logs_init(&keeper->logs, keeper->runtime.log_fd, &keeper->loop);
	r = load_first(keeper);
	if (r == 0)
		r = core_init(&keeper->core, keeper);
	if (r == 0)
		r = take_over(keeper);
	if (r == 0)
		r = listen_for_control(keeper);
	return r == 0 ? core_start(&keeper->core) : r;
}

static void keeper_fini(struct keeper *keeper)
{
	core_fini(&keeper->core);
	sweep_fini(&keeper->sweep);
	cgroup_fini(&keeper->cgroup);
	state_fini(&keeper->state);
	charges_fini(&keeper->charges);
	load_fini(keeper);
	journal_fini(&keeper->journal);
	logs_fini(&keeper->logs);
	near_fini(&keeper->near);
	orphans_fini(&keeper->orphans);
	users_forget(&keeper->users);
	upward_fini(&keeper->upward);
	loop_remove(&keeper->loop, &keeper->signal_source);
	keeper->signal_fd = close_fd(keeper->signal_fd);
	loop_fini(&keeper->loop);
	runtime_fini(&keeper->runtime);
	options_fini(&keeper->options);
}

static void keeper_init(struct keeper *keeper, const struct options *options)
{
	*keeper = (struct keeper){
		.options = *options,
		.loop = { .epoll_fd = -1 },
		.runtime = { -1, -1, -1, -1, -1, -1 },
		.state = { .folder_fd = -1, .log_fd = -1 },
		.cgroup = { .folder_fd = -1, .inotify_fd = -1 },
		.upward = { .fd = -1 },
		.snapshot_fd = -1,
		.signal_fd = -1,
		.logs = { .folder_fd = -1, .inotify_fd = -1 },
		.turns = 1,
		.stop_deadline_usec = USEC_INFINITY,
		.next_watchdog_usec = USEC_INFINITY,
	};
	list_init(&keeper->owed);
	sweep_init(&keeper->sweep, keeper);
	keeper->signal_source.fd = -1;
	keeper->cgroup.source.fd = -1;
	keeper->logs.source.fd = -1;
}

static int serve(struct keeper *keeper)
{
	int r;

	r = start(keeper);
	if (r < 0)
		return EXIT_FAILURE;
	if (keeper->upward.watchdog_usec > 0)
		keeper->next_watchdog_usec = clock_monotonic_usec();
	r = run(keeper);
	if (r < 0) {
		(void)fail(r, "event loop");
		return EXIT_FAILURE;
	}
	sweep_fini(&keeper->sweep);
	end_core(keeper);
	kill_leftovers(keeper);
	clear(keeper);
	return keeper->exit_status;
}

int main(int argc, char **argv)
{
	enum options_outcome outcome;
	static struct keeper keeper; /* larger than a stack frame should be */
	struct options options;
	int status;

	log_open("airssysd", LOG_LEVEL_NOTICE);
	outcome = options_parse(argc, argv, &options);
	if (outcome != OPTIONS_RUN)
		return outcome == OPTIONS_DONE ? EXIT_SUCCESS : 2;
	keeper_init(&keeper, &options);
	status = serve(&keeper);
	keeper_fini(&keeper);
	return status;
}
