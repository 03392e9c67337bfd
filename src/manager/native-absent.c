/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>

#include "service/service.h"

/* Until actors of modules are there, a native unit fails to start and says why. */
static int refuse(struct airs_actor *self, void *state, const void *args, size_t size)
{
	(void)self;
	(void)state;
	(void)args;
	(void)size;
	return -EOPNOTSUPP;
}

const struct airs_behaviour native_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "native-absent",
	.init = refuse,
};
