/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/option-type.h"
#include "unit/pack.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "unit/command.h"
#include "unit/draft.h"
#include "unit/name.h"

int option_refuse(struct option_scope *scope, const char *problem, const char *remedy)
{
	scope->problem = problem;
	scope->remedy = remedy;
	return -EINVAL;
}

int option_expand(struct option_scope *scope, const char *value, char **ret)
{
	auto_text t = { 0 };
	int r;

	text_append(&t, "");
	r = specifier_expand(&scope->specifiers, value, &t, &scope->specifier);
	if (r == -EINVAL)
		return option_refuse(scope,
				"A percent sign is followed by no specifier that is known here",
				"Write %% for a percent sign.");
	if (r < 0)
		return r;
	*ret = text_take(&t);
	return *ret ? 0 : -ENOMEM;
}

void option_dump_line(const struct unit_option *option, const char *value, struct text *t)
{
	text_append(t, option->key);
	text_append_char(t, '=');
	for (; *value; value++) {
		text_append_char(t, *value);
		if (*value == '%')
			text_append_char(t, '%');
	}
	text_append_char(t, '\n');
}

static const void *field_of(const struct unit_option *option, const struct unit *unit)
{
	return (const char *)unit + option->offset;
}

static void replace(void *field, char *value)
{
	char **p = field;

	free(*p);
	*p = value;
}

static int parse_text(struct option_scope *scope, const char *value, void *field)
{
	char *s;
	int r = option_expand(scope, value, &s);

	if (r == 0)
		replace(field, s);
	return r;
}

static void dump_text(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	const char *value = *(char *const *)field_of(option, unit);

	if (value)
		option_dump_line(option, value, t);
}

void option_fini_pointer(void *field, struct unit *unit)
{
	void **p = field;

	(void)unit;
	free(*p);
	*p = NULL;
}

/* Texts that must have a form: expanded, checked, kept. */
static int parse_checked(struct option_scope *scope, const char *value, void *field,
		bool (*is_valid)(const char *s))
{
	auto_free char *s = NULL;
	int r = option_expand(scope, value, &s);

	if (r < 0)
		return r;
	if (!is_valid(s))
		return -EINVAL;
	replace(field, TAKE_PTR(s));
	return 0;
}

static bool is_absolute(const char *s)
{
	return *s == '/';
}

static int parse_path(struct option_scope *scope, const char *value, void *field)
{
	return parse_checked(scope, value, field, is_absolute);
}

