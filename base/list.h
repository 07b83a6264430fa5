/* base/list.h - intrusive doubly linked list with a sentinel head.  The link is a member of the
 * object; the list an object is on is its state.
 * Owns: nothing.  A link on no list points to itself (list_init); removing it again is harmless. */
#pragma once
#include "base/base.h"

struct list {
	struct list *prev, *next;
};
#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}
static inline void list_remove(struct list *l) /* harmless when on no list */
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}
static inline void list_insert_before(struct list *at, struct list *l)
{
	l->prev = at->prev;
	l->next = at;
	at->prev->next = l;
	at->prev = l;
}
static inline void list_push(struct list *head, struct list *l) /* at the end */
{
	list_insert_before(head, l);
}
static inline void list_push_front(struct list *head, struct list *l)
{
	list_insert_before(head->next, l);
}
static inline struct list *list_pop(struct list *head) /* NULL when empty */
{
	struct list *l = head->next;

	if (l == head)
		return NULL;
	list_remove(l);
	return l;
}
#define list_first(head, type, member)                                                             \
	(list_empty(head) ? NULL : container_of((head)->next, type, member))
/* Walks in order; the entry at hand may be removed. */
#define list_each(head, it, type, member)                                                          \
	for (struct list *it##_l = (head)->next, *it##_n = it##_l->next;                           \
	     it##_l != (head) && ((it) = container_of(it##_l, type, member), 1);                   \
	     it##_l = it##_n, it##_n = it##_l->next)
