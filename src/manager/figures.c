/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/figures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"

#define FILE_MAX (64 * 1024)

int figures_parse_key(const char *text, const char *key, uint64_t *ret_value)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		char number[24];
		size_t n;

		line += *line == '\n';
		if (strncmp(line, key, length) != 0 || line[length] != ' ')
			continue;
		n = strcspn(line + length + 1, "\n");
		if (n >= sizeof(number))
			return -ERANGE;
		memcpy(number, line + length + 1, n);
		number[n] = '\0';
		return parse_u64(number, ret_value);
	}
	return -ENOENT;
}

int figures_parse_stat(const char *text, long ticks_per_second, uint64_t *ret_cpu_usec,
		uint64_t *ret_threads)
{
	unsigned long long user, system, waited_user, waited_system, threads;
	/* The name may hold anything, blanks and parentheses too: the fields begin after
	 * the last one. */
	const char *fields = strrchr(text, ')');

	if (!fields)
		return -EINVAL;
	/* state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime
	   stime cutime cstime priority nice num_threads */
	if (sscanf(fields + 1,
			    " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %llu %llu %*s %*s %llu",
			    &user, &system, &waited_user, &waited_system, &threads) != 5)
		return -EINVAL;
	*ret_cpu_usec = (user + system + waited_user + waited_system) * USEC_PER_SEC /
			(uint64_t)ticks_per_second;
	*ret_threads = threads;
	return 0;
}

static char *read_file(const char *folder, const char *name)
{
	auto_free char *path = text_format("%s/%s", folder, name);
	char *data;
	size_t size;

	if (!path || file_read(path, FILE_MAX, &data, &size) < 0)
		return NULL;
	return data;
}

static uint64_t read_number(const char *folder, const char *name)
{
	auto_free char *data = read_file(folder, name);
	uint64_t value;

	if (!data)
		return FIGURES_UNKNOWN;
	data[strcspn(data, "\n")] = '\0';
	return parse_u64(data, &value) < 0 ? FIGURES_UNKNOWN : value;
}

static void read_cgroup(struct figures *figures, const char *cgroup)
{
	auto_free char *cpu = read_file(cgroup, "cpu.stat");

	figures->memory_bytes = read_number(cgroup, "memory.current");
	figures->memory_peak_bytes = read_number(cgroup, "memory.peak");
	figures->tasks = read_number(cgroup, "pids.current");
	if (cpu)
		(void)!figures_parse_key(cpu, "usage_usec", &figures->cpu_usec);
}

/* Adds what one process uses; a process that is gone adds nothing. */
static void add_process(struct figures *sum, pid_t pid)
{
	auto_free char *folder = text_format("/proc/%d", (int)pid);
	auto_free char *stat = NULL, *statm = NULL;
	unsigned long long resident;
	uint64_t cpu, threads;

	if (!folder)
		return;
	stat = read_file(folder, "stat");
	statm = read_file(folder, "statm");
	if (!stat || !statm || sscanf(statm, "%*s %llu", &resident) != 1)
		return;
	if (figures_parse_stat(stat, sysconf(_SC_CLK_TCK), &cpu, &threads) < 0)
		return;
	sum->memory_bytes += resident * (uint64_t)sysconf(_SC_PAGESIZE);
	sum->cpu_usec += cpu;
	sum->tasks += threads;
}

/* Appends the children of a process, of all its threads as far as the main one has them
 * listed. */
static void append_children(pid_t *pids, size_t *n, pid_t pid)
{
	auto_free char *path = text_format("/proc/%d/task/%d", (int)pid, (int)pid);
	auto_free char *children = path ? read_file(path, "children") : NULL;
	char *next = children, *end;

	while (next && *n < FIGURES_PROCESSES_MAX) {
		long child = strtol(next, &end, 10);

		if (end == next)
			return;
		pids[(*n)++] = (pid_t)child;
		next = end;
	}
}

static void read_processes(struct figures *figures, pid_t main_pid)
{
	struct figures sum = { .memory_peak_bytes = FIGURES_UNKNOWN };
	pid_t pids[FIGURES_PROCESSES_MAX];
	size_t n = 0;

	pids[n++] = main_pid;
	for (size_t i = 0; i < n; i++) {
		add_process(&sum, pids[i]);
		append_children(pids, &n, pids[i]);
	}
	if (sum.tasks > 0)
		*figures = sum;
}

void figures_read(struct figures *figures, const char *cgroup, pid_t main_pid)
{
	*figures = (struct figures){ FIGURES_UNKNOWN, FIGURES_UNKNOWN, FIGURES_UNKNOWN,
		FIGURES_UNKNOWN };
	if (cgroup)
		read_cgroup(figures, cgroup);
	/* Where controllers are not delegated the cgroup has some figures and lacks
	 * others. */
	if (main_pid > 0 &&
			(figures->memory_bytes == FIGURES_UNKNOWN ||
					figures->cpu_usec == FIGURES_UNKNOWN)) {
		struct figures other = *figures;

		read_processes(&other, main_pid);
		if (figures->memory_bytes == FIGURES_UNKNOWN)
			figures->memory_bytes = other.memory_bytes;
		if (figures->tasks == FIGURES_UNKNOWN)
			figures->tasks = other.tasks;
		if (figures->cpu_usec == FIGURES_UNKNOWN)
			figures->cpu_usec = other.cpu_usec;
	}
}
