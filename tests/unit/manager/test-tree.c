/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/tree.h"

#include <string.h>

#include "support/test.h"
#include "unit/manager/units.h"

static const struct text_file shop[] = {
	{ "shop.supervisor",
			"[Supervisor]\nStrategy=one-for-all\nIntensity=3\nPeriod=30s\nChildren=db probe\n" },
	{ "db.actor",
			"[Actor]\nShutdown=7s\nRestartSec=2s\nRestartSteps=4\nRestartMaxDelaySec=1min\n"
			"[Service]\nExecStart=/bin/true\nRestart=no\n" },
	{ "probe.actor",
			"[Actor]\nType=native\nRestart=temporary\n[Native]\nModule=tcp-probe.so\n" },
	{ "lone.actor", "[Service]\nExecStart=/bin/true\n" },
};

static struct registry registry;
static const struct service_context service = { .link = 1, .observer = 2, .activity = 3 };
static const struct tree_context context = { .service = &service, .registry = &registry };

static const struct airs_child_spec *find_child(
		const struct airs_supervisor_options *options, const char *id)
{
	for (size_t i = 0; i < options->n_children; i++)
		if (strcmp(options->children[i].id, id) == 0)
			return &options->children[i];
	return NULL;
}

START_TEST(units_become_nested_specifications)
{
	struct airs_supervisor_options root;
	const struct airs_child_spec *spec;
	const struct service_args *args;
	const char *what = NULL;

	UNITS_REGISTRY(&registry, shop);
	ck_assert_int_eq(tree_root_init(&root, &context), 0);
	ck_assert_int_eq(airs_supervisor_check(&root, &what), 0);
	ck_assert_int_eq(root.escalation, AIRS_ESCALATE_CHILD);
	ck_assert_uint_eq(root.n_children, 2);
	ck_assert_uint_eq(root.observer, 2);

	spec = find_child(&root, "shop");
	ck_assert_ptr_nonnull(spec->supervisor);
	ck_assert_int_eq(spec->supervisor->strategy, AIRS_ONE_FOR_ALL);
	ck_assert_int_eq(spec->supervisor->escalation, AIRS_ESCALATE_EXIT);
	ck_assert_uint_eq(spec->supervisor->intensity, 3);
	ck_assert_uint_eq(spec->supervisor->period_usec, 30 * UINT64_C(1000000));
	ck_assert_str_eq(spec->supervisor->children[0].id, "db");
	ck_assert_str_eq(spec->supervisor->children[1].id, "probe");

	spec = find_child(&root, "lone");
	ck_assert_ptr_eq(spec->behaviour, &service_behaviour);
	ck_assert_uint_eq(spec->cookie, registry_find(&registry, "lone")->unit.id);
	args = spec->args;
	ck_assert(service_args_are_valid(args, spec->args_size));
	ck_assert_str_eq(args->name, "lone");
	ck_assert_ptr_eq(args->context, &service);
	tree_root_fini(&root);
	registry_fini(&registry);
}
END_TEST

START_TEST(service_decides_itself_whether_it_is_restarted)
{
	struct airs_child_spec spec;

	UNITS_REGISTRY(&registry, shop);
	ck_assert_int_eq(tree_spec_init(&spec, &context, registry_find(&registry, "db")),
			0);
	ck_assert_int_eq(spec.restart, AIRS_TRANSIENT);
	ck_assert_uint_eq(spec.shutdown_usec, 7 * UINT64_C(1000000));
	ck_assert_uint_eq(spec.backoff.initial_usec, 2 * UINT64_C(1000000));
	ck_assert_uint_eq(spec.backoff.max_usec, 60 * UINT64_C(1000000));
	ck_assert_uint_eq(spec.backoff.steps, 4);
	tree_spec_fini(&spec);
	ck_assert_int_eq(tree_spec_init(&spec, &context,
					 registry_find(&registry, "probe")),
			0);
	ck_assert_ptr_eq(spec.behaviour, &native_behaviour);
	ck_assert_int_eq(spec.restart, AIRS_TEMPORARY);
	ck_assert_uint_eq(spec.shutdown_usec, 5 * UINT64_C(1000000));
	tree_spec_fini(&spec);
	registry_fini(&registry);
}
END_TEST

