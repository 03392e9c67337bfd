/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_CGROUP_H
#define KEEPER_CGROUP_H

/*
 * The instance's folder in the cgroup v2 tree, with one leaf for each unit. Where the
 * kernel has the tree beside v1 (hybrid) it is used for what it can do without
 * controllers: knowing and killing every process of a unit. Where there is none, or none
 * that the keeper may write, cgroup_is_there says so and keeper/members.h does the work.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "keeper/charge.h"
#include "keeper/signals.h"

typedef void cgroup_event_fn(void *data, struct charge *charge);

struct cgroup {
	int folder_fd; /* -1: none */
	char *path; /* absolute */
	size_t mount_size; /* of the mount point in path */
	int inotify_fd;
	struct loop_source source;
	struct loop *loop;
	struct map watches; /* inotify watch → charge */
	cgroup_event_fn *on_event;
	void *data;
};

/*
 * Find the keeper's own cgroup and make the instance's folder in it, or take previous (a
 * path from an earlier keeper, may be NULL) when it still exists.
 *
 *   instance  file name of the folder
 *   on_event  a leaf that is watched became populated or empty
 *
 * -ENOENT when there is no v2 tree, or why the folder could not be made.
 */
MUST_CHECK int cgroup_init(
		struct cgroup *cgroup, const char *instance, const char *previous);
MUST_CHECK int cgroup_start_watching(struct cgroup *cgroup, struct loop *loop,
		cgroup_event_fn *on_event, void *data);

/* Removes every leaf that is empty, and the folder when none is left. */
void cgroup_fini(struct cgroup *cgroup);

static inline bool cgroup_is_there(const struct cgroup *cgroup)
{
	return cgroup->folder_fd >= 0;
}

/* The unit's leaf, made when needed, as a descriptor that is the caller's. */
MUST_CHECK int cgroup_open(struct cgroup *cgroup, struct charge *charge, int *ret_fd);

/* Whether the unit has a leaf from an earlier keeper: takes it over. */
bool cgroup_adopt(struct cgroup *cgroup, struct charge *charge);

/* 1 or 0; 0 as well for a leaf that is not there. A negative errno when it cannot be
 * seen. */
int cgroup_is_populated(struct cgroup *cgroup, const struct charge *charge);

/* Wait until it is not populated any more, or for the deadline, on the monotonic clock. */
void cgroup_await_empty(struct cgroup *cgroup, const struct charge *charge,
		uint64_t deadline_usec);

/* Call on_event whenever that changes, until it is unwatched. */
MUST_CHECK int cgroup_watch(struct cgroup *cgroup, struct charge *charge);
void cgroup_unwatch(struct cgroup *cgroup, struct charge *charge);

/*
 * Signal every process of the unit, those that are born meanwhile too. SIGKILL is done
 * by the kernel at once where it can (cgroup.kill). -ESRCH when there is none.
 */
MUST_CHECK int cgroup_signal(
		struct cgroup *cgroup, struct charge *charge, struct signals signals);

/* The same for those that the keeper did not start. */
MUST_CHECK int cgroup_signal_rest(
		struct cgroup *cgroup, struct charge *charge, struct signals signals);

/* Whether a process is in the unit's leaf or below. */
bool cgroup_contains(const struct cgroup *cgroup, const struct charge *charge, pid_t pid);

/* The leaf's file name, for somebody else who removes it; its length, or -ENAMETOOLONG. */
#define CGROUP_LEAF_NAME_SIZE (255 + 1)
MUST_CHECK int cgroup_leaf_name(const struct charge *charge, char *name, size_t size);
/* Somebody did. */
void cgroup_forget(struct cgroup *cgroup, struct charge *charge);

/* Remove the unit's leaf, when it has neither processes nor folders. False: it has, or there
 * is none. */
bool cgroup_remove_empty(struct cgroup *cgroup, struct charge *charge);
/* The same with folders in which no process is. */
void cgroup_remove(struct cgroup *cgroup, struct charge *charge);

#endif
