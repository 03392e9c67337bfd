/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_FIGURES_H
#define MANAGER_FIGURES_H

/*
 * What the processes of a unit use just now: from its cgroup where it has one, else from
 * /proc for the main process and its descendants. Reads only files of the kernel's, a
 * bounded number of them.
 */

#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

#define FIGURES_PROCESSES_MAX 256 /* of one unit are looked at without a cgroup */

#define FIGURES_UNKNOWN UINT64_MAX

struct figures {
	uint64_t memory_bytes, memory_peak_bytes;
	uint64_t tasks;
	uint64_t cpu_usec;
};

/*
 * cgroup is the absolute path of the unit's folder, or NULL; main_pid is 0 when there is
 * none. What cannot be learnt is FIGURES_UNKNOWN.
 */
void figures_read(struct figures *figures, const char *cgroup, pid_t main_pid);

/* From the text of a process's /proc/PID/stat: its own CPU time and that of children it
 * has waited for. */
MUST_CHECK int figures_parse_stat(const char *text, long ticks_per_second,
		uint64_t *ret_cpu_usec, uint64_t *ret_threads);
/* The value of a key in "key value" lines, as in cpu.stat. -ENOENT. */
MUST_CHECK int figures_parse_key(const char *text, const char *key, uint64_t *ret_value);

#endif
