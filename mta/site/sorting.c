/* mta/site/sorting.c - a pool's recipients, held against the orders that move mail, and
 * at smart hosts against the routes. */
#include "mta/site/sorting.h"

#include "mta/site/way.h"

enum { SORT_MAX = 512 };

struct sorter {
	struct fair_sorter fair;
	struct pool *pool;
	unsigned looks;
};

static bool belongs(struct fair_sorter *s, rcpt_ref ref)
{
	struct sorter *sorter = container_of(s, struct sorter, fair);
	const struct pool *p = sorter->pool;
	struct queue *q = p->sites->queue;
	const struct rcpt *r = queue_rcpt(q, ref);

	sorter->looks++;
	return r->state == RCPT_DEAD || (queue_pool_of(q, r) == p->index &&
					 (!p->site->relay || way_site(way_of(queue_domain_of(q, r)),
								      ref) == site_base(p->site)));
}

static void gone(struct fair_sorter *s, rcpt_ref ref)
{
	queue_due(container_of(s, struct sorter, fair)->pool->sites->queue, ref);
}

static bool sort_some(struct chore *c)
{
	struct pool *p = container_of(c, struct pool, sort);
	struct sorter s = { { belongs, gone }, p, 0 };
	bool more = !p->sites->stopping && fair_sort(&p->fair, &s.fair, SORT_MAX);

	queue_looked(p->sites->queue, s.looks);
	pool_pump_soon(p);
	return more;
}

void sorting_init(struct pool *p)
{
	chore_init(&p->sort, sort_some);
}

void sorting_end(struct pool *p)
{
	chore_stop(&p->sort);
}

void sorting_rules_changed(struct pool *p)
{
	fair_sort_begin(&p->fair);
	chore_begin(p->sites->lane, &p->sort);
}
