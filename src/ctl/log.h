/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_LOG_H
#define CTL_LOG_H

/*
 * The log of one unit as entries for a sink, the oldest first. It may lie in the journal,
 * in a file, or in both: a service that was started while there was no journal writes to
 * a file. Lines of a file have no times, so the two are not mixed: the one that was
 * written last comes last. A follower waits for both.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

/* A longer line of a file is handed on in pieces of this size. */
#define LOG_LINE_MAX 65536

#define LOG_BOOT_SIZE 33 /* of a boot id in hexadecimal digits, with its NUL */

struct log_entry {
	const char *message; /* without the newline; not NUL-terminated */
	size_t size;
	uint64_t realtime_usec; /* 0: not known */
	const char *identifier; /* NULL: not known */
	int64_t pid; /* 0: not known */
	int priority; /* of syslog; -1: not known */
	const char *boot_id; /* NULL: not known */
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
	uint64_t since_usec, until_usec; /* realtime; until 0: now or later */
	const char *file; /* NULL: none */
	/* Whether it is in the journal; the file may be absent then. */
	bool has_journal;
	/* Of the journal: AIRSSYS_UNIT and AIRSSYS_INSTANCE of the records, and what the
	 * stream of the output is called (unit/instance.h), NULL when there is none. */
	const char *unit, *instance, *identifier;
	const char *journal_directory; /* NULL: the journal of the machine */
};

/*
 * Read the log. Rotation (another file under the name) and truncation are followed, and
 * so are a journal and a file that come into being. 0 also when the reader of standard
 * output is gone; -ENODATA when the unit has neither, -ENOENT, -EINVAL when the file is
 * no regular file, other errors of the system, or what the sink answered.
 */
MUST_CHECK int log_read(const struct log_request *request, const struct log_sink *sink);

#endif