START_TEST(what_rests_is_held_when_the_tree_is_built)
{
	struct tree_context first = context;
	struct airs_child_spec spec;
	struct record *db;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	first.is_first = true;
	for (unsigned int rest = 0; rest < REGISTRY_REST_COUNT; rest++) {
		db->rest = (uint8_t)rest;
		ck_assert_int_eq(tree_spec_init(&spec, &first, db), 0);
		ck_assert_int_eq(spec.initial,
				rest == REGISTRY_REST_NONE ? AIRS_INITIAL_START
							   : AIRS_INITIAL_HOLD);
		tree_spec_fini(&spec);
		/* Later it could not be undone by starting it. */
		ck_assert_int_eq(tree_spec_init(&spec, &context, db), 0);
		ck_assert_int_eq(spec.initial, AIRS_INITIAL_START);
		tree_spec_fini(&spec);
	}
	/* What has to be stopped first, or comes and goes with its supervisor, is not. */
	db->intent = REGISTRY_INTENT_STOP;
	ck_assert_int_eq(tree_spec_init(&spec, &first, db), 0);
	ck_assert_int_eq(spec.initial, AIRS_INITIAL_START);
	tree_spec_fini(&spec);
	db->intent = REGISTRY_INTENT_NONE;
	db->supervisor->rest = REGISTRY_REST_STOPPED;
	ck_assert_int_eq(tree_spec_init(&spec, &first, db), 0);
	ck_assert_int_eq(spec.initial, AIRS_INITIAL_START);
	tree_spec_fini(&spec);
	registry_fini(&registry);
}
END_TEST

START_TEST(retired_children_are_left_out)
{
	struct airs_supervisor_options root;

	UNITS_REGISTRY(&registry, shop);
	registry_retire(&registry, registry_find(&registry, "lone"));
	ck_assert_int_eq(tree_root_init(&root, &context), 0);
	ck_assert_uint_eq(root.n_children, 1);
	tree_root_fini(&root);
	registry_fini(&registry);
}
END_TEST

/* Whether a change of this line makes another specification. */
static bool differs(const char *unit, const char *before, const char *after)
{
	const struct text_file first[] = { { unit, before } },
			       second[] = { { unit, after } };
	auto_(unit) one = NULL;
	auto_(unit) other = NULL;
	struct registry a, b;
	bool result;

	UNITS_REGISTRY(&a, first);
	UNITS_REGISTRY(&b, second);
	ck_assert_int_eq(registry_open(&a, registry_next(&a, NULL), &one), 0);
	ck_assert_int_eq(registry_open(&b, registry_next(&b, NULL), &other), 0);
	result = tree_spec_differs(one, other);
	registry_fini(&a);
	registry_fini(&b);
	return result;
}

START_TEST(specification_differs_by_what_the_supervisor_goes_by)
{
	ck_assert(!differs("a.actor", "[Service]\nExecStart=/bin/true\n",
			"[Service]\nExecStart=/bin/false\nRestart=no\n"));
	ck_assert(differs("a.actor", "[Service]\nExecStart=/bin/true\n",
			"[Service]\nExecStart=/bin/true\n[Actor]\nRestartSec=9s\n"));
	ck_assert(differs("a.actor", "[Service]\nExecStart=/bin/true\n",
			"[Service]\nExecStart=/bin/true\n[Actor]\nShutdown=9s\n"));
	ck_assert(differs("a.supervisor", "[Supervisor]\nIntensity=3\n",
			"[Supervisor]\nIntensity=4\n"));
	ck_assert(differs("a.supervisor", "[Supervisor]\nStrategy=one-for-one\n",
			"[Supervisor]\nStrategy=one-for-all\n"));
	ck_assert(!differs("a.supervisor", "[Supervisor]\nDescription=x\n",
			"[Supervisor]\nDescription=y\n"));
}
END_TEST

TEST_MAIN("tree", units_become_nested_specifications,
		service_decides_itself_whether_it_is_restarted,
		what_rests_is_held_when_the_tree_is_built, retired_children_are_left_out,
		specification_differs_by_what_the_supervisor_goes_by)
