/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_LIST_H
#define BASE_LIST_H

/*
 * Doubly linked circular list whose links live in the elements.
 *
 * A struct list is the head or a link; an initialised link that is on no list points at
 * itself, so list_remove may be called twice. A field that is a head names its elements
 * in a comment: "struct list children; [struct child.link]".
 */

#include <stdbool.h>

#include "base/macro.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
	return l->next == l;
}

/* Inserts behind pos: at the front when pos is a head. */
static inline void list_insert(struct list *pos, struct list *link)
{
	link->prev = pos;
	link->next = pos->next;
	pos->next->prev = link;
	pos->next = link;
}

/* Inserts before pos: at the end when pos is a head. */
static inline void list_append(struct list *pos, struct list *link)
{
	list_insert(pos->prev, link);
}

static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#define list_entry(link, type, member) CONTAINER_OF(link, type, member)

#define list_first(head, type, member)                                                   \
	(list_is_empty(head) ? NULL : list_entry((head)->next, type, member))
#define list_last(head, type, member)                                                    \
	(list_is_empty(head) ? NULL : list_entry((head)->prev, type, member))

#define list_foreach(pos, head, member)                                                  \
	for (pos = list_entry((head)->next, __typeof__(*pos), member);                   \
			&pos->member != (head);                                          \
			pos = list_entry(pos->member.next, __typeof__(*pos), member))

#define list_foreach_reverse(pos, head, member)                                          \
	for (pos = list_entry((head)->prev, __typeof__(*pos), member);                   \
			&pos->member != (head);                                          \
			pos = list_entry(pos->member.prev, __typeof__(*pos), member))

/* The element at pos may be removed or freed inside. */
#define list_foreach_safe(pos, tmp, head, member)                                        \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),                   \
	    tmp = list_entry(pos->member.next, __typeof__(*pos), member);                \
			&pos->member != (head); pos = tmp,                               \
	    tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))

#endif
