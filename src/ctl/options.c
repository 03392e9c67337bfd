/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/options.h"

#include <getopt.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "ctl/when.h"

/* Keeps getopt_long's results apart from letters and from '?'. */
#define INDEX_BASE  256
#define OPTIONS_MAX 64

static int set_json(struct options *o, const char *value UNUSED)
{
	o->json = true;
	return 0;
}

static int set_runtime_dir(struct options *o, const char *value)
{
	o->runtime_dir = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_socket(struct options *o, const char *value)
{
	o->socket = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_user(struct options *o, const char *value UNUSED)
{
	o->instance = INSTANCE_USER;
	return 0;
}

static int set_system(struct options *o, const char *value UNUSED)
{
	o->instance = INSTANCE_SYSTEM;
	return 0;
}

static int set_color(struct options *o, const char *value)
{
	static const char *const words[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], value) == 0) {
			o->color = (enum color_mode)i;
			return 0;
		}
	return -EINVAL;
}

static int set_timeout(struct options *o, const char *value)
{
	int r = parse_duration(value, USEC_PER_SEC, &o->timeout_usec);

	if (r < 0)
		return r;
	o->timeout_given = true;
	return o->timeout_usec > 0 ? 0 : -ERANGE;
}

static int set_help(struct options *o, const char *value UNUSED)
{
	o->help = true;
	return 0;
}

static int set_version(struct options *o, const char *value UNUSED)
{
	o->version = true;
	return 0;
}

static int set_all(struct options *o, const char *value UNUSED)
{
	o->all = true;
	return 0;
}

static int set_follow(struct options *o, const char *value UNUSED)
{
	o->follow = true;
	return 0;
}

static int set_since(struct options *o, const char *value)
{
	return when_parse(value, clock_realtime_usec(), &o->since_usec);
}

static int set_until(struct options *o, const char *value)
{
	return when_parse(value, clock_realtime_usec(), &o->until_usec);
}

static int set_lines(struct options *o, const char *value)
{
	o->lines = OPTIONS_ALL_LINES;
	return strcmp(value, "all") == 0 ? 0 : parse_u64(value, &o->lines);
}

