/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/wire.h"

/*
 * One log and not a file for each unit: an append is one system call of about a
 * microsecond on tmpfs, against four and twenty for a file that is replaced.
 */

#define LOG_NAME     "log"
#define LOG_NEW      ".log.new"
#define LOG_MAX      (64 * 1024 * 1024)
#define RECORD_MAX   4096
#define HEAD_SIZE    8 /* length, checksum */
#define BLOAT_FACTOR 4
#define BLOAT_FLOOR  (64 * 1024)

/* FNV-1a: against torn writes, not against forgery; the folder is the keeper's own. */
static uint32_t checksum(const uint8_t *data, size_t size)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 16777619u;
	return h;
}

static void put_record(struct wire_writer *w, const struct state_record *record)
{
	wire_put_u8(w, (uint8_t)record->type);
	switch (record->type) {
	case STATE_BEGIN:
		wire_put_text(w, record->boot_id);
		wire_put_u64(w, record->spawn_id);
		wire_put_text(w, record->cgroup);
		break;
	case STATE_SPAWN:
		wire_put_u64(w, record->spawn_id);
		wire_put_text(w, record->unit);
		wire_put_u32(w, record->kind);
		wire_put_u32(w, record->index);
		wire_put_i32(w, record->pid);
		wire_put_u64(w, record->start_time);
		wire_put_u64(w, record->since_realtime_usec);
		wire_put_u64(w, record->since_monotonic_usec);
		wire_put_bytes(w, record->invocation, INVOCATION_SIZE);
		break;
	case STATE_END:
		wire_put_u64(w, record->spawn_id);
		wire_put_u32(w, record->stage);
		wire_put_i32(w, record->code);
		wire_put_i32(w, record->status);
		wire_put_u64(w, record->ended_realtime_usec);
		wire_put_u64(w, record->cpu_usec);
		wire_put_u64(w, record->memory_peak_bytes);
		break;
	case STATE_FORGET:
		wire_put_u64(w, record->spawn_id);
		break;
	case STATE_NOTE:
		wire_put_text(w, record->unit);
		wire_put_bytes(w, record->note, record->note_size);
		break;
	case STATE_TYPE_COUNT:
		break;
	}
}

static bool is_unit_name(const char *name)
{
	return name && *name && strlen(name) <= NAME_MAX && !strchr(name, '/');
}

static bool get_spawn(struct wire_reader *r, struct state_record *record)
{
	size_t size;

	record->spawn_id = wire_get_u64(r);
	record->unit = wire_get_text(r);
	record->kind = wire_get_u32(r);
	record->index = wire_get_u32(r);
	record->pid = wire_get_i32(r);
	record->start_time = wire_get_u64(r);
	record->since_realtime_usec = wire_get_u64(r);
	record->since_monotonic_usec = wire_get_u64(r);
	record->invocation = wire_get_bytes(r, &size);
	return is_unit_name(record->unit) && record->kind < UNIT_COMMAND_KIND_COUNT &&
			record->pid > 0 && size == INVOCATION_SIZE;
}

static bool get_end(struct wire_reader *r, struct state_record *record)
{
	record->spawn_id = wire_get_u64(r);
	record->stage = wire_get_u32(r);
	record->code = wire_get_i32(r);
	record->status = wire_get_i32(r);
	record->ended_realtime_usec = wire_get_u64(r);
	record->cpu_usec = wire_get_u64(r);
	record->memory_peak_bytes = wire_get_u64(r);
	return record->stage == PROCESS_ENDED || record->stage == PROCESS_ENDED_UNKNOWN;
}

static bool get_fields(struct wire_reader *r, struct state_record *record)
{
	switch (record->type) {
	case STATE_BEGIN:
		record->boot_id = wire_get_text(r);
		record->spawn_id = wire_get_u64(r);
		record->cgroup = wire_get_text(r);
		return record->boot_id != NULL;
	case STATE_SPAWN:
		return get_spawn(r, record);
	case STATE_END:
		return get_end(r, record);
	case STATE_FORGET:
		record->spawn_id = wire_get_u64(r);
		return true;
	case STATE_NOTE:
		record->unit = wire_get_text(r);
		record->note = wire_get_bytes(r, &record->note_size);
		return is_unit_name(record->unit) &&
				record->note_size <= PROTOCOL_NOTE_MAX;
	case STATE_TYPE_COUNT:
		break;
	}
	return false;
}

