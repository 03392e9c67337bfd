/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_INSTANCE_H
#define UNIT_INSTANCE_H

/*
 * How an instance is told from the others of the machine in the journal, which has one
 * place for all of them. It is known by its runtime folder, so whoever knows that folder
 * finds its entries, also when it does not run.
 */

#include "base/macro.h"

#define INSTANCE_SYSTEM_DIR "/run/airssys"

/*
 * The folder of a unit in the instance's cgroup folder is its name with this behind it,
 * with which no file of the kernel's ends.
 */
#define INSTANCE_LEAF_SUFFIX ".actor"

/*
 * The value of AIRSSYS_INSTANCE: the runtime folder, absolute, without empty and "."
 * components. Links and ".." stay. NULL when out of memory; the caller frees it.
 */
MUST_CHECK char *instance_name(const char *runtime_dir);

/*
 * The identifier of the stream that a unit's output goes through to the journal: name
 * (the unit's, or its SyslogIdentifier=) in the instance of the system, elsewhere
 * "name@" and eight digits that stand for the runtime folder. As above.
 */
MUST_CHECK char *instance_log_identifier(const char *runtime_dir, const char *name);

#endif
