/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_UNIT_KEEPER_BED_H
#define TESTS_UNIT_KEEPER_BED_H

/*
 * A test bed: airssysd with a private runtime folder, and the test program in the place
 * of airssys-core. Everything waits for what it expects, at most BED_PATIENCE_MSEC, and
 * fails the test when it does not come.
 */

#include <sys/types.h>

#include "unit/protocol.h"

#define BED_PATIENCE_MSEC 30000

/* The same tests are built twice: with the machine's cgroups, and as if it had none. */
#ifndef BED_CGROUP
#	define BED_CGROUP 1
#endif

struct bed {
	const char *folder, *units, *runtime, *output;
	pid_t keeper, core;
	int listener; /* where fake cores come */
	int core_fd; /* to the fake core */
	int link_fd; /* the core's end of the link */
	uint64_t serial;
	unsigned int max_files; /* of the next airssysd; 0: as the test's */
	uint8_t datagram[PROTOCOL_MESSAGE_MAX]; /* whose messages are being received */
	size_t size, cursor;
	/* Of an EXITED that said so too: EMPTY comes next, as if by itself; "": none. */
	char empty_unit[256];
};

struct reply {
	struct protocol_message message; /* texts live in buffer */
	int fds[8];
	size_t n_fds;
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
};

void bed_init(struct bed *bed);

/* Write units/NAME.actor. */
void bed_add_unit(struct bed *bed, const char *name, const char *content);

/* Start airssysd; option may be NULL. It does not wait for the core. */
void bed_launch(struct bed *bed, const char *option);
/* Meet the core that airssysd started. */
void bed_meet_core(struct bed *bed);
/* Both, and everything up to ADOPTED. */
void bed_start(struct bed *bed, const char *option);

/* The next message, whatever it is. */
void bed_receive(struct bed *bed, struct reply *reply);
/* The next message of this type; others before it are dropped. */
void bed_await(struct bed *bed, enum protocol_type type, struct reply *reply);
/* Fails when a message is there. */
void bed_expect_silence(struct bed *bed);

/* Send with the next serial, which it returns. */
uint64_t bed_send(struct bed *bed, struct protocol_message message);
void bed_send_raw(struct bed *bed, const void *data, size_t size);

/* SPAWN of ExecStart, and the answer. */
void bed_spawn(struct bed *bed, const char *unit, struct reply *reply);
/* SPAWN that must fail at this step. */
void bed_expect_failure(struct bed *bed, const char *unit, const char *step, int error,
		struct reply *reply);
/* The next process that ends is this one. */
void bed_expect_exit(
		struct bed *bed, pid_t pid, int code, int status, struct reply *reply);
/* SPAWN that must succeed; returns the pid. */
pid_t bed_spawn_main(struct bed *bed, const char *unit);
void bed_signal(struct bed *bed, const char *unit, enum protocol_whom whom, int signo);

/* SIGKILL, and wait until it is gone. */
void bed_kill_core(struct bed *bed);
void bed_kill_keeper(struct bed *bed);
/* SIGTERM, STOP, DOWN: airssysd must exit with 0. */
void bed_stop(struct bed *bed);
/* Wait for airssysd; its wait status. */
int bed_wait_keeper(struct bed *bed);

/* Run a shell command as a service: units/NAME.actor with more lines of [Service]. */
void bed_add_shell(
		struct bed *bed, const char *name, const char *command, const char *more);

/* Wait until a file is there and not empty; its text is never freed. */
const char *bed_await_file(const char *path);
/* Wait until no process has this number any more. */
void bed_await_gone(pid_t pid);
/* A child of ours with this very number, which leads a session; 0 when the kernel does not
 * let us choose. */
pid_t bed_become_stranger(pid_t number);
/* What airssysd said so far. */
const char *bed_output(struct bed *bed);

#endif
