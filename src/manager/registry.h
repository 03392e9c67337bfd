/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_REGISTRY_H
#define MANAGER_REGISTRY_H

/*
 * What the manager knows of every unit: its settings in force, its place in the tree, how
 * it stands, and how it ended the last times. Fed by reports of service actors and by
 * events of supervisors, asked by the bus and by jobs. Pure: no actor, no bus, and time
 * is a parameter.
 *
 * Settings are counted separately from records, since a running actor keeps those that it
 * was started with while a reload has put others in force.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "airssys/supervisor.h"
#include "base/list.h"
#include "base/map.h"
#include "service/service.h"
#include "unit/unit.h"

#define REGISTRY_ENDS_MAX 16

/* Of the root, whose children are counted one by one. */
#define REGISTRY_ROOT_INTENSITY   5
#define REGISTRY_ROOT_PERIOD_USEC (10 * UINT64_C(1000000))

/* As manager/names.h lists them. */
enum registry_state {
	REGISTRY_STOPPED,
	REGISTRY_STARTING,
	REGISTRY_RUNNING,
	REGISTRY_RELOADING,
	REGISTRY_STOPPING,
	REGISTRY_BACKOFF,
	REGISTRY_FAILED,
	REGISTRY_EXITED,
	REGISTRY_STATE_COUNT
};

/* One unit's settings, shared by its record and by the actor that runs with them. */
struct settings {
	unsigned int references;
	struct unit *unit; /* owned */
	char *supervisor; /* the unit's: name of its supervisor; NULL: the root */
};

struct settings *settings_ref(struct settings *settings);
void settings_unref(struct settings *settings);
DEFINE_AUTO(settings, settings_unref);

/* One end of a unit's actor, and what was done about it. */
struct registry_end {
	uint64_t realtime_usec;
	struct airs_reason reason;
	uint32_t decision; /* enum airs_supervisor_decision */
	uint32_t strategy; /* enum airs_strategy */
	uint32_t given_up; /* 1: too many restarts, none follows */
	uint32_t by_supervisor; /* 1: its supervisor ended it */
	int32_t code, status; /* of the process, when the reason is another; code 0: unknown */
	char *cause; /* GROUP: the sibling that ended first; else NULL */
};

/* Why a unit stays down although its supervisor runs; kept over a restart of the core. */
enum registry_rest {
	REGISTRY_REST_NONE,
	REGISTRY_REST_STOPPED, /* by the administrator */
	REGISTRY_REST_DONE, /* it ended and is not to be restarted */
	REGISTRY_REST_FAILED,
	REGISTRY_REST_COUNT
};

/* Restarts that count towards an intensity, as of a moment. */
struct registry_window {
	uint32_t restarts;
	uint64_t realtime_usec;
};

/* What an administrator has asked for and what is not carried out yet; kept over a restart
 * of the core. */
enum registry_intent {
	REGISTRY_INTENT_NONE,
	REGISTRY_INTENT_STOP,
	REGISTRY_INTENT_RESTART, /* its first half: to end it */
	REGISTRY_INTENT_COUNT
};

struct record {
	uint64_t id; /* cookie in the supervisors' events; never reused */
	const char *name; /* of the settings in force */
	enum unit_kind kind;
	struct settings *settings; /* in force at the next start */
	struct settings *started_with; /* NULL while it does not run */
	struct record *supervisor; /* NULL: the root */
	struct list link; /* on the supervisor's children, or on registry.roots */
	struct list children; /* [struct record.link] in start order */

	airs_pid pid; /* as its supervisor knows it; AIRS_PID_NONE: does not run */
	airs_pid actor; /* of a module, then key in registry.by_actor; else as pid */
	enum registry_state state;
	enum registry_rest rest;
	bool is_inherited; /* has processes of an earlier core, and no actor told of them yet */
	enum registry_intent intent;
	uint64_t intent_job; /* the job that carries it out; 0: none does yet */
	uint64_t last_stop; /* the last job that was a request to stop it */
	const char *substate, *result; /* static storage */
	uint64_t since_realtime_usec;
	uint64_t main_start_time; /* of main_pid, clock ticks since boot */
	uint64_t start_realtime_usec;
	pid_t main_pid, control_pid;
	char *status_text; /* NULL: none */
	char *failed_step; /* "EXEC: No such file or directory (…)"; NULL: none */

	uint64_t restarts;
	uint64_t next_restart_realtime_usec;
	uint32_t attempt;
	struct registry_window window; /* of a child of the root */
	struct registry_window children_window; /* of a supervisor */
	/* How the process ended, from the last report, for the end that follows; NULL: it
	 * has not. */
	struct service_end *last;
	uint32_t start_decision; /* enum airs_supervisor_decision: why it was started last */
	bool stale; /* reload: its specification no longer says what is in force */
	bool retired; /* being removed: not found by name any more */
	bool awaits_name; /* new; started when the retired one of its name has ended */
	bool note_written; /* the keeper holds a note of ours */
	struct registry_end *ends; /* ring of up to REGISTRY_ENDS_MAX */
	uint32_t n_ends, next_end, ends_capacity;
};

