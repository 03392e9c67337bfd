/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

/*
 * The validated settings of one actor file or supervisor file, and the set of all of
 * them.
 *
 * A set is made from a snapshot (unit/snapshot.h) by unit_set_parse, is immutable
 * afterwards, and is owned by whoever parsed it. A unit that has an error is not in the
 * set; what is wrong with it is in the diag. Of the others the set keeps where they stand
 * in the tree and where their text is; their settings are made of it when somebody opens
 * them. Names: "db" for db.actor and "shop" for
 * shop.supervisor; one name names one unit. The root supervisor has no file and no name
 * (NULL where a supervisor's name is asked).
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/map.h"
#include "base/text.h"

enum unit_kind { UNIT_SUPERVISOR, UNIT_SERVICE, UNIT_NATIVE, UNIT_KIND_COUNT };

enum unit_strategy { /* same order as enum airs_strategy */
	UNIT_ONE_FOR_ONE,
	UNIT_ONE_FOR_ALL,
	UNIT_REST_FOR_ONE,
};

enum unit_order { /* same order as enum airs_order */
	UNIT_ORDERED,
	UNIT_PARALLEL,
};

/*
 * Restart=: OTP's words in [Actor], systemd's in [Service]. permanent is always,
 * temporary is no, transient is on-failure. The service actor maps the end of its process
 * by this condition.
 */
enum unit_restart {
	UNIT_RESTART_PERMANENT, /* always */
	UNIT_RESTART_TRANSIENT, /* on-failure */
	UNIT_RESTART_TEMPORARY, /* no */
	UNIT_RESTART_ON_SUCCESS,
	UNIT_RESTART_ON_ABNORMAL,
	UNIT_RESTART_ON_WATCHDOG,
	UNIT_RESTART_ON_ABORT,
};

enum unit_service_type {
	UNIT_SIMPLE,
	UNIT_EXEC,
	UNIT_NOTIFY,
	UNIT_ONESHOT,
	UNIT_FORKING,
};

enum unit_kill_mode {
	UNIT_KILL_CONTROL_GROUP, /* every process of the service */
	UNIT_KILL_MIXED, /* KillSignal to the main process, SIGKILL to every one */
	UNIT_KILL_PROCESS, /* only the main process */
	UNIT_KILL_NONE,
};

enum unit_keyring_mode {
	UNIT_KEYRING_PRIVATE, /* a new one for each process that airssysd starts */
	UNIT_KEYRING_INHERIT, /* airssysd's own */
};

enum unit_output {
	UNIT_OUTPUT_JOURNAL, /* where there is no journal: the file RUNTIME/log/NAME.log
			      */
	UNIT_OUTPUT_NULL,
	UNIT_OUTPUT_FILE, /* path; written from the start, not truncated (systemd's file:)
			   */
	UNIT_OUTPUT_APPEND, /* path; at the end */
	UNIT_OUTPUT_TRUNCATE, /* path; emptied first */
	UNIT_OUTPUT_INHERIT, /* of airssysd; for standard error: of standard output */
};

enum unit_notify_access {
	UNIT_NOTIFY_NONE,
	UNIT_NOTIFY_MAIN,
	UNIT_NOTIFY_EXEC,
	UNIT_NOTIFY_ALL,
};

/* One command line; several of one kind run in order. */
struct unit_command {
	char *path; /* absolute, or a name that is looked up in the fixed search path at
		       load */
	struct strv argv; /* argv[0] included; specifiers expanded, $VARIABLES not yet */
	bool ignore_failure; /* - */
	bool no_expansion; /* : */
	bool full_privileges; /* + : no User=, no policy */
	bool keep_privileges; /* ! : no User= */
};

/* Which list of command lines; also the role of a process in the protocol. */
enum unit_command_kind {
	UNIT_EXEC_START_PRE,
	UNIT_EXEC_START, /* the main process */
	UNIT_EXEC_START_POST,
	UNIT_EXEC_RELOAD,
	UNIT_EXEC_STOP,
	UNIT_EXEC_STOP_POST,
	UNIT_COMMAND_KIND_COUNT
};

struct unit_commands {
	struct unit_command *items;
	uint32_t count;
};

struct unit_environment_file {
	char *path;
	bool optional; /* - */
};

struct unit_limit {
	uint8_t resource; /* RLIMIT_… */
	struct rlimit value;
};

struct unit_exit_set { /* SuccessExitStatus= and the like: codes and signals beyond 0 */
	uint64_t codes[4]; /* bit n: exit code n */
	uint64_t signals; /* bit n: signal n */
};

/* In an order that leaves no gaps: there may be thousands. */
struct unit_service {
	struct unit_commands commands[UNIT_COMMAND_KIND_COUNT];
	char *pid_file; /* absolute; NULL: none */
	uint64_t watchdog_usec; /* 0: none */

