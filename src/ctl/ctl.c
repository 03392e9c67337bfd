/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "ctl/command.h"
#include "manager/names.h"

#define QUERY_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define SYSTEM_RUNTIME_DIR "/run/airssys"

static const char *problem_kind(enum ctl_exit exit)
{
	static const char *const names[] = {
		[CTL_DONE] = "none",
		[CTL_FAILED] = "failed",
		[CTL_USAGE] = "usage",
		[CTL_NOT_RUNNING] = "not-running",
		[CTL_NO_SUCH_UNIT] = "no-such-unit",
	};

	return names[exit];
}

static void print_line(struct ctl *ctl, const char *sentence)
{
	auto_text line = { 0 };

	text_append(&line, "airssysctl: ");
	terminal_append_safe(&ctl->terminal, &line, sentence);
	text_append_char(&line, '\n');
	/* Nothing can be done when standard error takes no text. */
	(void)!fd_write_all(STDERR_FILENO, text_get(&line), line.size);
}

enum ctl_exit ctl_fail(struct ctl *ctl, enum ctl_exit exit, const char *format, ...)
{
	va_list ap;

	text_clear(&ctl->problem);
	va_start(ap, format);
	text_vprintf(&ctl->problem, format, ap);
	va_end(ap);
	ctl->problem_kind = problem_kind(exit);
	print_line(ctl, text_get(&ctl->problem));
	return exit;
}

enum ctl_exit ctl_out_of_memory(struct ctl *ctl)
{
	return ctl_fail(ctl, CTL_FAILED, "out of memory");
}

void ctl_note(struct ctl *ctl, const char *format, ...)
{
	auto_text sentence = { 0 };
	va_list ap;

	va_start(ap, format);
	text_vprintf(&sentence, format, ap);
	va_end(ap);
	print_line(ctl, text_get(&sentence));
}

uint64_t ctl_query_timeout(const struct ctl *ctl)
{
	return ctl->options.timeout_given ? ctl->options.timeout_usec
					  : QUERY_TIMEOUT_USEC;
}

uint64_t ctl_job_timeout(const struct ctl *ctl)
{
	return ctl->options.timeout_given ? ctl->options.timeout_usec : USEC_INFINITY;
}

/* The folder of the user's own instance; NULL when there is no place for one. */
static char *user_runtime_dir(void)
{
	const char *base = getenv("XDG_RUNTIME_DIR");

	if (base && base[0] == '/')
		return text_format("%s/airssys", base);
	return text_format("/run/user/%u/airssys", (unsigned int)geteuid());
}

static bool has_control(const char *folder)
{
	auto_free char *path = text_format("%s/%s", folder, NAMES_CONTROL);

	return path && access(path, F_OK) == 0;
}

char *ctl_runtime_dir(const struct ctl *ctl)
{
	const char *variable = getenv("AIRSSYS_RUNTIME_DIR");
	enum instance_choice choice = ctl->options.instance;
	auto_free char *user = NULL;

	if (ctl->options.runtime_dir)
		return strdup(ctl->options.runtime_dir);
	if (choice == INSTANCE_DEFAULT && variable && variable[0])
		return strdup(variable);
	if (choice == INSTANCE_SYSTEM || (choice == INSTANCE_DEFAULT && geteuid() == 0))
		return strdup(SYSTEM_RUNTIME_DIR);
	user = user_runtime_dir();
	if (!user || choice == INSTANCE_USER || has_control(user))
		return TAKE_PTR(user);
	return strdup(SYSTEM_RUNTIME_DIR);
}

char *ctl_control_path(const struct ctl *ctl)
{
	auto_free char *folder = NULL;

	if (ctl->options.socket)
		return strdup(ctl->options.socket);
	folder = ctl_runtime_dir(ctl);
	return folder ? text_format("%s/%s", folder, NAMES_CONTROL) : NULL;
}

