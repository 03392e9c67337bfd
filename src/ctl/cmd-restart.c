/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/cmd.h"
#include "ctl/jobs.h"

static enum ctl_exit run_restart(struct ctl *ctl, char **names, size_t n_names)
{
	static const struct job_action action = {
		.method = "Restart",
		.done = "restarted",
	};

	return jobs_run(ctl, &action, names, n_names);
}

const struct command cmd_restart = {
	.name = "restart",
	.arguments = "NAME...",
	.summary = "stop units and start them again",
	.help = "A unit that was not running is started.",
	.min_names = 1,
	.max_names = UINT32_MAX,
	.run = run_restart,
};
