/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "run.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/json.h"
#include "support/test.h"

#define ARGUMENTS_MAX 1200

static void open_screen(enum run_screen screen, int *ret_read, int *ret_write)
{
	struct winsize size = { .ws_row = 24, .ws_col = 60 };
	int ends[2];

	if (screen == RUN_PIPES) {
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
		*ret_read = ends[0];
		*ret_write = ends[1];
		return;
	}
	*ret_read = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(*ret_read, 0);
	ck_assert_int_eq(grantpt(*ret_read), 0);
	ck_assert_int_eq(unlockpt(*ret_read), 0);
	*ret_write = open(ptsname(*ret_read), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(*ret_write, 0);
	ck_assert_int_eq(ioctl(*ret_write, TIOCSWINSZ, &size), 0);
}

static void spawn(struct run *run, int out, int err, const char *const *environment,
		char **argv)
{
	static const char *const defaults[] = { "LC_ALL=C.UTF-8", "TZ=UTC", "TERM=xterm",
		"PATH=/usr/bin:/bin", "ASAN_OPTIONS=detect_leaks=1" };
	char *envp[32];
	posix_spawn_file_actions_t actions;
	size_t n = 0;

	for (size_t i = 0; environment && environment[i]; i++)
		envp[n++] = strdup(environment[i]);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		envp[n++] = strdup(defaults[i]);
	envp[n] = NULL;
	ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
	ck_assert_int_eq(posix_spawn_file_actions_adddup2(&actions, out, 1), 0);
	ck_assert_int_eq(posix_spawn_file_actions_adddup2(&actions, err, 2), 0);
	ck_assert_int_eq(posix_spawn(&run->pid, argv[0], &actions, NULL, argv, envp), 0);
	posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 0; i < n; i++)
		free(envp[i]);
}

static char *program(void)
{
	const char *folder = getenv("top_builddir");

	return text_format("%s/airssysctl", folder ? folder : ".");
}

void run_start(struct run *run, struct fake *fake, enum run_screen screen,
		const char *const *environment, const char *const *arguments)
{
	char *argv[ARGUMENTS_MAX + 3];
	int out, err, n = 0;

	*run = (struct run){ .fake = fake, .out_fd = -1, .err_fd = -1 };
	argv[n++] = program();
	if (fake)
		argv[n++] = text_format("--socket=%s", fake->socket);
	for (size_t i = 0; arguments[i]; i++) {
		ck_assert_int_lt(n, ARGUMENTS_MAX);
		argv[n++] = strdup(arguments[i]);
	}
	argv[n] = NULL;
	if (screen == RUN_INHERIT)
		out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		open_screen(screen, &run->out_fd, &out);
	err = out;
	if (screen != RUN_TERMINAL)
		open_screen(RUN_PIPES, &run->err_fd, &err);
	spawn(run, out, err, environment, argv);
	close_fd(out);
	if (err != out)
		close_fd(err);
	while (n > 0)
		free(argv[--n]);
}

/* A terminal whose other side is closed answers EIO. */
static void read_some(int *fd, struct text *text)
{
	char buffer[4096];
	ssize_t n = read(*fd, buffer, sizeof(buffer));

	if (n <= 0)
		*fd = close_fd(*fd);
	else
		text_append_n(text, buffer, (size_t)n);
}

/* One turn of the loop. */
static void step(struct run *run)
{
	struct pollfd fds[FAKE_PEERS_MAX + 3] = {
		{ .fd = run->out_fd, .events = POLLIN },
		{ .fd = run->err_fd, .events = POLLIN },
	};
	size_t n = 2;

	if (run->fake)
		n += fake_fill(run->fake, fds + 2, ARRAY_SIZE(fds) - 2);
	ck_assert_int_ge(poll(fds, n, RUN_LIMIT_SEC * 1000), 0);
	if (fds[0].revents)
		read_some(&run->out_fd, &run->out);
	if (fds[1].revents)
		read_some(&run->err_fd, &run->err);
	if (run->fake)
		fake_step(run->fake);
}

static void fail_late(struct run *run, const char *what)
{
	(void)kill(run->pid, SIGKILL);
	ck_abort_msg("%s did not come; out: %s; err: %s", what, text_get(&run->out),
			text_get(&run->err));
}

void run_until(struct run *run, const char *text)
{
	uint64_t deadline = clock_monotonic_usec() + RUN_LIMIT_SEC * UINT64_C(1000000);

	while (!strstr(text_get(&run->out), text) && !strstr(text_get(&run->err), text)) {
		if (clock_monotonic_usec() > deadline ||
				(run->out_fd < 0 && run->err_fd < 0))
			fail_late(run, text);
		step(run);
	}
}

void run_wait(struct run *run)
{
	uint64_t deadline = clock_monotonic_usec() + RUN_LIMIT_SEC * UINT64_C(1000000);
	int status;

	while (run->out_fd >= 0 || run->err_fd >= 0) {
		if (clock_monotonic_usec() > deadline)
			fail_late(run, "the end");
		step(run);
	}
	ck_assert_int_eq(waitpid(run->pid, &status, 0), run->pid);
	run->pid = 0;
	run->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void run_fini(struct run *run)
{
	if (run->pid > 0) {
		(void)kill(run->pid, SIGKILL);
		(void)waitpid(run->pid, NULL, 0);
	}
	run->pid = 0;
	run->out_fd = close_fd(run->out_fd);
	run->err_fd = close_fd(run->err_fd);
	text_fini(&run->out);
	text_fini(&run->err);
}

void expect_contains(const struct text *text, const char *part)
{
	/* Check keeps messages of a few kilobytes. */
	ck_assert_msg(strstr(text_get(text), part), "no '%s' in: %.1500s", part,
			text_get(text));
}

void expect_lacks(const struct text *text, const char *part)
{
	ck_assert_msg(!strstr(text_get(text), part), "'%s' in: %.1500s", part,
			text_get(text));
}

void expect_json(const struct text *text)
{
	expect_json_lines(text, 1);
}

void expect_json_lines(const struct text *text, size_t n_lines)
{
	const char *p = text_get(text);
	size_t n = 0;

	for (; *p; n++) {
		const char *end = json_skip(p);

		ck_assert_msg(end && *end == '\n', "no JSON: %.1500s", p);
		p = end + 1;
	}
	ck_assert_msg(n == n_lines, "%zu documents: %.1500s", n, text_get(text));
}
