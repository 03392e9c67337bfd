/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_MESSAGE_H
#define AIRSSYS_MESSAGE_H

/*
 * Messages: what a handler receives, and how messages are sent.
 *
 * Signals and messages from one actor to another arrive in the order in which they were
 * sent. Payloads are copied into the message (airs_send) or moved by reference
 * (airs_send_moved).
 */

#include <airssys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Types below AIRS_MSG_USER are the runtime's; an application numbers its own from
 * there.
 */
enum airs_message_type {
	AIRS_MSG_EXIT = 1, /* trapped exit signal: from, data is struct airs_reason */
	/*
	 * a monitor fired: from, ref, data is struct airs_reason; or a child of
	 * AIRS_SPAWN_CHILD has ended: ref is 0, value its tag
	 */
	AIRS_MSG_DOWN,
	AIRS_MSG_REPLY, /* a call ended: ref, status, data is the reply's payload */
	AIRS_MSG_TIMER, /* a timer expired: ref, value */
	/* a watched descriptor is ready: ref, value is the EPOLL… mask */
	AIRS_MSG_FD,
	/*
	 * AIRS_SPAWN_ACK: from; status 0, 2 (ignore) or a negative errno; data is
	 * struct airs_reason when it failed; value is the tag of AIRS_SPAWN_CHILD
	 */
	AIRS_MSG_STARTED,
	AIRS_MSG_SUPERVISOR, /* see supervisor.h */
	AIRS_MSG_CONTINUE, /* airs_continue: value */
	AIRS_MSG_TIMEOUT, /* airs_idle_timeout: no message has come */
	AIRS_MSG_EVENT, /* see event.h */
	AIRS_MSG_USER = 1024,
};

/* Valid, with its payload, until the handler returns. */
struct airs_message {
	airs_pid from; /* AIRS_PID_NONE when sent from outside of any actor */
	uint32_t type; /* enum airs_message_type or the application's */
	int32_t status; /* AIRS_MSG_REPLY and AIRS_MSG_STARTED */
	airs_ref ref; /* not 0 in a request: it wants a reply */
	uint64_t value; /* AIRS_MSG_TIMER, _FD, _STARTED, _DOWN and _CONTINUE */
	void *data; /* NULL when size is 0 */
	size_t size;
};

/*
 * Send a message.
 *
 *   type    at least AIRS_MSG_USER, or AIRS_MSG_SUPERVISOR or AIRS_MSG_EVENT (requests to
 *           supervisors and event managers, and what these tell)
 *   data    size bytes, copied; may be NULL when size is 0
 *
 * Returns 0 when it is queued or the target is dead (a dead target swallows messages, as
 * in OTP).
 *   -EINVAL another type below AIRS_MSG_USER, or size over 64 MiB
 *   -EAGAIN the mailbox is full
 *   -ENOMEM
 * Threads: inside an actor. Blocks: never.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_send(struct airs_actor *self, airs_pid to,
		uint32_t type, const void *data, size_t size);

/* Memory that changes hands: size bytes at data, released by free_data (may be NULL). */
struct airs_payload {
	void *data;
	size_t size;
	void (*free_data)(void *data);
};

/*
 * Send without copying: the payload is handed over in every case, and its free_data is
 * called after the receiver's handler, or before this returns when it fails. Errors as
 * airs_send.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_send_moved(struct airs_actor *self, airs_pid to,
		uint32_t type, struct airs_payload payload);

/* airs_send from outside of any actor. Threads: any. */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_system_send(struct airs_system *system, airs_pid to,
		uint32_t type, const void *data, size_t size);

/*
 * What is asked, of whom, and for how long. Fields left out are 0.
 *
 *   type          as airs_send
 *   data, size    copied; with free_data they are handed over as by airs_send_moved
 *   timeout_usec  microseconds from now, AIRS_INFINITY for none
 */
struct airs_request {
	airs_pid to;
	uint32_t type;
	const void *data;
	size_t size;
	void (*free_data)(void *data);
	uint64_t timeout_usec;
};

/*
 * Ask another actor and go on; exactly one AIRS_MSG_REPLY with *ret_call as its ref
 * follows:
 *   status as given to airs_reply, with its payload;
 *   -ETIMEDOUT when timeout_usec passed: a reply that comes later is dropped, never
 *   delivered;
 *   -ESRCH when the target is not there or ended before it replied; data is then its
 *   struct airs_reason.
 * request is borrowed until this returns. Errors as airs_send; then no reply follows.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_call(struct airs_actor *self,
		const struct airs_request *request, airs_ref *ret_call);

/* Give up a call: its reply, or its failure, is never delivered. */
AIRS_PUBLIC void airs_call_cancel(struct airs_actor *self, airs_ref call);

