/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/wire.h"
#include "unit/snapshot.h"
#include "unit/store.h"

/*
 * The memory file: a magic number, a count, and for each file its path, unit, flags and
 * text; then what the loading had to say, a count and the fields of each diagnostic; then
 * the context, the programs that are not just where they are said to be, the policies that
 * are not there, and the units that are refused. Each text has its NUL with it, so that the reader keeps the bytes as
 * they are and points into them.
 */

#define SNAPSHOT_MAGIC    0x34736e61u
#define SNAPSHOT_SIZE_MAX ((size_t)256 * 1024 * 1024)
#define FILE_SIZE_MIN     16 /* of a packed file: three lengths and the flags */
#define DIAG_SIZE_MIN     24 /* of a packed diagnostic: four lengths, severity, line */
#define REFUSAL_SIZE_MIN  12 /* of a packed refusal: three lengths */
#define PROGRAM_SIZE_MIN  12 /* of a packed program: two lengths, error */

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

static void pack_context(struct wire_writer *w, struct unit_context context)
{
	const char **text;

	for (size_t i = 0; (text = unit_context_text(&context, i)); i++)
		wire_put_text(w, *text);
	wire_put_u32(w, context.uid);
	wire_put_u32(w, context.gid);
}

static void pack_answers(struct wire_writer *w, const struct map *answers)
{
	const struct unit_program *program;
	uint32_t count = 0;
	size_t cursor;

	map_foreach(answers, cursor, program)
		count += unit_program_is_odd(program);
	wire_put_u32(w, count);
	map_foreach(answers, cursor, program) {
		if (!unit_program_is_odd(program))
			continue;
		wire_put_text(w, program->name);
		wire_put_text(w, program->path);
		wire_put_i32(w, program->error);
	}
}

static void pack_refusals(struct wire_writer *w, const struct unit_refusals *refusals)
{
	wire_put_u32(w, refusals->count);
	for (uint32_t i = 0; i < refusals->count; i++) {
		wire_put_text(w, refusals->items[i].name);
		wire_put_text(w, refusals->items[i].supervisor);
		wire_put_text(w, refusals->items[i].why);
	}
}

/* Append to a memory file. Consumes what the writer holds. */
static int write_out(struct wire_writer *w, int fd)
{
	int r = w->failed ? -ENOMEM : fd_write_all(fd, w->data, w->size);

	wire_writer_fini(w);
	return r;
}

static int write_files(struct unit_snapshot *snapshot, int fd)
{
	struct wire_writer w;

	wire_writer_init_growing(&w);
	wire_put_u32(&w, SNAPSHOT_MAGIC);
	wire_put_u32(&w, snapshot->count);
	for (uint32_t i = 0; i < snapshot->count; i++) {
		struct unit_file *f = &snapshot->files[i];
		size_t at = w.size;

		unit_file_pack(&w, f);
		if (w.size > SNAPSHOT_SIZE_MAX) {
			wire_writer_fini(&w);
			return -EFBIG;
		}
		f->extent = (struct unit_extent){ (uint32_t)at, (uint32_t)(w.size - at) };
	}
	return write_out(&w, fd);
}

int unit_snapshot_store(struct unit_snapshot *snapshot)
{
	auto_close int fd = -1;
	int r;

	if (snapshot->store)
		return 0;
	r = memfd_new("airssys-units", &fd);
	if (r == 0)
		r = write_files(snapshot, fd);
	return r < 0 ? r : unit_store_new(take_fd(&fd), &snapshot->store);
}

static int write_rest(const struct unit_snapshot *snapshot, int fd)
{
	struct wire_writer w;

	wire_writer_init_growing(&w);
	pack_diag(&w, &snapshot->diag);
	pack_context(&w, snapshot->context);
	pack_answers(&w, &snapshot->programs.by_name);
	pack_answers(&w, &snapshot->programs.policies);
	pack_refusals(&w, &snapshot->refusals);
	return write_out(&w, fd);
}

int unit_snapshot_pack(struct unit_snapshot *snapshot, int *ret_fd)
{
	struct stat st;
	int fd, r;

	/* What was packed earlier stays as it was. */
	if (snapshot->store && snapshot->store->is_sealed)
		unit_snapshot_changed(snapshot);
	r = unit_snapshot_store(snapshot);
	if (r < 0)
		return r;
	fd = snapshot->store->fd;
	snapshot->store->is_sealed = true;
	r = write_rest(snapshot, fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((size_t)st.st_size > SNAPSHOT_SIZE_MAX)
		return -EFBIG;
	r = memfd_seal(fd);
	return r < 0 ? r : fd_copy(fd, ret_fd);
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

static void unpack_context(struct wire_reader *r, struct unit_snapshot *s)
{
	const char **text;

	for (size_t i = 0; (text = unit_context_text(&s->context, i)); i++)
		*text = wire_get_text(r);
	s->context.uid = wire_get_u32(r);
	s->context.gid = wire_get_u32(r);
	s->context.programs = &s->programs;
	s->programs.is_closed = true;
}

typedef int add_answer_fn(
		struct unit_programs *programs, const struct unit_program *program);

static int unpack_answers(struct wire_reader *r, struct unit_programs *programs,
		add_answer_fn *add_answer)
{
	uint32_t count = wire_get_u32(r);
	int e = 0;

	if (r->failed || count > (r->size - r->offset) / PROGRAM_SIZE_MIN)
		return -EBADMSG;
	for (uint32_t i = 0; i < count && e == 0; i++) {
		/* Copied by whoever keeps it. */
		struct unit_program program = {
			.name = (char *)(uintptr_t)wire_get_text(r),
			.path = (char *)(uintptr_t)wire_get_text(r),
			.error = wire_get_i32(r),
		};

		if (r->failed || !program.name || program.error > 0 ||
				!unit_program_is_odd(&program))
			return -EBADMSG;
		e = add_answer(programs, &program);
	}
	return e == -EEXIST ? -EBADMSG : e;
}

static int unpack_refusals(struct wire_reader *r, struct unit_refusals *refusals)
{
	uint32_t count = wire_get_u32(r);
	int e = 0;

	if (r->failed || count > (r->size - r->offset) / REFUSAL_SIZE_MIN)
		return -EBADMSG;
	for (uint32_t i = 0; i < count && e == 0; i++) {
		const char *name = wire_get_text(r);
		const char *supervisor = wire_get_text(r);
		const char *why = wire_get_text(r);

		if (r->failed || !name || !why)
			return -EBADMSG;
		e = unit_refusals_add(refusals, name, supervisor, why);
	}
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
		e = unit_file_unpack(&r, &s->files[s->count]);
		if (e < 0)
			return e;
	}
	e = unpack_diag(&r, &s->diag);
	if (e < 0)
		return e;
	unpack_context(&r, s);
	e = unpack_answers(&r, &s->programs, unit_programs_add);
	if (e == 0)
		e = unpack_answers(&r, &s->programs, unit_programs_add_policy);
	if (e == 0)
		e = unpack_refusals(&r, &s->refusals);
	return e < 0 ? e : wire_reader_finish(&r);
}

static int keep_store(struct unit_snapshot *s, int fd)
{
	int copy, r = fd_copy(fd, &copy);

	if (r == 0)
		r = unit_store_new(copy, &s->store);
	if (r == 0)
		s->store->is_sealed = true;
	return r;
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
	if (r == 0)
		r = keep_store(s, fd);
	if (r < 0)
		return r;
	*ret_snapshot = TAKE_PTR(s);
	return 0;
}
