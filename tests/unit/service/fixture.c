/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/service/fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "host/activity.h"
#include "host/manager-api.h"
#include "service/link-note.h"
#include "unit/snapshot.h"

enum {
	PARENT_SPAWN = AIRS_MSG_USER + 900,
	PARENT_STOP,
	PARENT_CALL,
	PARENT_DISCARD,
};

struct call {
	uint32_t type;
	size_t size;
	char data[512];
};

struct parent {
	struct world *world;
};

/* The caller's. */
static struct unit *parse_unit(const char *text)
{
	struct unit_context context = { .runtime_dir = "/run", .shell = "/bin/sh" };
	struct unit_file file = {
		.path = text_format("/u/db.actor"),
		.unit = text_format("db.actor"),
		.data = text_format("%s", text),
		.size = strlen(text),
	};
	struct unit_snapshot snapshot = { .files = &file, .count = 1 };
	auto_diag diag = { 0 };
	auto_text problems = { 0 };
	auto_(unit_set) set = NULL;
	struct unit *unit;

	ck_assert_int_eq(unit_set_parse(&snapshot, &context, &diag, &set), 0);
	for (size_t i = 0; i < diag.count; i++)
		diag_item_print(&diag.items[i], &problems);
	ck_assert_str_eq(text_get(&problems), "");
	unit_snapshot_changed(&snapshot);
	ck_assert_int_eq(unit_set_open(set, unit_set_find(set, "db"), &unit), 0);
	free(file.path);
	free(file.unit);
	free(file.data);
	return unit;
}

static struct service_unit *find_unit(void *data, const char *name)
{
	struct world *w = data;

	if (strcmp(name, w->identity.name) != 0)
		return NULL;
	w->identity.references++;
	return &w->identity;
}

static void release_unit(void *data, struct service_unit *unit)
{
	struct world *w = data;

	ck_assert_ptr_eq(unit, &w->identity);
	ck_assert_uint_gt(unit->references, 0);
	unit->references--;
}

static int open_unit(void *data, const char *name, struct unit **ret_unit)
{
	struct world *w = data;

	ck_assert_str_eq(name, w->identity.name);
	w->opened++;
	if (w->open_error < 0)
		return w->open_error;
	*ret_unit = parse_unit(w->text);
	return 0;
}

static void give_up(void *data, struct airs_actor *self, int error)
{
	struct world *w = data;

	(void)self;
	ck_assert_msg(error == -w->open_error, "given up: %s", errno_name(error));
	text_printf(&w->told, "given up: %s; ", errno_name(error));
}

static enum service_wish wish(void *data, const char *name)
{
	struct world *w = data;

	ck_assert_str_eq(name, "db");
	return w->wish;
}

static bool is_restarting(void *data, const char *name)
{
	struct world *w = data;

	ck_assert_str_eq(name, "db");
	return w->is_restarting;
}

static struct service_context service_context = {
	.directory = { .find = find_unit,
			.release = release_unit,
			.open = open_unit,
			.wish = wish,
			.is_restarting = is_restarting,
			.give_up = give_up },
};

static void log_reason(struct text *t, const char *what, const struct airs_reason *reason)
{
	char buffer[128];

	(void)airs_reason_format(reason, buffer, sizeof(buffer));
	text_printf(t, "%s %s%s; ", what, buffer,
			reason->flags & AIRS_REASON_F_SHUTDOWN ? " (orderly)" : "");
}

static void take_report(struct world *w, const struct airs_message *m)
{
	const char *before = w->report.substate;
	size_t size;

	ck_assert_uint_ge(m->size, sizeof(w->report));
	free(w->report_memory);
	w->report_memory = service_report_copy(m->data, &size);
	ck_assert_ptr_nonnull(w->report_memory);
	ck_assert_uint_eq(m->size, size);
	w->report = *w->report_memory;
	ck_assert_uint_eq(w->report.unit, w->identity.id);
	if (!before || strcmp(before, w->report.substate) != 0)
		text_printf(&w->states, "%s ", w->report.substate);
}

