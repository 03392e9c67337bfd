/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * supervised: what one supervised actor costs in memory, everything included: slot, state,
 * specification, the supervisor's entry, links and monitors, and what a start of all at
 * once leaves behind. The children are like those of the service manager: 256 bytes of
 * state, arguments, a start that waits for an answer of one central actor, which monitors
 * them, and an observer who is told of each. Arguments: N.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/airssys.h"
#include "base/heap.h"
#include "bench/bench.h"

enum { MSG_HELLO = AIRS_MSG_USER, ID_SIZE = 32 };

struct hello {
	char text[160];
};

struct arguments {
	char text[24];
};

struct child {
	airs_ref call;
	unsigned char more[248];
};

static struct {
	uint64_t n, asked;
	airs_pid center;
	struct airs_from *from;
	uint64_t used_before, used_after;
	size_t heap_before, heap_after;
} bench;

/* Exact, which statm is not, and without the program itself. */
static uint64_t memory_used(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	unsigned long long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Anonymous: %llu", &kib) == 1)
			break;
	if (f)
		(void)fclose(f);
	return kib * 1024;
}

static int child_init(struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct hello hello = { 0 };
	struct airs_request request = {
		.to = bench.center,
		.type = MSG_HELLO,
		.data = &hello,
		.size = sizeof(hello),
		.timeout_usec = AIRS_INFINITY,
	};
	struct child *c = state;
	int r;

	memcpy(hello.text, args, size);
	r = airs_call(self, &request, &c->call);
	return r < 0 ? r : AIRS_INIT_LATER;
}

static int child_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)state;
	if (message->type == AIRS_MSG_REPLY)
		airs_init_done(self, message->status);
	return 0;
}

static const struct airs_behaviour child = {
	.size = sizeof(child),
	.name = "child",
	.state_size = sizeof(struct child),
	.init = child_init,
	.handle = child_handle,
};

static int answer_all(struct airs_actor *self)
{
	const struct hello hello = { 0 };
	int r = 0;

	for (uint64_t i = 0; i < bench.n && r == 0; i++)
		r = airs_reply(self, bench.from[i], 0, &hello, sizeof(hello));
	return r;
}

static int on_hello(struct airs_actor *self, const struct airs_message *message)
{
	airs_ref monitor;
	int r = airs_monitor(self, message->from, &monitor);

	if (r < 0)
		return r;
	bench.from[bench.asked++] = airs_message_from(message);
	return bench.asked < bench.n ? 0 : answer_all(self);
}

static int center_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	const struct airs_supervisor_event *event = message->data;
	airs_ref timer;

	(void)state;
	switch (message->type) {
	case MSG_HELLO:
		return on_hello(self, message);
	case AIRS_MSG_SUPERVISOR:
		if (event->kind != AIRS_EVENT_SUPERVISOR_STARTED)
			return 0;
		return airs_timer_start(self, 100000, 0, &timer);
	case AIRS_MSG_TIMER:
		heap_trim();
		bench.heap_after = mallinfo2().uordblks;
		bench.used_after = memory_used();
		airs_system_stop(airs_actor_system(self));
		return 0;
	default:
		return 0;
	}
}

static const struct airs_behaviour center = {
	.size = sizeof(center), .name = "center", .handle = center_handle
};

static int make_children(struct airs_child_spec **ret_children)
{
	struct airs_child_spec *children = calloc(bench.n + 1, sizeof(*children));
	static const struct arguments arguments = { "arguments" };
	char *ids = calloc(bench.n + 1, ID_SIZE);

	if (!children || !ids)
		return -1;
	for (uint64_t i = 0; i < bench.n; i++) {
		(void)snprintf(ids + ID_SIZE * i, ID_SIZE, "service%" PRIu64, i);
		children[i] = (struct airs_child_spec){
			.size = sizeof(*children),
			.id = ids + ID_SIZE * i,
			.behaviour = &child,
			.args = &arguments,
			.args_size = sizeof(arguments),
			.restart = AIRS_TRANSIENT,
			.shutdown_usec = 5000000,
			.backoff = { .max_usec = 0 },
			.cookie = i,
		};
	}
	*ret_children = children;
	return 0;
}

static int supervise(struct airs_system *system)
{
	struct airs_child_spec *children = NULL;
	struct airs_supervisor_options options = {
		.size = sizeof(options),
		.name = "root",
		.order = AIRS_PARALLEL,
		.escalation = AIRS_ESCALATE_CHILD,
		.intensity = 5,
		.period_usec = 5000000,
		.n_children = bench.n,
		.observer = bench.center,
	};
	airs_pid pid;
	int r = make_children(&children);

	options.children = children;
	if (r == 0)
		r = airs_system_supervisor_spawn(system, &options, &pid);
	if (r == 0) {
		free((void *)(uintptr_t)children[0].id);
		free(children);
	}
	return r;
}

static int run(struct airs_system *system)
{
	int r = airs_system_spawn(system, &center, NULL, &bench.center);

	if (r < 0)
		return r;
	heap_trim();
	bench.heap_before = mallinfo2().uordblks;
	bench.used_before = memory_used();
	r = supervise(system);
	if (r == 0)
		r = airs_system_start(system);
	return r < 0 ? r : airs_system_run(system, AIRS_INFINITY);
}

int main(int argc, char **argv)
{
	struct airs_system_options options = { .size = sizeof(options), .workers = 1 };
	struct airs_system *system;
	int r;

	heap_share();
	bench.n = bench_argument(argc, argv, 1, 1000);
	bench.from = calloc(bench.n + 1, sizeof(*bench.from));
	if (!bench.from || bench.n == 0 || airs_system_new(&options, &system) < 0)
		return EXIT_FAILURE;
	memset(bench.from, 1, (bench.n + 1) * sizeof(*bench.from));
	r = run(system);
	airs_system_free(system);
	if (r == 0)
		printf("{\"bench\":\"supervised\",\"n\":%" PRIu64
		       ",\"bytes_per_actor\":%.0f,\"heap_bytes_per_actor\":%.0f}\n",
				bench.n,
				((double)bench.used_after - (double)bench.used_before) /
						(double)bench.n,
				((double)bench.heap_after - (double)bench.heap_before) /
						(double)bench.n);
	free(bench.from);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
