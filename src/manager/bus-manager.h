/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_BUS_MANAGER_H
#define MANAGER_BUS_MANAGER_H

/*
 * The interface org.airssys.Manager1 (manager/names.h). Its methods check the caller and
 * hand the request on.
 */

#include <systemd/sd-bus.h>

extern const sd_bus_vtable bus_manager_vtable[]; /* userdata: struct bus_peer */

#endif
