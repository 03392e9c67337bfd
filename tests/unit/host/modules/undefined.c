/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A module that calls a function that nobody has. */
#include <airssys/airssys.h>

extern int airs_no_such_function(void);

static int handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	(void)self;
	(void)state;
	(void)m;
	return airs_no_such_function();
}

static const struct airs_behaviour behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "undefined",
	.handle = handle,
};

AIRS_MODULE("undefined", "needs what is not there", &behaviour);
