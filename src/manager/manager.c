/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/manager.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/log.h"
#include "host/manager-api.h"
#include "manager/bus.h"
#include "manager/event.h"
#include "manager/intent.h"
#include "manager/job.h"
#include "manager/messages.h"
#include "unit/instance.h"
#include "unit/snapshot.h"

/* Records that wait for the writer; more than these are refused, counted and told. */
#define ACTIVITY_MAILBOX_MAX 16384
#define BUS_AGAIN_USEC                                                                   \
	USEC_PER_SEC /* before the control bus is started again after a fault */

/* Who asks right after a core has died is to hear what runs: the control socket waits for
 * what was inherited, but not for units whose turn does not come. */
#define INHERITANCE_USEC (2 * USEC_PER_SEC)
#define COUNTS_USEC      USEC_PER_SEC /* between two lines about the tree */

enum manager_timer {
	TIMER_BUS,
	TIMER_COUNTS,
};

static struct service_unit *find_unit(void *data, const char *name)
{
	struct manager_home *home = data;
	struct record *record =
			home->registry ? registry_find(home->registry, name) : NULL;

	if (!record)
		return NULL;
	record->unit.references++;
	return &record->unit;
}

static void release_unit(void *data, struct service_unit *unit)
{
	struct record *record = CONTAINER_OF(unit, struct record, unit);

	(void)data;
	if (--unit->references == 0 && record->is_gone)
		record_free(record);
}

static int open_unit(void *data, const char *name, struct unit **ret_unit)
{
	struct manager_home *home = data;
	const struct record *record =
			home->registry ? registry_find(home->registry, name) : NULL;

	return record ? registry_open(home->registry, record, ret_unit) : -ENOENT;
}

static enum service_wish wish_for_unit(void *data, const char *name)
{
	struct manager_home *home = data;
	const struct record *record =
			home->registry ? registry_find(home->registry, name) : NULL;

	return record ? record_wish(record) : SERVICE_WANTED;
}

/* It, or a supervisor above it with everything below. */
static bool is_restarting(void *data, const char *name)
{
	struct manager_home *home = data;
	const struct record *record =
			home->registry ? registry_find(home->registry, name) : NULL;

	for (; record; record = record->supervisor)
		if (record->intent == REGISTRY_INTENT_RESTART)
			return true;
	return false;
}

/* Only a new core, which takes the services over, can mend it. */
static void end_core(struct manager_home *home, struct airs_actor *self, const char *what,
		int error)
{
	log_error("%s: %s.", what, strerrordesc_np(error));
	home->exit_status = EXIT_FAILURE;
	airs_system_stop(airs_actor_system(self));
}

static void give_up_unit(void *data, struct airs_actor *self, int error)
{
	end_core(data, self, "A service cannot be looked after", error);
}

void manager_home_init(struct manager_home *home)
{
	*home = (struct manager_home){
		.service.directory = { .find = find_unit,
				.release = release_unit,
				.open = open_unit,
				.wish = wish_for_unit,
				.is_restarting = is_restarting,
				.give_up = give_up_unit,
				.data = home },
		.control_fd = -1,
	};
}

void manager_home_fini(struct manager_home *home)
{
	home->control_fd = close_fd(home->control_fd);
	free(TAKE_PTR(home->runtime_dir));
}

static void give_up(struct manager *m, const char *what, int error)
{
	end_core(m->home, m->self, what, error);
}

airs_pid manager_supervisor_of(const struct manager *m, const struct record *record)
{
	return record->supervisor ? record->supervisor->pid : m->root;
}

void manager_answer(struct manager *m, struct request *request)
{
	/* Without memory the client meets its own timeout. */
	(void)!request_send(m->self, request->connection, BUS_ANSWER, request);
}

void manager_keep_note(struct manager *m, struct record *record)
{
	uint8_t note[REGISTRY_NOTE_MAX];
	size_t size;

	/* What ends because everything does starts again with everything. */
	if (m->phase >= MANAGER_STOPPING)
		return;
	size = record_note(record, note, sizeof(note));
	if (size == 0 && !record->note_written)
		return;
	record->note_written = size > 0;
	/* A note that is lost costs history, not service. */
	(void)!link_note(m->self, m->link, record->name, LINK_NOTE_MANAGER,
			(struct link_note_bytes){ note, size });
}