bool option_account_is_valid(const char *name)
{
	static const char letters[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789_.";
	size_t n = strspn(name, letters);

	/* A hyphen or a dot may not begin a name, a dollar sign may end it. */
	if (n == 0 || *name == '.')
		return false;
	n = strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
	return name[n] == '\0' || (name[n] == '$' && name[n + 1] == '\0');
}

static int parse_account(struct option_scope *scope, const char *value, void *field)
{
	return parse_checked(scope, value, field, option_account_is_valid);
}

static bool is_module(const char *s)
{
	return has_suffix(s, ".so") && *s != '.' && !strchr(s, '/');
}

static int parse_module(struct option_scope *scope, const char *value, void *field)
{
	return parse_checked(scope, value, field, is_module);
}

static bool is_policy(const char *s)
{
	size_t n = strspn(s,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-");

	return s[n] == '\0' && n <= 64 && *s != '.' && *s != '@' && *s != '-';
}

static int parse_policy(struct option_scope *scope, const char *value, void *field)
{
	return parse_checked(scope, value, field, is_policy);
}

static bool is_working_directory(const char *s)
{
	return *s == '/' || strcmp(s, "~") == 0;
}

static int parse_working_directory(
		struct option_scope *scope, const char *value, void *field)
{
	bool optional = *value == '-';
	int r = parse_checked(scope, value + optional, field, is_working_directory);

	if (r == 0)
		scope->unit->service.working_directory_optional = optional;
	return r;
}

static void dump_working_directory(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	auto_text value = { 0 };

	if (!unit->service.working_directory)
		return;
	text_append(&value, unit->service.working_directory_optional ? "-" : "");
	text_append(&value, unit->service.working_directory);
	option_dump_line(option, text_get(&value), t);
}

static void fini_working_directory(void *field, struct unit *unit)
{
	option_fini_pointer(field, unit);
	unit->service.working_directory_optional = false;
}

static int parse_boolean(struct option_scope *scope, const char *value, void *field)
{
	(void)scope;
	return parse_bool(value, field) < 0 ? -EINVAL : 0;
}

static void dump_boolean(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	option_dump_line(option, *(const bool *)field_of(option, unit) ? "yes" : "no", t);
}

static int parse_input(struct option_scope *scope, const char *value, void *field)
{
	(void)scope;
	if (strcmp(value, "null") != 0)
		return -EINVAL;
	*(bool *)field = true;
	return 0;
}

static void dump_input(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	(void)unit;
	option_dump_line(option, "null", t);
}

static int parse_count(struct option_scope *scope, const char *value, void *field)
{
	unsigned int v;

	(void)scope;
	if (parse_uint(value, &v) < 0)
		return -EINVAL;
	*(uint32_t *)field = v;
	return 0;
}

static int parse_percent(struct option_scope *scope, const char *value, void *field)
{
	auto_free char *s = strndup(value, strcspn(value, "%"));
	unsigned int v;

	(void)scope;
	if (!s)
		return -ENOMEM;
	if ((value[strlen(s)] && value[strlen(s) + 1]) || parse_uint(s, &v) < 0 ||
			v > 100)
		return -EINVAL;
	*(uint32_t *)field = v;
	return 0;
}

static void dump_count(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	text_printf(t, "%s=%u\n", option->key, *(const uint32_t *)field_of(option, unit));
}

static int parse_time(struct option_scope *scope, const char *value, void *field)
{
	uint64_t usec;

	(void)scope;
	if (parse_duration(value, USEC_PER_SEC, &usec) < 0)
		return -EINVAL;
	*(uint64_t *)field = usec;
	return 0;
}

static int parse_timeout(struct option_scope *scope, const char *value, void *field)
{
	uint64_t usec;
	int r = parse_time(scope, value, &usec);

	if (r == 0)
		*(uint64_t *)field = usec == 0 ? USEC_INFINITY : usec;
	return r;
}

static int parse_timeout_both(struct option_scope *scope, const char *value, void *field)
{
	int r = parse_timeout(scope, value, field);

	if (r == 0)
		scope->unit->service.timeout_stop_usec =
				scope->unit->service.timeout_start_usec;
	return r;
}

static int parse_watchdog(struct option_scope *scope, const char *value, void *field)
{
	uint64_t usec;
	int r = parse_time(scope, value, &usec);

	if (r == 0)
		*(uint64_t *)field = usec == USEC_INFINITY ? 0 : usec;
	return r;
}

/* Exact, so that reading it gives the same value. */
static void dump_time(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	uint64_t usec = *(const uint64_t *)field_of(option, unit);
	unsigned long long v = usec;

	if (usec == USEC_INFINITY)
		text_printf(t, "%s=infinity\n", option->key);
	else if (usec % USEC_PER_SEC == 0)
		text_printf(t, "%s=%llus\n", option->key, v / USEC_PER_SEC);
	else if (usec % USEC_PER_MSEC == 0)
		text_printf(t, "%s=%llums\n", option->key, v / USEC_PER_MSEC);
	else
		text_printf(t, "%s=%lluus\n", option->key, v);
}

static int parse_umask(struct option_scope *scope, const char *value, void *field)
{
	mode_t mode;

	(void)scope;
	if (parse_mode(value, &mode) < 0 || mode > 0777)
		return -EINVAL;
	*(mode_t *)field = mode;
	return 0;
}

static void dump_mode(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	text_printf(t, "%s=%04o\n", option->key,
			(unsigned int)*(const mode_t *)field_of(option, unit));
}

static int parse_nice(struct option_scope *scope, const char *value, void *field)
{
	int v;

	if (parse_int(value, &v) < 0 || v < -20 || v > 19)
		return -EINVAL;
	*(int *)field = v;
	scope->unit->service.nice_set = true;
	return 0;
}

static void dump_nice(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	if (unit->service.nice_set)
		text_printf(t, "%s=%d\n", option->key, unit->service.nice);
}

static void fini_nice(void *field, struct unit *unit)
{
	(void)field;
	unit->service.nice_set = false;
}

static int parse_signal_name(struct option_scope *scope, const char *value, void *field)
{
	(void)scope;
	return parse_signal(value, field) < 0 ? -EINVAL : 0;
}

static void dump_signal(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	const char *name = signal_name(*(const int *)field_of(option, unit));

	option_dump_line(option, name ? name : "", t);
}

static const struct option_word actor_type_words[] = { { "service", UNIT_SERVICE },
	{ "native", UNIT_NATIVE }, { 0 } };
static const struct option_word strategy_words[] = { { "one-for-one", UNIT_ONE_FOR_ONE },
	{ "one-for-all", UNIT_ONE_FOR_ALL }, { "rest-for-one", UNIT_REST_FOR_ONE },
	{ 0 } };
static const struct option_word order_words[] = { { "ordered", UNIT_ORDERED },
	{ "parallel", UNIT_PARALLEL }, { 0 } };
static const struct option_word restart_words[] = {
	{ "permanent", UNIT_RESTART_PERMANENT }, { "transient", UNIT_RESTART_TRANSIENT },
	{ "temporary", UNIT_RESTART_TEMPORARY }, { 0 }
};
static const struct option_word restart_service_words[] = {
	{ "always", UNIT_RESTART_PERMANENT }, { "on-failure", UNIT_RESTART_TRANSIENT },
	{ "no", UNIT_RESTART_TEMPORARY }, { "on-success", UNIT_RESTART_ON_SUCCESS },
	{ "on-abnormal", UNIT_RESTART_ON_ABNORMAL },
	{ "on-watchdog", UNIT_RESTART_ON_WATCHDOG },
	{ "on-abort", UNIT_RESTART_ON_ABORT }, { 0 }
};
static const struct option_word restart_dump_words[] = {
	{ "permanent", UNIT_RESTART_PERMANENT }, { "transient", UNIT_RESTART_TRANSIENT },
	{ "temporary", UNIT_RESTART_TEMPORARY },
	{ "on-success", UNIT_RESTART_ON_SUCCESS },
	{ "on-abnormal", UNIT_RESTART_ON_ABNORMAL },
	{ "on-watchdog", UNIT_RESTART_ON_WATCHDOG },
	{ "on-abort", UNIT_RESTART_ON_ABORT }, { 0 }
};
static const struct option_word service_type_words[] = { { "simple", UNIT_SIMPLE },
	{ "exec", UNIT_EXEC }, { "notify", UNIT_NOTIFY }, { "oneshot", UNIT_ONESHOT },
	{ "forking", UNIT_FORKING }, { 0 } };
static const struct option_word kill_mode_words[] = {
	{ "control-group", UNIT_KILL_CONTROL_GROUP }, { "mixed", UNIT_KILL_MIXED },
	{ "process", UNIT_KILL_PROCESS }, { "none", UNIT_KILL_NONE }, { 0 }
};
static const struct option_word keyring_mode_words[] = {
	{ "private", UNIT_KEYRING_PRIVATE }, { "inherit", UNIT_KEYRING_INHERIT }, { 0 }
};
static const struct option_word notify_access_words[] = { { "none", UNIT_NOTIFY_NONE },
	{ "main", UNIT_NOTIFY_MAIN }, { "exec", UNIT_NOTIFY_EXEC },
	{ "all", UNIT_NOTIFY_ALL }, { 0 } };
/* systemd takes "syslog" for "journal". */
static const struct option_word output_words[] = { { "journal", UNIT_OUTPUT_JOURNAL },
	{ "null", UNIT_OUTPUT_NULL }, { "inherit", UNIT_OUTPUT_INHERIT },
	{ "syslog", UNIT_OUTPUT_JOURNAL }, { 0 } };
static const struct option_word output_path_words[] = { { "file:", UNIT_OUTPUT_FILE },
	{ "append:", UNIT_OUTPUT_APPEND }, { "truncate:", UNIT_OUTPUT_TRUNCATE }, { 0 } };

_Static_assert(sizeof(enum unit_kind) == sizeof(int), "choices are written as int");

static int parse_choice(struct option_scope *scope, const char *value, void *field)
{
	for (const struct option_word *w = scope->option->type->words; w->word; w++)
		if (strcmp(w->word, value) == 0) {
			memcpy(field, &w->value, sizeof(w->value));
			return 0;
		}
	return -EINVAL;
}

static const char *word_of(const struct option_word *words, int value)
{
	for (; words->word; words++)
		if (words->value == value)
			return words->word;
	return "";
}

static void dump_choice(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	const struct option_type *type = option->type;
	int value;

	memcpy(&value, field_of(option, unit), sizeof(value));
	option_dump_line(option,
			word_of(type->dump_words ? type->dump_words : type->words, value),
			t);
}

/* The file decides what it is: its sections are compared with this when they are known.
 */
static int parse_actor_type(struct option_scope *scope, const char *value, void *field)
{
	int kind, r = parse_choice(scope, value, &kind);

	(void)field;
	if (r == 0 && (enum unit_kind)kind != scope->unit->kind)
		return option_refuse(scope, "Type= and the sections of the file disagree",
				"Type=service needs [Service], Type=native needs [Native].");
	return r;
}

static char **output_path_of(struct unit *unit, const void *field)
{
	return field == &unit->service.standard_output ? &unit->service.output_path
						       : &unit->service.error_path;
}

static int parse_output(struct option_scope *scope, const char *value, void *field)
{
	const struct option_word *w;
	int r = parse_choice(scope, value, field);

	if (r == 0) {
		replace(output_path_of(scope->unit, field), NULL);
		return 0;
	}
	for (w = output_path_words; w->word && !has_prefix(value, w->word); w++)
		;
	if (!w->word)
		return -EINVAL;
	r = parse_path(scope, value + strlen(w->word),
			output_path_of(scope->unit, field));
	if (r == 0)
		memcpy(field, &w->value, sizeof(w->value));
	return r;
}

static void dump_output(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	const enum unit_output *output = field_of(option, unit);
	const char *path = output == &unit->service.standard_output
			? unit->service.output_path
			: unit->service.error_path;
	auto_text value = { 0 };

	if (!path) {
		dump_choice(option, unit, t);
		return;
	}
	text_append(&value, word_of(output_path_words, (int)*output));
	text_append(&value, path);
	option_dump_line(option, text_get(&value), t);
}

static void fini_output(void *field, struct unit *unit)
{
	replace(output_path_of(unit, field), NULL);
}

static bool is_unit_name(const char *s)
{
	return name_is_valid(s) && !name_is_template(s);
}

static int parse_supervisor(struct option_scope *scope, const char *value, void *field)
{
	(void)field;
	return parse_checked(scope, value, &scope->draft->supervisor, is_unit_name);
}

static void dump_supervisor(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	if (unit->supervisor)
		option_dump_line(option, unit->supervisor, t);
}

static void pack_pointed_text(struct packer *packer, void *field, struct unit *unit)
{
	(void)unit;
	pack_text(packer, field);
}

static void pack_output(struct packer *packer, void *field, struct unit *unit)
{
	pack_text(packer, output_path_of(unit, field));
}

#define OPS(parser, dumper, finisher) .parse = parser, .dump = dumper, .fini = finisher
#define TEXT(parser)                                                                     \
	OPS(parser, dump_text, option_fini_pointer), .pack = pack_pointed_text
#define LIST(parser)                                                                     \
	OPS(parser, option_dump_strv, option_fini_strv), .pack = option_pack_strv
#define NAMES(parser)                                                                    \
	OPS(parser, option_dump_names, option_fini_strv), .pack = option_pack_strv
#define CHOICE(list) OPS(parse_choice, dump_choice, NULL), .words = list

#define OPS_text    TEXT(parse_text)
#define OPS_path    TEXT(parse_path)
#define OPS_account TEXT(parse_account)
#define OPS_module  TEXT(parse_module)
#define OPS_policy  TEXT(parse_policy)
#define OPS_working_directory                                                            \
	OPS(parse_working_directory, dump_working_directory, fini_working_directory),    \
			.pack = pack_pointed_text
#define OPS_boolean         OPS(parse_boolean, dump_boolean, NULL)
#define OPS_input           OPS(parse_input, dump_input, NULL)
#define OPS_count           OPS(parse_count, dump_count, NULL)
#define OPS_percent         OPS(parse_percent, dump_count, NULL)
#define OPS_duration        OPS(parse_time, dump_time, NULL)
#define OPS_timeout         OPS(parse_timeout, dump_time, NULL)
#define OPS_timeout_both    OPS(parse_timeout_both, dump_time, NULL)
#define OPS_watchdog        OPS(parse_watchdog, dump_time, NULL)
#define OPS_mode            OPS(parse_umask, dump_mode, NULL)
#define OPS_nice            OPS(parse_nice, dump_nice, fini_nice)
#define OPS_signal          OPS(parse_signal_name, dump_signal, NULL)
#define OPS_actor_type      OPS(parse_actor_type, dump_choice, NULL), .words = actor_type_words
#define OPS_strategy        CHOICE(strategy_words)
#define OPS_order           CHOICE(order_words)
#define OPS_restart         CHOICE(restart_words), .dump_words = restart_dump_words
#define OPS_restart_service CHOICE(restart_service_words)
#define OPS_service_type    CHOICE(service_type_words)
#define OPS_kill_mode       CHOICE(kill_mode_words)
#define OPS_keyring_mode    CHOICE(keyring_mode_words)
#define OPS_notify_access   CHOICE(notify_access_words)
#define OPS_output                                                                       \
	OPS(parse_output, dump_output, fini_output), .pack = pack_output,                \
						     .words = output_words
#define OPS_supervisor  OPS(parse_supervisor, dump_supervisor, NULL)
#define OPS_children    NAMES(option_parse_children)
#define OPS_names       NAMES(option_parse_names)
#define OPS_words       LIST(option_parse_words)
#define OPS_accounts    LIST(option_parse_accounts)
#define OPS_folders     LIST(option_parse_folders)
#define OPS_arguments   LIST(option_parse_arguments)
#define OPS_variables   LIST(option_parse_variables)
#define OPS_environment LIST(option_parse_environment)
#define OPS_environment_files                                                            \
	OPS(option_parse_environment_files, option_dump_environment_files,               \
			option_fini_environment_files),                                  \
			.pack = option_pack_environment_files
#define OPS_commands                                                                     \
	OPS(option_parse_commands, option_dump_commands, option_fini_commands),          \
			.pack = option_pack_commands
#define OPS_exit_set                                                                     \
	OPS(option_parse_exit_set, option_dump_exit_set, option_fini_pointer),           \
			.pack = option_pack_exit_set
#define OPS_limit                                                                        \
	OPS(option_parse_limit, option_dump_limit, option_fini_pointer),                 \
			.pack = option_pack_limits

#define TYPE(type, c_type, value)                                                        \
	const struct option_type option_type_##type = {                                  \
		.name = #type, .size = sizeof(c_type), .expects = value, OPS_##type      \
	};
OPTION_TYPES