static int set_journal_directory(struct options *o, const char *value)
{
	o->journal_directory = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_signal(struct options *o, const char *value)
{
	return parse_signal(value, &o->signal);
}

static int set_whom(struct options *o, const char *value)
{
	o->whom = value;
	if (strcmp(value, "main") == 0 || strcmp(value, "control") == 0 ||
			strcmp(value, "all") == 0)
		return 0;
	return -EINVAL;
}

/* Adds the words between commas. */
static int add_words(struct strv *v, const char *value)
{
	size_t n;
	int r = value[0] ? 0 : -EINVAL;

	for (; r == 0 && *value; value += n + (value[n] == ',')) {
		n = strcspn(value, ",");
		r = n > 0 ? strv_append_n(v, value, n) : -EINVAL;
	}
	return r;
}

static int add_keys(struct options *o, const char *value)
{
	return add_words(&o->keys, value);
}

static int add_states(struct options *o, const char *value)
{
	return add_words(&o->states, value);
}

static int set_names_only(struct options *o, const char *value UNUSED)
{
	o->names_only = true;
	return 0;
}

static int set_strict(struct options *o, const char *value UNUSED)
{
	o->strict = true;
	return 0;
}

/* clang-format off */
const struct option_info option_table[] = {
	{ "json", 0, NULL, NULL, NULL, "print one JSON document instead of text", set_json },
	{ "runtime-dir", 0, "DIR", NULL, NULL, "talk to the instance of this runtime folder", set_runtime_dir },
	{ "socket", 0, "PATH", NULL, NULL, "talk to the instance behind this control socket", set_socket },
	{ "system", 0, NULL, NULL, NULL, "talk to the instance of the system", set_system },
	{ "user", 0, NULL, NULL, NULL, "talk to the instance of the user", set_user },
	{ "timeout", 0, "DURATION", NULL, NULL, "wait no longer than this for an answer", set_timeout },
	{ "color", 0, "WHEN", NULL, NULL, "auto, always or never", set_color },
	{ "help", 'h', NULL, NULL, NULL, "explain the command, or all of them", set_help },
	{ "version", 0, NULL, NULL, NULL, "print the version", set_version },
	{ "all", 'a', NULL, NULL, " start stop restart ", "every unit that the root supervisor starts", set_all },
	{ "follow", 'f', NULL, NULL, " logs ", "wait for more lines until interrupted", set_follow },
	{ "lines", 'n', "N", "10", " logs status ", "the last N lines of the log, or all", set_lines },
	{ "since", 'S', "TIME", NULL, " logs ", "what was logged at this time and later", set_since },
	{ "until", 'U', "TIME", NULL, " logs ", "what was logged up to this time", set_until },
	{ "journal-directory", 0, "DIR", NULL, " logs status ", "read the journal in this folder", set_journal_directory },
	{ "property", 'p', "KEY", NULL, " show ", "only these keys, between commas or several times", add_keys },
	{ "signal", 's', "SIGNAL", NULL, " kill ", "name or number; SIGTERM if not given", set_signal },
	{ "whom", 0, "WHOM", NULL, " kill ", "main, control or all processes; all if not given", set_whom },
	{ "state", 0, "STATE", NULL, " list ", "only units in one of these states, between commas", add_states },
	{ "names", 0, NULL, NULL, " list ", "only the names, one on a line", set_names_only },
	{ "strict", 0, NULL, NULL, " verify ", "fail on warnings too", set_strict },
	{ 0 },
};
/* clang-format on */

void options_fini(struct options *options)
{
	strv_fini(&options->keys);
	strv_fini(&options->states);
	*options = (struct options){ 0 };
}

bool option_fits(const struct option_info *option, const char *command)
{
	size_t n = strlen(command);

	if (!option->commands)
		return true;
	for (const char *p = option->commands; (p = strstr(p, command)); p += n)
		if (p[-1] == ' ' && p[n] == ' ')
			return true;
	return false;
}

const struct option_info *options_find_misplaced(
		const struct options *options, const char *command)
{
	for (size_t i = 0; option_table[i].name; i++)
		if (options->given >> i & 1 && !option_fits(&option_table[i], command))
			return &option_table[i];
	return NULL;
}

/* As getopt_long counts: none, one, one that may be left out. */
static int has_argument(const struct option_info *info)
{
	if (!info->argument)
		return no_argument;
	return info->fallback ? optional_argument : required_argument;
}

/* The table in the forms that getopt_long wants. */
static void fill_getopt(char *letters, struct option *longs)
{
	size_t n = 0;

	letters[n++] = ':'; /* a missing value is told apart from an unknown option */
	for (size_t i = 0; option_table[i].name; i++) {
		const struct option_info *info = &option_table[i];

		bug_unless(i < OPTIONS_MAX);
		longs[i] = (struct option){ .name = info->name,
			.has_arg = has_argument(info),
			.val = INDEX_BASE + (int)i };
		if (!info->letter)
			continue;
		letters[n++] = info->letter;
		for (int colons = has_argument(info); colons > 0; colons--)
			letters[n++] = ':';
	}
	letters[n] = '\0';
}

static int index_of(int found)
{
	for (int i = 0; option_table[i].name; i++)
		if (found == INDEX_BASE + i || found == option_table[i].letter)
			return i;
	return -1;
}

/* Why getopt_long did not like the word that it stopped at. */
static void explain(struct text *message, int found, char **argv)
{
	const char *word = argv[optind - 1];

	if (found == ':')
		text_printf(message, "option '%s' needs a value", word);
	else if (optopt > 0 && optopt < INDEX_BASE)
		text_printf(message, "there is no option '-%c': see airssysctl help",
				optopt);
	else if (optopt >= INDEX_BASE)
		text_printf(message, "option '--%s' takes no value",
				option_table[optopt - INDEX_BASE].name);
	else
		text_printf(message,
				"there is no option '%s', or it is ambiguous: see airssysctl help",
				word);
}

/*
 * The value of an option that may go without: one that was not tied to it is the next
 * word when that begins with a digit or is "all".
 */
static const char *take_value(const struct option_info *info, int argc, char **argv)
{
	const char *next = optind < argc ? argv[optind] : "";

	if (!info->argument || optarg || !info->fallback)
		return optarg;
	if (strcmp(next, "all") != 0 && !(*next >= '0' && *next <= '9'))
		return info->fallback;
	optind++;
	return next;
}

static int apply(struct options *options, int index, const char *value,
		struct text *message)
{
	const struct option_info *info = &option_table[index];
	int r;

	options->given |= UINT64_C(1) << index;
	r = info->apply(options, value);
	if (r < 0 && r != -ENOMEM)
		text_printf(message, "'%s' is no value for --%s: %s", value, info->name,
				info->help);
	return r == 0 || r == -ENOMEM ? r : -EINVAL;
}

int options_parse(struct options *options, int argc, char **argv, struct text *message,
		int *ret_first)
{
	struct option longs[OPTIONS_MAX + 1] = { 0 };
	char letters[3 * OPTIONS_MAX + 2];
	int found, index, r;

	fill_getopt(letters, longs);
	opterr = 0;
	optind = 0;
	while ((found = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		index = found == '?' || found == ':' ? -1 : index_of(found);
		if (index < 0) {
			explain(message, found, argv);
			return -EINVAL;
		}
		r = apply(options, index, take_value(&option_table[index], argc, argv),
				message);
		if (r < 0)
			return r;
	}
	*ret_first = optind;
	return 0;
}