static bool get_record(const uint8_t *data, size_t size, struct state_record *record)
{
	struct wire_reader r;
	uint8_t type;

	*record = (struct state_record){ 0 };
	wire_reader_init(&r, data, size);
	type = wire_get_u8(&r);
	if (type < STATE_BEGIN || type >= STATE_TYPE_COUNT)
		return false;
	record->type = (enum state_type)type;
	return get_fields(&r, record) && wire_reader_finish(&r) == 0;
}

size_t state_read(const void *log, size_t size, state_record_fn *on_record, void *data)
{
	const uint8_t *p = log;
	struct state_record record;
	struct wire_reader head;
	uint32_t length, sum;

	while (size >= HEAD_SIZE) {
		wire_reader_init(&head, p, HEAD_SIZE);
		length = wire_get_u32(&head);
		sum = wire_get_u32(&head);
		if (length > RECORD_MAX || length > size - HEAD_SIZE ||
				checksum(p + HEAD_SIZE, length) != sum ||
				!get_record(p + HEAD_SIZE, length, &record))
			break;
		on_record(data, &record);
		p += HEAD_SIZE + length;
		size -= HEAD_SIZE + length;
	}
	return size;
}

/* The record with its head in front; its size, or 0 when it did not fit. */
static size_t encode(const struct state_record *record, uint8_t *buffer)
{
	struct wire_writer w, head;

	wire_writer_init(&w, buffer + HEAD_SIZE, RECORD_MAX);
	put_record(&w, record);
	if (w.failed)
		return 0;
	wire_writer_init(&head, buffer, HEAD_SIZE);
	wire_put_u32(&head, (uint32_t)w.size);
	wire_put_u32(&head, checksum(w.data, w.size));
	return HEAD_SIZE + w.size;
}

static void tell(struct state *state, int error)
{
	if (state->error == error)
		return;
	if (error)
		log_warning("cannot write the state file: %s; services stay supervised, "
			    "but a new airssysd would not know what starts from now on",
				strerror(error));
	else
		log_notice("the state file is written again");
	state->error = error;
}

void state_flush(struct state *state)
{
	size_t size = state->pending_size;
	int r;

	state->pending_size = 0;
	if (size == 0)
		return;
	if (state->log_fd < 0) {
		state->is_short = true;
		return;
	}
	r = fd_write_all(state->log_fd, state->pending, size);
	if (r == 0) {
		state->size += size;
		return;
	}
	state->is_short = true;
	/* What was written of a record would hide every later one from the reader. */
	if (ftruncate(state->log_fd, (off_t)state->size) < 0)
		state->log_fd = close_fd(state->log_fd);
	tell(state, -r);
}

_Static_assert(STATE_PENDING_SIZE >= 2 * (HEAD_SIZE + RECORD_MAX),
		"another record fits behind a large one");

static void append(struct state *state, const struct state_record *record)
{
	size_t size;

	if (sizeof(state->pending) - state->pending_size < HEAD_SIZE + RECORD_MAX)
		state_flush(state);
	size = encode(record, state->pending + state->pending_size);
	state->pending_size += size;
	if (state->log_fd < 0 || size == 0)
		state->is_short = true;
}

static struct state_record spawn_record(const struct process *process)
{
	return (struct state_record){
		.type = STATE_SPAWN,
		.spawn_id = process->spawn_id,
		.unit = process->charge->name,
		.kind = process->kind,
		.index = process->index,
		.pid = process->pid,
		.start_time = process->start_time,
		.since_realtime_usec = process->since_realtime_usec,
		.since_monotonic_usec = process->since_monotonic_usec,
		.invocation = process->charge->invocation,
	};
}

static struct state_record end_record(const struct process *process)
{
	return (struct state_record){
		.type = STATE_END,
		.spawn_id = process->spawn_id,
		.stage = process->stage,
		.code = process->code,
		.status = process->status,
		.ended_realtime_usec = process->ended_realtime_usec,
		.cpu_usec = process->cpu_usec,
		.memory_peak_bytes = process->memory_peak_bytes,
	};
}

