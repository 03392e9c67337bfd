/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_SIGNALS_H
#define KEEPER_SIGNALS_H

/*
 * One signal and those that follow it, in the order of their numbers: what a stop sends to
 * a process (SIGTERM, then SIGHUP and SIGCONT) goes to it at one visit.
 */

#include <stdint.h>
#include <sys/types.h>

struct signals {
	int first;
	uint64_t further; /* bit n-1 for signal n */
};

/* 0 when the first one was sent, or a negative errno. The pid is a child's of ours that has
 * not been waited for. */
int signals_to_child(pid_t pid, struct signals signals);
int signals_to_pidfd(int pidfd, struct signals signals);

#endif