char *ctl_explain_connect(const char *path, int error)
{
	switch (-error) {
	case ENOENT:
	case ECONNREFUSED:
	case ENOTDIR:
		return text_format(
				"no instance is running at %s: start one with airssysd, "
				"or name another with --runtime-dir=",
				path);
	case EACCES:
	case EPERM:
		return text_format("you may not use %s: ask its owner, or become root",
				path);
	case ETIMEDOUT:
		return text_format(
				"the instance at %s did not answer in time: airssysd is "
				"there but its core is busy or stopped",
				path);
	case ECONNRESET:
		return text_format("the instance at %s closed the connection", path);
	default:
		return text_format("cannot talk to %s: %s", path, strerror(-error));
	}
}

static enum ctl_exit fail_connect(struct ctl *ctl, const char *path, int error)
{
	auto_free char *why = ctl_explain_connect(path, error);

	return why ? ctl_fail(ctl, CTL_FAILED, "%s", why) : ctl_out_of_memory(ctl);
}

enum ctl_exit ctl_connect(struct ctl *ctl)
{
	auto_free char *path = ctl_control_path(ctl);
	int r;

	if (!path)
		return ctl_out_of_memory(ctl);
	r = client_connect(&ctl->client, path, ctl_query_timeout(ctl));
	return r < 0 ? fail_connect(ctl, path, r) : CTL_DONE;
}

/* What the other side said itself, or NULL: sd-bus puts its own errors into the same
 * place. */
static const char *answer(const struct ctl *ctl)
{
	const sd_bus_error *error = &ctl->client.error;

	if (sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
			    SD_BUS_ERROR_DISCONNECTED, "System.Error.ECONNRESET",
			    "System.Error.ENOTCONN", "System.Error.ETIMEDOUT",
			    "System.Error.EPIPE"))
		return NULL;
	return error->message && error->message[0] ? error->message : error->name;
}

enum ctl_exit ctl_fail_call(struct ctl *ctl, int error, const char *name)
{
	const sd_bus_error *e = &ctl->client.error;
	const char *path = ctl->client.path;

	if (sd_bus_error_has_name(e, NAMES_ERROR_NO_SUCH_UNIT))
		return ctl_fail(ctl, CTL_NO_SUCH_UNIT, "there is no unit '%s'",
				name ? name : "");
	if (sd_bus_error_has_name(e, NAMES_ERROR_REFUSED))
		return ctl_fail(ctl, CTL_NO_SUCH_UNIT, "%s", answer(ctl));
	if (sd_bus_error_has_name(e, NAMES_ERROR_NOT_RUNNING))
		return ctl_fail(ctl, CTL_NOT_RUNNING, "%s is not running",
				name ? name : "it");
	if (answer(ctl))
		return ctl_fail(ctl, CTL_FAILED, "%s%s%s", name ? name : "",
				name ? ": " : "", answer(ctl));
	if (error == -EBADMSG || error == -ENXIO || error == -EINVAL)
		return ctl_fail(ctl, CTL_FAILED,
				"the instance at %s answered in a form that is not understood",
				path);
	/* Calls that were waiting when the other side hung up count as timed out for
	 * sd-bus. */
	if (error == -ETIMEDOUT && sd_bus_is_open(ctl->client.bus) <= 0)
		error = -ECONNRESET;
	return fail_connect(ctl, path, error);
}

enum ctl_exit ctl_flush(struct ctl *ctl)
{
	int r;

	if (ctl->out.failed)
		return ctl_out_of_memory(ctl);
	r = fd_write_all(STDOUT_FILENO, text_get(&ctl->out), ctl->out.size);
	text_clear(&ctl->out);
	return r < 0 ? ctl_fail(ctl, CTL_FAILED, "cannot write the output: %s",
				       strerror(-r))
		     : CTL_DONE;
}

void ctl_trim_name(char *name)
{
	static const char *const suffixes[] = { ".actor", ".supervisor" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (has_suffix(name, suffixes[i]) && strlen(name) > strlen(suffixes[i]))
			name[strlen(name) - strlen(suffixes[i])] = '\0';
}
