/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "manager/intent.h"
#include "manager/names.h"
#include "service/end.h"

/*
 * Each step looks at the registry and makes the next call; a reply only says how the last
 * call went. What was true a call ago need not be true any more (another client, a
 * crash), so nothing is remembered but what the job has done itself. STEPS_MAX bounds a
 * job that runs after a tree which changes all the time.
 */

#define STEPS_MAX 64

enum job_wait {
	JOB_WAITS_NOT,
	JOB_WAITS_END, /* terminate_child */
	JOB_WAITS_START, /* restart_child, start_child */
	JOB_WAITS_CALL, /* to the unit's actor */
	JOB_WAITS_DELETE, /* delete_child */
	JOB_WAITS_UPDATE, /* update_child */
	JOB_WAITS_EVENT, /* of the unit */
};

struct job {
	struct list link;
	uint64_t id;
	enum job_kind kind;
	uint64_t record_id;
	uint64_t target_id; /* whom the call is about: the unit or a supervisor above it
			     */
	struct request *request;
	struct airs_from from;
	struct service_kill kill;
	char *why;
	enum job_wait wait;
	airs_ref call; /* 0: none */
	unsigned int steps;
	bool stopped; /* restart, remove: the first half is over */
	bool acted; /* something was started or stopped */
};

static void job_free(struct job *job)
{
	if (!job)
		return;
	list_remove(&job->link);
	request_free(job->request);
	free(job->why);
	free(job);
}

static void write_activity(struct manager *m, const struct job *job, const char *name,
		const char *result)
{
	struct activity_record record = { .kind = ACTIVITY_REQUEST_DONE };
	char caller[ACCESS_CALLER_TEXT_SIZE], text[256];
	size_t length;

	if (!job->request)
		return;
	/* The record's sentence has its own full stop. */
	length = strlen(result);
	if (length > 0 && result[length - 1] == '.')
		length--;
	(void)snprintf(text, sizeof(text), "%.*s", (int)length, result);
	access_caller_format(&job->request->caller, caller, sizeof(caller));
	record.unit = name;
	record.caller = caller;
	record.detail = access_method_name(job->request->method);
	record.reason = text;
	activity_write(m->self, m->activity, &record);
}

static void job_end(struct manager *m, struct job *job)
{
	struct record *record = registry_find_id(&m->registry, job->record_id);

	if (record)
		intent_end(m, record, job->id);
	if (job->call != 0)
		(void)map_remove_number(&m->jobs_by_call, job->call);
	job_free(job);
}

/* The job is over and went well. */
static void job_done(struct manager *m, struct job *job)
{
	const struct record *record = registry_find_id(&m->registry, job->record_id);
	bool takes_time = job->kind != JOB_KILL;
	const char *result = job->acted || !takes_time ? "done" : "already";

	write_activity(m, job, record ? record->name : NULL, result);
	if (job->request) {
		if (job->kind == JOB_KILL)
			request_answer_empty(job->request);
		else
			request_answer_text(job->request, result);
		manager_answer(m, TAKE_PTR(job->request));
	}
	if (job->from.ref != 0)
		(void)!airs_reply(m->self, job->from, 0, NULL, 0);
	job_end(m, job);
}

/* The job is over and did not: error is a negative errno for modules, name and text are
 * for clients. */
static void job_failed(struct manager *m, struct job *job, int error, const char *name,
		const char *text)
{
	const struct record *record = registry_find_id(&m->registry, job->record_id);

	write_activity(m, job, record ? record->name : NULL, text);
	if (job->request) {
		request_fail(job->request, name, "%s", text);
		manager_answer(m, TAKE_PTR(job->request));
	}
	if (job->from.ref != 0)
		(void)!airs_reply(m->self, job->from, error, NULL, 0);
	job_end(m, job);
}

/* A call was made, or could not be. */
static void job_wait_for(struct manager *m, struct job *job, enum job_wait wait, int r)
{
	if (r >= 0) {
		job->wait = wait;
		r = map_put_number(&m->jobs_by_call, job->call, job);
		if (r >= 0)
			return;
		airs_call_cancel(m->self, job->call);
	}
	job->call = 0;
	job_failed(m, job, r, NAMES_ERROR_FAILED, strerrordesc_np(-r));
}

static void call_terminate(struct manager *m, struct job *job, struct record *target)
{
	if (target->kind == UNIT_SUPERVISOR)
		record_stopping(target, clock_realtime_usec());
	job->target_id = target->unit.id;
	job_wait_for(m, job, JOB_WAITS_END,
			airs_supervisor_terminate_child(m->self,
					manager_supervisor_of(m, target), target->name,
					AIRS_INFINITY, &job->call));
}

