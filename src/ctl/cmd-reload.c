/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/cmd.h"
#include "ctl/jobs.h"

static enum ctl_exit run_reload(struct ctl *ctl, char **names, size_t n_names)
{
	static const struct job_action action = {
		.method = "ReloadUnit",
		.done = "reloaded",
	};

	return jobs_run(ctl, &action, names, n_names);
}

const struct command cmd_reload = {
	.name = "reload",
	.arguments = "NAME...",
	.summary = "make units read their configuration again",
	.help = "Runs ExecReload= of the unit, which fails when it has none. The files of the "
		"units themselves are read by \"daemon-reload\".",
	.min_names = 1,
	.max_names = UINT32_MAX,
	.run = run_reload,
};