	struct strv environment; /* NAME=value */
	struct strv pass_environment;
	struct unit_environment_file *environment_files;
	struct unit_limit *limits; /* at most one of each resource; NULL: none */
	uint32_t n_environment_files, n_limits;
	char *working_directory; /* absolute or "~"; NULL: / */
	char *user, *group; /* names or numbers; NULL: as airssysd */
	struct strv supplementary_groups;
	struct strv runtime_directories; /* RuntimeDirectory=: made below /run (or the
					    runtime folder of a user) */
	struct strv state_directories;
	char *output_path, *error_path;
	char *syslog_identifier; /* NULL: the unit's name */

	uint64_t timeout_start_usec, timeout_stop_usec; /* USEC_INFINITY: none */
	struct unit_exit_set *success, *restart_prevent, *restart_force; /* NULL: empty */

	enum unit_service_type type;
	enum unit_notify_access notify_access;
	enum unit_output standard_output, standard_error;
	enum unit_kill_mode kill_mode;
	enum unit_keyring_mode keyring_mode;
	int kill_signal, restart_kill_signal, final_kill_signal;
	mode_t umask;
	int nice;
	bool nice_set;
	bool remain_after_exit;
	bool guess_main_pid;
	bool working_directory_optional;
	bool no_new_privileges;
	bool ignore_sigpipe;
	bool input_null; /* always true today */
	bool send_sighup, send_sigkill;
};

struct unit_native {
	char *module; /* file name within the module path */
	struct strv arguments; /* key=value */
};

struct unit_supervisor {
	enum unit_strategy strategy;
	enum unit_order order;
	uint32_t intensity;
	uint64_t period_usec;
};

struct unit {
	char *name; /* "db", or "worker@3" */
	char *instance; /* "3"; NULL: no instance */
	char *description; /* NULL: none */
	enum unit_kind kind;
	uint32_t index; /* in the set */
	struct strv files; /* the file and its drop-ins, in the order read; paths as found
			    */
	struct strv documentation;

	/* [Actor], and [Supervisor] for supervisors */
	const char *supervisor; /* resolved: its name; NULL: the root */
	struct strv children; /* supervisors: resolved, in start order */
	struct strv after, before; /* as written */
	enum unit_restart restart;
	uint64_t shutdown_usec; /* Shutdown=; USEC_INFINITY: the kind's own ladder decides
				 */
	uint64_t restart_usec; /* RestartSec=: first delay; 0: none */
	uint32_t restart_steps; /* RestartSteps= */
	uint64_t restart_max_delay_usec; /* RestartMaxDelaySec=; 0: as restart_usec */
	uint32_t restart_jitter_percent; /* RestartJitter= */
	bool is_packed; /* all of it is one block of memory: see unit/pack.h */
	uint64_t restart_reset_usec; /* RestartResetSec=: a run this long starts over; 0:
					the supervisor's period */

	char *policy; /* [Security] Policy=; NULL: none */

	/* Only the member of its kind is allocated: never copy a unit by value. */
	union {
		struct unit_service service;
		struct unit_native native;
		struct unit_supervisor supervising;
	};
};

/* A unit that has files and is not in the set. */
struct unit_refusal {
	char *name;
	char *supervisor; /* in whose Children= it stands and who does without it; NULL:
			     none */
	char *why; /* its first mistake: "FILE:LINE: error CODE: text (remedy)" */
};

struct unit_refusals {
	struct unit_refusal *items;
	uint32_t count, capacity;
};

struct unit_snapshot;
struct unit_programs;

/* What parsing depends on beside the text of the files. */
struct unit_context {
	const char *runtime_dir; /* %t: "/run" or the user's runtime folder */
	const char *state_dir; /* %S */
	const char *cache_dir, *logs_dir, *config_dir; /* %C %L %E */
	const char *home, *user, *group,
			*shell; /* %h %u %g %s: of the user who runs airssysd */
	uid_t uid;
	gid_t gid;
	const char *machine_id, *boot_id, *host_name; /* %m %b %H; may be NULL */
	/* Where the programs of command lines are found, and who is told which are not.
	 * NULL: their names stay as they are written, and none is missed. */
	struct unit_programs *programs;
	/* Whether there is a policy of this name: 0, or -ENOENT; -ENOMEM. NULL: none is
	 * missed. Asked through programs, once for each name. */
	int (*find_policy)(void *data, const char *name);
	void *policy_data;
};

/* No unit: where an index is asked for, and as the supervisor of who has none. */
#define UNIT_NONE UINT32_MAX

struct unit_entry;
struct unit_store;

struct unit_set {
	uint32_t references;
	uint32_t count; /* units are known by their index, 0 to count - 1 */
	enum unit_order root_order; /* ordered when After= or Before= stands between the
				       root's children */
	uint64_t stop_usec; /* TimeoutStopSec= of all services together */
	struct unit_refusals refusals; /* in no order */

