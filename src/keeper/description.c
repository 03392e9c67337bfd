/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/description.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "keeper/keeper.h"
#include "keeper/load.h"
#include "osl/policy.h"
#include "unit/environment.h"
#include "unit/instance.h"

#define SEARCH_PATH          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define ENVIRONMENT_FILE_MAX (1024 * 1024)

struct building {
	struct keeper *keeper;
	const struct description_request *request;
	const struct unit_service *service;
	struct exec_spec *spec;
	struct exec_report *report;
	const struct user *user; /* NULL: as the keeper, or only the executor knows */
};

static int refuse(const struct building *b, enum exec_step step, int error,
		const char *detail)
{
	b->report->step = step;
	b->report->error = -error;
	(void)snprintf(b->report->detail, sizeof(b->report->detail), "%s",
			detail ? detail : "");
	return error;
}

static int set(struct building *b, const char *name, const char *value)
{
	auto_free char *entry = value ? text_format("%s=%s", name, value) : NULL;

	if (!value)
		return 0;
	return entry ? environment_set(&b->spec->envp, entry) : -ENOMEM;
}

static int copy_text(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

/* Who runs it. */

static bool is_unprivileged(const struct building *b)
{
	const struct unit_command *command = b->request->command;

	return !command->full_privileges && !command->keep_privileges;
}

static int take_user(struct building *b)
{
	const char *name = b->service->user;
	struct exec_spec *spec = b->spec;
	uint64_t number;
	int r;

	if (!name)
		return 0;
	r = users_find(&b->keeper->users, name, &b->user);
	if (r == -ESRCH && parse_u64(name, &number) < 0)
		return copy_text(&spec->user_name, name);
	if (r < 0)
		return refuse(b, EXEC_STEP_USER, r, name);
	spec->uid = b->user->uid;
	spec->gid = b->user->gid;
	spec->groups = calloc(b->user->n_groups, sizeof(*spec->groups));
	if (!spec->groups)
		return -ENOMEM;
	memcpy(spec->groups, b->user->groups, b->user->n_groups * sizeof(*spec->groups));
	spec->n_groups = b->user->n_groups;
	spec->set_credentials = true;
	return 0;
}

/* Of a user whom only the executor can find, it finds the groups too: what he is in by
 * himself comes first and would replace what was found here. */
static int take_group(struct building *b)
{
	const char *name = b->service->group;
	struct exec_spec *spec = b->spec;
	int r;

	if (!name)
		return 0;
	if (spec->user_name)
		return copy_text(&spec->group_name, name);
	r = users_find_group(&b->keeper->users, name, &spec->gid);
	if (r == -ESRCH)
		return copy_text(&spec->group_name, name);
	spec->set_credentials = r == 0;
	return r;
}

static int take_more_groups(struct building *b)
{
	const struct strv *names = &b->service->supplementary_groups;
	struct exec_spec *spec = b->spec;
	gid_t *groups;
	int r;

	if (names->count == 0)
		return 0;
	if (spec->user_name)
		return strv_copy(names, &spec->group_names);
	groups = realloc(spec->groups, (spec->n_groups + names->count) * sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	spec->groups = groups;
	spec->set_credentials = true;
	for (size_t i = 0; i < names->count; i++) {
		r = users_find_group(&b->keeper->users, names->items[i],
				&groups[spec->n_groups]);
		if (r == -ESRCH)
			r = strv_append(&spec->group_names, names->items[i]);
		else if (r == 0)
			spec->n_groups++;
		if (r < 0)
			return r;
	}
	return 0;
}

/* An ordinary user's keeper cannot change the user, and need not when it is its own. */
static void drop_needless_credentials(struct exec_spec *spec)
{
	if (geteuid() != 0 && spec->uid == geteuid() && spec->gid == getegid() &&
			!spec->user_name && !spec->group_name &&
			spec->group_names.count == 0)
		spec->set_credentials = false;
}

static int take_identity(struct building *b)
{
	int r = 0;

	b->spec->uid = geteuid();
	b->spec->gid = getegid();
	if (is_unprivileged(b)) {
		r = take_user(b);
		if (r == 0)
			r = take_group(b);
		if (r == 0)
			r = take_more_groups(b);
		drop_needless_credentials(b->spec);
	}
	/* Without User= a service of the machine has no home of its own. */
	if (r == 0 && !b->user && !b->spec->user_name && b->keeper->options.is_user) {
		r = users_find_uid(&b->keeper->users, geteuid(), &b->user);
		if (r == -ESRCH)
			r = 0;
	}
	return r;
}

/* Its environment. */

static int set_base_environment(struct building *b)
{
	const char *language = getenv("LANG");
	char hex[2 * INVOCATION_SIZE + 1];
	int r = environment_set(&b->spec->envp, SEARCH_PATH);

	for (size_t i = 0; i < INVOCATION_SIZE; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", b->request->charge->invocation[i]);
	if (r == 0)
		r = set(b, "LANG", language && *language ? language : "C.UTF-8");
	if (r == 0)
		r = set(b, "INVOCATION_ID", hex);
	if (r == 0 && b->keeper->options.is_user)
		r = set(b, "XDG_RUNTIME_DIR", getenv("XDG_RUNTIME_DIR"));
	return r;
}

static int set_user_environment(struct building *b)
{
	int r;

	if (!b->user || !b->user->name)
		return 0;
	r = set(b, "HOME", b->user->home);
	if (r == 0)
		r = set(b, "LOGNAME", b->user->name);
	if (r == 0)
		r = set(b, "USER", b->user->name);
	return r == 0 ? set(b, "SHELL", b->user->shell) : r;
}

static int set_notify_environment(struct building *b)
{
	auto_free char *path = NULL;
	char number[24];
	int r;

	if (b->request->charge->notify_fd < 0)
		return 0;
	path = text_format("%s/notify/%s", b->keeper->options.runtime_dir,
			b->request->charge->name);
	r = path ? set(b, "NOTIFY_SOCKET", path) : -ENOMEM;
	if (r == 0 && b->spec->user_name)
		r = copy_text(&b->spec->notify_path, path);
	if (r < 0 || b->service->watchdog_usec == 0 ||
			b->request->message->kind != UNIT_EXEC_START)
		return r;
	(void)snprintf(number, sizeof(number), "%llu",
			(unsigned long long)b->service->watchdog_usec);
	return set(b, "WATCHDOG_USEC", number);
}

/* What the commands beside the main process may want to know about it. */
static int set_main_environment(struct building *b)
{
	const struct protocol_message *m = b->request->message;
	const struct process *main_process = charge_main(b->request->charge);
	char number[24];
	int r = 0;

	if (m->kind == UNIT_EXEC_START)
		return 0;
	if (main_process) {
		(void)snprintf(number, sizeof(number), "%d", main_process->pid);
		r = set(b, "MAINPID", number);
	}
	if (r < 0 || (m->kind != UNIT_EXEC_STOP && m->kind != UNIT_EXEC_STOP_POST))
		return r;
	r = set(b, "SERVICE_RESULT", m->text);
	if (r == 0)
		r = set(b, "EXIT_CODE", m->exit_code);
	return r == 0 ? set(b, "EXIT_STATUS", m->exit_status) : r;
}

static int set_passed_environment(struct building *b)
{
	const struct strv *names = &b->service->pass_environment;
	int r = 0;

	for (size_t i = 0; i < names->count && r == 0; i++)
		r = set(b, names->items[i], getenv(names->items[i]));
	return r;
}

/* A link on the way may be the administrator's own, but not the service's user's: it
 * could lead to the secrets of another service. */
static int read_trusted(
		struct building *b, const char *path, char **ret_data, size_t *ret_size)
{
	enum path_refusal refusal = PATH_ERROR;
	auto_free char *why = NULL;
	auto_close int folder = -1;
	char name[PATH_NAME_SIZE];
	int r;

	r = path_find(path, &folder, name);
	if (r == 0)
		r = path_read_trusted(folder, name, ENVIRONMENT_FILE_MAX, ret_data,
				ret_size, &refusal);
	if (r == 0)
		return 0;
	if (refusal != PATH_ERROR)
		why = text_format("%s: %s", path, path_refusal_text(refusal));
	return refuse(b, EXEC_STEP_ENVIRONMENT, r, why ? why : path);
}

static int read_environment_file(
		struct building *b, const struct unit_environment_file *f)
{
	auto_free char *data = NULL;
	auto_diag diag = { 0 };
	size_t size;
	int r;

	r = read_trusted(b, f->path, &data, &size);
	if (r == -ENOENT && f->optional) {
		*b->report = (struct exec_report){ .error = ENOMEM };
		return 0;
	}
	if (r < 0)
		return r;
	r = environment_parse_file(f->path, data, size, &diag, &b->spec->envp);
	load_print_diag(&diag);
	return r < 0 ? refuse(b, EXEC_STEP_ENVIRONMENT, r, f->path) : 0;
}

static int set_own_environment(struct building *b)
{
	int r = environment_merge(&b->spec->envp, &b->service->environment);

	for (uint32_t i = 0; i < b->service->n_environment_files && r == 0; i++)
		r = read_environment_file(b, &b->service->environment_files[i]);
	return r;
}

/*
 * Folders that are made for it. One that an earlier run was given belongs to the
 * service's user, who may have put links into it that lead anywhere.
 */

static int make_folder(const struct building *b, const char *base, const char *name)
{
	auto_free char *path = text_format("%s/%s", base, name);
	auto_close int fd = -1;
	int r;

	if (!path)
		return -ENOMEM;
	r = path_make_beneath(base, name, 0755, &fd);
	if (r < 0)
		return refuse(b, EXEC_STEP_FOLDERS, r, path);
	if (b->spec->user_name || b->spec->group_name) {
		r = strv_append(&b->spec->own_folders, base);
		return r == 0 ? strv_append(&b->spec->own_folders, name) : r;
	}
	if (b->spec->set_credentials && fchown(fd, b->spec->uid, b->spec->gid) < 0)
		return refuse(b, EXEC_STEP_FOLDERS, -errno, path);
	return 0;
}

/* The variable holds all paths, separated by colons. */
static int make_folders(struct building *b, const struct strv *names, const char *base,
		const char *variable)
{
	auto_text list = { 0 };
	int r;

	if (names->count == 0)
		return 0;
	for (size_t i = 0; i < names->count; i++) {
		r = make_folder(b, base, names->items[i]);
		if (r < 0)
			return r;
		text_printf(&list, "%s%s/%s", i ? ":" : "", base, names->items[i]);
	}
	return list.failed ? -ENOMEM : set(b, variable, text_get(&list));
}

/* Where its output goes. */

/* The journal, and the file that takes its place when there is none. */
static int set_log(struct building *b, struct exec_stream *stream)
{
	auto_free char *file = text_format("%s.log", b->request->charge->name);

	if (!file)
		return -ENOMEM;
	logs_shorten(b->keeper->runtime.log_fd, file);
	if (!b->keeper->journal.is_there)
		logs_watch(&b->keeper->logs);
	stream->output = EXEC_OUTPUT_JOURNAL;
	stream->is_own = true;
	stream->path = text_format("%s/log/%s", b->keeper->options.runtime_dir, file);
	return stream->path ? 0 : -ENOMEM;
}

static int set_stream(struct building *b, enum unit_output output, const char *path,
		struct exec_stream *stream)
{
	switch (output) {
	case UNIT_OUTPUT_JOURNAL:
		return set_log(b, stream);
	case UNIT_OUTPUT_NULL:
		stream->output = EXEC_OUTPUT_NULL;
		return 0;
	case UNIT_OUTPUT_FILE:
		stream->output = EXEC_OUTPUT_FILE;
		break;
	case UNIT_OUTPUT_APPEND:
		stream->output = EXEC_OUTPUT_APPEND;
		break;
	case UNIT_OUTPUT_TRUNCATE:
		stream->output = EXEC_OUTPUT_TRUNCATE;
		break;
	case UNIT_OUTPUT_INHERIT:
		stream->output = EXEC_OUTPUT_INHERIT;
		return 0;
	}
	return copy_text(&stream->path, path);
}

static int set_identifier(struct building *b)
{
	const char *chosen = b->service->syslog_identifier;

	b->spec->syslog_identifier =
			instance_log_identifier(b->keeper->options.runtime_dir,
					chosen ? chosen : b->request->charge->name);
	return b->spec->syslog_identifier ? 0 : -ENOMEM;
}

static int set_streams(struct building *b)
{
	const struct unit_service *s = b->service;
	struct exec_spec *spec = b->spec;
	int r;

	r = set_stream(b, s->standard_output, s->output_path, &spec->out);
	if (r == 0)
		r = set_stream(b, s->standard_error, s->error_path, &spec->err);
	if (r == 0)
		r = copy_text(&spec->journal_stream, b->keeper->journal.stream_path);
	if (r == 0)
		r = set_identifier(b);
	return r == 0 ? copy_text(&spec->unit_name, b->request->charge->name) : r;
}

/* What confines it. */

static int set_limits(struct building *b)
{
	const struct unit_service *s = b->service;
	struct exec_spec *spec = b->spec;
	bool has_nofile = false;

	spec->limits = calloc((size_t)s->n_limits + 1, sizeof(*spec->limits));
	if (!spec->limits)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_limits; i++) {
		spec->limits[i].resource = s->limits[i].resource;
		spec->limits[i].value = s->limits[i].value;
		has_nofile |= s->limits[i].resource == RLIMIT_NOFILE;
	}
	spec->n_limits = s->n_limits;
	if (has_nofile)
		return 0;
	spec->limits[spec->n_limits].resource = RLIMIT_NOFILE;
	spec->limits[spec->n_limits++].value = b->keeper->nofile;
	return 0;
}

static int set_policy(struct building *b)
{
	const char *name = b->request->unit->policy;
	struct exec_spec *spec = b->spec;
	const struct policy *policy;
	size_t size;
	int r;

	spec->no_new_privileges = b->service->no_new_privileges;
	spec->ignore_sigpipe = b->service->ignore_sigpipe;
	/* A user's services share the keys of his session. */
	spec->new_keyring = b->service->keyring_mode == UNIT_KEYRING_PRIVATE &&
			!b->keeper->options.is_user;
	if (!name || b->request->command->full_privileges)
		return 0;
	r = load_policy(b->keeper, name, &policy);
	if (r < 0)
		return refuse(b, EXEC_STEP_FILTER, r, name);
	spec->no_new_privileges |= policy->no_new_privs;
	spec->set_capability_bounding = policy->bounding_set != POLICY_ALL_CAPABILITIES;
	spec->capability_bounding = policy->bounding_set;
	size = policy->filter_count * sizeof(*policy->filter);
	if (size == 0)
		return 0;
	spec->filter = malloc(size);
	if (!spec->filter)
		return -ENOMEM;
	memcpy(spec->filter, policy->filter, size);
	spec->filter_size = size;
	return 0;
}

static int set_folder(struct building *b)
{
	const char *folder = b->service->working_directory;

	b->spec->working_directory_optional = b->service->working_directory_optional;
	if (text_equals(folder, "~") && !b->spec->user_name)
		folder = b->user ? b->user->home : b->keeper->context.home;
	return copy_text(&b->spec->working_directory, folder);
}

static int set_command(struct building *b)
{
	const struct unit_command *command = b->request->command;
	int r = copy_text(&b->spec->path, command->path);

	if (r < 0)
		return r;
	if (command->no_expansion)
		return strv_copy(&command->argv, &b->spec->argv);
	return environment_expand(&command->argv, &b->spec->envp, &b->spec->argv);
}

typedef int part_fn(struct building *b);

static int set_environment(struct building *b)
{
	static part_fn *const parts[] = {
		set_base_environment,
		set_user_environment,
		set_notify_environment,
		set_main_environment,
		set_passed_environment,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++)
		r = parts[i](b);
	if (r == 0)
		r = make_folders(b, &b->service->runtime_directories,
				b->keeper->context.runtime_dir, "RUNTIME_DIRECTORY");
	if (r == 0)
		r = make_folders(b, &b->service->state_directories,
				b->keeper->context.state_dir, "STATE_DIRECTORY");
	/* The administrator's words last: they win. */
	return r == 0 ? set_own_environment(b) : r;
}

int description_build(struct keeper *keeper, const struct description_request *request,
		struct exec_spec **ret_spec, struct exec_report *ret_report)
{
	static part_fn *const parts[] = { take_identity, set_environment, set_command,
		set_folder, set_limits, set_streams, set_policy };
	auto_(exec_spec) spec = calloc(1, sizeof(*spec));
	struct building b = {
		.keeper = keeper,
		.request = request,
		.service = &request->unit->service,
		.spec = spec,
		.report = ret_report,
	};
	int r = 0;

	*ret_report = (struct exec_report){ .error = ENOMEM };
	if (!spec)
		return -ENOMEM;
	spec->umask = b.service->umask;
	spec->set_nice = b.service->nice_set;
	spec->nice = b.service->nice;
	spec->reset_oom_score = keeper->has_oom_score;
	for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++)
		r = parts[i](&b);
	if (r < 0) {
		ret_report->error = -r;
		return r;
	}
	*ret_report = (struct exec_report){ 0 };
	*ret_spec = TAKE_PTR(spec);
	return 0;
}

uid_t description_uid(struct keeper *keeper, const struct unit *unit)
{
	const struct user *user;

	if (!unit->service.user)
		return geteuid();
	if (users_find(&keeper->users, unit->service.user, &user) < 0)
		return (uid_t)-1;
	return user->uid;
}

bool description_has_notify(const struct unit *unit)
{
	return unit->service.type == UNIT_NOTIFY ||
			unit->service.notify_access != UNIT_NOTIFY_NONE ||
			unit->service.watchdog_usec > 0;
}
