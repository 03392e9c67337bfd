/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/policy.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "osl/draft.h"
#include "osl/filter.h"

/*
 * Loading goes in two passes over a file. The first looks for Extends=, whose file is
 * loaded into the same draft before anything else, wherever the line stands; the second
 * applies the file's own lines on top, as if they followed the other's. A mistake does
 * not stop either pass, so that all of them are told at once; a draft with mistakes is
 * never made into a policy.
 */

/* One load, across the files of an Extends= chain. */
struct loader {
	const struct strv *paths;
	struct draft draft;
	struct strv names; /* of the chain, for its end and for cycles */
	struct strv files;
};

/* A name that Extends= or the caller asks for. */
struct request {
	const char *name;
	struct diag_place place;
};

/* What was found for it. */
struct content {
	char *path, *data;
	size_t size;
};

static void content_fini(struct content *c)
{
	free(c->path);
	free(c->data);
}

/* What the machine lacks just now is no mistake of a file. */
static bool is_shortage(int error)
{
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

static int refuse_file(
		struct loader *l, const char *path, enum path_refusal refusal, int error)
{
	struct diag_place place = { .file = path };

	if (refusal == PATH_ERROR)
		draft_tell(&l->draft, place, MISTAKE_UNREADABLE_FILE,
				"The policy cannot be read: %s", strerror(-error));
	else
		draft_tell(&l->draft, place, MISTAKE_FOREIGN_FILE,
				"The policy cannot be trusted: %s",
				path_refusal_text(refusal));
	return -EINVAL;
}

static int open_folder(struct loader *l, const char *folder, int *ret_fd)
{
	struct diag_place place = { .file = folder };
	auto_close int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum path_refusal refusal;

	if (fd < 0 && (errno == ENOENT || is_shortage(-errno)))
		return -errno;
	if (fd < 0) {
		draft_tell(&l->draft, place, MISTAKE_NO_FOLDER,
				"The folder of policies cannot be opened: %s",
				strerror(errno));
		return -EINVAL;
	}
	refusal = path_check_folder(fd);
	if (refusal == PATH_OK)
		refusal = path_check_parents(fd);
	if (refusal == PATH_ERROR && is_shortage(-errno))
		return -errno;
	if (refusal != PATH_OK) {
		draft_tell(&l->draft, place, MISTAKE_FOREIGN_FOLDER,
				"The folder of policies cannot be trusted: %s",
				path_refusal_text(refusal));
		return -EINVAL;
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

/* -ENOENT when this folder does not have it. */
static int read_from(struct loader *l, const char *folder, const char *name,
		struct content *ret)
{
	auto_free char *file = text_format("%s.policy", name);
	auto_free char *path = text_format("%s/%s.policy", folder, name);
	enum path_refusal refusal;
	auto_close int fd = -1;
	int r;

	if (!file || !path)
		return -ENOMEM;
	r = open_folder(l, folder, &fd);
	if (r < 0)
		return r;
	r = path_read_trusted(
			fd, file, POLICY_FILE_MAX, &ret->data, &ret->size, &refusal);
	if (r == -ENOENT || is_shortage(r))
		return r;
	if (r < 0)
		return refuse_file(l, path, refusal, r);
	ret->path = TAKE_PTR(path);
	return 0;
}

static int find_content(
		struct loader *l, const struct request *request, struct content *ret)
{
	int r;

	for (size_t i = 0; i < l->paths->count; i++) {
		r = read_from(l, l->paths->items[i], request->name, ret);
		if (r != -ENOENT)
			return r;
	}
	draft_tell(&l->draft, request->place, MISTAKE_NO_POLICY,
			"There is no policy \"%s\"", request->name);
	return -ENOENT;
}

static int check_request(struct loader *l, const struct request *request)
{
	if (!policy_name_is_valid(request->name)) {
		draft_tell(&l->draft, request->place, MISTAKE_BAD_NAME,
				"\"%s\" is no name of a policy", request->name);
		return -EINVAL;
	}
	if (strv_contains(&l->names, request->name)) {
		draft_tell(&l->draft, request->place, MISTAKE_CIRCLE,
				"The policy \"%s\" extends itself", request->name);
		return -EINVAL;
	}
	if (l->names.count == POLICY_DEPTH_MAX) {
		draft_tell(&l->draft, request->place, MISTAKE_LONG_CHAIN,
				"More than %d policies extend each other",
				POLICY_DEPTH_MAX);
		return -EINVAL;
	}
	return strv_append(&l->names, request->name);
}

/* Applies the file and what it extends to the draft. */
static int load(struct loader *l, const struct request *request)
{
	__attribute__((cleanup(content_fini))) struct content c = { 0 };
	auto_free char *extends = NULL;
	struct request next = { 0 };
	int r;

	r = check_request(l, request);
	if (r < 0)
		return r;
	r = find_content(l, request, &c);
	if (r < 0)
		return r;
	r = strv_append(&l->files, c.path);
	if (r < 0)
		return r;
	r = draft_find_extends(c.data, c.size, &extends, &next.place.line);
	if (r < 0)
		return r;
	if (extends) {
		next.name = extends;
		next.place.file = c.path;
		r = load(l, &next);
		if (is_shortage(r))
			return r;
		/* A description speaks of its own file. */
		free(TAKE_PTR(l->draft.description));
	}
	return draft_apply(&l->draft, c.path, c.data, c.size);
}

/* The filter stands before the service is executed, so it must let that pass. */
static void check_execution(struct loader *l, struct diag_place place)
{
	static const char *const needed[] = { "execve", "execveat" };

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (filter_rules_decide(&l->draft.rules, syscall_number(needed[i])) != 0)
			draft_tell(&l->draft, place, MISTAKE_NO_EXECUTION,
					"No service can be started without %s",
					needed[i]);
}

static int compile(struct loader *l, struct diag_place place, struct policy *p)
{
	struct draft *d = &l->draft;
	int r;

	p->no_new_privs = d->no_new_privs > 0;
	p->bounding_set = d->bounding_set;
	if (d->rules.kind == FILTER_NONE && !d->native_only)
		return 0;
	check_execution(l, place);
	if (d->no_new_privs == 0)
		draft_tell(d, place, MISTAKE_NEEDS_PRIVILEGE,
				"Without NoNewPrivileges= the filter needs a service that "
				"holds CAP_SYS_ADMIN");
	p->no_new_privs = d->no_new_privs != 0;
	r = filter_compile(&d->rules, &p->filter, &p->filter_count);
	if (r < 0 && !is_shortage(r)) {
		draft_tell(&l->draft, place, MISTAKE_NO_PROGRAM,
				"The filter cannot be compiled: %s", strerror(-r));
		return -EINVAL;
	}
	return r;
}

static int make_policy(struct loader *l, const char *name, struct policy **ret)
{
	struct diag_place place = { .file = l->files.items[0] };
	auto_(policy) p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->name = strdup(name);
	if (!p->name)
		return -ENOMEM;
	r = compile(l, place, p);
	if (r < 0)
		return r;
	if (l->draft.mistakes > 0)
		return -EINVAL;
	p->description = TAKE_PTR(l->draft.description);
	p->files = l->files;
	l->files = (struct strv){ 0 };
	*ret = TAKE_PTR(p);
	return 0;
}

static void loader_fini(struct loader *l)
{
	draft_fini(&l->draft);
	strv_fini(&l->names);
	strv_fini(&l->files);
}

int policy_load(const char *name, const struct strv *paths, struct diag *d,
		struct policy **ret)
{
	__attribute__((cleanup(loader_fini))) struct loader l = {
		.paths = paths,
	};
	int r;

	draft_init(&l.draft, d);
	r = load(&l, &(struct request){ .name = name });
	if (r < 0)
		return r;
	if (l.draft.mistakes > 0)
		return -EINVAL;
	return make_policy(&l, name, ret);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	free(policy->name);
	free(policy->description);
	free(policy->filter);
	strv_fini(&policy->files);
	free(policy);
}

bool policy_name_is_valid(const char *name)
{
	size_t n = strspn(name,
			"abcdefghijklmnopqrstuvwxyz"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-");

	return n > 0 && !name[n] && n <= POLICY_NAME_MAX && !strchr("_.@-", name[0]);
}

int policy_default_paths(struct strv *ret_paths)
{
	static const char *const folders[] = {
		AIRSSYS_SYSCONF_DIR "/policies",
		"/run/airssys/policies",
		AIRSSYS_LIB_DIR "/policies",
	};
	auto_strv paths = { 0 };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		r = strv_append(&paths, folders[i]);
		if (r < 0)
			return r;
	}
	*ret_paths = paths;
	paths = (struct strv){ 0 };
	return 0;
}
