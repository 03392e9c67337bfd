/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* An actor that counts how often it is asked: cc ping.c $(pkg-config --cflags --libs airssys) */
#include <airssys/airssys.h>

#include <stdio.h>
#include <stdlib.h>

static int pong_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	unsigned int *count = (unsigned int *)state;

	++*count;
	return airs_reply(self, airs_message_from(m), 0, count, sizeof(*count));
}

static const struct airs_behaviour pong = { .size = sizeof(pong),
	.name = "pong",
	.state_size = sizeof(unsigned int),
	.handle = pong_handle };

int main(void)
{
	struct airs_request ping = { .type = AIRS_MSG_USER, .timeout_usec = 1000000 };
	struct airs_system *system = NULL;
	void *answer = NULL;
	size_t size;
	int r;

	r = airs_system_new(NULL, &system);
	if (r == 0)
		r = airs_system_start(system);
	if (r == 0)
		r = airs_system_spawn(system, &pong, NULL, &ping.to);
	for (int i = 0; r == 0 && i < 3; i++) {
		r = airs_system_call(system, &ping, &answer, &size);
		if (r == 0) {
			printf("pong %u\n", *(unsigned int *)answer);
			free(answer);
		}
	}
	airs_system_free(system);
	return r < 0;
}
