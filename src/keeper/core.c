/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "exec/steps.h"
#include "keeper/clone.h"
#include "keeper/keeper.h"
#include "keeper/request.h"

#define DYNAMIC_UID_LOCKS "/run/systemd/dynamic-uid"

#define BUFFER_SIZE     (4 * 1024 * 1024)
#define QUEUE_MAX       (64 * 1024 * 1024)
#define SHORT_LIFE_USEC (5 * USEC_PER_SEC)
#define FIRST_DELAY     (100 * USEC_PER_MSEC)
#define DELAY_MAX       (10 * USEC_PER_SEC)
#define LEAVE_PATIENCE  (3 * USEC_PER_SEC) /* from the end of the link to its own */
#define BATCH           16 /* datagrams before other events have their turn */
#define TOGETHER        8 /* messages that wait for each other */
#define LAST_BATCHES    256 /* of a core that has ended */

/* A datagram that waits for room in the socket, with its own descriptors. */
struct queued {
	struct list link;
	size_t size;
	size_t n_fds;
	int fds[2];
	uint8_t data[];
};

static void queued_free(struct queued *queued)
{
	for (size_t i = 0; i < queued->n_fds; i++)
		close_fd(queued->fds[i]);
	free(queued);
}

static void drop_queue(struct core *core)
{
	struct queued *queued, *next;

	list_foreach_safe(queued, next, &core->queue, link) {
		list_remove(&queued->link);
		queued_free(queued);
	}
	core->queued_bytes = 0;
}

/* A core that goes on without a link would keep the next one from being started. */
static void close_link(struct core *core)
{
	if (core->link_fd >= 0 && core->pid > 0)
		core->leave_usec = usec_add(clock_monotonic_usec(), LEAVE_PATIENCE);
	loop_remove(&core->keeper->loop, &core->source);
	core->link_fd = close_fd(core->link_fd);
	protocol_batch_clear(&core->batch);
	drop_queue(core);
}

void core_kill(struct core *core)
{
	if (core->pid > 0)
		(void)kill(core->pid, SIGKILL);
}

static int enqueue(struct core *core, const void *data, size_t size, const int *fds,
		size_t n_fds)
{
	struct queued *queued = calloc(1, sizeof(*queued) + size);

	if (!queued)
		return -ENOMEM;
	memcpy(queued->data, data, size);
	queued->size = size;
	for (size_t i = 0; i < n_fds; i++) {
		queued->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (queued->fds[i] < 0) {
			queued_free(queued);
			return -errno;
		}
		queued->n_fds++;
	}
	list_append(&core->queue, &queued->link);
	core->queued_bytes += size + sizeof(*queued);
	return 0;
}

/* Whatever is lost here would be missed for ever: a new core hears everything again. */
static void give_up_link(struct core *core, const char *why)
{
	log_error("airssys-core is out of step and is started again: %s", why);
	close_link(core);
	core_kill(core);
}

static void flush_queue(struct core *core)
{
	struct queued *queued, *next;
	int r;

	list_foreach_safe(queued, next, &core->queue, link) {
		r = fd_send(core->link_fd, queued->data, queued->size, queued->fds,
				queued->n_fds);
		if (r == -EAGAIN)
			return;
		if (r < 0) {
			close_link(core);
			return;
		}
		core->queued_bytes -= queued->size + sizeof(*queued);
		list_remove(&queued->link);
		queued_free(queued);
	}
	if (loop_change(&core->keeper->loop, &core->source, EPOLLIN) < 0)
		give_up_link(core, "epoll");
}

/* While something waits, nothing more is read: a core that asks and does not listen would
 * fill memory with answers and the descriptors that go with them. */
static void queue_or_give_up(struct core *core, struct protocol_part part, const int *fds,
		size_t n_fds)
{
	bool was_empty = list_is_empty(&core->queue);

	if (core->queued_bytes > QUEUE_MAX) {
		give_up_link(core, "it does not read");
		return;
	}
	if (enqueue(core, part.data, part.size, fds, n_fds) < 0 ||
			(was_empty &&
					loop_change(&core->keeper->loop, &core->source,
							EPOLLOUT) < 0))
		give_up_link(core, "a message could not be kept");
}

