/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_ACTOR_H
#define AIRSSYS_ACTOR_H

/*
 * Actors: what they are made of, how they are started, and what they may do from inside.
 *
 * An actor is a behaviour (a struct of functions), a state of fixed size that the runtime
 * allocates zeroed and frees, and a mailbox. Its functions run one at a time, to
 * completion, on a worker of its pool, and never block. A struct airs_actor * is valid
 * only inside the functions of that actor, on that thread.
 */

#include <airssys/message.h>
#include <airssys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What init may return besides 0 and a negative errno. */
#define AIRS_INIT_LATER 1 /* not started yet: airs_init_done will be called */
#define AIRS_INIT_IGNORE                                                                 \
	2 /* nothing to do: ends with reason normal, start reports "ignore" */

/*
 * The functions of an actor. Unused ones are NULL. Static storage: the runtime keeps the
 * pointer.
 *
 *   init       runs first, in the new actor. 0: started; AIRS_INIT_LATER;
 *              AIRS_INIT_IGNORE; a negative errno (or airs_exit): failed to start, and
 *              the actor ends. args are the spawner's bytes, valid during init only.
 *   handle     one message. 0 goes on; a negative errno ends the actor with reason ERROR
 *              of that code; "return airs_exit(self, &reason)" ends it with that reason.
 *   terminate  runs last, also after a failed init; not after KILL, and not when an
 *              untrapped exit signal ends the actor. What the actor holds in the runtime
 *              is freed without its help.
 *   release    frees the memory that the state owns, after everything else and in every
 *              case: KILL, an untrapped exit signal, airs_system_free, also when init
 *              never ran (the state is then all zero); only when state_size is not 0. It
 *              runs on any thread and may not use the runtime.
 */
struct airs_behaviour {
	size_t size; /* sizeof(struct airs_behaviour) */
	const char *name;
	size_t state_size;
	int (*init)(struct airs_actor *self, void *state, const void *args,
			size_t args_size);
	int (*handle)(struct airs_actor *self, void *state, struct airs_message *message);
	void (*terminate)(struct airs_actor *self, void *state,
			const struct airs_reason *reason);
	void (*release)(void *state);
};

#define AIRS_SPAWN_LINK    1u /* linked to the spawner, atomically */
#define AIRS_SPAWN_MONITOR 2u /* monitored by the spawner: *ret_monitor of the options */
#define AIRS_SPAWN_ACK     4u /* the spawner receives AIRS_MSG_STARTED when init is over */
/*
 * As a supervisor does it: the end of the spawner is an exit signal to the new actor, as
 * if they were linked, but the end of the new actor is an AIRS_MSG_DOWN to the spawner,
 * with ref 0, and no exit signal. Both that and AIRS_MSG_STARTED carry the tag of the
 * options as value. airs_unlink of either side takes the exit signal away. Not together
 * with LINK or MONITOR.
 */
#define AIRS_SPAWN_CHILD 8u

struct airs_spawn_options {
	size_t size; /* sizeof(struct airs_spawn_options) */
	const char *name; /* registered before init runs; copied; NULL: none */
	const void *args; /* copied, unless free_args is set */
	size_t args_size; /* at most 64 KiB when copied */
	/* AIRS_SPAWN_…; all need a spawning actor */
	unsigned int flags;
	struct airs_pool *pool; /* NULL: the spawner's pool, or the default pool */
	/* messages; 0: the system's default; signals do not count */
	size_t mailbox_max;
	airs_ref *ret_monitor; /* written when AIRS_SPAWN_MONITOR is given */
	/*
	 * Not NULL: args are handed over in every case, init gets the same pointer,
	 * and this is called on it after init, before airs_spawn returns an error, or
	 * when the actor ends before init ran.
	 */
	void (*free_args)(void *);
	uint64_t tag; /* of AIRS_SPAWN_CHILD */
};

/*
 * Start an actor.
 *
 * Returns once the actor exists, before its init has run. options may be NULL.
 *   -EINVAL   unknown flag or size
 *   -EEXIST   the name is taken
 *   -EAGAIN   the system holds its maximum of actors
 *   -ENOMEM
 *   -ESHUTDOWN the system is stopping
 * Threads: inside an actor. Blocks: never.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_spawn(struct airs_actor *self,
		const struct airs_behaviour *behaviour,
		const struct airs_spawn_options *options, airs_pid *ret_pid);

/*
 * The same from outside of any actor. Flags give -EINVAL. Threads:
 * any.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_system_spawn(struct airs_system *system,
		const struct airs_behaviour *behaviour,
		const struct airs_spawn_options *options, airs_pid *ret_pid);

AIRS_PUBLIC airs_pid airs_self(const struct airs_actor *self);
AIRS_PUBLIC struct airs_system *airs_actor_system(const struct airs_actor *self);
/* The spawner; AIRS_PID_NONE when spawned from outside. */
AIRS_PUBLIC airs_pid airs_parent(const struct airs_actor *self);

