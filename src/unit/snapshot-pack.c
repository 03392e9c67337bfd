/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/wire.h"
#include "unit/name.h"
#include "unit/snapshot.h"

/*
 * The memory file: a magic number, a count, and for each file its path, unit, flags and
 * text; then what the loading had to say, a count and the fields of each diagnostic. Each
 * text has its NUL with it, so that the reader keeps the bytes as they are and points
 * into them.
 */

#define SNAPSHOT_MAGIC    0x32736e61u
#define SNAPSHOT_SIZE_MAX ((size_t)256 * 1024 * 1024)
#define FILE_SIZE_MIN     16 /* of a packed file: three lengths and the flags */
#define DIAG_SIZE_MIN     24 /* of a packed diagnostic: four lengths, severity, line */

enum flag {
	FLAG_DROP_IN = 1 << 0,
	FLAG_MASKED = 1 << 1,
};

static void pack_diag(struct wire_writer *w, const struct diag *diag)
{
	wire_put_u32(w, (uint32_t)diag->count);
	for (size_t i = 0; i < diag->count; i++) {
		const struct diag_item *item = &diag->items[i];

		wire_put_u32(w, item->severity);
		wire_put_text(w, item->code);
		wire_put_text(w, item->file);
		wire_put_u32(w, item->line);
		wire_put_text(w, item->text);
		wire_put_text(w, item->remedy);
	}
}

int unit_snapshot_pack(const struct unit_snapshot *snapshot, int *ret_fd)
{
	struct wire_writer w;
	int r = -EFBIG;

	wire_writer_init_growing(&w);
	wire_put_u32(&w, SNAPSHOT_MAGIC);
	wire_put_u32(&w, snapshot->count);
	for (uint32_t i = 0; i < snapshot->count; i++) {
		const struct unit_file *f = &snapshot->files[i];

		wire_put_text(&w, f->path);
		wire_put_text(&w, f->unit);
		wire_put_u32(&w,
				(f->is_drop_in ? FLAG_DROP_IN : 0) |
						(f->is_masked ? FLAG_MASKED : 0));
		wire_put_bytes(&w, f->data, f->size + 1);
	}
	pack_diag(&w, &snapshot->diag);
	if (w.failed)
		r = -ENOMEM;
	else if (w.size <= SNAPSHOT_SIZE_MAX)
		r = memfd_sealed("airssys-units", w.data, w.size, ret_fd);
	wire_writer_fini(&w);
	return r;
}

static int unpack_file(struct wire_reader *r, struct unit_file *ret_file)
{
	struct unit_file f = { 0 };
	uint32_t flags;
	size_t size;

	/* Borrowed from the memory that the snapshot owns, and never written. */
	f.path = (char *)(uintptr_t)wire_get_text(r);
	f.unit = (char *)(uintptr_t)wire_get_text(r);
	flags = wire_get_u32(r);
	f.data = (char *)(uintptr_t)wire_get_bytes(r, &size);
	f.is_drop_in = !!(flags & FLAG_DROP_IN);
	f.is_masked = !!(flags & FLAG_MASKED);
	if (r->failed || !f.path || !f.unit || flags > (FLAG_DROP_IN | FLAG_MASKED))
		return -EBADMSG;
	if (!name_suffix(f.unit) || size == 0 || size > (size_t)UNIT_FILE_MAX + 1 ||
			f.data[size - 1] != '\0')
		return -EBADMSG;
	f.size = size - 1;
	*ret_file = f;
	return 0;
}

static int unpack_diag_item(struct wire_reader *r, struct diag *diag)
{
	uint32_t severity = wire_get_u32(r);
	const char *code = wire_get_text(r);
	const char *file = wire_get_text(r);
	uint32_t line = wire_get_u32(r);
	const char *text = wire_get_text(r);
	const char *remedy = wire_get_text(r);

	if (r->failed || severity > DIAG_ERROR || !text || !code || !*code ||
			strlen(code) >= sizeof(diag->items->code))
		return -EBADMSG;
	diag_add(diag, (enum diag_severity)severity, code,
			(struct diag_place){ file, line }, remedy, "%s", text);
	return 0;
}

static int unpack_diag(struct wire_reader *r, struct diag *diag)
{
	uint32_t count = wire_get_u32(r);
	int e = 0;

	if (r->failed || count > (r->size - r->offset) / DIAG_SIZE_MIN)
		return -EBADMSG;
	for (uint32_t i = 0; i < count && e == 0; i++)
		e = unpack_diag_item(r, diag);
	return e;
}

static int unpack(const void *data, size_t size, struct unit_snapshot *s)
{
	struct wire_reader r;
	uint32_t magic, count;
	int e;

	wire_reader_init(&r, data, size);
	magic = wire_get_u32(&r);
	count = wire_get_u32(&r);
	if (r.failed || magic != SNAPSHOT_MAGIC || count > UNIT_FILES_MAX ||
			count > size / FILE_SIZE_MIN)
		return -EBADMSG;
	s->files = calloc((size_t)count + 1, sizeof(*s->files));
	if (!s->files)
		return -ENOMEM;
	for (; s->count < count; s->count++) {
		e = unpack_file(&r, &s->files[s->count]);
		if (e < 0)
			return e;
	}
	e = unpack_diag(&r, &s->diag);
	return e < 0 ? e : wire_reader_finish(&r);
}

int unit_snapshot_unpack(int fd, struct unit_snapshot **ret_snapshot)
{
	auto_(unit_snapshot) s = NULL;
	char *data;
	size_t size;
	int r;

	r = memfd_is_sealed(fd);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	r = fd_read_all(fd, SNAPSHOT_SIZE_MAX, &data, &size);
	if (r < 0)
		return r == -EFBIG ? -EBADMSG : r;
	s = calloc(1, sizeof(*s));
	if (!s) {
		free(data);
		return -ENOMEM;
	}
	s->memory = data;
	r = unpack(data, size, s);
	if (r < 0)
		return r;
	*ret_snapshot = TAKE_PTR(s);
	return 0;
}