static int copy_text(char **field, const char *text)
{
	char *copy = NULL;

	if (text && !(copy = strdup(text)))
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int take_configuration(struct manager *m, const struct protocol_message *message)
{
	int r;

	if (!m->home->runtime_dir) {
		r = copy_text(&m->home->runtime_dir, message->runtime_dir);
		if (r < 0)
			return r;
	}
	r = copy_text(&m->cgroup, message->cgroup);
	if (r >= 0)
		r = copy_text(&m->journal_socket, message->journal_socket);
	m->owner_uid = message->owner_uid;
	m->core_restarts = message->restarts;
	return r;
}

int manager_parse(struct manager *m, int snapshot_fd, struct unit_set **ret_set)
{
	auto_(unit_snapshot) snapshot = NULL;
	auto_close int fd = snapshot_fd;
	int r;

	r = unit_snapshot_unpack(fd, &snapshot);
	if (r < 0)
		return r;
	diag_fini(&m->diag);
	/* What is wrong was told by who read the files. */
	diag_append(&m->diag, &snapshot->diag);
	r = unit_set_parse(snapshot, &snapshot->context, NULL, ret_set);
	if (r < 0)
		return r;
	unit_refusals_fini(&m->refusals);
	m->refusals = snapshot->refusals;
	snapshot->refusals = (struct unit_refusals){ 0 };
	close_fd(m->snapshot_fd);
	m->snapshot_fd = take_fd(&fd);
	return 0;
}

static int start_activity(struct manager *m)
{
	struct activity_args args = { .size = sizeof(args), .fallback_fd = -1 };
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.name = ACTIVITY_ACTOR_NAME,
		.args = &args,
		.args_size = sizeof(args),
		.pool = m->home->main_pool,
		.mailbox_max = ACTIVITY_MAILBOX_MAX,
	};
	auto_free char *instance = instance_name(m->home->runtime_dir);

	if (!instance)
		return -ENOMEM;
	(void)snprintf(args.instance, sizeof(args.instance), "%s", instance);
	if (m->journal_socket)
		(void)snprintf(args.journal_socket, sizeof(args.journal_socket), "%s",
				m->journal_socket);
	return airs_spawn(m->self, &activity_behaviour, &options, &m->activity);
}

static int start_bus(struct manager *m)
{
	struct bus_args args = {
		.size = sizeof(args),
		.fd = m->home->control_fd,
		.owner_uid = m->owner_uid,
		.manager = airs_self(m->self),
		.activity = m->activity,
		.runtime_dir = m->home->runtime_dir,
	};
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = &args,
		.args_size = sizeof(args),
		.flags = AIRS_SPAWN_MONITOR,
		.pool = m->home->main_pool,
		.ret_monitor = &m->bus_monitor,
	};
	uint32_t up = m->phase == MANAGER_UP;
	int r;

	if (m->bus != AIRS_PID_NONE)
		return 0;
	r = airs_spawn(m->self, &bus_behaviour, &options, &m->bus);
	if (r < 0)
		return r;
	return airs_send(m->self, m->bus, BUS_TREE_UP, &up, sizeof(up));
}

static int configure(struct manager *m, struct link_event *event)
{
	auto_(unit_set) set = NULL;
	int r;

	if (event->fds[0] < 0 || event->fds[1] < 0)
		return -EBADMSG;
	r = take_configuration(m, &event->message);
	if (r >= 0)
		r = start_activity(m);
	if (r >= 0)
		r = manager_parse(m, take_fd(&event->fds[0]), &set);
	if (r == -EBADMSG)
		log_error("airssysd and airssys-core are of different versions: install one "
			  "version of both and restart airssysd.");
	if (r < 0)
		return r;
	r = tree_adopt_set(&m->registry, set);
	if (r < 0)
		return r;
	m->home->service.link = m->link;
	m->home->service.observer = airs_self(m->self);
	m->home->service.activity = m->activity;
	m->context = (struct tree_context){
		.service = &m->home->service,
		.registry = &m->registry,
		.main_pool = m->home->main_pool,
	};
	m->home->control_fd = take_fd(&event->fds[1]);
	m->phase = MANAGER_ADOPTING;
	event_write_started(m);
	return 0;
}

void manager_end_inheritance(struct manager *m, struct record *record)
{
	if (!record->is_inherited)
		return;
	record->is_inherited = false;
	if (--m->n_inherited == 0 && start_bus(m) < 0)
		give_up(m, "The control bus cannot be started", ENOMEM);
}

static int await_inherited(struct manager *m)
{
	airs_ref timer;

	if (m->n_inherited == 0)
		return start_bus(m);
	return airs_timer_start(m->self, INHERITANCE_USEC, TIMER_BUS, &timer);
}

/* A unit that is not to be started has no business to run any more. */
static void discard(struct manager *m, const char *name)
{
	(void)!link_discard(m->self, m->link, name);
}

