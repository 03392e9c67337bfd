/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/cmd.h"

/*
 * The version of the program is known without an instance, so the absence of one is no
 * failure here and nothing is said about it.
 */

static char *ask_instance(struct ctl *ctl)
{
	char *version = NULL;
	auto_free char *path = ctl_control_path(ctl);

	if (!path || client_connect(&ctl->client, path, ctl_query_timeout(ctl)) < 0)
		return NULL;
	if (client_get_text(&ctl->client, ctl_query_timeout(ctl), "Version", &version) <
			0)
		return NULL;
	return version;
}

static enum ctl_exit run_version(
		struct ctl *ctl, char **names UNUSED, size_t n_names UNUSED)
{
	auto_free char *instance = ask_instance(ctl);
	struct json j = { .out = &ctl->out };

	if (ctl->options.json) {
		json_begin_object(&j);
		json_member_text(&j, "airssysctl", PACKAGE_VERSION);
		json_member_text(&j, "instance", instance);
		json_end_object(&j);
		text_append_char(&ctl->out, '\n');
		return CTL_DONE;
	}
	text_append(&ctl->out, "airssysctl " PACKAGE_VERSION "\n");
	if (instance) {
		text_append(&ctl->out, "instance ");
		terminal_append_safe(&ctl->terminal, &ctl->out, instance);
		text_append_char(&ctl->out, '\n');
	}
	return CTL_DONE;
}

const struct command cmd_version = {
	.name = "version",
	.arguments = "",
	.summary = "print the version of this program and of the instance",
	.help = "The instance's version is left out when none is running.",
	.run = run_version,
};
