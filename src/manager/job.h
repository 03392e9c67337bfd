/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_JOB_H
#define MANAGER_JOB_H

/*
 * Requests about one unit that take time: a job is a chain of calls to supervisors and
 * services, one at a time, each of whose replies decides the next. It answers its request
 * when it is over. A client that leaves does not stop its job. Jobs for one unit may
 * overlap: supervisors serve requests in order.
 *
 *   start    the supervisors above that do not run, from the root down, then the unit.
 * One that waits for its restart is started at once. stop     ends the unit, and what is
 * under it in reverse order; it rests until it is started restart  stop, then start
 *   reload, kill, fail  a call to the unit's actor
 *   remove   stop, then forget the unit: its file is gone
 *   add      give a new unit, or one that was removed by its supervisor, to its
 * supervisor update   put new specifications in place of those that the supervisor has
 */

#include "manager/manager.h"
#include "unit/protocol.h"

enum job_kind {
	JOB_START,
	JOB_STOP,
	JOB_RESTART,
	JOB_RELOAD,
	JOB_KILL,
	JOB_FAIL,
	JOB_REMOVE,
	JOB_ADD,
	JOB_UPDATE,
	JOB_KIND_COUNT
};

struct job_options {
	enum job_kind kind;
	struct record *record;
	struct request *request; /* consumed in every case; NULL: nobody on the bus waits
				  */
	struct airs_from from; /* JOB_FAIL: the module's actor */
	struct service_kill kill; /* JOB_KILL */
	const char *why; /* JOB_FAIL; copied */
};

void job_start(struct manager *m, const struct job_options *options);
/* A reply arrived. false: it is no job's. */
bool job_on_reply(struct manager *m, const struct airs_message *reply);
/* Something happened to a unit: jobs that wait for that go on. */
void job_on_event(struct manager *m, const struct record *record);
/* What is under way for a unit, in order of arrival: "stop start"; nothing is appended
 * when there is nothing. */
void job_describe(const struct manager *m, const struct record *record, struct text *t);
/* The tree is stopping: every job fails. */
void job_fail_all(struct manager *m, const char *why);
/* Frees them without an answer or the runtime. */
void job_free_all(struct manager *m);

#endif
