/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/unit-status.h"

#include <string.h>

#include "base/fd.h"
#include "ctl/log-print.h"

#define LOG_LINES     10
#define FILE_SIZE_MAX (16 * 1024 * 1024)

struct log_collector {
	struct ctl *ctl;
	struct unit_status *status;
};

static int add_entry(void *data, const struct log_entry *entry)
{
	struct log_collector *c = data;
	bool *seen = entry->realtime_usec > 0 ? &c->status->has_journal_log
					      : &c->status->has_file_log;
	struct text *log = &c->status->log, *log_json = &c->status->log_json;
	struct json j = { .out = log_json };

	*seen = true;
	text_append(log, "  ");
	log_entry_append(&c->ctl->terminal, log, entry);
	text_append_char(log, '\n');
	if (log_json->size > 0)
		text_append_char(log_json, ',');
	json_begin_object(&j);
	log_entry_json(&j, entry);
	json_end_object(&j);
	return log->failed || log_json->failed ? -ENOMEM : 0;
}

static int do_nothing(void *data UNUSED)
{
	return 0;
}

/* A log that cannot be read leaves its part of the status empty: the rest matters more.
 */
static void load_log(struct ctl *ctl, struct unit_status *status)
{
	struct log_collector collector = { .ctl = ctl, .status = status };
	struct log_sink sink = {
		.on_entry = add_entry,
		.on_idle = do_nothing,
		.data = &collector,
	};
	const struct options *o = &ctl->options;
	struct log_request request = log_request_make(&status->facts);

	request.lines = o->lines == OPTIONS_NO_LINES ? LOG_LINES : o->lines;
	request.journal_directory = o->journal_directory;
	if (request.lines > 0)
		(void)!log_read(&request, &sink);
}

static enum file_change compare_file(const char *path, const char *loaded)
{
	auto_free char *data = NULL;
	size_t size;
	int r = file_read(path, FILE_SIZE_MAX, &data, &size);

	if (r == -ENOENT)
		return FILE_GONE;
	if (r < 0)
		return FILE_UNREADABLE;
	return size == strlen(loaded) && memcmp(data, loaded, size) == 0 ? FILE_SAME
									 : FILE_CHANGED;
}

static int add_file(struct unit_status *status, const char *path, const char *text)
{
	struct unit_file_state *files =
			reallocarray(status->files, status->n_files + 1, sizeof(*files));
	char *copy = strdup(path);

	if (files)
		status->files = files;
	if (!files || !copy) {
		free(copy);
		return -ENOMEM;
	}
	files[status->n_files++] =
			(struct unit_file_state){ copy, compare_file(path, text) };
	return 0;
}

static int read_files(sd_bus_message *reply, struct unit_status *status)
{
	const char *path, *text;
	int r;

	r = sd_bus_message_enter_container(reply, 'a', "(ss)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &path, &text)) > 0)
		r = add_file(status, path, text);
	return r;
}

static int call_and_read(struct ctl *ctl, const char *name, struct unit_status *status)
{
	auto_message unit = NULL;
	auto_message files = NULL;
	auto_pending get_unit = { 0 };
	auto_pending get_files = { 0 };
	uint64_t timeout_usec = ctl_query_timeout(ctl);
	int r;

	r = client_begin(&ctl->client, timeout_usec, "GetUnit", name, &get_unit);
	if (r >= 0)
		r = client_begin(
				&ctl->client, timeout_usec, "GetFiles", name, &get_files);
	if (r >= 0)
		r = client_finish(&ctl->client, &get_unit, &unit);
	if (r >= 0)
		r = facts_read(unit, &status->facts);
	if (r >= 0)
		r = client_finish(&ctl->client, &get_files, &files);
	if (r >= 0)
		r = read_files(files, status);
	return r;
}

/* The states of the children: the list of all units is fetched when somebody has any. */
static int load_children(struct ctl *ctl, const struct unit_status *status)
{
	if (status->rows->reply || facts_list(&status->facts, "Children")->count == 0)
		return 0;
	return units_read(&ctl->client, ctl_query_timeout(ctl), status->rows);
}

enum ctl_exit unit_status_load(struct ctl *ctl, const char *name, struct unit_rows *rows,
		struct unit_status *ret_status)
{
	struct unit_status status = { .rows = rows };
	int r = call_and_read(ctl, name, &status);

	if (r >= 0)
		r = load_children(ctl, &status);
	if (r < 0) {
		unit_status_fini(&status);
		return r == -ENOMEM ? ctl_out_of_memory(ctl)
				    : ctl_fail_call(ctl, r, name);
	}
	load_log(ctl, &status);
	*ret_status = status;
	return CTL_DONE;
}

void unit_status_fini(struct unit_status *status)
{
	for (size_t i = 0; i < status->n_files; i++)
		free(status->files[i].path);
	free(status->files);
	facts_fini(&status->facts);
	text_fini(&status->log);
	text_fini(&status->log_json);
	*status = (struct unit_status){ 0 };
}

static void json_files(const struct unit_status *status, struct json *j)
{
	static const char *const words[] = {
		[FILE_SAME] = "loaded",
		[FILE_CHANGED] = "changed",
		[FILE_GONE] = "gone",
		[FILE_UNREADABLE] = "unreadable",
	};

	json_key(j, "Files");
	json_begin_array(j);
	for (size_t i = 0; i < status->n_files; i++) {
		json_begin_object(j);
		json_member_text(j, "path", status->files[i].path);
		json_member_text(j, "on_disk", words[status->files[i].change]);
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_children(const struct unit_status *status, struct json *j)
{
	const struct strv *children = facts_list(&status->facts, "Children");
	const struct unit_row *row;

	json_key(j, "Children");
	json_begin_array(j);
	for (size_t i = 0; i < children->count; i++) {
		row = units_find(status->rows, children->items[i]);
		json_begin_object(j);
		if (row)
			unit_row_json(row, j);
		else
			json_member_text(j, "name", children->items[i]);
		json_end_object(j);
	}
	json_end_array(j);
}

void unit_status_json(const struct unit_status *status, struct json *j)
{
	auto_text log = { 0 };

	json_begin_object(j);
	for (size_t i = 0; i < status->facts.count; i++) {
		const struct fact *f = &status->facts.items[i];

		/* The long form of these follows; the settings are for "show". */
		if (strcmp(f->key, "Files") != 0 && strcmp(f->key, "Children") != 0 &&
				strcmp(f->key, "Settings") != 0)
			fact_json(f, j);
	}
	json_files(status, j);
	if (facts_find(&status->facts, "Children"))
		json_children(status, j);
	text_printf(&log, "[%s]", text_get(&status->log_json));
	json_key(j, "Log");
	json_raw(j, text_get(&log));
	json_end_object(j);
}
