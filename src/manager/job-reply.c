/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manager/intent.h"
#include "manager/job-impl.h"
#include "manager/names.h"
#include "service/end.h"

static void on_ended(struct manager *m, struct job *job, struct record *target)
{
	job->stopped = true;
	if (job->kind == JOB_STOP) {
		job_stop_done(m, job, target);
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
			job_call_terminate(m, job, target); /* ends the waiting */
			return;
		}
		job->wait = JOB_WAITS_EVENT;
		return;
	case -ENOENT:
		job_call_with_spec(m, job, target, JOB_WAITS_START);
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
	job_forget(m, target);
	job_done(m, job);
}

void job_resume(struct manager *m, struct job *job, const struct airs_message *reply)
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
