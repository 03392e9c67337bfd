/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "airssys/message.h"
#include "airssys/module.h"
#include "base/macro.h"
#include "host/manager-api.h"

const char *airs_module_argument(const struct airs_module_args *args, const char *key)
{
	size_t n = strlen(key);

	for (const char *const *a = args->arguments; a && *a; a++)
		if (strncmp(*a, key, n) == 0 && (*a)[n] == '=')
			return *a + n + 1;
	return NULL;
}

static airs_pid find_manager(struct airs_actor *self)
{
	return airs_whereis(airs_actor_system(self), MANAGER_API_NAME);
}

int airs_service_fail(struct airs_actor *self, const char *name, const char *why,
		airs_ref *ret_call)
{
	struct manager_api_fail fail = { .parent = airs_parent(self) };
	airs_pid manager = find_manager(self);

	if (manager == AIRS_PID_NONE)
		return -ENOTCONN;
	if (strlen(name) >= sizeof(fail.name))
		return -ENOENT;
	memcpy(fail.name, name, strlen(name) + 1);
	(void)snprintf(fail.why, sizeof(fail.why), "%s", why);
	return airs_call(self,
			&(struct airs_request){ .to = manager,
					.type = MANAGER_API_FAIL,
					.data = &fail,
					.size = sizeof(fail),
					.timeout_usec = AIRS_INFINITY },
			ret_call);
}

void airs_status(struct airs_actor *self, const char *text)
{
	struct manager_api_status status = { .parent = airs_parent(self) };
	airs_pid manager = find_manager(self);

	if (manager == AIRS_PID_NONE)
		return;
	(void)snprintf(status.text, sizeof(status.text), "%s", text);
	/* A text that is lost is replaced by the next one. */
	IGNORE_RESULT(airs_send(
			self, manager, MANAGER_API_STATUS, &status, sizeof(status)));
}