static void call_restart(struct manager *m, struct job *job, const struct record *target)
{
	job->target_id = target->unit.id;
	job_wait_for(m, job, JOB_WAITS_START,
			airs_supervisor_restart_child(m->self,
					manager_supervisor_of(m, target), target->name,
					AIRS_INFINITY, &job->call));
}

static int with_spec(struct manager *m, struct job *job, struct record *target,
		enum job_wait wait)
{
	struct airs_child_spec spec;
	airs_pid supervisor = manager_supervisor_of(m, target);
	int r;

	r = tree_spec_init(&spec, &m->context, target);
	if (r < 0)
		return r;
	if (wait == JOB_WAITS_UPDATE)
		r = airs_supervisor_update_child(
				m->self, supervisor, &spec, AIRS_INFINITY, &job->call);
	else
		r = airs_supervisor_start_child(
				m->self, supervisor, &spec, AIRS_INFINITY, &job->call);
	tree_spec_fini(&spec);
	return r;
}

/* start_child and update_child carry a specification. */
static void call_with_spec(struct manager *m, struct job *job, struct record *target,
		enum job_wait wait)
{
	job->target_id = target->unit.id;
	job_wait_for(m, job, wait, with_spec(m, job, target, wait));
}

/* The first of the unit and the supervisors above it, seen from the root, that does not
 * run. */
static struct record *find_lowest_down(struct record *record)
{
	struct record *lowest = NULL;

	for (; record; record = record->supervisor)
		if (!record_is_up(record))
			lowest = record;
	return lowest;
}

/* One that has ended says so before its supervisor does: then it is still up. */
static bool has_started(const struct record *record)
{
	return record->state == REGISTRY_RUNNING || record->state == REGISTRY_RELOADING ||
			record->state == REGISTRY_EXITED;
}

static void step_start(struct manager *m, struct job *job, struct record *record)
{
	struct record *down = find_lowest_down(record);

	if (record->retired) {
		job_failed(m, job, -ENOENT, NAMES_ERROR_NO_SUCH_UNIT,
				"The unit is gone.");
		return;
	}
	if (down && intent_is_overruled(record, job->id)) {
		job_failed(m, job, -ECANCELED, NAMES_ERROR_FAILED,
				"It was stopped while it was starting.");
		return;
	}
	if (down) {
		/* Who is asked to start rests no more, whatever comes of it. */
		if (down == record)
			intent_wake(m, down);
		else
			intent_wake_alone(m, down);
		call_restart(m, job, down);
		return;
	}
	if (!has_started(record)) {
		job->target_id = record->unit.id;
		job->wait = JOB_WAITS_EVENT;
		return;
	}
	job_done(m, job);
}

/* It is down. */
static void stop_done(struct manager *m, struct job *job, struct record *target)
{
	/* Told by an event when it ran; else this is the only place that knows. Unless
	 * somebody has asked for a start since then. */
	if (record_more(target)->intent_job == job->id)
		record_rest(target, clock_realtime_usec());
	job_done(m, job);
}

static void step_stop(struct manager *m, struct job *job, struct record *record)
{
	if (manager_supervisor_of(m, record) == AIRS_PID_NONE) {
		stop_done(m, job, record);
		return;
	}
	if (record_is_at_work(record))
		job->acted = true;
	call_terminate(m, job, record);
}

static void step_call(struct manager *m, struct job *job, struct record *record)
{
	int r;

	if (!record_is_up(record)) {
		job_failed(m, job, -ESRCH, NAMES_ERROR_NOT_RUNNING, "It is not running.");
		return;
	}
	if (record->kind == UNIT_SUPERVISOR) {
		job_failed(m, job, -EOPNOTSUPP, NAMES_ERROR_NOT_SUPPORTED,
				"It is a supervisor: it has no process.");
		return;
	}
	job->target_id = record->unit.id;
	if (job->kind == JOB_RELOAD)
		r = airs_call(m->self,
				&(struct airs_request){ .to = record->pid,
						.type = SERVICE_RELOAD,
						.timeout_usec = AIRS_INFINITY },
				&job->call);
	else if (job->kind == JOB_KILL)
		r = airs_call(m->self,
				&(struct airs_request){ .to = record->pid,
						.type = SERVICE_KILL,
						.data = &job->kill,
						.size = sizeof(job->kill),
						.timeout_usec = AIRS_INFINITY },
				&job->call);
	else
		r = airs_call(m->self,
				&(struct airs_request){ .to = record->pid,
						.type = SERVICE_FAIL,
						.data = job->why,
						.size = strlen(job->why) + 1,
						.timeout_usec = AIRS_INFINITY },
				&job->call);
	job_wait_for(m, job, JOB_WAITS_CALL, r);
}

