/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_MESSAGES_H
#define MANAGER_MESSAGES_H

/*
 * Messages between the manager, the bus and its connections. All of them live on the main
 * pool.
 */

#include "airssys/message.h"

enum manager_message {
	MANAGER_REQUEST = AIRS_MSG_USER +
			500, /* connection → manager: a request (request_send) */
	BUS_ANSWER, /* manager → connection: the same request, answered */
	BUS_TREE_UP, /* manager → bus → connections: uint32_t, whether the tree is up */
	BUS_CONTINUE, /* a connection to itself: more to do, but others first */
};

#endif
