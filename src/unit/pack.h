/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_PACK_H
#define UNIT_PACK_H

/*
 * A unit in one block of memory. While a file is read every text is an allocation of its
 * own; afterwards nothing changes any more, and a thousand units of a dozen small
 * allocations each cost more in the gaps than in the texts.
 *
 * A unit is walked over twice by the same functions: once to count, once to copy. They
 * get the fields of the copy, which still hold the pointers of the original, and put
 * others in their place; while they count they change nothing.
 */

#include <stddef.h>

#include "base/text.h"
#include "unit/unit.h"

struct packer {
	char *block; /* NULL: it is only counted */
	size_t size;
};

void pack_text(struct packer *p, char **text);
void pack_strv(struct packer *p, struct strv *v);
/* An array of count items of this size, which begin at a multiple of eight bytes. Returns
 * what is to be packed further: the copy, or the original while it is counted. */
void *pack_array(struct packer *p, void *array, size_t count, size_t size);

#endif
