/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Options and specifications: checked whole before anything is started, then copied into
 * immutable structs that several threads may share (a nested supervisor may live in
 * another pool than the one that holds its specification).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "rt/supervisor-internal.h"

enum {
	NAME_MAX_BYTES = 255,
	ARGS_MAX_BYTES = 64 * 1024,
	DEPTH_MAX = 64, /* of nesting: a specification that contains itself must not hang
			   us */
};

DEFINE_AUTO(plan, plan_unref);
DEFINE_AUTO(spec, spec_unref);

static void terms_unref(struct terms *terms)
{
	/* Acquire and release: as in spec_unref. */
	if (terms &&
			atomic_fetch_sub_explicit(
					&terms->references, 1, memory_order_acq_rel) == 1)
		free(terms);
}

static int refuse(const char **ret_what, const char *what)
{
	if (ret_what)
		*ret_what = what;
	return -EINVAL;
}

static const char *find_mistake_in_backoff(const struct airs_backoff *b)
{
	if (b->jitter_percent > 100)
		return "backoff: jitter is more than 100 percent";
	if (b->initial_usec == AIRS_INFINITY || b->max_usec == AIRS_INFINITY)
		return "backoff: a delay is infinite";
	if (b->max_usec != 0 && b->max_usec < b->initial_usec)
		return "backoff: the longest delay is shorter than the first";
	if (b->max_usec != 0 && b->initial_usec == 0)
		return "backoff: a delay cannot grow from nothing";
	return NULL;
}

static const char *find_mistake_in_spec(const struct airs_child_spec *c)
{
	if (c->size != sizeof(*c))
		return "child: wrong size of struct airs_child_spec";
	if (!c->id || c->id[0] == '\0')
		return "child: no id";
	if (strlen(c->id) > NAME_MAX_BYTES)
		return "child: id is longer than 255 bytes";
	if (!c->behaviour == !c->supervisor)
		return "child: needs either a behaviour or a supervisor";
	if (c->args_size > ARGS_MAX_BYTES)
		return "child: arguments are longer than 64 KiB";
	if (c->args_size > 0 && (!c->args || c->supervisor))
		return "child: arguments without a behaviour or without data";
	if (c->restart > AIRS_TEMPORARY)
		return "child: unknown restart type";
	if (c->initial > AIRS_INITIAL_HOLD)
		return "child: unknown initial state";
	if (c->significance > AIRS_SIGNIFICANT)
		return "child: unknown significance";
	if (c->significance == AIRS_SIGNIFICANT && c->restart == AIRS_PERMANENT)
		return "child: a permanent one cannot be significant";
	return find_mistake_in_backoff(&c->backoff);
}

static const char *find_mistake_in_options(const struct airs_supervisor_options *o)
{
	if (o->size != sizeof(*o))
		return "supervisor: wrong size of struct airs_supervisor_options";
	if (o->name && (o->name[0] == '\0' || strlen(o->name) > NAME_MAX_BYTES))
		return "supervisor: name is empty or longer than 255 bytes";
	if (o->strategy > AIRS_REST_FOR_ONE)
		return "supervisor: unknown strategy";
	if (o->order > AIRS_PARALLEL)
		return "supervisor: unknown order";
	if (o->escalation > AIRS_ESCALATE_CHILD)
		return "supervisor: unknown escalation";
	if (o->auto_shutdown > AIRS_AUTO_SHUTDOWN_ALL)
		return "supervisor: unknown automatic shutdown";
	if (o->period_usec == 0)
		return "supervisor: period is zero";
	if (o->n_children > 0 && !o->children)
		return "supervisor: children are missing";
	return NULL;
}

static int check_ids(const struct airs_supervisor_options *o, const char **ret_what)
{
	struct map ids = { 0 };
	int r = 0;

	for (size_t i = 0; i < o->n_children && r == 0; i++)
		r = map_put(&ids, o->children[i].id, (void *)(uintptr_t)&o->children[i]);
	map_fini(&ids);
	return r == -EEXIST ? refuse(ret_what, "child: two children have the same id")
			    : r;
}

static int check_options(const struct airs_supervisor_options *o, unsigned int depth,
		const char **ret_what)
{
	const char *mistake = find_mistake_in_options(o);

	if (mistake)
		return refuse(ret_what, mistake);
	if (depth > DEPTH_MAX)
		return refuse(ret_what, "supervisor: nested deeper than 64");
	for (size_t i = 0; i < o->n_children; i++) {
		const struct airs_child_spec *c = &o->children[i];
		int r;

		mistake = find_mistake_in_spec(c);
		if (!mistake && c->significance == AIRS_SIGNIFICANT &&
				o->auto_shutdown == AIRS_AUTO_SHUTDOWN_NEVER)
			mistake = "child: significant, but its supervisor never ends for it";
		if (mistake)
			return refuse(ret_what, mistake);
		r = c->supervisor ? check_options(c->supervisor, depth + 1, ret_what) : 0;
		if (r < 0)
			return r;
	}
	return check_ids(o, ret_what);
}

static int copy_text(const char *from, char **ret_to)
{
	if (!from)
		return 0;
	*ret_to = strdup(from);
	return *ret_to ? 0 : -ENOMEM;
}

static uint64_t start_timeout_of(const struct airs_child_spec *from)
{
	return from->start_timeout_usec == 0 ? AIRS_INFINITY : from->start_timeout_usec;
}