static void discard_leftovers(struct manager *m)
{
	struct record *record = NULL;

	while ((record = registry_next(&m->registry, record)))
		if (record->kind == UNIT_SERVICE && record->rest != REGISTRY_REST_NONE &&
				record_wish(record) != SERVICE_LEAVING) {
			discard(m, record->name);
			m->n_inherited -= record->is_inherited;
			record->is_inherited = false;
		}
	for (size_t i = 0; i < m->strangers.count; i++)
		discard(m, m->strangers.items[i]);
	strv_fini(&m->strangers);
}

static int on_process(struct manager *m, const struct protocol_message *message)
{
	struct record *record = registry_find(&m->registry, message->unit);

	if (m->phase != MANAGER_ADOPTING || strv_contains(&m->strangers, message->unit))
		return 0;
	if (record) {
		m->n_inherited += !record->is_inherited;
		record->is_inherited = true;
		return 0;
	}
	log_warning("%s runs, but has no file any more; it is ended.", message->unit);
	return strv_append(&m->strangers, message->unit);
}

static int start_tree(struct manager *m)
{
	struct airs_supervisor_options options;
	const char *what = NULL;
	int r;

	m->phase = MANAGER_STARTING;
	discard_leftovers(m);
	m->context.is_first = true;
	r = tree_root_init(&options, &m->context);
	m->context.is_first = false;
	if (r < 0)
		return r;
	r = airs_supervisor_check(&options, &what);
	if (r < 0)
		log_error("The tree cannot be built: %s.", what);
	else
		r = airs_supervisor_spawn(m->self, &options,
				AIRS_SPAWN_LINK | AIRS_SPAWN_ACK, &m->root);
	tree_root_fini(&options);
	return r < 0 ? r : await_inherited(m);
}

void manager_shut_down(struct manager *m)
{
	struct airs_reason shutdown = airs_reason_make(AIRS_REASON_SHUTDOWN, 0, NULL);

	if (m->phase >= MANAGER_STOPPING)
		return;
	event_write(m, ACTIVITY_TREE_STOPPING, NULL);
	m->phase = MANAGER_STOPPING;
	job_fail_all(m, "AirsSys is being shut down.");
	if (m->root != AIRS_PID_NONE) {
		airs_exit_signal(m->self, m->root, &shutdown);
		return;
	}
	m->phase = MANAGER_DOWN;
	(void)!link_say(m->self, m->link, PROTOCOL_DOWN, NULL, 0);
}

static int on_note(struct manager *m, const struct protocol_message *message)
{
	struct record *record = registry_find(&m->registry, message->unit);

	if (record && record_note_apply(record, message->data, message->size) < 0)
		log_warning("%s: its note from an earlier core cannot be read; it starts afresh.",
				message->unit);
	return 0;
}

static int on_link_event(struct manager *m, struct airs_message *message)
{
	struct link_event *event = message->data;

	switch ((unsigned int)event->message.type) {
	case PROTOCOL_CONFIG:
		if (m->phase == MANAGER_WAITING) {
			m->link = message->from;
			return configure(m, event);
		}
		reload_apply(m, take_fd(&event->fds[0]));
		heap_trim();
		return 0;
	case PROTOCOL_NOTE:
		return m->phase == MANAGER_ADOPTING ? on_note(m, &event->message) : 0;
	case PROTOCOL_PROCESS:
		return on_process(m, &event->message);
	case PROTOCOL_ADOPTED:
		return m->phase == MANAGER_ADOPTING ? start_tree(m) : 0;
	case PROTOCOL_STOP:
		manager_shut_down(m);
		return 0;
	case PROTOCOL_PING:
		return link_say(m->self, m->link, PROTOCOL_PONG, NULL, 0);
	case PROTOCOL_RELOAD:
		reload_begin(m, NULL);
		return 0;
	default:
		return 0;
	}
}

/* One line about the tree, for people. */
static int say_counts(struct manager *m, enum protocol_type type, char *text, size_t size)
{
	struct registry_counts counts = registry_count(&m->registry);

	m->told = counts;
	(void)snprintf(text, size, "%u %s running, %u failed", counts.running,
			counts.running == 1 ? "actor" : "actors", counts.failed);
	return link_say(m->self, m->link, type, text, 0);
}

void manager_tell_counts(struct manager *m)
{
	airs_ref timer;

	/* Without memory the next change tries again. */
	if (m->phase == MANAGER_UP && !m->tells_soon)
		m->tells_soon = airs_timer_start(m->self, COUNTS_USEC, TIMER_COUNTS,
						&timer) == 0;
}

static int on_counts_due(struct manager *m)
{
	struct registry_counts now = registry_count(&m->registry);
	char text[80];

	m->tells_soon = false;
	if (m->phase != MANAGER_UP ||
			(now.running == m->told.running && now.failed == m->told.failed))
		return 0;
	return say_counts(m, PROTOCOL_STATUS, text, sizeof(text));
}

