/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/list.h"

#include <string.h>

#include "support/test.h"

struct item {
	char name;
	struct list link;
};

static struct item a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };

static void assert_order(struct list *head, const char *wanted)
{
	char forward[8] = "", backward[8] = "";
	size_t n = 0, m = strlen(wanted);
	struct item *i;

	list_foreach(i, head, link)
		forward[n++] = i->name;
	ck_assert_str_eq(forward, wanted);
	list_foreach_reverse(i, head, link) backward[--m] = i->name;
	ck_assert_str_eq(backward, wanted);
}

START_TEST(links_keep_their_order)
{
	struct list head;

	list_init(&head);
	ck_assert(list_is_empty(&head));
	ck_assert_ptr_null(list_first(&head, struct item, link));
	ck_assert_ptr_null(list_last(&head, struct item, link));
	list_append(&head, &b.link);
	list_append(&head, &c.link);
	list_insert(&head, &a.link);
	assert_order(&head, "abc");
	ck_assert_ptr_eq(list_first(&head, struct item, link), &a);
	ck_assert_ptr_eq(list_last(&head, struct item, link), &c);
	list_remove(&b.link);
	list_remove(&b.link);
	assert_order(&head, "ac");
	list_insert(&a.link, &b.link);
	assert_order(&head, "abc");
}
END_TEST

START_TEST(elements_may_leave_during_a_safe_walk)
{
	struct list head;
	struct item *i, *tmp;

	list_init(&head);
	list_append(&head, &a.link);
	list_append(&head, &b.link);
	list_append(&head, &c.link);
	list_foreach_safe(i, tmp, &head, link) {
		list_remove(&i->link);
		memset(&i->link, 0xaa, sizeof(i->link));
	}
	ck_assert(list_is_empty(&head));
}
END_TEST

TEST_MAIN("list", links_keep_their_order, elements_may_leave_during_a_safe_walk)
