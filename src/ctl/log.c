/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/log.h"

#include <errno.h>
#include <unistd.h>

#include "ctl/log-source.h"
#include "ctl/options.h"

#define SOURCES_MAX 2

struct reading {
	const struct log_request *request;
	const struct log_sink *sink;
	struct log_source *sources[SOURCES_MAX]; /* the one that is shown first, first */
	uint64_t lines[SOURCES_MAX]; /* how many of each */
	size_t n;
};

static int open_sources(struct reading *reading)
{
	const struct log_request *request = reading->request;
	int r;

	if (request->has_journal) {
		r = log_journal_open(
				request, reading->sink, &reading->sources[reading->n]);
		if (r < 0)
			return r;
		reading->n++;
	}
	if (request->file) {
		r = log_file_open(request, reading->sink, &reading->sources[reading->n]);
		if (r < 0)
			return request->has_journal && (r == -ENOENT || r == -EACCES) ? 0
										      : r;
		reading->n++;
	}
	return reading->n > 0 ? 0 : -ENODATA;
}

static void swap_sources(struct reading *reading)
{
	struct log_source *first = reading->sources[0];

	reading->sources[0] = reading->sources[1];
	reading->sources[1] = first;
}

/* Which comes first, and how many lines of each. */
static int divide_lines(struct reading *reading)
{
	uint64_t wanted = reading->request->lines, counts[SOURCES_MAX],
		 newest[SOURCES_MAX], last;
	int r;

	for (size_t i = 0; i < reading->n; i++)
		reading->lines[i] = wanted;
	if (reading->n < SOURCES_MAX)
		return 0;
	for (size_t i = 0; i < reading->n; i++) {
		r = reading->sources[i]->ops->count(
				reading->sources[i], wanted, &counts[i], &newest[i]);
		if (r < 0)
			return r;
	}
	last = counts[1];
	if (newest[0] > newest[1]) {
		swap_sources(reading);
		last = counts[0];
	}
	if (wanted != OPTIONS_ALL_LINES)
		reading->lines[0] = wanted - MIN_OF(wanted, last);
	return 0;
}

static int show_last(struct reading *reading)
{
	int r = divide_lines(reading);

	for (size_t i = 0; r >= 0 && i < reading->n; i++)
		r = reading->sources[i]->ops->emit_last(
				reading->sources[i], reading->lines[i]);
	return r < 0 ? r : reading->sink->on_idle(reading->sink->data);
}

/* 1, 0 when the reader of standard output is gone, or an error. */
static int await_news(struct reading *reading)
{
	struct pollfd fds[SOURCES_MAX + 1] = { { .fd = STDOUT_FILENO } };
	int timeout = -1, r;

	for (size_t i = 0; i < reading->n; i++) {
		int limit = -1;

		r = reading->sources[i]->ops->watch(
				reading->sources[i], &fds[i + 1], &limit);
		if (r < 0)
			return r;
		if (limit >= 0 && (timeout < 0 || limit < timeout))
			timeout = limit;
	}
	if (poll(fds, (nfds_t)reading->n + 1, timeout) < 0 && errno != EINTR)
		return -errno;
	return fds[0].revents & (POLLERR | POLLHUP) ? 0 : 1;
}

static int follow(struct reading *reading)
{
	int r;

	for (;;) {
		r = 0;
		for (size_t i = 0; r >= 0 && i < reading->n; i++)
			r = reading->sources[i]->ops->emit_news(reading->sources[i]);
		if (r >= 0)
			r = reading->sink->on_idle(reading->sink->data);
		if (r >= 0)
			r = await_news(reading);
		if (r <= 0)
			return r;
	}
}

int log_read(const struct log_request *request, const struct log_sink *sink)
{
	struct reading reading = { .request = request, .sink = sink };
	int r;

	r = open_sources(&reading);
	if (r >= 0)
		r = show_last(&reading);
	if (r >= 0 && request->mode == LOG_FOLLOW)
		r = follow(&reading);
	for (size_t i = 0; i < reading.n; i++)
		reading.sources[i]->ops->free(reading.sources[i]);
	return r;
}
