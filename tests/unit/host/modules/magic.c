/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <airssys/module.h>

AIRS_PUBLIC extern const struct airs_module airs_module;
const struct airs_module airs_module = { 42, AIRS_MODULE_ABI, sizeof(struct airs_module),
	"magic", "", NULL };