/* Jobs that wait for something to happen to a unit that is not there any more. */
static void fail_orphans(struct manager *m)
{
	struct job *job, *tmp;

	list_foreach_safe(job, tmp, &m->jobs, link)
		if (job->wait == JOB_WAITS_EVENT &&
				!registry_find_id(&m->registry, job->target_id))
			job_failed(m, job, -ENOENT, NAMES_ERROR_NO_SUCH_UNIT,
					"The unit is gone.");
}

/* The unit is forgotten. Those that waited for a name to be free again are given to their
 * supervisors now. */
static void forget(struct manager *m, struct record *record)
{
	struct job_options options = { .kind = JOB_ADD };
	struct record *other = NULL;

	registry_remove(&m->registry, record);
	fail_orphans(m);
	while ((other = registry_next(&m->registry, other))) {
		if (!other->awaits_name ||
				registry_find_retired(&m->registry, other->name))
			continue;
		other->awaits_name = false;
		options.record = other;
		job_start(m, &options);
	}
}

static void step_remove(struct manager *m, struct job *job, struct record *record)
{
	airs_pid supervisor = manager_supervisor_of(m, record);

	if (supervisor == AIRS_PID_NONE) {
		forget(m, record);
		job_done(m, job);
		return;
	}
	if (!job->stopped) {
		call_terminate(m, job, record);
		return;
	}
	job->target_id = record->unit.id;
	job_wait_for(m, job, JOB_WAITS_DELETE,
			airs_supervisor_delete_child(m->self, supervisor, record->name,
					AIRS_INFINITY, &job->call));
}

/* For add and update a supervisor that does not run needs nothing: it starts by its own
 * specification. */
static void step_with_spec(struct manager *m, struct job *job, struct record *record,
		enum job_wait wait)
{
	if (manager_supervisor_of(m, record) == AIRS_PID_NONE)
		job_done(m, job);
	else
		call_with_spec(m, job, record, wait);
}

static void job_step(struct manager *m, struct job *job)
{
	struct record *record = registry_find_id(&m->registry, job->record_id);

	job->wait = JOB_WAITS_NOT;
	if (!record) {
		job_failed(m, job, -ENOENT, NAMES_ERROR_NO_SUCH_UNIT,
				"The unit is gone.");
		return;
	}
	if (++job->steps > STEPS_MAX) {
		job_failed(m, job, -EBUSY, NAMES_ERROR_FAILED,
				"The units around it keep changing.");
		return;
	}
	switch (job->kind) {
	case JOB_START:
		step_start(m, job, record);
		return;
	case JOB_RESTART:
		if (job->stopped || manager_supervisor_of(m, record) == AIRS_PID_NONE)
			step_start(m, job, record);
		else
			step_stop(m, job, record);
		return;
	case JOB_STOP:
		step_stop(m, job, record);
		return;
	case JOB_RELOAD:
	case JOB_KILL:
	case JOB_FAIL:
		step_call(m, job, record);
		return;
	case JOB_REMOVE:
		step_remove(m, job, record);
		return;
	case JOB_ADD:
		step_with_spec(m, job, record, JOB_WAITS_START);
		return;
	case JOB_UPDATE:
		step_with_spec(m, job, record, JOB_WAITS_UPDATE);
		return;
	case JOB_KIND_COUNT:
		return;
	}
}

static void on_ended(struct manager *m, struct job *job, struct record *target)
{
	job->stopped = true;
	if (job->kind == JOB_STOP) {
		stop_done(m, job, target);
		return;
	}
	intent_end(m, target, job->id);
	job_step(m, job);
}

static void describe_failure(const struct record *target,
		const struct airs_message *reply, char *buffer, size_t size)
{
	const struct registry_end *end = record_end(target, 0);
	const char *failed_step = record_more(target)->failed_step;
	char reason[160];

	if (failed_step) {
		(void)snprintf(buffer, size, "failed at step %s", failed_step);
		return;
	}
	if (reply->size == sizeof(struct airs_reason))
		end_describe(reply->data, reason, sizeof(reason));
	else if (end)
		registry_end_reason(end, reason, sizeof(reason));
	else
		(void)snprintf(reason, sizeof(reason), "%s",
				strerrordesc_np(-reply->status));
	/* The process's own end says more than the actor's. */
	if (end && end->reason.reason_class == AIRS_REASON_PROCESS)
		registry_end_reason(end, reason, sizeof(reason));
	(void)snprintf(buffer, size, "did not start: %s", reason);
}

