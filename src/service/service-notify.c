/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The socket belongs to one service, so whoever writes to it has been let near it;
 * NotifyAccess= then asks which process it was. The pid of a process that was just
 * spawned is known only when the keeper has answered: until then nothing is read.
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
#define READ_BATCH 64

static bool is_accepted(const struct service *s, pid_t pid)
{
	bool is_main = pid != 0 && pid == s->main.pid;

	switch (service_settings(s)->notify_access) {
	case UNIT_NOTIFY_MAIN:
		return is_main;
	case UNIT_NOTIFY_EXEC:
		return is_main || (pid != 0 && pid == s->control.pid);
	case UNIT_NOTIFY_ALL:
		return pid != 0;
	case UNIT_NOTIFY_NONE:
		break;
	}
	return false;
}

static void refuse(struct airs_actor *self, struct service *s, pid_t pid, const char *why)
{
	struct activity_record record = {
		.kind = ACTIVITY_NOTIFY_REFUSED,
		.unit = s->unit->name,
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
	if (!s->failure)
		s->failure = calloc(1, sizeof(*s->failure));
	if (!s->failure)
		return;
	s->failure->error = error;
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

static void apply(struct airs_actor *self, struct service *s,
		const struct notify_message *m)
{
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

/* Receive one. False when there is none. */
static bool receive(struct airs_actor *self, struct service *s)
{
	char buffer[NOTIFY_SIZE_MAX + 1];
	struct notify_sender sender = { 0 };
	struct notify_message message;
	ssize_t n;

	n = notify_receive(s->notify_fd, buffer, &sender);
	if (n == -EAGAIN)
		return false;
	if (n < 0) {
		refuse(self, s, 0, "it is too long");
		return n == -EMSGSIZE;
	}
	if (!is_accepted(s, sender.pid))
		refuse(self, s, sender.pid, "NotifyAccess= does not name this process");
	else if (notify_parse(buffer, (size_t)n, &message) < 0)
		refuse(self, s, sender.pid, "it is malformed");
	else
		apply(self, s, &message);
	return true;
}

void service_notify_drain(struct airs_actor *self, struct service *s)
{
	unsigned int n = 0;

	if (s->notify_fd < 0 || s->spawn_call != 0)
		return;
	while (n++ < READ_BATCH && receive(self, s))
		;
}

static void rearm(struct airs_actor *self, struct service *s)
{
	if (s->notify_watch != 0)
		IGNORE_RESULT(airs_fd_rearm(self, s->notify_watch, EPOLLIN));
}

void service_notify_ready(struct airs_actor *self, struct service *s)
{
	if (s->spawn_call != 0) {
		s->notify_deferred = true;
		return;
	}
	service_notify_drain(self, s);
	rearm(self, s);
}

void service_notify_resume(struct airs_actor *self, struct service *s)
{
	if (!s->notify_deferred || s->spawn_call != 0)
		return;
	s->notify_deferred = false;
	service_notify_drain(self, s);
	rearm(self, s);
}

void service_notify_open(
		struct airs_actor *self, struct service *s, struct link_fd *passed)
{
	if (s->notify_watch != 0)
		airs_fd_unwatch(self, s->notify_watch);
	s->notify_watch = 0;
	s->notify_deferred = false;
	(void)close_fd(s->notify_fd);
	s->notify_fd = take_fd(&passed->fd);
	if (notify_enable(s->notify_fd) < 0 ||
			airs_fd_watch(self, s->notify_fd, EPOLLIN, &s->notify_watch) < 0)
		s->notify_fd = close_fd(s->notify_fd);
}

/* What an earlier run has said and nobody read. */
void service_notify_discard(struct service *s)
{
	char buffer[NOTIFY_SIZE_MAX + 1];
	struct notify_sender sender;
	ssize_t n;

	if (s->notify_fd < 0)
		return;
	do
		n = notify_receive(s->notify_fd, buffer, &sender);
	while (n >= 0 || n == -EMSGSIZE);
}
