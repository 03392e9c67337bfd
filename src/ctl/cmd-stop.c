/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/cmd.h"
#include "ctl/jobs.h"

static enum ctl_exit run_stop(struct ctl *ctl, char **names, size_t n_names)
{
	static const struct job_action action = {
		.method = "Stop",
		.done = "stopped",
		.already = "was not running",
	};

	return jobs_run(ctl, &action, names, n_names);
}

const struct command cmd_stop = {
	.name = "stop",
	.arguments = "NAME...",
	.summary = "stop units",
	.help = "Returns when no process of them is left. A supervisor stops its children in "
		"the reverse order. What was stopped is not restarted.",
	.min_names = 1,
	.max_names = UINT32_MAX,
	.run = run_stop,
};
