/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/cmd.h"

/*
 * The text of files that the administrator wrote is printed as it is into a pipe or a
 * file, but escaped line by line on a terminal.
 */

static void print_safe_lines(struct ctl *ctl, const char *text)
{
	for (const char *p = text; *p;) {
		size_t n = __builtin_strcspn(p, "\n\t");

		terminal_append_safe_n(&ctl->terminal, &ctl->out, p, n);
		if (p[n])
			text_append_char(&ctl->out, p[n]);
		p += n + (p[n] != '\0');
	}
}

static void print_file(struct ctl *ctl, const char *path, const char *text)
{
	struct text *out = &ctl->out;

	if (out->size > 0)
		text_append_char(out, '\n');
	terminal_begin_style(&ctl->terminal, out, STYLE_DIM);
	text_append(out, "# ");
	terminal_append_safe(&ctl->terminal, out, path);
	terminal_end_style(&ctl->terminal, out, STYLE_DIM);
	text_append_char(out, '\n');
	if (ctl->terminal.is_terminal)
		print_safe_lines(ctl, text);
	else
		text_append(out, text);
	if (out->data && out->data[out->size - 1] != '\n')
		text_append_char(out, '\n');
}

static int print_files(struct ctl *ctl, sd_bus_message *reply, struct json *j)
{
	const char *path, *text;
	int r;

	r = sd_bus_message_enter_container(reply, 'a', "(ss)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &path, &text)) > 0) {
		if (!ctl->options.json) {
			print_file(ctl, path, text);
			continue;
		}
		json_begin_object(j);
		json_member_text(j, "path", path);
		json_member_text(j, "text", text);
		json_end_object(j);
	}
	return r;
}

static enum ctl_exit cat_unit(struct ctl *ctl, char *name, struct json *j)
{
	auto_message reply = NULL;
	int r;

	ctl_trim_name(name);
	r = client_call(&ctl->client, ctl_query_timeout(ctl), "GetFiles", name, &reply);
	if (r >= 0)
		r = print_files(ctl, reply, j);
	return r < 0 ? ctl_fail_call(ctl, r, name) : CTL_DONE;
}

static enum ctl_exit run_cat(struct ctl *ctl, char **names, size_t n_names)
{
	struct json j = { .out = &ctl->out };
	enum ctl_exit exit = ctl_connect(ctl);

	if (ctl->options.json)
		json_begin_array(&j);
	for (size_t i = 0; exit == CTL_DONE && i < n_names; i++)
		exit = cat_unit(ctl, names[i], &j);
	if (exit != CTL_DONE) {
		text_clear(&ctl->out);
		return exit;
	}
	if (ctl->options.json) {
		json_end_array(&j);
		text_append_char(&ctl->out, '\n');
	}
	return CTL_DONE;
}

const struct command cmd_cat = {
	.name = "cat",
	.arguments = "NAME...",
	.summary = "print the files of units as they were loaded",
	.help = "The unit's file and its drop-ins, each below its path.",
	.min_names = 1,
	.max_names = UINT32_MAX,
	.run = run_cat,
};
