/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_RUNTIME_H
#define KEEPER_RUNTIME_H

/*
 * The runtime folder of an instance.
 *
 *   lock      flock'ed by the keeper as long as it lives
 *   control   the control socket, which the core accepts on
 *   state/    what a new keeper must know (keeper/state.h); the keeper's alone
 *   notify/   one datagram socket for each service that says when it is ready; may be
 *             passed through by all, listed by nobody; each socket belongs to the user of
 *             its service
 *   log/      output of services where there is no journal
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/macro.h"

struct runtime {
	int folder_fd, lock_fd, state_fd, notify_fd, log_fd;
	int control_fd; /* listening */
};

enum runtime_owner {
	RUNTIME_SYSTEM, /* the group airssys may connect to the control socket */
	RUNTIME_USER, /* nobody else */
};

#define RUNTIME_CONTROL "control"
#define RUNTIME_NOTIFY  "notify"

/*
 * Whether a client can reach path/what/name (name "": path/what) as a socket, whose path
 * has at most 107 bytes. The keeper itself can bind longer ones.
 */
bool runtime_path_fits(const char *path, const char *what, const char *name);

/*
 * Make and lock the folder. -EWOULDBLOCK when another keeper has it, -ELOOP and -EPERM
 * when somebody else could put another one in its place (path_make_trusted).
 */
MUST_CHECK int runtime_init(struct runtime *runtime, const char *path);

/* Make the control socket; what stood there before is replaced at once, so that a client
 * finds the old one or the new one. */
MUST_CHECK int runtime_listen(
		struct runtime *runtime, enum runtime_owner owner, gid_t control_group);

/* A notify socket that uid may send to; (uid_t)-1: nobody but us until somebody gives it
 * away. Non-blocking, with the sender's credentials. */
MUST_CHECK int runtime_open_notify(
		struct runtime *runtime, const char *name, uid_t uid, int *ret_fd);
void runtime_remove_notify(struct runtime *runtime, const char *name);

/* Removes what is of no use without a keeper. */
void runtime_clear(struct runtime *runtime);
void runtime_fini(struct runtime *runtime);

#endif
