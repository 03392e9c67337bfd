/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256

/*
 * A text is its length with the NUL, and its bytes with the NUL, so that a reader can
 * lend it out of the input; length 0 stands for NULL.
 */

void wire_writer_init(struct wire_writer *w, void *data, size_t capacity)
{
	*w = (struct wire_writer){ .data = data, .capacity = capacity };
}

void wire_writer_init_growing(struct wire_writer *w)
{
	*w = (struct wire_writer){ .growing = true };
}

void wire_writer_fini(struct wire_writer *w)
{
	if (w->growing)
		free(w->data);
	*w = (struct wire_writer){ 0 };
}

static int grow(struct wire_writer *w, size_t more)
{
	size_t capacity = w->capacity ? w->capacity : CAPACITY_MIN;
	uint8_t *data;

	while (capacity - w->size < more) {
		if (capacity > SIZE_MAX / 2)
			return -EOVERFLOW;
		capacity *= 2;
	}
	data = realloc(w->data, capacity);
	if (!data)
		return -ENOMEM;
	w->data = data;
	w->capacity = capacity;
	return 0;
}

/* The next size bytes to write, or NULL when the writer has failed. */
static uint8_t *claim(struct wire_writer *w, size_t size)
{
	uint8_t *at;

	if (!w->failed && w->capacity - w->size < size)
		w->failed = !w->growing || grow(w, size) < 0;
	if (w->failed)
		return NULL;
	at = w->data + w->size;
	w->size += size;
	return at;
}

static void put_number(struct wire_writer *w, uint64_t v, size_t size)
{
	uint8_t *at = claim(w, size);

	if (!at)
		return;
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

void wire_put_u8(struct wire_writer *w, uint8_t v)
{
	put_number(w, v, sizeof(v));
}

void wire_put_u32(struct wire_writer *w, uint32_t v)
{
	put_number(w, v, sizeof(v));
}

void wire_put_u64(struct wire_writer *w, uint64_t v)
{
	put_number(w, v, sizeof(v));
}

void wire_put_i32(struct wire_writer *w, int32_t v)
{
	put_number(w, (uint32_t)v, sizeof(v));
}

void wire_put_bytes(struct wire_writer *w, const void *data, size_t size)
{
	uint8_t *at;

	if (size > UINT32_MAX) {
		w->failed = true;
		return;
	}
	wire_put_u32(w, (uint32_t)size);
	at = claim(w, size);
	if (at && size > 0)
		memcpy(at, data, size);
}

void wire_put_text(struct wire_writer *w, const char *s)
{
	wire_put_bytes(w, s, s ? strlen(s) + 1 : 0);
}

void wire_put_strv(struct wire_writer *w, char *const *items, size_t count)
{
	if (count > UINT32_MAX) {
		w->failed = true;
		return;
	}
	wire_put_u32(w, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		wire_put_text(w, items[i]);
}

void wire_reader_init(struct wire_reader *r, const void *data, size_t size)
{
	*r = (struct wire_reader){ .data = data, .size = size };
}

/* The next size bytes to read, or NULL when the reader has failed. */
static const uint8_t *consume(struct wire_reader *r, size_t size)
{
	const uint8_t *at;

	if (r->failed || r->size - r->offset < size) {
		r->failed = true;
		return NULL;
	}
	at = r->data + r->offset;
	r->offset += size;
	return at;
}

static uint64_t get_number(struct wire_reader *r, size_t size)
{
	const uint8_t *at = consume(r, size);
	uint64_t v = 0;

	for (size_t i = 0; at && i < size; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

uint8_t wire_get_u8(struct wire_reader *r)
{
	return (uint8_t)get_number(r, sizeof(uint8_t));
}

uint32_t wire_get_u32(struct wire_reader *r)
{
	return (uint32_t)get_number(r, sizeof(uint32_t));
}

uint64_t wire_get_u64(struct wire_reader *r)
{
	return get_number(r, sizeof(uint64_t));
}

int32_t wire_get_i32(struct wire_reader *r)
{
	return (int32_t)wire_get_u32(r);
}

const void *wire_get_bytes(struct wire_reader *r, size_t *ret_size)
{
	uint32_t size = wire_get_u32(r);
	const void *at = consume(r, size);

	*ret_size = at ? size : 0;
	return at;
}

const char *wire_get_text(struct wire_reader *r)
{
	size_t size;
	const char *s = wire_get_bytes(r, &size);

	if (!s || size == 0)
		return NULL;
	if (memchr(s, '\0', size) != s + size - 1) {
		r->failed = true;
		return NULL;
	}
	return s;
}

uint32_t wire_get_count(struct wire_reader *r)
{
	uint32_t count = wire_get_u32(r);

	/* Each text takes its length at least, which bounds what a caller may allocate.
	 */
	if (r->failed || count > (r->size - r->offset) / sizeof(uint32_t)) {
		r->failed = true;
		return 0;
	}
	return count;
}

int wire_reader_finish(const struct wire_reader *r)
{
	return r->failed || r->offset != r->size ? -EBADMSG : 0;
}
