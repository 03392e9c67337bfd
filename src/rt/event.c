/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The event manager: an actor above the public interface. Its requests travel as one block
 * (struct order) that is moved to it.
 *
 * A handler never changes the list itself: what it returns is acted upon when it has
 * returned, and requests wait in the mailbox meanwhile.
 */
#include "airssys/event.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/list.h"

#define ARGS_MAX ((size_t)64 * 1024)

struct handler {
	struct list link; /* on manager.handlers */
	const struct airs_event_handler *functions;
	char id[AIRS_EVENT_ID_SIZE];
	airs_pid owner; /* AIRS_PID_NONE: nobody's */
	airs_ref monitor; /* of the owner */
	_Alignas(max_align_t) unsigned char state[];
};

struct manager {
	struct list handlers; /* [struct handler.link], newest first */
	size_t n_handlers;
};

enum operation {
	OPERATION_ADD,
	OPERATION_REMOVE,
	OPERATION_SWAP,
	OPERATION_ASK,
	OPERATION_WHICH,
	OPERATION_COUNT
};

struct order {
	enum operation operation;
	char id[AIRS_EVENT_ID_SIZE]; /* of the handler that is there */
	char new_id[AIRS_EVENT_ID_SIZE];
	const struct airs_event_handler *handler;
	unsigned int flags;
	uint32_t type; /* of what is asked */
	size_t size;
	_Alignas(max_align_t) unsigned char data[];
};

static struct handler *find(const struct manager *m, const char *id)
{
	struct handler *h;

	list_foreach(h, &m->handlers, link)
		if (strcmp(h->id, id) == 0)
			return h;
	return NULL;
}

/* It is on no list. */
static void free_handler(struct handler *h)
{
	if (h->functions->release && h->functions->state_size > 0)
		h->functions->release(h->state);
	free(h);
}

static void tell_owner(struct airs_actor *self, const struct handler *h,
		const struct airs_reason *reason)
{
	struct airs_event_gone gone = { .reason = *reason };

	memcpy(gone.id, h->id, sizeof(gone.id));
	/* An owner whose mailbox is full does not learn of it. */
	(void)!airs_send(self, h->owner, AIRS_MSG_EVENT, &gone, sizeof(gone));
}

/* Takes h off the list and terminates it; it is the caller's then. */
static void detach(struct airs_actor *self, struct manager *m, struct handler *h,
		const struct airs_reason *reason)
{
	list_remove(&h->link);
	m->n_handlers--;
	if (h->owner != AIRS_PID_NONE)
		airs_demonitor(self, h->monitor);
	if (h->functions->terminate)
		h->functions->terminate(self, h->state, reason);
}

/* h goes by itself: result is what its function returned. */
static void drop(
		struct airs_actor *self, struct manager *m, struct handler *h, int result)
{
	struct airs_reason reason = result < 0
			? airs_reason_make(AIRS_REASON_ERROR, -result, NULL)
			: airs_reason_make(AIRS_REASON_NORMAL, 0, NULL);

	detach(self, m, h, &reason);
	if (h->owner != AIRS_PID_NONE)
		tell_owner(self, h, &reason);
	free_handler(h);
}

static void hand_out(struct airs_actor *self, struct manager *m,
		const struct airs_message *message)
{
	struct handler *h, *tmp;
	int r;

	list_foreach_safe(h, tmp, &m->handlers, link) {
		r = h->functions->handle ? h->functions->handle(self, h->state, message)
					 : 0;
		if (r != 0)
			drop(self, m, h, r);
	}
}

/* What a new handler's init is given. */
struct start {
	airs_pid adder;
	const void *args;
	size_t size;
};

static int start_handler(struct airs_actor *self, struct manager *m,
		const struct order *order, const struct start *start)
{
	struct handler *h = calloc(1, sizeof(*h) + order->handler->state_size);
	int r = 0;

	if (!h)
		return -ENOMEM;
	h->functions = order->handler;
	memcpy(h->id, order->new_id, sizeof(h->id));
	if (order->flags & AIRS_EVENT_OWNED)
		r = airs_monitor(self, start->adder, &h->monitor);
	if (r == 0 && h->monitor)
		h->owner = start->adder;
	if (r == 0 && h->functions->init)
		r = h->functions->init(self, h->state, start->args, start->size);
	if (r < 0) {
		if (h->monitor)
			airs_demonitor(self, h->monitor);
		free_handler(h);
		return r;
	}
	list_insert(&m->handlers, &h->link);
	m->n_handlers++;
	return 0;
}

static int add(struct airs_actor *self, struct manager *m, const struct order *order,
		const struct airs_message *message)
{
	const struct start start = { message->from, order->data, order->size };

	if (find(m, order->new_id))
		return -EEXIST;
	return start_handler(self, m, order, &start);
}

