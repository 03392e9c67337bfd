/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <airssys/module.h>

static const struct airs_behaviour behaviour = { .size = 1, .name = "short" };

AIRS_MODULE("behaviour", "has a behaviour of another size", &behaviour);
