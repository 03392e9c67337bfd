/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_NAME_H
#define UNIT_NAME_H

/*
 * Names of units and of their files: "db" in db.actor, "worker@3" of the template
 * worker@.actor.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"
#include "base/text.h"

#define NAME_SUFFIX_ACTOR      ".actor"
#define NAME_SUFFIX_SUPERVISOR ".supervisor"
#define NAME_SIZE_MAX                                                                    \
	200 /* of a unit's name, so that "NAME.supervisor.d" is a file name */

/* Letters, digits and ":_.-\@", at most one @, which is not the first character. */
bool name_is_valid(const char *name);

/* The suffix of a unit's file name, NULL when it has none. Borrowed from file_name. */
const char *name_suffix(const char *file_name);

/* The text behind the @, or NULL. "" in the name of a template. */
const char *name_instance(const char *name);
/* Whether a name ends with @. */
bool name_is_template(const char *name);

/* Undo systemd's escaping: "-" is "/", "\x2d" is "-". -EINVAL, -ENOMEM. */
MUST_CHECK int name_unescape(const char *s, size_t size, struct text *t);

#endif
