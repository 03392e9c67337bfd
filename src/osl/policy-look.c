/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <sys/stat.h>

#include "osl/policy.h"

/* For who reads unit files and does not want to read all policies that they name. */
int policy_look(const char *name, const struct strv *paths)
{
	struct stat st;

	for (size_t i = 0; i < paths->count; i++) {
		auto_free char *path = text_format("%s/%s.policy", paths->items[i], name);

		if (!path)
			return -ENOMEM;
		if (lstat(path, &st) == 0 || errno != ENOENT)
			return 0;
	}
	return -ENOENT;
}
