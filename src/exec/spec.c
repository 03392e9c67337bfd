/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "exec/spec.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>

#include "base/fd.h"
#include "base/wire.h"

#define SPEC_MAGIC 0x33534541 /* "AES3" */
#define GROUPS_MAX 65536
#define UMASK_MAX  0777

static void put_stream(struct wire_writer *w, const struct exec_stream *stream)
{
	wire_put_u32(w, stream->output);
	wire_put_text(w, stream->path);
	wire_put_u8(w, stream->is_own);
}

static void put_identity(struct wire_writer *w, const struct exec_spec *spec)
{
	wire_put_u8(w, spec->set_credentials);
	wire_put_u32(w, spec->uid);
	wire_put_u32(w, spec->gid);
	wire_put_u32(w, spec->n_groups);
	for (uint32_t i = 0; i < spec->n_groups; i++)
		wire_put_u32(w, spec->groups[i]);
	wire_put_text(w, spec->user_name);
	wire_put_text(w, spec->group_name);
	wire_put_strv(w, spec->group_names.items, spec->group_names.count);
	wire_put_text(w, spec->notify_path);
	wire_put_strv(w, spec->own_folders.items, spec->own_folders.count);
}

static void put_resources(struct wire_writer *w, const struct exec_spec *spec)
{
	wire_put_u32(w, spec->umask);
	wire_put_u8(w, spec->ignore_sigpipe);
	wire_put_u8(w, spec->new_keyring);
	wire_put_u8(w, spec->reset_oom_score);
	wire_put_u8(w, spec->set_nice);
	wire_put_i32(w, spec->nice);
	wire_put_u32(w, spec->n_limits);
	for (uint32_t i = 0; i < spec->n_limits; i++) {
		wire_put_u8(w, spec->limits[i].resource);
		wire_put_u64(w, spec->limits[i].value.rlim_cur);
		wire_put_u64(w, spec->limits[i].value.rlim_max);
	}
}

static void put_confinement(struct wire_writer *w, const struct exec_spec *spec)
{
	wire_put_u8(w, spec->no_new_privileges);
	wire_put_u8(w, spec->set_capability_bounding);
	wire_put_u64(w, spec->capability_bounding);
	wire_put_bytes(w, spec->filter, spec->filter_size);
}

int exec_spec_pack(const struct exec_spec *spec, int *ret_fd)
{
	struct wire_writer w;
	int r;

	wire_writer_init_growing(&w);
	wire_put_u32(&w, SPEC_MAGIC);
	wire_put_text(&w, spec->path);
	wire_put_strv(&w, spec->argv.items, spec->argv.count);
	wire_put_strv(&w, spec->envp.items, spec->envp.count);
	wire_put_text(&w, spec->working_directory);
	wire_put_u8(&w, spec->working_directory_optional);
	put_identity(&w, spec);
	put_resources(&w, spec);
	put_stream(&w, &spec->out);
	put_stream(&w, &spec->err);
	wire_put_text(&w, spec->journal_stream);
	wire_put_text(&w, spec->syslog_identifier);
	wire_put_text(&w, spec->unit_name);
	put_confinement(&w, spec);
	r = w.failed ? -ENOMEM
			: w.size > EXEC_SPEC_MAX
			? -EFBIG
			: memfd_sealed("airssys-exec", w.data, w.size, ret_fd);
	wire_writer_fini(&w);
	return r;
}

/* What was read so far, and whether copying it failed. */
struct unpacking {
	struct wire_reader r;
	int error;
};

/* The first one counts: what is read behind it means nothing. */
static void set_error(struct unpacking *u, int error)
{
	if (u->error == 0)
		u->error = error;
}

static char *get_text(struct unpacking *u)
{
	const char *s = wire_get_text(&u->r);
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		set_error(u, -ENOMEM);
	return copy;
}

static bool get_bool(struct unpacking *u)
{
	uint8_t v = wire_get_u8(&u->r);

	if (v > 1)
		set_error(u, -EBADMSG);
	return v == 1;
}

static void get_strv(struct unpacking *u, struct strv *v)
{
	uint32_t n = wire_get_count(&u->r);
	const char *s;

	for (uint32_t i = 0; i < n && u->error == 0; i++) {
		s = wire_get_text(&u->r);
		if (!s)
			set_error(u, -EBADMSG);
		else if (strv_append(v, s) < 0)
			set_error(u, -ENOMEM);
	}
}

static void get_stream(struct unpacking *u, struct exec_stream *stream)
{
	uint32_t output = wire_get_u32(&u->r);
	bool needs_path = output == EXEC_OUTPUT_FILE || output == EXEC_OUTPUT_APPEND ||
			output == EXEC_OUTPUT_TRUNCATE;

	if (output > EXEC_OUTPUT_JOURNAL)
		set_error(u, -EBADMSG);
	else
		stream->output = (enum exec_output)output;
	stream->path = get_text(u);
	stream->is_own = get_bool(u);
	if (needs_path && !stream->path && u->error == 0)
		set_error(u, -EBADMSG);
}