static void start_failed(struct manager *m, struct job *job, const struct record *target,
		const struct airs_message *reply)
{
	char text[512];

	describe_failure(target, reply, text, sizeof(text));
	job_failed(m, job, reply->status < 0 ? reply->status : -EIO, NAMES_ERROR_FAILED,
			text);
}

static void on_started(struct manager *m, struct job *job, struct record *target,
		const struct airs_message *reply)
{
	job->acted = true;
	/* The event that says so may still be on its way. */
	if (!record_is_up(target) && reply->size == sizeof(airs_pid) &&
			target->state == REGISTRY_STOPPED &&
			target->rest == REGISTRY_REST_NONE)
		memcpy(&target->pid, reply->data, sizeof(target->pid));
	if (target->state == REGISTRY_FAILED) {
		start_failed(m, job, target, reply);
		return;
	}
	/* A oneshot may be over already: then it was started all the same. */
	if (target->unit.id == job->record_id || job->kind == JOB_ADD)
		job_done(m, job);
	else
		job_step(m, job);
}

/*
 * The start was cut short, because somebody stopped the unit or its supervisor is ending.
 * Unless a stop was asked for after this start, it is tried again when that is over.
 */
static void on_cut_short(struct manager *m, struct job *job, const struct record *target,
		int status)
{
	const struct record *above = target->supervisor;

	if (status == -ESHUTDOWN && above && record_is_up(above)) {
		job->target_id = above->unit.id;
		job->wait = JOB_WAITS_EVENT;
		return;
	}
	job_step(m, job);
}

/*
 * A reason comes with the failure of the start itself, whatever number that has, and with
 * -ESRCH when the supervisor has ended: then it is the supervisor's.
 */
static bool is_start_failure(const struct airs_message *reply)
{
	struct airs_reason reason;

	if (reply->status >= 0 || reply->size != sizeof(reason))
		return false;
	memcpy(&reason, reply->data, sizeof(reason));
	return reply->status != -ESRCH ||
			(reason.reason_class == AIRS_REASON_ERROR &&
					reason.code == ESRCH);
}

static void on_start_reply(struct manager *m, struct job *job, struct record *target,
		const struct airs_message *reply)
{
	if (reply->status == -ESHUTDOWN || reply->status == -ECANCELED) {
		on_cut_short(m, job, target, reply->status);
		return;
	}
	if (is_start_failure(reply)) {
		start_failed(m, job, target, reply);
		return;
	}
	switch (reply->status) {
	case 0:
		on_started(m, job, target, reply);
		return;
	case -EBUSY: /* it runs: somebody else was faster */
	case -ESRCH: /* its supervisor ended meanwhile */
	case -EEXIST: /* its supervisor knows it after all */
		job_step(m, job);
		return;
	case -EAGAIN:
		if (target->state == REGISTRY_BACKOFF) {
			call_terminate(m, job, target); /* ends the waiting */
			return;
		}
		job->wait = JOB_WAITS_EVENT;
		return;
	case -ENOENT:
		call_with_spec(m, job, target, JOB_WAITS_START);
		return;
	default:
		start_failed(m, job, target, reply);
		return;
	}
}

static void on_call_reply(
		struct manager *m, struct job *job, const struct airs_message *reply)
{
	const char *text = reply->size > 0 ? reply->data : "";

	switch (reply->status) {
	case 0:
		job->acted = true;
		job_done(m, job);
		return;
	case -ESRCH:
		job_failed(m, job, -ESRCH, NAMES_ERROR_NOT_RUNNING,
				"There is no such process in the unit.");
		return;
	case -EOPNOTSUPP:
		job_failed(m, job, -EOPNOTSUPP, NAMES_ERROR_NOT_SUPPORTED,
				job->kind == JOB_RELOAD ? "The unit has no ExecReload=."
							: "The unit has no process.");
		return;
	case -EBUSY:
		job_failed(m, job, -EBUSY, NAMES_ERROR_FAILED,
				"The unit is starting, reloading or stopping just now.");
		return;
	default:
		if (job->kind == JOB_RELOAD && reply->status == -EIO)
			job_failed(m, job, -EIO, NAMES_ERROR_FAILED, text);
		else
			job_failed(m, job, reply->status, NAMES_ERROR_FAILED,
					strerrordesc_np(-reply->status));
		return;
	}
}

static void on_delete_reply(struct manager *m, struct job *job, struct record *target,
		const struct airs_message *reply)
{
	if (reply->status == -EBUSY) { /* somebody has started it meanwhile */
		job->stopped = false;
		job_step(m, job);
		return;
	}
	if (reply->status < 0 && reply->status != -ENOENT && reply->status != -ESRCH) {
		job_failed(m, job, reply->status, NAMES_ERROR_FAILED,
				strerrordesc_np(-reply->status));
		return;
	}
	job->acted = true;
	forget(m, target);
	job_done(m, job);
}

