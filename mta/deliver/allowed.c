/* mta/deliver/allowed.c - may the tenant's mail go now? */
#include "mta/deliver/allowed.h"

#include "base/clock.h"
#include "mta/site/tenants.h"

static void back_to_line(struct deliverer *dr, struct pool *p, rcpt_ref ref)
{
	(void)queue_move(dr->queue, ref,
			 (struct queue_move){ .to = RCPT_READY, .fair = &p->fair, .front = true });
}

void allowed_begin(struct allowed_aside *aside)
{
	*aside = (struct allowed_aside){ .wait_us = 0 };
	list_init(&aside->shares);
}

void allowed_end(struct channel *ch, struct allowed_aside *aside, bool found)
{
	if (list_empty(&aside->shares))
		return;
	fair_put_back(&aside->shares);
	if (!found)
		lids_passed_over(ch, aside->wait_us);
}

/* The pool waits with it, or this source alone goes without it. */
static void wait_or_set_aside(struct pool *p, const struct flow *flow, const struct lid *stop,
			      struct allowed_aside *aside)
{
	int64_t us = lid_wait_us(stop, clock_mono_us());

	if (lids_wait(p, flow, stop))
		return;
	fair_put_aside(&p->fair, flow, &aside->shares);
	aside->wait_us = aside->wait_us ? MIN_OF(aside->wait_us, us) : us;
}

bool allowed_later(struct deliverer *dr, struct channel *ch, rcpt_ref ref, const struct lids **ret,
		   struct allowed_aside *aside)
{
	struct pool *p = ch->pool;
	const struct flow *flow = queue_flow_of(dr->queue, queue_rcpt(dr->queue, ref));
	int64_t ms = tenants_matter(p) ? tenants_wait_ms(p, flow->tenant) : 0;
	const struct lid *stop;

	*ret = lids_of(p, flow->tenant, &ch->source->ip);
	stop = *ret ? lids_stop(ch, *ret) : NULL;
	if (!ms && !stop)
		return false;
	back_to_line(dr, p, ref);
	if (ms)
		pool_shut(p, flow, ms);
	else
		wait_or_set_aside(p, flow, stop, aside);
	return true;
}

bool allowed_takes(struct deliverer *dr, struct channel *ch, struct delivery *d, rcpt_ref ref,
		   const struct lids *lids)
{
	if (lids_take(&d->lids, ch, lids))
		return true;
	back_to_line(dr, ch->pool, ref);
	return false;
}
