/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Requests. What can be done at once is done at once, whatever else is under way: above
 * all the end of a child that starts or waits for its backoff. What has to wait for the
 * end of a child's process is kept on that child and served again when it is at rest, in
 * order of arrival.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rt/supervisor-internal.h"

struct reply {
	int status;
	const void *data;
	size_t size;
};

static void answer(struct supervisor *s, struct airs_from to, const struct reply *reply)
{
	int r = airs_reply(s->self, to, reply->status, reply->data, reply->size);

	/* Without the payload it may still reach the caller, who would wait for ever
	 * otherwise. */
	if (r < 0)
		(void)!airs_reply(s->self, to, r, NULL, 0);
}

static void answer_status(struct supervisor *s, struct airs_from to, int status)
{
	answer(s, to, &(struct reply){ .status = status });
}

static int add_waiter(
		struct child *c, struct airs_from from, enum request_operation operation)
{
	struct trouble *trouble;
	struct waiter *w;
	int r = child_trouble(c, &trouble);

	if (r < 0)
		return r;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->from = from;
	w->operation = operation;
	list_append(&trouble->waiters, &w->link);
	return 0;
}

static int is_start(enum request_operation operation)
{
	return operation == REQUEST_START || operation == REQUEST_RESTART;
}

static void answer_starts(
		struct supervisor *s, struct child *c, const struct reply *reply)
{
	struct waiter *w, *tmp;

	if (!c->trouble)
		return;
	list_foreach_safe(w, tmp, &c->trouble->waiters, link) {
		if (!is_start(w->operation))
			continue;
		answer(s, w->from, reply);
		list_remove(&w->link);
		free(w);
	}
}

/* Start a child for the one who asked for it last, now or when the walk comes to it. */
static void start_on_request(
		struct supervisor *s, struct child *c, enum start_cause cause)
{
	c->want = WANT_UP;
	if (c->trouble) {
		c->trouble->attempt = 0;
		c->trouble->due_usec = 0;
		intensity_reset(&c->trouble->window);
	}
	if (!walk_will_start(s, c)) {
		child_launch(s, c, cause, AIRS_DECISION_REQUEST);
		return;
	}
	c->start_cause = cause;
	c->decision = AIRS_DECISION_REQUEST;
	child_step(s, c, CHILD_WAIT, NULL);
}

static int may_have(const struct supervisor *s, const struct spec *spec)
{
	return spec->terms->significance == AIRS_INSIGNIFICANT ||
			s->plan->auto_shutdown != AIRS_AUTO_SHUTDOWN_NEVER;
}

static int add_child(struct supervisor *s, struct spec *spec, struct airs_from from)
{
	struct child *c;
	int r;

	if (s->life == LIFE_STOPPING)
		return -ESHUTDOWN;
	if (!may_have(s, spec))
		return -EINVAL;
	r = children_add(s, spec, &c);
	if (r < 0)
		return r;
	r = add_waiter(c, from, REQUEST_START);
	if (r < 0) {
		children_remove(s, c);
		return r;
	}
	if (c->want == WANT_UP)
		start_on_request(s, c, START_ADDED);
	else
		request_started(s, c);
	return 0;
}

static void serve_start(struct supervisor *s, struct airs_from from,
		const struct supervisor_request *request)
{
	int r = add_child(s, request->spec, from);

	if (r < 0)
		answer_status(s, from, r);
}

/* 0: answered later. 1: done. Else a negative errno. */
static int terminate_child(struct supervisor *s, struct child *c, struct airs_from from)
{
	struct airs_reason reason =
			airs_reason_make(AIRS_REASON_SHUTDOWN, 0, "terminated");
	int r;

	if (c->want == WANT_UP)
		request_not_started(s, c, -ECANCELED, &reason);
	c->want = WANT_DOWN;
	if (!child_has_process(c)) {
		child_stop(s, c, AIRS_DECISION_REQUEST);
		if (c->spec->terms->restart == AIRS_TEMPORARY)
			request_removed(s, c);
		return 1;
	}
	r = add_waiter(c, from, REQUEST_TERMINATE);
	if (r < 0)
		return r;
	child_stop(s, c, AIRS_DECISION_REQUEST);
	return 0;
}

static int restart_child(struct supervisor *s, struct child *c, struct airs_from from)
{
	int r;

	switch (c->state) {
	case AIRS_CHILD_STARTING:
	case AIRS_CHILD_RUNNING:
		return -EBUSY;
	case AIRS_CHILD_RESTARTING:
		return -EAGAIN;
	case AIRS_CHILD_STOPPING:
		return c->want == WANT_UP ? -EAGAIN
					  : add_waiter(c, from, REQUEST_RESTART);
	case AIRS_CHILD_STOPPED:
	case AIRS_CHILD_FAILED:
		break;
	}
	if (s->life == LIFE_STOPPING)
		return -ESHUTDOWN;
	r = add_waiter(c, from, REQUEST_RESTART);
	if (r == 0)
		start_on_request(s, c, START_REQUEST);
	return r;
}

