/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ANY 0

/* The first row that fits counts. Steps are those of exec/steps.c. */
static const struct {
	const char *step;
	int error;
	const char *why; /* NULL: what the errno says */
	const char *remedy;
} rows[] = {
	{ "USER", ESRCH, "there is no such user or group",
			"Create it, or correct User=, Group= or SupplementaryGroups=" },
	{ "ENVIRONMENT", ENOENT, NULL,
			"Write the file, or correct EnvironmentFile=; a - before it lets the "
			"unit go on without it" },
	{ "ENVIRONMENT", ANY, NULL,
			"Let it be a text file of root's, or of the user's who runs airssysd, "
			"that nobody else may write" },
	{ "STDOUT", ENOENT, NULL, "Make its folder, or correct StandardOutput=" },
	{ "STDERR", ENOENT, NULL, "Make its folder, or correct StandardError=" },
	{ "LIMITS", EPERM, NULL,
			"Lower the Limit… setting: airssysd itself may not raise the limit "
			"so far" },
	{ "NICE", EACCES, NULL, "Only root may go below the present Nice=" },
	{ "CREDENTIALS", EPERM, NULL,
			"Take User= and Group= away, or let root run airssysd: nobody else "
			"can change users" },
	{ "CHDIR", ENOENT, NULL,
			"Make the folder, or correct WorkingDirectory=; a - before it lets "
			"the unit go on without it" },
	{ "CHDIR", EACCES, NULL,
			"Let the service's user enter it and the folders above it" },
	{ "FILTER", ENOENT, "there is no such policy",
			"Write its file, or correct Policy=" },
	{ "FILTER", EINVAL, "the policy is refused",
			"Correct it: airssysd has told each mistake with its line" },
	{ "EXEC", ENOENT, NULL,
			"Install the program, or correct its path; the first line of a "
			"script names a program too" },
	{ "EXEC", EACCES, NULL,
			"Let the service's user execute it (chmod +x) and enter the folders "
			"above it" },
	{ "EXEC", ENOEXEC, NULL,
			"Begin a script with #! and the path of its interpreter; a program "
			"must be one for this machine" },
};

char *failure_describe(const char *step, int error, const char *detail)
{
	const char *why = strerrordesc_np(error), *remedy = NULL;

	for (size_t i = 0; step && !remedy && i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].step, step) != 0 ||
				(rows[i].error != ANY && rows[i].error != error))
			continue;
		why = rows[i].why ? rows[i].why : why;
		remedy = rows[i].remedy;
	}
	return text_format("%s: %s%s%s%s%s%s%s", step ? step : "START",
			why ? why : "unknown error", detail ? " (" : "",
			detail ? detail : "", detail ? ")" : "", remedy ? ". " : "",
			remedy ? remedy : "", remedy ? "." : "");
}
