/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Children whose end is the end of the work. Names that begin with "significant" or
 * "nonsignificant" are OTP's.
 */
#include <errno.h>

#include "supervised.h"
#include "support/test.h"

static struct worker a = { .id = "a" }, b = { .id = "b" }, c = { .id = "c" };

static struct airs_child_spec significant(struct worker *w, enum airs_restart restart)
{
	struct airs_child_spec spec = child_of(w, restart);

	spec.significance = AIRS_SIGNIFICANT;
	return spec;
}

/* a and b of this restart type and significance, c permanent beside them. */
static void supervise_with(enum airs_auto_shutdown auto_shutdown,
		enum airs_restart restart, enum airs_significance significance)
{
	struct airs_child_spec children[] = { child_of(&a, restart),
		child_of(&b, restart), child_of(&c, AIRS_PERMANENT) };
	struct airs_supervisor_options options =
			options_of(children, 3, AIRS_ONE_FOR_ONE);

	children[0].significance = children[1].significance = significance;
	options.auto_shutdown = auto_shutdown;
	options.intensity = 10;
	supervise(&options);
	assert_trace("+a +b +c ");
}

static void assert_ended(void)
{
	ck_assert_int_eq(world.ended, 1);
	ck_assert_uint_eq(world.end_reason.reason_class, AIRS_REASON_SHUTDOWN);
	/* Boss and observer. */
	ck_assert_uint_eq(airs_system_actor_count(world.system), 2);
}

static void never_ends(enum airs_restart restart)
{
	static const enum airs_auto_shutdown all[] = { AIRS_AUTO_SHUTDOWN_NEVER,
		AIRS_AUTO_SHUTDOWN_ANY, AIRS_AUTO_SHUTDOWN_ALL };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		world_begin(1);
		supervise_with(all[i], restart, AIRS_INSIGNIFICANT);
		end_with(&a, AIRS_REASON_NORMAL);
		end_with(&b, AIRS_REASON_NORMAL);
		ck_assert_int_eq(world.ended, 0);
		ck_assert_int_eq(state_of("c"), AIRS_CHILD_RUNNING);
		world_end();
	}
}

START_TEST(nonsignificant_temporary)
{
	never_ends(AIRS_TEMPORARY);
}
END_TEST

START_TEST(nonsignificant_transient)
{
	never_ends(AIRS_TRANSIENT);
}
END_TEST

static void end_normally(struct worker *w)
{
	end_with(w, AIRS_REASON_NORMAL);
}

START_TEST(significant_temporary)
{
	static void (*const ends[])(
			struct worker *) = { end_normally, crash, kill_worker };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		world_begin(1);
		supervise_with(AIRS_AUTO_SHUTDOWN_ANY, AIRS_TEMPORARY, AIRS_SIGNIFICANT);
		ck_assert_int_eq(do_terminate("a"), 0);
		ck_assert_int_eq(world.ended, 0);
		ends[i](&b);
		assert_ended();
		world_end();

		world_begin(1);
		supervise_with(AIRS_AUTO_SHUTDOWN_ALL, AIRS_TEMPORARY, AIRS_SIGNIFICANT);
		ends[i](&a);
		ck_assert_int_eq(world.ended, 0);
		ck_assert_int_eq(state_of("c"), AIRS_CHILD_RUNNING);
		ends[i](&b);
		assert_ended();
		world_end();
	}
}
END_TEST