static int delete_child(struct supervisor *s, struct child *c, struct airs_from from)
{
	if (c->state == AIRS_CHILD_STOPPING && c->want == WANT_DOWN)
		return add_waiter(c, from, REQUEST_DELETE);
	if (c->state != AIRS_CHILD_STOPPED && c->state != AIRS_CHILD_FAILED)
		return -EBUSY;
	request_removed(s, c);
	return 1;
}

static int serve_child(struct supervisor *s, enum request_operation operation,
		const char *id, struct airs_from from)
{
	struct child *c = children_find(s, id);

	if (!c)
		return -ENOENT;
	if (operation == REQUEST_TERMINATE)
		return terminate_child(s, c, from);
	if (operation == REQUEST_RESTART)
		return restart_child(s, c, from);
	return delete_child(s, c, from);
}

static void serve_update(struct supervisor *s, struct airs_from from,
		const struct supervisor_request *request)
{
	struct child *c = children_find(s, spec_id(request->spec));

	if (c && !may_have(s, request->spec)) {
		answer_status(s, from, -EINVAL);
		return;
	}
	if (c)
		children_update(s, c, request->spec);
	answer_status(s, from, c ? 0 : -ENOENT);
}

static void serve_by_id(struct supervisor *s, struct airs_from from,
		const struct supervisor_request *request)
{
	int r = serve_child(s, request->operation, request->id, from);

	if (r != 0)
		answer_status(s, from, r < 0 ? r : 0);
}

static void serve_which(struct supervisor *s, struct airs_from from,
		const struct supervisor_request *request)
{
	auto_free struct airs_child_info *info = calloc(s->n_children + 1, sizeof(*info));
	const struct child *c;
	size_t n = 0;

	(void)request;
	if (!info) {
		answer_status(s, from, -ENOMEM);
		return;
	}
	list_foreach(c, &s->children, link) {
		(void)snprintf(info[n].id, sizeof(info[n].id), "%s", spec_id(c->spec));
		info[n].pid = child_process(c);
		info[n].state = c->state;
		info[n].is_supervisor = c->spec->plan != NULL;
		info[n].cookie = c->spec->cookie;
		n++;
	}
	answer(s, from, &(struct reply){ 0, info, n * sizeof(*info) });
}

static void serve_count(struct supervisor *s, struct airs_from from,
		const struct supervisor_request *request)
{
	struct airs_child_counts counts = { .specs = s->n_children };
	const struct child *c;

	(void)request;
	list_foreach(c, &s->children, link) {
		counts.active += c->is_alive;
		counts.supervisors += c->spec->plan != NULL;
	}
	counts.workers = counts.specs - counts.supervisors;
	answer(s, from, &(struct reply){ 0, &counts, sizeof(counts) });
}

static void (*const serve[REQUEST_OPERATION_COUNT])(struct supervisor *s,
		struct airs_from from, const struct supervisor_request *request) = {
	[REQUEST_START] = serve_start,
	[REQUEST_TERMINATE] = serve_by_id,
	[REQUEST_RESTART] = serve_by_id,
	[REQUEST_DELETE] = serve_by_id,
	[REQUEST_UPDATE] = serve_update,
	[REQUEST_WHICH] = serve_which,
	[REQUEST_COUNT] = serve_count,
};

void request_serve(struct supervisor *s, const struct airs_message *message)
{
	const struct supervisor_request *request = message->data;

	if (message->ref == 0)
		return;
	if (message->size != sizeof(*request) ||
			request->operation >= REQUEST_OPERATION_COUNT) {
		answer_status(s, airs_message_from(message), -EINVAL);
		return;
	}
	serve[request->operation](s, airs_message_from(message), request);
}

void request_started(struct supervisor *s, struct child *c)
{
	airs_pid pid = child_process(c);

	answer_starts(s, c, &(struct reply){ 0, &pid, sizeof(pid) });
}

void request_not_started(struct supervisor *s, struct child *c, int status,
		const struct airs_reason *reason)
{
	answer_starts(s, c, &(struct reply){ status, reason, sizeof(*reason) });
}

void request_at_rest(struct supervisor *s, struct child *c)
{
	struct list waiters;
	char id[256];

	if (!c->trouble || list_is_empty(&c->trouble->waiters)) {
		child_tidy(c);
		return;
	}
	(void)snprintf(id, sizeof(id), "%s", spec_id(c->spec));
	list_init(&waiters);
	list_insert(&c->trouble->waiters, &waiters);
	list_remove(&c->trouble->waiters);
	child_tidy(c);
	while (!list_is_empty(&waiters)) {
		auto_free struct waiter *w = list_first(&waiters, struct waiter, link);
		int r;

		list_remove(&w->link);
		r = serve_child(s, w->operation, id, w->from);
		if (r != 0)
			answer_status(s, w->from, r < 0 ? r : 0);
	}
}

