/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "unit/name.h"

enum flag {
	FLAG_DROP_IN = 1 << 0,
	FLAG_MASKED = 1 << 1,
	FLAG_REFUSED = 1 << 2,
	FLAG_KEPT = 1 << 3,
	FLAG_ALL = FLAG_DROP_IN | FLAG_MASKED | FLAG_REFUSED | FLAG_KEPT,
};

int unit_store_new(int fd, struct unit_store **ret_store)
{
	struct unit_store *store = calloc(1, sizeof(*store));

	if (!store) {
		close_fd(fd);
		return -ENOMEM;
	}
	store->references = 1;
	store->fd = fd;
	*ret_store = store;
	return 0;
}

struct unit_store *unit_store_ref(struct unit_store *store)
{
	store->references++;
	return store;
}

void unit_store_unref(struct unit_store *store)
{
	if (!store || --store->references > 0)
		return;
	close_fd(store->fd);
	free(store);
}

static uint32_t flags_of(const struct unit_file *f)
{
	return (f->is_drop_in ? FLAG_DROP_IN : 0) | (f->is_masked ? FLAG_MASKED : 0) |
			(f->is_refused ? FLAG_REFUSED : 0) | (f->is_kept ? FLAG_KEPT : 0);
}

void unit_file_pack(struct wire_writer *w, const struct unit_file *f)
{
	wire_put_text(w, f->path);
	wire_put_text(w, f->unit);
	wire_put_u32(w, flags_of(f));
	wire_put_bytes(w, f->data, f->size + 1);
}

int unit_file_unpack(struct wire_reader *r, struct unit_file *ret_file)
{
	struct unit_file f = { .extent.at = (uint32_t)r->offset };
	uint32_t flags;
	size_t size;

	/* Borrowed from the memory that the snapshot owns, and never written. */
	f.path = (char *)(uintptr_t)wire_get_text(r);
	f.unit = (char *)(uintptr_t)wire_get_text(r);
	flags = wire_get_u32(r);
	f.data = (char *)(uintptr_t)wire_get_bytes(r, &size);
	f.is_drop_in = !!(flags & FLAG_DROP_IN);
	f.is_masked = !!(flags & FLAG_MASKED);
	f.is_refused = !!(flags & FLAG_REFUSED);
	f.is_kept = !!(flags & FLAG_KEPT);
	if (r->failed || !f.path || !f.unit || flags > FLAG_ALL)
		return -EBADMSG;
	if (!name_suffix(f.unit) || size == 0 || size > (size_t)UNIT_FILE_MAX + 1 ||
			f.data[size - 1] != '\0')
		return -EBADMSG;
	f.size = size - 1;
	f.extent.size = (uint32_t)r->offset - f.extent.at;
	*ret_file = f;
	return 0;
}

static int read_extent(
		const struct unit_store *store, struct unit_extent extent, char *to)
{
	uint32_t n = 0;

	while (n < extent.size) {
		ssize_t got = pread(
				store->fd, to + n, extent.size - n, (off_t)extent.at + n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		n += (uint32_t)got;
	}
	return 0;
}

static int unpack_files(struct unit_reading *reading, const char *data, size_t size)
{
	struct unit_file *files;
	struct wire_reader r;
	int e;

	wire_reader_init(&r, data, size);
	while (r.offset < r.size) {
		files = reallocarray(reading->files, reading->count + 1, sizeof(*files));
		if (!files)
			return -ENOMEM;
		reading->files = files;
		e = unit_file_unpack(&r, &files[reading->count]);
		if (e < 0)
			return e;
		reading->count++;
	}
	return 0;
}

static int fill(struct unit_reading *reading, const struct unit_store *store,
		struct unit_extent base, struct unit_extent own)
{
	uint32_t n_base;
	int r;

	reading->memory = malloc((size_t)base.size + own.size + 1);
	if (!reading->memory)
		return -ENOMEM;
	r = read_extent(store, base, reading->memory);
	if (r == 0)
		r = read_extent(store, own, reading->memory + base.size);
	if (r == 0)
		r = unpack_files(reading, reading->memory, base.size);
	n_base = reading->count;
	if (r == 0)
		r = unpack_files(reading, reading->memory + base.size, own.size);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < reading->count; i++)
		draft_group_add(i < n_base ? &reading->base : &reading->own,
				&reading->files[i]);
	return reading->base.own || reading->own.own ? 0 : -EBADMSG;
}

int unit_store_read(const struct unit_store *store, struct unit_extent base,
		struct unit_extent own, struct unit_reading *ret_reading)
{
	struct unit_reading reading = { 0 };
	int r = fill(&reading, store, base, own);

	if (r < 0)
		unit_reading_fini(&reading);
	else
		*ret_reading = reading;
	return r;
}

int unit_store_equals(const struct unit_store *a, struct unit_extent in_a,
		const struct unit_store *b, struct unit_extent in_b)
{
	auto_free char *bytes = NULL;
	int r;

	if (in_a.size != in_b.size)
		return 0;
	bytes = malloc(2 * (size_t)in_a.size + 1);
	if (!bytes)
		return -ENOMEM;
	r = read_extent(a, in_a, bytes);
	if (r == 0)
		r = read_extent(b, in_b, bytes + in_a.size);
	return r < 0 ? r : memcmp(bytes, bytes + in_a.size, in_a.size) == 0;
}

void unit_reading_fini(struct unit_reading *reading)
{
	free(reading->files);
	free(reading->memory);
	*reading = (struct unit_reading){ 0 };
}