START_TEST(significant_transient)
{
	world_begin(1);
	supervise_with(AIRS_AUTO_SHUTDOWN_ANY, AIRS_TRANSIENT, AIRS_SIGNIFICANT);
	kill_worker(&a);
	crash(&a);
	ck_assert_int_eq(world.ended, 0);
	ck_assert_uint_eq(a.starts, 3);
	ck_assert_int_eq(do_terminate("a"), 0);
	ck_assert_int_eq(world.ended, 0);
	ck_assert_int_eq(do_restart("a"), 0);
	end_with(&a, AIRS_REASON_NORMAL);
	assert_ended();
	world_end();

	world_begin(1);
	supervise_with(AIRS_AUTO_SHUTDOWN_ALL, AIRS_TRANSIENT, AIRS_SIGNIFICANT);
	end_shutdown_with(&a, AIRS_REASON_USER);
	crash(&b);
	ck_assert_int_eq(world.ended, 0);
	ck_assert_int_eq(do_restart("a"), 0);
	end_with(&b, AIRS_REASON_NORMAL);
	ck_assert_int_eq(world.ended, 0);
	end_with(&a, AIRS_REASON_NORMAL);
	assert_ended();
	world_end();
}
END_TEST

/* The last one is stopped by request: nobody is left whose own end could count. */
START_TEST(an_end_by_request_counts_for_nobody)
{
	world_begin(1);
	supervise_with(AIRS_AUTO_SHUTDOWN_ALL, AIRS_TRANSIENT, AIRS_SIGNIFICANT);
	end_with(&a, AIRS_REASON_NORMAL);
	ck_assert_int_eq(do_terminate("b"), 0);
	ck_assert_int_eq(world.ended, 0);
	world_end();

	world_begin(1);
	supervise_with(AIRS_AUTO_SHUTDOWN_ALL, AIRS_TRANSIENT, AIRS_SIGNIFICANT);
	ck_assert_int_eq(do_terminate("b"), 0);
	end_with(&a, AIRS_REASON_NORMAL);
	assert_ended();
	world_end();
}
END_TEST

START_TEST(significant_bystander)
{
	static const enum airs_strategy strategies[] = { AIRS_ONE_FOR_ALL,
		AIRS_REST_FOR_ONE };

	for (size_t i = 0; i < ARRAY_SIZE(strategies); i++) {
		struct airs_child_spec children[3];
		struct airs_supervisor_options options;

		world_begin(1);
		children[0] = child_of(&c, AIRS_PERMANENT);
		children[1] = significant(&a, AIRS_TRANSIENT);
		children[2] = significant(&b, AIRS_TEMPORARY);
		options = options_of(children, 3, strategies[i]);
		options.auto_shutdown = AIRS_AUTO_SHUTDOWN_ANY;
		supervise(&options);
		a.starts = 0;
		crash(&c);
		ck_assert_int_eq(world.ended, 0);
		ck_assert_uint_eq(a.starts, 1);
		ck_assert_int_eq(state_of("b"), -1);
		end_with(&a, AIRS_REASON_NORMAL);
		assert_ended();
		world_end();
	}
}
END_TEST

/* An inner supervisor that ends for its child; whether the outer one ends with it. */
static void nest(enum airs_significance significance)
{
	struct airs_child_spec leaf = significant(&a, AIRS_TRANSIENT);
	struct airs_supervisor_options inner = options_of(&leaf, 1, AIRS_ONE_FOR_ONE);
	struct airs_child_spec children[2] = { { 0 }, child_of(&c, AIRS_PERMANENT) };
	struct airs_supervisor_options options;

	inner.name = NULL;
	inner.auto_shutdown = AIRS_AUTO_SHUTDOWN_ANY;
	children[0] = (struct airs_child_spec){
		.size = sizeof(children[0]),
		.id = "inner",
		.supervisor = &inner,
		.restart = AIRS_TRANSIENT,
		.shutdown_usec = AIRS_INFINITY,
		.significance = significance,
	};
	options = options_of(children, 2, AIRS_ONE_FOR_ONE);
	options.auto_shutdown = AIRS_AUTO_SHUTDOWN_ANY;
	supervise(&options);
	assert_trace("+a +c ");
	end_with(&a, AIRS_REASON_NORMAL);
}

