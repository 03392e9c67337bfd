/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A module whose actor does what its argument do= says. */
#include <airssys/airssys.h>

#include <errno.h>
#include <string.h>

struct good {
	char what[16];
};

static int good_init(struct airs_actor *self, void *state, const void *args, size_t size)
{
	const char *what = airs_module_argument(args, "do");
	struct good *g = state;

	(void)size;
	if (!what || strlen(what) >= sizeof(g->what))
		return -EINVAL;
	memcpy(g->what, what, strlen(what) + 1);
	airs_status(self,
			airs_module_argument(args, "say")
					? airs_module_argument(args, "say")
					: what);
	if (strcmp(what, "ignore") == 0)
		return AIRS_INIT_IGNORE;
	if (strcmp(what, "hang") == 0)
		return AIRS_INIT_LATER;
	if (strcmp(what, "trap") == 0)
		airs_trap_exit(self, AIRS_TRAP_ON);
	return strcmp(what, "refuse") == 0 ? -EACCES : 0;
}

static int good_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	struct airs_reason reason = airs_reason_make(AIRS_REASON_USER, 3, "as told");
	struct good *g = state;

	if (m->type == AIRS_MSG_USER && strcmp(g->what, "run") == 0)
		return airs_exit(self, &reason);
	return 0;
}

static const struct airs_behaviour behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "good",
	.state_size = sizeof(struct good),
	.init = good_init,
	.handle = good_handle,
};

AIRS_MODULE("good", "does what it is told", &behaviour);
