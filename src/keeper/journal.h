/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_JOURNAL_H
#define KEEPER_JOURNAL_H

/*
 * Where the journal's sockets are, and whether somebody listens on them. A journal may come
 * and go: each start of a service tries, and takes the file when nobody listens.
 */

#include <stdbool.h>

#include "base/macro.h"

struct journal {
	char *socket_path, *stream_path;
	bool is_there; /* somebody listened when it was looked for */
};

/* Look again; what was found before is forgotten. -ENOMEM. */
MUST_CHECK int journal_find(struct journal *journal);
void journal_fini(struct journal *journal);

#endif
