/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "unit/draft.h"
#include "unit/option.h"
#include "unit/set.h"

size_t unit_size(enum unit_kind kind)
{
	static const size_t sizes[] = {
		[UNIT_SUPERVISOR] = sizeof(struct unit_supervisor),
		[UNIT_SERVICE] = sizeof(struct unit_service),
		[UNIT_NATIVE] = sizeof(struct unit_native),
	};

	return offsetof(struct unit, service) + sizes[kind];
}

/* What nothing but the kind decides. */
static void set_kind_defaults(struct unit *unit)
{

	if (unit->kind == UNIT_NATIVE)
		unit->shutdown_usec = 5 * USEC_PER_SEC;
}

int unit_new(enum unit_kind kind, const struct unit *prototype, struct unit **ret_unit)
{
	size_t size = unit_size(kind);
	struct unit *unit = calloc(1, size);

	if (!unit)
		return -ENOMEM;
	if (prototype)
		memcpy(unit, prototype, size);
	unit->kind = kind;
	*ret_unit = unit;
	return 0;
}

int unit_prototype_new(enum unit_kind kind, struct unit **ret_unit)
{
	struct option_scope scope = { 0 };
	auto_(unit) unit = NULL;
	int r;

	r = unit_new(kind, NULL, &unit);
	if (r < 0)
		return r;
	scope.unit = unit;
	for (size_t i = 0; i < n_unit_options; i++) {
		scope.option = &unit_options[i];
		if (!*unit_options[i].default_text ||
				!option_applies(&unit_options[i], kind))
			continue;
		r = option_assign(&scope, NULL, unit_options[i].default_text);
		if (r < 0)
			return r;
	}
	set_kind_defaults(unit);
	*ret_unit = TAKE_PTR(unit);
	return 0;
}

void unit_free(struct unit *unit)
{
	if (!unit)
		return;
	if (unit->is_packed) {
		free(unit);
		return;
	}
	for (size_t i = 0; i < n_unit_options; i++)
		if (unit_options[i].type->fini && unit_options[i].role == OPTION_MAIN &&
				option_applies(&unit_options[i], unit->kind))
			unit_options[i].type->fini(
					option_field(&unit_options[i], unit), unit);
	strv_fini(&unit->files);
	free(unit->name);
	free(unit->instance);
	free(unit);
}

static int make_set(const struct unit_snapshot *snapshot, struct drafts *drafts,
		struct diag *diag, struct unit_set *set)
{
	struct draft_order order = { 0 };
	int r = drafts_resolve(drafts, diag, &order);

	if (r == 0)
		r = unit_set_fill(set, &order, snapshot->store);
	free(order.items);
	if (r == 0)
		r = drafts_tell_refusals(drafts, snapshot, diag, &set->refusals);
	return r;
}

int unit_set_parse(struct unit_snapshot *snapshot, const struct unit_context *context,
		struct diag *diag, struct unit_set **ret_set)
{
	struct draft_maker maker = { .context = context, .diag = diag };
	struct drafts drafts = { 0 };
	auto_(unit_set) set = NULL;
	int r = unit_snapshot_store(snapshot);

	if (r == 0)
		r = unit_set_new(context, &set);
	if (r < 0)
		return r;
	maker.prototypes = set->prototypes;
	r = drafts_parse(snapshot, &maker, &drafts);
	if (r == 0)
		r = make_set(snapshot, &drafts, diag, set);
	if (r == 0)
		*ret_set = TAKE_PTR(set);
	drafts_fini(&drafts);
	return r;
}

bool unit_exit_set_contains(const struct unit_exit_set *set, int code, int status)
{
	if (!set || status < 0)
		return false;
	if (code == CLD_EXITED)
		return status < 256 && set->codes[status / 64] >> (status % 64) & 1;
	/* Signal 64 stands in bit 0: there is no signal 0. */
	return status >= 1 && status <= 64 && set->signals >> (status % 64) & 1;
}

const char *unit_kind_name(enum unit_kind kind)
{
	static const char *const names[] = { "supervisor", "service", "native" };

	return kind < UNIT_KIND_COUNT ? names[kind] : "?";
}

const char *unit_strategy_name(enum unit_strategy strategy)
{
	static const char *const names[] = { "one-for-one", "one-for-all",
		"rest-for-one" };

	return strategy < ARRAY_SIZE(names) ? names[strategy] : "?";
}

const char *unit_restart_name(enum unit_restart restart)
{
	static const char *const names[] = { "permanent", "transient", "temporary",
		"on-success", "on-abnormal", "on-watchdog", "on-abort" };

	return restart < ARRAY_SIZE(names) ? names[restart] : "?";
}

const char *unit_command_kind_name(enum unit_command_kind kind)
{
	static const char *const names[] = { "ExecStartPre", "ExecStart", "ExecStartPost",
		"ExecReload", "ExecStop", "ExecStopPost" };

	return kind < UNIT_COMMAND_KIND_COUNT ? names[kind] : "?";
}

void unit_dump(const struct unit *unit, struct text *t)
{
	for (size_t i = 0; i < n_unit_options; i++)
		if (unit_options[i].role == OPTION_MAIN &&
				option_applies(&unit_options[i], unit->kind))
			unit_options[i].type->dump(&unit_options[i], unit, t);
}

/* Whether one option has different values; errs towards "different" without memory. */
static bool differs(const struct unit_option *option, const struct unit *a,
		const struct unit *b)
{
	auto_text x = { 0 }, y = { 0 };

	option->type->dump(option, a, &x);
	option->type->dump(option, b, &y);
	return x.failed || y.failed || strcmp(text_get(&x), text_get(&y)) != 0;
}

enum unit_change unit_compare(const struct unit *a, const struct unit *b)
{
	enum unit_change change = UNIT_UNCHANGED;

	if (a->kind != b->kind)
		return UNIT_CHANGED_RESTART;
	for (size_t i = 0; i < n_unit_options; i++) {
		const struct unit_option *o = &unit_options[i];

		if (o->role != OPTION_MAIN || !option_applies(o, a->kind) ||
				o->offset == offsetof(struct unit, children) ||
				!differs(o, a, b))
			continue;
		if (o->reload == OPTION_RESTART)
			return UNIT_CHANGED_RESTART;
		change = UNIT_CHANGED_LIVE;
	}
	return change;
}

bool unit_equals(const struct unit *a, const struct unit *b)
{
	return unit_compare(a, b) == UNIT_UNCHANGED;
}
