/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_WHEN_H
#define CTL_WHEN_H

/*
 * Moments for people, in the time zone of the reader.
 */

#include <stdint.h>

#include "base/macro.h"
#include "base/text.h"

/* "Sun 2026-11-22 12:38:26 UTC" */
void when_append_absolute(struct text *t, uint64_t realtime_usec);
/* "2026-11-22 12:38:26.123", for log lines */
void when_append_stamp(struct text *t, uint64_t realtime_usec);
/* How long something took or ran: milliseconds once there are some. */
void when_append_span(struct text *t, uint64_t usec);
/* "2min 3s ago", or "in 5s" */
void when_append_relative(struct text *t, uint64_t realtime_usec, uint64_t now_usec);

/*
 * A moment as people write it, in the forms of systemd.time(7) that journalctl takes:
 * "2026-11-22 12:38[:26]", "2026-11-22", "12:38[:26]" (today), with "T" for the blank, a
 * weekday in front and "UTC" or "Z" behind if wanted; "now", "today", "yesterday";
 * "-2h" and "2h ago"; "@seconds since 1970". 0 or -EINVAL.
 */
MUST_CHECK int when_parse(const char *s, uint64_t now_usec, uint64_t *ret_realtime_usec);

#endif
