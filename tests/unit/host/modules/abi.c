/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <airssys/module.h>

AIRS_PUBLIC extern const struct airs_module airs_module;
const struct airs_module airs_module = { AIRS_MODULE_MAGIC, AIRS_MODULE_ABI + 1,
	sizeof(struct airs_module), "abi", "", NULL };
