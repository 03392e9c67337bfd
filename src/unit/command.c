/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/words.h"

static const char *const program_folders[] = { "/usr/local/sbin", "/usr/local/bin",
	"/usr/sbin", "/usr/bin", "/sbin", "/bin" };

struct command_parser {
	const struct specifier_scope *scope;
	struct words words;
	struct command_report *report;
};

static int refuse(struct command_parser *p, const char *problem, const char *remedy)
{
	p->report->problem = problem;
	p->report->remedy = remedy;
	return -EINVAL;
}

static int next_word(struct command_parser *p, struct text *ret_word)
{
	int r = words_next(&p->words, ret_word);

	p->report->has_unknown_escape |= p->words.saw_unknown_escape;
	if (r == -EINVAL)
		return refuse(p, "A quote is not closed in this command line",
				"Close the quote, or write \\\" for a quote that is meant.");
	if (r == -EILSEQ)
		return refuse(p, "An escape in this command line stands for no character",
				"Leave it out; arguments cannot contain a NUL.");
	return r;
}

static int expand(struct command_parser *p, const char *word, char **ret)
{
	auto_text t = { 0 };
	int r;

	text_append(&t, "");
	r = specifier_expand(p->scope, word, &t, &p->report->specifier);
	if (r == -EINVAL)
		return refuse(p, "A specifier in this command line is not known",
				"Write %% for a percent sign.");
	if (r < 0)
		return r;
	*ret = text_take(&t);
	return *ret ? 0 : -ENOMEM;
}

/* The prefix characters; which of them go together is systemd's rule. */
static int take_prefixes(struct command_parser *p, const char **word,
		struct unit_command *c, int *ret_separate_name)
{
	int privileges = 0, separate = 0;

	for (;; (*word)++) {
		if (**word == '-' && !c->ignore_failure) {
			c->ignore_failure = true;
		} else if (**word == ':' && !c->no_expansion) {
			c->no_expansion = true;
		} else if (**word == '@' && !separate) {
			separate = 1;
		} else if (**word == '+' && privileges++ == 0) {
			c->full_privileges = true;
		} else if (**word == '!' && privileges++ == 0) {
			/* "!!" is "!" only where there are no ambient capabilities. */
			c->keep_privileges = (*word)[1] != '!';
			*word += (*word)[1] == '!';
		} else {
			break;
		}
	}
	*ret_separate_name = separate;
	return strchr("-:@+!", **word) && **word
			? refuse(p, "The prefix characters of this command do not go together",
					  "Use each of - : @ at most once, and one of + ! !! at most.")
			: 0;
}

static int check_path(struct command_parser *p, const char *path)
{
	size_t n = strlen(path);

	if (n == 0)
		return refuse(p, "There is no program behind the prefix characters",
				"Write the program's path directly behind them.");
	if (path[n - 1] == '/')
		return refuse(p, "The path of the program ends with a slash",
				"Write the path of a file.");
	if (*path != '/' && strchr(path, '/'))
		return refuse(p, "The path of the program is relative",
				"Write an absolute path, or the program's name alone.");
	return 0;
}

/* Whether a lone semicolon, or an escaped one, is the next word. */
static bool is_next(const char *at, const char *what)
{
	size_t n = strlen(what);

	return strncmp(at, what, n) == 0 && (!at[n] || strchr(WORDS_WHITE_SPACE, at[n]));
}

/* The next word of a command; an escaped lone semicolon is one, a lone semicolon is none.
 * 1, 0 at the end of the command, or a negative errno. */
static int next_argument(struct command_parser *p, char **ret_argument)
{
	auto_text word = { 0 };
	int r;

	p->words.at += strspn(p->words.at, WORDS_WHITE_SPACE);
	if (is_next(p->words.at, ";"))
		return 0;
	if (is_next(p->words.at, "\\;")) {
		p->words.at += 2;
		*ret_argument = strdup(";");
		return *ret_argument ? 1 : -ENOMEM;
	}
	r = next_word(p, &word);
	if (r <= 0)
		return r;
	r = expand(p, text_get(&word), ret_argument);
	return r < 0 ? r : 1;
}

/* Path and argv[0] from the first words. */
static int parse_program(struct command_parser *p, struct unit_command *c)
{
	auto_text word = { 0 };
	auto_free char *name = NULL;
	const char *at;
	int r, separate;

	r = next_word(p, &word);
	if (r < 0)
		return r;
	at = text_get(&word);
	r = take_prefixes(p, &at, c, &separate);
	if (r < 0)
		return r;
	r = expand(p, at, &c->path);
	if (r < 0)
		return r;
	r = check_path(p, c->path);
	if (r < 0)
		return r;
	if (!separate)
		return strv_append(&c->argv, c->path);
	r = next_argument(p, &name);
	if (r == 0)
		return refuse(p,
				"The prefix @ needs a second word, the name to run under",
				"Add the name, or take the @ away.");
	return r < 0 ? r : strv_append_take(&c->argv, TAKE_PTR(name));
}