static int on_root_started(struct manager *m, const struct airs_message *message)
{
	uint32_t up = 1;
	char text[80];
	int r;

	/* Stopped while it started: its end is on the way, and says that the tree is
	 * down. */
	if (m->phase != MANAGER_STARTING)
		return 0;
	if (message->status < 0) {
		give_up(m, "The root supervisor did not start", -message->status);
		return 0;
	}
	m->phase = MANAGER_UP;
	intent_on_up(m);
	heap_trim();
	r = say_counts(m, PROTOCOL_UP, text, sizeof(text));
	event_write(m, ACTIVITY_TREE_UP, text);
	if (r < 0)
		return r;
	r = start_bus(m); /* unless it was */
	if (r < 0)
		return r;
	return airs_send(m->self, m->bus, BUS_TREE_UP, &up, sizeof(up));
}

static int on_exit_signal(struct manager *m, const struct airs_message *message)
{
	char reason[128];

	if (message->from != m->root)
		return 0;
	m->root = AIRS_PID_NONE;
	if (m->phase == MANAGER_STOPPING) {
		event_write(m, ACTIVITY_TREE_DOWN, NULL);
		m->phase = MANAGER_DOWN;
		return link_say(m->self, m->link, PROTOCOL_DOWN, NULL, 0);
	}
	(void)airs_reason_format(message->data, reason, sizeof(reason));
	log_error("The root supervisor has ended: %s.", reason);
	give_up(m, "The tree is gone", ECHILD);
	return 0;
}

static int on_down(struct manager *m, const struct airs_message *message)
{
	airs_ref timer;

	if (message->from != m->bus)
		return 0;
	m->bus = AIRS_PID_NONE;
	log_error("The control bus has ended and is started again.");
	return airs_timer_start(m->self, BUS_AGAIN_USEC, TIMER_BUS, &timer);
}

static int on_reply(struct manager *m, const struct airs_message *message)
{
	if (job_on_reply(m, message))
		return 0;
	if (message->ref == m->reload_call && message->ref != 0) {
		m->reload_call = 0;
		reload_finish(m, message->status);
	}
	return 0;
}

static int manager_init(
		struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct manager *m = state;

	if (size != sizeof(m->home))
		return -EINVAL;
	m->self = self;
	memcpy(&m->home, args, sizeof(m->home));
	m->snapshot_fd = -1;
	registry_init(&m->registry);
	list_init(&m->jobs);
	list_init(&m->reload_waiters);
	m->home->registry = &m->registry;
	airs_trap_exit(self, AIRS_TRAP_ON);
	return airs_register(airs_actor_system(self), MANAGER_API_NAME, airs_self(self));
}

static int manager_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	struct manager *m = state;

	m->self = self;
	switch (message->type) {
	case LINK_EVENT:
		return on_link_event(m, message);
	case SERVICE_REPORT:
		event_on_report(m, message);
		return 0;
	case AIRS_MSG_SUPERVISOR:
		event_on_supervisor(m, message->data);
		return 0;
	case MANAGER_REQUEST:
		manager_serve(m, request_take(message));
		return 0;
	case MANAGER_API_FAIL:
	case MANAGER_API_STATUS:
		manager_serve_module(m, message);
		return 0;
	case AIRS_MSG_REPLY:
		return on_reply(m, message);
	case AIRS_MSG_STARTED:
		return on_root_started(m, message);
	case AIRS_MSG_EXIT:
		return on_exit_signal(m, message);
	case AIRS_MSG_DOWN:
		return on_down(m, message);
	case AIRS_MSG_TIMER:
		return message->value == TIMER_COUNTS ? on_counts_due(m) : start_bus(m);
	default:
		return 0;
	}
}

/* Nobody ends it but itself. */
static void manager_terminate(
		struct airs_actor *self, void *state, const struct airs_reason *reason)
{
	struct manager *m = state;

	m->self = self;
	if (reason->reason_class == AIRS_REASON_ERROR && m->home)
		give_up(m, "The manager has ended", reason->code);
}

static void manager_release(void *state)
{
	struct manager *m = state;

	/* Never initialised: nothing to release. */
	if (!m->home)
		return;
	m->home->registry = NULL;
	job_free_all(m);
	reload_free_waiters(m);
	strv_fini(&m->strangers);
	registry_fini(&m->registry);
	diag_fini(&m->diag);
	close_fd(m->snapshot_fd);
	unit_refusals_fini(&m->refusals);
	free(m->cgroup);
	free(m->journal_socket);
}

const struct airs_behaviour manager_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "manager",
	.state_size = sizeof(struct manager),
	.init = manager_init,
	.handle = manager_handle,
	.terminate = manager_terminate,
	.release = manager_release,
};
