/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef HOST_MANAGER_API_H
#define HOST_MANAGER_API_H

/*
 * What actor modules say to the manager through airssys/module.h. The manager registers
 * MANAGER_API_NAME; where nobody has that name there is no manager.
 *
 * The manager knows the sender by struct service_report (its actor field), or, for a
 * module's actor that is not reported yet, by parent: the native actor that started it,
 * whose first report came before.
 */

#include <stdint.h>

#include "airssys/actor.h"

#define MANAGER_API_NAME      "airssys.manager"
#define MANAGER_API_TEXT_SIZE 256

enum manager_api_message {
	MANAGER_API_FAIL = AIRS_MSG_USER + 400, /* call: struct manager_api_fail; answers
						   of airs_service_fail */
	MANAGER_API_STATUS, /* struct manager_api_status */
};

struct manager_api_fail {
	airs_pid parent; /* of the sender */
	char name[256];
	char why[MANAGER_API_TEXT_SIZE];
};

struct manager_api_status {
	airs_pid parent;
	char text[MANAGER_API_TEXT_SIZE];
};

#endif
