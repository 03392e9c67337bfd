/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Records wait in two queues, ordinary and important ones, each in order; the older head
 * goes first. When they hold too much the oldest ordinary record is given up, and
 * important ones only when no other is left. The sink is a datagram socket connected to
 * the journal, or lines on a descriptor; which of them is tried when there is something
 * to write, so an idle log costs nothing and a journal that comes back is found.
 *
 * Standard error may be a pipe whose reader sleeps: a line is written only when poll says
 * that there is room for PIPE_BUF bytes, and is never longer.
 */

#include "host/activity.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "airssys/message.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/list.h"

#define RING_BYTES_DEFAULT (1024u * 1024)
#define RECORD_SIZE        1024
/* How long lines are written before the journal is looked for again. */
#define RETRY_USEC (1 * USEC_PER_SEC)

/* Payload of ACTIVITY_WRITE: the line, then the datagram. */
struct packet {
	uint32_t level; /* enum log_level */
	uint32_t line_size, datagram_size;
	char bytes[];
};

struct waiting {
	struct list link;
	uint64_t sequence;
	size_t size; /* of the packet */
	struct packet packet;
};

enum rank { RANK_ORDINARY, RANK_IMPORTANT, RANK_COUNT };

struct writer {
	struct activity_args args;
	char common[320]; /* the field that every datagram ends with */
	size_t common_size;
	int journal; /* -1: not connected */
	uint64_t retry_at_usec; /* no journal before */
	airs_ref watch; /* of the sink that was full; 0: none */
	int watched_fd;
	struct list queues[RANK_COUNT]; /* [struct waiting.link] */
	size_t bytes;
	uint64_t sequence, written, lost, waiting;
	uint64_t lost_told, refused_seen;
};

static enum rank rank_of(const struct packet *p)
{
	return p->level <= LOG_LEVEL_WARNING ? RANK_IMPORTANT : RANK_ORDINARY;
}

static void drop(struct writer *w, struct waiting *record)
{
	list_remove(&record->link);
	w->bytes -= record->size;
	w->waiting--;
	free(record);
}

/* The record to give up: the oldest of the least rank. */
static struct waiting *get_victim(struct writer *w)
{
	for (size_t i = 0; i < RANK_COUNT; i++)
		if (!list_is_empty(&w->queues[i]))
			return list_first(&w->queues[i], struct waiting, link);
	return NULL;
}

static struct waiting *get_oldest(struct writer *w)
{
	struct waiting *oldest = NULL, *head;

	for (size_t i = 0; i < RANK_COUNT; i++) {
		head = list_first(&w->queues[i], struct waiting, link);
		if (head && (!oldest || head->sequence < oldest->sequence))
			oldest = head;
	}
	return oldest;
}

static void enqueue(struct writer *w, const struct packet *packet, size_t size)
{
	struct waiting *record, *victim;
	enum rank rank = rank_of(packet);

	while (w->bytes + size > w->args.ring_bytes && (victim = get_victim(w))) {
		if (rank == RANK_ORDINARY && rank_of(&victim->packet) == RANK_IMPORTANT) {
			w->lost++;
			return;
		}
		drop(w, victim);
		w->lost++;
	}
	record = size > w->args.ring_bytes
			? NULL
			: malloc(offsetof(struct waiting, packet) + size);
	if (!record) {
		w->lost++;
		return;
	}
	record->sequence = w->sequence++;
	record->size = size;
	memcpy(&record->packet, packet, size);
	list_append(&w->queues[rank], &record->link);
	w->bytes += size;
	w->waiting++;
}

static void disconnect(struct airs_actor *self, struct writer *w)
{
	if (w->watch != 0 && w->watched_fd == w->journal)
		airs_fd_unwatch(self, w->watch);
	if (w->watched_fd == w->journal)
		w->watch = 0;
	w->journal = close_fd(w->journal);
	w->retry_at_usec = usec_add(airs_now(self), RETRY_USEC);
}

/* Connect unless that failed a moment ago. */
static bool has_journal(struct airs_actor *self, struct writer *w)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = -1;

	if (w->journal >= 0)
		return true;
	if (!*w->args.journal_socket || airs_now(self) < w->retry_at_usec)
		return false;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
			w->args.journal_socket);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		w->retry_at_usec = usec_add(airs_now(self), RETRY_USEC);
		return false;
	}
	w->journal = take_fd(&fd);
	return true;
}

