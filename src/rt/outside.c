/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Calls from threads outside of the system. A call is made by an actor of its own, which
 * lives until the reply is there, so it obeys the same rules as every other call. The
 * waiting thread and that actor share a struct outside_call under the system's call_lock;
 * the last of the two frees it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/actor.h"
#include "base/cleanup.h"
#include "rt/message.h"
#include "rt/system.h"

struct outside_call {
	struct airs_system *system;
	struct airs_request request; /* its data is a copy of ours */
	unsigned int refs;
	bool is_done;
	int status;
	void *data;
	size_t size;
};

struct caller_state {
	struct outside_call *call;
};

static void unref(void *data)
{
	struct outside_call *call = data;
	struct airs_system *system = call->system;
	bool is_last;

	(void)pthread_mutex_lock(&system->call_lock);
	is_last = --call->refs == 0;
	(void)pthread_mutex_unlock(&system->call_lock);
	if (!is_last)
		return;
	free((void *)(uintptr_t)call->request.data);
	free(call->data);
	free(call);
}

static struct outside_call *ref(struct outside_call *call)
{
	struct airs_system *system = call->system;

	(void)pthread_mutex_lock(&system->call_lock);
	call->refs++;
	(void)pthread_mutex_unlock(&system->call_lock);
	return call;
}

/* The first result counts. data is consumed. */
static void finish(struct outside_call *call, int status, void *data, size_t size)
{
	struct airs_system *system = call->system;

	(void)pthread_mutex_lock(&system->call_lock);
	if (!call->is_done) {
		call->is_done = true;
		call->status = status;
		call->data = data;
		call->size = size;
		data = NULL;
		(void)pthread_cond_broadcast(&system->call_done);
	}
	(void)pthread_mutex_unlock(&system->call_lock);
	free(data);
}

static int start_call(
		struct airs_actor *self, void *state, const void *args, size_t args_size)
{
	struct caller_state *own = state;
	airs_ref call;
	int r;

	(void)args_size;
	own->call = ref((struct outside_call *)(uintptr_t)args);
	r = airs_call(self, &own->call->request, &call);
	if (r < 0)
		finish(own->call, r, NULL, 0);
	return r;
}

static int take_reply(struct airs_actor *self, void *state, struct airs_message *message)
{
	const struct airs_reason done = { .reason_class = AIRS_REASON_NORMAL };
	struct caller_state *own = state;
	void *copy = NULL;

	if (message->type != AIRS_MSG_REPLY)
		return 0;
	if (message->size && message->status != -ESRCH) {
		copy = malloc(message->size);
		if (!copy) {
			finish(own->call, -ENOMEM, NULL, 0);
			return airs_exit(self, &done);
		}
		memcpy(copy, message->data, message->size);
	}
	finish(own->call, message->status, copy, copy ? message->size : 0);
	return airs_exit(self, &done);
}

static void end_call(void *state)
{
	struct caller_state *own = state;

	if (own->call)
		unref(own->call);
}

static const struct airs_behaviour outside_caller = {
	.size = sizeof(struct airs_behaviour),
	.name = "outside-call",
	.state_size = sizeof(struct caller_state),
	.init = start_call,
	.handle = take_reply,
	.release = end_call,
};

static struct outside_call *new_call(
		struct airs_system *system, const struct airs_request *request)
{
	auto_free struct outside_call *call = calloc(1, sizeof(*call));
	void *copy = NULL;

	if (!call)
		return NULL;
	if (request->size) {
		copy = malloc(request->size);
		if (!copy)
			return NULL;
		memcpy(copy, request->data, request->size);
	}
	call->system = system;
	call->refs = 1;
	call->request = *request;
	call->request.data = copy;
	call->request.free_data = NULL;
	return TAKE_PTR(call);
}

static int wait_for(struct outside_call *call, void **ret_data, size_t *ret_size)
{
	struct airs_system *system = call->system;
	int status = -ESHUTDOWN;

	(void)pthread_mutex_lock(&system->call_lock);
	while (!call->is_done &&
			!atomic_load_explicit(&system->is_stopping, memory_order_relaxed))
		(void)pthread_cond_wait(&system->call_done, &system->call_lock);
	if (call->is_done) {
		status = call->status;
		if (ret_data)
			*ret_data = TAKE_PTR(call->data);
		if (ret_size)
			*ret_size = call->size;
	}
	call->is_done = true;
	(void)pthread_mutex_unlock(&system->call_lock);
	return status;
}

static int call_and_wait(struct outside_call *call, void **ret_data, size_t *ret_size)
{
	struct airs_spawn_options options = { .size = sizeof(options) };
	int r;

	options.args = ref(call);
	options.args_size = sizeof(*call);
	options.free_args = unref;
	r = airs_system_spawn(call->system, &outside_caller, &options, NULL);
	return r < 0 ? r : wait_for(call, ret_data, ret_size);
}

int airs_system_call(struct airs_system *system, const struct airs_request *request,
		void **ret_data, size_t *ret_size)
{
	struct outside_call *call;
	int r;

	r = message_check(request->type, request->data, request->size);
	if (r == 0) {
		call = new_call(system, request);
		r = call ? call_and_wait(call, ret_data, ret_size) : -ENOMEM;
		if (call)
			unref(call);
	}
	if (request->free_data)
		request->free_data((void *)(uintptr_t)request->data);
	return r;
}
