/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "ctl/log.h"
#include "ctl/options.h"

/*
 * A unit's entries are those that AirsSys wrote about it (AIRSSYS_UNIT) and those that
 * came through its standard output and error, which the journal knows by their
 * identifier.
 */

static void close_journal(sd_journal **j)
{
	sd_journal_close(*j);
}

#define auto_journal __attribute__((cleanup(close_journal))) sd_journal *

static int add_match(sd_journal *j, const char *field, const char *value)
{
	auto_free char *match = text_format("%s=%s", field, value);

	return match ? sd_journal_add_match(j, match, 0) : -ENOMEM;
}

static int add_matches(sd_journal *j, const struct log_request *request)
{
	int r;

	r = add_match(j, "AIRSSYS_UNIT", request->unit);
	if (r >= 0)
		r = sd_journal_add_disjunction(j);
	if (r >= 0)
		r = add_match(j, "_TRANSPORT", "stdout");
	if (r >= 0)
		r = add_match(j, "SYSLOG_IDENTIFIER",
				request->identifier ? request->identifier
						    : request->unit);
	return r;
}

/* Before the first wanted entry. */
static int seek(sd_journal *j, uint64_t lines)
{
	int r;

	if (lines == OPTIONS_ALL_LINES)
		return sd_journal_seek_head(j);
	r = sd_journal_seek_tail(j);
	if (r < 0)
		return r;
	/* One more than wanted, since reading begins with the next one. */
	r = sd_journal_previous_skip(j, lines + 1);
	if (r < 0)
		return r;
	return (uint64_t)r <= lines && lines > 0 ? sd_journal_seek_head(j) : 0;
}

/* The value of a field; NULL when the entry has none. Valid until the next call. */
static const char *get_field(sd_journal *j, const char *field, size_t *ret_size)
{
	size_t skip = strlen(field) + 1;
	const void *data;
	size_t size;

	if (sd_journal_get_data(j, field, &data, &size) < 0 || size < skip)
		return NULL;
	*ret_size = size - skip;
	return (const char *)data + skip;
}

static char *copy_field(sd_journal *j, const char *field)
{
	size_t size;
	const char *value = get_field(j, field, &size);

	return value ? strndup(value, size) : NULL;
}

static int emit(sd_journal *j, const struct log_sink *sink)
{
	auto_free char *identifier = copy_field(j, "SYSLOG_IDENTIFIER");
	auto_free char *pid = copy_field(j, "_PID");
	auto_free char *priority = copy_field(j, "PRIORITY");
	struct log_entry entry = { .identifier = identifier, .priority = -1 };

	if (pid)
		(void)!parse_i64(pid, &entry.pid);
	if (priority)
		(void)!parse_int(priority, &entry.priority);
	(void)sd_journal_get_realtime_usec(j, &entry.realtime_usec);
	entry.message = get_field(j, "MESSAGE", &entry.size);
	return entry.message ? sink->on_entry(sink->data, &entry) : 0;
}

static int read_news(sd_journal *j, const struct log_sink *sink)
{
	int r;

	while ((r = sd_journal_next(j)) > 0) {
		r = emit(j, sink);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sink->on_idle(sink->data);
}

/* Milliseconds for poll until the journal wants to be asked again. */
static int poll_timeout(sd_journal *j)
{
	uint64_t deadline, now;

	if (sd_journal_get_timeout(j, &deadline) < 0 || deadline == USEC_INFINITY)
		return -1;
	now = clock_monotonic_usec();
	return (int)MIN_OF(usec_sub(deadline, now) / USEC_PER_MSEC + 1, UINT64_C(60000));
}

/* 1, 0 when the reader of standard output is gone, or an error. */
static int wait_for_event(sd_journal *j)
{
	struct pollfd fds[] = {
		{ .fd = sd_journal_get_fd(j), .events = (short)sd_journal_get_events(j) },
		{ .fd = STDOUT_FILENO, .events = 0 },
	};
	int r;

	if (fds[0].fd < 0)
		return fds[0].fd;
	if (poll(fds, ARRAY_SIZE(fds), poll_timeout(j)) < 0 && errno != EINTR)
		return -errno;
	if (fds[1].revents & (POLLERR | POLLHUP))
		return 0;
	r = sd_journal_process(j);
	return r < 0 ? r : 1;
}

int log_read_journal(const struct log_request *request, const struct log_sink *sink)
{
	auto_journal j = NULL;
	int r;

	if (request->journal_directory)
		r = sd_journal_open_directory(&j, request->journal_directory, 0);
	else
		r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);
	if (r >= 0)
		r = add_matches(j, request);
	if (r >= 0 && request->mode == LOG_FOLLOW)
		/* Before reading, so that no entry slips between the two. */
		r = sd_journal_get_fd(j);
	if (r >= 0)
		r = seek(j, request->lines);
	while (r >= 0) {
		r = read_news(j, sink);
		if (r < 0 || request->mode == LOG_ONCE)
			return r;
		r = wait_for_event(j);
		if (r == 0)
			return 0;
	}
	return r;
}
