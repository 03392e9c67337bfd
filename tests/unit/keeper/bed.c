/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/text.h"
#include "fake-core.h"
#include "support/test.h"

#define STEP_MSEC 2

static const char *build_path(const char *name)
{
	const char *top = getenv("top_builddir");

	return test_path(top ? top : ".", name);
}

static void nap(void)
{
	const struct timespec step = { .tv_nsec = STEP_MSEC * 1000000L };

	(void)nanosleep(&step, NULL);
}

static void wait_readable(int fd, const char *what)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	ck_assert_msg(poll(&ready, 1, BED_PATIENCE_MSEC) == 1, "nothing came: %s", what);
}

static void listen_for_cores(struct bed *bed)
{
	struct sockaddr_un address;
	socklen_t size = fake_core_address(bed->runtime, &address);

	bed->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(bed->listener, 0);
	ck_assert_int_eq(bind(bed->listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(bed->listener, 8), 0);
}

void bed_init(struct bed *bed)
{
	const char *libexec;

	*bed = (struct bed){ .core_fd = -1, .link_fd = -1, .serial = 1 };
	bed->folder = test_folder();
	bed->units = test_path(bed->folder, "units");
	bed->runtime = test_path(bed->folder, "runtime");
	bed->output = test_path(bed->folder, "output");
	libexec = test_path(bed->folder, "libexec");
	ck_assert_int_eq(mkdir(bed->units, 0755), 0);
	ck_assert_int_eq(mkdir(libexec, 0755), 0);
	ck_assert_int_eq(symlink(build_path("tests/unit/keeper/fake-core"),
					 test_path(libexec, "airssys-core")),
			0);
	ck_assert_int_eq(symlink(build_path("airssys-exec"),
					 test_path(libexec, "airssys-exec")),
			0);
	listen_for_cores(bed);
}

void bed_add_unit(struct bed *bed, const char *name, const char *content)
{
	auto_free char *file = text_format("%s.actor", name);

	ck_assert_ptr_nonnull(file);
	test_write(test_path(bed->units, file), content, 0644);
}

void bed_add_shell(
		struct bed *bed, const char *name, const char *command, const char *more)
{
	auto_free char *content = text_format(
			"[Service]\nExecStart=/bin/sh -c '%s'\n%s", command, more);

	ck_assert_ptr_nonnull(content);
	bed_add_unit(bed, name, content);
}

static char *option_of(const char *name, const char *value)
{
	char *option = text_format("--%s=%s", name, value);

	ck_assert_ptr_nonnull(option);
	return option;
}

static void run_keeper(struct bed *bed, const char *option)
{
	const char *program = build_path("airssysd");
	char *argv[] = { (char *)(uintptr_t)program,
		option_of("runtime-dir", bed->runtime),
		option_of("unit-path", bed->units), option_of("policy-path", bed->units),
		option_of("module-path", bed->units),
		option_of("libexec-dir", test_path(bed->folder, "libexec")),
		(char *)(uintptr_t)option, NULL };
	int output = open(bed->output, O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (output < 0 || dup2(output, STDOUT_FILENO) < 0 ||
			dup2(output, STDERR_FILENO) < 0)
		_exit(120);
	if (!BED_CGROUP && putenv((char *)(uintptr_t) "AIRSSYS_CGROUP=no") != 0)
		_exit(122);
	/* A test that fails must not leave a daemon. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)execv(program, argv);
	_exit(121);
}

static void limit_files(unsigned int max)
{
	const struct rlimit limit = { max, max };

	if (max > 0 && setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(1);
}

void bed_launch(struct bed *bed, const char *option)
{
	bed->keeper = fork();
	ck_assert_int_ge(bed->keeper, 0);
	if (bed->keeper == 0) {
		limit_files(bed->max_files);
		run_keeper(bed, option);
	}
}

void bed_meet_core(struct bed *bed)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	size_t n_fds;
	char byte;

	wait_readable(bed->listener, "no core");
	bed->size = bed->cursor = 0;
	*bed->empty_unit = '\0';
	bed->core_fd = close_fd(bed->core_fd);
	bed->link_fd = close_fd(bed->link_fd);
	bed->core_fd = accept4(bed->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(bed->core_fd, 0);
	ck_assert_int_eq(getsockopt(bed->core_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size),
			0);
	bed->core = peer.pid;
	wait_readable(bed->core_fd, "no link");
	ck_assert_int_eq(fd_receive(bed->core_fd, &byte, 1, &bed->link_fd, 1, &n_fds), 1);
	ck_assert_uint_eq(n_fds, 1);
}

void bed_start(struct bed *bed, const char *option)
{
	static struct reply reply;

	bed_launch(bed, option);
	bed_meet_core(bed);
	bed_await(bed, PROTOCOL_ADOPTED, &reply);
}

static void receive_datagram(struct bed *bed, struct reply *reply)
{
	ssize_t n;

	wait_readable(bed->link_fd, "no message");
	n = fd_receive(bed->link_fd, bed->datagram, sizeof(bed->datagram), reply->fds,
			ARRAY_SIZE(reply->fds), &reply->n_fds);
	ck_assert_msg(n > 0, "the link is closed");
	bed->size = (size_t)n;
	bed->cursor = 0;
}

static bool take_empty(struct bed *bed, struct reply *reply)
{
	if (!*bed->empty_unit)
		return false;
	(void)snprintf((char *)reply->buffer, sizeof(reply->buffer), "%s",
			bed->empty_unit);
	reply->message = (struct protocol_message){ .type = PROTOCOL_EMPTY,
		.unit = (char *)reply->buffer };
	*bed->empty_unit = '\0';
	return true;
}

void bed_receive(struct bed *bed, struct reply *reply)
{
	struct protocol_part part;

	reply->n_fds = 0;
	if (take_empty(bed, reply))
		return;
	if (bed->cursor == bed->size)
		receive_datagram(bed, reply);
	ck_assert_int_eq(protocol_next(bed->datagram, bed->size, &bed->cursor, &part), 1);
	memcpy(reply->buffer, part.data, part.size);
	ck_assert_int_eq(protocol_decode(reply->buffer, part.size, &reply->message), 0);
	if (reply->message.type == PROTOCOL_EXITED && reply->message.is_last)
		(void)snprintf(bed->empty_unit, sizeof(bed->empty_unit), "%s",
				reply->message.unit);
}

void bed_await(struct bed *bed, enum protocol_type type, struct reply *reply)
{
	for (;;) {
		bed_receive(bed, reply);
		if (reply->message.type == type)
			return;
		while (reply->n_fds > 0)
			close_fd(reply->fds[--reply->n_fds]);
	}
}

void bed_expect_silence(struct bed *bed)
{
	struct pollfd ready = { .fd = bed->link_fd, .events = POLLIN };

	ck_assert(bed->cursor == bed->size && !*bed->empty_unit);
	ck_assert_int_eq(poll(&ready, 1, 50), 0);
}

void bed_send_raw(struct bed *bed, const void *data, size_t size)
{
	struct pollfd room = { .fd = bed->link_fd, .events = POLLOUT };
	int r;

	while ((r = fd_send(bed->link_fd, data, size, NULL, 0)) == -EAGAIN)
		ck_assert_int_eq(poll(&room, 1, BED_PATIENCE_MSEC), 1);
	ck_assert_int_eq(r, 0);
}

uint64_t bed_send(struct bed *bed, struct protocol_message message)
{
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	ssize_t n;

	message.serial = bed->serial++;
	n = protocol_encode(&message, buffer, sizeof(buffer));
	ck_assert_int_gt(n, 0);
	bed_send_raw(bed, buffer, (size_t)n);
	return message.serial;
}

void bed_spawn(struct bed *bed, const char *unit, struct reply *reply)
{
	uint64_t serial = bed_send(bed,
			(struct protocol_message){ .type = PROTOCOL_SPAWN,
					.unit = unit,
					.kind = UNIT_EXEC_START });

	do {
		bed_receive(bed, reply);
	} while (reply->message.serial != serial);
}

void bed_expect_failure(struct bed *bed, const char *unit, const char *step, int error,
		struct reply *reply)
{
	bed_spawn(bed, unit, reply);
	ck_assert_int_eq(reply->message.type, PROTOCOL_FAILED);
	ck_assert_str_eq(reply->message.step, step);
	ck_assert_int_eq(reply->message.error, error);
}

void bed_expect_exit(
		struct bed *bed, pid_t pid, int code, int status, struct reply *reply)
{
	bed_await(bed, PROTOCOL_EXITED, reply);
	ck_assert_int_eq(reply->message.pid, pid);
	ck_assert_int_eq(reply->message.code, code);
	ck_assert_int_eq(reply->message.status, status);
}

pid_t bed_spawn_main(struct bed *bed, const char *unit)
{
	static struct reply reply;

	bed_spawn(bed, unit, &reply);
	ck_assert_msg(reply.message.type == PROTOCOL_SPAWNED, "%s failed at %s: %s %s",
			unit, reply.message.step, strerror(reply.message.error),
			reply.message.text);
	for (size_t i = 0; i < reply.n_fds; i++)
		close_fd(reply.fds[i]);
	return reply.message.pid;
}

void bed_signal(struct bed *bed, const char *unit, enum protocol_whom whom, int signo)
{
	(void)bed_send(bed,
			(struct protocol_message){ .type = PROTOCOL_SIGNAL,
					.unit = unit,
					.whom = whom,
					.signal = signo });
}

void bed_await_gone(pid_t pid)
{
	for (int msec = 0; kill(pid, 0) == 0; msec += STEP_MSEC) {
		ck_assert_msg(msec < BED_PATIENCE_MSEC, "process %d does not go", pid);
		nap();
	}
}

void bed_kill_core(struct bed *bed)
{
	pid_t pid = bed->core;

	bed->link_fd = close_fd(bed->link_fd);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	bed_await_gone(pid);
}

int bed_wait_keeper(struct bed *bed)
{
	int status;

	for (int msec = 0; waitpid(bed->keeper, &status, WNOHANG) == 0;
			msec += STEP_MSEC) {
		ck_assert_msg(msec < BED_PATIENCE_MSEC, "airssysd does not end: %s",
				bed_output(bed));
		nap();
	}
	bed->keeper = 0;
	return status;
}

void bed_kill_keeper(struct bed *bed)
{
	ck_assert_int_eq(kill(bed->keeper, SIGKILL), 0);
	(void)bed_wait_keeper(bed);
	/* The core ends with its link. */
	bed->link_fd = close_fd(bed->link_fd);
	bed->core_fd = close_fd(bed->core_fd);
}

void bed_stop(struct bed *bed)
{
	static struct reply reply;
	int status;

	ck_assert_int_eq(kill(bed->keeper, SIGTERM), 0);
	bed_await(bed, PROTOCOL_STOP, &reply);
	(void)bed_send(bed, (struct protocol_message){ .type = PROTOCOL_DOWN });
	bed->core_fd = close_fd(bed->core_fd);
	status = bed_wait_keeper(bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "airssysd: %d: %s",
			status, bed_output(bed));
}

pid_t bed_become_stranger(pid_t number)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&number,
		.set_tid_size = 1,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)setsid();
		(void)pause();
		_exit(0);
	}
	while (pid > 0 && getsid((pid_t)pid) != pid)
		(void)sched_yield();
	return pid < 0 ? 0 : (pid_t)pid;
}

const char *bed_await_file(const char *path)
{
	char *data = NULL;
	size_t size = 0;

	for (int msec = 0;; msec += STEP_MSEC) {
		if (file_read(path, 1024 * 1024, &data, &size) == 0 && size > 0 &&
				data[size - 1] == '\n')
			return test_keep(data);
		free(data);
		data = NULL;
		ck_assert_msg(msec < BED_PATIENCE_MSEC, "%s does not come", path);
		nap();
	}
}

const char *bed_output(struct bed *bed)
{
	char *data = NULL;
	size_t size;

	return file_read(bed->output, 1024 * 1024, &data, &size) == 0 ? test_keep(data)
								      : "";
}
