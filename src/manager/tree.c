/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* OTP's default for workers; a module's actor has no ladder of its own. */
#define NATIVE_SHUTDOWN_USEC (5 * USEC_PER_SEC)

static enum airs_restart restart_of(const struct unit *unit)
{
	if (unit->kind == UNIT_SERVICE)
		return AIRS_TRANSIENT;
	if (unit->restart == UNIT_RESTART_PERMANENT)
		return AIRS_PERMANENT;
	if (unit->restart == UNIT_RESTART_TEMPORARY)
		return AIRS_TEMPORARY;
	return AIRS_TRANSIENT;
}

static uint64_t shutdown_of(const struct unit *unit)
{
	if (unit->kind == UNIT_NATIVE && unit->shutdown_usec == USEC_INFINITY)
		return NATIVE_SHUTDOWN_USEC;
	return unit->shutdown_usec;
}

static struct airs_backoff backoff_of(const struct unit *unit)
{
	return (struct airs_backoff){
		.initial_usec = unit->restart_usec,
		.max_usec = unit->restart_max_delay_usec,
		.steps = unit->restart_steps,
		.jitter_percent = unit->restart_jitter_percent,
		.reset_after_usec = unit->restart_reset_usec,
	};
}

static bool rests(const struct record *record)
{
	return record->rest != REGISTRY_REST_NONE &&
			record->intent == REGISTRY_INTENT_NONE;
}

static bool is_held(const struct tree_context *context, const struct record *record)
{
	if (!context->is_first || !rests(record))
		return false;
	for (record = record->supervisor; record; record = record->supervisor)
		if (rests(record))
			return false;
	return true;
}

static void spec_base(struct airs_child_spec *spec, const struct tree_context *context,
		const struct record *record, const struct unit *unit)
{
	*spec = (struct airs_child_spec){
		.size = sizeof(*spec),
		.id = record->name,
		.restart = restart_of(unit),
		.initial = is_held(context, record) ? AIRS_INITIAL_HOLD
						    : AIRS_INITIAL_START,
		.shutdown_usec = shutdown_of(unit),
		.backoff = backoff_of(unit),
		.cookie = record->unit.id,
	};
}

static int spec_actor(struct airs_child_spec *spec, const struct tree_context *context,
		const struct record *record)
{
	size_t size = service_args_size(record->name);
	struct service_args *args = malloc(size);

	if (!args)
		return -ENOMEM;
	args->context = context->service;
	memcpy((char *)args + offsetof(struct service_args, name), record->name,
			strlen(record->name) + 1);
	spec->behaviour = record->kind == UNIT_NATIVE ? &native_behaviour
						      : &service_behaviour;
	spec->args = args;
	spec->args_size = size;
	spec->pool = context->main_pool;
	return 0;
}

static void free_children(struct airs_supervisor_options *options)
{
	/* The constness is the interface's: this memory is ours. */
	struct airs_child_spec *children =
			(struct airs_child_spec *)(uintptr_t)options->children;

	for (size_t i = 0; i < options->n_children; i++)
		tree_spec_fini(&children[i]);
	free(children);
	options->children = NULL;
	options->n_children = 0;
}

void tree_spec_fini(struct airs_child_spec *spec)
{
	free((void *)(uintptr_t)spec->args);
	if (spec->supervisor) {
		struct airs_supervisor_options *options =
				(struct airs_supervisor_options *)(uintptr_t)
						spec->supervisor;

		free_children(options);
		free(options);
	}
	*spec = (struct airs_child_spec){ 0 };
}

static int make_children(struct airs_supervisor_options *options,
		const struct tree_context *context, const struct list *records)
{
	struct airs_child_spec *children;
	struct record *record;
	size_t n = 0;

	list_foreach(record, records, link)
		n += !record->retired;
	if (n == 0)
		return 0;
	children = calloc(n, sizeof(*children));
	if (!children)
		return -ENOMEM;
	options->children = children;
	list_foreach(record, records, link) {
		int r;

		if (record->retired)
			continue;
		r = tree_spec_init(&children[options->n_children], context, record);
		if (r < 0)
			return r;
		options->n_children++;
	}
	return 0;
}

