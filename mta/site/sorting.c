/* mta/site/sorting.c - a pool's recipients, held against the orders that move mail. */
#include "mta/site/sorting.h"

enum { SORT_MAX = 2000, SORT_AGAIN_MS = 1 };

struct sorter {
	struct fair_sorter fair;
	struct pool *pool;
};

static bool belongs(struct fair_sorter *s, rcpt_ref ref)
{
	const struct pool *p = container_of(s, struct sorter, fair)->pool;
	struct queue *q = p->sites->queue;
	const struct rcpt *r = queue_rcpt(q, ref);

	return r->state == RCPT_DEAD || queue_pool_of(q, r) == p->index;
}

static void gone(struct fair_sorter *s, rcpt_ref ref)
{
	queue_due(container_of(s, struct sorter, fair)->pool->sites->queue, ref);
}

static void on_sort(struct timer *t)
{
	struct pool *p = container_of(t, struct pool, sort);
	struct sorter s = { { belongs, gone }, p };

	if (!p->sites->stopping && fair_sort(&p->fair, &s.fair, SORT_MAX))
		timer_set(p->sites->loop->timers, t, SORT_AGAIN_MS);
	pool_pump_soon(p);
}

void sorting_init(struct pool *p)
{
	timer_init(&p->sort, on_sort);
}

void sorting_end(struct pool *p)
{
	timer_stop(p->sites->loop->timers, &p->sort);
}

void sorting_rules_changed(struct pool *p)
{
	fair_sort_begin(&p->fair);
	timer_set(p->sites->loop->timers, &p->sort, 0);
}
