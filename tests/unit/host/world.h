/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_HOST_WORLD_H
#define TESTS_HOST_WORLD_H

/*
 * A seeded system with the activity log and one actor that writes records when it is
 * told. There is one world in a test.
 */

#include "host/activity.h"

extern struct world {
	struct airs_system *system;
	airs_pid writer, source;
	struct activity_counts counts; /* of the last world_ask */
	int journal; /* of the test */
	int fallback[2]; /* the pipe that lines go to, and its other end first */
} w;

/* With defaults for zeroes; journal "": none. */
void world_start(const char *journal, size_t ring_bytes, size_t mailbox_max);
/* Until nothing is runnable. */
void world_run(void);
/* Records of unit db whose details are the numbers from first on, made longer by so many
 * bytes. */
void world_write(enum activity_kind kind, uint64_t first, uint64_t count,
		size_t detail_size);
void world_ask(void);

#endif
