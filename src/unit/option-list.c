/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "unit/command.h"
#include "unit/draft.h"
#include "unit/environment.h"
#include "unit/name.h"
#include "unit/option-type.h"
#include "unit/programs.h"
#include "unit/words.h"

/*
 * Types of options that hold more than one value. A further assignment adds to what is
 * there; an empty one takes everything away.
 */

typedef int take_word_fn(struct option_scope *scope, char *word, void *field);

/* Split a value, expand each word and hand it to take, which consumes it. */
static int split(struct option_scope *scope, struct words w, take_word_fn *take,
		void *field)
{
	auto_text word = { 0 };
	char *expanded;
	int r;

	while ((r = words_next(&w, &word)) > 0) {
		r = option_expand(scope, text_get(&word), &expanded);
		if (r == 0)
			r = take(scope, expanded, field);
		if (r < 0)
			return r;
	}
	scope->has_unknown_escape |= w.saw_unknown_escape;
	if (r == -EINVAL)
		return option_refuse(scope, "A quote is not closed in this value",
				"Close the quote.");
	if (r == -EILSEQ)
		return option_refuse(scope,
				"An escape in this value stands for no character",
				"Leave it out.");
	return r;
}

static int for_each_word(struct option_scope *scope, const char *value,
		take_word_fn *take, void *field)
{
	return split(scope, (struct words){ .at = value, .mode = WORDS_ESCAPED }, take,
			field);
}

/* Names have escapes of their own, which are part of them. */
static int for_each_name(struct option_scope *scope, const char *value,
		take_word_fn *take, void *field)
{
	return split(scope, (struct words){ .at = value, .mode = WORDS_LITERAL }, take,
			field);
}

static int take_any(struct option_scope *scope, char *word, void *field)
{
	(void)scope;
	return strv_append_take(field, word);
}

/* Keep a word that is valid and not yet there; consumes it. */
static int take_once(char *word, bool is_valid, struct strv *v)
{
	auto_free char *s = word;

	if (!is_valid)
		return -EINVAL;
	return strv_contains(v, s) ? 0 : strv_append_take(v, TAKE_PTR(s));
}

/* "db.actor" and "db.service" are "db". Targets and the like keep their suffix. */
static void strip_suffix(char *name)
{
	static const char *const suffixes[] = { NAME_SUFFIX_ACTOR, NAME_SUFFIX_SUPERVISOR,
		".service" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (has_suffix(name, suffixes[i])) {
			name[strlen(name) - strlen(suffixes[i])] = '\0';
			return;
		}
}

static int take_name(struct option_scope *scope, char *word, void *field)
{
	(void)scope;
	strip_suffix(word);
	return take_once(word, name_is_valid(word) && !name_is_template(word), field);
}

static int take_child(struct option_scope *scope, char *word, void *field)
{
	(void)scope;
	strip_suffix(word);
	if (name_is_valid(word) && !name_is_template(word))
		return strv_append_take(
				field, word); /* twice is told when it is resolved */
	free(word);
	return -EINVAL;
}

static int take_account(struct option_scope *scope, char *word, void *field)
{
	(void)scope;
	return take_once(word, option_account_is_valid(word), field);
}

static bool is_folder(const char *s)
{
	for (const char *part = s;; part++) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && *part == '.') ||
				(n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part += n;
		if (!*part)
			return true;
	}
}

static int take_folder(struct option_scope *scope, char *word, void *field)
{
	(void)scope;
	return take_once(word, is_folder(word), field);
}

static int take_argument(struct option_scope *scope, char *word, void *field)
{
	auto_free char *s = word;

	(void)scope;
	if (!strchr(s, '=') || *s == '=')
		return -EINVAL;
	return strv_append_take(field, TAKE_PTR(s));
}

static int take_variable(struct option_scope *scope, char *word, void *field)
{
	(void)scope;
	return take_once(word, environment_name_is_valid(word, strlen(word)), field);
}

static int take_entry(struct option_scope *scope, char *word, void *field)
{
	auto_free char *s = word;

	(void)scope;
	return environment_set(field, s);
}

int option_parse_words(struct option_scope *scope, const char *value, void *field)
{
	return for_each_word(scope, value, take_any, field);
}

int option_parse_names(struct option_scope *scope, const char *value, void *field)
{
	return for_each_name(scope, value, take_name, field);
}

int option_parse_children(struct option_scope *scope, const char *value, void *field)
{
	(void)field;
	return for_each_name(scope, value, take_child, &scope->draft->children);
}

