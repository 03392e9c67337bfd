/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/draft.h"

#include <string.h>
#include <strings.h>
#include <sys/capability.h>

#include "osl/ini.h"
#include "osl/policy.h"

/* Blanks between the words of a list. */
#define BLANKS " \t"

void draft_init(struct draft *draft, struct diag *d)
{
	*draft = (struct draft){
		.diag = d,
		.no_new_privs = -1,
		.bounding_set = POLICY_ALL_CAPABILITIES,
	};
	filter_rules_init(&draft->rules);
}

void draft_fini(struct draft *draft)
{
	free(draft->description);
	draft->description = NULL;
}

/* A file while its lines are read. */
struct source {
	struct draft *draft;
	const char *file;
	struct ini ini;
	bool in_policy; /* in [Policy] */
	bool ignored; /* in a section that is not ours, or not known and blamed */
};

static const struct {
	enum diag_severity severity;
	const char *code, *remedy;
} mistakes[] = {
#define MISTAKE(name, severity, code, remedy)                                            \
	[MISTAKE_##name] = { DIAG_##severity, code, remedy },
#include "osl/mistake.def"
#undef MISTAKE
};

void draft_tell(struct draft *draft, struct diag_place place, enum draft_mistake mistake,
		const char *format, ...)
{
	auto_text t = { 0 };
	va_list ap;

	draft->mistakes += mistakes[mistake].severity == DIAG_ERROR;
	va_start(ap, format);
	text_vprintf(&t, format, ap);
	va_end(ap);
	diag_add(draft->diag, mistakes[mistake].severity, mistakes[mistake].code, place,
			mistakes[mistake].remedy, "%s", text_get(&t));
}

static struct diag_place here(const struct source *s)
{
	return (struct diag_place){ .file = s->file, .line = s->ini.line };
}

/* Cuts the next word of a list off *list, in place; NULL at its end. */
static char *cut_word(char **list)
{
	char *word = *list + strspn(*list, BLANKS);
	size_t n = strcspn(word, BLANKS);

	if (n == 0)
		return NULL;
	*list = word + n + (word[n] != '\0');
	word[n] = '\0';
	return word;
}

/* "~" in front of a list turns it around. */
static bool cut_tilde(char **list)
{
	if (**list != '~')
		return false;
	(*list)++;
	return true;
}

/* The number of an errno by its name or in digits; 0 when there is none. */
static int parse_error_number(const char *s)
{
	unsigned int number;

	if (parse_uint(s, &number) == 0)
		return number <= FILTER_ERROR_MAX ? (int)number : 0;
	for (int error = 1; error < 256; error++)
		if (text_equals(errno_name(error), s))
			return error;
	return 0;
}

static int apply_description(struct source *s, char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(s->draft->description);
	s->draft->description = copy;
	return 0;
}

/* The first pass has followed it. */
static int apply_extends(struct source *s UNUSED, char *value UNUSED)
{
	return 0;
}

static int apply_no_new_privileges(struct source *s, char *value)
{
	bool yes;

	if (parse_bool(value, &yes) < 0)
		draft_tell(s->draft, here(s), MISTAKE_NO_BOOLEAN,
				"NoNewPrivileges= takes a yes or a no, not \"%s\"",
				value);
	else
		s->draft->no_new_privs = yes;
	return 0;
}

/* As in systemd: lists add up, turned ones take away, the first one replaces "all". */
static int apply_bounding_set(struct source *s, char *value)
{
	uint64_t *set = &s->draft->bounding_set, listed = 0;
	bool is_turned = cut_tilde(&value);
	cap_value_t number;
	char *word;

	while ((word = cut_word(&value))) {
		if (strncasecmp(word, "CAP_", 4) == 0 &&
				cap_from_name(word, &number) == 0) {
			listed |= UINT64_C(1) << number;
			continue;
		}
		draft_tell(s->draft, here(s), MISTAKE_UNKNOWN_CAPABILITY,
				"There is no capability \"%s\"", word);
	}
	if (listed == 0 || *set == POLICY_ALL_CAPABILITIES)
		*set = is_turned ? ~listed : listed;
	else
		*set = is_turned ? *set & ~listed : *set | listed;
	return 0;
}

static void apply_call(struct source *s, enum filter_sign sign, char *word)
{
	char *colon = strchr(word, ':');
	int error = 0;

	if (colon) {
		*colon = '\0';
		error = parse_error_number(colon + 1);
		if (error == 0) {
			draft_tell(s->draft, here(s), MISTAKE_UNKNOWN_ERRNO,
					"There is no errno \"%s\"", colon + 1);
			return;
		}
	}
	if (filter_rules_add(&s->draft->rules, sign, word, error) == 0)
		return;
	if (word[0] == '@')
		draft_tell(s->draft, here(s), MISTAKE_UNKNOWN_GROUP,
				"There is no group of system calls \"%s\"", word);
	else
		draft_tell(s->draft, here(s), MISTAKE_UNKNOWN_CALL,
				"There is no system call \"%s\"", word);
}

static int apply_filter(struct source *s, char *value)
{
	enum filter_sign sign = cut_tilde(&value) ? FILTER_MINUS : FILTER_PLUS;
	char *word;

	if (!*value && sign == FILTER_PLUS)
		filter_rules_reset(&s->draft->rules);
	while ((word = cut_word(&value)))
		apply_call(s, sign, word);
	return 0;
}

static int apply_filter_error(struct source *s, char *value)
{
	int error = *value ? parse_error_number(value) : EPERM;

	if (error == 0)
		draft_tell(s->draft, here(s), MISTAKE_UNKNOWN_ERRNO,
				"There is no errno \"%s\"", value);
	else
		s->draft->rules.error_number = error;
	return 0;
}

static int apply_architectures(struct source *s, char *value)
{
	s->draft->native_only = *value != '\0';
	if (*value && strcmp(value, "native") != 0)
		draft_tell(s->draft, here(s), MISTAKE_FOREIGN_ARCHITECTURE,
				"Filters are made for the native architecture only, not for \"%s\"",
				value);
	return 0;
}

/* A function returns 0, also when it blames the value, or -ENOMEM. */
static const struct key {
	const char *name;
	int (*apply)(struct source *s, char *value);
} keys[] = {
	{ "CapabilityBoundingSet", apply_bounding_set },
	{ "Description", apply_description },
	{ "Extends", apply_extends },
	{ "NoNewPrivileges", apply_no_new_privileges },
	{ "SystemCallArchitectures", apply_architectures },
	{ "SystemCallErrorNumber", apply_filter_error },
	{ "SystemCallFilter", apply_filter },
};

static int apply_assignment(struct source *s)
{
	if (s->ignored || has_prefix(s->ini.key, "X-"))
		return 0;
	if (!s->in_policy) {
		draft_tell(s->draft, here(s), MISTAKE_NO_SECTION,
				"%s= stands in no section", s->ini.key);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].name, s->ini.key) == 0)
			return keys[i].apply(s, s->ini.value);
	draft_tell(s->draft, here(s), MISTAKE_UNKNOWN_KEY,
			"There is no key %s=", s->ini.key);
	return 0;
}

