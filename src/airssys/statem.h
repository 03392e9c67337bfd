/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_STATEM_H
#define AIRSSYS_STATEM_H

/*
 * State machines: an actor's handler as one function for each state, with postponed and
 * inserted events, timeouts of a state, of an event and by name, and calls on entering a
 * state.
 *
 * A machine lies in the state of its actor, whose init, handle and release call
 * airs_statem_begin, airs_statem_handle and airs_statem_fini. Its functions are for the
 * functions of its states, inside its actor, and never block.
 *
 * Source of the rules: Erlang/OTP, stdlib gen_statem (mode state_functions). After each
 * event: replies have gone already; if the state has changed, or is repeated, its enter
 * call is made; if it has changed, postponed events come back, the oldest first; before
 * them come inserted ones, in the order of their insertion; then timeouts of 0; then the
 * mailbox.
 */

#include <airssys/actor.h>
#include <airssys/message.h>
#include <airssys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum airs_statem_kind {
	AIRS_STATEM_ENTER, /* this state was entered; state: the one before */
	/* message: a request, see message.h; a message; one of the runtime's types */
	AIRS_STATEM_CALL,
	AIRS_STATEM_CAST,
	AIRS_STATEM_INFO,
	AIRS_STATEM_INTERNAL, /* airs_statem_insert: type, data, size of message */
	AIRS_STATEM_STATE_TIMEOUT, /* of the timeouts, value is that of message */
	AIRS_STATEM_EVENT_TIMEOUT,
	AIRS_STATEM_TIMEOUT, /* name */
};

/* Valid until the function returns. */
struct airs_statem_event {
	enum airs_statem_kind kind;
	uint32_t state; /* AIRS_STATEM_ENTER */
	uint32_t name; /* AIRS_STATEM_TIMEOUT */
	const struct airs_message *message; /* NULL in AIRS_STATEM_ENTER */
};

struct airs_statem;

/*
 * One state. data is as given to airs_statem_begin. Returns as the handle of a behaviour:
 * 0, a negative errno, or airs_exit.
 */
typedef int airs_statem_fn(struct airs_actor *self, struct airs_statem *machine,
		void *data, const struct airs_statem_event *event);

#define AIRS_STATEM_ENTERS 1u /* calls on entering a state are wanted */

/* Static storage: the machine keeps the pointer. */
struct airs_statem_table {
	size_t size; /* sizeof(struct airs_statem_table) */
	airs_statem_fn *const *states; /* by number */
	uint32_t n_states;
	unsigned int flags; /* AIRS_STATEM_… */
};

/* Zeroed is a machine that has not begun. Its fields are its own. */
struct airs_statem {
	const struct airs_statem_table *table;
	void *data;
	struct airs_actor *self;
	uint32_t state, next;
	unsigned int flags;
	struct airs_statem_item *queue; /* inserted, and come back */
	struct airs_statem_item *inserted, *inserted_end; /* by the event under way */
	struct airs_statem_item *postponed, *postponed_end;
	struct airs_statem_timer *timers;
};

/*
 * From init: enter this state. Returns what init should return (its enter call may end the
 * actor). -EINVAL for a table of wrong size or a state that is not in it.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_statem_begin(struct airs_statem *machine,
		struct airs_actor *self, const struct airs_statem_table *table,
		uint32_t state, void *data);
/*
 * From handle: a message, and all events that follow from it. Returns what handle should
 * return; -ENOMEM ends the actor when an event cannot be kept. self is the actor, which
 * is not the same pointer for ever.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_statem_handle(struct airs_statem *machine,
		struct airs_actor *self, const struct airs_message *message);
/* From release: frees the events that are kept. */
AIRS_PUBLIC void airs_statem_fini(struct airs_statem *machine);

/* The number of the present state; of the next one once it was chosen. */
AIRS_PUBLIC uint32_t airs_statem_get_state(const struct airs_statem *machine);

/*
 * Choose the next state, which takes effect when the function returns. The present one is
 * no change: postponed events stay, no enter call is made. Of several calls the last one
 * counts. Not from an enter call: -EINVAL, as for a number that is not in the table.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_statem_next(
		struct airs_statem *machine, uint32_t state);
/* Make the enter call of the present state again. Not from an enter call: -EINVAL. */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_statem_repeat(struct airs_statem *machine);
/*
 * Keep the event under way until the state has changed. The payload's bytes are copied; a
 * request stays open. Not from an enter call: -EINVAL.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_statem_postpone(struct airs_statem *machine);
/* Insert an event AIRS_STATEM_INTERNAL; size bytes are copied. -ENOMEM. */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_statem_insert(struct airs_statem *machine,
		uint32_t type, const void *data, size_t size);

/*
 * Timeouts, in microseconds from now; AIRS_INFINITY takes one back, and setting one again
 * replaces it. value comes back in the message of its event. 0 comes before the mailbox.
 *
 *   state     until the state changes; set by the event that changes it, it is the new
 *             state's
 *   event     until the next event, whatever it is
 *   by name   until it comes or is taken back
 *
 * -ENOMEM, and then there is none.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_statem_state_timeout(
		struct airs_statem *machine, uint64_t delay_usec, uint64_t value);
AIRS_PUBLIC AIRS_MUST_CHECK int airs_statem_event_timeout(
		struct airs_statem *machine, uint64_t delay_usec, uint64_t value);
AIRS_PUBLIC AIRS_MUST_CHECK int airs_statem_timeout(struct airs_statem *machine,
		uint32_t name, uint64_t delay_usec, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
