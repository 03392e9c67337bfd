/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_SPAWN_H
#define KEEPER_SPAWN_H

/*
 * From a unit's command to a process. A command that needs nothing that a child on the
 * keeper's memory must not do is run in such a child (clone, steps, execute: the keeper
 * waits, and knows how it went); everything else goes to airssys-exec, whose report
 * arrives on a pipe later.
 */

#include "base/macro.h"
#include "exec/steps.h"
#include "keeper/charge.h"
#include "unit/protocol.h"

struct keeper;

/* Put the executor and the places for its descriptors where they belong. */
MUST_CHECK int spawn_init(struct keeper *keeper);

/* Handle SPAWN: answers the core now or when the executor has reported. */
void spawn_handle(struct keeper *keeper, const struct protocol_message *request);

/* The executor's report, at the latest when its process has ended. Returns 0 when the
 * service runs or ran, or a negative errno: the process is gone and was answered. */
int spawn_finish(struct keeper *keeper, struct process *process);

/*
 * The core that asked is gone and nobody waits for the report: the process lives as one
 * that a new core is told of, or it is taken away.
 */
void spawn_abandon(struct keeper *keeper, struct process *process);

/* The unit's notify socket, when it has one and it is not open yet. */
MUST_CHECK int spawn_open_notify(
		struct keeper *keeper, struct charge *charge, const struct unit *unit);

/* Answer a request. */
void spawn_answer_started(
		struct keeper *keeper, struct process *process, uint64_t serial);
void spawn_answer_failed(
		struct keeper *keeper, uint64_t serial, const struct exec_report *report);

#endif
