/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_DESCRIPTION_H
#define KEEPER_DESCRIPTION_H

/*
 * The execution description (exec/spec.h) of one command of a unit, with its environment
 * built from scratch: nothing of the keeper's own is inherited but what the unit asks for
 * by name.
 */

#include "base/macro.h"
#include "exec/spec.h"
#include "exec/steps.h"
#include "keeper/charge.h"
#include "unit/protocol.h"
#include "unit/unit.h"

struct keeper;

struct description_request {
	struct unit *unit;
	struct charge *charge;
	const struct unit_command *command;
	const struct protocol_message *message; /* kind and result words */
};

/*
 * Build it. On failure ret_report says what was wrong, with the step that it would have
 * been part of.
 */
MUST_CHECK int description_build(struct keeper *keeper,
		const struct description_request *request, struct exec_spec **ret_spec,
		struct exec_report *ret_report);

/* The uid under which the unit's processes run; (uid_t)-1: only the executor finds out.
 */
uid_t description_uid(struct keeper *keeper, const struct unit *unit);

/* Whether the unit's processes may send readiness. */
bool description_has_notify(const struct unit *unit);

#endif
