/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_BACKOFF_H
#define RT_BACKOFF_H

/*
 * How long to wait before a restart. No state: attempt and random bits are parameters.
 */

#include <stdint.h>

#include "airssys/supervisor.h"

/*
 * The delay in microseconds before restart number attempt (1: the first after a stable
 * run).
 *
 * Grows geometrically from initial_usec to max_usec, which it reaches with restart steps
 * + 1; then a random part of at most jitter_percent is taken off.
 */
uint64_t backoff_delay(
		const struct airs_backoff *backoff, uint32_t attempt, uint64_t random);

#endif
