/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "host/manager-api.h"
#include "manager/job.h"
#include "manager/manager.h"
#include "manager/names.h"

static struct record *find_or_fail(struct manager *m, struct request *request)
{
	struct record *record = registry_find(&m->registry, request->name);
	const char *why;

	if (record)
		return record;
	why = unit_refusals_find(&m->refusals, request->name);
	if (why) {
		request_fail(request, NAMES_ERROR_REFUSED,
				"\"%s\" is left out because of a mistake: %s",
				request->name,
				text_is_utf8(why, strlen(why)) ? why : "(not UTF-8)");
		manager_answer(m, request);
		return NULL;
	}
	request_fail(request, NAMES_ERROR_NO_SUCH_UNIT, "There is no unit \"%s\".",
			text_is_utf8(request->name, strlen(request->name)) ? request->name
									   : "?");
	manager_answer(m, request);
	return NULL;
}

static void serve_query(struct manager *m, struct request *request)
{
	const struct record *record = NULL;

	if (request->name) {
		record = find_or_fail(m, request);
		if (!record)
			return;
	}
	if (request->method == ACCESS_GET_UNIT)
		answer_unit(m, request, record);
	else if (request->method == ACCESS_GET_FILES)
		answer_files(m, request, record);
	else if (request->method == ACCESS_DIAGNOSTICS)
		answer_diagnostics(m, request);
	else
		answer_list(m, request);
	manager_answer(m, request);
}

static int parse_whom(const char *text, uint32_t *ret_whom)
{
	static const struct {
		const char *name;
		enum protocol_whom whom;
	} words[] = {
		{ "main", PROTOCOL_MAIN },
		{ "control", PROTOCOL_CONTROL },
		{ "all", PROTOCOL_ALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].name, text) == 0) {
			*ret_whom = words[i].whom;
			return 0;
		}
	return -EINVAL;
}

static void serve_job(struct manager *m, struct request *request, enum job_kind kind)
{
	struct job_options options = { .kind = kind, .request = request };

	options.record = find_or_fail(m, request);
	if (!options.record)
		return;
	if (kind == JOB_KILL) {
		options.kill.signal = request->signal;
		if (request->signal < 1 || request->signal > SIGRTMAX ||
				parse_whom(request->whom, &options.kill.whom) < 0) {
			request_fail(request, SD_BUS_ERROR_INVALID_ARGS,
					"Whom is main, control or all, and the signal a number from 1 to %d.",
					SIGRTMAX);
			manager_answer(m, request);
			return;
		}
	}
	job_start(m, &options);
}

static bool can_act(struct manager *m, struct request *request)
{
	if (m->phase == MANAGER_STARTING || m->phase == MANAGER_UP)
		return true;
	request_fail(request, NAMES_ERROR_FAILED,
			m->phase < MANAGER_STARTING ? "The tree is not built yet."
						    : "AirsSys is being shut down.");
	manager_answer(m, request);
	return false;
}

static void serve_shutdown(struct manager *m, struct request *request)
{
	request_answer_empty(request);
	manager_answer(m, request);
	manager_shut_down(m);
}

void manager_serve(struct manager *m, struct request *request)
{
	if (access_method_right(request->method) == ACCESS_CONTROL &&
			request->method != ACCESS_SHUTDOWN && !can_act(m, request))
		return;
	switch (request->method) {
	case ACCESS_LIST_UNITS:
	case ACCESS_GET_UNIT:
	case ACCESS_GET_FILES:
	case ACCESS_DIAGNOSTICS:
		serve_query(m, request);
		return;
	case ACCESS_START:
		serve_job(m, request, JOB_START);
		return;
	case ACCESS_STOP:
		serve_job(m, request, JOB_STOP);
		return;
	case ACCESS_RESTART:
		serve_job(m, request, JOB_RESTART);
		return;
	case ACCESS_RELOAD_UNIT:
		serve_job(m, request, JOB_RELOAD);
		return;
	case ACCESS_KILL:
		serve_job(m, request, JOB_KILL);
		return;
	case ACCESS_DAEMON_RELOAD:
		reload_begin(m, request);
		return;
	case ACCESS_SHUTDOWN:
		serve_shutdown(m, request);
		return;
	case ACCESS_METHOD_COUNT:
		request_free(request);
		return;
	}
}

/* The unit whose module's actor says something: itself, or the native actor that started
 * it. */
static struct record *find_module(struct manager *m, airs_pid actor, airs_pid parent)
{
	struct record *record = registry_find_actor(&m->registry, actor);

	return record ? record : registry_find_actor(&m->registry, parent);
}

/* A probe may fail its siblings and nobody else. */
static void serve_fail(struct manager *m, const struct airs_message *message)
{
	const struct manager_api_fail *fail = message->data;
	const struct record *caller = find_module(m, message->from, fail->parent);
	struct job_options options = { .kind = JOB_FAIL, .why = fail->why };
	int status = 0;

	options.from = airs_message_from(message);
	options.record = registry_find(&m->registry, fail->name);
	if (!options.record)
		status = -ENOENT;
	else if (!caller || caller->supervisor != options.record->supervisor)
		status = -EPERM;
	if (status == 0)
		job_start(m, &options);
	else
		(void)!airs_reply(m->self, options.from, status, NULL, 0);
}

static bool is_terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

void manager_serve_module(struct manager *m, const struct airs_message *message)
{
	const struct manager_api_status *status = message->data;
	const struct manager_api_fail *fail = message->data;
	struct record *record;

	if (message->type == MANAGER_API_FAIL) {
		if (message->size == sizeof(*fail) &&
				is_terminated(fail->name, sizeof(fail->name)) &&
				is_terminated(fail->why, sizeof(fail->why)))
			serve_fail(m, message);
		return;
	}
	if (message->size != sizeof(*status) ||
			!is_terminated(status->text, sizeof(status->text)))
		return;
	record = find_module(m, message->from, status->parent);
	if (record)
		registry_set_status_text(record, status->text);
}
