/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/option-type.h"
#include "unit/pack.h"

void option_pack_strv(struct packer *packer, void *field, struct unit *unit)
{
	(void)unit;
	pack_strv(packer, field);
}

void option_pack_environment_files(struct packer *packer, void *field, struct unit *unit)
{
	struct unit_service *service = &unit->service;
	struct unit_environment_file *items;

	(void)field;
	items = pack_array(packer, service->environment_files,
			service->n_environment_files, sizeof(*items));
	for (uint32_t i = 0; i < service->n_environment_files; i++)
		pack_text(packer, &items[i].path);
	service->environment_files = items;
}

static void pack_command(struct packer *packer, struct unit_command *c)
{
	bool is_own = c->argv.count == 0 || !text_equals(c->path, c->argv.items[0]);

	if (is_own)
		pack_text(packer, &c->path);
	pack_strv(packer, &c->argv);
	/* Most programs run under their own name: it is there once. */
	if (!is_own && packer->block)
		c->path = c->argv.items[0];
}

void option_pack_commands(struct packer *packer, void *field, struct unit *unit)
{
	struct unit_commands *commands = field;
	struct unit_command *items = pack_array(
			packer, commands->items, commands->count, sizeof(*items));

	(void)unit;
	for (uint32_t i = 0; i < commands->count; i++)
		pack_command(packer, &items[i]);
	commands->items = items;
}

void option_pack_exit_set(struct packer *packer, void *field, struct unit *unit)
{
	struct unit_exit_set **set = field;

	(void)unit;
	*set = pack_array(packer, *set, 1, sizeof(**set));
}

void option_pack_limits(struct packer *packer, void *field, struct unit *unit)
{
	(void)field;
	unit->service.limits = pack_array(packer, unit->service.limits,
			unit->service.n_limits, sizeof(*unit->service.limits));
}
