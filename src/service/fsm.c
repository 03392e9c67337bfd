/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Why the cells are what they are, where it is not plain:
 *
 *   ENDED in START_POST and RELOAD is kept: a command is running for the service; SETTLE,
 * when it is done, sees that the main process is gone. So at most one command runs at any
 * time. STOP during a start or a reload skips ExecStop=, which expects a service that
 * runs; it does so too when the start fails or times out (systemd). ExecStop= runs also
 * when the service ended by itself (systemd): it may have to clean up. STOP in a stop is
 * kept: the ladder has begun and its deadlines hold. GONE in RUNNING cannot be raised: a
 * service whose main process is unknown ends by ENDED.
 */

#include "service/fsm.h"

#include "base/assert.h"
#include "base/macro.h"

/* clang-format off */
#define S(state)     [FSM_##state]
#define T(next, act) { FSM_##next, FSM_ACTION_##act }
#define KEEP         { FSM_KEEP, FSM_ACTION_NONE }
#define TERM         T(STOP_SIGTERM, TERMINATE)

static const struct fsm_step table[FSM_STATE_COUNT][FSM_EVENT_COUNT] = {
/*                    READY               DONE                   FAIL                  ENDED                */
/*                    REMAIN           GONE                TIMEOUT                     STOP                   RELOAD */
S(WAIT)         = {   KEEP,               KEEP,                  T(DEAD, FINISH),      KEEP,
                      KEEP,            KEEP,               T(DEAD, FINISH),            T(DEAD, FINISH),       KEEP },
S(CLEAR)        = {   KEEP,               KEEP,                  KEEP,                 T(KEEP, KILL_REST),
                      KEEP,            T(START_PRE, RUN),  T(CLEAR_KILL, KILL),        TERM,                  KEEP },
S(CLEAR_KILL)   = {   KEEP,               KEEP,                  KEEP,                 T(KEEP, KILL_REST),
                      KEEP,            T(START_PRE, RUN),  T(STOP_POST, GIVE_UP),      T(STOP_SIGKILL, KILL), KEEP },
S(START_PRE)    = {   KEEP,               T(START, START_MAIN),  TERM,                 KEEP,
                      KEEP,            KEEP,               TERM,                       TERM,                  KEEP },
S(START)        = {   T(START_POST, RUN), KEEP,                  TERM,                 TERM,
                      KEEP,            KEEP,               TERM,                       TERM,                  KEEP },
S(START_POST)   = {   KEEP,               T(RUNNING, SETTLE),    T(STOP, RUN),         KEEP,
                      KEEP,            KEEP,               TERM,                       TERM,                  KEEP },
S(RUNNING)      = {   KEEP,               KEEP,                  KEEP,                 T(STOP, RUN),
                      T(EXITED, NONE), KEEP,               TERM,                       T(STOP, RUN),          T(RELOAD, RUN) },
S(RELOAD)       = {   KEEP,               T(RUNNING, SETTLE),    T(RUNNING, SETTLE),   KEEP,
                      KEEP,            KEEP,               T(RUNNING, ABORT_RELOAD),   TERM,                  KEEP },
S(EXITED)       = {   KEEP,               KEEP,                  KEEP,                 KEEP,
                      KEEP,            KEEP,               KEEP,                       T(STOP, RUN),          T(RELOAD, RUN) },
S(STOP)         = {   KEEP,               TERM,                  TERM,                 KEEP,
                      KEEP,            KEEP,               TERM,                       KEEP,                  KEEP },
S(STOP_SIGTERM) = {   KEEP,               KEEP,                  KEEP,                 T(KEEP, KILL_REST),
                      KEEP,            T(STOP_POST, RUN),  T(STOP_SIGKILL, KILL),      KEEP,                  KEEP },
S(STOP_SIGKILL) = {   KEEP,               KEEP,                  KEEP,                 T(KEEP, KILL_REST),
                      KEEP,            T(STOP_POST, RUN),  T(STOP_POST, GIVE_UP),      KEEP,                  KEEP },
S(STOP_POST)    = {   KEEP,               T(FINAL, SWEEP),       T(FINAL, SWEEP),      KEEP,
                      KEEP,            KEEP,               T(FINAL, SWEEP),            KEEP,                  KEEP },
S(FINAL)        = {   KEEP,               KEEP,                  KEEP,                 KEEP,
                      KEEP,            T(DEAD, FINISH),    T(DEAD, FINISH),            KEEP,                  KEEP },
S(DEAD)         = {   KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP },
};

