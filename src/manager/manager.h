/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_MANAGER_H
#define MANAGER_MANAGER_H

/*
 * The manager: the actor that knows all units. It is told by the keeper what to run,
 * starts the root supervisor over it, keeps the registry from what supervisors and
 * services say, and carries out the requests of the bus.
 *
 *   manager.c          life: configuration, adoption, the tree's start and stop, dispatch
 * of messages manager-request.c  requests of the bus and of modules job.c requests that
 * take time, as chains of calls to supervisors and services reload.c           new
 * settings into the running tree answer.c           the registry as answers on the bus
 *
 * Everything here runs in the manager's handlers, on the main pool.
 */

#include <stdbool.h>
#include <stdint.h>

#include "airssys/actor.h"
#include "airssys/system.h"
#include "base/diag.h"
#include "base/list.h"
#include "host/activity.h"
#include "manager/registry.h"
#include "manager/request.h"
#include "manager/tree.h"
#include "service/link.h"
#include "service/service.h"

extern const struct airs_behaviour manager_behaviour;

/* What outlives the manager's actor because others may still ask for it; owned by main,
 * one per system. */
struct manager_home {
	struct service_context service; /* its directory by manager_home_init */
	struct registry *registry; /* NULL: the manager has ended */
	char *runtime_dir; /* NULL before the first configuration */
	struct airs_pool *main_pool;
	int control_fd; /* the listening socket; -1 before the first configuration */
	int exit_status; /* of the process, when the manager ended it */
};
void manager_home_init(struct manager_home *home);
void manager_home_fini(struct manager_home *home);

/* args of manager_behaviour: a struct manager_home *. The manager waits for a link that
 * names it (link_args.manager). */

enum manager_phase {
	MANAGER_WAITING, /* for the first configuration */
	MANAGER_ADOPTING, /* for ADOPTED */
	MANAGER_STARTING, /* the root's start handshake is not over */
	MANAGER_UP,
	MANAGER_STOPPING, /* the tree */
	MANAGER_DOWN, /* the keeper was told */
};

struct manager {
	struct airs_actor *self; /* valid in the handler that is running */
	struct manager_home *home;
	enum manager_phase phase;
	airs_pid link, bus, activity, root;
	airs_ref bus_monitor;
	struct registry registry;
	struct tree_context context;
	struct diag diag; /* of the last load */
	struct unit_refusals refusals; /* of the last load; a unit may have settings all
					  the same, those of an earlier one */
	int snapshot_fd; /* of the last load: the files' text, for GetFiles */
	char *cgroup; /* of the instance; NULL: none */
	char *journal_socket; /* NULL: none */
	struct strv strangers; /* units with processes that no file names, until ADOPTED */
	uint32_t core_restarts;
	uid_t owner_uid;
	airs_ref reload_call; /* 0: none under way */
	bool reload_again; /* somebody asked while one was */
	struct list reload_waiters; /* [struct waiting_request.link] */
	struct list jobs; /* [struct job.link] */
	struct map jobs_by_call; /* → struct job */
	uint64_t last_job_id;
	uint32_t n_inherited; /* records that are */
	struct registry_counts told; /* the last that the keeper heard */
	bool tells_soon; /* a timer runs after which it hears the next */
};

/* manager.c */
/* Stop the tree in order; the keeper is told when it is down. */
void manager_shut_down(struct manager *m);
/* Parse the snapshot with the context of this instance; diagnostics replace m->diag.
 * Takes fd in every case. */
MUST_CHECK int manager_parse(struct manager *m, int fd, struct unit_set **ret_set);
/* Send an answered request back to its connection. Consumes it. */
void manager_answer(struct manager *m, struct request *request);
/* An actor has told of the processes that an earlier core left, or never will. */
void manager_end_inheritance(struct manager *m, struct record *record);
/* What the keeper says of the tree to the manager above may have changed. */
void manager_tell_counts(struct manager *m);
/* The note of a unit may have to be written or removed. */
void manager_keep_note(struct manager *m, struct record *record);
/* Where the children of a record are supervised, or where it is: AIRS_PID_NONE when that
 * supervisor does not run. */
airs_pid manager_supervisor_of(const struct manager *m, const struct record *record);

/* manager-request.c; consumes the request. */
void manager_serve(struct manager *m, struct request *request);
void manager_serve_module(struct manager *m, const struct airs_message *message);

/* answer.c; each gives the request its answer. */
void answer_list(struct manager *m, struct request *request);
void answer_unit(struct manager *m, struct request *request, const struct record *record);
void answer_files(
		struct manager *m, struct request *request, const struct record *record);
void answer_diagnostics(struct manager *m, struct request *request);

/* reload.c; consumes the request, which may be NULL: nobody waits. */
void reload_begin(struct manager *m, struct request *request);
/* The configuration of a reload. Takes fd in every case. */
void reload_apply(struct manager *m, int snapshot_fd);
/* The reload's call ended: answer who waits. */
void reload_finish(struct manager *m, int status);
/* Frees them without an answer. */
void reload_free_waiters(struct manager *m);

#endif
