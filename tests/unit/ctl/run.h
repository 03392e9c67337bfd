/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_CTL_RUN_H
#define TESTS_CTL_RUN_H

/*
 * Runs the real airssysctl against a fake instance and collects what it prints. Both live
 * in one loop; nothing takes longer than RUN_LIMIT_SEC.
 */

#include <sys/types.h>

#include "base/text.h"
#include "fake.h"

#define RUN_LIMIT_SEC 30

enum run_screen {
	RUN_PIPES, /* standard output and error are pipes */
	RUN_TERMINAL, /* both are one terminal of 60 columns */
	RUN_INHERIT, /* standard output is that of the test, error is a pipe */
};

struct run {
	struct fake *fake; /* may be NULL */
	pid_t pid;
	int out_fd, err_fd; /* -1: at its end */
	struct text out, err; /* a terminal's text is in out */
	int status; /* exit status; 128 + n: ended by signal n */
};

/*
 * Start it with these arguments, up to the NULL. With a fake, --socket= of it comes
 * first. The locale is C.UTF-8 and the time zone UTC, unless environment
 * (NULL-terminated, may be NULL) says otherwise.
 */
void run_start(struct run *run, struct fake *fake, enum run_screen screen,
		const char *const *environment, const char *const *arguments);
/* Until text was printed. */
void run_until(struct run *run, const char *text);
/* Until it ended. */
void run_wait(struct run *run);
/* Ends the program, should it still run. */
void run_fini(struct run *run);

/* Start it and wait. */
#define run_ctl(run, fake, ...)                                                          \
	do {                                                                             \
		run_start(run, fake, RUN_PIPES, NULL,                                    \
				(const char *const[]){ __VA_ARGS__, NULL });             \
		run_wait(run);                                                           \
	} while (0)

/* Assertions with the whole text in the message. */
void expect_contains(const struct text *text, const char *part);
void expect_lacks(const struct text *text, const char *part);
/* One JSON document and a newline. */
void expect_json(const struct text *text);
/* One JSON document per line, as many as told. */
void expect_json_lines(const struct text *text, size_t n_lines);

#endif