static int spawn_service(struct airs_actor *self, struct world *w)
{
	struct service_args args = {
		.context = &service_context,
		.name = "db",
	};
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = &args,
		.args_size = sizeof(args),
		.flags = AIRS_SPAWN_LINK | AIRS_SPAWN_ACK,
	};

	service_context.link = w->link;
	service_context.observer = service_context.activity = airs_self(self);
	return airs_spawn(self, w->behaviour, &options, &w->service);
}

static int call_service(struct airs_actor *self, struct world *w, const struct call *call)
{
	airs_ref ref;

	return airs_call(self,
			&(struct airs_request){ .to = w->service,
					.type = call->type,
					.data = call->size ? call->data : NULL,
					.size = call->size,
					.timeout_usec = AIRS_INFINITY },
			&ref);
}

static int parent_init(
		struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct parent *p = state;

	ck_assert_uint_eq(size, sizeof(p->world));
	memcpy(&p->world, args, sizeof(p->world));
	airs_trap_exit(self, AIRS_TRAP_ON);
	return airs_register(airs_actor_system(self), MANAGER_API_NAME, airs_self(self));
}

static void log_event(struct world *w, const struct airs_message *m)
{
	const struct link_event *event = m->data;

	text_printf(&w->told, "event %s", protocol_type_name(event->message.type));
	if (event->message.type == PROTOCOL_NOTE)
		text_printf(&w->told, " %s %.*s", event->message.unit,
				(int)event->message.size,
				(const char *)event->message.data);
	if (event->fds[0] >= 0)
		text_append(&w->told, " with fd");
	text_append(&w->told, "; ");
}

/* Of the module's actor, which the reports name; its parent is the actor of the unit. */
static void log_status(struct world *w, const struct airs_message *m)
{
	const struct manager_api_status *status = m->data;

	ck_assert_uint_eq(status->parent, w->service);
	text_printf(&w->told, "status %s; ", status->text);
}

static void log_verdict(struct world *w, const struct airs_message *m)
{
	const struct manager_api_fail *fail = m->data;

	ck_assert_uint_eq(fail->parent, w->service);
	text_printf(&w->told, "verdict on %s: %s; ", fail->name, fail->why);
}

static void log_record(struct world *w, const struct airs_message *m)
{
	static const enum activity_kind kinds[] = { ACTIVITY_SERVICE_ENDED,
		ACTIVITY_SERVICE_DONE, ACTIVITY_SERVICE_STOPPED, ACTIVITY_SERVICE_FAILED,
		ACTIVITY_NOTIFY_REFUSED };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		auto_text event = { 0 };

		text_append(&event, "AIRSSYS_EVENT=");
		activity_append_name(kinds[i], &event);
		if (memmem(m->data, m->size, event.data, event.size))
			text_printf(&w->recorded, "%s; ",
					text_get(&event) + strlen("AIRSSYS_EVENT="));
	}
}

static int parent_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	struct world *w = ((struct parent *)state)->world;
	struct airs_reason shutdown = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, NULL);

	switch (m->type) {
	case PARENT_SPAWN:
		return spawn_service(self, w);
	case PARENT_STOP:
		airs_exit_signal(self, w->service, &shutdown);
		return 0;
	case PARENT_CALL:
		return call_service(self, w, m->data);
	case PARENT_DISCARD:
		return link_discard(self, w->link, "db");
	case AIRS_MSG_STARTED:
		if (m->status == 0)
			text_append(&w->told, "started; ");
		else if (m->status == AIRS_INIT_IGNORE)
			text_append(&w->told, "nothing to do; ");
		else
			log_reason(&w->told, "start failed:", m->data);
		return 0;
	case AIRS_MSG_EXIT:
		memcpy(&w->reason, m->data, sizeof(w->reason));
		log_reason(&w->told, "ended", &w->reason);
		return link_abandon(self, w->link, "db", m->from);
	case AIRS_MSG_REPLY:
		text_printf(&w->told, "reply %s; ",
				m->status ? errno_name(-m->status) : "0");
		return 0;
	case MANAGER_API_STATUS:
		log_status(w, m);
		return 0;
	case MANAGER_API_FAIL:
		log_verdict(w, m);
		return airs_reply(self, airs_message_from(m), 0, NULL, 0);
	case SERVICE_REPORT:
		take_report(w, m);
		return 0;
	case LINK_EVENT:
		log_event(w, m);
		return 0;
	case ACTIVITY_WRITE:
		log_record(w, m);
		return 0;
	default:
		return 0;
	}
}

