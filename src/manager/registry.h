/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_REGISTRY_H
#define MANAGER_REGISTRY_H

/*
 * What the manager knows of every unit: its place in the tree, how it stands, and how it
 * ended the last times. Fed by reports of service actors and by events of supervisors,
 * asked by the bus and by jobs. Pure: no actor, no bus, and time is a parameter.
 *
 *   registry.c        which units there are, where they stand in the tree, their settings
 *   registry-state.c  how they stand
 *   registry-end.c    their history, and the note that outlives the core
 *
 * There may be thousands of units, most of which merely run: what most have nothing of is
 * apart (struct record_more), and settings are made from the set in force when somebody
 * asks for them. Those of supervisors, which are few, stay.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "airssys/supervisor.h"
#include "base/list.h"
#include "base/lookup.h"
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

/* What most units have nothing of. */
struct record_more {
	airs_pid actor; /* of a module: key in registry.by_actor */
	uint64_t intent_job; /* the job that carries it out; 0: none does yet */
	uint64_t last_stop; /* the last job that was a request to stop it */
	char *status_text; /* NULL: none */
	char *failed_step; /* "EXEC: No such file or directory (…)"; NULL: none */
	uint64_t restarts;
	uint64_t next_restart_realtime_usec;
	struct registry_window window; /* of a child of the root */
	/* How the process ended, from the last report, for the end that follows; NULL: it
	 * has not. */
	struct service_end *last;
	struct registry_end *ends; /* ring of up to REGISTRY_ENDS_MAX */
	/* In force although the set has no such unit any more: its file has a mistake. */
	struct unit *own;
	uint32_t n_ends, next_end, ends_capacity;
	uint32_t attempt;
	pid_t control_pid;
	uint32_t start_decision; /* enum airs_supervisor_decision: why it was started last */
};

/* Of a supervisor. */
struct record_group {
	struct list children; /* [struct record.link] in start order */
	struct registry_window window; /* of the children */
	struct unit *unit; /* its settings in force */
};

struct record {
	/* What its actors share; its id is the cookie in the supervisors' events and is
	 * never reused. An actor may outlive the record's place in the registry. */
	struct service_unit unit;
	struct record *supervisor; /* NULL: the root */
	struct list link; /* on the supervisor's children, or on registry.roots */
	struct record_group *group; /* NULL: it is no supervisor */
	struct record_more *more; /* NULL: nothing of it; see record_more */

	airs_pid pid; /* as its supervisor knows it; AIRS_PID_NONE: does not run */
	const char *substate, *result; /* static storage */
	uint64_t since_realtime_usec;
	uint64_t start_realtime_usec;
	char *description; /* of the settings in force; NULL: none */
	pid_t main_pid;

	uint8_t kind; /* enum unit_kind */
	uint8_t state; /* enum registry_state */
	uint8_t rest; /* enum registry_rest */
	uint8_t intent; /* enum registry_intent */
	uint8_t restart; /* enum unit_restart: of the settings in force */
	/* has processes of an earlier core, and no actor told of them yet */
	bool is_inherited : 1;
	bool stale : 1; /* reload: its specification no longer says what is in force */
	bool retired : 1; /* being removed: not found by name any more */
	/* new; started when the retired one of its name has ended */
	bool awaits_name : 1;
	bool note_written : 1; /* the keeper holds a note of ours */
	bool detached : 1; /* its actor said that it has seen the end of everything */
	bool is_gone : 1; /* only its actor still knows of it */
	char name[];
};

struct registry {
	struct lookup by_name; /* [struct record] */
	struct map by_actor; /* → struct record */
	struct record **slots; /* by the low bits of the id; NULL: free */
	size_t n_slots, n_records;
	struct list roots; /* [struct record.link] children of the root, in start order */
	struct unit_set *set; /* in force; one reference */
	uint64_t last_serial; /* the high bits of the last id */
};

void registry_init(struct registry *registry);
void registry_fini(struct registry *registry);

struct record *registry_find(const struct registry *registry, const char *name);
struct record *registry_find_id(const struct registry *registry, uint64_t id);
/* Of a module; NULL for those of services, which nobody looks for. */
struct record *registry_find_actor(const struct registry *registry, airs_pid actor);

/* Put other units in force, without a look at the records. */
void registry_set_units(struct registry *registry, struct unit_set *set);
/* The settings in force of a unit; the caller's. -ENOENT: there are none, -ENOMEM. */
MUST_CHECK int registry_open(const struct registry *registry, const struct record *record,
		struct unit **ret_unit);

/*
 * Add a unit under a supervisor (NULL: the root), at the end of its children; what is told
 * of its settings is not known yet. -EEXIST, -ENOMEM.
 */
MUST_CHECK int registry_add(struct registry *registry, const char *name,
		enum unit_kind kind, struct record *supervisor,
		struct record **ret_record);
/* What is told of a unit's settings is that of these from now on; supervisors are of no
 * use without. -ENOMEM. */
MUST_CHECK int record_set_unit(struct record *record, const struct unit *unit);
/* Other settings than these are in force, or none any more: an actor that was started with
 * them goes by them. They are taken if they are needed. */
void record_keep_unit(struct record *record, struct unit **unit);
/* These settings stay in force although the set has no such unit. -ENOMEM. */
MUST_CHECK int record_own_unit(struct record *record, struct unit **unit);
/* No actor of it is alive, and it is in no registry. Frees it. */
void record_free(struct record *record);

/* Children in start order: [struct record.link]. */
const struct list *record_children(const struct record *record);
/* To be read: all of it is zero when there is none. */
const struct record_more *record_more(const struct record *record);
/* To be written. NULL: out of memory. */
struct record_more *record_make_more(struct record *record);

/* The actor of a module begins or ends; for units that are no modules nothing happens. */
void registry_set_actor(struct registry *registry, struct record *record, airs_pid actor);
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
/* Put an end into the history as the newest; that of its process is known from the last
 * report. -ENOMEM. */
MUST_CHECK int record_add_end(struct record *record,
		const struct airs_supervisor_event *event, uint64_t now_realtime_usec);
/* No restart followed the newest. */
void record_mark_given_up(struct record *record);
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