	/* Of unit/set.c. */
	struct unit_entry *entries;
	uint32_t n_root_children;
	uint32_t *slots; /* by the name: 1 + index; 0: free */
	char *names;
	struct unit_store *store;
	struct unit_context context;
	char *context_texts;
	struct unit_programs *programs; /* what the first parsing found; NULL: nothing */
	struct unit *prototypes[UNIT_KIND_COUNT];
	uint64_t ground; /* of the context and the programs: what a unit's text depends on
			  */
};

/* Fill a context from the system; strings are borrowed from static storage. runtime_dir
 * NULL: by the uid. */
MUST_CHECK int unit_context_init(struct unit_context *context, const char *runtime_dir);

/*
 * Parse every file of a snapshot, resolve membership and order, find cycles. Units with
 * errors are left out and told in diag; the rest is in the set, which lives on without the
 * snapshot. Returns 0, -ENOMEM, or a shortage of descriptors.
 */
MUST_CHECK int unit_set_parse(struct unit_snapshot *snapshot,
		const struct unit_context *context, struct diag *diag,
		struct unit_set **ret_set);

/* The index of a unit, UNIT_NONE when it is absent. A template instance that no file names
 * ("worker@7" of worker@.actor) is absent. */
uint32_t unit_set_find(const struct unit_set *set, const char *name);

/* What is known without a look into the files. Names live as long as the set. */
const char *unit_set_name(const struct unit_set *set, uint32_t index);
enum unit_kind unit_set_kind(const struct unit_set *set, uint32_t index);
uint32_t unit_set_supervisor(const struct unit_set *set, uint32_t index);

/* Siblings have indices that follow each other, in the order in which they start. */
struct unit_range {
	uint32_t first, count;
};
/* UNIT_NONE: of the root. */
struct unit_range unit_set_children(const struct unit_set *set, uint32_t index);

/*
 * Make a unit with all its settings, as the parsing judged them: defaults and programs are
 * in, the supervisor, the children and their order are resolved. The caller owns it
 * (unit_free); nothing of it is the set's. -ENOENT for UNIT_NONE, -ENOMEM; anything else
 * is a fault of the memory file.
 *
 * It takes some microseconds: open it for the work in hand, and keep none.
 */
MUST_CHECK int unit_set_open(
		const struct unit_set *set, uint32_t index, struct unit **ret_unit);

/* One that can be kept beside the other. -ENOMEM. */
MUST_CHECK int unit_copy(const struct unit *unit, struct unit **ret_copy);

/*
 * A set may have several users within one thread: each holds a reference (not atomic).
 * unit_set_free is unit_set_unref; both accept NULL.
 */
struct unit_set *unit_set_ref(struct unit_set *set);
void unit_set_unref(struct unit_set *set);
void unit_set_free(struct unit_set *set);
DEFINE_AUTO(unit_set, unit_set_free);

/* Why there is no unit of this name although it has files; NULL: there is one, or it has
 * none. */
const char *unit_refusals_find(const struct unit_refusals *refusals, const char *name);
/* Texts are copied; supervisor may be NULL. -ENOMEM. */
MUST_CHECK int unit_refusals_add(struct unit_refusals *refusals, const char *name,
		const char *supervisor, const char *why);
void unit_refusals_fini(struct unit_refusals *refusals);

/* Whether an end (CLD_EXITED, CLD_KILLED, CLD_DUMPED and its status) is in a set; NULL is
 * the empty set. */
bool unit_exit_set_contains(const struct unit_exit_set *set, int code, int status);

/* NULL is accepted. */
void unit_free(struct unit *unit);
DEFINE_AUTO(unit, unit_free);

const char *unit_kind_name(enum unit_kind kind); /* "supervisor", "service", "native" */
const char *unit_strategy_name(enum unit_strategy strategy); /* "one-for-one" … */
const char *unit_restart_name(enum unit_restart restart);
const char *unit_command_kind_name(enum unit_command_kind kind); /* "ExecStartPre" … */

/* Whether two units have the same settings, so that a reload need not touch a running
 * one. The place among its siblings is no setting. */
bool unit_equals(const struct unit *a, const struct unit *b);

enum unit_change {
	UNIT_UNCHANGED,
	UNIT_CHANGED_LIVE, /* what changed applies without a restart */
	UNIT_CHANGED_RESTART, /* something applies at the next start only */
};
/* What unit_equals asks, with the answer that a reload needs. */
enum unit_change unit_compare(const struct unit *a, const struct unit *b);

/*
 * The same of units of two sets, which are opened only when their files are not the very
 * same. -ENOENT when one is UNIT_NONE; else as unit_set_open.
 */
MUST_CHECK int unit_set_compare(const struct unit_set *a, uint32_t index_a,
		const struct unit_set *b, uint32_t index_b, enum unit_change *ret_change);

/*
 * Every setting as it applies, in the form of the file: one "Key=value" per line and list
 * element, in the order of the options table. For "show" and for unit_equals.
 */
void unit_dump(const struct unit *unit, struct text *t);

#endif
