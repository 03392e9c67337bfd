/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <string.h>

#include "ctl/cmd.h"
#include "ctl/facts.h"

/*
 * The facts, then the settings. A setting that is a list stands on one line per element,
 * as in a file; in JSON every setting is an array, so that the form does not depend on
 * its length.
 */

static bool is_wanted(const struct options *o, const char *key, size_t size)
{
	for (size_t i = 0; i < o->keys.count; i++)
		if (strlen(o->keys.items[i]) == size &&
				strncmp(o->keys.items[i], key, size) == 0)
			return true;
	return o->keys.count == 0;
}

/* The lines of the settings, each NUL-terminated in place of its newline. */
static int split_settings(const struct facts *facts, struct strv *ret_lines)
{
	const char *p = facts_text(facts, "Settings");
	int r = 0;

	while (r == 0 && *p) {
		size_t n = strcspn(p, "\n");

		if (memchr(p, '=', n))
			r = strv_append_n(ret_lines, p, n);
		p += n + (p[n] == '\n');
	}
	return r;
}

static void print_line(struct ctl *ctl, const char *key, size_t size, const char *value)
{
	terminal_append_safe_n(&ctl->terminal, &ctl->out, key, size);
	text_append_char(&ctl->out, '=');
	terminal_append_safe(&ctl->terminal, &ctl->out, value);
	text_append_char(&ctl->out, '\n');
}

static void print_text(
		struct ctl *ctl, const struct facts *facts, const struct strv *settings)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *f = &facts->items[i];
		auto_text value = { 0 };

		if (strcmp(f->key, "Settings") == 0 ||
				!is_wanted(&ctl->options, f->key, strlen(f->key)))
			continue;
		fact_append(f, &value);
		print_line(ctl, f->key, strlen(f->key), text_get(&value));
	}
	for (size_t i = 0; i < settings->count; i++) {
		const char *line = settings->items[i];
		size_t size = strcspn(line, "=");

		if (is_wanted(&ctl->options, line, size))
			print_line(ctl, line, size, line + size + 1);
	}
}

/* The values of the key that line i begins; 0 when an earlier line has the same key. */
static int json_setting(const struct strv *settings, size_t i, struct json *j)
{
	const char *line = settings->items[i];
	size_t size = strcspn(line, "=") + 1;
	auto_free char *key = strndup(line, size - 1);

	if (!key)
		return -ENOMEM;
	for (size_t k = 0; k < i; k++)
		if (strncmp(settings->items[k], line, size) == 0)
			return 0;
	json_key(j, key);
	json_begin_array(j);
	for (size_t k = i; k < settings->count; k++)
		if (strncmp(settings->items[k], line, size) == 0)
			json_text(j, settings->items[k] + size);
	json_end_array(j);
	return 0;
}

static int print_json(struct ctl *ctl, const struct facts *facts,
		const struct strv *settings, struct json *j)
{
	int r = 0;

	json_begin_object(j);
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *f = &facts->items[i];

		if (strcmp(f->key, "Settings") != 0 &&
				is_wanted(&ctl->options, f->key, strlen(f->key)))
			fact_json(f, j);
	}
	json_key(j, "Settings");
	json_begin_object(j);
	for (size_t i = 0; r == 0 && i < settings->count; i++)
		if (is_wanted(&ctl->options, settings->items[i],
				    strcspn(settings->items[i], "=")))
			r = json_setting(settings, i, j);
	json_end_object(j);
	json_end_object(j);
	return r;
}

static enum ctl_exit show_unit(struct ctl *ctl, char *name, struct json *j)
{
	auto_message reply = NULL;
	auto_facts facts = { 0 };
	auto_strv settings = { 0 };
	int r;

	ctl_trim_name(name);
	r = client_call(&ctl->client, ctl_query_timeout(ctl), "GetUnit", name, &reply);
	if (r >= 0)
		r = facts_read(reply, &facts);
	if (r < 0)
		return ctl_fail_call(ctl, r, name);
	r = split_settings(&facts, &settings);
	if (r >= 0 && ctl->options.json)
		r = print_json(ctl, &facts, &settings, j);
	else if (r >= 0)
		print_text(ctl, &facts, &settings);
	return r < 0 ? ctl_out_of_memory(ctl) : CTL_DONE;
}

static enum ctl_exit run_show(struct ctl *ctl, char **names, size_t n_names)
{
	struct json j = { .out = &ctl->out };
	enum ctl_exit exit = ctl_connect(ctl);

	if (ctl->options.json)
		json_begin_array(&j);
	for (size_t i = 0; exit == CTL_DONE && i < n_names; i++) {
		if (i > 0 && !ctl->options.json)
			text_append_char(&ctl->out, '\n');
		exit = show_unit(ctl, names[i], &j);
	}
	if (exit != CTL_DONE) {
		text_clear(&ctl->out);
		return exit;
	}
	if (ctl->options.json) {
		json_end_array(&j);
		text_append_char(&ctl->out, '\n');
	}
	return exit;
}

const struct command cmd_show = {
	.name = "show",
	.arguments = "NAME...",
	.summary = "print all properties and settings of units as KEY=VALUE",
	.help = "The properties come first, then every setting as it applies, those that no file "
		"mentions too. For programs; \"status\" is for people. With --json "
		"the settings are in an object of their own.",
	.min_names = 1,
	.max_names = UINT32_MAX,
	.run = run_show,
};
