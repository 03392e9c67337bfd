/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/job-impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/intent.h"
#include "manager/names.h"

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

void job_done(struct manager *m, struct job *job)
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

void job_failed(struct manager *m, struct job *job, int error, const char *name,
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

void job_wait_for(struct manager *m, struct job *job, enum job_wait wait, int r)
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
