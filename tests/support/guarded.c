/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/guard.h"

/* guarded PROGRAM [ARGUMENT]...: runs it, and ends what it leaves behind. */

static int run(void *data)
{
	char **argv = data;

	(void)execvp(argv[0], argv);
	perror(argv[0]);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fputs("usage: guarded PROGRAM [ARGUMENT]...\n", stderr);
		return 2;
	}
	return guard_run(run, argv + 1);
}