static void job_resume(
		struct manager *m, struct job *job, const struct airs_message *reply)
{
	struct record *target = registry_find_id(&m->registry, job->target_id);
	enum job_wait wait = job->wait;

	job->wait = JOB_WAITS_NOT;
	if (!target) {
		job_failed(m, job, -ENOENT, NAMES_ERROR_NO_SUCH_UNIT,
				"The unit is gone.");
		return;
	}
	switch (wait) {
	case JOB_WAITS_END:
		on_ended(m, job, target); /* its supervisor gone is just as well */
		return;
	case JOB_WAITS_START:
		on_start_reply(m, job, target, reply);
		return;
	case JOB_WAITS_CALL:
		on_call_reply(m, job, reply);
		return;
	case JOB_WAITS_DELETE:
		on_delete_reply(m, job, target, reply);
		return;
	case JOB_WAITS_UPDATE:
		job_done(m, job);
		return;
	case JOB_WAITS_NOT:
	case JOB_WAITS_EVENT:
		return;
	}
}

static void refuse(struct manager *m, const struct job_options *options)
{
	if (options->request) {
		request_fail(options->request, SD_BUS_ERROR_NO_MEMORY, "Out of memory.");
		manager_answer(m, options->request);
	}
	if (options->from.ref != 0)
		(void)!airs_reply(m->self, options->from, -ENOMEM, NULL, 0);
}

static bool notes_intent(enum job_kind kind)
{
	return kind == JOB_STOP || kind == JOB_RESTART;
}

/* NULL: out of memory. */
static struct job *job_new(const struct job_options *options)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	list_init(&job->link);
	job->why = options->why ? strdup(options->why) : NULL;
	if ((options->why && !job->why) ||
			(notes_intent(options->kind) &&
					!record_make_more(options->record))) {
		job_free(job);
		return NULL;
	}
	return job;
}

void job_start(struct manager *m, const struct job_options *options)
{
	struct job *job = job_new(options);

	if (!job) {
		refuse(m, options);
		return;
	}
	job->id = ++m->last_job_id;
	job->kind = options->kind;
	job->record_id = options->record->unit.id;
	job->request = options->request;
	job->from = options->from;
	job->kill = options->kill;
	list_append(&m->jobs, &job->link);
	intent_begin(m, options->record, job->kind, job->id);
	job_step(m, job);
}

bool job_on_reply(struct manager *m, const struct airs_message *reply)
{
	struct job *job = map_remove_number(&m->jobs_by_call, reply->ref);

	if (!job)
		return false;
	job->call = 0;
	job_resume(m, job, reply);
	return true;
}

void job_on_event(struct manager *m, const struct record *record)
{
	struct job *job, *tmp;

	/* A step may end its own job, never another one: tmp stays valid. */
	list_foreach_safe(job, tmp, &m->jobs, link)
		if (job->wait == JOB_WAITS_EVENT && job->target_id == record->unit.id)
			job_step(m, job);
}

static const char *kind_name(enum job_kind kind)
{
	static const char *const names[JOB_KIND_COUNT] = {
		[JOB_START] = "start",
		[JOB_STOP] = "stop",
		[JOB_RESTART] = "restart",
		[JOB_RELOAD] = "reload",
		[JOB_KILL] = "kill",
		[JOB_FAIL] = "fail",
		[JOB_REMOVE] = "remove",
		[JOB_ADD] = "add",
		[JOB_UPDATE] = "update",
	};

	return names[kind];
}

void job_describe(const struct manager *m, const struct record *record, struct text *t)
{
	const struct job *job;
	const char *separator = "";

	list_foreach(job, &m->jobs, link) {
		if (job->record_id != record->unit.id)
			continue;
		text_printf(t, "%s%s", separator, kind_name(job->kind));
		separator = " ";
	}
}

void job_fail_all(struct manager *m, const char *why)
{
	struct job *job, *tmp;

	list_foreach_safe(job, tmp, &m->jobs, link) {
		if (job->call != 0)
			airs_call_cancel(m->self, job->call);
		job_failed(m, job, -ESHUTDOWN, NAMES_ERROR_FAILED, why);
	}
}

void job_free_all(struct manager *m)
{
	struct job *job, *tmp;

	list_foreach_safe(job, tmp, &m->jobs, link)
		job_free(job);
	map_fini(&m->jobs_by_call);
}
