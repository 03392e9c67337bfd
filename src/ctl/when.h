/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_WHEN_H
#define CTL_WHEN_H

/*
 * Moments for people, in the time zone of the reader.
 */

#include <stdint.h>

#include "base/text.h"

/* "Sun 2026-11-22 12:38:26 UTC" */
void when_append_absolute(struct text *t, uint64_t realtime_usec);
/* "2026-11-22 12:38:26.123", for log lines */
void when_append_stamp(struct text *t, uint64_t realtime_usec);
/* "2min 3s ago", or "in 5s" */
/* How long something took or ran: milliseconds once there are some. */
void when_append_span(struct text *t, uint64_t usec);
void when_append_relative(struct text *t, uint64_t realtime_usec, uint64_t now_usec);

#endif
