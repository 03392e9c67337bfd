/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_OPTION_H
#define UNIT_OPTION_H

/*
 * The options of unit files: one table (unit/options.def) that says where each key may
 * stand, how its value is read, where it is kept, what it is when nothing is said, and
 * what a change of it needs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "unit/specifier.h"
#include "unit/unit.h"

enum option_reload {
	OPTION_LIVE, /* a change applies to the running unit */
	OPTION_RESTART, /* a change applies at the next start */
};

enum option_role {
	OPTION_MAIN,
	OPTION_ALIAS, /* the same setting under another section or name: not dumped */
};

struct unit_option;
struct draft;
struct packer;

/* What reading a value may need and what it may tell. */
struct option_scope {
	const struct unit_option *option;
	struct unit *unit;
	struct draft *draft;
	struct specifier_scope specifiers;
	/* After -EINVAL; static; NULL: the type's own words. */
	const char *problem, *remedy;
	char specifier; /* one that is wrong, or '\0' */
	bool has_unknown_escape;
	const struct unit_command *missing_program; /* NULL: none */
	int missing_error; /* why it cannot be executed: negative errno */
};

struct option_word {
	const char *word;
	int value;
};

struct option_type {
	const char *name;
	size_t size; /* of the field */
	const char *expects; /* what a value is, as the end of a remedy */
	/* 0, -EINVAL, -ENOMEM. An empty value never comes here. */
	int (*parse)(struct option_scope *scope, const char *value, void *field);
	/* Appends "Key=value\n" lines; nothing when it is not set. */
	void (*dump)(const struct unit_option *option, const struct unit *unit,
			struct text *t);
	void (*fini)(void *field, struct unit *unit); /* NULL: it holds no memory */
	/* Put what the field points to into the packer; NULL: it holds no memory. */
	void (*pack)(struct packer *packer, void *field, struct unit *unit);
	const struct option_word *words,
			*dump_words; /* of a choice; dump_words NULL: words */
};

struct unit_option {
	const char *section, *key;
	const struct option_type *type;
	size_t offset; /* in struct unit */
	const char *default_text; /* "": not set */
	const char *unit; /* of the value, for people: "seconds"; "" */
	enum option_reload reload;
	enum option_role role;
	const char *help;
};

extern const struct unit_option unit_options[];
extern const size_t n_unit_options;

/* How a section fits a kind of unit. */
enum option_fit {
	OPTION_FITS,
	OPTION_MISPLACED, /* known, but not in such a unit */
	OPTION_UNKNOWN_SECTION,
};
enum option_fit option_section_fit(const char *section, enum unit_kind kind);

/* NULL when the section has no such key. */
const struct unit_option *option_find(const char *section, const char *key);

/* The known key that a mistyped one is likely to mean, in this section or in one of the
 * same kind; NULL: none. */
const struct unit_option *option_suggest(
		const char *section, const char *key, enum unit_kind kind);

/* Whether systemd knows this key of its sections while it has no effect here. */
bool option_is_foreign(const char *key);

/* Whether an option's setting exists in a kind of unit. */
bool option_applies(const struct unit_option *option, enum unit_kind kind);

static inline void *option_field(const struct unit_option *option, struct unit *unit)
{
	return (char *)unit + option->offset;
}

/* Read a value into the unit of the scope. An empty value puts the default back, from
 * prototype. */
MUST_CHECK int option_assign(struct option_scope *scope, const struct unit *prototype,
		const char *value);

#endif
