/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_JOURNAL_H
#define KEEPER_JOURNAL_H

/*
 * Where the journal's sockets are, when somebody listens on them.
 */

#include "base/macro.h"

struct journal {
	char *socket_path, *stream_path; /* NULL: there is no journal */
};

/* Look again; what was found before is forgotten. -ENOMEM. */
MUST_CHECK int journal_find(struct journal *journal);
void journal_fini(struct journal *journal);

#endif
