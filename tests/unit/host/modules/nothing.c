/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <airssys/types.h>

AIRS_PUBLIC extern int not_a_module;
int not_a_module = 1;