static void transmit(struct core *core, struct protocol_part part, const int *fds,
		size_t n_fds)
{
	int r = -EAGAIN;

	if (list_is_empty(&core->queue))
		r = fd_send(core->link_fd, part.data, part.size, fds, n_fds);
	if (r == -EAGAIN)
		queue_or_give_up(core, part, fds, n_fds);
	else if (r < 0)
		close_link(core); /* it is dying: its end is on the way */
}

void core_flush(struct core *core)
{
	if (core->batch.count == 0 || core->link_fd < 0)
		return;
	transmit(core, protocol_batch_get(&core->batch), NULL, 0);
	protocol_batch_clear(&core->batch);
}

static void complain(const struct protocol_message *message, int error)
{
	log_error("cannot encode %s: %s", protocol_type_name(message->type),
			strerror(-error));
}

static void send_in_batch(struct core *core, const struct protocol_message *message)
{
	int r = protocol_batch_add(&core->batch, message);

	if (r == -EMSGSIZE && core->batch.count > 0) {
		core_flush(core);
		if (core->link_fd < 0)
			return;
		r = protocol_batch_add(&core->batch, message);
	}
	if (r < 0)
		complain(message, r);
	/* It shall work while we do. */
	if (core->batch.count >= TOGETHER)
		core_flush(core);
}

static void send_alone(struct core *core, const struct protocol_message *message,
		const int *fds, size_t n_fds)
{
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	ssize_t size = protocol_encode(message, buffer, sizeof(buffer));

	core_flush(core);
	if (size < 0)
		complain(message, (int)size);
	else if (core->link_fd >= 0)
		transmit(core, (struct protocol_part){ buffer, (size_t)size }, fds,
				n_fds);
}

void core_send(struct core *core, const struct protocol_message *message, const int *fds,
		size_t n_fds)
{
	if (core->link_fd < 0)
		return;
	if (n_fds > 0)
		send_alone(core, message, fds, n_fds);
	else
		send_in_batch(core, message);
}

/* How many messages there were, at most BATCH. */
static int receive(struct core *core)
{
	uint8_t buffer[PROTOCOL_MESSAGE_MAX + 1];
	ssize_t n;
	int i;

	for (i = 0; i < BATCH && core->link_fd >= 0 && list_is_empty(&core->queue); i++) {
		n = fd_receive(core->link_fd, buffer, sizeof(buffer), NULL, 0, NULL);
		if (n == -EAGAIN)
			break;
		if (n == -EMSGSIZE) /* too long for any message: as malformed */
			n = sizeof(buffer);
		if (n <= 0) {
			close_link(core);
			break;
		}
		request_handle(core->keeper, buffer, (size_t)n);
	}
	return i;
}

