/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_BENCH_MANAGERS_H
#define TESTS_BENCH_MANAGERS_H

/*
 * The service managers that are measured side by side, each with the same trivial program:
 * restarted always and with the least delay that the manager allows, output thrown away,
 * one configuration a service in the field's folder, and nothing outside of it. Who
 * measures is a subreaper, so that nothing of a manager can outlive the measurement.
 */

#include "bench/field.h"

struct manager {
	const char *name;
	/* What is executed; looked for in PATH where it has no slash. NULL: this program. */
	const char *program;
	/* Names another program, and stands for one that is not packaged. NULL: none. */
	const char *variable;
	void (*configure)(const struct field *f);
	/* Sets f->keeper. */
	void (*start)(struct field *f, const char *program);
	/* Returns when manager and services are gone. */
	void (*stop)(const struct field *f);
	/* NULL, or as systemd_enter. */
	const char *(*enter)(void);
};

/* The bare loop is the first, airssysd the second. */
extern const struct manager managers[];
extern const size_t n_managers;

/* The path of its program; the caller frees it. NULL: it is not there. */
char *manager_find(const struct manager *manager);

/* bench/managed-systemd.c. */
void systemd_configure(const struct field *f);
void systemd_start(struct field *f, const char *program);
void systemd_stop(const struct field *f);
/* Before anything is measured: returns in another process, which sees the processes that
 * systemd will have. NULL, or why it cannot be measured. */
const char *systemd_enter(void);
/* Nothing of what that process made (which had this pid) stays, once all have ended. */
void systemd_clear(pid_t pid);

/* Execute with standard output and error in the field's log, in the given environment. */
pid_t manager_execute(const struct field *f, char *const argv[], char *const env[]);

#endif