static const struct airs_behaviour parent_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "parent",
	.state_size = sizeof(struct parent),
	.init = parent_init,
	.handle = parent_handle,
};

static void transmit(struct world *w, const struct protocol_message *m, int fd)
{
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	ssize_t n = protocol_encode(m, buffer, sizeof(buffer));

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(fd_send(w->keeper_fd, buffer, (size_t)n, &fd, fd >= 0 ? 1 : 0),
			0);
}

static bool is_empty(const struct world *w)
{
	for (size_t i = 0; i < w->n_straws; i++)
		if (w->straws[i].alive)
			return false;
	return !w->rest;
}

static void tell_empty(struct world *w)
{
	struct protocol_message m = { .type = PROTOCOL_EMPTY, .unit = "db" };

	if (is_empty(w) && !w->tells_last)
		transmit(w, &m, -1);
}

static void end_straw(struct world *w, struct straw *straw, int code, int status)
{
	struct protocol_message m = {
		.type = PROTOCOL_EXITED,
		.unit = "db",
		.kind = straw->kind,
		.index = straw->index,
		.spawn_id = straw->spawn_id,
		.pid = straw->pid,
		.state = code < 0 ? PROTOCOL_ENDED_UNKNOWN : PROTOCOL_ENDED,
		.code = code < 0 ? 0 : code,
		.status = code < 0 ? 0 : status,
		.ended_realtime_usec = 1000,
		.cpu_usec = 77,
	};

	ck_assert(straw->alive);
	straw->alive = false;
	straw->code = code;
	straw->status = status;
	w->rest = w->rest ||
			(straw->kind == UNIT_EXEC_START && w->leaves_rest &&
					status != SIGKILL);
	m.is_last = w->tells_last && is_empty(w);
	transmit(w, &m, -1);
}

static void answer(struct world *w, uint64_t serial, int error)
{
	struct protocol_message m = {
		.type = error ? PROTOCOL_FAILED : PROTOCOL_DONE,
		.serial = serial,
		.error = error,
		.step = error ? "EXEC" : NULL,
		.text = error ? "no such file" : NULL,
	};

	transmit(w, &m, -1);
}

static void answer_spawned(struct world *w, uint64_t serial, const struct straw *straw)
{
	struct protocol_message m = {
		.type = PROTOCOL_SPAWNED,
		.serial = serial,
		.spawn_id = straw->spawn_id,
		.pid = straw->pid,
		.start_time = 5,
		.since_realtime_usec = 500,
	};

	transmit(w, &m, w->notify_fd);
	w->notify_fd = close_fd(w->notify_fd);
}

static struct straw *new_straw(struct world *w, uint32_t kind, uint32_t index, pid_t pid)
{
	struct straw *straw = &w->straws[w->n_straws++];

	ck_assert_uint_le(w->n_straws, STRAW_MAX);
	*straw = (struct straw){
		.spawn_id = w->next_spawn_id++,
		.kind = kind,
		.index = index,
		.pid = pid,
		.alive = true,
		.code = CLD_EXITED,
		.status = 3,
		.ignored = w->ignored,
	};
	return straw;
}

