/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * How actors end. The order is OTP's: terminate runs while the actor is still itself,
 * then its name is free, then links and monitors are told, then the pid is dead.
 */

#include <errno.h>

#include "airssys/actor.h"
#include "rt/signals.h"
#include "rt/system.h"

void actor_tell_started(struct worker *w, struct airs_actor *a, int32_t status,
		const struct airs_reason *reason)
{
	struct node *n;

	if (!(a->flags & ACTOR_STARTING))
		return;
	a->flags &= (uint8_t)~ACTOR_STARTING;
	if (!(a->flags & ACTOR_ACK))
		return;
	n = reason ? node_new_reason(w->system, w, NODE_STARTED, reason)
		   : node_new_must(w->system, w, NODE_STARTED, 0);
	n->to = atomic_load_explicit(&a->parent, memory_order_relaxed);
	n->from = actor_pid(a);
	n->type = AIRS_MSG_STARTED;
	n->status = status;
	node_post(w->system, w, n);
}

static void run_terminate(struct airs_actor *a, const struct airs_reason *reason)
{
	const struct airs_behaviour *behaviour =
			atomic_load_explicit(&a->behaviour, memory_order_relaxed);

	if (behaviour->terminate)
		behaviour->terminate(a, a->state, reason);
}

static void free_state(struct worker *w, struct airs_actor *a)
{
	const struct airs_behaviour *behaviour =
			atomic_load_explicit(&a->behaviour, memory_order_relaxed);

	if (!a->state)
		return;
	if (behaviour->release)
		behaviour->release(a->state);
	memory_free(&w->system->memory, &w->memory, a->state, a->state_class);
	a->state = NULL;
}

static void end_relation(struct worker *w, struct airs_actor *a, struct relation *r,
		const struct airs_reason *reason)
{
	switch ((enum relation_kind)r->kind) {
	case RELATION_LINK:
		link_end(w, a, r, reason);
		return;
	case RELATION_MONITOR:
		monitor_end(w, a, r);
		return;
	case RELATION_MONITORED:
		monitored_end(w, a, r, reason);
		return;
	case RELATION_CALL:
		call_end(w, a, r);
		return;
	case RELATION_REQUEST:
		call_fail_request(w, a, r->peer, r->key, reason);
		relation_free(w->system, w, r);
		return;
	case RELATION_TIMER:
		timer_end(w, a, r);
		return;
	case RELATION_TIE:
		tie_end(w, a, r, reason);
		return;
	case RELATION_WATCH:
		watch_end(w, a, r);
		return;
	}
}

static void count_end(struct worker *w)
{
	/* Only this worker writes it. */
	atomic_store_explicit(&w->ended_count,
			atomic_load_explicit(&w->ended_count, memory_order_relaxed) + 1,
			memory_order_relaxed);
}

static void reset_info(struct airs_actor *a)
{
	atomic_store_explicit(&a->n_links, 0, memory_order_relaxed);
	atomic_store_explicit(&a->n_monitors, 0, memory_order_relaxed);
	atomic_store_explicit(&a->n_monitored_by, 0, memory_order_relaxed);
}

/* Give up everything the actor holds and tell everybody, in that order. */
static void release(
		struct worker *w, struct airs_actor *a, const struct airs_reason *reason)
{
	airs_pid pid = actor_pid(a);
	struct relation *r;
	uint64_t status;

	/* Relaxed: see names.c; what matters is that NAMED and DYING are one word. */
	status = atomic_fetch_or_explicit(&a->status, STATUS_DYING, memory_order_relaxed);
	if (status & STATUS_NAMED)
		names_remove_pid(w->system, pid);
	actor_tell_started(w, a,
			reason->reason_class == AIRS_REASON_ERROR ? -reason->code
								  : -ECANCELED,
			reason);
	if (w->request)
		call_fail_request(w, a, w->request_from, w->request, reason);
	w->request = 0;
	while ((r = relation_take_any(a)))
		end_relation(w, a, r, reason);
	reset_info(a);
	free_state(w, a);
}

void actor_end(struct worker *w, struct airs_actor *a, const struct airs_reason *reason,
		enum actor_ending ending)
{
	struct airs_reason copy = *reason;
	airs_pid pid = actor_pid(a);

