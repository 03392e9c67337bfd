/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_LOG_H
#define CTL_LOG_H

/*
 * The log of one unit, from the file or from the journal, as entries for a sink. Each
 * reader goes from the oldest wanted entry to the newest and then, when it follows, waits
 * for more until the sink or the reader of standard output has had enough.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

/* A longer line of a file is handed on in pieces of this size. */
#define LOG_LINE_MAX 65536

struct log_entry {
	const char *message; /* without the newline; not NUL-terminated */
	size_t size;
	uint64_t realtime_usec; /* 0: not known */
	const char *identifier; /* NULL: not known */
	int64_t pid; /* 0: not known */
	int priority; /* of syslog; -1: not known */
};

struct log_sink {
	/* A negative errno ends the reading. */
	int (*on_entry)(void *data, const struct log_entry *entry);
	/* There is nothing more for now: what is buffered should be seen. */
	int (*on_idle)(void *data);
	void *data;
};

enum log_mode {
	LOG_ONCE,
	LOG_FOLLOW,
};

struct log_request {
	uint64_t lines; /* how many of the last ones; OPTIONS_ALL_LINES */
	enum log_mode mode;
	/* for the journal */
	const char *unit, *identifier;
	const char *journal_directory; /* NULL: the journal of the machine */
};

/*
 * Read a log file. Rotation (another file under the name) and truncation are followed. 0
 * also when the reader of standard output is gone; -ENOENT, -EINVAL when it is no regular
 * file, other errors of the system, or what the sink answered.
 */
MUST_CHECK int log_read_file(const char *path, const struct log_request *request,
		const struct log_sink *sink);

/* Read the journal; -ENOENT when journal_directory is not there. */
MUST_CHECK int log_read_journal(
		const struct log_request *request, const struct log_sink *sink);

#endif
