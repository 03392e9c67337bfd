/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

/*
 * Length-checked writing and reading of fields, little endian, for messages between our
 * own processes and for state files.
 *
 * Both ends remember their first failure: a writer that ran out of room and a reader that
 * ran past its end are asked once, at the end. A failed reader returns zeros and empty
 * texts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

struct wire_writer {
	uint8_t *data;
	size_t size, capacity;
	bool growing; /* data is heap memory that may be reallocated */
	bool failed;
};

/* Writes into the caller's memory. */
void wire_writer_init(struct wire_writer *w, void *data, size_t capacity);
/* Writes into growing heap memory; wire_writer_fini frees it. */
void wire_writer_init_growing(struct wire_writer *w);
void wire_writer_fini(struct wire_writer *w);
void wire_put_u8(struct wire_writer *w, uint8_t v);
void wire_put_u32(struct wire_writer *w, uint32_t v);
void wire_put_u64(struct wire_writer *w, uint64_t v);
void wire_put_i32(struct wire_writer *w, int32_t v);
/* A length and the bytes. */
void wire_put_bytes(struct wire_writer *w, const void *data, size_t size);
/* A length and the bytes; NULL is told apart from "". */
void wire_put_text(struct wire_writer *w, const char *s);
/* A count and the texts; items may be NULL when count is 0. */
void wire_put_strv(struct wire_writer *w, char *const *items, size_t count);

struct wire_reader {
	const uint8_t *data;
	size_t size, offset;
	bool failed;
};

void wire_reader_init(struct wire_reader *r, const void *data, size_t size);
uint8_t wire_get_u8(struct wire_reader *r);
uint32_t wire_get_u32(struct wire_reader *r);
uint64_t wire_get_u64(struct wire_reader *r);
int32_t wire_get_i32(struct wire_reader *r);
/* Borrowed from the input. */
const void *wire_get_bytes(struct wire_reader *r, size_t *ret_size);
/* Borrowed from the input, NUL-terminated there; NULL if NULL was written or on failure.
 * A text with an embedded NUL is a failure. */
const char *wire_get_text(struct wire_reader *r);
/* Number of texts that follow, each to be read by wire_get_text; a count that cannot fit
 * is a failure. */
uint32_t wire_get_count(struct wire_reader *r);
/* 0 when everything was read and nothing is left, else -EBADMSG. */
MUST_CHECK int wire_reader_finish(const struct wire_reader *r);

#endif