struct registry {
	struct map by_name, by_actor; /* → struct record */
	struct record **slots; /* by the low bits of the id; NULL: free */
	size_t n_slots, n_records;
	struct list roots; /* [struct record.link] children of the root, in start order */
	enum unit_order root_order;
	uint64_t last_serial; /* the high bits of the last id */
};

void registry_init(struct registry *registry);
void registry_fini(struct registry *registry);

struct record *registry_find(const struct registry *registry, const char *name);
struct record *registry_find_id(const struct registry *registry, uint64_t id);
/* Of a module; NULL for those of services, which nobody looks for. */
struct record *registry_find_actor(const struct registry *registry, airs_pid actor);

/*
 * Add a unit under a supervisor (NULL: the root), at the end of its children. Consumes
 * settings in every case. -EEXIST, -ENOMEM.
 */
MUST_CHECK int registry_add(struct registry *registry, struct settings *settings,
		struct record *supervisor, struct record **ret_record);
/* Put other settings of the same name in force. Consumes them. */
void registry_set_settings(struct registry *registry, struct record *record,
		struct settings *settings);
/* Put a unit behind its siblings. */
void registry_move_last(struct registry *registry, struct record *record);
/* A unit is being removed: it and everything under it give up their names, which new ones
 * may take. */
void registry_retire(struct registry *registry, struct record *record);
/* One that was retired under this name and is not gone yet, or NULL. Looks at all of
 * them. */
struct record *registry_find_retired(const struct registry *registry, const char *name);
/* Remove a unit and everything under it. */
void registry_remove(struct registry *registry, struct record *record);
/* Take a unit out of a set. -ENOENT when it is not there, -ENOMEM. */
MUST_CHECK int settings_take(
		struct unit_set *set, const char *name, struct settings **ret_settings);

/* The record that follows in tree order: parents before children. record NULL: the first.
 * NULL: no more. */
struct record *registry_next(
		const struct registry *registry, const struct record *record);
/* The same without going into the record. */
struct record *registry_next_beside(
		const struct registry *registry, const struct record *record);

/* A service or native actor said how it stands. */
MUST_CHECK int registry_report(struct registry *registry, struct record *record,
		const struct service_report *report);
/* What a supervisor did with its child. 0, or -ENOMEM (the end is then not in the
 * history). */
MUST_CHECK int registry_event(struct registry *registry, struct record *record,
		const struct airs_supervisor_event *event, uint64_t now_realtime_usec);
/* It is down because an administrator wants it so; a failure is thereby seen to. Does
 * nothing when it is up. */
void record_rest(struct record *record, uint64_t now_realtime_usec);
/* A supervisor begins to end: it says so itself only when that is over. Does nothing when
 * it is down. */
void record_stopping(struct record *record, uint64_t now_realtime_usec);
/* STATUS text of a module's actor. */
void registry_set_status_text(struct record *record, const char *text);

const char *registry_state_name(enum registry_state state);
/* State as shown: supervisors are degraded when something under them has failed. */
const char *registry_substate(const struct record *record);
bool record_is_up(const struct record *record); /* it has an actor */
bool record_is_at_work(
		const struct record *record); /* or will have one without being asked */
/* Whether it ought to run, as far as administrators have said. */
enum service_wish record_wish(const struct record *record);
/* Newest first; NULL when there are fewer. */
const struct registry_end *record_end(const struct record *record, uint32_t back);
/* Put an end into the history as the newest. The cause is not taken over. -ENOMEM. */
MUST_CHECK int record_restore_end(struct record *record, const struct registry_end *end);
/* "exited with status 1" and the like into a buffer of END_TEXT_SIZE; "" for NULL. */
void registry_end_reason(const struct registry_end *end, char *buffer, size_t size);
/* "restarted (one-for-one)" and the like into a buffer; "" for NULL. */
void registry_end_describe(const struct record *record, const struct registry_end *end,
		char *buffer, size_t size);
/* Restarts within the window that counts for this unit: its supervisor's, or its own
 * under the root. */
uint32_t record_window(const struct record *record, uint64_t now_realtime_usec);
/* The supervisor's limits that apply to it. */
void record_limits(const struct record *record, uint32_t *ret_intensity,
		uint64_t *ret_period_usec);

struct registry_counts {
	uint32_t units, running, failed;
};
struct registry_counts registry_count(const struct registry *registry);

/*
 * The part of the note that outlives the core: why the unit rests, what it was asked for,
 * how often it was restarted, how it ended last. Returns the size, 0 when there is nothing to remember.
 * capacity is at least REGISTRY_NOTE_MAX.
 */
#define REGISTRY_NOTE_MAX 400
size_t record_note(const struct record *record, void *buffer, size_t capacity);
/* -EBADMSG: nothing is taken over. */
MUST_CHECK int record_note_apply(struct record *record, const void *data, size_t size);

#endif
