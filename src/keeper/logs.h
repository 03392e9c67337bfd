/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_LOGS_H
#define KEEPER_LOGS_H

/*
 * The output of services where there is no journal: a file of each in RUNTIME/log, which its
 * processes hold open for appending. The keeper is never in the way of what they write. When
 * something was written it looks a moment later whether a file has grown too large, keeps
 * the end of it as NAME.log.1 and empties it. What a service can write in that moment is
 * the most by which a file is larger, and while nobody writes the keeper does not wake up.
 */

#include <stdbool.h>
#include <stdint.h>

#include "keeper/loop.h"

#define LOGS_LIMIT (8 * 1024 * 1024)

struct logs {
	int folder_fd; /* borrowed; -1: none */
	int inotify_fd;
	struct loop *loop;
	struct loop_source source;
	bool is_watched; /* by now, or to be looked at by the time */
	uint64_t look_usec; /* CLOCK_MONOTONIC, when to look; 0: when something is written */
};

/* Where nothing can be watched, files are looked at by logs_shorten alone. */
void logs_init(struct logs *logs, int folder_fd, struct loop *loop);
void logs_fini(struct logs *logs);

/* One file, perhaps not there: done before a service is started. */
void logs_shorten(int folder_fd, const char *file);
/* A service is about to write to such a file. Until then nothing is watched: the kernel
 * takes 15 ms to end a watch, and so would every end of airssysd. */
void logs_watch(struct logs *logs);

uint64_t logs_next_usec(const struct logs *logs);
void logs_on_time(struct logs *logs, uint64_t now_usec);

#endif