int option_parse_accounts(struct option_scope *scope, const char *value, void *field)
{
	return for_each_word(scope, value, take_account, field);
}

int option_parse_folders(struct option_scope *scope, const char *value, void *field)
{
	return for_each_word(scope, value, take_folder, field);
}

int option_parse_arguments(struct option_scope *scope, const char *value, void *field)
{
	return for_each_word(scope, value, take_argument, field);
}

int option_parse_variables(struct option_scope *scope, const char *value, void *field)
{
	return for_each_word(scope, value, take_variable, field);
}

int option_parse_environment(struct option_scope *scope, const char *value, void *field)
{
	return for_each_word(scope, value, take_entry, field);
}

static const void *field_of(const struct unit_option *option, const struct unit *unit)
{
	return (const char *)unit + option->offset;
}

void option_dump_strv(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	const struct strv *v = field_of(option, unit);

	for (size_t i = 0; i < v->count; i++) {
		text_printf(t, "%s=", option->key);
		command_dump_word(v->items[i], t);
		text_append_char(t, '\n');
	}
}

void option_dump_names(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	const struct strv *v = field_of(option, unit);

	for (size_t i = 0; i < v->count; i++)
		text_printf(t, "%s=%s\n", option->key, v->items[i]);
}

void option_fini_strv(void *field, struct unit *unit)
{
	(void)unit;
	strv_fini(field);
}

int option_parse_environment_files(
		struct option_scope *scope, const char *value, void *field)
{
	struct unit_service *service = &scope->unit->service;
	struct unit_environment_file *items;
	auto_free char *path = NULL;
	bool optional = *value == '-';
	int r;

