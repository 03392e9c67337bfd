/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/cmd.h"
#include "ctl/jobs.h"

static enum ctl_exit run_start(struct ctl *ctl, char **names, size_t n_names)
{
	static const struct job_action action = {
		.method = "Start",
		.done = "started",
		.already = "was already running",
	};

	return jobs_run(ctl, &action, names, n_names);
}

const struct command cmd_start = {
	.name = "start",
	.arguments = "NAME...",
	.summary = "start units",
	.help = "Returns when they are ready, or failed to become so. A supervisor starts its "
		"children in order.",
	.min_names = 1,
	.max_names = UINT32_MAX,
	.run = run_start,
};
