/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/guess.h"

#include <errno.h>
#include <unistd.h>

#include "keeper/keeper.h"
#include "keeper/look.h"
#include "keeper/request.h"

/* The commands beside the service are our children as well. */
static bool is_command(const struct keeper *keeper, pid_t pid)
{
	const struct process *process = process_find_pid(&keeper->charges, pid);

	return process && !process->is_remnant;
}

int guess_main(struct keeper *keeper, struct charge *charge, pid_t *ret_pid)
{
	struct look look = { 0 };
	pid_t found = 0;
	size_t n = 0;
	int r;

	r = look_near(keeper, charge, &look);
	for (size_t i = 0; r == 0 && i < look.count; i++) {
		const struct sight *sight = &look.sights[i];

		if (sight->parent != getpid() || is_command(keeper, sight->pid) ||
				!request_is_of_unit(keeper, charge, sight->pid))
			continue;
		found = sight->pid;
		n++;
	}
	look_fini(&look);
	if (r < 0)
		return r;
	if (n != 1)
		return -ESRCH;
	*ret_pid = found;
	return 0;
}
