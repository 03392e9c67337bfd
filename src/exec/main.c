/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * airssys-exec: the executor. airssysd starts it with a sealed execution description and
 * a pipe for the report; it looks up what only the system's name service knows, takes the
 * steps of exec/steps.h and becomes the service. An unknown user is a refusal, never
 * root.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "exec/executor.h"
#include "exec/steps.h"

#define FOLDER_MODE 0755

static const char help[] =
		"Usage: airssys-exec [--help | --version]\n"
		"\n"
		"Reads an execution description from descriptor 4, confines itself and\n"
		"executes the service. airssysd starts it; it is of no use by itself.\n"
		"\n"
		"  --help     print this text\n"
		"  --version  print the version\n";

/* Tell the keeper, or the person who started the program by hand. */
static int give_up(struct exec_report *report, uint32_t step, int error)
{
	report->step = step;
	report->error = -error;
	if (fd_write_all(EXECUTOR_REPORT_FD, report, sizeof(*report)) < 0)
		fprintf(stderr, "airssys-exec: step %s: %s\n", exec_step_name(step),
				strerror(-error));
	return EXEC_STATUS_BASE + (int)step;
}

static void set_detail(struct exec_report *report, const char *detail)
{
	(void)snprintf(report->detail, sizeof(report->detail), "%s", detail);
}

/* NULL from the name service without an error means: it does not exist. */
static int lookup_error(void)
{
	return errno == 0 || errno == ENOENT || errno == ESRCH ? -ESRCH : -errno;
}

static int add_environment(struct exec_spec *spec, const char *name, const char *value)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < spec->envp.count; i++)
		if (strncmp(spec->envp.items[i], name, n) == 0 &&
				spec->envp.items[i][n] == '=')
			return 0;
	return strv_append_take(&spec->envp, text_format("%s=%s", name, value));
}

static int add_user_environment(struct exec_spec *spec, const struct passwd *user)
{
	const struct {
		const char *name, *value;
	} variables[] = {
		{ "HOME", user->pw_dir },
		{ "LOGNAME", user->pw_name },
		{ "USER", user->pw_name },
		{ "SHELL",
				user->pw_shell && *user->pw_shell ? user->pw_shell
								  : "/bin/sh" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(variables) && r == 0; i++)
		r = add_environment(spec, variables[i].name, variables[i].value);
	return r;
}

/* The groups of the user, his own first. */
static int take_groups(struct exec_spec *spec, const char *name, gid_t gid)
{
	int n = 0, r;

	(void)getgrouplist(name, gid, NULL, &n);
	free(spec->groups);
	spec->n_groups = 0;
	spec->groups = calloc((size_t)n + 1, sizeof(*spec->groups));
	if (!spec->groups)
		return -ENOMEM;
	r = getgrouplist(name, gid, spec->groups, &n);
	if (r < 0)
		return -ERANGE;
	spec->n_groups = (uint32_t)n;
	return 0;
}

static int look_up_user(struct exec_spec *spec, struct exec_report *report)
{
	struct passwd *user;
	int r;

	if (!spec->user_name)
		return 0;
	set_detail(report, spec->user_name);
	errno = 0;
	user = getpwnam(spec->user_name);
	if (!user)
		return lookup_error();
	spec->set_credentials = true;
	spec->uid = user->pw_uid;
	spec->gid = user->pw_gid;
	if (spec->notify_path && lchown(spec->notify_path, spec->uid, (gid_t)-1) < 0)
		return -errno;
	r = take_groups(spec, user->pw_name, user->pw_gid);
	if (r == 0)
		r = add_user_environment(spec, user);
	if (r < 0 || !text_equals(spec->working_directory, "~"))
		return r;
	free(spec->working_directory);
	spec->working_directory = strdup(user->pw_dir);
	return spec->working_directory ? 0 : -ENOMEM;
}

static int look_up_group(const char *name, struct exec_report *report, gid_t *ret_gid)
{
	struct group *group;
	unsigned int number;

	set_detail(report, name);
	if (parse_uint(name, &number) == 0 && number != UINT32_MAX) {
		*ret_gid = number;
		return 0;
	}
	errno = 0;
	group = getgrnam(name);
	if (!group)
		return lookup_error();
	*ret_gid = group->gr_gid;
	return 0;
}

static int look_up_groups(struct exec_spec *spec, struct exec_report *report)
{
	gid_t *groups;
	int r;

	if (spec->group_name) {
		r = look_up_group(spec->group_name, report, &spec->gid);
		if (r < 0)
			return r;
		spec->set_credentials = true;
	}
	if (spec->group_names.count == 0)
		return 0;
	groups = realloc(spec->groups,
			(spec->n_groups + spec->group_names.count) * sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	spec->groups = groups;
	for (size_t i = 0; i < spec->group_names.count; i++) {
		r = look_up_group(spec->group_names.items[i], report,
				&spec->groups[spec->n_groups]);
		if (r < 0)
			return r;
		spec->n_groups++;
	}
	spec->set_credentials = true;
	return 0;
}

/* The keeper made them and could not say whose they are. */
static int own_folders(const struct exec_spec *spec, struct exec_report *report)
{
	const struct strv *folders = &spec->own_folders;
	int r = 0;

	for (size_t i = 0; i + 1 < folders->count && r == 0; i += 2) {
		auto_close int fd = -1;

		set_detail(report, folders->items[i + 1]);
		r = path_make_beneath(folders->items[i], folders->items[i + 1],
				FOLDER_MODE, &fd);
		if (r == 0 && fchown(fd, spec->uid, spec->gid) < 0)
			r = -errno;
	}
	return r;
}

static int look_up(struct exec_spec *spec, struct exec_report *report)
{
	int r;

	r = look_up_user(spec, report);
	if (r == 0)
		r = look_up_groups(spec, report);
	if (r == 0)
		r = own_folders(spec, report);
	if (r == 0)
		report->detail[0] = '\0';
	return r;
}

/*
 * The service must not have them: a pipe that it held would never tell the keeper that it
 * runs. The step that closes descriptors cannot do this on Linux before 5.11.
 */
static int close_on_exec(void)
{
	static const int ours[] = { EXECUTOR_SPEC_FD, EXECUTOR_REPORT_FD };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (fcntl(ours[i], F_SETFD, FD_CLOEXEC) < 0)
			return -errno;
	return 0;
}

static int become_service(void)
{
	struct exec_run run = {
		.program_fd = -1, .keep_fd = -1, .report_fd = EXECUTOR_REPORT_FD
	};
	auto_(exec_spec) spec = NULL;
	auto_free char **envp = NULL;
	int r;

	r = close_on_exec();
	if (r == 0)
		r = exec_spec_unpack(EXECUTOR_SPEC_FD, &spec);
	if (r < 0)
		return give_up(&run.report, EXEC_STEP_DESCRIPTION, r);
	r = look_up(spec, &run.report);
	if (r < 0)
		return give_up(&run.report, EXEC_STEP_USER, r);
	envp = exec_run_environment(spec);
	if (!envp)
		return give_up(&run.report, EXEC_STEP_DESCRIPTION, -ENOMEM);
	run.spec = spec;
	run.envp = envp;
	r = exec_run(&run);
	return give_up(&run.report, run.report.step, r);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts(PACKAGE_STRING);
		return 0;
	}
	if (argc > 1) {
		fputs(help, stderr);
		return 2;
	}
	return become_service();
}
