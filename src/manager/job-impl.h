/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_JOB_IMPL_H
#define MANAGER_JOB_IMPL_H

/*
 * A job, shared by the files that make up what happens to it:
 *
 *   job.c        its life: it begins, ends with an answer, and is told of what happens
 *   job-step.c   what is to be done next, as the registry looks now
 *   job-reply.c  what the answer to a call means
 */

#include <stdbool.h>

#include "manager/job.h"

/* What a job waits for. */
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

/* job.c; each of done and failed ends the job. */
void job_done(struct manager *m, struct job *job);
/* error is a negative errno for modules, name and text are for clients. */
void job_failed(struct manager *m, struct job *job, int error, const char *name,
		const char *text);
/* A call was made (job->call), or could not be (r), which ends the job. */
void job_wait_for(struct manager *m, struct job *job, enum job_wait wait, int r);

/* job-step.c; each makes a call, waits for an event, or ends the job. */
void job_step(struct manager *m, struct job *job);
void job_call_terminate(struct manager *m, struct job *job, struct record *target);
/* start_child or update_child, as wait says. */
void job_call_with_spec(struct manager *m, struct job *job, struct record *target,
		enum job_wait wait);
/* A stop is over: the unit is down. */
void job_stop_done(struct manager *m, struct job *job, struct record *target);
/* The unit is removed. Those that waited for a name to be free again are given to their
 * supervisors now. */
void job_forget(struct manager *m, struct record *record);

/* job-reply.c; goes on with the job or ends it. */
void job_resume(struct manager *m, struct job *job, const struct airs_message *reply);

#endif