/* Now, on the system's clock (virtual under the seeded scheduler). Microseconds. */
AIRS_PUBLIC uint64_t airs_now(const struct airs_actor *self);
/* 64 random bits; from the seed under the seeded scheduler. */
AIRS_PUBLIC uint64_t airs_random(struct airs_actor *self);

/*
 * End the start handshake of an init that returned AIRS_INIT_LATER: status 0, or a
 * negative errno that also ends the actor after this handler with reason ERROR. A later
 * call does nothing.
 */
AIRS_PUBLIC void airs_init_done(struct airs_actor *self, int status);
/*
 * The same with a reason: the start failed with it, and the actor ends with it after
 * this handler.
 */
AIRS_PUBLIC void airs_init_failed(
		struct airs_actor *self, const struct airs_reason *reason);

/*
 * End the calling actor with this reason once its handler has returned. Use as "return
 * airs_exit(self, &reason);". reason is copied. The first call wins. A reason of class
 * KILL is not KILLED: it spreads over links as KILL, which can be trapped (OTP).
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_exit(
		struct airs_actor *self, const struct airs_reason *reason);

/*
 * Send an exit signal to another actor (OTP's exit/2).
 *
 * KILL ends it with KILLED whatever it traps. Otherwise a trapping actor gets
 * AIRS_MSG_EXIT; one that does not trap ends with the reason, except that NORMAL does
 * nothing to it unless to is the caller itself. Dead targets are ignored.
 */
AIRS_PUBLIC void airs_exit_signal(
		struct airs_actor *self, airs_pid to, const struct airs_reason *reason);
/*
 * The same from outside of any actor; the signal comes from AIRS_PID_NONE. Threads:
 * any.
 */
AIRS_PUBLIC void airs_system_exit_signal(struct airs_system *system, airs_pid to,
		const struct airs_reason *reason);

enum airs_trap {
	AIRS_TRAP_OFF,
	AIRS_TRAP_ON, /* exit signals arrive as AIRS_MSG_EXIT, except KILL */
};
AIRS_PUBLIC void airs_trap_exit(struct airs_actor *self, enum airs_trap trap);

/*
 * Link two actors: when one ends, the other gets an exit signal with its reason.
 * Symmetric and idempotent. Linking to a dead actor sends the caller an exit signal
 * NOPROC. Linking to oneself does nothing.
 * -ENOMEM.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_link(struct airs_actor *self, airs_pid to);
/* After this returns no exit signal of that link arrives any more. */
AIRS_PUBLIC void airs_unlink(struct airs_actor *self, airs_pid to);

/*
 * Monitor an actor: exactly one AIRS_MSG_DOWN with this reference when it ends, at once
 * with NOPROC when it is not there. Monitors stack. -ENOMEM.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_monitor(
		struct airs_actor *self, airs_pid to, airs_ref *ret_monitor);
/*
 * Remove a monitor; a DOWN already in the mailbox is removed too (OTP's flush), so none
 * arrives afterwards.
 */
AIRS_PUBLIC void airs_demonitor(struct airs_actor *self, airs_ref monitor);

/*
 * Register a name for an actor. One name per actor, one actor per name; it is free again
 * before anyone is told of the actor's end. At most 255 bytes, copied.
 *   -EEXIST the name is taken, or the actor has one; -ESRCH dead; -EINVAL empty or too
 *   long; -ENOMEM
 * Threads: any.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_register(
		struct airs_system *system, const char *name, airs_pid pid);
/* -ENOENT when nobody has the name. Threads: any. */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_unregister(
		struct airs_system *system, const char *name);
/* AIRS_PID_NONE when nobody has the name. Threads: any. */
AIRS_PUBLIC airs_pid airs_whereis(struct airs_system *system, const char *name);

/* 1 while the actor exists and has not begun to end, else 0. Threads: any. */
AIRS_PUBLIC int airs_is_alive(struct airs_system *system, airs_pid pid);

struct airs_actor_info {
	size_t size; /* sizeof(struct airs_actor_info), set by the caller */
	airs_pid parent;
	const char *behaviour; /* static storage */
	char name[64]; /* cut to fit, "" when it has none */
	uint64_t messages_handled;
	uint64_t messages_queued; /* a snapshot, data messages only */
	uint64_t messages_refused; /* because the mailbox was full */
	uint32_t links, monitors, monitored_by;
};
/* -ESRCH when it is not alive. Threads: any. Does not wait for a running handler. */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_actor_get_info(
		struct airs_system *system, airs_pid pid, struct airs_actor_info *info);

#ifdef __cplusplus
}
#endif

#endif
