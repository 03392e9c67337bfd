/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Each step looks at the registry and makes the next call; a reply only says how the last
 * call went. What was true a call ago need not be true any more (another client, a
 * crash), so nothing is remembered but what the job has done itself. STEPS_MAX bounds a
 * job that runs after a tree which changes all the time.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "manager/intent.h"
#include "manager/job-impl.h"
#include "manager/names.h"

#define STEPS_MAX 64

void job_call_terminate(struct manager *m, struct job *job, struct record *target)
{
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

void job_call_with_spec(struct manager *m, struct job *job, struct record *target,
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

void job_stop_done(struct manager *m, struct job *job, struct record *target)
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
		job_stop_done(m, job, record);
		return;
	}
	if (record_is_at_work(record))
		job->acted = true;
	job_call_terminate(m, job, record);
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

void job_forget(struct manager *m, struct record *record)
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
		job_forget(m, record);
		job_done(m, job);
		return;
	}
	if (!job->stopped) {
		job_call_terminate(m, job, record);
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
		job_call_with_spec(m, job, record, wait);
}

void job_step(struct manager *m, struct job *job)
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