static int send_large(const struct writer *w, const char *data, size_t size)
{
	auto_text whole = { 0 };
	auto_close int fd = -1;
	int r;

	text_append_n(&whole, data, size);
	text_append_n(&whole, w->common, w->common_size);
	if (whole.failed)
		return -ENOMEM;
	r = memfd_sealed("airssys-record", whole.data, whole.size, &fd);
	return r < 0 ? r : fd_send(w->journal, "", 0, &fd, 1);
}

/* The fields of the record, then those that all have. */
static int send_datagram(const struct writer *w, const char *data, size_t size)
{
	struct iovec parts[] = {
		{ .iov_base = (void *)(uintptr_t)data, .iov_len = size },
		{ .iov_base = (void *)(uintptr_t)w->common, .iov_len = w->common_size },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };

	if (sendmsg(w->journal, &message, MSG_NOSIGNAL) >= 0)
		return 0;
	/* ENOBUFS: larger than the socket's buffer. */
	return errno == EMSGSIZE || errno == ENOBUFS ? send_large(w, data, size) : -errno;
}

static int write_line(int fd, const char *line, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	char buffer[PIPE_BUF];
	int n;

	if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLOUT))
		return p.revents & (POLLERR | POLLHUP | POLLNVAL) ? -EPIPE : -EAGAIN;
	n = snprintf(buffer, sizeof(buffer), "airssys: %.*s\n", (int)MIN_OF(size, 3500u),
			line);
	return write(fd, buffer, (size_t)n) < 0 ? -errno : 0;
}

/* Write to the sink there is. -EAGAIN: it is full. Otherwise what failed is lost. */
static int write_packet(struct airs_actor *self, struct writer *w, const struct packet *p)
{
	int r;

	if (has_journal(self, w)) {
		r = send_datagram(w, p->bytes + p->line_size, p->datagram_size);
		if (r == 0 || r == -EAGAIN || r == -ENOMEM)
			return r;
		disconnect(self, w);
	}
	return write_line(w->args.fallback_fd, p->bytes, p->line_size);
}

/* Come back when the sink takes more. */
static void await_room(struct airs_actor *self, struct writer *w)
{
	int fd = w->journal >= 0 ? w->journal : w->args.fallback_fd;

	if (w->watch != 0 && w->watched_fd == fd) {
		IGNORE_RESULT(airs_fd_rearm(self, w->watch, EPOLLOUT));
		return;
	}
	if (w->watch != 0)
		airs_fd_unwatch(self, w->watch);
	w->watch = 0;
	w->watched_fd = fd;
	/* Without a watch the next record tries again. */
	IGNORE_RESULT(airs_fd_watch(self, fd, EPOLLOUT, &w->watch));
}

static struct packet *make_packet(const struct activity_record *record, size_t *ret_size)
{
	struct packet head = { .level = (uint32_t)activity_level(record->kind) };
	/* Room for a usual record, so that it does not grow step by step. */
	auto_text whole = { .data = malloc(RECORD_SIZE), .capacity = RECORD_SIZE };
	struct packet *p;

	text_append_n(&whole, (const char *)&head, sizeof(head));
	activity_format(record, &whole);
	head.line_size = (uint32_t)(whole.size - sizeof(head));
	activity_encode(record, &whole);
	head.datagram_size = (uint32_t)(whole.size - sizeof(head) - head.line_size);
	*ret_size = whole.size;
	p = (struct packet *)text_take(&whole);
	if (p)
		memcpy(p, &head, sizeof(head));
	return p;
}

/* What a full mailbox has refused is lost as well. */
static void count_refused(struct airs_actor *self, struct writer *w)
{
	struct airs_actor_info info = { .size = sizeof(info) };

	if (airs_actor_get_info(airs_actor_system(self), airs_self(self), &info) < 0)
		return;
	w->lost += info.messages_refused - w->refused_seen;
	w->refused_seen = info.messages_refused;
}

/* 0 also when there is nothing to tell. */
static int tell_lost(struct airs_actor *self, struct writer *w)
{
	struct activity_record record = {
		.kind = ACTIVITY_RECORDS_LOST,
		.count = w->lost - w->lost_told,
		.detail = "they could not be written as fast as they came",
	};
	auto_free struct packet *p = NULL;
	uint64_t lost = w->lost;
	size_t size;
	int r;

	if (record.count == 0)
		return 0;
	p = make_packet(&record, &size);
	r = p ? write_packet(self, w, p) : -ENOMEM;
	if (r == 0)
		w->lost_told = lost;
	return r;
}

