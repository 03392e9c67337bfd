/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/jobs.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "ctl/progress.h"
#include "ctl/units.h"
#include "ctl/when.h"
#include "manager/names.h"

#define NAMES_SHOWN 3 /* of those that are waited for */
/* Calls on their way at once: all that an instance takes, but for a few of other kinds.
 */
#define PENDING_MAX (NAMES_PENDING_MAX - 4)
#define TICK_USEC   USEC_PER_SEC

struct batch;

struct job {
	struct batch *batch;
	const char *name; /* borrowed */
	sd_bus_slot *slot;
	bool is_over;
	enum ctl_exit exit;
	char *result; /* "done", "already", or the sentence of the failure */
	char *detail; /* what the unit does at the moment; NULL: not known */
};

struct batch {
	struct ctl *ctl;
	const struct job_action *action;
	struct job *jobs;
	size_t count, n_sent, n_over, n_failed;
	struct progress progress;
	sd_bus_slot *list_slot; /* a question what the units do; NULL: none is open */
	uint64_t begin_usec;
	bool tells_each; /* every result is a line of its own */
};

static void end_job(struct job *job, enum ctl_exit exit, const char *result)
{
	struct batch *b = job->batch;

	if (job->is_over)
		return;
	job->is_over = true;
	job->exit = exit;
	job->result = strdup(result);
	b->n_over++;
	b->n_failed += exit != CTL_DONE;
}

/* A line on standard output for a success; failures were said on standard error. */
static void tell(struct job *job)
{
	struct batch *b = job->batch;
	const struct job_action *a = b->action;
	bool already = job->result && strcmp(job->result, "already") == 0;

	if (b->ctl->options.json || job->exit != CTL_DONE || !(b->tells_each || already))
		return;
	progress_show(&b->progress, "");
	terminal_append_safe(&b->ctl->terminal, &b->ctl->out, job->name);
	text_printf(&b->ctl->out, " %s\n", already && a->already ? a->already : a->done);
	if (ctl_flush(b->ctl) != CTL_DONE)
		job->exit = CTL_FAILED;
}

/* The reply of a failed call becomes the last error of the client, to be explained. */
static void fail_job(struct job *job, int error, const sd_bus_error *answer)
{
	struct ctl *ctl = job->batch->ctl;
	enum ctl_exit exit;

	sd_bus_error_free(&ctl->client.error);
	if (answer)
		(void)sd_bus_error_copy(&ctl->client.error, answer);
	progress_show(&job->batch->progress, "");
	exit = ctl_fail_call(ctl, error, job->name);
	end_job(job, exit, text_get(&ctl->problem));
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error UNUSED)
{
	struct job *job = userdata;
	const char *result = "done";

	if (sd_bus_message_is_method_error(reply, NULL)) {
		fail_job(job, -sd_bus_message_get_errno(reply),
				sd_bus_message_get_error(reply));
		return 0;
	}
	if (sd_bus_message_has_signature(reply, "s") &&
			sd_bus_message_read(reply, "s", &result) < 0)
		result = "done";
	end_job(job, CTL_DONE, result);
	tell(job);
	return 0;
}

static int send_job(struct batch *b, struct job *job)
{
	auto_message call = NULL;
	int r;

	if (!text_is_utf8(job->name, strlen(job->name))) {
		/* No bus text, hence no unit; the answer is known. */
		end_job(job,
				ctl_fail(b->ctl, CTL_NO_SUCH_UNIT,
						"there is no unit '%s'", job->name),
				text_get(&b->ctl->problem));
		return 0;
	}
	r = sd_bus_message_new_method_call(b->ctl->client.bus, &call, NAMES_BUS,
			NAMES_PATH, NAMES_MANAGER, b->action->method);
	if (r >= 0)
		r = sd_bus_message_append(call, "s", job->name);
	if (r >= 0 && b->action->append)
		r = b->action->append(b->ctl, call);
	if (r >= 0)
		r = sd_bus_call_async(b->ctl->client.bus, &job->slot, call, on_reply, job,
				ctl_job_timeout(b->ctl));
	return r < 0 ? r : 0;
}

