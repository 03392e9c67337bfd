/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/command.h"

#include <string.h>

#include "ctl/cmd.h"

const struct command *const commands[] = {
	&cmd_tree,
	&cmd_list,
	&cmd_status,
	&cmd_start,
	&cmd_stop,
	&cmd_restart,
	&cmd_reload,
	&cmd_kill,
	&cmd_logs,
	&cmd_cat,
	&cmd_show,
	&cmd_verify,
	&cmd_daemon_reload,
	&cmd_shutdown,
	&cmd_version,
	&cmd_help,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}
