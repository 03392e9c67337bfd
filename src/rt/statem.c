/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * State machines, above the public interface: the queue of events that come before the
 * mailbox, and timeouts.
 *
 * An event that has to outlive its handler is an item, with its message and payload in
 * one block. The one that comes from the mailbox gets one only when it is postponed.
 */
#include "airssys/statem.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES  1u /* a next state was chosen that is another one */
#define REPEATS  2u
#define POSTPONE 4u
#define ENTERING 8u /* an enter call is under way */
#define RENEWED  16u /* the state timeout was set, for the state that is next */

struct airs_statem_item {
	struct airs_statem_item *next;
	struct airs_statem_event event;
	struct airs_message message;
	_Alignas(max_align_t) unsigned char data[];
};

struct airs_statem_timer {
	struct airs_statem_timer *next;
	enum airs_statem_kind kind;
	uint32_t name;
	airs_ref timer; /* 0: a delay of 0 */
	uint64_t value;
};

/* A copy of the event, its payload and its message; NULL: no memory. */
static struct airs_statem_item *item_new(const struct airs_statem_event *event)
{
	size_t size = event->message->size;
	struct airs_statem_item *item = malloc(sizeof(*item) + size);

	if (!item)
		return NULL;
	item->next = NULL;
	item->event = *event;
	item->message = *event->message;
	item->event.message = &item->message;
	item->message.data = NULL;
	if (size > 0)
		item->message.data = memcpy(item->data, event->message->data, size);
	return item;
}

static void append(struct airs_statem_item **first, struct airs_statem_item **end,
		struct airs_statem_item *item)
{
	item->next = NULL;
	if (*first)
		(*end)->next = item;
	else
		*first = item;
	*end = item;
}

/* Puts a list before the queue. */
static void put_before_queue(struct airs_statem *m, struct airs_statem_item **first,
		struct airs_statem_item **end)
{
	if (!*first)
		return;
	(*end)->next = m->queue;
	m->queue = *first;
	*first = *end = NULL;
}

static struct airs_statem_item *take_queued(struct airs_statem *m)
{
	struct airs_statem_item *item = m->queue;

	if (item)
		m->queue = item->next;
	return item;
}

static void free_items(struct airs_statem_item *item)
{
	struct airs_statem_item *next;

	for (; item; item = next) {
		next = item->next;
		free(item);
	}
}

/* Timeouts. */

static struct airs_statem_timer **find_timer(
		struct airs_statem *m, enum airs_statem_kind kind, uint32_t name)
{
	struct airs_statem_timer **place = &m->timers;

	while (*place && ((*place)->kind != kind || (*place)->name != name))
		place = &(*place)->next;
	return place;
}

static void cancel(struct airs_statem *m, enum airs_statem_kind kind, uint32_t name)
{
	struct airs_statem_timer **place = find_timer(m, kind, name), *t = *place;

	if (!t)
		return;
	*place = t->next;
	if (t->timer)
		(void)airs_timer_cancel(m->self, t->timer);
	free(t);
}

static int set_timer(struct airs_statem *m, const struct airs_statem_timer *wanted,
		uint64_t delay_usec)
{
	struct airs_statem_timer *t, **end = &m->timers;
	int r = 0;

	cancel(m, wanted->kind, wanted->name);
	if (delay_usec == AIRS_INFINITY)
		return 0;
	t = malloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	*t = *wanted;
	if (delay_usec > 0)
		r = airs_timer_start(m->self, delay_usec, t->value, &t->timer);
	if (r < 0) {
		free(t);
		return r;
	}
	while (*end) /* Those of 0 come in the order in which they were set. */
		end = &(*end)->next;
	*end = t;
	return 0;
}

/* Takes the timer out; NULL when none is like that. timer 0: the first of no delay. */
static struct airs_statem_timer *take_timer(struct airs_statem *m, airs_ref timer)
{
	struct airs_statem_timer **place = &m->timers, *t;

	while (*place && (*place)->timer != timer)
		place = &(*place)->next;
	t = *place;
	if (t)
		*place = t->next;
	return t;
}

/* Events. */

static int call_state(struct airs_statem *m, const struct airs_statem_event *event)
{
	return m->table->states[m->state](m->self, m, m->data, event);
}

static int enter(struct airs_statem *m, uint32_t before)
{
	const struct airs_statem_event event = { .kind = AIRS_STATEM_ENTER,
		.state = before };
	int r;

	if (!(m->table->flags & AIRS_STATEM_ENTERS))
		return 0;
	m->flags |= ENTERING;
	r = call_state(m, &event);
	m->flags &= ~ENTERING;
	return r < 0 ? r : 0;
}

/* What the function of the state has chosen takes effect. */
static int take_effect(struct airs_statem *m)
{
	uint32_t before = m->state;
	unsigned int flags = m->flags;

	m->flags = 0;
	m->state = m->next;
	if (flags & CHANGES) {
		if (!(flags & RENEWED))
			cancel(m, AIRS_STATEM_STATE_TIMEOUT, 0);
		put_before_queue(m, &m->postponed, &m->postponed_end);
	}
	/* What the enter call inserts comes behind what the event has inserted. */
	if (flags & (CHANGES | REPEATS)) {
		int r = enter(m, before);

		if (r < 0)
			return r;
	}
	put_before_queue(m, &m->inserted, &m->inserted_end);
	return 0;
}

