/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>

#include "base/clock.h"
#include "ctl/cmd.h"
#include "ctl/progress.h"
#include "ctl/units.h"
#include "ctl/when.h"
#include "manager/names.h"

/*
 * Shutdown is answered at once; then the units stop, the core ends and closes the
 * connection, the keeper stops listening and ends. Only the last of these means that the
 * instance is gone: a core that merely crashed is started again, and a keeper that still
 * lives would make the start of the next one fail.
 */

#define STEP_USEC   (200 * USEC_PER_MSEC)
#define NAMES_SHOWN 3

struct wait {
	struct ctl *ctl;
	struct progress progress;
	uint64_t begin_usec, deadline_usec;
};

static void sleep_usec(uint64_t usec)
{
	(void)poll(NULL, 0, (int)(usec / USEC_PER_MSEC));
}

/* "stopping, 12s; waiting for db (stop), web" */
static void show_waiting(struct wait *w, const struct unit_rows *rows)
{
	uint64_t waited_usec = clock_monotonic_usec() - w->begin_usec;
	size_t waiting = 0;
	auto_text line = { 0 };

	text_printf(&line, "stopping, %us", (unsigned int)(waited_usec / USEC_PER_SEC));
	for (size_t i = 0; i < rows->count; i++) {
		const struct unit_row *row = &rows->items[i];

		if (strcmp(row->kind, "service") != 0 || row->pid == 0)
			continue;
		if (waiting++ >= NAMES_SHOWN)
			continue;
		text_append(&line, waiting == 1 ? "; waiting for " : ", ");
		terminal_append_safe(&w->ctl->terminal, &line, row->name);
		text_append(&line, " (");
		terminal_append_safe(&w->ctl->terminal, &line,
				row->substate[0] ? row->substate : row->state);
		text_append_char(&line, ')');
	}
	if (waiting > NAMES_SHOWN)
		text_printf(&line, " and %zu more", waiting - NAMES_SHOWN);
	progress_show(&w->progress, text_get(&line));
}

/* The list without a word on failure, which is what an instance that ends gives. */
static int load_quietly(struct wait *w, struct unit_rows *ret_rows)
{
	struct client *c = &w->ctl->client;

	if (!c->bus)
		return -ENOTCONN;
	return units_read(c, STEP_USEC, ret_rows);
}

/* Whether nobody listens any more. A connection that is made is kept for the list. */
static bool is_gone(struct wait *w)
{
	auto_free char *path = strdup(w->ctl->client.path);
	int r;

	if (!path)
		return false;
	r = client_connect(&w->ctl->client, path, STEP_USEC);
	if (r < 0 && w->ctl->client.bus)
		w->ctl->client.bus = sd_bus_close_unref(w->ctl->client.bus);
	return r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR;
}

/* Whether the keeper lives: its lock tells, where it can be asked. */
static bool keeper_lives(const struct wait *w)
{
	const char *path = w->ctl->client.path, *slash = strrchr(path, '/');
	auto_free char *lock = text_format(
			"%.*s" NAMES_LOCK, slash ? (int)(slash + 1 - path) : 0, path);
	auto_close int fd = lock ? open(lock, O_RDONLY | O_CLOEXEC) : -1;

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static bool wait_until_gone(struct wait *w)
{
	while (clock_monotonic_usec() < w->deadline_usec) {
		auto_units rows = { 0 };
		int r = load_quietly(w, &rows);

		if (r >= 0)
			show_waiting(w, &rows);
		else if (r != -ETIMEDOUT && is_gone(w) && !keeper_lives(w))
			return true;
		sleep_usec(r >= 0 || r == -ETIMEDOUT ? STEP_USEC : STEP_USEC / 10);
	}
	return false;
}

static enum ctl_exit report(struct ctl *ctl, const struct wait *w)
{
	struct json j = { .out = &ctl->out };

	if (ctl->options.json) {
		json_begin_object(&j);
		json_member_text(&j, "result", "done");
		json_member_number(
				&j, "took_usec", clock_monotonic_usec() - w->begin_usec);
		json_end_object(&j);
		text_append_char(&ctl->out, '\n');
		return CTL_DONE;
	}
	text_append(&ctl->out, "stopped after ");
	when_append_span(&ctl->out, clock_monotonic_usec() - w->begin_usec);
	text_append_char(&ctl->out, '\n');
	return CTL_DONE;
}

static enum ctl_exit run_shutdown(
		struct ctl *ctl, char **names UNUSED, size_t n_names UNUSED)
{
	struct wait w = {
		.ctl = ctl,
		.progress = { .ctl = ctl },
		.begin_usec = clock_monotonic_usec(),
	};
	enum ctl_exit exit = ctl_connect(ctl);
	bool gone;
	int r;

	if (exit != CTL_DONE)
		return exit;
	w.deadline_usec = usec_add(w.begin_usec, ctl_job_timeout(ctl));
	r = client_call(&ctl->client, ctl_query_timeout(ctl), "Shutdown", NULL, NULL);
	/* An instance that hangs up instead of answering may well be on its way. */
	if (r < 0 && r != -ECONNRESET)
		return ctl_fail_call(ctl, r, NULL);
	gone = wait_until_gone(&w);
	progress_fini(&w.progress);
	if (!gone)
		return ctl_fail(ctl, CTL_FAILED,
				"the instance is still stopping: see airssysctl status");
	return report(ctl, &w);
}

const struct command cmd_shutdown = {
	.name = "shutdown",
	.arguments = "",
	.summary = "stop everything and end the instance",
	.help = "Units stop in the reverse order of their start. Returns when the instance is "
		"gone; on a terminal it shows who is waited for.",
	.run = run_shutdown,
};
