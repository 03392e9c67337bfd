/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <string.h>

#include "ctl/cmd.h"
#include "ctl/diagnostics.h"
#include "manager/names.h"

static enum diag_severity severity_of(const char *name)
{
	for (int i = DIAG_NOTE; i < DIAG_ERROR; i++)
		if (strcmp(name, diag_severity_name((enum diag_severity)i)) == 0)
			return (enum diag_severity)i;
	return DIAG_ERROR;
}

static int read_diagnostics(sd_bus_message *reply, struct diag *diag)
{
	const char *severity, *code, *file, *text, *remedy;
	unsigned int line;
	int r;

	r = sd_bus_message_enter_container(reply, 'a', NAMES_DIAG_SIGNATURE);
	while (r >= 0 &&
			(r = sd_bus_message_read(reply, NAMES_DIAG_SIGNATURE, &severity,
					 &code, &file, &line, &text, &remedy)) > 0)
		diag_add(diag, severity_of(severity), code,
				(struct diag_place){ file[0] ? file : NULL, line },
				remedy[0] ? remedy : NULL, "%s", text);
	return r;
}

static void print_result(struct ctl *ctl, const struct diag *diag)
{
	struct json j = { .out = &ctl->out };

	if (ctl->options.json) {
		json_begin_object(&j);
		diagnostics_json(diag, &j);
		json_end_object(&j);
		text_append_char(&ctl->out, '\n');
		return;
	}
	diagnostics_print(ctl, diag);
	text_append(&ctl->out, "reloaded");
	if (diag->errors + diag->warnings > 0) {
		text_append(&ctl->out, ": ");
		diagnostics_append_counts(diag, &ctl->out);
	}
	text_append_char(&ctl->out, '\n');
}

static enum ctl_exit run_daemon_reload(
		struct ctl *ctl, char **names UNUSED, size_t n_names UNUSED)
{
	auto_message reply = NULL;
	auto_diag diag = { 0 };
	enum ctl_exit exit = ctl_connect(ctl);
	int r;

	if (exit != CTL_DONE)
		return exit;
	r = client_call(&ctl->client, ctl_job_timeout(ctl), "DaemonReload", NULL, &reply);
	if (r >= 0)
		r = read_diagnostics(reply, &diag);
	if (r < 0)
		return ctl_fail_call(ctl, r, NULL);
	print_result(ctl, &diag);
	return diag.errors > 0 ? CTL_FAILED : CTL_DONE;
}

const struct command cmd_daemon_reload = {
	.name = "daemon-reload",
	.arguments = "",
	.summary = "read all unit files again",
	.help = "Prints every mistake that was found; the exit status is 1 when one of them is "
		"an error. A unit with an error keeps the settings that it had. What runs "
		"is not touched.",
	.run = run_daemon_reload,
};