static void on_spawn(struct world *w, const struct protocol_message *m)
{
	int *error = &w->spawn_error[m->kind];
	struct straw *straw;
	int status;

	text_printf(&w->asked, "%s %u",
			unit_command_kind_name((enum unit_command_kind)m->kind),
			m->index);
	if (m->text)
		text_printf(&w->asked, " (%s %s %s)", m->text,
				m->exit_code ? m->exit_code : "-",
				m->exit_status ? m->exit_status : "-");
	text_append(&w->asked, "; ");
	if (*error) {
		answer(w, m->serial, *error);
		*error = 0;
		return;
	}
	straw = new_straw(w, m->kind, m->index, w->next_pid++);
	answer_spawned(w, m->serial, straw);
	status = m->kind == UNIT_EXEC_START ? w->main_status : w->control_status[m->kind];
	if (status >= 0) {
		end_straw(w, straw, CLD_EXITED, status);
		tell_empty(w);
	}
}

static bool is_meant(const struct straw *straw, uint32_t whom)
{
	if (!straw->alive)
		return false;
	return whom == PROTOCOL_ALL ||
			(whom == PROTOCOL_MAIN) == (straw->kind == UNIT_EXEC_START);
}

static bool does_kill(const struct straw *straw, int signo)
{
	return signo != SIGCONT && !(straw->ignored & (UINT64_C(1) << signo));
}

static void on_signal(struct world *w, const struct protocol_message *m)
{
	static const char *const whoms[] = { "main", "control", "all" };
	bool found = m->whom == PROTOCOL_ALL && w->rest;
	struct straw *straw;

	text_printf(&w->asked, "SIGNAL %s %s", whoms[m->whom],
			signal_name(m->signal) + 3);
	for (int signo = 1; signo <= 64; signo++)
		if (m->further & (UINT64_C(1) << (signo - 1)))
			text_printf(&w->asked, " %s", signal_name(signo) + 3);
	text_append(&w->asked, "; ");
	for (size_t i = 0; i < w->n_straws; i++)
		found = found || is_meant(&w->straws[i], m->whom);
	answer(w, m->serial, found ? 0 : ESRCH);
	if (m->whom == PROTOCOL_ALL && m->signal == SIGKILL)
		w->rest = false;
	for (size_t i = 0; i < w->n_straws; i++) {
		straw = &w->straws[i];
		if (is_meant(straw, m->whom) && does_kill(straw, m->signal))
			end_straw(w, straw, CLD_KILLED, m->signal);
	}
	if (found && m->signal != SIGCONT)
		tell_empty(w);
}

static void on_set_main(struct world *w, const struct protocol_message *m)
{
	pid_t pid = m->pid ? m->pid : w->pid_file;

	text_printf(&w->asked, "SET_MAIN %d; ", (int)m->pid);
	if (w->set_main_error || pid == 0)
		answer(w, m->serial, pid ? w->set_main_error : ENOENT);
	else
		answer_spawned(w, m->serial, new_straw(w, UNIT_EXEC_START, 0, pid));
	w->rest = w->rest && (w->set_main_error || pid == 0);
}

static void on_ack(struct world *w, const struct protocol_message *m)
{
	text_printf(&w->asked, "ACK %d; ", (int)m->spawn_id);
	for (size_t i = 0; i < w->n_straws; i++)
		if (w->straws[i].spawn_id == m->spawn_id) {
			ck_assert(!w->straws[i].alive);
			w->straws[i].kind = UNIT_COMMAND_KIND_COUNT; /* forgotten */
		}
}

static void on_module(struct world *w, const struct protocol_message *m)
{
	struct protocol_message done = { .type = PROTOCOL_DONE, .serial = m->serial };

	if (w->module_fd < 0)
		answer(w, m->serial, ENOENT);
	else
		transmit(w, &done, w->module_fd);
}

