/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef CTL_LOG_TRUST_H
#define CTL_LOG_TRUST_H

/*
 * Which entries of the journal are what they say. Any user may send entries with any
 * fields, but for those that journald adds itself, whose names begin with "_".
 *
 * A record about a unit is one of the instance when its uid is the owner's of the runtime
 * folder or, where that is root, the core's: user airssys, or one of the uids that are
 * given to programs for as long as they run.
 *
 * A line of output is the unit's when its uid is the owner's, or when it was written in
 * the unit's cgroup, of which the core's own records tell, or when the cgroup is not known
 * and the stream was opened by root for this unit.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-journal.h>

#include "base/macro.h"
#include "base/text.h"
#include "ctl/log.h"

/* Where an instance has lived at most: one cgroup for each way it was started. */
#define LOG_TRUST_HOMES_MAX 32

struct log_trust {
	const struct log_request *request;
	uid_t owner, core; /* core: the user airssys, or owner */
	struct strv folders; /* cgroups that have those of the units */
	struct strv homes; /* cgroup of the core and, without folders, of all units */
	bool looked; /* folders and homes are filled */
};

/* request is borrowed. */
void log_trust_init(struct log_trust *trust, const struct log_request *request);
void log_trust_fini(struct log_trust *trust);

/* The core may live elsewhere now: look again when it matters. */
void log_trust_renew(struct log_trust *trust);

/* 1 or 0 for the entry that j is at; negative errno. May read much of the journal. */
MUST_CHECK int log_trust_check(struct log_trust *trust, sd_journal *j);

/* Whether cgroup is the unit's, or one below it, in the folder of an instance. */
bool log_trust_is_of_unit(const char *folder, const char *cgroup, const char *unit);

/* Open the journal that request is about, without any match. */
MUST_CHECK int log_journal_open_files(
		const struct log_request *request, sd_journal **ret_journal);

#endif
