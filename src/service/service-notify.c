/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The socket belongs to one service, so whoever writes to it has been let near it;
 * NotifyAccess= then asks which process it was. The pid of a process that was just
 * spawned is known only when the keeper has answered, and so is whether any other belongs
 * to the unit: until then nothing more is read.
 */

#include "service/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "service/service-impl.h"

/* Messages that are read before others get their turn. */
#define READ_BATCH       64
#define NOTIFY_QUEUE_MAX 1024 /* more than a socket holds: net.unix.max_dgram_qlen */

/* A message of a process that only the keeper can place. */
struct service_question {
	airs_ref call;
	pid_t pid;
	size_t size;
	char text[]; /* size bytes, and room for the parser's NUL */
};

enum verdict { REFUSED, ACCEPTED, ASK_KEEPER };

static bool is_process(const struct service_process *p, pid_t pid)
{
	return p->state == PROCESS_ALIVE && p->pid == pid;
}

static enum verdict judge(const struct service *s, pid_t pid)
{
	bool is_main = is_process(&s->main, pid);
	bool is_known = is_main || is_process(&s->work->control, pid);

	if (pid <= 0)
		return REFUSED;
	switch (service_settings(s)->notify_access) {
	case UNIT_NOTIFY_MAIN:
		return is_main ? ACCEPTED : REFUSED;
	case UNIT_NOTIFY_EXEC:
		return is_known ? ACCEPTED : REFUSED;
	case UNIT_NOTIFY_ALL:
		return is_known ? ACCEPTED : ASK_KEEPER;
	case UNIT_NOTIFY_NONE:
		break;
	}
	return REFUSED;
}

static void refuse(struct airs_actor *self, struct service *s, pid_t pid, const char *why)
{
	struct activity_record record = {
		.kind = ACTIVITY_NOTIFY_REFUSED,
		.unit = service_name(s),
		.supervisor = s->unit->supervisor ? s->unit->supervisor : "",
		.actor = airs_self(self),
		.pid = pid,
		.detail = why,
	};

	/* Once: what floods the socket shall not flood the log. */
	if (s->notify_refused)
		return;
	s->notify_refused = true;
	service_write_record(self, s, &record);
}

static void set_status(struct service *s, const char *text)
{
	char cut[SERVICE_TEXT_SIZE];
	char *copy = NULL;

	(void)snprintf(cut, sizeof(cut), "%s", text);
	if (*cut) {
		copy = strdup(cut);
		if (!copy)
			return;
	}
	free(s->status_text);
	s->status_text = copy;
	s->changed = true;
}

static void set_error(struct service *s, int error)
{
	if (!s->work->failure)
		s->work->failure = calloc(1, sizeof(*s->work->failure));
	if (!s->work->failure)
		return;
	s->work->failure->error = error;
	s->changed = true;
}

static void apply_state(struct airs_actor *self, struct service *s,
		const struct notify_message *m)
{
	if (m->flags & NOTIFY_RELOADING && s->state == FSM_RUNNING) {
		s->notify_reloading = true;
		s->changed = true;
	}
	if (m->flags & NOTIFY_STOPPING && s->state == FSM_RUNNING) {
		s->notify_stopping = true;
		s->changed = true;
	}
	if (!(m->flags & NOTIFY_READY))
		return;
	if (s->notify_reloading) {
		s->notify_reloading = false;
		s->changed = true;
		service_log(self, s, ACTIVITY_SERVICE_RELOADED, NULL);
	}
	if (s->state == FSM_START && service_settings(s)->type == UNIT_NOTIFY &&
			!s->ready_told) {
		s->ready_told = true;
		service_raise(s, FSM_EVENT_READY);
	}
}

static void apply_watchdog(struct airs_actor *self, struct service *s,
		const struct notify_message *m)
{
	if (s->state != FSM_RUNNING || service_settings(s)->watchdog_usec == 0)
		return;
	if (m->flags & NOTIFY_WATCHDOG_TRIGGER)
		service_expire_watchdog(self, s);
	else if (m->flags & NOTIFY_WATCHDOG)
		service_restart_timer(s);
}

static void refuse_fdstore(struct airs_actor *self, struct service *s)
{
	struct activity_record record = {
		.kind = ACTIVITY_NOTIFY_REFUSED,
		.unit = service_name(s),
		.supervisor = s->unit->supervisor ? s->unit->supervisor : "",
		.actor = airs_self(self),
		.pid = s->main.pid,
		.detail = "descriptors are not kept (FDSTORE=1)",
	};

	if (s->fdstore_refused)
		return;
	s->fdstore_refused = true;
	service_write_record(self, s, &record);
}