static struct state_record note_record(const struct charge *charge)
{
	return (struct state_record){
		.type = STATE_NOTE,
		.unit = charge->name,
		.note = charge->note,
		.note_size = charge->note_size,
	};
}

/* The image of a whole log that is being put together. */
struct image {
	struct text bytes;
};

static void add_to_image(struct image *image, struct state_record record)
{
	uint8_t buffer[HEAD_SIZE + RECORD_MAX];
	size_t size = encode(&record, buffer);

	if (size == 0)
		image->bytes.failed = true;
	else
		text_append_n(&image->bytes, (const char *)buffer, size);
}

static void add_charge(struct image *image, const struct charge *charge)
{
	const struct process *process;

	if (charge->note_size > 0)
		add_to_image(image, note_record(charge));
	list_foreach(process, &charge->processes, link) {
		if (process->is_remnant || process->pid <= 0)
			continue;
		add_to_image(image, spawn_record(process));
		if (!process_is_live(process))
			add_to_image(image, end_record(process));
	}
}

static int write_image(struct state *state, const struct text *bytes)
{
	auto_close int fd = openat(state->folder_fd, LOG_NEW,
			O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text_get(bytes), bytes->size);
	if (r == 0 && renameat(state->folder_fd, LOG_NEW, state->folder_fd, LOG_NAME) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(state->folder_fd, LOG_NEW, 0);
		return r;
	}
	close_fd(state->log_fd);
	state->log_fd = take_fd(&fd);
	state->size = state->live_size = bytes->size;
	state->is_short = false;
	return 0;
}

int state_rewrite(struct state *state, const struct charges *charges)
{
	struct image image = { 0 };
	char boot_id[BOOT_ID_SIZE];
	const struct charge *charge;
	size_t cursor;
	int r;

	state_flush(state);
	r = boot_id_get(boot_id);
	if (r < 0)
		return r;
	add_to_image(&image,
			(struct state_record){ .type = STATE_BEGIN,
					.boot_id = boot_id,
					.spawn_id = charges->next_spawn_id,
					.cgroup = state->cgroup });
	charges_foreach(charges, cursor, charge)
		add_charge(&image, charge);
	r = image.bytes.failed ? -ENOMEM : write_image(state, &image.bytes);
	text_fini(&image.bytes);
	tell(state, -r);
	/* After a failure the old log is as complete as before: wait for it to double. */
	if (r < 0)
		state->live_size = state->size;
	return r;
}

void state_init(struct state *state, int folder_fd)
{
	*state = (struct state){ .folder_fd = folder_fd, .log_fd = -1 };
}

void state_fini(struct state *state)
{
	state_flush(state);
	state->log_fd = close_fd(state->log_fd);
}

int state_load(struct state *state, char **ret_data, size_t *ret_size)
{
	auto_close int fd = openat(
			state->folder_fd, LOG_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		*ret_data = NULL;
		*ret_size = 0;
		return 0;
	}
	if (fd < 0)
		return -errno;
	return fd_read_all(fd, LOG_MAX, ret_data, ret_size);
}

void state_add_spawn(struct state *state, const struct process *process)
{
	struct state_record record = spawn_record(process);

	append(state, &record);
	state_flush(state);
}

void state_add_end(struct state *state, const struct process *process)
{
	struct state_record record = end_record(process);

	append(state, &record);
}

void state_add_forget(struct state *state, uint64_t spawn_id)
{
	struct state_record record = { .type = STATE_FORGET, .spawn_id = spawn_id };

	append(state, &record);
}

void state_add_note(struct state *state, const struct charge *charge)
{
	struct state_record record = note_record(charge);

	append(state, &record);
}

bool state_wants_rewrite(const struct state *state)
{
	return state->is_short ||
			state->size + state->pending_size >
			BLOAT_FLOOR + BLOAT_FACTOR * state->live_size;
}

void state_remove(struct state *state)
{
	state->pending_size = 0;
	state_fini(state);
	(void)unlinkat(state->folder_fd, LOG_NAME, 0);
	(void)unlinkat(state->folder_fd, LOG_NEW, 0);
}
