/* mta/queue/table.c - numbers of domains and flows. */
#include "mta/queue/table.h"

void table_init(struct table *t)
{
	*t = (struct table){ .first_free = UINT32_MAX };
	map_init(&t->map);
	list_init(&t->idle);
}

uint32_t table_number(struct table *t, void *entry)
{
	uint32_t i = t->first_free;

	if (i != UINT32_MAX) {
		t->first_free = t->free_next[i];
	} else {
		if (t->n == t->cap) {
			t->cap = t->cap ? t->cap * 2 : 256;
			t->by_index = must_resize(t->by_index, t->cap * sizeof(void *));
			t->free_next = must_resize(t->free_next, t->cap * sizeof(uint32_t));
		}
		i = t->n++;
	}
	t->by_index[i] = entry;
	return i;
}

void table_forget(struct table *t, uint32_t index)
{
	t->by_index[index] = NULL;
	t->free_next[index] = t->first_free;
	t->first_free = index;
}
