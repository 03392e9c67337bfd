/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_CMD_H
#define CTL_CMD_H

/*
 * The commands; each is defined in cmd-NAME.c.
 */

#include "ctl/command.h"

extern const struct command cmd_cat;
extern const struct command cmd_daemon_reload;
extern const struct command cmd_help;
extern const struct command cmd_kill;
extern const struct command cmd_list;
extern const struct command cmd_logs;
extern const struct command cmd_reload;
extern const struct command cmd_restart;
extern const struct command cmd_show;
extern const struct command cmd_shutdown;
extern const struct command cmd_start;
extern const struct command cmd_status;
extern const struct command cmd_stop;
extern const struct command cmd_tree;
extern const struct command cmd_verify;
extern const struct command cmd_version;

#endif
