/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_PROCID_H
#define BASE_PROCID_H

/*
 * The identity of a process beyond its number: pid, start time in clock ticks since boot
 * (field 22 of /proc/PID/stat) and the boot. A number may be reused; the triple is not.
 */

#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

#define BOOT_ID_SIZE 37 /* text form with its NUL */

struct procid {
	pid_t pid;
	uint64_t start_time; /* clock ticks since boot */
};

/* The kernel's boot id as text; -errno when /proc is not there. */
MUST_CHECK int boot_id_get(char ret_id[static BOOT_ID_SIZE]);

/* Identify a live or zombie process. -ESRCH when there is none. */
MUST_CHECK int procid_get(pid_t pid, struct procid *ret_id);

/*
 * Open the process that id names. -ESRCH when it is gone, a zombie nobody may adopt
 * included, or when the number belongs to another process now. The pidfd is opened first
 * and the start time compared after, so that what is held is what was compared.
 */
MUST_CHECK int procid_open(const struct procid *id, int *ret_pidfd);

/* Parent pid of a process, from /proc; -ESRCH. */
MUST_CHECK int proc_parent(pid_t pid, pid_t *ret_parent);

/*
 * How a process ended that its parent has not waited for yet, as waitpid tells it. -ESRCH
 * for one that lives, is gone, or is another; -EACCES when we may not be told.
 */
MUST_CHECK int proc_zombie_status(const struct procid *id, int *ret_status);

int pidfd_open_pid(pid_t pid);
int pidfd_signal(int pidfd, int signo);

#endif