/*
 * Ask an actor from a thread outside of the system and wait.
 *
 * ret_data (may be NULL) receives heap memory that the caller frees, NULL when the reply
 * was empty.
 * Returns the reply's status, -ETIMEDOUT, -ESRCH, or an error of airs_send.
 * Threads: any that is not a worker. Blocks: until the reply or the timeout.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_system_call(struct airs_system *system,
		const struct airs_request *request, void **ret_data, size_t *ret_size);

/* The return address of a request, to answer it after its handler has returned. */
struct airs_from {
	airs_pid pid;
	airs_ref ref;
};
static inline struct airs_from airs_message_from(const struct airs_message *request)
{
	struct airs_from from = { request->from, request->ref };

	return from;
}

/*
 * Answer a request. status: 0 or negative errno, or a number of the application's. The
 * payload is copied. A second answer, one to a request without ref, and one whose caller
 * has given up are dropped. Replies are not refused by a full mailbox. -ENOMEM.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_reply(struct airs_actor *self, struct airs_from to,
		int32_t status, const void *data, size_t size);

/*
 * One AIRS_MSG_TIMER to the caller after delay_usec, never early. value comes back in the
 * message.
 * -ENOMEM.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_timer_start(struct airs_actor *self,
		uint64_t delay_usec, uint64_t value, airs_ref *ret_timer);
/*
 * The same again and again: every interval_usec (not 0) after the first time, until it is
 * cancelled. Ticks do not drift; those that could not be handled in time are left out,
 * so that at most one waits in the mailbox.
 * -EINVAL, -ENOMEM; a tick needs no memory.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_timer_start_interval(struct airs_actor *self,
		uint64_t delay_usec, uint64_t interval_usec, uint64_t value,
		airs_ref *ret_timer);
/*
 * How long until it expires (next), in microseconds; 0 when its message waits in the
 * mailbox. -ENOENT when its message was delivered, it was cancelled, or it never existed.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_timer_read(
		struct airs_actor *self, airs_ref timer, uint64_t *ret_left_usec);
/*
 * One AIRS_MSG_TIMEOUT when nothing else was delivered for delay_usec from now on (the
 * timeout of OTP's gen_server). Any message takes it back, also one that waits in the
 * mailbox already; it is not set again by itself. There is one for each actor: a second
 * call sets it anew, AIRS_INFINITY takes it back. -ENOMEM, and then there is none.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_idle_timeout(
		struct airs_actor *self, uint64_t delay_usec);
/*
 * Go on after this handler (or init) and before any other message, with AIRS_MSG_CONTINUE
 * that carries value (OTP's continue): for work that must come first but need not keep
 * the spawner, or a caller, waiting. Its handler may call this again. Of two calls in one
 * handler the last one counts; when the handler ends the actor there is none.
 */
AIRS_PUBLIC void airs_continue(struct airs_actor *self, uint64_t value);
/*
 * Cancel a timer: no message of it arrives afterwards, also when it has expired and its
 * message waits in the mailbox. 0, or -ENOENT when its message was delivered, it was
 * cancelled before, or it never existed.
 */
AIRS_PUBLIC int airs_timer_cancel(struct airs_actor *self, airs_ref timer);

/*
 * Watch a descriptor: one AIRS_MSG_FD when one of events (EPOLLIN, EPOLLOUT, EPOLLPRI;
 * EPOLLERR and EPOLLHUP always) holds. The watch then rests until airs_fd_rearm. The
 * descriptor stays the caller's, who removes the watch before closing it. At the actor's
 * end its watches are removed.
 *   -EEXIST the descriptor is watched already; -EPERM it cannot be watched; -EBADF;
 *   -ENOMEM; -ENOSPC
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_fd_watch(
		struct airs_actor *self, int fd, uint32_t events, airs_ref *ret_watch);
/* -ENOENT when there is no such watch of the caller. */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_fd_rearm(
		struct airs_actor *self, airs_ref watch, uint32_t events);
/* A message of the watch that is already in the mailbox is removed. */
AIRS_PUBLIC void airs_fd_unwatch(struct airs_actor *self, airs_ref watch);

#ifdef __cplusplus
}
#endif

#endif
