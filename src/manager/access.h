/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_ACCESS_H
#define MANAGER_ACCESS_H

/*
 * Who may call what on the control bus.
 *
 * A caller is known by what the kernel says of its socket when it is accepted, and by
 * nothing else: later looks at /proc could meet another process. What it may do is
 * decided then, once. There is one table, method → right, and one function that reads it;
 * sd-bus's own check (which compares with the calling thread's uid) is switched off for
 * every method.
 *
 *   observe  whoever could connect: the mode of the socket decided that
 *   control  root, the user airssysd runs as, and members of the socket's group if the
 * group may write to it
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/macro.h"

/* Every method of the manager's interface, in the order of its vtable: name, right. */
#define ACCESS_METHODS(X)                                                                \
	X(LIST_UNITS, "ListUnits", ACCESS_OBSERVE)                                       \
	X(GET_UNIT, "GetUnit", ACCESS_OBSERVE)                                           \
	X(GET_FILES, "GetFiles", ACCESS_OBSERVE)                                         \
	X(START, "Start", ACCESS_CONTROL)                                                \
	X(STOP, "Stop", ACCESS_CONTROL)                                                  \
	X(RESTART, "Restart", ACCESS_CONTROL)                                            \
	X(RELOAD_UNIT, "ReloadUnit", ACCESS_CONTROL)                                     \
	X(KILL, "Kill", ACCESS_CONTROL)                                                  \
	X(DAEMON_RELOAD, "DaemonReload", ACCESS_CONTROL)                                 \
	X(DIAGNOSTICS, "Diagnostics", ACCESS_OBSERVE)                                    \
	X(SHUTDOWN, "Shutdown", ACCESS_CONTROL)

enum access_method {
#define ACCESS_ENUM(id, name, right) ACCESS_##id,
	ACCESS_METHODS(ACCESS_ENUM)
#undef ACCESS_ENUM
			ACCESS_METHOD_COUNT
};

enum access_right {
	ACCESS_OBSERVE = 1,
	ACCESS_CONTROL = 2,
};

/* What rights are given by. */
struct access_policy {
	uid_t owner_uid; /* of airssysd */
	bool group_writes; /* whether socket_gid may control */
	gid_t socket_gid;
};

/* Who is at the other end; immutable once made. */
struct access_caller {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	unsigned int rights; /* enum access_right, or-ed */
};

/*
 * The policy for the socket at path: group and mode are those of its file. One that is
 * not there gives the group nothing. The socket itself cannot be asked for its path: it
 * was bound under another.
 */
void access_policy_init(struct access_policy *policy, const char *path, uid_t owner_uid);

/* What a user with these groups may do. groups need not hold gid. */
unsigned int access_rights(const struct access_policy *policy, uid_t uid, gid_t gid,
		const gid_t *groups, size_t n_groups);

/* Ask the kernel who is connected. A negative errno of getsockopt when it does not say.
 */
MUST_CHECK int access_caller_init(const struct access_policy *policy, int socket,
		struct access_caller *ret_caller);

/* "uid 1000 (pid 4711)", as records tell it. */
#define ACCESS_CALLER_TEXT_SIZE 64
void access_caller_format(const struct access_caller *caller, char *buffer, size_t size);

/* The one decision. */
bool access_is_allowed(const struct access_caller *caller, enum access_method method);

const char *access_method_name(enum access_method method);
enum access_right access_method_right(enum access_method method);

#endif
