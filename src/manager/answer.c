/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/system.h"
#include "base/clock.h"
#include "base/fd.h"
#include "manager/figures.h"
#include "manager/job.h"
#include "manager/manager.h"
#include "manager/names.h"
#include "unit/instance.h"
#include "unit/snapshot.h"

/*
 * sd-bus remembers no failure of an append, so each function here returns it. D-Bus
 * carries only UTF-8: what comes from outside (status texts, file contents) is checked
 * before it is put into a message.
 */

#define REASON_SIZE 160

static const char *clean(const char *text)
{
	if (!text)
		return "";
	return text_is_utf8(text, strlen(text)) ? text : "(not UTF-8)";
}

static void format_last_end(const struct record *record, char buffer[static REASON_SIZE])
{
	registry_end_reason(record_end(record, 0), buffer, REASON_SIZE);
}

static void give(struct request *request, sd_bus_message *answer, int r)
{
	if (r >= 0) {
		request_set_answer(request, answer);
		return;
	}
	sd_bus_message_unref(answer);
	request_fail(request, NAMES_ERROR_FAILED,
			"The answer cannot be put together: %s.", strerrordesc_np(-r));
}

static int append_row(sd_bus_message *answer, const struct record *record)
{
	const struct record_more *more = record_more(record);
	char last_end[REASON_SIZE];

	format_last_end(record, last_end);
	return sd_bus_message_append(answer, NAMES_LIST_SIGNATURE, record->name,
			unit_kind_name((enum unit_kind)record->kind),
			record->supervisor ? record->supervisor->name : "",
			registry_state_name((enum registry_state)record->state),
			registry_substate(record), clean(record->description),
			(uint32_t)record->main_pid, record->since_realtime_usec,
			more->restarts, clean(more->status_text), clean(last_end));
}

/* A unit that is not in the tree because of a mistake in its files. */
static int append_refused(sd_bus_message *answer, const struct unit_refusal *refusal)
{
	return sd_bus_message_append(answer, NAMES_LIST_SIGNATURE, refusal->name, "",
			refusal->supervisor ? refusal->supervisor : "", "refused",
			"refused", "", 0, UINT64_C(0), UINT64_C(0), "",
			clean(refusal->why));
}

static int append_all_refused(sd_bus_message *answer, const struct manager *m)
{
	int r = 0;

	for (uint32_t i = 0; i < m->refusals.count && r >= 0; i++)
		if (!registry_find(&m->registry, m->refusals.items[i].name))
			r = append_refused(answer, &m->refusals.items[i]);
	return r;
}

void answer_list(struct manager *m, struct request *request)
{
	const struct record *record = NULL;
	sd_bus_message *answer = NULL;
	int r;

	r = sd_bus_message_new_method_return(request->call, &answer);
	if (r >= 0)
		r = sd_bus_message_open_container(answer, 'a', NAMES_LIST_SIGNATURE);
	while (r >= 0 && (record = registry_next(&m->registry, record)))
		r = append_row(answer, record);
	if (r >= 0)
		r = append_all_refused(answer, m);
	if (r >= 0)
		r = sd_bus_message_close_container(answer);
	give(request, answer, r);
}

static int put_text(sd_bus_message *answer, const char *key, const char *text)
{
	return sd_bus_message_append(answer, "{sv}", key, "s", clean(text));
}

/* Left out when there is none. */
static int put_some_text(sd_bus_message *answer, const char *key, const char *text)
{
	return text && *text ? put_text(answer, key, text) : 0;
}

static int put_number(sd_bus_message *answer, const char *key, uint64_t value)
{
	return sd_bus_message_append(answer, "{sv}", key, "t", value);
}

static int put_some_number(sd_bus_message *answer, const char *key, uint64_t value)
{
	return value != 0 ? put_number(answer, key, value) : 0;
}

static int put_figure(sd_bus_message *answer, const char *key, uint64_t value)
{
	return value != FIGURES_UNKNOWN ? put_number(answer, key, value) : 0;
}

static int put_u32(sd_bus_message *answer, const char *key, uint32_t value)
{
	return sd_bus_message_append(answer, "{sv}", key, "u", value);
}

static int put_some_u32(sd_bus_message *answer, const char *key, uint32_t value)
{
	return value != 0 ? put_u32(answer, key, value) : 0;
}

