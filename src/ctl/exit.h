/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_EXIT_H
#define CTL_EXIT_H

/*
 * Exit statuses of airssysctl. They are part of its interface: airssysctl(1) lists them.
 */

enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1, /* also: no instance runs */
	CTL_USAGE = 2,
	CTL_NOT_RUNNING = 3,
	CTL_NO_SUCH_UNIT = 4,
};

#endif
