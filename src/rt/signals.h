/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef RT_SIGNALS_H
#define RT_SIGNALS_H

/*
 * What a running actor does with each kind of signal. The caller runs a; the node stays
 * in the mailbox and is freed by the caller.
 */

#include "rt/actor.h"
#include "rt/node.h"

/* link.c */
void link_receive(struct worker *w, struct airs_actor *a, struct node *n);
void link_receive_ack(struct worker *w, struct airs_actor *a, struct node *n);
void link_receive_unlink(struct worker *w, struct airs_actor *a, struct node *n);
void link_receive_unlink_ack(struct worker *w, struct airs_actor *a, struct node *n);
void link_receive_exit(struct worker *w, struct airs_actor *a, struct node *n);
/* Tell the peer of a link that a has ended. Consumes r. */
void link_end(struct worker *w, struct airs_actor *a, struct relation *r,
		const struct airs_reason *reason);

/* monitor.c */
void monitor_receive(struct worker *w, struct airs_actor *a, struct node *n);
void monitor_receive_removal(struct worker *w, struct airs_actor *a, struct node *n);
void monitor_receive_down(struct worker *w, struct airs_actor *a, struct node *n);
void monitor_end(struct worker *w, struct airs_actor *a, struct relation *r);
void monitored_end(struct worker *w, struct airs_actor *a, struct relation *r,
		const struct airs_reason *reason);

/* tie.c */
/* Whether an exit signal of a child or parent would be heard. */
bool tie_is_linked(const struct airs_actor *a, airs_pid to);
/* The part of airs_unlink that concerns a child or the parent. */
void tie_unlink(struct worker *w, struct airs_actor *a, airs_pid to);
void tie_receive_loosened(struct worker *w, struct airs_actor *a, struct node *n);
/* AIRS_MSG_STARTED, of a child with its tag. */
void tie_receive_started(struct worker *w, struct airs_actor *a, struct node *n);
void tie_receive_child_end(struct worker *w, struct airs_actor *a, struct node *n);
void tie_receive_parent_end(struct worker *w, struct airs_actor *a, struct node *n);
/* Tell the other side that a has ended. Consumes r. */
void tie_end(struct worker *w, struct airs_actor *a, struct relation *r,
		const struct airs_reason *reason);

/* call.c */
void call_receive_reply(struct worker *w, struct airs_actor *a, struct node *n);
void call_receive_timeout(struct worker *w, struct airs_actor *a, struct node *n);
void call_receive_done(struct worker *w, struct airs_actor *a, struct node *n);
/* The handler of a request has returned without an answer: remember whom one is owed. */
void call_keep_request(struct worker *w, struct airs_actor *a);
void call_end(struct worker *w, struct airs_actor *a, struct relation *r);
/* Answer -ESRCH to a request that will not be answered any more. */
void call_fail_request(struct worker *w, struct airs_actor *a, airs_pid caller,
		airs_ref ref, const struct airs_reason *reason);

/* timer.c */
/* n has an interval and was handled: arm it for its next time. */
void timer_again(struct airs_system *system, struct node *n);
void timer_receive(struct worker *w, struct airs_actor *a, struct node *n);
void timer_end(struct worker *w, struct airs_actor *a, struct relation *r);

/* watch.c */
void watch_receive(struct worker *w, struct airs_actor *a, struct node *n);
void watch_end(struct worker *w, struct airs_actor *a, struct relation *r);

#endif