#define B(beginning) [FSM_BEGIN_##beginning]

static const struct fsm_step beginnings[FSM_BEGIN_COUNT] = {
B(FRESH)     = T(START_PRE, RUN),
B(LEFTOVERS) = T(CLEAR, TERMINATE),
B(STARTING)  = T(START, AWAIT),
B(RUNNING)   = T(RUNNING, SETTLE),
B(FAILING)   = T(STOP_SIGTERM, TERMINATE),
B(OVER)      = T(DEAD, FINISH),
};

/* What exists while a state lasts. */
static const struct { enum fsm_timer timer; bool awaits_end; } needs[FSM_STATE_COUNT] = {
S(WAIT)         = { FSM_TIMER_START,    false },
S(CLEAR)        = { FSM_TIMER_STOP,     true  },
S(CLEAR_KILL)   = { FSM_TIMER_STOP,     true  },
S(START_PRE)    = { FSM_TIMER_START,    false },
S(START)        = { FSM_TIMER_START,    false },
S(START_POST)   = { FSM_TIMER_START,    false },
S(RUNNING)      = { FSM_TIMER_WATCHDOG, false },
S(RELOAD)       = { FSM_TIMER_START,    false },
S(EXITED)       = { FSM_TIMER_NONE,     false },
S(STOP)         = { FSM_TIMER_STOP,     false },
S(STOP_SIGTERM) = { FSM_TIMER_STOP,     true  },
S(STOP_SIGKILL) = { FSM_TIMER_STOP,     true  },
S(STOP_POST)    = { FSM_TIMER_STOP,     false },
S(FINAL)        = { FSM_TIMER_STOP,     true  },
S(DEAD)         = { FSM_TIMER_NONE,     false },
};
/* clang-format on */

struct fsm_step fsm_step(enum fsm_state state, enum fsm_event event)
{
	bug_unless(state < FSM_STATE_COUNT && event < FSM_EVENT_COUNT);
	return table[state][event];
}

struct fsm_step fsm_begin(enum fsm_beginning beginning)
{
	bug_unless(beginning < FSM_BEGIN_COUNT);
	return beginnings[beginning];
}

enum fsm_timer fsm_timer(enum fsm_state state)
{
	bug_unless(state < FSM_STATE_COUNT);
	return needs[state].timer;
}

bool fsm_awaits_end(enum fsm_state state)
{
	bug_unless(state < FSM_STATE_COUNT);
	return needs[state].awaits_end;
}

static const struct {
	const char *name, *substate, *shown;
} states[] = {
#define STATE_NAMES(name, substate, shown) { #name, substate, shown },
	FSM_STATES(STATE_NAMES)
};

const char *fsm_state_name(enum fsm_state state)
{
	bug_unless(state < FSM_STATE_COUNT);
	return states[state].name;
}

const char *fsm_substate(enum fsm_state state)
{
	bug_unless(state < FSM_STATE_COUNT);
	return states[state].substate;
}

const char *fsm_public_state(enum fsm_state state)
{
	bug_unless(state < FSM_STATE_COUNT);
	return states[state].shown;
}

#define NAME(name) #name,

const char *fsm_event_name(enum fsm_event event)
{
	static const char *const names[] = { FSM_EVENTS(NAME) };

	bug_unless(event < FSM_EVENT_COUNT);
	return names[event];
}

const char *fsm_action_name(enum fsm_action action)
{
	static const char *const names[] = { FSM_ACTIONS(NAME) };

	bug_unless(action < FSM_ACTION_COUNT);
	return names[action];
}