	(void)field;
	r = option_expand(scope, value + optional, &path);
	if (r < 0)
		return r;
	if (*path != '/')
		return -EINVAL;
	items = realloc(service->environment_files,
			(service->n_environment_files + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	service->environment_files = items;
	items[service->n_environment_files++] =
			(struct unit_environment_file){ TAKE_PTR(path), optional };
	return 0;
}

void option_dump_environment_files(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	for (uint32_t i = 0; i < unit->service.n_environment_files; i++) {
		const struct unit_environment_file *f =
				&unit->service.environment_files[i];
		auto_text value = { 0 };

		text_append(&value, f->optional ? "-" : "");
		text_append(&value, f->path);
		option_dump_line(option, text_get(&value), t);
	}
}

void option_fini_environment_files(void *field, struct unit *unit)
{
	(void)field;
	for (uint32_t i = 0; i < unit->service.n_environment_files; i++)
		free(unit->service.environment_files[i].path);
	free(unit->service.environment_files);
	unit->service.environment_files = NULL;
	unit->service.n_environment_files = 0;
}

/* Where a program is. One whose failure counts is told before one whose failure does not.
 */
static int find_program(struct option_scope *scope, struct unit_command *c)
{
	const struct unit_program *program;
	int r = unit_programs_find(
			scope->specifiers.context->programs, c->path, &program);

	if (r < 0 || !program)
		return r;
	if (program->error) {
		if (!scope->missing_program || !c->ignore_failure) {
			scope->missing_program = c;
			scope->missing_error = program->error;
		}
		return 0;
	}
	free(c->path);
	c->path = strdup(program->path);
	return c->path ? 0 : -ENOMEM;
}

static int find_programs(struct option_scope *scope, struct unit_commands *commands,
		uint32_t first)
{
	int r = 0;

	if (!scope->specifiers.context->programs)
		return 0;
	for (uint32_t i = first; i < commands->count && r == 0; i++)
		r = find_program(scope, &commands->items[i]);
	return r;
}

int option_parse_commands(struct option_scope *scope, const char *value, void *field)
{
	struct unit_commands *commands = field;
	uint32_t first = commands->count;
	struct command_report report;
	int r;

	r = command_parse(value, &scope->specifiers, commands, &report);
	scope->has_unknown_escape |= report.has_unknown_escape;
	scope->specifier = report.specifier;
	if (r == -EINVAL)
		return option_refuse(scope, report.problem, report.remedy);
	return r < 0 ? r : find_programs(scope, commands, first);
}

void option_dump_commands(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	const struct unit_commands *commands = field_of(option, unit);

	for (uint32_t i = 0; i < commands->count; i++) {
		text_printf(t, "%s=", option->key);
		command_dump(&commands->items[i], t);
		text_append_char(t, '\n');
	}
}

void option_fini_commands(void *field, struct unit *unit)
{
	(void)unit;
	commands_fini(field);
}

/* sysexits(3) and the init-script codes, as systemd names them. */
static const struct option_word exit_words[] = { { "SUCCESS", 0 }, { "FAILURE", 1 },
	{ "INVALIDARGUMENT", 2 }, { "NOTIMPLEMENTED", 3 }, { "NOPERMISSION", 4 },
	{ "NOTINSTALLED", 5 }, { "NOTCONFIGURED", 6 }, { "NOTRUNNING", 7 },
	{ "USAGE", 64 }, { "DATAERR", 65 }, { "NOINPUT", 66 }, { "NOUSER", 67 },
	{ "NOHOST", 68 }, { "UNAVAILABLE", 69 }, { "SOFTWARE", 70 }, { "OSERR", 71 },
	{ "OSFILE", 72 }, { "CANTCREAT", 73 }, { "IOERR", 74 }, { "TEMPFAIL", 75 },
	{ "PROTOCOL", 76 }, { "NOPERM", 77 }, { "CONFIG", 78 }, { 0 } };

static int add_exit(struct unit_exit_set *set, const char *word)
{
	unsigned int code;
	int signo;

	for (const struct option_word *w = exit_words; w->word; w++)
		if (strcmp(w->word, word) == 0) {
			set->codes[w->value / 64] |= UINT64_C(1) << (w->value % 64);
			return 0;
		}
	if (parse_uint(word, &code) == 0) {
		if (code > 255)
			return -EINVAL;
		set->codes[code / 64] |= UINT64_C(1) << (code % 64);
		return 0;
	}
	/* SIGRTMAX is 64, for which the set has no bit; it stands in bit 0. */
	if (parse_signal(word, &signo) < 0)
		return -EINVAL;
	set->signals |= UINT64_C(1) << (signo % 64);
	return 0;
}

static int take_exit(struct option_scope *scope, char *word, void *field)
{
	struct unit_exit_set **set = field;
	auto_free char *s = word;

	(void)scope;
	if (!*set)
		*set = calloc(1, sizeof(**set));
	return *set ? add_exit(*set, s) : -ENOMEM;
}

int option_parse_exit_set(struct option_scope *scope, const char *value, void *field)
{
	return for_each_word(scope, value, take_exit, field);
}

void option_dump_exit_set(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	const struct unit_exit_set *const *set = field_of(option, unit);

	for (int code = 0; *set && code < 256; code++)
		if (unit_exit_set_contains(*set, CLD_EXITED, code))
			text_printf(t, "%s=%d\n", option->key, code);
	for (int signo = 1; *set && signo <= 64; signo++)
		if (unit_exit_set_contains(*set, CLD_KILLED, signo) && signal_name(signo))
			text_printf(t, "%s=%s\n", option->key, signal_name(signo));
}

enum limit_value {
	LIMIT_NUMBER,
	LIMIT_BYTES,
	LIMIT_SECONDS,
	LIMIT_USEC,
	LIMIT_NICE,
};

static const struct {
	const char *key;
	uint8_t resource;
	enum limit_value value;
} limits[] = {
	{ "LimitCPU", RLIMIT_CPU, LIMIT_SECONDS },
	{ "LimitFSIZE", RLIMIT_FSIZE, LIMIT_BYTES },
	{ "LimitDATA", RLIMIT_DATA, LIMIT_BYTES },
	{ "LimitSTACK", RLIMIT_STACK, LIMIT_BYTES },
	{ "LimitCORE", RLIMIT_CORE, LIMIT_BYTES },
	{ "LimitRSS", RLIMIT_RSS, LIMIT_BYTES },
	{ "LimitNOFILE", RLIMIT_NOFILE, LIMIT_NUMBER },
	{ "LimitAS", RLIMIT_AS, LIMIT_BYTES },
	{ "LimitNPROC", RLIMIT_NPROC, LIMIT_NUMBER },
	{ "LimitMEMLOCK", RLIMIT_MEMLOCK, LIMIT_BYTES },
	{ "LimitLOCKS", RLIMIT_LOCKS, LIMIT_NUMBER },
	{ "LimitSIGPENDING", RLIMIT_SIGPENDING, LIMIT_NUMBER },
	{ "LimitMSGQUEUE", RLIMIT_MSGQUEUE, LIMIT_BYTES },
	{ "LimitNICE", RLIMIT_NICE, LIMIT_NICE },
	{ "LimitRTPRIO", RLIMIT_RTPRIO, LIMIT_NUMBER },
	{ "LimitRTTIME", RLIMIT_RTTIME, LIMIT_USEC },
};

static size_t limit_index(const struct unit_option *option)
{
	size_t i = 0;

	while (strcmp(limits[i].key, option->key) != 0)
		i++;
	return i;
}

/* "+5" and "-5" are nice values; a bare number is the kernel's 1 … 40. */
static int parse_nice_limit(const char *s, uint64_t *ret)
{
	int v;

	if (*s != '+' && *s != '-')
		return parse_u64(s, ret) < 0 || *ret > 40 ? -EINVAL : 0;
	if (parse_int(*s == '+' ? s + 1 : s, &v) < 0 || v < -20 || v > 19)
		return -EINVAL;
	*ret = (uint64_t)(20 - v);
	return 0;
}

static int parse_limit_value(enum limit_value form, const char *s, rlim_t *ret)
{
	uint64_t v;
	int r;

	if (strcmp(s, "infinity") == 0) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	switch (form) {
	case LIMIT_NUMBER:
		r = parse_u64(s, &v);
		break;
	case LIMIT_BYTES:
		r = parse_bytes(s, &v);
		break;
	case LIMIT_SECONDS:
		r = parse_duration(s, USEC_PER_SEC, &v);
		v = r < 0 ? 0 : v / USEC_PER_SEC + (v % USEC_PER_SEC != 0);
		break;
	case LIMIT_USEC:
		r = parse_duration(s, 1, &v);
		break;
	case LIMIT_NICE:
		r = parse_nice_limit(s, &v);
		break;
	default:
		r = -EINVAL;
	}
	if (r < 0 || v >= RLIM_INFINITY)
		return -EINVAL;
	*ret = (rlim_t)v;
	return 0;
}

static struct unit_limit *find_limit(const struct unit *unit, uint8_t resource)
{
	for (uint32_t i = 0; i < unit->service.n_limits; i++)
		if (unit->service.limits[i].resource == resource)
			return &unit->service.limits[i];
	return NULL;
}

static int set_limit(struct unit *unit, uint8_t resource, const struct rlimit *value)
{
	struct unit_limit *limit = find_limit(unit, resource), *items;

	if (!limit) {
		items = realloc(unit->service.limits,
				(unit->service.n_limits + 1) * sizeof(*items));
		if (!items)
			return -ENOMEM;
		unit->service.limits = items;
		limit = &items[unit->service.n_limits++];
	}
	*limit = (struct unit_limit){ resource, *value };
	return 0;
}

int option_parse_limit(struct option_scope *scope, const char *value, void *field)
{
	size_t i = limit_index(scope->option);
	size_t n = strcspn(value, ":");
	auto_free char *soft = strndup(value, n);
	struct rlimit limit;

	(void)field;
	if (!soft)
		return -ENOMEM;
	if (parse_limit_value(limits[i].value, soft, &limit.rlim_cur) < 0)
		return -EINVAL;
	limit.rlim_max = limit.rlim_cur;
	if (value[n] &&
			parse_limit_value(limits[i].value, value + n + 1,
					&limit.rlim_max) < 0)
		return -EINVAL;
	if (limit.rlim_cur > limit.rlim_max)
		return option_refuse(scope, "The soft limit is above the hard limit",
				"Write soft:hard, with the smaller one first.");
	return set_limit(scope->unit, limits[i].resource, &limit);
}

static void dump_limit_value(enum limit_value form, rlim_t v, struct text *t)
{
	if (v == RLIM_INFINITY)
		text_append(t, "infinity");
	else
		text_printf(t, "%llu%s", (unsigned long long)v,
				form == LIMIT_USEC ? "us" : "");
}

void option_dump_limit(
		const struct unit_option *option, const struct unit *unit, struct text *t)
{
	size_t i = limit_index(option);
	const struct unit_limit *limit = find_limit(unit, limits[i].resource);

	if (!limit)
		return;
	text_printf(t, "%s=", option->key);
	dump_limit_value(limits[i].value, limit->value.rlim_cur, t);
	text_append_char(t, ':');
	dump_limit_value(limits[i].value, limit->value.rlim_max, t);
	text_append_char(t, '\n');
}

void option_reset_limit(const struct unit_option *option, struct unit *unit)
{
	struct unit_limit *limit = find_limit(unit, limits[limit_index(option)].resource);

	if (limit)
		*limit = unit->service.limits[--unit->service.n_limits];
}