int spec_check(const struct airs_child_spec *spec, const char **ret_what)
{
	const char *mistake = find_mistake_in_spec(spec);

	if (mistake)
		return refuse(ret_what, mistake);
	return spec->supervisor ? check_options(spec->supervisor, 1, ret_what) : 0;
}

static int terms_new(const struct airs_child_spec *from, struct terms **ret_terms)
{
	struct terms *terms = calloc(1, sizeof(*terms));

	if (!terms)
		return -ENOMEM;
	atomic_init(&terms->references, 1);
	terms->restart = from->restart;
	terms->initial = from->initial;
	terms->significance = from->significance;
	terms->behaviour = from->behaviour;
	terms->shutdown_usec = from->shutdown_usec;
	terms->start_timeout_usec = start_timeout_of(from);
	terms->backoff = from->backoff;
	terms->pool = from->pool;
	*ret_terms = terms;
	return 0;
}

static int is_same_backoff(const struct airs_backoff *a, const struct airs_backoff *b)
{
	return a->initial_usec == b->initial_usec && a->max_usec == b->max_usec &&
			a->steps == b->steps && a->jitter_percent == b->jitter_percent &&
			a->reset_after_usec == b->reset_after_usec;
}

static int terms_are(const struct terms *terms, const struct airs_child_spec *from)
{
	return terms->restart == from->restart && terms->initial == from->initial &&
			terms->significance == from->significance &&
			terms->behaviour == from->behaviour &&
			terms->shutdown_usec == from->shutdown_usec &&
			terms->start_timeout_usec == start_timeout_of(from) &&
			is_same_backoff(&terms->backoff, &from->backoff) &&
			terms->pool == from->pool;
}

static int take_terms(const struct airs_child_spec *from, const struct spec *sibling,
		struct terms **ret_terms)
{
	if (!sibling || !terms_are(sibling->terms, from))
		return terms_new(from, ret_terms);
	/* Relaxed: as in spec_ref. */
	atomic_fetch_add_explicit(&sibling->terms->references, 1, memory_order_relaxed);
	*ret_terms = sibling->terms;
	return 0;
}

int spec_new(const struct airs_child_spec *from, const struct spec *sibling,
		struct spec **ret_spec)
{
	size_t id_size = strlen(from->id) + 1;
	auto_(spec) spec = calloc(1, sizeof(*spec) + from->args_size + id_size);
	int r;

	if (!spec)
		return -ENOMEM;
	atomic_init(&spec->references, 1);
	spec->cookie = from->cookie;
	spec->args_size = (uint32_t)from->args_size;
	if (from->args_size > 0)
		memcpy(spec->data, from->args, from->args_size);
	memcpy(spec->data + from->args_size, from->id, id_size);
	r = take_terms(from, sibling, &spec->terms);
	if (r == 0 && from->supervisor)
		r = plan_new(from->supervisor, &spec->plan);
	if (r < 0)
		return r;
	*ret_spec = TAKE_PTR(spec);
	return 0;
}

struct spec *spec_ref(struct spec *spec)
{
	/* Relaxed: the caller holds a reference, so the count cannot reach 0 meanwhile.
	 */
	atomic_fetch_add_explicit(&spec->references, 1, memory_order_relaxed);
	return spec;
}

void spec_unref(struct spec *spec)
{
	/* Acquire and release pair among all holders: every use happens before the last
	 * one frees. */
	if (!spec ||
			atomic_fetch_sub_explicit(
					&spec->references, 1, memory_order_acq_rel) != 1)
		return;
	terms_unref(spec->terms);
	plan_unref(spec->plan);
	free(spec);
}

int plan_new(const struct airs_supervisor_options *options, struct plan **ret_plan)
{
	auto_(plan) plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return -ENOMEM;
	atomic_init(&plan->references, 1);
	plan->strategy = options->strategy;
	plan->order = options->order;
	plan->escalation = options->escalation;
	plan->auto_shutdown = options->auto_shutdown;
	plan->intensity = options->intensity;
	plan->period_usec = options->period_usec;
	plan->observer = options->observer;
	plan->specs = calloc(options->n_children + 1, sizeof(struct spec *));
	if (!plan->specs)
		return -ENOMEM;
	r = copy_text(options->name, &plan->name);
	for (size_t i = 0; i < options->n_children && r == 0; i++) {
		r = spec_new(&options->children[i], i ? plan->specs[i - 1] : NULL,
				&plan->specs[i]);
		plan->n_specs += r == 0;
	}
	if (r < 0)
		return r;
	*ret_plan = TAKE_PTR(plan);
	return 0;
}

struct plan *plan_ref(struct plan *plan)
{
	/* Relaxed: as in spec_ref. */
	atomic_fetch_add_explicit(&plan->references, 1, memory_order_relaxed);
	return plan;
}

void plan_unref(struct plan *plan)
{
	/* Acquire and release: as in spec_unref. */
	if (!plan ||
			atomic_fetch_sub_explicit(
					&plan->references, 1, memory_order_acq_rel) != 1)
		return;
	free(plan->name);
	for (size_t i = 0; i < plan->n_specs; i++)
		spec_unref(plan->specs[i]);
	free(plan->specs);
	free(plan);
}

int airs_supervisor_check(
		const struct airs_supervisor_options *options, const char **ret_what)
{
	return check_options(options, 0, ret_what);
}
