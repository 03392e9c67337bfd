/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef OSL_POLICY_H
#define OSL_POLICY_H

/*
 * Security policies of services: what a file NAME.policy says, checked and compiled to
 * what the kernel takes. Everything that can be looked up or compiled is done here, when
 * the policy is loaded; applying it (osl/sandbox.h) needs neither memory nor libraries.
 *
 * A loaded policy does not change any more. Whether a file is wrong in one line or in all
 * of them, it is refused as a whole, and every mistake is told with a code O0xx, file,
 * line and remedy: nothing that a file says is ever left out silently.
 */

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/text.h"

#define POLICY_FILE_MAX  (1024 * 1024) /* bytes of one file */
#define POLICY_LINE_MAX  (64 * 1024) /* bytes of one line, continuation lines included */
#define POLICY_DEPTH_MAX 16 /* files of one Extends= chain */
#define POLICY_NAME_MAX  64

#define POLICY_ALL_CAPABILITIES UINT64_MAX

struct policy {
	char *name;
	char *description; /* NULL when the file has none */
	bool no_new_privs;
	/* Capabilities that stay in the bounding set, bit N for capability number N. */
	uint64_t bounding_set;
	/* The program for seccomp(2); NULL and 0 when there is nothing to filter. */
	struct sock_filter *filter;
	size_t filter_count;
	/* The files that made it, in the order in which they were read: itself first. */
	struct strv files;
};

/*
 * Load a policy by name: NAME.policy is looked for in each folder of paths, the first
 * that has it decides. A folder that is missing is passed over; one that others may write
 * to, and a file that is not trusted (base/path.h), are errors.
 *
 * name     letters, digits and "_.@-", not more than POLICY_NAME_MAX, beginning with a
 * letter or a digit d        takes what is wrong; may be NULL ret      the policy, to be
 * freed with policy_free
 *
 * 0; -ENOENT when no folder has it; -EINVAL when it has mistakes, cannot be trusted or
 * read; -ENOMEM, -EMFILE, -ENFILE, of which d has nothing. Any thread, not in a child that shares memory. Blocks on the disk.
 */
MUST_CHECK int policy_load(const char *name, const struct strv *paths, struct diag *d,
		struct policy **ret);

/* Whether a folder has a file of that name, whatever is in it: 0, also when that cannot be
 * told; -ENOENT; -ENOMEM. Blocks on the disk. */
MUST_CHECK int policy_look(const char *name, const struct strv *paths);

/* Accepts NULL. */
void policy_free(struct policy *policy);
DEFINE_AUTO(policy, policy_free);

/* Whether a name may stand for a policy. */
bool policy_name_is_valid(const char *name);

/*
 * The folders in which policies are looked for, most important first: the
 * administrator's, the one of this boot, the one of the installation. -ENOMEM.
 */
MUST_CHECK int policy_default_paths(struct strv *ret_paths);

#endif
