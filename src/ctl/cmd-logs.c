/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/cmd.h"
#include "ctl/log-print.h"
#include "unit/instance.h"

#define FLUSH_SIZE     65536
#define FOLLOWED_LINES 10 /* shown before what comes */

/* What print_entry remembers. */
struct printing {
	struct ctl *ctl;
	char boot_id[LOG_BOOT_SIZE]; /* of the entry before; "": none */
	bool is_timeless_told;
	uint64_t entries;
};

static int flush(void *data)
{
	struct printing *p = data;

	return ctl_flush(p->ctl) == CTL_DONE ? 0 : -EIO;
}

/* A line between the entries of two boots. */
static void print_boot(struct printing *p, const struct log_entry *entry)
{
	if (!entry->boot_id)
		return;
	if (p->boot_id[0] && strcmp(p->boot_id, entry->boot_id) != 0 &&
			!p->ctl->options.json)
		text_printf(&p->ctl->out, "-- Boot %s --\n", entry->boot_id);
	(void)snprintf(p->boot_id, sizeof(p->boot_id), "%s", entry->boot_id);
}

static void tell_timeless(struct printing *p, const struct log_entry *entry)
{
	const struct options *o = &p->ctl->options;

	if (entry->realtime_usec > 0 || p->is_timeless_told ||
			(o->since_usec == 0 && o->until_usec == 0))
		return;
	p->is_timeless_told = true;
	ctl_note(p->ctl, "the lines of a file have no times: all of them are shown");
}

static int print_entry(void *data, const struct log_entry *entry)
{
	struct printing *p = data;
	struct ctl *ctl = p->ctl;
	struct json j = { .out = &ctl->out };

	p->entries++;
	tell_timeless(p, entry);
	print_boot(p, entry);
	if (ctl->options.json) {
		json_begin_object(&j);
		log_entry_json(&j, entry);
		json_end_object(&j);
	} else {
		log_entry_append(&ctl->terminal, &ctl->out, entry);
	}
	text_append_char(&ctl->out, '\n');
	return ctl->out.size > FLUSH_SIZE ? flush(p) : 0;
}

static enum ctl_exit fail_read(
		struct ctl *ctl, const struct log_request *request, int error)
{
	if (ctl->problem_kind) /* said already: the output cannot be written */
		return CTL_FAILED;
	if (error == -ENODATA)
		return ctl_fail(ctl, CTL_FAILED,
				"%s has no log: its output goes neither to a file nor to the "
				"journal",
				request->unit);
	if (error == -EINVAL && request->file)
		return ctl_fail(ctl, CTL_FAILED, "the log of %s is no regular file: %s",
				request->unit, request->file);
	return ctl_fail(ctl, CTL_FAILED, "cannot read the log of %s from %s%s%s: %s",
			request->unit, request->has_journal ? "the journal" : "",
			request->has_journal && request->file ? " and " : "",
			request->file ? request->file : "", strerror(-error));
}

/* With a begin, everything since then. */
static uint64_t default_lines(const struct options *o)
{
	return o->follow && o->since_usec == 0 ? FOLLOWED_LINES : OPTIONS_ALL_LINES;
}

static void add_options(const struct options *o, struct log_request *request)
{
	request->lines = o->lines == OPTIONS_NO_LINES ? default_lines(o) : o->lines;
	request->mode = o->follow ? LOG_FOLLOW : LOG_ONCE;
	request->since_usec = o->since_usec;
	request->until_usec = o->until_usec;
	request->journal_directory = o->journal_directory;
}

/* Where the log of a unit is when nobody can be asked. */
struct guess {
	char *instance, *identifier, *file;
};

static void guess_fini(struct guess *guess)
{
	free(guess->instance);
	free(guess->identifier);
	free(guess->file);
}

/* The runtime folder; the one that the socket is in when that is named. */
static char *find_folder(const struct ctl *ctl)
{
	const char *socket = ctl->options.socket;
	const char *slash = socket ? strrchr(socket, '/') : NULL;

	if (!socket)
		return ctl_runtime_dir(ctl);
	return slash ? strndup(socket, (size_t)(slash - socket)) : strdup(".");
}