static void take_details(struct batch *b, const struct unit_rows *rows)
{
	const struct unit_row *row;

	for (size_t i = 0; i < b->count; i++) {
		row = b->jobs[i].is_over ? NULL : units_find(rows, b->jobs[i].name);
		if (!row)
			continue;
		free(b->jobs[i].detail);
		b->jobs[i].detail = strdup(row->substate[0] ? row->substate : row->state);
	}
}

static int on_list(sd_bus_message *reply, void *userdata, sd_bus_error *error UNUSED)
{
	struct batch *b = userdata;
	auto_units rows = { 0 };

	b->list_slot = sd_bus_slot_unref(b->list_slot);
	if (!sd_bus_message_is_method_error(reply, NULL) &&
			units_parse(reply, &rows) >= 0)
		take_details(b, &rows);
	return 0;
}

/* What the units do meanwhile is a courtesy: a failure leaves it out. */
static void ask_for_details(struct batch *b)
{
	if (!b->list_slot)
		(void)!sd_bus_call_method_async(b->ctl->client.bus, &b->list_slot,
				NAMES_BUS, NAMES_PATH, NAMES_MANAGER, "ListUnits",
				on_list, b, NULL);
}

static void append_waiting(
		const struct batch *b, const struct job *job, struct text *line)
{
	terminal_append_safe(&b->ctl->terminal, line, job->name);
	if (!job->detail)
		return;
	text_append(line, " (");
	terminal_append_safe(&b->ctl->terminal, line, job->detail);
	text_append_char(line, ')');
}

/* "2/5 stopped, 12s; waiting for db (stop-sigterm), web and 1 more" */
static void show_progress(struct batch *b)
{
	uint64_t waited_usec = clock_monotonic_usec() - b->begin_usec;
	size_t named = 0, waiting = b->count - b->n_over;
	auto_text line = { 0 };

	text_printf(&line, "%zu/%zu %s", b->n_over, b->count, b->action->done);
	if (waited_usec >= USEC_PER_SEC)
		text_printf(&line, ", %us", (unsigned int)(waited_usec / USEC_PER_SEC));
	for (size_t i = 0; i < b->count && named < NAMES_SHOWN; i++) {
		if (b->jobs[i].is_over)
			continue;
		text_append(&line, named++ == 0 ? "; waiting for " : ", ");
		append_waiting(b, &b->jobs[i], &line);
	}
	if (waiting > named)
		text_printf(&line, " and %zu more", waiting - named);
	progress_show(&b->progress, waiting > 0 ? text_get(&line) : "");
}

static int send_some(struct batch *b)
{
	int r = 0;

	while (r >= 0 && b->n_sent < b->count && b->n_sent - b->n_over < PENDING_MAX)
		r = send_job(b, &b->jobs[b->n_sent++]);
	return r;
}

/* Send jobs and process replies until all are over or the connection ends. */
static int wait_for_jobs(struct batch *b)
{
	uint64_t tick_usec = b->ctl->terminal.shows_progress ? TICK_USEC : USEC_INFINITY;
	sd_bus *bus = b->ctl->client.bus;
	int r;

	while (b->n_over < b->count) {
		r = send_some(b);
		if (r >= 0)
			r = sd_bus_process(bus, NULL);
		if (r < 0)
			return r;
		/* The last one may have been refused at once, or have timed out: sd-bus
		 * does not count that as something done. */
		if (r > 0 || b->n_over == b->count)
			continue;
		show_progress(b);
		r = sd_bus_wait(bus, tick_usec);
		if (r < 0 && r != -EINTR)
			return r;
		if (r == 0)
			ask_for_details(b);
	}
	return 0;
}

static void run_batch(struct batch *b)
{
	int r = wait_for_jobs(b);

	for (size_t i = 0; i < b->count; i++)
		if (!b->jobs[i].is_over)
			fail_job(&b->jobs[i], r == -ENOMEM ? r : -ECONNRESET, NULL);
	progress_fini(&b->progress);
}

