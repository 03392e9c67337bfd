/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_EVENT_H
#define MANAGER_EVENT_H

/*
 * What supervisors and service actors say, on its way into the registry, the activity
 * log, the notes and the jobs that wait for it.
 */

#include "manager/manager.h"

void event_on_report(struct manager *m, const struct airs_message *message);
void event_on_supervisor(struct manager *m, const struct airs_supervisor_event *event);

/* A record about the whole; detail may be NULL. */
void event_write(struct manager *m, enum activity_kind kind, const char *detail);
/* The first record of a core, which tells where the units have their cgroups. */
void event_write_started(struct manager *m);

#endif
