/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_STORE_H
#define UNIT_STORE_H

/*
 * The memory file with the texts of unit files, shared by the snapshot that wrote or
 * unpacked it and by the sets that were parsed from it. It is read and never mapped: what
 * rests there is no memory of ours until somebody wants it.
 *
 * The count of references is not atomic: all users of a store are in one thread.
 */

#include <stdint.h>

#include "base/wire.h"
#include "unit/draft.h"
#include "unit/snapshot.h"

struct unit_store {
	uint32_t references;
	int fd;
	bool is_sealed; /* nothing can be added */
};

/* Consumes fd in every case. -ENOMEM. */
MUST_CHECK int unit_store_new(int fd, struct unit_store **ret_store);
struct unit_store *unit_store_ref(struct unit_store *store);
void unit_store_unref(struct unit_store *store);

void unit_file_pack(struct wire_writer *w, const struct unit_file *f);
/* Texts are borrowed from the reader's input. -EBADMSG. */
MUST_CHECK int unit_file_unpack(struct wire_reader *r, struct unit_file *ret_file);

/* The files of one unit, read again. */
struct unit_reading {
	char *memory; /* what all texts stand in */
	struct unit_file *files;
	uint32_t count;
	struct draft_group base, own;
};

/* -ENOMEM, -EBADMSG, or why it cannot be read. */
MUST_CHECK int unit_store_read(const struct unit_store *store, struct unit_extent base,
		struct unit_extent own, struct unit_reading *ret_reading);
/* 1 when what stands in two stores is the same, 0 when not, or why it cannot be read. */
MUST_CHECK int unit_store_equals(const struct unit_store *a, struct unit_extent in_a,
		const struct unit_store *b, struct unit_extent in_b);
void unit_reading_fini(struct unit_reading *reading);

#endif
