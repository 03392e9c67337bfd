/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/signals.h"

#include <errno.h>
#include <signal.h>

#include "base/fd.h"
#include "base/procid.h"

/* Takes the lowest signal out; 0: there is none. */
static int next_signal(uint64_t *set)
{
	int signo = *set ? __builtin_ctzll(*set) + 1 : 0;

	*set &= *set - 1;
	return signo;
}

int signals_to_child(pid_t pid, struct signals signals)
{
	int signo;

	if (kill(pid, signals.first) < 0)
		return -errno;
	while ((signo = next_signal(&signals.further)))
		(void)kill(pid, signo);
	return 0;
}

int signals_to_pidfd(int pidfd, struct signals signals)
{
	int r = pidfd_signal(pidfd, signals.first), signo;

	if (r < 0)
		return r;
	while ((signo = next_signal(&signals.further)))
		(void)pidfd_signal(pidfd, signo);
	return 0;
}
