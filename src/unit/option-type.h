/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_OPTION_TYPE_H
#define UNIT_OPTION_TYPE_H

/*
 * The types of options: how a value is read, dumped and released.
 *
 * TYPE(name, C type of the field, what a value is)
 */

#include "unit/option.h"

#define OPTION_TYPES                                                                                \
	TYPE(text, char *, "text in one line")                                                      \
	TYPE(path, char *, "an absolute path")                                                      \
	TYPE(account, char *, "the name or number of a user or group")                              \
	TYPE(module, char *, "the name of a file that ends with .so, without a folder")             \
	TYPE(policy, char *, "the name of a policy: letters, digits and _ . @ -")                   \
	TYPE(working_directory, char *,                                                             \
			"an absolute path or ~, with - before it when it may be missing")           \
	TYPE(boolean, bool, "yes or no")                                                            \
	TYPE(input, bool, "null")                                                                   \
	TYPE(count, uint32_t, "a whole number")                                                     \
	TYPE(percent, uint32_t, "a whole number from 0 to 100, with or without %")                  \
	TYPE(duration, uint64_t, "a time such as 500ms, 30s, \"5min 20s\" or infinity")             \
	TYPE(timeout, uint64_t,                                                                     \
			"a time such as 30s or 5min; 0 and infinity mean no limit")                 \
	TYPE(timeout_both, uint64_t,                                                                \
			"a time such as 30s or 5min; 0 and infinity mean no limit")                 \
	TYPE(watchdog, uint64_t, "a time such as 30s; 0 and infinity mean no watchdog")             \
	TYPE(mode, mode_t, "an octal number up to 0777")                                            \
	TYPE(nice, int, "a whole number from -20 to 19")                                            \
	TYPE(signal, int, "the name of a signal such as SIGTERM")                                   \
	TYPE(actor_type, enum unit_kind, "service or native")                                       \
	TYPE(strategy, enum unit_strategy, "one-for-one, one-for-all or rest-for-one")              \
	TYPE(order, enum unit_order, "ordered or parallel")                                         \
	TYPE(restart, enum unit_restart, "permanent, transient or temporary")                       \
	TYPE(restart_service, enum unit_restart,                                                    \
			"always, on-failure, no, on-success, on-abnormal, on-watchdog or on-abort") \
	TYPE(service_type, enum unit_service_type,                                                  \
			"simple, exec, notify, oneshot or forking")                                 \
	TYPE(kill_mode, enum unit_kill_mode, "control-group, mixed, process or none")               \
	TYPE(keyring_mode, enum unit_keyring_mode, "private or inherit")                            \
	TYPE(notify_access, enum unit_notify_access, "none, main, exec or all")                     \
	TYPE(output, enum unit_output,                                                              \
			"journal, null, inherit, file:PATH, append:PATH or truncate:PATH")          \
	TYPE(supervisor, const char *, "the name of a supervisor")                                  \
	TYPE(children, struct strv, "names of units")                                               \
	TYPE(names, struct strv, "names of units")                                                  \
	TYPE(words, struct strv, "words separated by spaces")                                       \
	TYPE(accounts, struct strv, "names or numbers of groups")                                   \
	TYPE(folders, struct strv, "relative paths without ..")                                     \
	TYPE(arguments, struct strv, "key=value words")                                             \
	TYPE(variables, struct strv, "names of variables")                                          \
	TYPE(environment, struct strv,                                                              \
			"NAME=value words, in quotes when they contain spaces")                     \
	TYPE(environment_files, struct unit_environment_file *,                                     \
			"an absolute path, with - before it when the file may be missing")          \
	TYPE(commands, struct unit_commands, "a command line")                                      \
	TYPE(exit_set, struct unit_exit_set *,                                                      \
			"exit codes from 0 to 255 and names of signals")                            \
	TYPE(limit, struct unit_limit *,                                                            \
			"one value, or soft:hard, each a number or infinity")

#define TYPE(name, c_type, expects) extern const struct option_type option_type_##name;
OPTION_TYPES
#undef TYPE

/* For the files that read values. */

/* Specifiers replaced; the result is the caller's. -EINVAL is told in the scope. */
MUST_CHECK int option_expand(struct option_scope *scope, const char *value, char **ret);
/* -EINVAL, with a sentence without its full stop and what to do. */
MUST_CHECK int option_refuse(
		struct option_scope *scope, const char *problem, const char *remedy);
void option_dump_line(
		const struct unit_option *option, const char *value, struct text *t);

int option_parse_words(struct option_scope *scope, const char *value, void *field);
int option_parse_names(struct option_scope *scope, const char *value, void *field);
int option_parse_children(struct option_scope *scope, const char *value, void *field);
int option_parse_accounts(struct option_scope *scope, const char *value, void *field);
int option_parse_folders(struct option_scope *scope, const char *value, void *field);
int option_parse_arguments(struct option_scope *scope, const char *value, void *field);
int option_parse_variables(struct option_scope *scope, const char *value, void *field);
int option_parse_environment(struct option_scope *scope, const char *value, void *field);
void option_dump_strv(const struct unit_option *option, const struct unit *unit,
		struct text *t);
void option_dump_names(const struct unit_option *option, const struct unit *unit,
		struct text *t);
void option_fini_strv(void *field, struct unit *unit);

int option_parse_environment_files(
		struct option_scope *scope, const char *value, void *field);
void option_dump_environment_files(const struct unit_option *option,
		const struct unit *unit, struct text *t);
void option_fini_environment_files(void *field, struct unit *unit);

int option_parse_commands(struct option_scope *scope, const char *value, void *field);
void option_dump_commands(const struct unit_option *option, const struct unit *unit,
		struct text *t);
void option_fini_commands(void *field, struct unit *unit);

int option_parse_exit_set(struct option_scope *scope, const char *value, void *field);
void option_dump_exit_set(const struct unit_option *option, const struct unit *unit,
		struct text *t);

int option_parse_limit(struct option_scope *scope, const char *value, void *field);
void option_dump_limit(const struct unit_option *option, const struct unit *unit,
		struct text *t);
/* Take the limit of this option away; the others stay. */
void option_reset_limit(const struct unit_option *option, struct unit *unit);
void option_fini_pointer(void *field, struct unit *unit);

/* The pack functions of these types. */
void option_pack_strv(struct packer *packer, void *field, struct unit *unit);
void option_pack_environment_files(struct packer *packer, void *field, struct unit *unit);
void option_pack_commands(struct packer *packer, void *field, struct unit *unit);
void option_pack_exit_set(struct packer *packer, void *field, struct unit *unit);
void option_pack_limits(struct packer *packer, void *field, struct unit *unit);

bool option_account_is_valid(const char *name);

#endif
