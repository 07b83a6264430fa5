/* mta/deliver/allowed.c - may the tenant's mail go now? */
#include "mta/deliver/allowed.h"

#include "mta/site/tenants.h"

static void back_to_line(struct deliverer *dr, struct pool *p, rcpt_ref ref)
{
	(void)queue_move(dr->queue, ref,
			 (struct queue_move){ .to = RCPT_READY, .fair = &p->fair, .front = true });
}

bool allowed_later(struct deliverer *dr, struct channel *ch, rcpt_ref ref, const struct lids **ret)
{
	struct pool *p = ch->pool;
	const struct flow *flow = queue_flow_of(dr->queue, queue_rcpt(dr->queue, ref));
	int64_t ms = tenants_matter(p) ? tenants_wait_ms(p, flow->tenant) : 0;
	const struct lid *stop;

	*ret = lids_of(p, flow->tenant);
	stop = *ret ? lids_stop(ch, *ret) : NULL;
	if (!ms && !stop)
		return false;
	back_to_line(dr, p, ref);
	if (ms)
		pool_shut(p, flow, ms);
	else
		gate_shut(p, flow, stop);
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