static void write_waiting(struct airs_actor *self, struct writer *w)
{
	struct waiting *record;
	int r;

	count_refused(self, w);
	while ((record = get_oldest(w))) {
		r = tell_lost(self, w);
		if (r == 0)
			r = write_packet(self, w, &record->packet);
		if (r == -EAGAIN || r == -ENOMEM) {
			await_room(self, w);
			return;
		}
		if (r == 0)
			w->written++;
		else
			w->lost++;
		drop(w, record);
	}
	if (tell_lost(self, w) == -EAGAIN)
		await_room(self, w);
}

/* In the journal's protocol a value ends at a newline: one that has any is left out. */
static void set_common(struct writer *w)
{
	if (!*w->args.instance || strchr(w->args.instance, '\n'))
		return;
	w->common_size = (size_t)snprintf(w->common, sizeof(w->common),
			"AIRSSYS_INSTANCE=%s\n", w->args.instance);
}

static int writer_init(
		struct airs_actor *self, void *state, const void *data, size_t size)
{
	const struct activity_args *args = data;
	struct writer *w = state;

	(void)self;
	w->journal = w->watched_fd = -1;
	for (size_t i = 0; i < RANK_COUNT; i++)
		list_init(&w->queues[i]);
	if (size != sizeof(*args) || args->size != sizeof(*args))
		return -EINVAL;
	w->args = *args;
	if (w->args.ring_bytes == 0)
		w->args.ring_bytes = RING_BYTES_DEFAULT;
	if (w->args.fallback_fd < 0)
		w->args.fallback_fd = STDERR_FILENO;
	set_common(w);
	return 0;
}

static void take_packet(struct writer *w, const struct airs_message *m)
{
	const struct packet *p = m->data;

	if (m->size < sizeof(*p) ||
			m->size - sizeof(*p) != (size_t)p->line_size + p->datagram_size)
		return;
	enqueue(w, p, m->size);
}

static void answer_counts(
		struct airs_actor *self, struct writer *w, const struct airs_message *m)
{
	struct activity_counts counts = {
		.written = w->written,
		.lost = w->lost,
		.waiting = w->waiting,
		.journal = w->journal >= 0,
	};

	IGNORE_RESULT(airs_reply(self, airs_message_from(m), 0, &counts, sizeof(counts)));
}

static int writer_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	struct writer *w = state;

	switch (m->type) {
	case ACTIVITY_WRITE:
		take_packet(w, m);
		/* While the sink is full its watch says when to go on. */
		if (w->watch == 0 || w->waiting == 1)
			write_waiting(self, w);
		break;
	case AIRS_MSG_FD:
		write_waiting(self, w);
		break;
	case ACTIVITY_GET_COUNTS:
		count_refused(self, w);
		answer_counts(self, w, m);
		break;
	default:
		break;
	}
	return 0;
}

/* What still waits is written as far as that is possible at once. */
static void writer_terminate(
		struct airs_actor *self, void *state, const struct airs_reason *reason)
{
	(void)reason;
	write_waiting(self, state);
}

static void writer_release(void *state)
{
	struct writer *w = state;
	struct waiting *record, *tmp;

	if (w->args.size == 0)
		return;
	for (size_t i = 0; i < RANK_COUNT; i++)
		list_foreach_safe(record, tmp, &w->queues[i], link)
			free(record);
	(void)close_fd(w->journal);
}

const struct airs_behaviour activity_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "activity",
	.state_size = sizeof(struct writer),
	.init = writer_init,
	.handle = writer_handle,
	.terminate = writer_terminate,
	.release = writer_release,
};

void activity_write(struct airs_actor *self, airs_pid activity,
		const struct activity_record *record)
{
	struct packet *p;
	size_t size;

	if (activity == AIRS_PID_NONE)
		return;
	p = make_packet(record, &size);
	/* A mailbox that is full counts what it refuses, and the writer tells. */
	if (p &&
			airs_send_moved(self, activity, ACTIVITY_WRITE,
					(struct airs_payload){ p, size, free }) < 0)
		return;
}