static void print_json(struct batch *b)
{
	struct json j = { .out = &b->ctl->out };

	json_begin_array(&j);
	for (size_t i = 0; i < b->count; i++) {
		bool done = b->jobs[i].exit == CTL_DONE;

		json_begin_object(&j);
		json_member_text(&j, "name", b->jobs[i].name);
		json_member_text(&j, "result", done ? b->jobs[i].result : "failed");
		if (!done)
			json_member_text(&j, "message", b->jobs[i].result);
		json_member_number(&j, "exit_status", b->jobs[i].exit);
		json_end_object(&j);
	}
	json_end_array(&j);
	text_append_char(&b->ctl->out, '\n');
}

/* The end of what went by on the line of the progress. */
static void print_summary(struct batch *b)
{
	if (b->tells_each)
		return;
	text_printf(&b->ctl->out, "%zu of %zu %s in ", b->n_over - b->n_failed, b->count,
			b->action->done);
	when_append_span(&b->ctl->out, clock_monotonic_usec() - b->begin_usec);
	text_append_char(&b->ctl->out, '\n');
}

static enum ctl_exit exit_of(const struct batch *b)
{
	enum ctl_exit exit = CTL_DONE;

	for (size_t i = 0; i < b->count; i++) {
		enum ctl_exit one = b->jobs[i].exit;

		if (one != CTL_DONE && exit != CTL_DONE && one != exit)
			return CTL_FAILED;
		exit = one == CTL_DONE ? exit : one;
	}
	return exit;
}

static enum ctl_exit run_names(struct ctl *ctl, const struct job_action *action,
		const char *const *names, size_t n_names)
{
	struct batch b = {
		.ctl = ctl,
		.action = action,
		.count = n_names,
		.progress = { .ctl = ctl },
		.begin_usec = clock_monotonic_usec(),
		.tells_each = n_names == 1 || !ctl->terminal.shows_progress,
	};
	enum ctl_exit exit;

	b.jobs = calloc(MAX_OF(n_names, (size_t)1), sizeof(*b.jobs));
	if (!b.jobs)
		return ctl_out_of_memory(ctl);
	for (size_t i = 0; i < n_names; i++)
		b.jobs[i] = (struct job){ .batch = &b, .name = names[i] };
	run_batch(&b);
	if (ctl->options.json)
		print_json(&b);
	else
		print_summary(&b);
	exit = exit_of(&b);
	sd_bus_slot_unref(b.list_slot);
	for (size_t i = 0; i < n_names; i++) {
		sd_bus_slot_unref(b.jobs[i].slot);
		free(b.jobs[i].result);
		free(b.jobs[i].detail);
	}
	free(b.jobs);
	return exit;
}

static enum ctl_exit run_all(struct ctl *ctl, const struct job_action *action)
{
	auto_free const char **names = NULL;
	auto_units rows = { 0 };
	size_t n_names = 0;
	enum ctl_exit exit = units_load(ctl, &rows);

	if (exit != CTL_DONE)
		return exit;
	names = calloc(rows.count + 1, sizeof(*names));
	if (!names)
		return ctl_out_of_memory(ctl);
	for (size_t i = 0; i < rows.count; i++)
		if (!rows.items[i].supervisor[0] &&
				strcmp(rows.items[i].state, "refused") != 0)
			names[n_names++] = rows.items[i].name;
	return run_names(ctl, action, names, n_names);
}

enum ctl_exit jobs_run(struct ctl *ctl, const struct job_action *action, char **names,
		size_t n_names)
{
	enum ctl_exit exit = ctl_connect(ctl);

	if (exit != CTL_DONE)
		return exit;
	if (ctl->options.all)
		return run_all(ctl, action);
	for (size_t i = 0; i < n_names; i++)
		ctl_trim_name(names[i]);
	return run_names(ctl, action, (const char *const *)names, n_names);
}
