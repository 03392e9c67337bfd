/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/wire.h"

/*
 * The first byte is a number of fields, as many bytes choose their kinds, and the rest is
 * the message. Whatever can be read is written again and must come out as the same bytes.
 */

#define FIELDS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy_count(struct wire_reader *r, struct wire_writer *w)
{
	uint32_t count = wire_get_count(r);

	wire_put_u32(w, count);
	for (uint32_t i = 0; i < count; i++)
		wire_put_text(w, wire_get_text(r));
}

static void copy_bytes(struct wire_reader *r, struct wire_writer *w)
{
	size_t size = 0;
	const void *bytes = wire_get_bytes(r, &size);

	bug_unless(bytes || size == 0);
	wire_put_bytes(w, bytes, size);
}

static void copy_field(uint8_t kind, struct wire_reader *r, struct wire_writer *w)
{
	switch (kind % 7) {
	case 0:
		wire_put_u8(w, wire_get_u8(r));
		break;
	case 1:
		wire_put_u32(w, wire_get_u32(r));
		break;
	case 2:
		wire_put_u64(w, wire_get_u64(r));
		break;
	case 3:
		wire_put_i32(w, wire_get_i32(r));
		break;
	case 4:
		copy_bytes(r, w);
		break;
	case 5:
		wire_put_text(w, wire_get_text(r));
		break;
	default:
		copy_count(r, w);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n_fields = size > 0 ? data[0] % FIELDS_MAX : 0;
	struct wire_reader r;
	struct wire_writer w;

	if (size < 1 + n_fields)
		return 0;
	wire_reader_init(&r, data + 1 + n_fields, size - 1 - n_fields);
	wire_writer_init_growing(&w);
	for (size_t i = 0; i < n_fields; i++)
		copy_field(data[1 + i], &r, &w);
	bug_unless(r.offset <= r.size);
	bug_unless((wire_reader_finish(&r) == 0) == (!r.failed && r.offset == r.size));
	if (!r.failed && !w.failed) {
		bug_unless(w.size == r.offset);
		bug_unless(w.size == 0 || memcmp(w.data, r.data, w.size) == 0);
	}
	wire_writer_fini(&w);
	return 0;
}
