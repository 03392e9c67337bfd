/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/load.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/heap.h"
#include "base/log.h"
#include "keeper/earlier.h"
#include "keeper/keeper.h"
#include "osl/policy.h"
#include "unit/snapshot.h"

struct kept_policy {
	char *name;
	struct policy *policy;
};

static void kept_policy_free(struct kept_policy *kept)
{
	if (!kept)
		return;
	policy_free(kept->policy);
	free(kept->name);
	free(kept);
}

DEFINE_AUTO(kept_policy, kept_policy_free);

static void forget_policies(struct keeper *keeper)
{
	struct kept_policy *kept;
	size_t cursor;

	map_foreach(&keeper->policies, cursor, kept)
		kept_policy_free(kept);
	map_fini(&keeper->policies);
}

void load_print_diag(const struct diag *diag)
{
	auto_text text = { 0 };

	for (size_t i = 0; i < diag->count; i++)
		diag_item_print(&diag->items[i], &text);
	log_text(text_get(&text), text.size);
}

static void tell_empty(const struct strv *folders)
{
	auto_text list = { 0 };

	for (size_t i = 0; i < folders->count; i++)
		text_printf(&list, "%s%s", i > 0 ? ", " : "", folders->items[i]);
	log_notice("there are no unit files in %s: there is nothing to start",
			text_get(&list));
}

/* Returns the number of errors, or a negative errno. */
static int read_files(struct keeper *keeper, const struct unit_in_force *in_force,
		int *ret_fd, struct unit_set **ret_set)
{
	auto_(unit_snapshot) snapshot = NULL;
	auto_(unit_set) set = NULL;
	auto_close int fd = -1;
	int r;

	r = unit_snapshot_renew(&keeper->options.unit_path, &keeper->context, in_force,
			&snapshot, &set);
	if (r < 0)
		return r;
	load_print_diag(&snapshot->diag);
	if (snapshot->count == 0)
		tell_empty(&keeper->options.unit_path);
	r = unit_snapshot_pack(snapshot, &fd);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	*ret_set = TAKE_PTR(set);
	return (int)snapshot->diag.errors;
}

static int find_policy(void *data, const char *name)
{
	const struct keeper *keeper = data;

	return policy_look(name, &keeper->options.policy_path);
}

/* The first time, what an earlier keeper had in force is. */
static int renew(struct keeper *keeper, int *ret_fd, struct unit_set **ret_set)
{
	struct unit_in_force in_force = { keeper->set, keeper->snapshot_fd,
		keeper->options.is_strict };
	auto_(unit_set) earlier = NULL;
	auto_close int fd = -1;
	int r = keeper->set ? 0 : earlier_read(keeper, &fd, &earlier);

	if (r < 0)
		return r;
	keeper->context.find_policy = find_policy;
	keeper->context.policy_data = keeper;
	if (earlier) {
		in_force.set = earlier;
		in_force.snapshot_fd = fd;
		keeper->has_earlier = true;
	}
	return read_files(keeper, &in_force, ret_fd, ret_set);
}

static int find_journal(struct keeper *keeper)
{
	bool is_first = !keeper->set, was_there = keeper->journal.is_there;
	int r = journal_find(&keeper->journal);

	if (r == 0 && !keeper->journal.is_there && (is_first || was_there))
		log_notice("there is no journal: output of services goes to %s/log",
				keeper->options.runtime_dir);
	return r;
}

/* Nothing of it is left, and nobody can ask for it. */
static bool is_forgotten(const struct charge *charge)
{
	return charge->is_vanished && !charge->is_occupied && !charge->owed &&
			list_is_empty(&charge->processes);
}

static void forget(struct keeper *keeper, struct charge *charge)
{
	if (cgroup_is_there(&keeper->cgroup))
		cgroup_remove(&keeper->cgroup, charge);
	if (charge->notify_fd >= 0)
		runtime_remove_notify(&keeper->runtime, charge->name);
	/* A later keeper shall not hear of it either. */
	if (charge->note_size > 0 && charge_set_note(charge, NULL, 0) == 0)
		state_add_note(&keeper->state, charge);
	charge_remove(&keeper->charges, charge);
}

void load_find_vanished(struct keeper *keeper)
{
	struct charge *charge;
	size_t cursor;

	charges_foreach(&keeper->charges, cursor, charge) {
		charge->is_vanished =
				unit_set_find(keeper->set, charge->name) == UNIT_NONE;
		keeper->vanished_are_due |= charge->is_vanished;
	}
}

void load_forget_vanished(struct keeper *keeper)
{
	struct charge *charge;
	size_t cursor;

	keeper->vanished_are_due = false;
	charges_foreach(&keeper->charges, cursor, charge)
		if (is_forgotten(charge))
			forget(keeper, charge);
}