static int keep(struct airs_statem *m, const struct airs_statem_event *event,
		struct airs_statem_item *item)
{
	if (!item)
		item = item_new(event);
	if (!item)
		return -ENOMEM;
	append(&m->postponed, &m->postponed_end, item);
	return 0;
}

/* Consumes item, which is the event's (NULL: it is the mailbox's). */
static int run_event(struct airs_statem *m, const struct airs_statem_event *event,
		struct airs_statem_item *item)
{
	int r;

	cancel(m, AIRS_STATEM_EVENT_TIMEOUT, 0);
	m->flags = 0;
	m->next = m->state;
	r = call_state(m, event);
	if (r >= 0 && m->flags & POSTPONE)
		r = keep(m, event, item);
	else
		free(item);
	return r < 0 ? r : take_effect(m);
}

static int run_timeout(struct airs_statem *m, struct airs_statem_timer *t, airs_ref ref)
{
	const struct airs_message message = {
		.from = airs_self(m->self),
		.type = AIRS_MSG_TIMER,
		.ref = ref,
		.value = t->value,
	};
	const struct airs_statem_event event = {
		.kind = t->kind, .name = t->name, .message = &message
	};

	free(t);
	return run_event(m, &event, NULL);
}

/* Everything that comes before the mailbox. */
static int run_queued(struct airs_statem *m, int r)
{
	struct airs_statem_item *item;
	struct airs_statem_timer *t;

	while (r >= 0) {
		item = take_queued(m);
		if (item) {
			r = run_event(m, &item->event, item);
			continue;
		}
		t = take_timer(m, 0);
		if (!t)
			return 0;
		r = run_timeout(m, t, 0);
	}
	return r;
}

static enum airs_statem_kind kind_of(const struct airs_message *message)
{
	if (message->type < AIRS_MSG_USER)
		return AIRS_STATEM_INFO;
	return message->ref ? AIRS_STATEM_CALL : AIRS_STATEM_CAST;
}

int airs_statem_begin(struct airs_statem *machine, struct airs_actor *self,
		const struct airs_statem_table *table, uint32_t state, void *data)
{
	if (table->size != sizeof(*table) || state >= table->n_states)
		return -EINVAL;
	machine->table = table;
	machine->data = data;
	machine->self = self;
	machine->state = machine->next = state;
	/* The first state is entered from itself (OTP). */
	machine->flags = REPEATS;
	return run_queued(machine, take_effect(machine));
}

int airs_statem_handle(struct airs_statem *machine, struct airs_actor *self,
		const struct airs_message *message)
{
	const struct airs_statem_event event = { .kind = kind_of(message),
		.message = message };
	struct airs_statem_timer *t = NULL;

	machine->self = self;
	if (message->type == AIRS_MSG_TIMER)
		t = take_timer(machine, message->ref);
	return run_queued(machine,
			t ? run_timeout(machine, t, message->ref)
			  : run_event(machine, &event, NULL));
}

void airs_statem_fini(struct airs_statem *machine)
{
	struct airs_statem_timer *t;

	free_items(machine->queue);
	free_items(machine->inserted);
	free_items(machine->postponed);
	while ((t = machine->timers)) {
		machine->timers = t->next;
		free(t);
	}
	*machine = (struct airs_statem){ 0 };
}

uint32_t airs_statem_get_state(const struct airs_statem *machine)
{
	return machine->next;
}

int airs_statem_next(struct airs_statem *machine, uint32_t state)
{
	if (machine->flags & ENTERING || state >= machine->table->n_states)
		return -EINVAL;
	machine->next = state;
	machine->flags &= ~CHANGES;
	if (state != machine->state)
		machine->flags |= CHANGES;
	return 0;
}

int airs_statem_repeat(struct airs_statem *machine)
{
	if (machine->flags & ENTERING)
		return -EINVAL;
	machine->flags |= REPEATS;
	return 0;
}

int airs_statem_postpone(struct airs_statem *machine)
{
	if (machine->flags & ENTERING)
		return -EINVAL;
	machine->flags |= POSTPONE;
	return 0;
}

int airs_statem_insert(
		struct airs_statem *machine, uint32_t type, const void *data, size_t size)
{
	const struct airs_message message = {
		.from = airs_self(machine->self),
		.type = type,
		.data = (void *)(uintptr_t)data,
		.size = size,
	};
	const struct airs_statem_event event = { .kind = AIRS_STATEM_INTERNAL,
		.message = &message };
	struct airs_statem_item *item = item_new(&event);

	if (!item)
		return -ENOMEM;
	append(&machine->inserted, &machine->inserted_end, item);
	return 0;
}

int airs_statem_state_timeout(
		struct airs_statem *machine, uint64_t delay_usec, uint64_t value)
{
	machine->flags |= RENEWED;
	return set_timer(machine,
			&(struct airs_statem_timer){ .kind = AIRS_STATEM_STATE_TIMEOUT,
					.value = value },
			delay_usec);
}

int airs_statem_event_timeout(
		struct airs_statem *machine, uint64_t delay_usec, uint64_t value)
{
	return set_timer(machine,
			&(struct airs_statem_timer){ .kind = AIRS_STATEM_EVENT_TIMEOUT,
					.value = value },
			delay_usec);
}

int airs_statem_timeout(struct airs_statem *machine, uint32_t name, uint64_t delay_usec,
		uint64_t value)
{
	return set_timer(machine,
			&(struct airs_statem_timer){ .kind = AIRS_STATEM_TIMEOUT,
					.name = name,
					.value = value },
			delay_usec);
}
