/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/bus-manager.h"

#include "manager/bus-peer.h"
#include "manager/names.h"

#define HANDLER(function, method, arguments)                                             \
	static int function(sd_bus_message *call, void *data, sd_bus_error *error)       \
	{                                                                                \
		return bus_peer_call(data, method, arguments, call, error);              \
	}

HANDLER(on_list_units, ACCESS_LIST_UNITS, BUS_NO_ARGUMENTS)
HANDLER(on_get_unit, ACCESS_GET_UNIT, BUS_NAME)
HANDLER(on_get_files, ACCESS_GET_FILES, BUS_NAME)
HANDLER(on_start, ACCESS_START, BUS_NAME)
HANDLER(on_stop, ACCESS_STOP, BUS_NAME)
HANDLER(on_restart, ACCESS_RESTART, BUS_NAME)
HANDLER(on_reload_unit, ACCESS_RELOAD_UNIT, BUS_NAME)
HANDLER(on_kill, ACCESS_KILL, BUS_NAME_WHOM_SIGNAL)
HANDLER(on_daemon_reload, ACCESS_DAEMON_RELOAD, BUS_NO_ARGUMENTS)
HANDLER(on_diagnostics, ACCESS_DIAGNOSTICS, BUS_NO_ARGUMENTS)
HANDLER(on_shutdown, ACCESS_SHUTDOWN, BUS_NO_ARGUMENTS)

static int get_version(sd_bus *bus, const char *path, const char *interface,
		const char *property, sd_bus_message *reply, void *data,
		sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)data;
	(void)error;
	return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

static int get_runtime_dir(sd_bus *bus, const char *path, const char *interface,
		const char *property, sd_bus_message *reply, void *data,
		sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	return sd_bus_message_append(reply, "s", bus_peer_facts(data)->runtime_dir);
}

static int get_tree_up(sd_bus *bus, const char *path, const char *interface,
		const char *property, sd_bus_message *reply, void *data,
		sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	return sd_bus_message_append(reply, "b", (int)bus_peer_facts(data)->tree_up);
}

/* sd-bus's own check compares with the uid of the thread; access.c decides instead, hence
 * UNPRIVILEGED everywhere. */
#define METHOD(name, in, in_names, out, out_names, handler)                              \
	SD_BUS_METHOD_WITH_NAMES(name, in, in_names, out, out_names, handler,            \
			SD_BUS_VTABLE_UNPRIVILEGED)
#define P SD_BUS_PARAM

/* clang-format off */
const sd_bus_vtable bus_manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	METHOD("ListUnits", NULL, "", "a" NAMES_LIST_SIGNATURE, P(units), on_list_units),
	METHOD("GetUnit", "s", P(name), "a{sv}", P(facts), on_get_unit),
	METHOD("GetFiles", "s", P(name), "a(ss)", P(files), on_get_files),
	METHOD("Start", "s", P(name), "s", P(result), on_start),
	METHOD("Stop", "s", P(name), "s", P(result), on_stop),
	METHOD("Restart", "s", P(name), "s", P(result), on_restart),
	METHOD("ReloadUnit", "s", P(name), "s", P(result), on_reload_unit),
	METHOD("Kill", "ssi", P(name) P(whom) P(signal), NULL, "", on_kill),
	METHOD("DaemonReload", NULL, "", "a" NAMES_DIAG_SIGNATURE, P(diagnostics), on_daemon_reload),
	METHOD("Diagnostics", NULL, "", "a" NAMES_DIAG_SIGNATURE, P(diagnostics), on_diagnostics),
	METHOD("Shutdown", NULL, "", NULL, "", on_shutdown),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("RuntimeDirectory", "s", get_runtime_dir, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("TreeUp", "b", get_tree_up, 0, 0),
	SD_BUS_VTABLE_END,
};
/* clang-format on */
