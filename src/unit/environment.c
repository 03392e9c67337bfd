/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/environment.h"

#include <errno.h>
#include <string.h>

#include "unit/code.h"
#include "unit/words.h"

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_';
}

bool environment_name_is_valid(const char *name, size_t size)
{
	if (size == 0 || (*name >= '0' && *name <= '9'))
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_name_character(name[i]))
			return false;
	return true;
}

/* The place of a name's entry, or NULL. */
static char **find_entry(const struct strv *environment, const char *name, size_t size)
{
	for (size_t i = 0; i < environment->count; i++)
		if (strncmp(environment->items[i], name, size) == 0 &&
				environment->items[i][size] == '=')
			return &environment->items[i];
	return NULL;
}

const char *environment_find(
		const struct strv *environment, const char *name, size_t size)
{
	char **entry = find_entry(environment, name, size);

	return entry ? *entry + size + 1 : NULL;
}

int environment_set(struct strv *environment, const char *entry)
{
	size_t size = strcspn(entry, "=");
	char **old, *copy;

	if (entry[size] != '=' || !environment_name_is_valid(entry, size))
		return -EINVAL;
	old = find_entry(environment, entry, size);
	if (!old)
		return strv_append(environment, entry);
	copy = strdup(entry);
	if (!copy)
		return -ENOMEM;
	free(*old);
	*old = copy;
	return 0;
}

int environment_merge(struct strv *environment, const struct strv *other)
{
	int r;

	for (size_t i = 0; i < other->count; i++) {
		r = environment_set(environment, other->items[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where the reader of an environment file stands. */
struct reader {
	const char *at, *end;
	unsigned int line;
};

static bool at_end(const struct reader *r)
{
	return r->at >= r->end;
}

static char next_character(struct reader *r)
{
	char c = *r->at++;

	if (c == '\n')
		r->line++;
	return c;
}

static void skip_blank(struct reader *r)
{
	while (!at_end(r) && strchr(WORDS_WHITE_SPACE, *r->at))
		(void)next_character(r);
}

static void skip_line(struct reader *r)
{
	while (!at_end(r) && next_character(r) != '\n')
		;
}

/* A quoted part, behind its opening quote. -EINVAL when it is not closed. */
static int read_quoted(struct reader *r, char quote, struct text *t)
{
	char c;

	while (!at_end(r)) {
		c = next_character(r);
		if (c == quote)
			return 0;
		if (c == '\\' && quote == '"' && !at_end(r)) {
			c = next_character(r);
			if (c == '\n')
				continue;
			if (!strchr("\"\\`$", c))
				text_append_char(t, '\\');
		}
		text_append_char(t, c);
	}
	return -EINVAL;
}

/* The value behind '=', to the end of its line, without the white space around it. */
static int read_value(struct reader *r, struct text *t)
{
	size_t keep = t->size;
	char c;

	while (!at_end(r) && (*r->at == ' ' || *r->at == '\t'))
		r->at++;
	while (!at_end(r)) {
		c = next_character(r);
		if (c == '\n')
			break;
		if (c == '"' || c == '\'') {
			if (read_quoted(r, c, t) < 0)
				return -EINVAL;
			keep = t->size;
			continue;
		}
		if (c == '\\') {
			if (at_end(r))
				break;
			c = next_character(r);
			if (c == '\n')
				continue;
			text_append_char(t, c);
			keep = t->size;
			continue;
		}
		text_append_char(t, c);
		if (!strchr(WORDS_WHITE_SPACE, c))
			keep = t->size;
	}
	if (!t->failed && t->data) {
		t->size = keep;
		t->data[keep] = '\0';
	}
	return 0;
}

static void tell(struct diag *diag, const char *file, unsigned int line, const char *what)
{
	diag_add(diag, DIAG_WARNING, unit_code(CODE_ENVIRONMENT_FILE),
			(struct diag_place){ file, line },
			"Write NAME=value, with the value in double quotes when it has special "
			"characters.",
			"%s; it is left out.", what);
}

/* One assignment at the reader. */
static int read_entry(struct reader *r, const char *file, struct diag *diag,
		struct strv *environment)
{
	const char *name = r->at;
	unsigned int line = r->line;
	auto_text entry = { 0 };
	size_t size;

	while (!at_end(r) && *r->at != '=' && *r->at != '\n')
		r->at++;
	size = (size_t)(r->at - name);
	while (size > 0 && strchr(WORDS_WHITE_SPACE, name[size - 1]))
		size--;
	if (at_end(r) || *r->at != '=' || !environment_name_is_valid(name, size)) {
		tell(diag, file, line, "This line is no NAME=value");
		skip_line(r);
		return 0;
	}
	r->at++;
	text_append_n(&entry, name, size);
	text_append_char(&entry, '=');
	if (read_value(r, &entry) < 0) {
		tell(diag, file, line, "A quote is not closed in this value");
		return 0;
	}
	return entry.failed ? -ENOMEM : environment_set(environment, text_get(&entry));
}

int environment_parse_file(const char *file, const char *data, size_t size,
		struct diag *diag, struct strv *environment)
{
	struct reader reader = { .at = data, .end = data + size, .line = 1 };
	int r;

	if (size > 0 && memchr(data, '\0', size))
		return -EINVAL;
	for (skip_blank(&reader); !at_end(&reader); skip_blank(&reader)) {
		if (*reader.at == '#' || *reader.at == ';') {
			skip_line(&reader);
			continue;
		}
		r = read_entry(&reader, file, diag, environment);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A word with its ${NAME} replaced, and $$ by a dollar sign. */
static int expand_word(
		const char *word, const struct strv *environment, struct strv *argv)
{
	auto_text t = { 0 };
	const char *value, *end;

	text_append(&t, "");
	for (; *word; word++) {
		end = *word == '$' && word[1] == '{' ? strchr(word, '}') : NULL;
		if (end &&
				environment_name_is_valid(
						word + 2, (size_t)(end - word - 2))) {
			value = environment_find(
					environment, word + 2, (size_t)(end - word - 2));
			text_append(&t, value ? value : "");
			word = end;
			continue;
		}
		text_append_char(&t, *word);
		if (*word == '$' && word[1] == '$')
			word++;
	}
	return strv_append_take(argv, text_take(&t));
}

int environment_expand(const struct strv *argv, const struct strv *environment,
		struct strv *ret_argv)
{
	auto_strv v = { 0 };
	const char *word, *value;
	int r;

	for (size_t i = 0; i < argv->count; i++) {
		word = argv->items[i];
		if (i == 0) {
			r = strv_append(&v, word);
		} else if (word[0] == '$' &&
				environment_name_is_valid(word + 1, strlen(word + 1))) {
			value = environment_find(environment, word + 1, strlen(word + 1));
			r = words_append(&v, value ? value : "", WORDS_RELAXED);
		} else {
			r = expand_word(word, environment, &v);
		}
		if (r < 0)
			return r;
	}
	*ret_argv = v;
	v = (struct strv){ 0 };
	return 0;
}