/* Without it the processes live on; only the stop commands are lost. */
static void retire(struct keeper *keeper, struct charge *charge)
{
	int r = unit_set_open(keeper->set, unit_set_find(keeper->set, charge->name),
			&charge->retired);

	if (r < 0 && r != -ENOENT)
		log_warning("the definition of %s cannot be kept: %s", charge->name,
				strerror(-r));
}

/* What still runs under a definition that the files no longer have keeps it. */
static void retire_units(struct keeper *keeper, struct unit_set *set)
{
	struct charge *charge;
	size_t cursor;

	charges_foreach(&keeper->charges, cursor, charge) {
		if (unit_set_find(set, charge->name) != UNIT_NONE)
			unit_free(TAKE_PTR(charge->retired));
		else if (keeper->set && charge->is_occupied && !charge->retired)
			retire(keeper, charge);
	}
}

static const struct unit *find_retired(const struct keeper *keeper, const char *name)
{
	const struct charge *charge = charge_find(&keeper->charges, name);

	return charge ? charge->retired : NULL;
}

int keeper_open_unit(
		const struct keeper *keeper, const char *name, struct unit **ret_unit)
{
	uint32_t index = unit_set_find(keeper->set, name);
	const struct unit *retired;

	if (index != UNIT_NONE)
		return unit_set_open(keeper->set, index, ret_unit);
	retired = find_retired(keeper, name);
	return retired ? unit_copy(retired, ret_unit) : -ENOENT;
}

bool keeper_knows(const struct keeper *keeper, const char *name)
{
	return unit_set_find(keeper->set, name) != UNIT_NONE ||
			find_retired(keeper, name) != NULL;
}

int load_units(struct keeper *keeper)
{
	struct unit_set *set = NULL;
	int fd = -1, r;

	r = find_journal(keeper);
	if (r == 0)
		r = renew(keeper, &fd, &set);
	if (r < 0) {
		log_error("cannot load the unit files: %s", strerror(-r));
		return r;
	}
	retire_units(keeper, set);
	unit_set_free(keeper->set);
	keeper->set = set;
	close_fd(keeper->snapshot_fd);
	keeper->snapshot_fd = fd;
	keeper->n_units = set->count;
	earlier_write(keeper);
	load_find_vanished(keeper);
	forget_policies(keeper);
	users_forget(&keeper->users);
	heap_trim();
	return r;
}

void load_fini(struct keeper *keeper)
{
	forget_policies(keeper);
	unit_set_free(keeper->set);
	keeper->set = NULL;
	keeper->snapshot_fd = close_fd(keeper->snapshot_fd);
}

static struct protocol_message make_config(const struct keeper *keeper)
{
	return (struct protocol_message){
		.type = PROTOCOL_CONFIG,
		.runtime_dir = keeper->options.runtime_dir,
		.journal_socket = keeper->journal.socket_path,
		.user_instance = keeper->options.is_user,
		.owner_uid = geteuid(),
		.restarts = keeper->core.restarts,
		.cgroup = cgroup_is_there(&keeper->cgroup) ? keeper->cgroup.path : NULL,
	};
}

void load_send_config(struct keeper *keeper, uint64_t serial)
{
	struct protocol_message config = make_config(keeper);

	config.serial = serial;
	core_send(&keeper->core, &config, &keeper->snapshot_fd, 1);
}

void load_send_first_config(struct keeper *keeper)
{
	const struct protocol_message config = make_config(keeper);
	const int fds[] = { keeper->snapshot_fd, keeper->runtime.control_fd };

	core_send(&keeper->core, &config, fds, ARRAY_SIZE(fds));
}

/* Only what was read is kept: a policy may be refused for want of a descriptor. */
static int keep_policy(
		struct keeper *keeper, const char *name, struct kept_policy **ret_kept)
{
	auto_(kept_policy) kept = calloc(1, sizeof(*kept));
	auto_diag diag = { 0 };
	int r;

	if (!kept)
		return -ENOMEM;
	kept->name = strdup(name);
	if (!kept->name)
		return -ENOMEM;
	r = policy_load(name, &keeper->options.policy_path, &diag, &kept->policy);
	load_print_diag(&diag);
	if (r == 0)
		r = map_put(&keeper->policies, kept->name, kept);
	if (r < 0)
		return r;
	*ret_kept = TAKE_PTR(kept);
	return 0;
}

int load_policy(struct keeper *keeper, const char *name, const struct policy **ret_policy)
{
	struct kept_policy *kept = map_find(&keeper->policies, name);
	int r = kept ? 0 : keep_policy(keeper, name, &kept);

	if (r < 0)
		return r;
	*ret_policy = kept->policy;
	return 0;
}
