/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_INTENT_H
#define MANAGER_INTENT_H

/*
 * What an administrator has asked for, kept with the unit's note before anything is done
 * about it, so that a core which ends in between leaves the request to the next one.
 *
 *   stop     noted until it is carried out; then the unit rests (REGISTRY_REST_STOPPED)
 *   restart  noted until the unit is down; from then on it is a start
 *   start    the unit no longer rests: a new core starts it like any other
 *
 * The last request counts. A unit that was stopped stays so, whatever happens to the
 * supervisors above it, until it or one of them is started or restarted by name.
 */

#include "airssys/supervisor.h"
#include "manager/job.h"
#include "manager/manager.h"

/* A job of this kind begins, for which record_make_more has made room. Those that are no
 * request about whether the unit ought to run are none of our business. */
void intent_begin(struct manager *m, struct record *record, enum job_kind kind,
		uint64_t job_id);
/* Whether a stop of the unit, or of a supervisor above it, was asked for after this job. */
bool intent_is_overruled(const struct record *record, uint64_t job_id);
/* The job is over, or needs to be repeated no more. */
void intent_end(struct manager *m, struct record *record, uint64_t job_id);
/* It is to run: it rests no more, and neither does what is under it. */
void intent_wake(struct manager *m, struct record *record);
/* The same without what is under it. */
void intent_wake_alone(struct manager *m, struct record *record);
/* Carry out what an earlier core was asked, now that there is something to do it with;
 * and end a supervisor that was started only because the one above it was. */
void intent_on_event(struct manager *m, struct record *record,
		const struct airs_supervisor_event *event);
/* The tree is up: units that rested when it was built are no longer kept from starting
 * by their specifications, but only by their records. */
void intent_on_up(struct manager *m);

#endif
