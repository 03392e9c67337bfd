/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <signal.h>

#include "ctl/cmd.h"
#include "ctl/jobs.h"

static int append_signal(struct ctl *ctl, sd_bus_message *call)
{
	const struct options *o = &ctl->options;

	return sd_bus_message_append(call, "si", o->whom ? o->whom : "all",
			o->signal ? o->signal : SIGTERM);
}

static enum ctl_exit run_kill(struct ctl *ctl, char **names, size_t n_names)
{
	static const struct job_action action = {
		.method = "Kill",
		.done = "signalled",
		.append = append_signal,
	};

	return jobs_run(ctl, &action, names, n_names);
}

const struct command cmd_kill = {
	.name = "kill",
	.arguments = "NAME...",
	.summary = "send a signal to the processes of units",
	.help = "The supervisor sees the end of a process as a failure and acts on it; to end a "
		"service for good use \"stop\".",
	.min_names = 1,
	.max_names = UINT32_MAX,
	.run = run_kill,
};