static int swap(struct airs_actor *self, struct manager *m, const struct order *order,
		const struct airs_message *message)
{
	const struct airs_reason reason = airs_reason_make(AIRS_REASON_NORMAL, 0, NULL);
	struct handler *old = find(m, order->id), *other = find(m, order->new_id);
	struct start start = { message->from, NULL, 0 };
	int r;

	if (!old)
		return -ENOENT;
	if (other && other != old)
		return -EEXIST;
	detach(self, m, old, &reason);
	start.args = old->state;
	start.size = old->functions->state_size;
	r = start_handler(self, m, order, &start);
	if (old->owner != AIRS_PID_NONE && old->owner != message->from)
		tell_owner(self, old, &reason);
	free_handler(old);
	return r;
}

static int remove_handler(struct airs_actor *self, struct manager *m,
		const struct order *order, const struct airs_message *message)
{
	const struct airs_reason reason = airs_reason_make(AIRS_REASON_NORMAL, 0, NULL);
	struct handler *h = find(m, order->id);

	if (!h)
		return -ENOENT;
	detach(self, m, h, &reason);
	if (h->owner != AIRS_PID_NONE && h->owner != message->from)
		tell_owner(self, h, &reason);
	free_handler(h);
	return 0;
}

static void fail_request(
		struct airs_actor *self, const struct airs_message *message, int r)
{
	/* Dropped when it was answered already. Without memory the caller's deadline has
	 * to do. */
	(void)!airs_reply(self, airs_message_from(message), r, NULL, 0);
}

/* Answers itself. */
static void ask(struct airs_actor *self, struct manager *m, struct order *order,
		const struct airs_message *message)
{
	struct airs_message request = *message;
	struct handler *h = find(m, order->id);
	int r;

	if (!h || !h->functions->ask) {
		fail_request(self, message, h ? -ENOSYS : -ENOENT);
		return;
	}
	request.type = order->type;
	request.data = order->size > 0 ? order->data : NULL;
	request.size = order->size;
	r = h->functions->ask(self, h->state, &request);
	if (r == 0)
		return;
	drop(self, m, h, r);
	fail_request(self, message, -ESRCH);
}

/* Answers itself. */
static void which(struct airs_actor *self, const struct manager *m,
		const struct airs_message *message)
{
	auto_free char(*ids)[AIRS_EVENT_ID_SIZE] =
			calloc(m->n_handlers + 1, sizeof(*ids));
	const struct handler *h;
	size_t n = 0;

	if (!ids) {
		fail_request(self, message, -ENOMEM);
		return;
	}
	list_foreach(h, &m->handlers, link)
		memcpy(ids[n++], h->id, sizeof(*ids));
	(void)!airs_reply(self, airs_message_from(message), 0, ids, n * sizeof(*ids));
}

static void obey(struct airs_actor *self, struct manager *m,
		const struct airs_message *message)
{
	struct order *order = message->data;
	int r = -EINVAL;

	if (message->ref == 0 || message->size < sizeof(*order))
		return;
	switch (order->operation) {
	case OPERATION_ADD:
		r = add(self, m, order, message);
		break;
	case OPERATION_REMOVE:
		r = remove_handler(self, m, order, message);
		break;
	case OPERATION_SWAP:
		r = swap(self, m, order, message);
		break;
	case OPERATION_ASK:
		ask(self, m, order, message);
		return;
	case OPERATION_WHICH:
		which(self, m, message);
		return;
	case OPERATION_COUNT:
		break;
	}
	fail_request(self, message, r);
}

/* Whether a handler's owner has ended: it goes with it. */
static int is_owners_end(struct airs_actor *self, struct manager *m,
		const struct airs_message *message)
{
	struct handler *h, *tmp;

	list_foreach_safe(h, tmp, &m->handlers, link) {
		if (h->owner == AIRS_PID_NONE || h->monitor != message->ref)
			continue;
		detach(self, m, h, message->data);
		free_handler(h);
		return 1;
	}
	return 0;
}

static int manager_init(
		struct airs_actor *self, void *state, const void *args, size_t size)
{
	struct manager *m = state;

	(void)args;
	(void)size;
	list_init(&m->handlers);
	airs_trap_exit(self, AIRS_TRAP_ON);
	return 0;
}

static int manager_handle(
		struct airs_actor *self, void *state, struct airs_message *message)
{
	struct manager *m = state;

	if (message->type == AIRS_MSG_EVENT) {
		obey(self, m, message);
		return 0;
	}
	if (message->type == AIRS_MSG_EXIT && message->from == airs_parent(self))
		return airs_exit(self, message->data);
	if (message->type == AIRS_MSG_DOWN && is_owners_end(self, m, message))
		return 0;
	hand_out(self, m, message);
	if (message->ref && message->type >= AIRS_MSG_USER)
		fail_request(self, message, 0); /* All have seen it. */
	return 0;
}

static void manager_terminate(
		struct airs_actor *self, void *state, const struct airs_reason *reason)
{
	struct manager *m = state;
	struct handler *h;

