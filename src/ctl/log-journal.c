/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "ctl/log-source.h"
#include "ctl/log-trust.h"
#include "ctl/options.h"
#include "unit/instance.h"

/*
 * A unit's entries are those that its instance wrote about it (AIRSSYS_UNIT and
 * AIRSSYS_INSTANCE) and those that came through its standard output and error, which the
 * journal knows by their identifier. Anybody may write such entries: log-trust.c tells
 * which are what they say, and the others are passed over.
 *
 * libsystemd watches the folders that are there when it begins. One that comes later is
 * seen by a watch of our own on the folders above, and then the journal is opened again.
 */

/* Where journald keeps its files: in memory, on disk. */
static const char *const folders[] = { "/run/log/journal", "/var/log/journal" };
static const char *const parents[] = { "/run", "/run/log", "/var/log" };

struct reader {
	struct log_source source;
	struct log_trust trust;
	sd_journal *journal;
	unsigned int folders; /* bit n: folders[n] was there when it was opened */
	int inotify, epoll; /* of a follower, else -1 */
	uint64_t newest_usec; /* of the entries handed on; 0: none */
	char boot_id[LOG_BOOT_SIZE];
};

static struct reader *reader_of(struct log_source *source)
{
	return CONTAINER_OF(source, struct reader, source);
}

static int add_match(sd_journal *j, const char *field, const char *value)
{
	auto_free char *match = text_format("%s=%s", field, value);

	return match ? sd_journal_add_match(j, match, 0) : -ENOMEM;
}