static int guess_log(struct ctl *ctl, const char *name, struct guess *ret_guess,
		struct log_request *ret_request)
{
	auto_free char *folder = find_folder(ctl);

	if (!folder)
		return -ENOMEM;
	ret_guess->instance = instance_name(folder);
	ret_guess->identifier = instance_log_identifier(folder, name);
	ret_guess->file = text_format("%s/log/%s.log", folder, name);
	if (!ret_guess->instance || !ret_guess->identifier || !ret_guess->file)
		return -ENOMEM;
	*ret_request = (struct log_request){
		.file = ret_guess->file,
		.has_journal = true,
		.unit = name,
		.instance = ret_guess->instance,
		.identifier = ret_guess->identifier,
	};
	return 0;
}

static enum ctl_exit read_log(
		struct printing *p, struct log_request *request, const char *nothing)
{
	struct log_sink sink = { .on_entry = print_entry, .on_idle = flush, .data = p };
	struct ctl *ctl = p->ctl;
	int r;

	add_options(&ctl->options, request);
	r = log_read(request, &sink);
	if (r < 0)
		return fail_read(ctl, request, r);
	if (p->entries > 0 || request->mode == LOG_FOLLOW || request->lines == 0)
		return CTL_DONE;
	if (geteuid() != 0 && request->has_journal)
		ctl_note(ctl,
				"no entries that you may read: root and the groups adm and "
				"systemd-journal see all of the journal");
	return nothing ? ctl_fail(ctl, CTL_FAILED,
					 "%s, and no log of %s can be "
					 "read in the journal or in %s",
					 nothing, request->unit, request->file)
		       : CTL_DONE;
}

/* Nobody answers, but what was logged is still there. */
static enum ctl_exit read_without_instance(
		struct printing *p, const char *name, const char *why)
{
	struct guess guess = { 0 };
	struct log_request request;
	enum ctl_exit exit;
	int r;

	r = guess_log(p->ctl, name, &guess, &request);
	exit = r < 0 ? ctl_out_of_memory(p->ctl) : read_log(p, &request, why);
	guess_fini(&guess);
	return exit;
}

static enum ctl_exit read_by_instance(struct printing *p, const char *name)
{
	auto_message reply = NULL;
	auto_facts facts = { 0 };
	struct log_request request;
	struct ctl *ctl = p->ctl;
	int r;

	r = client_call(&ctl->client, ctl_query_timeout(ctl), "GetUnit", name, &reply);
	if (r >= 0)
		r = facts_read(reply, &facts);
	if (r < 0)
		return ctl_fail_call(ctl, r, name);
	request = log_request_make(&facts);
	return read_log(p, &request, NULL);
}

static enum ctl_exit run_logs(struct ctl *ctl, char **names, size_t n_names UNUSED)
{
	auto_free char *path = ctl_control_path(ctl), *why = NULL;
	struct printing p = { .ctl = ctl };
	int r;

	if (!path)
		return ctl_out_of_memory(ctl);
	if (ctl->options.follow && ctl->options.until_usec > 0)
		return ctl_fail(ctl, CTL_USAGE, "give either --follow or --until");
	ctl_trim_name(names[0]);
	r = client_connect(&ctl->client, path, ctl_query_timeout(ctl));
	if (r == 0)
		return read_by_instance(&p, names[0]);
	why = ctl_explain_connect(path, r);
	if (!why)
		return ctl_out_of_memory(ctl);
	return read_without_instance(&p, names[0], why);
}

const struct command cmd_logs = {
	.name = "logs",
	.arguments = "NAME",
	.summary = "print the log of a unit",
	.help = "What the unit wrote to its standard output and error, from the journal "
		"or from the file where it goes, and from the journal what was recorded "
		"about it. All of it is printed unless --lines or --since is given; "
		"--follow begins with the last 10 lines and survives the rotation of the "
		"file, and a journal that comes or goes. It works without an instance "
		"too. With --json every line is one object.",
	.min_names = 1,
	.max_names = 1,
	.run = run_logs,
};
