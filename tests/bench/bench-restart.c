/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * restart: a one-for-one supervisor with N children; all are killed in one loop; time
 * until N new ones have started, divided by N. Arguments: N, rounds. With one worker and
 * with one for each CPU.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/airssys.h"
#include "bench/bench.h"

enum { MSG_STARTED_ONE = AIRS_MSG_USER, MSG_DIE };

static struct {
	struct airs_system *system;
	uint64_t n, rounds, round, started;
	uint64_t begun_ns;
	uint64_t *ns;
	airs_pid *pids;
	airs_pid killer;
} bench;

static int child_init(struct airs_actor *self, void *state, const void *args, size_t size)
{
	airs_pid pid = airs_self(self);

	(void)state;
	(void)args;
	(void)size;
	return airs_send(self, bench.killer, MSG_STARTED_ONE, &pid, sizeof(pid));
}

static int child_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)self;
	(void)state;
	(void)message;
	return 0;
}

static const struct airs_behaviour child = {
	.size = sizeof(child), .name = "child", .init = child_init, .handle = child_handle
};

static void kill_all(struct airs_actor *self)
{
	const struct airs_reason reason = airs_reason_make(AIRS_REASON_KILL, 0, NULL);

	bench.started = 0;
	bench.begun_ns = bench_now_ns();
	for (uint64_t i = 0; i < bench.n; i++)
		airs_exit_signal(self, bench.pids[i], &reason);
}

static int killer_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	(void)state;
	if (message->type != MSG_STARTED_ONE)
		return 0;
	memcpy(&bench.pids[bench.started++], message->data, sizeof(airs_pid));
	if (bench.started < bench.n)
		return 0;
	if (bench.round > 0)
		bench.ns[bench.round - 1] = (bench_now_ns() - bench.begun_ns) / bench.n;
	if (bench.round++ == bench.rounds)
		airs_system_stop(airs_actor_system(self));
	else
		kill_all(self);
	return 0;
}

static const struct airs_behaviour killer = {
	.size = sizeof(killer), .name = "killer", .handle = killer_handle
};

static struct airs_child_spec *make_children(char (*ids)[24])
{
	struct airs_child_spec *children = calloc(bench.n, sizeof(*children));

	for (uint64_t i = 0; children && i < bench.n; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "c%" PRIu64, i);
		children[i] = (struct airs_child_spec){
			.size = sizeof(*children), .id = ids[i], .behaviour = &child
		};
	}
	return children;
}

static int supervise(void)
{
	char(*ids)[24] = calloc(bench.n, sizeof(*ids));
	struct airs_child_spec *children = ids ? make_children(ids) : NULL;
	struct airs_supervisor_options options = {
		.size = sizeof(options),
		.order = AIRS_PARALLEL,
		.intensity = UINT32_MAX,
		.period_usec = 5000000,
		.children = children,
		.n_children = bench.n,
	};
	airs_pid pid;
	int r = children ? airs_system_supervisor_spawn(bench.system, &options, &pid)
			 : -1;

	free(children);
	free(ids);
	return r;
}

static int run(unsigned int workers)
{
	struct airs_system_options options = { .size = sizeof(options),
		.workers = workers };
	struct airs_spawn_options spawn = { .size = sizeof(spawn) };
	int r = airs_system_new(&options, &bench.system);

	if (r < 0)
		return r;
	bench.round = bench.started = 0;
	/* The killer has the main pool to itself only when there are several workers. */
	spawn.pool = workers == 1 ? NULL : airs_system_main_pool(bench.system);
	r = airs_system_spawn(bench.system, &killer, &spawn, &bench.killer);
	if (r == 0)
		r = supervise();
	if (r == 0)
		r = airs_system_start(bench.system);
	if (r == 0)
		r = airs_system_run(bench.system, AIRS_INFINITY);
	airs_system_free(bench.system);
	if (r == 0)
		printf("{\"bench\":\"restart\",\"workers\":%u,\"n\":%" PRIu64
		       ",\"ns_per_op\":%" PRIu64 "}\n",
				workers, bench.n, bench_median(bench.ns, bench.rounds));
	return r;
}

int main(int argc, char **argv)
{
	int r;

	bench.n = bench_argument(argc, argv, 1, 1000);
	bench.rounds = bench_argument(argc, argv, 2, 101);
	bench.ns = calloc(bench.rounds + 1, sizeof(*bench.ns));
	bench.pids = calloc(bench.n + 1, sizeof(*bench.pids));
	if (!bench.ns || !bench.pids || bench.n == 0 || bench.rounds == 0)
		return EXIT_FAILURE;
	r = run(1);
	if (r == 0)
		r = run(2);
	free(bench.ns);
	free(bench.pids);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