START_TEST(significant_escalation)
{
	world_begin(1);
	nest(AIRS_SIGNIFICANT);
	assert_ended();
	world_end();

	world_begin(1);
	nest(AIRS_INSIGNIFICANT);
	ck_assert_int_eq(world.ended, 0);
	ck_assert_int_eq(state_of("inner"), AIRS_CHILD_STOPPED);
	ck_assert_int_eq(state_of("c"), AIRS_CHILD_RUNNING);
	world_end();
}
END_TEST

START_TEST(significant_upgrade_child)
{
	struct airs_child_spec spec;

	world_begin(1);
	supervise_with(AIRS_AUTO_SHUTDOWN_NEVER, AIRS_TRANSIENT, AIRS_INSIGNIFICANT);
	spec = significant(&a, AIRS_TRANSIENT);
	ck_assert_int_eq(do_update(&spec), -EINVAL);
	end_with(&a, AIRS_REASON_NORMAL);
	ck_assert_int_eq(world.ended, 0);
	world_end();

	world_begin(1);
	supervise_with(AIRS_AUTO_SHUTDOWN_ANY, AIRS_TRANSIENT, AIRS_INSIGNIFICANT);
	spec = significant(&a, AIRS_TRANSIENT);
	ck_assert_int_eq(do_update(&spec), 0);
	end_with(&b, AIRS_REASON_NORMAL);
	ck_assert_int_eq(world.ended, 0);
	end_with(&a, AIRS_REASON_NORMAL);
	assert_ended();
	world_end();
}
END_TEST

START_TEST(what_could_never_end_its_supervisor_is_refused)
{
	struct airs_child_spec spec;
	struct airs_supervisor_options options;
	const char *what;

	world_begin(1);
	spec = significant(&a, AIRS_PERMANENT);
	options = options_of(&spec, 1, AIRS_ONE_FOR_ONE);
	options.auto_shutdown = AIRS_AUTO_SHUTDOWN_ANY;
	ck_assert_int_eq(airs_supervisor_check(&options, &what), -EINVAL);
	spec.restart = AIRS_TRANSIENT;
	ck_assert_int_eq(airs_supervisor_check(&options, &what), 0);
	options.auto_shutdown = AIRS_AUTO_SHUTDOWN_NEVER;
	ck_assert_int_eq(airs_supervisor_check(&options, &what), -EINVAL);
	options.auto_shutdown = AIRS_AUTO_SHUTDOWN_ALL + 1;
	ck_assert_int_eq(airs_supervisor_check(&options, &what), -EINVAL);
	options = options_of(NULL, 0, AIRS_ONE_FOR_ONE);
	supervise(&options);
	ck_assert_int_eq(do_start(&spec), -EINVAL);
	ck_assert_uint_eq(count_children().specs, 0);
	world_end();
}
END_TEST

/* While the others have not had their turn yet, the first one is not the last. */
START_TEST(an_end_during_the_start_waits_for_the_others)
{
	struct airs_child_spec children[2];
	struct airs_supervisor_options options;

	world_begin(1);
	b.init_result = AIRS_INIT_LATER;
	b.start_usec = SEC;
	children[0] = significant(&b, AIRS_TEMPORARY);
	children[1] = significant(&a, AIRS_TEMPORARY);
	options = options_of(children, 2, AIRS_ONE_FOR_ONE);
	options.order = AIRS_PARALLEL;
	options.auto_shutdown = AIRS_AUTO_SHUTDOWN_ALL;
	supervise(&options);
	end_with(&a, AIRS_REASON_NORMAL);
	ck_assert_int_eq(world.ended, 0);
	world_pass(SEC);
	ck_assert_int_eq(state_of("b"), AIRS_CHILD_RUNNING);
	end_with(&b, AIRS_REASON_NORMAL);
	assert_ended();
	world_end();
}
END_TEST

TEST_MAIN("supervisor-significant", nonsignificant_temporary, nonsignificant_transient,
		significant_temporary, significant_transient,
		an_end_by_request_counts_for_nobody, significant_bystander,
		significant_escalation, significant_upgrade_child,
		what_could_never_end_its_supervisor_is_refused,
		an_end_during_the_start_waits_for_the_others)
