/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_ENVIRONMENT_H
#define UNIT_ENVIRONMENT_H

/*
 * Environments as vectors of NAME=value, at most one entry of a name; files of them
 * (EnvironmentFile=); and $VARIABLES in argument vectors. Text only: reading the files is
 * the caller's.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/text.h"

/* Letters, digits and '_', not beginning with a digit. */
bool environment_name_is_valid(const char *name, size_t size);

/* The value of a name, or NULL. Borrowed. */
const char *environment_find(
		const struct strv *environment, const char *name, size_t size);

/* Put "NAME=value" in place of an entry of that name, or at the end. -EINVAL, -ENOMEM. */
MUST_CHECK int environment_set(struct strv *environment, const char *entry);

/* Put every entry of other into environment. -ENOMEM. */
MUST_CHECK int environment_merge(struct strv *environment, const struct strv *other);

/*
 * Parse the text of an environment file and put its entries into environment: a line is
 * NAME=value; '#' and ';' begin comments; values may be quoted with ' and "; a backslash
 * at the end of a line joins the next one. Lines that are wrong are left out and told in
 * diag (may be NULL) as warnings. -ENOMEM; -EINVAL when the text contains a NUL.
 */
MUST_CHECK int environment_parse_file(const char *file, const char *data, size_t size,
		struct diag *diag, struct strv *environment);

/*
 * Expand an argument vector as systemd does: ${FOO} anywhere in a word is replaced by its
 * value; a word that is $FOO alone becomes one word for each word of its value, none when
 * it is empty; $$ is a dollar sign. An unknown variable is empty. argv[0] is kept as it
 * is. ret_argv is the caller's. -ENOMEM.
 */
MUST_CHECK int environment_expand(const struct strv *argv, const struct strv *environment,
		struct strv *ret_argv);

#endif