static void on_link(struct loop_source *source, uint32_t events)
{
	struct core *core = CONTAINER_OF(source, struct core, source);

	if (events & EPOLLOUT)
		flush_queue(core);
	if (core->link_fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		(void)receive(core);
}

static void widen(int fd)
{
	const int size = BUFFER_SIZE;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int make_link(int ret_fds[static 2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			    ret_fds) < 0)
		return -errno;
	widen(ret_fds[0]);
	widen(ret_fds[1]);
	return 0;
}

/* The core's environment: what its libraries may need, nothing of the caller's. */
static int make_environment(struct exec_spec *spec)
{
	static const char *const passed[] = { "LANG", "TZ", "JOURNAL_STREAM",
		"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS" };
	int r = strv_append(&spec->envp, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	const char *value;

	for (size_t i = 0; i < ARRAY_SIZE(passed) && r == 0; i++) {
		value = getenv(passed[i]);
		if (value)
			r = strv_append_take(&spec->envp,
					text_format("%s=%s", passed[i], value));
	}
	return r;
}

static int describe(const struct core *core, struct exec_spec **ret_spec)
{
	auto_(exec_spec) spec = calloc(1, sizeof(*spec));
	int r;

	if (!spec)
		return -ENOMEM;
	spec->path = text_format("%s/airssys-core", core->keeper->options.libexec_dir);
	if (!spec->path)
		return -ENOMEM;
	r = strv_append(&spec->argv, "airssys-core");
	if (r == 0)
		r = make_environment(spec);
	if (r < 0)
		return r;
	spec->uid = core->uid;
	spec->gid = core->gid;
	spec->set_credentials = geteuid() == 0;
	spec->set_capability_bounding = geteuid() == 0;
	spec->no_new_privileges = true;
	spec->umask = 0077;
	spec->out.output = spec->err.output = EXEC_OUTPUT_INHERIT;
	*ret_spec = TAKE_PTR(spec);
	return 0;
}

static int run_core(void *data)
{
	struct exec_run *run = data;

	(void)exec_run(run);
	if (fd_write_all(run->report_fd, &run->report, sizeof(run->report)) < 0)
		return EXEC_STATUS_BASE;
	return EXEC_STATUS_BASE + (int)run->report.step;
}

/* Waits for the few milliseconds until the child has executed the core or failed. */
static int await_report(int fd)
{
	struct exec_report report;
	ssize_t n;

	do {
		n = read(fd, &report, sizeof(report));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(report))
		return -EPROTO;
	log_error("airssys-core failed at step %s: %s%s%s", exec_step_name(report.step),
			strerror(report.error), *report.detail ? ": " : "",
			report.detail);
	return report.error > 0 ? -report.error : -EPROTO;
}

static int launch(struct core *core, int core_end)
{
	auto_close int report_fd = -1, write_fd = -1;
	auto_(exec_spec) spec = NULL;
	auto_free char **envp = NULL;
	struct exec_run run = { .program_fd = core->program_fd, .keep_fd = core_end };
	struct clone_request request = {
		.memory = CLONE_COPIED, .child = run_core, .data = &run, .cgroup_fd = -1
	};
	int pipe_fds[2], r;
	pid_t pid;

	r = describe(core, &spec);
	if (r < 0)
		return r;
	envp = exec_run_environment(spec);
	if (!envp || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return envp ? -errno : -ENOMEM;
	report_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	run.spec = spec;
	run.envp = envp;
	run.report_fd = write_fd;
	r = clone_process(&request, &pid);
	if (r < 0)
		return r;
	write_fd = close_fd(write_fd);
	r = await_report(report_fd);
	if (r < 0) {
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	core->pid = pid;
	return 0;
}

int core_start(struct core *core)
{
	auto_close int ours = -1, theirs = -1;
	int fds[2], r;

	/* What is not known of an end yet was to be told to the last core: this one hears
	 * it when it is greeted, and nothing before. */
	sweep_settle(&core->keeper->sweep);
	r = make_link(fds);
	if (r < 0)
		return r;
	ours = fds[0];
	theirs = fds[1];
	core->restart_usec = core->leave_usec = 0;
	core->started_usec = clock_monotonic_usec();
	core->is_up = false;
	core->owes_pong = core->said_nonsense = false;
	r = launch(core, theirs);
	if (r < 0)
		return r;
	r = loop_add(&core->keeper->loop, &core->source, ours, EPOLLIN);
	if (r < 0) {
		core_kill(core);
		return r;
	}
	core->link_fd = take_fd(&ours);
	request_greet(core->keeper);
	return 0;
}

static void tell_end(const struct core *core, int code, int status, uint64_t delay_usec)
{
	const char *signal = code == CLD_EXITED ? NULL : signal_name(status);
	auto_text when = { 0 };

	if (delay_usec > 0) {
		text_append(&when, "in ");
		text_append_duration(&when, delay_usec);
	}
	if (signal)
		log_error("airssys-core (pid %d) was killed by %s; it is started again "
			  "%s, services keep running",
				core->pid, signal, delay_usec ? text_get(&when) : "now");
	else
		log_error("airssys-core (pid %d) exited with status %d; it is started "
			  "again %s, services keep running",
				core->pid, status, delay_usec ? text_get(&when) : "now");
}

/* Nothing after a life that was long enough, then doubling. */
static void plan_restart(struct core *core, uint64_t now)
{
	if (now - core->started_usec >= SHORT_LIFE_USEC)
		core->delay_usec = 0;
	else if (core->restarts > 0)
		core->delay_usec = core->delay_usec == 0
				? FIRST_DELAY
				: MIN_OF(2 * core->delay_usec, DELAY_MAX);
	core->restarts++;
	core->restart_usec = now + core->delay_usec;
}

bool core_on_end(struct core *core, pid_t pid, int code, int status)
{
	if (pid != core->pid || pid == 0)
		return false;
	drop_queue(core);
	/* Its last words: it may have said DOWN. A child that it left could go on talking
	 * for ever. */
	for (int i = 0; i < LAST_BATCHES && core->link_fd >= 0 &&
			core->keeper->phase != KEEPER_DONE;
			i++)
		if (receive(core) == 0)
			break;
	close_link(core);
	if (core->keeper->phase < KEEPER_KILLING) {
		plan_restart(core, clock_monotonic_usec());
		tell_end(core, code, status, core->delay_usec);
	}
	core->pid = 0;
	core->leave_usec = 0;
	/* Nothing is left to stop: no other core is needed to say so. */
	if (core->keeper->phase == KEEPER_STOPPING &&
			!charges_are_occupied(&core->keeper->charges))
		core->keeper->phase = KEEPER_DONE;
	return true;
}

static void end_without_link(struct core *core, uint64_t now_usec)
{
	if (core->leave_usec == 0 || now_usec < core->leave_usec)
		return;
	log_error("airssys-core (pid %d) has closed its link, does not end and is killed",
			core->pid);
	core->leave_usec = 0;
	core_kill(core);
}

void core_on_time(struct core *core, uint64_t now_usec)
{
	int r;

	end_without_link(core, now_usec);
	if (core->restart_usec == 0 || now_usec < core->restart_usec)
		return;
	r = core_start(core);
	if (r == 0 || core->pid > 0)
		return;
	log_error("cannot start airssys-core: %s", strerror(-r));
	plan_restart(core, now_usec);
}

uint64_t core_next_usec(const struct core *core)
{
	uint64_t next = core->restart_usec ? core->restart_usec : USEC_INFINITY;

	return core->leave_usec ? MIN_OF(next, core->leave_usec) : next;
}

void core_ping(struct core *core)
{
	const struct protocol_message ping = { .type = PROTOCOL_PING };

	if (core->pid == 0)
		return;
	if (core->owes_pong) {
		log_error("airssys-core (pid %d) does not answer and is killed",
				core->pid);
		core_kill(core);
		return;
	}
	core->owes_pong = true;
	core_send(core, &ping, NULL, 0);
}

static int pick_transient_uid(struct core *core)
{
	int r;

	r = transient_uid_take(
			DYNAMIC_UID_LOCKS, &core->keeper->users, &core->transient_uid);
	if (r == 0)
		core->uid = core->gid = core->transient_uid.uid;
	return r;
}

static int pick_user(struct core *core)
{
	const char *wanted = core->keeper->options.core_user;
	const struct user *user;
	int r;

	core->uid = geteuid();
	core->gid = getegid();
	if (geteuid() != 0)
		return 0;
	r = users_find(&core->keeper->users, wanted ? wanted : "airssys", &user);
	if (r == 0) {
		core->uid = user->uid;
		core->gid = user->gid;
		return 0;
	}
	if (r != -ESRCH)
		return r;
	if (wanted) {
		log_error("--core-user=%s: there is no such user", wanted);
		return -ESRCH;
	}
	r = pick_transient_uid(core);
	if (r == 0)
		log_notice("there is no user airssys: airssys-core runs as uid %u",
				(unsigned int)core->uid);
	return r;
}

int core_init(struct core *core, struct keeper *keeper)
{
	auto_free char *path = NULL;

	*core = (struct core){ .keeper = keeper, .program_fd = -1, .link_fd = -1 };
	core->transient_uid = (struct transient_uid){ .folder_fd = -1, .lock_fd = -1 };
	core->source.fd = -1;
	core->source.on_ready = on_link;
	list_init(&core->queue);
	path = text_format("%s/airssys-core", keeper->options.libexec_dir);
	if (!path)
		return -ENOMEM;
	core->program_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (core->program_fd < 0) {
		log_error("cannot open %s: %s", path, strerror(errno));
		return -errno;
	}
	return pick_user(core);
}

void core_fini(struct core *core)
{
	if (!core->keeper)
		return;
	close_link(core);
	core->program_fd = close_fd(core->program_fd);
	/* As long as it lives it has the number. */
	if (core->pid == 0)
		transient_uid_release(&core->transient_uid);
}