	if (ending == ACTOR_ENDS_ITSELF)
		run_terminate(a, &copy);
	w->after = 0;
	release(w, a, &copy);
	w->ended = pid;
	w->ended_reason = copy;
	count_end(w);
	a->live = AIRS_PID_NONE;
	a->flags = 0;
	a->relation_count = 0;
	/* A slot that has used up its generations is never given out again. */
	if (pid_generation(pid) + 1 < PID_GENERATION_MAX)
		a->runner |= RUNNER_ENDED;
	/* Release: pairs with the acquire in actor_is. */
	atomic_store_explicit(&a->status,
			((pid + (UINT64_C(1) << PID_SLOT_BITS)) & PID_MASK) | STATUS_FREE,
			memory_order_release);
}

void actor_exit_signal(struct worker *w, struct airs_actor *a, struct node *n)
{
	const struct airs_reason *reason = node_data(n);

	if (a->flags & ACTOR_TRAPS) {
		n->type = AIRS_MSG_EXIT;
		n->status = 0;
		actor_deliver(w, a, n);
		return;
	}
	if (reason->reason_class == AIRS_REASON_NORMAL &&
			!(reason->flags & AIRS_REASON_F_SHUTDOWN) && n->from != n->to)
		return;
	actor_end(w, a, reason, ACTOR_IS_ENDED);
}

static void send_exit(struct airs_system *system, struct worker *w, airs_pid from,
		airs_pid to, const struct airs_reason *reason)
{
	struct airs_actor *target;
	struct node *n;

	if (reason->reason_class != AIRS_REASON_KILL) {
		n = node_new_reason(system, w, NODE_EXIT, reason);
		n->from = from;
		n->to = to;
		node_post(system, w, n);
		return;
	}
	n = node_new_must(system, w, NODE_KILL, 0);
	n->from = from;
	n->to = to;
	node_post(system, w, n);
	/*
	 * Relaxed, and after the node is posted: the word only lets the node overtake.
	 * One that comes too late names a pid that is gone and is ignored.
	 */
	target = system_find(system, to);
	if (target)
		atomic_store_explicit(&target->kill, (uint32_t)pid_generation(to),
				memory_order_relaxed);
}

void airs_exit_signal(
		struct airs_actor *self, airs_pid to, const struct airs_reason *reason)
{
	send_exit(self->worker->system, self->worker, actor_pid(self), to, reason);
}

void airs_system_exit_signal(
		struct airs_system *system, airs_pid to, const struct airs_reason *reason)
{
	send_exit(system, NULL, AIRS_PID_NONE, to, reason);
}

void airs_trap_exit(struct airs_actor *self, enum airs_trap trap)
{
	if (trap == AIRS_TRAP_ON)
		self->flags |= ACTOR_TRAPS;
	else
		self->flags &= (uint8_t)~ACTOR_TRAPS;
}

/* The first reason wins. */
static void begin_exit(struct worker *w, const struct airs_reason *reason)
{
	if (w->after & AFTER_EXIT)
		return;
	w->after |= AFTER_EXIT;
	w->reason = *reason;
}

void airs_continue(struct airs_actor *self, uint64_t value)
{
	self->worker->after |= AFTER_CONTINUE;
	self->worker->continue_value = value;
}

int airs_exit(struct airs_actor *self, const struct airs_reason *reason)
{
	begin_exit(self->worker, reason);
	return -ECANCELED;
}

void airs_init_failed(struct airs_actor *self, const struct airs_reason *reason)
{
	if (!(self->flags & ACTOR_STARTING))
		return;
	actor_tell_started(self->worker, self,
			reason->reason_class == AIRS_REASON_ERROR ? -reason->code
								  : -ECANCELED,
			reason);
	begin_exit(self->worker, reason);
}

void airs_init_done(struct airs_actor *self, int status)
{
	struct airs_reason reason;

	if (!(self->flags & ACTOR_STARTING))
		return;
	if (status >= 0) {
		actor_tell_started(self->worker, self, 0, NULL);
		return;
	}
	reason = airs_reason_make(AIRS_REASON_ERROR, -status, NULL);
	airs_init_failed(self, &reason);
}
