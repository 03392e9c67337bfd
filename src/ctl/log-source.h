/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_LOG_SOURCE_H
#define CTL_LOG_SOURCE_H

/*
 * Where entries come from, as log.c sees it. A source is opened when it is made, tells
 * what it has, hands on its last entries once, and then what is new after each event.
 */

#include <poll.h>

#include "ctl/log.h"

struct log_source;

struct log_source_ops {
	/* How many of the last entries there are, at most max, and the realtime of the
	 * newest (0: none). */
	int (*count)(struct log_source *source, uint64_t max, uint64_t *ret_count,
			uint64_t *ret_newest_usec);
	/* All of them: OPTIONS_ALL_LINES. */
	int (*emit_last)(struct log_source *source, uint64_t lines);
	/* What to poll for, and for how many milliseconds at most; -1: any time. */
	int (*watch)(struct log_source *source, struct pollfd *ret_fd, int *ret_timeout);
	/* Hand on what is new. */
	int (*emit_news)(struct log_source *source);
	void (*free)(struct log_source *source);
};

struct log_source {
	const struct log_source_ops *ops;
	const struct log_request *request;
	const struct log_sink *sink;
};

/* request and sink are borrowed as long as the source lives. */
MUST_CHECK int log_file_open(const struct log_request *request,
		const struct log_sink *sink, struct log_source **ret_source);
MUST_CHECK int log_journal_open(const struct log_request *request,
		const struct log_sink *sink, struct log_source **ret_source);

#endif
