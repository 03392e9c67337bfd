/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Calls. The caller's half (RELATION_CALL) says that it still waits; a reply that finds
 * none is dropped, so a late one never arrives. No monitor is needed to learn of the
 * callee's end: a request that lies in the mailbox of an actor that is gone is refused by
 * whoever finds it, and one whose handler returned without an answer is remembered
 * (RELATION_REQUEST) and failed when the callee ends. So a call that is answered in its
 * handler costs two nodes and nothing else.
 *
 * A caller that gives up, or that was answered by somebody else, tells the callee
 * (NODE_CALL_DONE) so that the remembered request goes away.
 */

#include <errno.h>

#include "airssys/message.h"
#include "rt/message.h"
#include "rt/signals.h"
#include "rt/system.h"

static struct node *timeout_node(
		struct worker *w, airs_pid pid, airs_ref ref, uint64_t delay_usec)
{
	struct node *n = node_new(w->system, w, NODE_CALL_TIMEOUT, 0);

	if (!n)
		return NULL;
	n->to = pid;
	n->from = pid;
	n->ref = ref;
	n->u.timer.deadline_usec = w->system->scheduler->deadline(w->system, delay_usec);
	return n;
}

static struct reactor *reactor_of(struct airs_actor *a)
{
	return atomic_load_explicit(&a->pool, memory_order_relaxed)->reactor;
}

static void forget(struct worker *w, struct airs_actor *a, struct relation *call)
{
	if (call->u.timer && reactor_cancel_timer(reactor_of(a), call->u.timer))
		node_free(w->system, w, call->u.timer);
	relation_free(w->system, w, call);
}

static int arm_timeout(
		struct airs_actor *self, struct relation *call, uint64_t timeout_usec)
{
	struct worker *w = self->worker;
	struct node *timer;
	int r;

	if (timeout_usec == AIRS_INFINITY)
		return 0;
	timer = timeout_node(w, actor_pid(self), call->key, timeout_usec);
	if (!timer)
		return -ENOMEM;
	r = reactor_add_timer(reactor_of(self), timer);
	if (r < 0) {
		node_free(w->system, w, timer);
		return r;
	}
	call->u.timer = timer;
	return 0;
}

/* n is addressed but for the reference, and consumed. */
static int begin_call(struct airs_actor *self, struct node *n, uint64_t timeout_usec,
		airs_ref *ret_call)
{
	struct worker *w = self->worker;
	airs_ref ref = ref_new(w->system, w);
	struct relation *call = relation_new(w->system, w, RELATION_CALL, ref, n->to);
	int r;

	r = call ? arm_timeout(self, call, timeout_usec) : -ENOMEM;
	if (r < 0) {
		node_free(w->system, w, n);
		if (call)
			forget(w, self, call);
		return r;
	}
	n->from = actor_pid(self);
	n->ref = ref;
	relation_insert(self, call);
	r = message_post(w->system, w, n);
	if (r < 0) {
		forget(w, self, relation_take(self, RELATION_CALL, ref));
		return r;
	}
	*ret_call = ref;
	return 0;
}

int airs_call(struct airs_actor *self, const struct airs_request *request,
		airs_ref *ret_call)
{
	struct worker *w = self->worker;
	struct node *n = NULL;
	int r;

	r = message_check(request->type, request->data, request->size);
	if (r == 0) {
		n = node_new(w->system, w, NODE_REQUEST,
				request->free_data ? 0 : request->size);
		r = -ENOMEM;
	}
	if (!n) {
		if (request->free_data)
			request->free_data((void *)(uintptr_t)request->data);
		return r;
	}
	n->to = request->to;
	n->type = request->type;
	if (request->free_data)
		node_move_data(n, (void *)(uintptr_t)request->data, request->size,
				request->free_data);
	else
		node_set_data(n, request->data, request->size);
	return begin_call(self, n, request->timeout_usec, ret_call);
}

/* Tell the callee that nobody waits any more. */
static void send_done(
		struct worker *w, struct airs_actor *a, airs_pid callee, airs_ref ref)
{
	struct node *n = node_new_must(w->system, w, NODE_CALL_DONE, 0);

	n->from = actor_pid(a);
	n->to = callee;
	n->ref = ref;
	node_post(w->system, w, n);
}

void call_end(struct worker *w, struct airs_actor *a, struct relation *r)
{
	send_done(w, a, r->peer, r->key);
	forget(w, a, r);
}

void airs_call_cancel(struct airs_actor *self, airs_ref call)
{
	struct relation *r = relation_take(self, RELATION_CALL, call);

	if (r)
		call_end(self->worker, self, r);
}

void call_receive_reply(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *call = relation_take(a, RELATION_CALL, n->ref);

	if (!call)
		return;
	if (n->from != call->peer)
		send_done(w, a, call->peer, call->key);
	forget(w, a, call);
	n->type = AIRS_MSG_REPLY;
	actor_deliver(w, a, n);
}

void call_receive_timeout(struct worker *w, struct airs_actor *a, struct node *n)
{
	struct relation *call = relation_take(a, RELATION_CALL, n->ref);

	if (!call)
		return;
	n->from = call->peer;
	n->type = AIRS_MSG_REPLY;
	n->status = -ETIMEDOUT;
	call->u.timer = NULL; /* It is n. */
	call_end(w, a, call);
	actor_deliver(w, a, n);
}

void call_receive_done(struct worker *w, struct airs_actor *a, struct node *n)
{
	relation_free(w->system, w, relation_take(a, RELATION_REQUEST, n->ref));
}

void call_keep_request(struct worker *w, struct airs_actor *a)
{
	relation_insert(a,
			relation_new_must(w->system, w, RELATION_REQUEST, w->request,
					w->request_from));
	w->request = 0;
}

static void post_reply(struct worker *w, airs_pid from, struct airs_from to,
		struct node *n, int32_t status)
{
	n->from = from;
	n->to = to.pid;
	n->ref = to.ref;
	n->status = status;
	node_post(w->system, w, n);
}

void call_fail_request(struct worker *w, struct airs_actor *a, airs_pid caller,
		airs_ref ref, const struct airs_reason *reason)
{
	const struct airs_from to = { caller, ref };

	post_reply(w, actor_pid(a), to, node_new_reason(w->system, w, NODE_REPLY, reason),
			-ESRCH);
}

int airs_reply(struct airs_actor *self, struct airs_from to, int32_t status,
		const void *data, size_t size)
{
	struct worker *w = self->worker;
	struct node *n;

	if (!to.ref)
		return 0;
	n = node_new(w->system, w, NODE_REPLY, size);
	if (!n)
		return -ENOMEM;
	if (w->request == to.ref)
		w->request = 0;
	else
		relation_free(w->system, w,
				relation_take(self, RELATION_REQUEST, to.ref));
	node_set_data(n, data, size);
	post_reply(w, actor_pid(self), to, n, status);
	return 0;
}
