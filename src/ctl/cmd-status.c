/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/cmd.h"
#include "ctl/instance-status.h"
#include "ctl/unit-status.h"

static enum ctl_exit show_instance(struct ctl *ctl)
{
	auto_free char *version = NULL;
	auto_units rows = { 0 };
	enum ctl_exit exit = units_load(ctl, &rows);
	int r;

	if (exit != CTL_DONE)
		return exit;
	r = client_get_text(&ctl->client, ctl_query_timeout(ctl), "Version", &version);
	if (r < 0)
		return ctl_fail_call(ctl, r, NULL);
	if (ctl->options.json)
		instance_status_json(ctl, &rows, version);
	else
		instance_status_print(ctl, &rows, version);
	return CTL_DONE;
}

/* Of several units the worst decides: a failure, a name that is unknown, one not running.
 */
static enum ctl_exit worse(enum ctl_exit a, enum ctl_exit b)
{
	if (a == CTL_FAILED || b == CTL_FAILED)
		return CTL_FAILED;
	return MAX_OF(a, b);
}

static void json_problem(struct ctl *ctl, const char *name, struct json *j)
{
	json_begin_object(j);
	json_member_text(j, "Name", name);
	json_member_text(j, "Error", text_get(&ctl->problem));
	json_end_object(j);
}

static enum ctl_exit show_unit(
		struct ctl *ctl, const char *name, struct unit_rows *rows, struct json *j)
{
	auto_unit_status status = { 0 };
	enum ctl_exit exit = unit_status_load(ctl, name, rows, &status);

	if (exit != CTL_DONE) {
		if (ctl->options.json)
			json_problem(ctl, name, j);
		return exit;
	}
	if (ctl->options.json) {
		unit_status_json(&status, j);
	} else {
		if (ctl->out.size > 0)
			text_append_char(&ctl->out, '\n');
		unit_status_print(ctl, &status);
	}
	return state_is_running(facts_text(&status.facts, "State")) ? CTL_DONE
								    : CTL_NOT_RUNNING;
}

static enum ctl_exit show_units(struct ctl *ctl, char **names, size_t n_names)
{
	struct json j = { .out = &ctl->out };
	auto_units rows = { 0 };
	enum ctl_exit exit = ctl_connect(ctl);

	if (exit != CTL_DONE)
		return exit;
	if (ctl->options.json)
		json_begin_array(&j);
	for (size_t i = 0; i < n_names; i++) {
		ctl_trim_name(names[i]);
		exit = worse(exit, show_unit(ctl, names[i], &rows, &j));
	}
	if (ctl->options.json) {
		json_end_array(&j);
		text_append_char(&ctl->out, '\n');
	}
	return exit;
}

static enum ctl_exit run_status(struct ctl *ctl, char **names, size_t n_names)
{
	return n_names == 0 ? show_instance(ctl) : show_units(ctl, names, n_names);
}

const struct command cmd_status = {
	.name = "status",
	.arguments = "[NAME...]",
	.summary = "explain how units are, or the whole instance",
	.help = "For a unit: its state since when, how it last ended and what its supervisor "
		"did about it, restarts within the window, what it uses, its files, and the "
		"last lines of its log. Without a name: how many units are in which state, "
		"and those that need attention. The exit status is 3 when a unit is not "
		"running.",
	.max_names = UINT32_MAX,
	.run = run_status,
};
