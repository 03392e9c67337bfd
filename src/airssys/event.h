/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_EVENT_H
#define AIRSSYS_EVENT_H

/*
 * Event managers: an actor that hands each message to handlers which are added and removed
 * while it runs. A handler that fails is removed alone.
 *
 * Source of the rules: Erlang/OTP, stdlib gen_event. An event is any message to the
 * manager (airs_send); one that was sent with airs_call is answered with 0 once all
 * handlers have seen it. Handlers run in the manager, the newest first, and never block.
 */

#include <airssys/actor.h>
#include <airssys/message.h>
#include <airssys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AIRS_EVENT_ID_SIZE 64 /* of a handler's id, with its NUL */
#define AIRS_EVENT_REMOVE  1 /* what handle and ask return for "remove me" */

/*
 * The functions of a handler. Unused ones are NULL. Static storage.
 *
 *   init       0, or a negative errno: it is not added. args are those of airs_event_add,
 *              or, in a swap, the state of the handler before, after its terminate.
 *   handle     an event, or a message of the runtime's types. 0 goes on;
 *              AIRS_EVENT_REMOVE; a negative errno: it has failed, and is removed.
 *   ask        a request for this handler, answered with airs_reply, now or later.
 *              Returns as handle. NULL: such a request is answered with -ENOSYS.
 *   terminate  it is removed, or the manager ends: NORMAL removed on request or by itself,
 *              ERROR failed, else the manager's or the owner's reason. Not after KILL.
 *   release    frees the memory that the state owns, in every case; as in a behaviour.
 */
struct airs_event_handler {
	size_t size; /* sizeof(struct airs_event_handler) */
	size_t state_size;
	int (*init)(struct airs_actor *self, void *state, const void *args,
			size_t args_size);
	int (*handle)(struct airs_actor *self, void *state,
			const struct airs_message *message);
	int (*ask)(struct airs_actor *self, void *state,
			const struct airs_message *request);
	void (*terminate)(struct airs_actor *self, void *state,
			const struct airs_reason *reason);
	void (*release)(void *state);
};

/* To spawn or to supervise one: it takes no arguments. Static storage. Threads: any. */
AIRS_PUBLIC const struct airs_behaviour *airs_event_manager(void);

/*
 * The handler is its adder's: it is removed when that actor ends, and when it goes for
 * another reason, the owner's request apart, that actor gets AIRS_MSG_EVENT with struct
 * airs_event_gone (OTP's supervised handler).
 */
#define AIRS_EVENT_OWNED 1u

struct airs_event_gone {
	char id[AIRS_EVENT_ID_SIZE];
	struct airs_reason reason;
};

/* What is added, under which id. */
struct airs_event_spec {
	size_t size; /* sizeof(struct airs_event_spec) */
	const char *id; /* unique in the manager; copied; 1 … 63 bytes */
	const struct airs_event_handler *handler;
	const void *args; /* copied; not in a swap */
	size_t args_size;
	unsigned int flags; /* AIRS_EVENT_… */
	const char *replaces; /* in a swap: the id of the handler that makes room; else
				 NULL */
};

/*
 * Requests to a manager. Each is an airs_call: exactly one AIRS_MSG_REPLY with *ret_call
 * follows, its status as listed. -EINVAL for a bad id or specification, else errors as
 * airs_call.
 *
 *   add      0, -EEXIST, -ENOMEM, or what its init returned
 *   remove   0, -ENOENT
 *   swap     the handler spec->replaces makes room for this one, which gets its state.
 *            0, -ENOENT (then nothing is added), -EEXIST, -ENOMEM; or what its init
 *            returned, and then both are gone
 *   ask      request, whose data of at most 64 KiB is copied, to one handler: its answer,
 *            -ENOENT, -ENOSYS; -ESRCH when it is removed by this very request, or the
 *            manager ends, without an answer
 *   which    0; payload: the ids, char[AIRS_EVENT_ID_SIZE] each, newest first
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_event_add(struct airs_actor *self, airs_pid manager,
		const struct airs_event_spec *spec, uint64_t timeout_usec,
		airs_ref *ret_call);
AIRS_PUBLIC AIRS_MUST_CHECK int airs_event_remove(struct airs_actor *self,
		airs_pid manager, const char *id, uint64_t timeout_usec,
		airs_ref *ret_call);
AIRS_PUBLIC AIRS_MUST_CHECK int airs_event_swap(struct airs_actor *self, airs_pid manager,
		const struct airs_event_spec *spec, uint64_t timeout_usec,
		airs_ref *ret_call);
/* request->to is the manager; its free_data must be NULL. */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_event_ask(struct airs_actor *self, const char *id,
		const struct airs_request *request, airs_ref *ret_call);
AIRS_PUBLIC AIRS_MUST_CHECK int airs_event_which(struct airs_actor *self,
		airs_pid manager, uint64_t timeout_usec, airs_ref *ret_call);

#ifdef __cplusplus
}
#endif

#endif
