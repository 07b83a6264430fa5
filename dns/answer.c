/* dns/answer.c - one answer in one allocation. */
#include "dns/answer.h"

struct answer *answer_new(unsigned n, size_t bytes)
{
	size_t size = sizeof(struct answer) + n * sizeof(struct dns_record) + bytes;
	struct answer *w =
	    calloc(1, size); /* a peer decides the size, at most that of one packet */

	if (!w)
		return NULL;
	w->refs = 1;
	w->size = size;
	w->a.n = n;
	w->a.records = w->records;
	w->a.canonical = slice_of(w->canonical, 0);
	list_init(&w->lru);
	return w;
}

struct answer *answer_status(int status, uint32_t ttl_s)
{
	struct answer *w = must_alloc(sizeof(*w));

	w->refs = 1;
	w->size = sizeof(*w);
	w->a.status = status;
	w->a.ttl_s = ttl_s;
	w->a.records = w->records;
	w->a.canonical = slice_of(w->canonical, 0);
	list_init(&w->lru);
	return w;
}

struct answer *answer_unref(struct answer *w)
{
	if (w && --w->refs == 0)
		free(w);
	return NULL;
}