static void on_request(struct world *w, const struct protocol_message *m)
{
	switch ((int)m->type) {
	case PROTOCOL_SPAWN:
		on_spawn(w, m);
		break;
	case PROTOCOL_SIGNAL:
		on_signal(w, m);
		break;
	case PROTOCOL_OWNS:
		text_printf(&w->asked, "OWNS; ");
		answer(w, m->serial, w->owns_error);
		break;
	case PROTOCOL_SET_MAIN:
		on_set_main(w, m);
		break;
	case PROTOCOL_ACK:
		on_ack(w, m);
		break;
	case PROTOCOL_MODULE:
		on_module(w, m);
		break;
	case PROTOCOL_NOTE:
		w->note_size = m->size;
		memcpy(w->note, m->data ? m->data : "", m->size);
		break;
	default:
		text_printf(&w->asked, "%s %s; ", protocol_type_name(m->type),
				m->text ? m->text : "");
		break;
	}
}

/* Take requests. False when there is none. */
static bool take_request(struct world *w)
{
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	struct protocol_message m;
	struct protocol_part part;
	size_t cursor = 0;
	ssize_t n;
	int r;

	if (w->silent)
		return false;
	n = fd_receive(w->keeper_fd, buffer, sizeof(buffer), NULL, 0, NULL);
	if (n == -EAGAIN || n == 0)
		return false;
	ck_assert_int_gt(n, 0);
	while ((r = protocol_next(buffer, (size_t)n, &cursor, &part)) > 0) {
		ck_assert_int_eq(protocol_decode(part.data, part.size, &m), 0);
		on_request(w, &m);
	}
	ck_assert_int_eq(r, 0);
	return true;
}

static void on_closed(void *data, const char *reason)
{
	struct world *w = data;

	(void)snprintf(w->closed, sizeof(w->closed), "%s", reason);
}

void world_parse(struct world *w, const char *text)
{
	struct service_unit *identity = &w->identity;
	struct unit *before = w->text ? parse_unit(w->text) : NULL;

	/* What its actor was started with is what it goes by. */
	if (identity->references > 0 && !identity->is_outdated) {
		identity->kept = TAKE_PTR(before);
		identity->is_outdated = true;
	}
	unit_free(before);
	free(w->text);
	w->text = strdup(text);
	unit_free(parse_unit(text));
}

static airs_pid spawn(struct world *w, const struct airs_behaviour *behaviour,
		const void *args, size_t size)
{
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = args,
		.args_size = size,
		.pool = airs_system_main_pool(w->system),
	};
	airs_pid pid;

	ck_assert_int_eq(airs_system_spawn(w->system, behaviour, &options, &pid), 0);
	return pid;
}

static void start_core(struct world *w, uint64_t seed)
{
	struct airs_system_options options = {
		.size = sizeof(options),
		.scheduler = AIRS_SCHEDULER_SEEDED,
		.seed = seed,
	};
	struct link_args args = {
		.size = sizeof(args),
		.on_closed = on_closed,
		.data = w,
	};
	int fds[2];

	ck_assert_int_eq(
			socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
					0, fds),
			0);
	w->keeper_fd = fds[0];
	ck_assert_int_eq(airs_system_new(&options, &w->system), 0);
	w->parent = spawn(w, &parent_behaviour, &w, sizeof(w));
	args.fd = fds[1];
	args.manager = w->parent;
	w->link = spawn(w, &link_behaviour, &args, sizeof(args));
	world_run(w);
}

struct world *world_new_seeded(const char *text, uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	service_context.directory.data = w;
	w->identity.name = "db";
	w->identity.id = 4711;
	w->main_status = -1;
	w->notify_fd = w->module_fd = -1;
	w->behaviour = &service_behaviour;
	w->next_pid = 100;
	w->next_spawn_id = 1;
	world_parse(w, text);
	start_core(w, seed);
	return w;
}

struct world *world_new(const char *text)
{
	return world_new_seeded(text, 1);
}

void world_free(struct world *w)
{
	airs_system_free(w->system);
	ck_assert_uint_eq(w->identity.references, 0);
	unit_free(w->identity.kept);
	free(w->report_memory);
	free(w->text);
	(void)close_fd(w->keeper_fd);
	(void)close_fd(w->notify_fd);
	(void)close_fd(w->module_fd);
	text_fini(&w->asked);
	text_fini(&w->told);
	text_fini(&w->recorded);
	text_fini(&w->states);
	free(w);
}