static void enter_section(struct source *s)
{
	s->in_policy = strcmp(s->ini.section, "Policy") == 0;
	s->ignored = !s->in_policy;
	if (s->in_policy || has_prefix(s->ini.section, "X-"))
		return;
	draft_tell(s->draft, here(s), MISTAKE_UNKNOWN_SECTION, "There is no section [%s]",
			s->ini.section);
}

static int apply_line(struct source *s, enum ini_kind kind)
{
	switch (kind) {
	case INI_SECTION:
		enter_section(s);
		return 0;
	case INI_ASSIGNMENT:
		return apply_assignment(s);
	case INI_TOO_LONG:
		draft_tell(s->draft, here(s), MISTAKE_LONG_LINE,
				"The line has more than %d bytes", POLICY_LINE_MAX);
		return 0;
	case INI_MALFORMED:
	case INI_END:
		break;
	}
	draft_tell(s->draft, here(s), MISTAKE_MALFORMED_LINE,
			"The line is neither an assignment nor a section");
	return 0;
}

int draft_find_extends(
		const char *data, size_t size, char **ret_name, unsigned int *ret_line)
{
	auto_free char *name = NULL;
	auto_ini ini;
	int kind;

	ini_init(&ini, data, size, POLICY_LINE_MAX);
	while ((kind = ini_next(&ini)) > INI_END) {
		if (kind != INI_ASSIGNMENT || strcmp(ini.key, "Extends") != 0)
			continue;
		free(name);
		name = strdup(ini.value);
		if (!name)
			return -ENOMEM;
		*ret_line = ini.line;
	}
	if (kind < 0)
		return kind;
	*ret_name = name && *name ? TAKE_PTR(name) : NULL;
	return 0;
}

int draft_apply(struct draft *draft, const char *file, const char *data, size_t size)
{
	struct source s = { .draft = draft, .file = file };
	int kind, r = 0;

	if (memchr(data, '\0', size) || !text_is_utf8(data, size)) {
		draft_tell(draft, (struct diag_place){ .file = file }, MISTAKE_NO_TEXT,
				"The file is not UTF-8 text");
		return 0;
	}
	ini_init(&s.ini, data, size, POLICY_LINE_MAX);
	while (r == 0 && (kind = ini_next(&s.ini)) != INI_END)
		r = kind < 0 ? kind : apply_line(&s, (enum ini_kind)kind);
	ini_fini(&s.ini);
	return r;
}

const char *draft_key_at(size_t index)
{
	return index < ARRAY_SIZE(keys) ? keys[index].name : NULL;
}

const char *draft_code_at(size_t index)
{
	return index < ARRAY_SIZE(mistakes) ? mistakes[index].code : NULL;
}