	while ((h = list_first(&m->handlers, struct handler, link))) {
		detach(self, m, h, reason);
		if (h->owner != AIRS_PID_NONE)
			tell_owner(self, h, reason);
		free_handler(h);
	}
}

static void manager_release(void *state)
{
	struct manager *m = state;
	struct handler *h;

	if (!m->handlers.next)
		return; /* It never began. */
	while ((h = list_first(&m->handlers, struct handler, link))) {
		list_remove(&h->link);
		free_handler(h);
	}
}

const struct airs_behaviour *airs_event_manager(void)
{
	static const struct airs_behaviour behaviour = {
		.size = sizeof(behaviour),
		.name = "event manager",
		.state_size = sizeof(struct manager),
		.init = manager_init,
		.handle = manager_handle,
		.terminate = manager_terminate,
		.release = manager_release,
	};

	return &behaviour;
}

/* The asking side. */

static int order_new(enum operation operation, const char *id, size_t size,
		struct order **ret_order)
{
	size_t id_size = id ? strlen(id) + 1 : 0;
	struct order *order;

	if (size > ARGS_MAX || id_size == 1 || id_size > sizeof(order->id))
		return -EINVAL;
	order = calloc(1, sizeof(*order) + size);
	if (!order)
		return -ENOMEM;
	order->operation = operation;
	order->size = size;
	if (id)
		memcpy(order->id, id, id_size);
	*ret_order = order;
	return 0;
}

/* Consumes order. */
static int give_order(struct airs_actor *self, airs_pid manager, struct order *order,
		uint64_t timeout_usec, airs_ref *ret_call)
{
	return airs_call(self,
			&(struct airs_request){ .to = manager,
					.type = AIRS_MSG_EVENT,
					.data = order,
					.size = sizeof(*order) + order->size,
					.free_data = free,
					.timeout_usec = timeout_usec },
			ret_call);
}

static int check_spec(const struct airs_event_spec *spec)
{
	size_t n = spec->size == sizeof(*spec) && spec->id ? strlen(spec->id) : 0;

	if (n == 0 || n >= AIRS_EVENT_ID_SIZE)
		return -EINVAL;
	if (!spec->handler || spec->handler->size != sizeof(*spec->handler))
		return -EINVAL;
	if (spec->flags & ~AIRS_EVENT_OWNED || (spec->args_size > 0 && !spec->args))
		return -EINVAL;
	return 0;
}

static void fill_in(struct order *order, const struct airs_event_spec *spec)
{
	memcpy(order->new_id, spec->id, strlen(spec->id) + 1);
	order->handler = spec->handler;
	order->flags = spec->flags;
}

int airs_event_add(struct airs_actor *self, airs_pid manager,
		const struct airs_event_spec *spec, uint64_t timeout_usec,
		airs_ref *ret_call)
{
	struct order *order;
	int r = spec->replaces ? -EINVAL : check_spec(spec);

	if (r < 0)
		return r;
	r = order_new(OPERATION_ADD, NULL, spec->args_size, &order);
	if (r < 0)
		return r;
	fill_in(order, spec);
	if (spec->args_size > 0)
		memcpy(order->data, spec->args, spec->args_size);
	return give_order(self, manager, order, timeout_usec, ret_call);
}

int airs_event_remove(struct airs_actor *self, airs_pid manager, const char *id,
		uint64_t timeout_usec, airs_ref *ret_call)
{
	struct order *order;
	int r = id ? order_new(OPERATION_REMOVE, id, 0, &order) : -EINVAL;

	return r < 0 ? r : give_order(self, manager, order, timeout_usec, ret_call);
}

int airs_event_swap(struct airs_actor *self, airs_pid manager,
		const struct airs_event_spec *spec, uint64_t timeout_usec,
		airs_ref *ret_call)
{
	struct order *order;
	int r = spec->replaces && spec->args_size == 0 ? check_spec(spec) : -EINVAL;

	if (r < 0)
		return r;
	r = order_new(OPERATION_SWAP, spec->replaces, 0, &order);
	if (r < 0)
		return r;
	fill_in(order, spec);
	return give_order(self, manager, order, timeout_usec, ret_call);
}

int airs_event_ask(struct airs_actor *self, const char *id,
		const struct airs_request *request, airs_ref *ret_call)
{
	struct order *order;
	int r = id && !request->free_data && request->type >= AIRS_MSG_USER
			? order_new(OPERATION_ASK, id, request->size, &order)
			: -EINVAL;

	if (r < 0)
		return r;
	order->type = request->type;
	if (request->size > 0)
		memcpy(order->data, request->data, request->size);
	return give_order(self, request->to, order, request->timeout_usec, ret_call);
}

int airs_event_which(struct airs_actor *self, airs_pid manager, uint64_t timeout_usec,
		airs_ref *ret_call)
{
	struct order *order;
	int r = order_new(OPERATION_WHICH, NULL, 0, &order);

	return r < 0 ? r : give_order(self, manager, order, timeout_usec, ret_call);
}