void request_removed(struct supervisor *s, struct child *c)
{
	struct waiter *w;

	while (c->trouble && !list_is_empty(&c->trouble->waiters)) {
		w = list_first(&c->trouble->waiters, struct waiter, link);
		answer_status(s, w->from,
				w->operation == REQUEST_TERMINATE ? 0 : -ENOENT);
		list_remove(&w->link);
		free(w);
	}
	walk_forget(s, c);
	children_remove(s, c);
}

static int make_request(enum request_operation operation, const char *id,
		struct supervisor_request *ret_request)
{
	if (!id || id[0] == '\0' || strlen(id) > 255)
		return -EINVAL;
	memset(ret_request, 0, sizeof(*ret_request));
	ret_request->operation = operation;
	(void)snprintf(ret_request->id, sizeof(ret_request->id), "%s", id);
	return 0;
}

static int ask(struct airs_actor *self, airs_pid supervisor,
		const struct supervisor_request *request, uint64_t timeout_usec,
		airs_ref *ret_call)
{
	return airs_call(self,
			&(struct airs_request){ .to = supervisor,
					.type = AIRS_MSG_SUPERVISOR,
					.data = request,
					.size = sizeof(*request),
					.timeout_usec = timeout_usec },
			ret_call);
}

struct call_terms {
	uint64_t timeout_usec;
	airs_ref *ret_call;
};

static void free_request(void *data)
{
	struct supervisor_request *request = data;

	spec_unref(request->spec);
	free(request);
}

static int ask_with_spec(struct airs_actor *self, airs_pid supervisor,
		enum request_operation operation, const struct airs_child_spec *spec,
		const struct call_terms *terms)
{
	struct supervisor_request *request;
	int r = spec_check(spec, NULL);

	if (r < 0)
		return r;
	request = calloc(1, sizeof(*request));
	if (!request)
		return -ENOMEM;
	request->operation = operation;
	r = spec_new(spec, NULL, &request->spec);
	if (r < 0) {
		free_request(request);
		return r;
	}
	return airs_call(self,
			&(struct airs_request){ .to = supervisor,
					.type = AIRS_MSG_SUPERVISOR,
					.data = request,
					.size = sizeof(*request),
					.free_data = free_request,
					.timeout_usec = terms->timeout_usec },
			terms->ret_call);
}

int airs_supervisor_start_child(struct airs_actor *self, airs_pid supervisor,
		const struct airs_child_spec *spec, uint64_t timeout_usec,
		airs_ref *ret_call)
{
	return ask_with_spec(self, supervisor, REQUEST_START, spec,
			&(struct call_terms){ timeout_usec, ret_call });
}

int airs_supervisor_update_child(struct airs_actor *self, airs_pid supervisor,
		const struct airs_child_spec *spec, uint64_t timeout_usec,
		airs_ref *ret_call)
{
	return ask_with_spec(self, supervisor, REQUEST_UPDATE, spec,
			&(struct call_terms){ timeout_usec, ret_call });
}

int airs_supervisor_terminate_child(struct airs_actor *self, airs_pid supervisor,
		const char *id, uint64_t timeout_usec, airs_ref *ret_call)
{
	struct supervisor_request request;
	int r = make_request(REQUEST_TERMINATE, id, &request);

	return r < 0 ? r : ask(self, supervisor, &request, timeout_usec, ret_call);
}

int airs_supervisor_restart_child(struct airs_actor *self, airs_pid supervisor,
		const char *id, uint64_t timeout_usec, airs_ref *ret_call)
{
	struct supervisor_request request;
	int r = make_request(REQUEST_RESTART, id, &request);

	return r < 0 ? r : ask(self, supervisor, &request, timeout_usec, ret_call);
}

int airs_supervisor_delete_child(struct airs_actor *self, airs_pid supervisor,
		const char *id, uint64_t timeout_usec, airs_ref *ret_call)
{
	struct supervisor_request request;
	int r = make_request(REQUEST_DELETE, id, &request);

	return r < 0 ? r : ask(self, supervisor, &request, timeout_usec, ret_call);
}

int airs_supervisor_which_children(struct airs_actor *self, airs_pid supervisor,
		uint64_t timeout_usec, airs_ref *ret_call)
{
	struct supervisor_request request = { .operation = REQUEST_WHICH };

	return ask(self, supervisor, &request, timeout_usec, ret_call);
}

int airs_supervisor_count_children(struct airs_actor *self, airs_pid supervisor,
		uint64_t timeout_usec, airs_ref *ret_call)
{
	struct supervisor_request request = { .operation = REQUEST_COUNT };

	return ask(self, supervisor, &request, timeout_usec, ret_call);
}
