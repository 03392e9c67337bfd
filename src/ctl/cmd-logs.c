/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <string.h>
#include <unistd.h>

#include "ctl/cmd.h"
#include "ctl/log-print.h"

#define FLUSH_SIZE     65536
#define FOLLOWED_LINES 10 /* shown before what comes */

static int flush(void *data)
{
	struct ctl *ctl = data;

	return ctl_flush(ctl) == CTL_DONE ? 0 : -EIO;
}

static int print_entry(void *data, const struct log_entry *entry)
{
	struct ctl *ctl = data;
	struct json j = { .out = &ctl->out };

	if (ctl->options.json) {
		json_begin_object(&j);
		log_entry_json(&j, entry);
		json_end_object(&j);
	} else {
		log_entry_append(&ctl->terminal, &ctl->out, entry);
	}
	text_append_char(&ctl->out, '\n');
	return ctl->out.size > FLUSH_SIZE ? flush(ctl) : 0;
}

static enum ctl_exit fail_read(struct ctl *ctl, const struct facts *facts, int error)
{
	const char *name = facts_text(facts, "Name");
	const char *file = facts_text(facts, "LogFile");

	if (ctl->problem_kind) /* said already: the output cannot be written */
		return CTL_FAILED;
	if (error == -ENODATA)
		return ctl_fail(ctl, CTL_FAILED,
				"%s has no log: its output goes neither to a file nor to the "
				"journal",
				name);
	if (error == -EINVAL && file[0])
		return ctl_fail(ctl, CTL_FAILED, "the log of %s is no regular file: %s",
				name, file);
	return ctl_fail(ctl, CTL_FAILED, "cannot read the log of %s from %s: %s", name,
			file[0] ? file : "the journal", strerror(-error));
}

static struct log_request make_request(const struct ctl *ctl)
{
	const struct options *o = &ctl->options;
	uint64_t lines = o->follow ? FOLLOWED_LINES : OPTIONS_ALL_LINES;

	return (struct log_request){
		.lines = o->lines == OPTIONS_NO_LINES ? lines : o->lines,
		.mode = o->follow ? LOG_FOLLOW : LOG_ONCE,
		.journal_directory = o->journal_directory,
	};
}

static enum ctl_exit load_facts(struct ctl *ctl, const char *name, struct facts *facts)
{
	auto_message reply = NULL;
	enum ctl_exit exit = ctl_connect(ctl);
	int r;

	if (exit != CTL_DONE)
		return exit;
	r = client_call(&ctl->client, ctl_query_timeout(ctl), "GetUnit", name, &reply);
	if (r >= 0)
		r = facts_read(reply, facts);
	return r < 0 ? ctl_fail_call(ctl, r, name) : CTL_DONE;
}

static enum ctl_exit run_logs(struct ctl *ctl, char **names, size_t n_names UNUSED)
{
	struct log_sink sink = {
		.on_entry = print_entry,
		.on_idle = flush,
		.data = ctl,
	};
	struct log_request request = make_request(ctl);
	auto_facts facts = { 0 };
	enum ctl_exit exit;
	int r;

	ctl_trim_name(names[0]);
	exit = load_facts(ctl, names[0], &facts);
	if (exit != CTL_DONE)
		return exit;
	r = log_read_unit(&facts, &request, &sink);
	return r < 0 ? fail_read(ctl, &facts, r) : CTL_DONE;
}

const struct command cmd_logs = {
	.name = "logs",
	.arguments = "NAME",
	.summary = "print the log of a unit",
	.help = "What the unit wrote to its standard output and error, from the journal "
		"or from the file where it goes, and from the journal what was recorded "
		"about it. All of it is printed unless --lines is given; --follow begins "
		"with the last 10 lines and survives the rotation of the file. With --json "
		"every line is one object.",
	.min_names = 1,
	.max_names = 1,
	.run = run_logs,
};