static void get_identity(struct unpacking *u, struct exec_spec *spec)
{
	uint32_t n;

	spec->set_credentials = get_bool(u);
	spec->uid = wire_get_u32(&u->r);
	spec->gid = wire_get_u32(&u->r);
	n = wire_get_u32(&u->r);
	if (n > GROUPS_MAX || n > (u->r.size - u->r.offset) / sizeof(uint32_t)) {
		set_error(u, -EBADMSG);
		return;
	}
	spec->groups = calloc(n ? n : 1, sizeof(*spec->groups));
	if (!spec->groups) {
		set_error(u, -ENOMEM);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		spec->groups[i] = wire_get_u32(&u->r);
	spec->n_groups = n;
	spec->user_name = get_text(u);
	spec->group_name = get_text(u);
	get_strv(u, &spec->group_names);
	spec->notify_path = get_text(u);
	get_strv(u, &spec->own_folders);
	if (spec->own_folders.count % 2 != 0)
		set_error(u, -EBADMSG);
}

static void get_limits(struct unpacking *u, struct exec_spec *spec)
{
	uint32_t n = wire_get_u32(&u->r);

	if (n > RLIM_NLIMITS) {
		set_error(u, -EBADMSG);
		return;
	}
	spec->limits = calloc(n ? n : 1, sizeof(*spec->limits));
	if (!spec->limits) {
		set_error(u, -ENOMEM);
		return;
	}
	spec->n_limits = n;
	for (uint32_t i = 0; i < n; i++) {
		spec->limits[i].resource = wire_get_u8(&u->r);
		spec->limits[i].value.rlim_cur = wire_get_u64(&u->r);
		spec->limits[i].value.rlim_max = wire_get_u64(&u->r);
		if (spec->limits[i].resource >= RLIM_NLIMITS)
			set_error(u, -EBADMSG);
	}
}

static void get_resources(struct unpacking *u, struct exec_spec *spec)
{
	spec->umask = wire_get_u32(&u->r);
	if (spec->umask > UMASK_MAX)
		set_error(u, -EBADMSG);
	spec->ignore_sigpipe = get_bool(u);
	spec->new_keyring = get_bool(u);
	spec->reset_oom_score = get_bool(u);
	spec->set_nice = get_bool(u);
	spec->nice = wire_get_i32(&u->r);
	if (u->error == 0)
		get_limits(u, spec);
}

static void get_confinement(struct unpacking *u, struct exec_spec *spec)
{
	const void *filter;
	size_t size;

	spec->no_new_privileges = get_bool(u);
	spec->set_capability_bounding = get_bool(u);
	spec->capability_bounding = wire_get_u64(&u->r);
	filter = wire_get_bytes(&u->r, &size);
	if (size % sizeof(struct sock_filter) != 0 ||
			size > BPF_MAXINSNS * sizeof(struct sock_filter)) {
		set_error(u, -EBADMSG);
		return;
	}
	if (size == 0)
		return;
	spec->filter = malloc(size);
	if (!spec->filter) {
		set_error(u, -ENOMEM);
		return;
	}
	memcpy(spec->filter, filter, size);
	spec->filter_size = size;
}

static void get_spec(struct unpacking *u, struct exec_spec *spec)
{
	if (wire_get_u32(&u->r) != SPEC_MAGIC) {
		set_error(u, -EBADMSG);
		return;
	}
	spec->path = get_text(u);
	get_strv(u, &spec->argv);
	get_strv(u, &spec->envp);
	spec->working_directory = get_text(u);
	spec->working_directory_optional = get_bool(u);
	if (u->error == 0)
		get_identity(u, spec);
	if (u->error == 0)
		get_resources(u, spec);
	if (u->error < 0)
		return;
	get_stream(u, &spec->out);
	get_stream(u, &spec->err);
	spec->journal_stream = get_text(u);
	spec->syslog_identifier = get_text(u);
	spec->unit_name = get_text(u);
	get_confinement(u, spec);
}

int exec_spec_unpack(int fd, struct exec_spec **ret_spec)
{
	auto_(exec_spec) spec = NULL;
	auto_free char *data = NULL;
	struct unpacking u = { .error = 0 };
	size_t size;
	int r;

	r = memfd_is_sealed(fd);
	if (r <= 0)
		return r < 0 ? r : -EPERM;
	r = fd_read_all(fd, EXEC_SPEC_MAX, &data, &size);
	if (r < 0)
		return r;
	spec = calloc(1, sizeof(*spec));
	if (!spec)
		return -ENOMEM;
	wire_reader_init(&u.r, data, size);
	get_spec(&u, spec);
	if (u.error < 0)
		return u.error;
	r = wire_reader_finish(&u.r);
	if (r < 0)
		return r;
	if (!spec->path || spec->path[0] != '/' || spec->argv.count == 0)
		return -EBADMSG;
	*ret_spec = TAKE_PTR(spec);
	return 0;
}

void exec_spec_free(struct exec_spec *spec)
{
	if (!spec)
		return;
	free(spec->path);
	strv_fini(&spec->argv);
	strv_fini(&spec->envp);
	free(spec->working_directory);
	free(spec->groups);
	free(spec->user_name);
	free(spec->group_name);
	strv_fini(&spec->group_names);
	free(spec->notify_path);
	strv_fini(&spec->own_folders);
	free(spec->limits);
	free(spec->out.path);
	free(spec->err.path);
	free(spec->journal_stream);
	free(spec->syslog_identifier);
	free(spec->unit_name);
	free(spec->filter);
	free(spec);
}
