/* mta/egress/numbered.c - entries and their numbers. */
#include "mta/egress/numbered.h"

#include <pthread.h>

struct numbered {
	pthread_mutex_t lock;
	unsigned n;
	struct egress_source at[NUMBERED_MAX - 1];
};

struct numbered *numbered_new(void)
{
	struct numbered *t = must_alloc(sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	return t;
}

struct numbered *numbered_free(struct numbered *t)
{
	if (!t)
		return NULL;
	while (t->n)
		entry_clear(&t->at[--t->n]);
	pthread_mutex_destroy(&t->lock);
	free(t);
	return NULL;
}

static void copy(struct egress_source *to, const struct egress_source *from)
{
	*to = *from;
	to->pool = must_copy(slice_str(from->pool));
	to->ehlo = must_copy(slice_str(from->ehlo));
	to->proxy = from->proxy ? must_copy(slice_str(from->proxy)) : NULL;
}

unsigned numbered_number(struct numbered *t, const struct egress_source *entry)
{
	unsigned i = 0;

	pthread_mutex_lock(&t->lock);
	while (i < t->n && !entry_eq(&t->at[i], entry))
		i++;
	if (i == t->n && t->n < NUMBERED_MAX - 1)
		copy(&t->at[t->n++], entry);
	pthread_mutex_unlock(&t->lock);
	return i;
}