static int open_texts(sd_bus_message *answer, const char *key)
{
	int r = sd_bus_message_open_container(answer, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append(answer, "s", key);
	if (r >= 0)
		r = sd_bus_message_open_container(answer, 'v', "as");
	if (r >= 0)
		r = sd_bus_message_open_container(answer, 'a', "s");
	return r;
}

static int close_texts(sd_bus_message *answer)
{
	for (int i = 0; i < 3; i++) {
		int r = sd_bus_message_close_container(answer);

		if (r < 0)
			return r;
	}
	return 0;
}

static int put_texts(sd_bus_message *answer, const char *key, const struct strv *texts)
{
	int r = open_texts(answer, key);

	for (size_t i = 0; r >= 0 && i < texts->count; i++)
		r = sd_bus_message_append(answer, "s", clean(texts->items[i]));
	return r < 0 ? r : close_texts(answer);
}

static int put_children(sd_bus_message *answer, const struct record *record)
{
	const struct record *child;
	int r = open_texts(answer, "Children");

	list_foreach(child, record_children(record), link) {
		if (r < 0)
			break;
		r = sd_bus_message_append(answer, "s", child->name);
	}
	return r < 0 ? r : close_texts(answer);
}

static int put_identity(sd_bus_message *answer, const struct record *record,
		const struct unit *unit)
{
	int r;

	r = put_text(answer, "Name", record->name);
	if (r >= 0)
		r = put_text(answer, "Kind",
				unit_kind_name((enum unit_kind)record->kind));
	if (r >= 0)
		r = put_some_text(answer, "Description", unit->description);
	if (r >= 0)
		r = put_text(answer, "Supervisor",
				record->supervisor ? record->supervisor->name : "");
	if (r >= 0 && unit->documentation.count > 0)
		r = put_texts(answer, "Documentation", &unit->documentation);
	if (r >= 0)
		r = put_texts(answer, "Files", &unit->files);
	return r;
}

static int put_state(sd_bus_message *answer, const struct record *record)
{
	const struct record_more *more = record_more(record);
	int r;

	r = put_text(answer, "State",
			registry_state_name((enum registry_state)record->state));
	if (r >= 0)
		r = put_text(answer, "SubState", registry_substate(record));
	if (r >= 0)
		r = put_some_number(answer, "Since", record->since_realtime_usec);
	if (r >= 0)
		r = put_some_u32(answer, "PID", (uint32_t)record->main_pid);
	if (r >= 0)
		r = put_some_u32(answer, "ControlPID", (uint32_t)more->control_pid);
	if (r >= 0 && record->main_pid > 0)
		r = put_some_number(
				answer, "MainStartRealtime", record->start_realtime_usec);
	if (r >= 0)
		r = put_some_text(answer, "StatusText", more->status_text);
	if (r >= 0 && record->kind != UNIT_SUPERVISOR)
		r = put_text(answer, "Result", record->result);
	if (r >= 0)
		r = put_some_text(answer, "FailedStep", more->failed_step);
	return r;
}

static int put_jobs(
		sd_bus_message *answer, struct manager *m, const struct record *record)
{
	auto_text jobs = { 0 };

	job_describe(m, record, &jobs);
	return jobs.failed ? -ENOMEM : put_some_text(answer, "Job", text_get(&jobs));
}

static int put_history(sd_bus_message *answer, const struct record *record)
{
	const struct record_more *more = record_more(record);
	const struct registry_end *end = record_end(record, 0);
	char last_end[REASON_SIZE], decision[320];
	int r = 0;

	if (end) {
		format_last_end(record, last_end);
		registry_end_describe(record, end, decision, sizeof(decision));
		r = put_some_text(answer, "LastEnd", last_end);
		if (r >= 0)
			r = put_number(answer, "LastEndRealtime", end->realtime_usec);
		if (r >= 0)
			r = put_some_text(answer, "LastDecision", decision);
	}
	if (r >= 0)
		r = put_number(answer, "Restarts", more->restarts);
	if (r >= 0)
		r = put_some_number(answer, "NextRestartRealtime",
				more->next_restart_realtime_usec);
	if (r >= 0)
		r = put_some_u32(answer, "Attempt", more->attempt);
	return r;
}

static int put_limits(sd_bus_message *answer, const struct record *record)
{
	uint32_t intensity;
	uint64_t period;
	int r;

	record_limits(record, &intensity, &period);
	r = put_u32(answer, "RestartsInWindow",
			record_window(record, clock_realtime_usec()));
	if (r >= 0)
		r = put_u32(answer, "Intensity", intensity);
	if (r >= 0)
		r = put_number(answer, "PeriodUSec", period);
	return r;
}

static int put_figures(
		sd_bus_message *answer, struct manager *m, const struct record *record)
{
	auto_free char *cgroup = NULL;
	struct figures figures;
	int r;

	if (record->kind != UNIT_SERVICE || !record_is_up(record))
		return 0;
	if (m->cgroup) {
		cgroup = text_format(
				"%s/%s%s", m->cgroup, record->name, INSTANCE_LEAF_SUFFIX);
		if (!cgroup)
			return -ENOMEM;
	}
	figures_read(&figures, cgroup, record->main_pid);
	r = put_figure(answer, "MemoryBytes", figures.memory_bytes);
	if (r >= 0)
		r = put_figure(answer, "MemoryPeakBytes", figures.memory_peak_bytes);
	if (r >= 0)
		r = put_figure(answer, "Tasks", figures.tasks);
	if (r >= 0)
		r = put_figure(answer, "CPUUSec", figures.cpu_usec);
	return r;
}

static int put_actor(
		sd_bus_message *answer, struct manager *m, const struct record *record)
{
	struct airs_actor_info info = { .size = sizeof(info) };
	airs_pid module = record_more(record)->actor;
	airs_pid actor = module != AIRS_PID_NONE ? module : record->pid;
	int r;

	if (actor == AIRS_PID_NONE)
		return 0;
	r = put_number(answer, "ActorPID", actor);
	if (r < 0 || airs_actor_get_info(airs_actor_system(m->self), actor, &info) < 0)
		return r;
	return put_number(answer, "MessagesHandled", info.messages_handled);
}

/* What goes to the journal, and the file that takes it where there is none. */
static int put_journal(sd_bus_message *answer, struct manager *m, const struct unit *unit)
{
	const char *chosen = unit->service.syslog_identifier;
	auto_free char *path = NULL, *identifier = NULL;
	int r;

	path = text_format("%s/log/%s.log", m->home->runtime_dir, unit->name);
	identifier = instance_log_identifier(
			m->home->runtime_dir, chosen ? chosen : unit->name);
	if (!path || !identifier)
		return -ENOMEM;
	r = sd_bus_message_append(answer, "{sv}", "LogJournal", "b", 1);
	if (r >= 0)
		r = put_text(answer, "LogFile", path);
	return r < 0 ? r : put_text(answer, "LogIdentifier", identifier);
}

/* Where the output goes; standard error when standard output goes nowhere. */
static int put_service_log(
		sd_bus_message *answer, struct manager *m, const struct unit *unit)
{
	const struct unit_service *s = &unit->service;
	bool is_silent = s->standard_output == UNIT_OUTPUT_NULL;

	switch (is_silent ? s->standard_error : s->standard_output) {
	case UNIT_OUTPUT_JOURNAL:
		return put_journal(answer, m, unit);
	case UNIT_OUTPUT_FILE:
	case UNIT_OUTPUT_APPEND:
	case UNIT_OUTPUT_TRUNCATE:
		return put_some_text(answer, "LogFile",
				is_silent ? s->error_path : s->output_path);
	case UNIT_OUTPUT_NULL:
	case UNIT_OUTPUT_INHERIT:
		return 0;
	}
	return 0;
}

static int put_log(sd_bus_message *answer, struct manager *m, const struct unit *unit)
{
	auto_free char *instance = instance_name(m->home->runtime_dir);
	int r = instance ? put_text(answer, "Instance", instance) : -ENOMEM;

	if (r < 0)
		return r;
	if (unit->kind == UNIT_SERVICE)
		return put_service_log(answer, m, unit);
	return sd_bus_message_append(answer, "{sv}", "LogJournal", "b", 1);
}

/* Whether it runs with other settings than those in force. Children of a supervisor come
 * and go at once. */
static bool needs_restart(const struct record *record)
{
	if (!record_is_up(record) || !record->unit.is_outdated)
		return false;
	return record->kind != UNIT_SUPERVISOR ||
			tree_spec_differs(record->unit.kept, record->group->unit);
}

static int put_settings(sd_bus_message *answer, const struct manager *m,
		const struct record *record, const struct unit *unit)
{
	auto_text dump = { 0 };
	int r;

	unit_dump(unit, &dump);
	if (dump.failed)
		return -ENOMEM;
	r = put_text(answer, "Settings", text_get(&dump));
	if (r >= 0)
		r = put_some_text(answer, "Refused",
				unit_refusals_find(&m->refusals, record->name));
	if (r >= 0 && needs_restart(record))
		r = sd_bus_message_append(answer, "{sv}", "NeedsRestart", "b", 1);
	if (r >= 0 && record->kind != UNIT_SUPERVISOR)
		r = put_text(answer, "Confinement", unit->policy ? unit->policy : "none");
	return r;
}

static int put_kind(sd_bus_message *answer, struct manager *m,
		const struct record *record, const struct unit *unit)
{
	int r;

	if (record->kind != UNIT_SUPERVISOR) {
		r = put_figures(answer, m, record);
		return r < 0 ? r : put_log(answer, m, unit);
	}
	r = put_text(answer, "Strategy", unit_strategy_name(unit->supervising.strategy));
	return r < 0 ? r : put_children(answer, record);
}

static int put_unit(sd_bus_message *answer, struct manager *m,
		const struct record *record, const struct unit *unit)
{
	int r;

	r = put_identity(answer, record, unit);
	if (r >= 0)
		r = put_state(answer, record);
	if (r >= 0)
		r = put_jobs(answer, m, record);
	if (r >= 0)
		r = put_history(answer, record);
	if (r >= 0)
		r = put_limits(answer, record);
	if (r >= 0)
		r = put_kind(answer, m, record, unit);
	if (r >= 0)
		r = put_actor(answer, m, record);
	return r < 0 ? r : put_settings(answer, m, record, unit);
}

void answer_unit(struct manager *m, struct request *request, const struct record *record)
{
	auto_(unit) unit = NULL;
	sd_bus_message *answer = NULL;
	int r;

	r = registry_open(&m->registry, record, &unit);
	if (r >= 0)
		r = sd_bus_message_new_method_return(request->call, &answer);
	if (r >= 0)
		r = sd_bus_message_open_container(answer, 'a', "{sv}");
	if (r >= 0)
		r = put_unit(answer, m, record, unit);
	if (r >= 0)
		r = sd_bus_message_close_container(answer);
	give(request, answer, r);
}

static int append_file(sd_bus_message *answer, const struct unit_snapshot *snapshot,
		const char *path)
{
	for (uint32_t i = 0; i < snapshot->count; i++)
		if (strcmp(snapshot->files[i].path, path) == 0)
			return sd_bus_message_append(answer, "(ss)", clean(path),
					clean(snapshot->files[i].data));
	return 0;
}

void answer_files(struct manager *m, struct request *request, const struct record *record)
{
	auto_(unit) unit = NULL;
	auto_(unit_snapshot) snapshot = NULL;
	sd_bus_message *answer = NULL;
	int r;

	r = registry_open(&m->registry, record, &unit);
	if (r >= 0)
		r = unit_snapshot_unpack(m->snapshot_fd, &snapshot);
	if (r >= 0)
		r = sd_bus_message_new_method_return(request->call, &answer);
	if (r >= 0)
		r = sd_bus_message_open_container(answer, 'a', "(ss)");
	for (size_t i = 0; r >= 0 && i < unit->files.count; i++)
		r = append_file(answer, snapshot, unit->files.items[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(answer);
	give(request, answer, r);
}

void answer_diagnostics(struct manager *m, struct request *request)
{
	sd_bus_message *answer = NULL;
	int r;

	r = sd_bus_message_new_method_return(request->call, &answer);
	if (r >= 0)
		r = sd_bus_message_open_container(answer, 'a', NAMES_DIAG_SIGNATURE);
	for (size_t i = 0; r >= 0 && i < m->diag.count; i++) {
		const struct diag_item *item = &m->diag.items[i];

		r = sd_bus_message_append(answer, NAMES_DIAG_SIGNATURE,
				diag_severity_name(item->severity), item->code,
				clean(item->file), item->line, clean(item->text),
				clean(item->remedy));
	}
	if (r >= 0)
		r = sd_bus_message_close_container(answer);
	give(request, answer, r);
}
