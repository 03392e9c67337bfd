/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A module that would end whoever loads it. */
#include <airssys/airssys.h>

static void __attribute__((constructor)) crash(void)
{
	__builtin_trap();
}

static int handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	(void)self;
	(void)state;
	(void)m;
	return 0;
}

static const struct airs_behaviour behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "constructor",
	.handle = handle,
};

AIRS_MODULE("constructor", "crashes before it is an actor", &behaviour);
