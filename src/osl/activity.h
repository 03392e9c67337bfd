/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef OSL_ACTIVITY_H
#define OSL_ACTIVITY_H

/*
 * Records of what happened to actors and services, and their two forms: a datagram of the
 * journal's native protocol, and one line of text. The kinds, with their message ids and
 * sentences, are in osl/activity.def. Nothing here has state or talks to anybody.
 *
 * Whatever bytes a field holds, it stays one field: a value with a newline or a control
 * character goes in the protocol's length-prefixed form, and is escaped in a line.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"

enum activity_kind {
#define ACTIVITY(name, level, id, sentence) ACTIVITY_##name,
#include "osl/activity.def"
#undef ACTIVITY
	ACTIVITY_KIND_COUNT
};

/* What a record says. Texts are borrowed; NULL and 0 leave the field out. */
struct activity_record {
	enum activity_kind kind;
	const char *unit; /* AIRSSYS_UNIT */
	const char *supervisor; /* AIRSSYS_SUPERVISOR; "" is the root */
	uint64_t actor; /* AIRSSYS_ACTOR */
	pid_t pid; /* AIRSSYS_PID */
	const char *reason; /* AIRSSYS_REASON */
	const char *decision; /* AIRSSYS_DECISION */
	const char *caller; /* AIRSSYS_CALLER */
	const char *detail; /* AIRSSYS_DETAIL */
	const char *cgroup; /* AIRSSYS_CGROUP: the folder of the instance */
	uint64_t count; /* AIRSSYS_COUNT */
};

/* Append "service-ready", the value of AIRSSYS_EVENT. */
void activity_append_name(enum activity_kind kind, struct text *t);
const char *activity_message_id(enum activity_kind kind); /* 32 hexadecimal digits */
enum log_level activity_level(enum activity_kind kind);

/* Append the sentence, without a newline. */
void activity_format(const struct activity_record *record, struct text *t);

/*
 * Append the fields in the journal's native protocol: MESSAGE, MESSAGE_ID, PRIORITY,
 * SYSLOG_IDENTIFIER and those of the record. The result is bytes of length t->size;
 * t->failed when memory ran out.
 */
void activity_encode(const struct activity_record *record, struct text *t);

#endif
