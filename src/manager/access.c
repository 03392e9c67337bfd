/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/access.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static const struct {
	const char *name;
	enum access_right right;
} methods[ACCESS_METHOD_COUNT] = {
#define ACCESS_ROW(id, method_name, method_right)                                        \
	[ACCESS_##id] = { .name = (method_name), .right = (method_right) },
	ACCESS_METHODS(ACCESS_ROW)
#undef ACCESS_ROW
};

const char *access_method_name(enum access_method method)
{
	return methods[method].name;
}

enum access_right access_method_right(enum access_method method)
{
	return methods[method].right;
}

void access_policy_init(struct access_policy *policy, const char *path, uid_t owner_uid)
{
	struct stat st;

	*policy = (struct access_policy){ .owner_uid = owner_uid };
	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	policy->group_writes = (st.st_mode & S_IWGRP) != 0;
	policy->socket_gid = st.st_gid;
}

static bool is_member(gid_t wanted, gid_t gid, const gid_t *groups, size_t n_groups)
{
	if (gid == wanted)
		return true;
	for (size_t i = 0; i < n_groups; i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

unsigned int access_rights(const struct access_policy *policy, uid_t uid, gid_t gid,
		const gid_t *groups, size_t n_groups)
{
	if (uid == 0 || uid == policy->owner_uid)
		return ACCESS_OBSERVE | ACCESS_CONTROL;
	if (policy->group_writes && is_member(policy->socket_gid, gid, groups, n_groups))
		return ACCESS_OBSERVE | ACCESS_CONTROL;
	return ACCESS_OBSERVE;
}

/* The supplementary groups of the peer: -ENOPROTOOPT on a kernel that cannot tell. */
static int get_peer_groups(int socket, gid_t **ret_groups, size_t *ret_count)
{
	auto_free gid_t *groups = NULL;
	socklen_t size = 0;

	if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0) {
		*ret_groups = NULL;
		*ret_count = 0;
		return 0;
	}
	if (errno != ERANGE)
		return -errno;
	groups = malloc(size);
	if (!groups)
		return -ENOMEM;
	if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return -errno;
	*ret_groups = TAKE_PTR(groups);
	*ret_count = size / sizeof(gid_t);
	return 0;
}

int access_caller_init(const struct access_policy *policy, int socket,
		struct access_caller *ret_caller)
{
	auto_free gid_t *groups = NULL;
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	size_t n_groups = 0;
	int r;

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return -errno;
	r = get_peer_groups(socket, &groups, &n_groups);
	if (r < 0 && r != -ENOPROTOOPT)
		return r;
	*ret_caller = (struct access_caller){
		.uid = credentials.uid,
		.gid = credentials.gid,
		.pid = credentials.pid,
		.rights = access_rights(policy, credentials.uid, credentials.gid, groups,
				n_groups),
	};
	return 0;
}

void access_caller_format(const struct access_caller *caller, char *buffer, size_t size)
{
	(void)snprintf(buffer, size, "uid %u (pid %d)", (unsigned int)caller->uid,
			(int)caller->pid);
}

bool access_is_allowed(const struct access_caller *caller, enum access_method method)
{
	return (caller->rights & methods[method].right) != 0;
}