static void skip_separators(struct words *w)
{
	for (;; w->at++) {
		w->at += strspn(w->at, WORDS_WHITE_SPACE);
		if (!is_next(w->at, ";"))
			return;
	}
}

static int parse_arguments(struct command_parser *p, struct unit_command *c)
{
	char *argument;
	int r;

	while ((r = next_argument(p, &argument)) > 0) {
		r = strv_append_take(&c->argv, argument);
		if (r < 0)
			return r;
	}
	return r;
}

static int append_command(struct unit_commands *commands, struct unit_command *c)
{
	struct unit_command *items;

	items = realloc(commands->items, (commands->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	commands->items = items;
	items[commands->count++] = *c;
	*c = (struct unit_command){ 0 };
	return 0;
}

static int parse_all(struct command_parser *p, struct unit_commands *commands)
{
	struct unit_command c = { 0 };
	int r;

	for (;;) {
		skip_separators(&p->words);
		if (!*p->words.at)
			break;
		r = parse_program(p, &c);
		if (r == 0)
			r = parse_arguments(p, &c);
		if (r == 0)
			r = append_command(commands, &c);
		if (r < 0) {
			command_fini(&c);
			return r;
		}
	}
	return 0;
}

int command_parse(const char *value, const struct specifier_scope *scope,
		struct unit_commands *commands, struct command_report *ret_report)
{
	struct command_parser p = {
		.scope = scope,
		.words = { .at = value, .mode = WORDS_ESCAPED },
		.report = ret_report,
	};
	uint32_t before = commands->count;
	int r;

	*ret_report = (struct command_report){ 0 };
	r = parse_all(&p, commands);
	if (r == 0 && commands->count == before)
		r = refuse(&p, "This command line has no command",
				"Write the path of a program.");
	while (r < 0 && commands->count > before)
		command_fini(&commands->items[--commands->count]);
	return r;
}

int command_check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int command_find_program(const char *name, char **ret_path)
{
	int error = -ENOENT, r;

	for (size_t i = 0; i < ARRAY_SIZE(program_folders); i++) {
		auto_free char *path = text_format("%s/%s", program_folders[i], name);

		if (!path)
			return -ENOMEM;
		r = command_check_program(path);
		if (r == 0) {
			*ret_path = TAKE_PTR(path);
			return 0;
		}
		if (error == -ENOENT)
			error = r;
	}
	return error;
}

static bool is_plain(const char *word)
{
	for (const char *c = word; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("\"'\\", *c))
			return false;
	return *word && strcmp(word, ";") != 0;
}

void command_dump_word(const char *word, struct text *t)
{
	bool plain = is_plain(word);

	if (!plain)
		text_append_char(t, '"');
	for (; *word; word++) {
		if (*word == '%')
			text_append(t, "%%");
		else if (*word == '"' || *word == '\\')
			text_printf(t, "\\%c", *word);
		else if (((unsigned char)*word < ' ') || *word == 0x7f)
			text_printf(t, "\\x%02x", (unsigned int)*word);
		else
			text_append_char(t, *word);
	}
	if (!plain)
		text_append_char(t, '"');
}

void command_dump(const struct unit_command *command, struct text *t)
{
	bool separate = !text_equals(command->path, command->argv.items[0]);

	text_append(t, command->ignore_failure ? "-" : "");
	text_append(t, separate ? "@" : "");
	text_append(t, command->no_expansion ? ":" : "");
	text_append(t, command->full_privileges ? "+" : "");
	text_append(t, command->keep_privileges ? "!" : "");
	command_dump_word(command->path, t);
	for (size_t i = separate ? 0 : 1; i < command->argv.count; i++) {
		text_append_char(t, ' ');
		command_dump_word(command->argv.items[i], t);
	}
}

void command_fini(struct unit_command *command)
{
	free(command->path);
	strv_fini(&command->argv);
	*command = (struct unit_command){ 0 };
}

void commands_fini(struct unit_commands *commands)
{
	for (uint32_t i = 0; i < commands->count; i++)
		command_fini(&commands->items[i]);
	free(commands->items);
	*commands = (struct unit_commands){ 0 };
}