void world_run(struct world *w)
{
	do
		(void)airs_system_run(w->system, airs_system_now(w->system));
	while (take_request(w));
}

/* In small steps, so that the keeper answers in between. */
void world_advance(struct world *w, uint64_t usec)
{
	const uint64_t step = 100 * USEC_PER_MSEC;
	uint64_t end = airs_system_now(w->system) + usec;

	while (airs_system_now(w->system) < end) {
		(void)airs_system_run(w->system,
				MIN_OF(end, airs_system_now(w->system) + step));
		world_run(w);
	}
}

static void tell_parent(struct world *w, uint32_t type, const void *data, size_t size)
{
	ck_assert_int_eq(airs_system_send(w->system, w->parent, type, data, size), 0);
	world_run(w);
}

void world_start(struct world *w)
{
	tell_parent(w, PARENT_SPAWN, NULL, 0);
}

void world_stop(struct world *w)
{
	tell_parent(w, PARENT_STOP, NULL, 0);
}

void world_discard(struct world *w)
{
	tell_parent(w, PARENT_DISCARD, NULL, 0);
}

void world_call(struct world *w, uint32_t type, const void *data, size_t size)
{
	struct call call = { .type = type, .size = size };

	ck_assert_uint_le(size, sizeof(call.data));
	if (size > 0)
		memcpy(call.data, data, size);
	tell_parent(w, PARENT_CALL, &call, sizeof(call));
}

struct straw *world_main(struct world *w)
{
	for (size_t i = w->n_straws; i > 0; i--)
		if (w->straws[i - 1].alive && w->straws[i - 1].kind == UNIT_EXEC_START)
			return &w->straws[i - 1];
	return NULL;
}

void world_end(struct world *w, struct straw *straw, int code, int status)
{
	ck_assert_ptr_nonnull(straw);
	end_straw(w, straw, code, status);
	tell_empty(w);
	world_run(w);
}

void world_send(struct world *w, const struct protocol_message *m, int fd)
{
	transmit(w, m, fd);
	world_run(w);
}

static void tell_account(struct world *w)
{
	struct protocol_message note = {
		.type = PROTOCOL_NOTE, .unit = "db", .data = w->note, .size = w->note_size
	};
	struct protocol_message adopted = { .type = PROTOCOL_ADOPTED };
	bool any = false;

	for (size_t i = 0; i < w->n_straws; i++) {
		const struct straw *straw = &w->straws[i];
		struct protocol_message m = {
			.type = PROTOCOL_PROCESS,
			.unit = "db",
			.kind = straw->kind,
			.index = straw->index,
			.spawn_id = straw->spawn_id,
			.pid = straw->pid,
			.since_realtime_usec = 500,
			.state = straw->alive ? PROTOCOL_LIVES : PROTOCOL_ENDED,
			.code = straw->alive ? 0 : straw->code,
			.status = straw->alive ? 0 : straw->status,
		};

		if (straw->kind == UNIT_COMMAND_KIND_COUNT)
			continue;
		transmit(w, &m, w->notify_fd);
		w->notify_fd = close_fd(w->notify_fd);
		any = true;
	}
	if (w->note_size > 0)
		transmit(w, &note, -1);
	transmit(w, &adopted, -1);
	if (any)
		tell_empty(w);
}

void world_restart_core(struct world *w, const char *text)
{
	airs_system_free(w->system);
	(void)close_fd(w->keeper_fd);
	ck_assert_uint_eq(w->identity.references, 0);
	if (text)
		world_parse(w, text);
	text_clear(&w->asked);
	text_clear(&w->told);
	text_clear(&w->states);
	memset(&w->report, 0, sizeof(w->report));
	start_core(w, 2);
	tell_account(w);
	world_run(w);
}
