/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "ctl/cmd.h"
#include "ctl/diagnostics.h"
#include "unit/code.h"
#include "unit/snapshot.h"
#include "unit/unit.h"

/*
 * Offline: no instance is asked. The same code reads the files as in airssysd, so what
 * passes here loads there, with one difference: whose the files are is only warned of,
 * since they are checked before they are installed. What others may write is an error,
 * since airssysd would not read it.
 */

static int is_unit_file(const struct dirent *entry)
{
	return has_suffix(entry->d_name, ".actor") ||
			has_suffix(entry->d_name, ".supervisor");
}

/* Adds the unit files of a folder in the order of their names. */
static int add_folder(struct strv *paths, const char *folder)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_unit_file, alphasort);
	int r = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = strv_append_take(paths,
					text_format("%s/%s", folder, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int add_path(struct strv *paths, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(paths, path);
	return strv_append(paths, path);
}

static void check_trust(const char *path, struct diag *diag)
{
	const struct diag_place place = { path, 0 };
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		diag_add(diag, DIAG_ERROR, unit_code(CODE_FILE_REFUSED), place,
				"Take the right away: chmod go-w.",
				"Others than its owner may write the file; airssysd "
				"leaves it out.");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		diag_add(diag, DIAG_WARNING, unit_code(CODE_FILE_REFUSED), place,
				"Let root own it: chown root.",
				"The file belongs to uid %u; airssysd leaves it out unless "
				"it runs as that user.",
				(unsigned int)st.st_uid);
}

/* Where a file lies now need not be where it will be: a warning. */
static void check_folder(const char *path, struct diag *diag)
{
	auto_close int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum path_refusal refusal;

	if (fd < 0)
		return;
	refusal = path_check_folder(fd);
	if (refusal == PATH_OK)
		refusal = path_check_parents(fd);
	if (refusal != PATH_OK && refusal != PATH_ERROR)
		diag_add(diag, DIAG_WARNING, unit_code(CODE_FOLDER_REFUSED),
				(struct diag_place){ path, 0 },
				"Look with namei -l which folder it is, and let only root write "
				"it.",
				"airssysd would leave out what is in this folder: %s.",
				path_refusal_text(refusal));
}

static int check_folders(const struct unit_snapshot *snapshot, struct diag *diag)
{
	auto_strv folders = { 0 };
	int r = 0;

	for (uint32_t i = 0; i < snapshot->count && r == 0; i++) {
		const char *path = snapshot->files[i].path;
		const char *slash = strrchr(path, '/');
		auto_free char *folder = slash
				? strndup(path, MAX_OF((size_t)(slash - path), 1))
				: strdup(".");

		if (!folder)
			return -ENOMEM;
		if (strv_contains(&folders, folder))
			continue;
		check_folder(folder, diag);
		r = strv_append(&folders, folder);
	}
	return r;
}

static int parse_files(char **names, size_t n_names, struct diag *diag,
		struct unit_set **ret_set)
{
	auto_(unit_snapshot) snapshot = NULL;
	struct unit_context context;
	auto_strv paths = { 0 };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n_names; i++)
		r = add_path(&paths, names[i]);
	if (r >= 0)
		r = unit_context_init(&context, NULL);
	if (r >= 0)
		r = unit_snapshot_load_files(&paths, diag, &snapshot);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < snapshot->count; i++)
		check_trust(snapshot->files[i].path, diag);
	r = check_folders(snapshot, diag);
	if (r < 0)
		return r;
	unit_snapshot_set_context(snapshot, &context);
	return unit_set_parse(snapshot, &snapshot->context, diag, ret_set);
}

static void print_json(
		struct ctl *ctl, const struct unit_set *set, const struct diag *diag)
{
	struct json j = { .out = &ctl->out };

	json_begin_object(&j);
	json_key(&j, "units");
	json_begin_array(&j);
	for (uint32_t i = 0; i < set->count; i++)
		json_text(&j, unit_set_name(set, i));
	json_end_array(&j);
	diagnostics_json(diag, &j);
	json_end_object(&j);
	text_append_char(&ctl->out, '\n');
}

static void print_text(
		struct ctl *ctl, const struct unit_set *set, const struct diag *diag)
{
	diagnostics_print(ctl, diag);
	text_printf(&ctl->out, "%u unit%s: ", set->count, set->count == 1 ? "" : "s");
	diagnostics_append_counts(diag, &ctl->out);
	text_append_char(&ctl->out, '\n');
}

static enum ctl_exit run_verify(struct ctl *ctl, char **names, size_t n_names)
{
	auto_(unit_set) set = NULL;
	auto_diag diag = { 0 };
	int r = parse_files(names, n_names, &diag, &set);

	if (r == -ENOMEM)
		return ctl_out_of_memory(ctl);
	if (r < 0)
		return ctl_fail(ctl, CTL_FAILED, "cannot check the files: %s",
				strerror(-r));
	if (ctl->options.json)
		print_json(ctl, set, &diag);
	else
		print_text(ctl, set, &diag);
	if (diag.errors > 0 || diag.lost > 0)
		return CTL_FAILED;
	return ctl->options.strict && diag.warnings > 0 ? CTL_FAILED : CTL_DONE;
}

const struct command cmd_verify = {
	.name = "verify",
	.arguments = "FILE...",
	.summary = "check unit files without an instance",
	.help = "Prints every mistake with its file, its line, a code and what to do about "
		"it. Files that belong together, as a supervisor and its children, are "
		"checked together; a folder stands for all unit files in it. The exit "
		"status is 1 when there is an error.",
	.min_names = 1,
	.max_names = UINT32_MAX,
	.run = run_verify,
};