static int add_matches(sd_journal *j, const struct log_request *request)
{
	int r;

	r = add_match(j, "AIRSSYS_INSTANCE", request->instance);
	if (r >= 0)
		r = add_match(j, "AIRSSYS_UNIT", request->unit);
	if (r < 0 || !request->identifier)
		return r;
	r = sd_journal_add_disjunction(j);
	if (r >= 0)
		r = add_match(j, "_TRANSPORT", "stdout");
	if (r >= 0)
		r = add_match(j, "SYSLOG_IDENTIFIER", request->identifier);
	return r;
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

/* Whether entries from here on are too new. */
static bool is_beyond(const struct reader *reader, uint64_t realtime_usec)
{
	uint64_t until = reader->source.request->until_usec;

	return until > 0 && realtime_usec > until;
}

/* Remembers when the entry was written, and in which boot. */
static int note_time(struct reader *reader, struct log_entry *entry)
{
	sd_id128_t boot;
	uint64_t monotonic;
	int r;

	r = sd_journal_get_realtime_usec(reader->journal, &entry->realtime_usec);
	if (r < 0)
		return r;
	if (sd_journal_get_monotonic_usec(reader->journal, &monotonic, &boot) >= 0) {
		(void)sd_id128_to_string(boot, reader->boot_id);
		entry->boot_id = reader->boot_id;
	}
	return 0;
}

/* Which instance it is need not be said again in each line. */
static void shorten_identifier(const struct log_request *request, char *identifier)
{
	char *tag;

	if (!identifier || !text_equals(identifier, request->identifier) ||
			strcmp(request->instance, INSTANCE_SYSTEM_DIR) == 0)
		return;
	tag = strrchr(identifier, '@');
	if (tag)
		*tag = '\0';
}

/* 1: handed on, or it has no message; 0: it is too new. */
static int emit(struct reader *reader)
{
	const struct log_sink *sink = reader->source.sink;
	auto_free char *identifier = copy_field(reader->journal, "SYSLOG_IDENTIFIER");
	auto_free char *pid = copy_field(reader->journal, "_PID");
	auto_free char *priority = copy_field(reader->journal, "PRIORITY");
	struct log_entry entry = { .identifier = identifier, .priority = -1 };
	int r = note_time(reader, &entry);

	shorten_identifier(reader->source.request, identifier);
	if (r < 0)
		return r;
	if (is_beyond(reader, entry.realtime_usec))
		return 0;
	reader->newest_usec = entry.realtime_usec;
	if (pid)
		(void)!parse_i64(pid, &entry.pid);
	if (priority)
		(void)!parse_int(priority, &entry.priority);
	entry.message = get_field(reader->journal, "MESSAGE", &entry.size);
	r = entry.message ? sink->on_entry(sink->data, &entry) : 0;
	return r < 0 ? r : 1;
}

static int emit_rest(struct reader *reader)
{
	int r;

	log_trust_renew(&reader->trust);
	while ((r = sd_journal_next(reader->journal)) > 0) {
		r = log_trust_check(&reader->trust, reader->journal);
		if (r == 0)
			continue;
		if (r > 0)
			r = emit(reader);
		if (r <= 0)
			return r;
	}
	return r;
}

/* Behind the last entry that may be shown. */
static int seek_end(struct reader *reader)
{
	uint64_t until = reader->source.request->until_usec;

	return until > 0 ? sd_journal_seek_realtime_usec(reader->journal, until + 1)
			 : sd_journal_seek_tail(reader->journal);
}

/* Before the first entry that may be shown. */
static int seek_begin(struct reader *reader)
{
	uint64_t since = reader->source.request->since_usec;

	return since > 0 ? sd_journal_seek_realtime_usec(reader->journal, since)
			 : sd_journal_seek_head(reader->journal);
}

/*
 * Go back over at most max entries from the end: how many there are. *ret_newest_usec is
 * 0 without any.
 */
static int step_back(struct reader *reader, uint64_t max, uint64_t *ret_count,
		uint64_t *ret_newest_usec)
{
	uint64_t realtime, since = reader->source.request->since_usec;
	int r = seek_end(reader);

	*ret_count = *ret_newest_usec = 0;
	while (r >= 0 && *ret_count < max &&
			(r = sd_journal_previous(reader->journal)) > 0) {
		r = sd_journal_get_realtime_usec(reader->journal, &realtime);
		if (r < 0 || realtime < since)
			break;
		r = log_trust_check(&reader->trust, reader->journal);
		if (r == 0)
			continue;
		if (r < 0)
			break;
		if (*ret_count == 0)
			*ret_newest_usec = realtime;
		(*ret_count)++;
	}
	return r < 0 ? r : 0;
}

static int journal_count(struct log_source *source, uint64_t max, uint64_t *ret_count,
		uint64_t *ret_newest_usec)
{
	/* For all of them the newest says what is asked. */
	return step_back(reader_of(source), max == OPTIONS_ALL_LINES ? 1 : max, ret_count,
			ret_newest_usec);
}

static int journal_emit_last(struct log_source *source, uint64_t lines)
{
	struct reader *reader = reader_of(source);
	uint64_t count, newest;
	int r;

	if (lines == OPTIONS_ALL_LINES) {
		r = seek_begin(reader);
		return r < 0 ? r : emit_rest(reader);
	}
	/* One more than wanted, since reading begins with the next one. */
	r = step_back(reader, lines + 1, &count, &newest);
	if (r >= 0 && count <= lines)
		r = seek_begin(reader);
	return r < 0 ? r : emit_rest(reader);
}

static unsigned int find_folders(void)
{
	unsigned int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		found |= (unsigned int)(access(folders[i], F_OK) == 0) << i;
	return found;
}

int log_journal_open_files(const struct log_request *request, sd_journal **ret_journal)
{
	if (request->journal_directory)
		return sd_journal_open_directory(
				ret_journal, request->journal_directory, 0);
	return sd_journal_open(ret_journal, SD_JOURNAL_LOCAL_ONLY);
}

static int open_journal(struct reader *reader)
{
	const struct log_request *request = reader->source.request;
	int r;

	reader->folders = find_folders();
	r = log_journal_open_files(request, &reader->journal);
	if (r >= 0)
		r = add_matches(reader->journal, request);
	if (r >= 0 && request->mode == LOG_FOLLOW)
		/* Before reading, so that no entry slips between the two. */
		r = sd_journal_get_fd(reader->journal);
	return r < 0 ? r : 0;
}

static int add_to_epoll(struct reader *reader, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(reader->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* One descriptor for the journal's changes and for those of the folders above it. */
static int start_watching(struct reader *reader)
{
	int r;

	reader->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (reader->epoll < 0)
		return -errno;
	reader->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (reader->inotify < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(parents); i++)
		/* One that is not there, or not for us, cannot be watched. */
		(void)inotify_add_watch(reader->inotify, parents[i],
				IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	r = add_to_epoll(reader, reader->inotify);
	return r < 0 ? r : add_to_epoll(reader, sd_journal_get_fd(reader->journal));
}

static int drain_events(struct reader *reader)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	do
		n = read(reader->inotify, buffer, sizeof(buffer));
	while (n > 0);
	return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
}

/* Go on in the same place with the folders that are there now. */
static int open_again(struct reader *reader)
{
	int r;

	sd_journal_close(reader->journal); /* which takes it out of the epoll too */
	reader->journal = NULL;
	reader->inotify = close_fd(reader->inotify);
	reader->epoll = close_fd(reader->epoll);
	r = open_journal(reader);
	if (r >= 0)
		r = start_watching(reader);
	if (r < 0)
		return r;
	return reader->newest_usec > 0 ? sd_journal_seek_realtime_usec(reader->journal,
							 reader->newest_usec + 1)
				       : sd_journal_seek_head(reader->journal);
}

static int journal_emit_news(struct log_source *source)
{
	struct reader *reader = reader_of(source);
	int r;

	r = drain_events(reader);
	if (r >= 0)
		r = sd_journal_process(reader->journal);
	if (r >= 0 && !source->request->journal_directory &&
			find_folders() != reader->folders)
		r = open_again(reader);
	return r < 0 ? r : emit_rest(reader);
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

static int journal_watch(
		struct log_source *source, struct pollfd *ret_fd, int *ret_timeout)
{
	struct reader *reader = reader_of(source);

	*ret_fd = (struct pollfd){ .fd = reader->epoll, .events = POLLIN };
	*ret_timeout = poll_timeout(reader->journal);
	return 0;
}

static void journal_free(struct log_source *source)
{
	struct reader *reader = reader_of(source);

	sd_journal_close(reader->journal);
	close_fd(reader->inotify);
	close_fd(reader->epoll);
	log_trust_fini(&reader->trust);
	free(reader);
}

static const struct log_source_ops journal_ops = {
	.count = journal_count,
	.emit_last = journal_emit_last,
	.watch = journal_watch,
	.emit_news = journal_emit_news,
	.free = journal_free,
};

int log_journal_open(const struct log_request *request, const struct log_sink *sink,
		struct log_source **ret_source)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return -ENOMEM;
	reader->source = (struct log_source){
		.ops = &journal_ops, .request = request, .sink = sink
	};
	reader->inotify = reader->epoll = -1;
	log_trust_init(&reader->trust, request);
	r = open_journal(reader);
	if (r >= 0 && request->mode == LOG_FOLLOW)
		r = start_watching(reader);
	if (r < 0) {
		journal_free(&reader->source);
		return r;
	}
	*ret_source = &reader->source;
	return 0;
}
