/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Random sequences of crashes, requests and failing starts against a model of what OTP's
 * rules say. The model is the plain, serial reading of them: everything happens at once
 * and in order. A failure prints the seed that made it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervised.h"
#include "support/test.h"

/* One thread: the thread sanitizer has nothing to find here and takes ten times as long. */
#if defined(__SANITIZE_THREAD__)
#	define SEEDS 40
#else
#	define SEEDS 400
#endif

enum { CHILDREN = 6, OPERATIONS = 60, RESTARTS = 4000 };

struct model_child {
	enum airs_restart restart;
	int listed, up, wanted, given_up;
	int pending; /* belongs to the group that is being started */
	unsigned int starts, failures;
	uint64_t times[RESTARTS];
	size_t n_times;
};

static struct model {
	enum airs_strategy strategy;
	enum airs_escalation escalation;
	uint32_t intensity;
	uint64_t period, now;
	int ended;
	uint64_t times[RESTARTS];
	size_t n_times;
	struct model_child children[CHILDREN];
} model;

static struct worker workers[CHILDREN];
static const char *const ids[CHILDREN] = { "a", "b", "c", "d", "e", "f" };
static uint64_t dice;

static uint64_t roll(uint64_t below)
{
	dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
	return (dice >> 11) % below;
}

/* Whether one more restart is one too many. */
static int exceeds(struct model_child *m)
{
	uint64_t *times =
			model.escalation == AIRS_ESCALATE_CHILD ? m->times : model.times;
	size_t *n = model.escalation == AIRS_ESCALATE_CHILD ? &m->n_times
							    : &model.n_times;
	size_t within = 0;

	ck_assert_uint_lt(*n, RESTARTS);
	times[(*n)++] = model.now;
	for (size_t i = 0; i < *n; i++)
		within += model.now - times[i] <= model.period;
	return within > model.intensity;
}

static void model_end(void)
{
	model.ended = 1;
	for (size_t i = 0; i < CHILDREN; i++)
		model.children[i].up = 0;
}

static int model_start(struct model_child *m)
{
	m->starts++;
	if (m->failures > 0) {
		m->failures--;
		return 0;
	}
	m->up = 1;
	m->pending = 0;
	return 1;
}

/* Stops the group of this child and marks what has to start. */
static void model_collect(size_t index)
{
	size_t first = model.strategy == AIRS_ONE_FOR_ALL ? 0 : index;

	model.children[index].pending = 1;
	for (size_t i = first; i < CHILDREN && model.strategy != AIRS_ONE_FOR_ONE; i++) {
		struct model_child *m = &model.children[i];

		if (!m->listed)
			continue;
		if (m->up && m->restart == AIRS_TEMPORARY)
			m->listed = 0;
		m->up = 0;
		m->pending = m->listed && m->wanted;
	}
}

/* A child is down: count, and collect its group, or end, or give it up. */
static void model_fail(size_t index)
{
	struct model_child *m = &model.children[index];

	if (!exceeds(m)) {
		model_collect(index);
	} else if (model.escalation == AIRS_ESCALATE_CHILD) {
		m->given_up = 1;
		m->wanted = m->pending = 0;
	} else {
		model_end();
	}
}

static void model_settle(void)
{
	for (size_t i = 0; i < CHILDREN && !model.ended; i++) {
		struct model_child *m = &model.children[i];

		if (!m->pending || model_start(m))
			continue;
		model_fail(i);
		i = (size_t)-1; /* From the beginning: a group may reach back. */
	}
}

static void model_down(size_t index, enum airs_reason_class reason_class)
{
	struct model_child *m = &model.children[index];
	int orderly = reason_class == AIRS_REASON_NORMAL ||
			reason_class == AIRS_REASON_SHUTDOWN;

	m->up = 0;
	if (m->restart == AIRS_TEMPORARY)
		m->listed = 0;
	else if (m->restart == AIRS_PERMANENT || !orderly)
		model_fail(index);
	model_settle();
}