static int spec_supervisor(struct airs_child_spec *spec,
		const struct tree_context *context, const struct record *record)
{
	const struct unit_supervisor *own = &record->group->unit->supervising;
	struct airs_supervisor_options *options = calloc(1, sizeof(*options));

	if (!options)
		return -ENOMEM;
	*options = (struct airs_supervisor_options){
		.size = sizeof(*options),
		.strategy = (enum airs_strategy)own->strategy,
		.order = (enum airs_order)own->order,
		.escalation = AIRS_ESCALATE_EXIT,
		.intensity = own->intensity,
		.period_usec = own->period_usec,
		.observer = AIRS_PID_NONE, /* the root's */
	};
	spec->supervisor = options;
	spec->pool = context->main_pool;
	return make_children(options, context, record_children(record));
}

int tree_spec_init(struct airs_child_spec *spec, const struct tree_context *context,
		struct record *record)
{
	auto_(unit) opened = NULL;
	int r = 0;

	*spec = (struct airs_child_spec){ 0 };
	if (!record->group) {
		r = registry_open(context->registry, record, &opened);
		if (r >= 0)
			r = record_set_unit(record, opened);
	}
	if (r < 0)
		return r;
	spec_base(spec, context, record, opened ? opened : record->group->unit);
	if (record->group)
		r = spec_supervisor(spec, context, record);
	else
		r = spec_actor(spec, context, record);
	if (r < 0)
		tree_spec_fini(spec);
	return r;
}

int tree_root_init(struct airs_supervisor_options *options,
		const struct tree_context *context)
{
	int r;

	*options = (struct airs_supervisor_options){
		.size = sizeof(*options),
		.name = "root",
		.strategy = AIRS_ONE_FOR_ONE,
		.order = (enum airs_order)context->registry->set->root_order,
		.escalation = AIRS_ESCALATE_CHILD,
		.intensity = REGISTRY_ROOT_INTENSITY,
		.period_usec = REGISTRY_ROOT_PERIOD_USEC,
		.observer = context->service->observer,
	};
	r = make_children(options, context, &context->registry->roots);
	if (r < 0)
		tree_root_fini(options);
	return r;
}

void tree_root_fini(struct airs_supervisor_options *options)
{
	free_children(options);
}

static int adopt_children(struct registry *registry, struct unit_range children,
		struct record *above)
{
	struct record *record;
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < children.count; i++)
		r = tree_adopt_unit(registry, children.first + i, above, &record);
	return r;
}

/* A supervisor's settings are wanted all the time. */
static int adopt_settings(
		struct registry *registry, uint32_t index, struct record *record)
{
	auto_(unit) unit = NULL;
	int r;

	if (!record->group)
		return 0;
	r = unit_set_open(registry->set, index, &unit);
	return r < 0 ? r : record_set_unit(record, unit);
}

int tree_adopt_unit(struct registry *registry, uint32_t index, struct record *supervisor,
		struct record **ret_record)
{
	struct record *record;
	int r;

	r = registry_add(registry, unit_set_name(registry->set, index),
			unit_set_kind(registry->set, index), supervisor, &record);
	if (r < 0)
		return r;
	r = adopt_settings(registry, index, record);
	if (r >= 0)
		r = adopt_children(registry, unit_set_children(registry->set, index),
				record);
	if (r < 0)
		registry_remove(registry, record);
	else
		*ret_record = record;
	return r;
}

int tree_adopt_set(struct registry *registry, struct unit_set *set)
{
	registry_set_units(registry, set);
	return adopt_children(registry, unit_set_children(set, UNIT_NONE), NULL);
}

static bool backoff_differs(const struct airs_backoff *a, const struct airs_backoff *b)
{
	return a->initial_usec != b->initial_usec || a->max_usec != b->max_usec ||
			a->steps != b->steps || a->jitter_percent != b->jitter_percent ||
			a->reset_after_usec != b->reset_after_usec;
}

bool tree_spec_differs(const struct unit *a, const struct unit *b)
{
	struct airs_backoff backoff_a = backoff_of(a), backoff_b = backoff_of(b);

	if (a->kind != b->kind || restart_of(a) != restart_of(b) ||
			shutdown_of(a) != shutdown_of(b) ||
			backoff_differs(&backoff_a, &backoff_b))
		return true;
	if (a->kind != UNIT_SUPERVISOR)
		return false;
	return a->supervising.strategy != b->supervising.strategy ||
			a->supervising.order != b->supervising.order ||
			a->supervising.intensity != b->supervising.intensity ||
			a->supervising.period_usec != b->supervising.period_usec;
}