static void apply(struct airs_actor *self, struct service *s,
		const struct notify_message *m)
{
	if (m->flags & NOTIFY_FDSTORE)
		refuse_fdstore(self, s);
	if (m->flags & NOTIFY_MAINPID && m->main_pid != s->main.pid)
		service_set_main(self, s, m->main_pid);
	if (m->flags & NOTIFY_STATUS)
		set_status(s, m->status);
	if (m->flags & NOTIFY_ERRNO)
		set_error(s, m->error);
	if (m->flags & NOTIFY_EXTEND_TIMEOUT)
		service_extend_timer(self, s,
				usec_add(airs_now(self), m->extend_timeout_usec));
	apply_state(self, s, m);
	apply_watchdog(self, s, m);
}

static void take(struct airs_actor *self, struct service *s, pid_t pid, char *text,
		size_t size)
{
	struct notify_message message;

	if (notify_parse(text, size, &message) < 0)
		refuse(self, s, pid, "it is malformed");
	else
		apply(self, s, &message);
}

static void ask_keeper(struct airs_actor *self, struct service *s, pid_t pid,
		const char *text, size_t size)
{
	struct service_question *q = malloc(sizeof(*q) + size + 1);

	if (!q || link_owns(self, s->context->link, service_name(s), pid, &q->call) < 0) {
		free(q);
		refuse(self, s, pid, "there is no memory");
		return;
	}
	q->pid = pid;
	q->size = size;
	memcpy(q->text, text, size);
	s->work->question = q;
}

/* Receive one. False when there is none. */
static bool receive(struct airs_actor *self, struct service *s)
{
	char buffer[NOTIFY_SIZE_MAX + 1];
	struct notify_sender sender = { 0 };
	ssize_t n;

	n = notify_receive(s->notify_fd, buffer, &sender);
	if (n == -EAGAIN)
		return false;
	if (n < 0) {
		refuse(self, s, 0, "it is too long");
		return n == -EMSGSIZE;
	}
	switch (judge(s, sender.pid)) {
	case REFUSED:
		refuse(self, s, sender.pid, "NotifyAccess= does not name this process");
		break;
	case ACCEPTED:
		take(self, s, sender.pid, buffer, (size_t)n);
		break;
	case ASK_KEEPER:
		ask_keeper(self, s, sender.pid, buffer, (size_t)n);
		break;
	}
	return true;
}

/* Whether what comes next can be judged. */
static bool can_receive(const struct service *s)
{
	return s->notify_fd >= 0 && s->work->spawn_call == 0 && !s->work->question;
}

void service_notify_drain(struct airs_actor *self, struct service *s)
{
	unsigned int n = 0;

	while (n++ < READ_BATCH && can_receive(s) && receive(self, s))
		;
}

static void rearm(struct airs_actor *self, struct service *s)
{
	if (s->notify_watch != 0)
		IGNORE_RESULT(airs_fd_rearm(self, s->notify_watch, EPOLLIN));
}

void service_notify_ready(struct airs_actor *self, struct service *s)
{
	service_notify_drain(self, s);
	if (can_receive(s))
		rearm(self, s);
	else
		s->notify_deferred = true;
}

void service_notify_resume(struct airs_actor *self, struct service *s)
{
	if (!s->notify_deferred || !can_receive(s))
		return;
	s->notify_deferred = false;
	service_notify_ready(self, s);
}

bool service_notify_on_reply(
		struct airs_actor *self, struct service *s, const struct airs_message *m)
{
	auto_free struct service_question *q = NULL;

	if (!s->work->question || s->work->question->call != m->ref)
		return false;
	q = TAKE_PTR(s->work->question);
	if (m->status == 0)
		take(self, s, q->pid, q->text, q->size);
	else
		refuse(self, s, q->pid, "it is of a process that is not the unit's");
	service_notify_resume(self, s);
	return true;
}

void service_notify_fini(struct service *s)
{
	free(s->work->question);
	s->work->question = NULL;
}

static void drop_question(struct airs_actor *self, struct service *s)
{
	if (s->work->question)
		airs_call_cancel(self, s->work->question->call);
	service_notify_fini(s);
}

void service_notify_open(
		struct airs_actor *self, struct service *s, struct link_fd *passed)
{
	if (s->notify_watch != 0)
		airs_fd_unwatch(self, s->notify_watch);
	s->notify_watch = 0;
	s->notify_deferred = false;
	drop_question(self, s);
	(void)close_fd(s->notify_fd);
	s->notify_fd = take_fd(&passed->fd);
	if (notify_enable(s->notify_fd) < 0 ||
			airs_fd_watch(self, s->notify_fd, EPOLLIN, &s->notify_watch) < 0)
		s->notify_fd = close_fd(s->notify_fd);
}

/* What an earlier run has said and nobody read. */
void service_notify_discard(struct airs_actor *self, struct service *s)
{
	char buffer[NOTIFY_SIZE_MAX + 1];
	struct notify_sender sender;
	ssize_t n;

	drop_question(self, s);
	if (s->notify_fd < 0)
		return;
	/* What was there is gone after that many; who goes on sending is not waited for. */
	for (int i = 0; i < NOTIFY_QUEUE_MAX; i++) {
		n = notify_receive(s->notify_fd, buffer, &sender);
		if (n < 0 && n != -EMSGSIZE)
			return;
	}
}