static void do_down(size_t i)
{
	static const enum airs_reason_class classes[] = { AIRS_REASON_NORMAL,
		AIRS_REASON_SHUTDOWN, AIRS_REASON_ERROR, AIRS_REASON_ERROR,
		AIRS_REASON_KILL };
	enum airs_reason_class reason_class = classes[roll(ARRAY_SIZE(classes))];

	if (!model.children[i].up)
		return;
	/* Sometimes its next starts fail. */
	if (roll(3) == 0)
		workers[i].failures = model.children[i].failures = (unsigned int)roll(4);
	if (reason_class == AIRS_REASON_KILL)
		kill_worker(&workers[i]);
	else
		end_with(&workers[i], reason_class);
	model_down(i, reason_class);
}

static void do_terminate_one(size_t i)
{
	struct model_child *m = &model.children[i];

	ck_assert_int_eq(do_terminate(ids[i]), m->listed ? 0 : -ENOENT);
	m->up = m->wanted = m->given_up = 0;
	if (m->restart == AIRS_TEMPORARY)
		m->listed = 0;
}

static void do_restart_one(size_t i)
{
	struct model_child *m = &model.children[i];
	int r = do_restart(ids[i]);

	if (!m->listed || m->up) {
		ck_assert_int_eq(r, m->listed ? -EBUSY : -ENOENT);
		return;
	}
	m->given_up = 0;
	m->n_times = 0;
	m->wanted = model_start(m);
	ck_assert_int_eq(r, m->wanted ? 0 : -ENODATA);
}

static void step(void)
{
	size_t i = (size_t)roll(CHILDREN);
	uint64_t usec;

	switch (roll(6)) {
	case 0:
		do_terminate_one(i);
		break;
	case 1:
		do_restart_one(i);
		break;
	case 2:
		usec = roll(3) * SEC + roll(2);
		world_pass(usec);
		model.now += usec;
		break;
	default:
		do_down(i);
	}
}

static void compare(uint64_t seed, int operation)
{
	ck_assert_msg(world.ended == model.ended,
			"seed %lu, operation %d: ended %d, not %d", (unsigned long)seed,
			operation, world.ended, model.ended);
	for (size_t i = 0; i < CHILDREN; i++) {
		const struct model_child *m = &model.children[i];
		int up = airs_is_alive(world.system, workers[i].pid);

		ck_assert_msg(workers[i].starts == m->starts && up == m->up,
				"seed %lu, operation %d, child %s: started %u times, not %u; up %d",
				(unsigned long)seed, operation, ids[i], workers[i].starts,
				m->starts, up);
		if (model.ended)
			continue;
		ck_assert_msg(state_of(ids[i]) ==
						(!m->listed ? -1
										: m->up
										? (int)AIRS_CHILD_RUNNING
										: m->given_up
										? (int)AIRS_CHILD_FAILED
										: (int)AIRS_CHILD_STOPPED),
				"seed %lu, operation %d, child %s: state %d",
				(unsigned long)seed, operation, ids[i], state_of(ids[i]));
	}
}

static void begin(uint64_t seed)
{
	struct airs_child_spec children[CHILDREN];
	struct airs_supervisor_options options;

	dice = 88172645463325252ull ^ (seed * 0x9e3779b97f4a7c15ull);
	memset(&model, 0, sizeof(model));
	memset(workers, 0, sizeof(workers));
	world_begin(seed);
	for (size_t i = 0; i < CHILDREN; i++) {
		enum airs_restart restart = (enum airs_restart)roll(3);

		workers[i].id = ids[i];
		children[i] = child_of(&workers[i], restart);
		model.children[i].restart = restart;
		model.children[i].listed = model.children[i].wanted = 1;
		(void)model_start(&model.children[i]);
	}
	options = options_of(children, CHILDREN, (enum airs_strategy)roll(3));
	options.intensity = (uint32_t)roll(8);
	options.period_usec = (1 + roll(3)) * SEC;
	options.escalation = (enum airs_escalation)roll(2);
	options.order = (enum airs_order)roll(2);
	if (options.strategy != AIRS_ONE_FOR_ONE)
		options.order = AIRS_ORDERED;
	model.strategy = options.strategy;
	model.escalation = options.escalation;
	model.intensity = options.intensity;
	model.period = options.period_usec;
	supervise(&options);
}

START_TEST(random_sequences_agree_with_the_rules)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		begin(seed);
		compare(seed, -1);
		for (int i = 0; i < OPERATIONS && !model.ended; i++) {
			step();
			compare(seed, i);
		}
		world_end();
	}
}
END_TEST

TEST_MAIN("supervisor-model", random_sequences_agree_with_the_rules)
