/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef OSL_FILTER_H
#define OSL_FILTER_H

/*
 * Which system calls a policy allows, and the program for the kernel that is made from
 * it.
 *
 * Rules are a list, in one of two readings that its first entry decides: an allow-list
 * names what may be called, a deny-list what may not. Later entries add to the list or
 * take from it.
 *
 * What is denied answers with the errno that its entry names, else ENOSYS for what
 * libraries probe, else the errno of the rules. What no table knows, because it is newer
 * than this library, answers ENOSYS under every list, so that nothing gets past a filter
 * by being new. Calls of another architecture end the process.
 */

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "osl/syscall.h"

enum filter_kind {
	FILTER_NONE, /* nothing is listed: every call of the native architecture is
			allowed */
	FILTER_ALLOW_LIST,
	FILTER_DENY_LIST,
};

/* What a list says about one call. */
#define FILTER_NOT_LISTED (-1)
#define FILTER_LISTED     0 /* above 0: denied with this errno */

/* The largest errno that libseccomp takes. */
#define FILTER_ERROR_MAX 4094

struct filter_rules {
	enum filter_kind kind;
	int error_number; /* what a denied call answers */
	int16_t calls[SYSCALL_LIMIT];
};

enum filter_sign {
	FILTER_PLUS, /* "name": allow it */
	FILTER_MINUS, /* "~name": deny it */
};

void filter_rules_init(struct filter_rules *rules);

/* Forget the list, as an empty assignment does. The errno stays. */
void filter_rules_reset(struct filter_rules *rules);

/*
 * Take one entry: a call, or a group with its "@". The first one of an empty list decides
 * its kind; an allow-list then begins with what every program needs (@default, execveat).
 *
 * error    0, or the errno with which this entry's calls are denied, to FILTER_ERROR_MAX
 *
 * 0, or -ENOENT for a name that is not known; then nothing has changed.
 */
MUST_CHECK int filter_rules_add(struct filter_rules *rules, enum filter_sign sign,
		const char *name, int error);

/* 0 when the call with this number is allowed, else the errno that it answers. */
int filter_rules_decide(const struct filter_rules *rules, int number);

/*
 * Make the program, and run it against the rules for every number and for foreign
 * architectures before it is handed out. The caller frees it.
 *
 * -ENOMEM; -EPROTO when the program does not do what the rules say; another error of
 * libseccomp.
 */
MUST_CHECK int filter_compile(const struct filter_rules *rules,
		struct sock_filter **ret_program, size_t *ret_count);

#endif
