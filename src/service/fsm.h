/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_FSM_H
#define SERVICE_FSM_H

/*
 * The life of a service as one table: states × events → next state and action. Nothing
 * here has state or effects; the service actor steps through it (service.c).
 *
 *              CLEAR, CLEAR_KILL   leftovers of a start or stop that an earlier core did
 * not finish │ WAIT ───────────► START_PRE ──► START ──► START_POST ──► RUNNING ◄──►
 * RELOAD (nothing known yet)   │           │           │             │  └──► EXITED
 * (RemainAfterExit=) │           │           │             ▼          │ │           │
 * └───────────► STOP ◄─────┘   ExecStop= ▼           ▼                          ▼
 *                         └───────────┴──────────────────► STOP_SIGTERM KillSignal= │
 * TimeoutStopSec= ▼ STOP_SIGKILL        FinalKillSignal= ▼ STOP_POST ExecStopPost= ▼
 *                                                              FINAL           what that
 * left behind ▼ DEAD            the actor ends
 *
 * Every state in which something is waited for has a timer, except RUNNING and EXITED; so
 * whatever happens, STOP and then enough TIMEOUTs lead to DEAD.
 */

#include <stdbool.h>

/* STATE(name, substate, public state) */
#define FSM_STATES(STATE)                                                                \
	STATE(WAIT, "waiting", "starting")                                               \
	STATE(CLEAR, "clear-sigterm", "starting")                                        \
	STATE(CLEAR_KILL, "clear-sigkill", "starting")                                   \
	STATE(START_PRE, "start-pre", "starting")                                        \
	STATE(START, "start", "starting")                                                \
	STATE(START_POST, "start-post", "starting")                                      \
	STATE(RUNNING, "running", "running")                                             \
	STATE(RELOAD, "reload", "reloading")                                             \
	STATE(EXITED, "exited", "exited")                                                \
	STATE(STOP, "stop", "stopping")                                                  \
	STATE(STOP_SIGTERM, "stop-sigterm", "stopping")                                  \
	STATE(STOP_SIGKILL, "stop-sigkill", "stopping")                                  \
	STATE(STOP_POST, "stop-post", "stopping")                                        \
	STATE(FINAL, "final", "stopping")                                                \
	STATE(DEAD, "dead", "stopped")

#define FSM_EVENTS(EVENT)                                                                \
	EVENT(READY) /* ready as the Type= says */                                       \
	EVENT(DONE) /* the commands of this state have all been run */                   \
	EVENT(FAIL) /* one of them failed, or the main process could not be started */   \
	EVENT(ENDED) /* the main process has ended */                                    \
	EVENT(REMAIN) /* it has ended well, and RemainAfterExit= is set */               \
	EVENT(GONE) /* what KillMode= includes is gone */                                \
	EVENT(TIMEOUT) /* of the state; in RUNNING of the watchdog */                    \
	EVENT(STOP) /* asked to stop, or taken for failed */                             \
	EVENT(RELOAD)

/* How the life of an actor begins, decided when the link has said what there is of the
 * unit. */
#define FSM_BEGINNINGS(BEGINNING)                                                        \
	BEGINNING(FRESH) /* nothing: start it */                                         \
	BEGINNING(LEFTOVERS) /* processes of a start or stop that nobody finished */     \
	BEGINNING(STARTING) /* the main process lives but was not ready */               \
	BEGINNING(RUNNING) /* it lives and was ready, or it has ended after that */      \
	BEGINNING(FAILING) /* it was being stopped because it had failed */              \
	BEGINNING(OVER) /* it ended, and is not to be started again */

#define FSM_ACTIONS(ACTION)                                                              \
	ACTION(NONE)                                                                     \
	ACTION(RUN) /* the commands of the new state */                                  \
	ACTION(START_MAIN)                                                               \
	ACTION(AWAIT) /* take up the start of an adopted process */                      \
	ACTION(SETTLE) /* ready: tell, and see whether the main process still lives */   \
	ACTION(ABORT_RELOAD)                                                             \
	ACTION(TERMINATE) /* KillSignal= */                                              \
	ACTION(KILL) /* FinalKillSignal= */                                              \
	ACTION(KILL_REST) /* KillMode=mixed: the main process is gone */                 \
	ACTION(GIVE_UP) /* even that did not help */                                     \
	ACTION(SWEEP) /* kill what ExecStopPost= left behind */                          \
	ACTION(FINISH)

#define FSM_STATE_ITEM(name, substate, shown) FSM_##name,
enum fsm_state { FSM_STATES(FSM_STATE_ITEM) FSM_STATE_COUNT, FSM_KEEP = FSM_STATE_COUNT };
#undef FSM_STATE_ITEM

#define FSM_EVENT_ITEM(name) FSM_EVENT_##name,
enum fsm_event { FSM_EVENTS(FSM_EVENT_ITEM) FSM_EVENT_COUNT };
#undef FSM_EVENT_ITEM

#define FSM_BEGINNING_ITEM(name) FSM_BEGIN_##name,
enum fsm_beginning { FSM_BEGINNINGS(FSM_BEGINNING_ITEM) FSM_BEGIN_COUNT };
#undef FSM_BEGINNING_ITEM

#define FSM_ACTION_ITEM(name) FSM_ACTION_##name,
enum fsm_action { FSM_ACTIONS(FSM_ACTION_ITEM) FSM_ACTION_COUNT };
#undef FSM_ACTION_ITEM

struct fsm_step {
	enum fsm_state next; /* FSM_KEEP: no change */
	enum fsm_action action;
};

enum fsm_timer {
	FSM_TIMER_NONE,
	FSM_TIMER_START, /* TimeoutStartSec= */
	FSM_TIMER_STOP, /* TimeoutStopSec= */
	FSM_TIMER_WATCHDOG, /* WatchdogSec=, begun anew by each WATCHDOG=1 */
};

struct fsm_step fsm_step(enum fsm_state state, enum fsm_event event);
struct fsm_step fsm_begin(enum fsm_beginning beginning);

/* The timer that runs while a state lasts. */
enum fsm_timer fsm_timer(enum fsm_state state);

/* Whether the state lasts until the processes are gone: only there GONE is raised. */
bool fsm_awaits_end(enum fsm_state state);

const char *fsm_state_name(enum fsm_state state); /* "STOP_SIGTERM" */
const char *fsm_substate(enum fsm_state state); /* "stop-sigterm" */
const char *fsm_public_state(enum fsm_state state); /* "stopping" */
const char *fsm_event_name(enum fsm_event event);
const char *fsm_action_name(enum fsm_action action);

#endif
