/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_TYPES_H
#define AIRSSYS_TYPES_H

/*
 * Identifiers, time, attributes and exit reasons that the other headers share.
 *
 * Times are microseconds on the monotonic clock, in unsigned 64 bits. AIRS_INFINITY means
 * "never". Functions return 0 or a negative errno; nothing is written through a ret_
 * pointer on failure.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#	define AIRS_PUBLIC     __attribute__((visibility("default")))
#	define AIRS_MUST_CHECK __attribute__((warn_unused_result))
#else
#	define AIRS_PUBLIC
#	define AIRS_MUST_CHECK
#endif

#define AIRS_INFINITY UINT64_MAX

/*
 * An actor's address: slot and generation. Never reused for another actor of the same
 * system; a pid whose actor has ended is silently dead. 0 is no actor.
 */
typedef uint64_t airs_pid;
#define AIRS_PID_NONE UINT64_C(0)

/*
 * A reference: names one call, monitor, timer or descriptor watch. Unique within a
 * system; 0 is none.
 */
typedef uint64_t airs_ref;

struct airs_system; /* one actor system; several may live in a process */
struct airs_pool; /* a group of worker threads */
struct airs_actor; /* the running actor, valid inside its own handlers only */

/* Why an actor ended. */
enum airs_reason_class {
	AIRS_REASON_NORMAL = 0, /* it was done */
	AIRS_REASON_SHUTDOWN, /* asked to stop by its supervisor or administrator */
	AIRS_REASON_KILL, /* the untrappable request; its victim ends with KILLED */
	AIRS_REASON_KILLED, /* ended by KILL */
	/* linked to, monitored or called an actor that is not there */
	AIRS_REASON_NOPROC,
	AIRS_REASON_ERROR, /* code: positive errno */
	AIRS_REASON_TIMEOUT, /* a deadline passed */
	AIRS_REASON_FAULT, /* code: signal number, detail: address */
	AIRS_REASON_DENIED, /* code: system call number */
	AIRS_REASON_LIMIT, /* code: which limit */
	/* a service's process: code CLD_EXITED, CLD_KILLED or CLD_DUMPED, status */
	AIRS_REASON_PROCESS,
	AIRS_REASON_USER, /* code and text are the application's */
	AIRS_REASON_CLASS_COUNT
};

/* OTP's {shutdown, X}: an orderly end that carries the class as its detail. */
#define AIRS_REASON_F_SHUTDOWN 1u

#define AIRS_REASON_TEXT_SIZE 40

struct airs_reason {
	uint16_t reason_class; /* enum airs_reason_class */
	uint16_t flags; /* AIRS_REASON_F_… */
	int32_t code;
	int32_t status;
	uint32_t reserved;
	uint64_t detail;
	char text[AIRS_REASON_TEXT_SIZE]; /* NUL-terminated, may be empty */
};

/*
 * A reason of this class and code with an optional text, cut to fit; text may be NULL.
 * Any thread.
 */
AIRS_PUBLIC struct airs_reason airs_reason_make(
		enum airs_reason_class reason_class, int32_t code, const char *text);

/*
 * Whether a transient child that ended so is done: normal, shutdown and {shutdown, X}
 * (OTP's supervisor). Returns 1 or 0. Any thread.
 */
AIRS_PUBLIC int airs_reason_is_orderly(const struct airs_reason *reason);

/*
 * The reason for people: "normal", "killed", "error ENOENT: text", "exited with status
 * 1", "killed by SIGSEGV". Writes at most size bytes with the NUL; returns the length it
 * would have needed, as snprintf does. Any thread.
 */
AIRS_PUBLIC int airs_reason_format(
		const struct airs_reason *reason, char *buffer, size_t size);

/* The library's version, "0.1.0". */
AIRS_PUBLIC const char *airs_version(void);

#ifdef __cplusplus
}
#endif

#endif
