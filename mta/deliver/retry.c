/* mta/deliver/retry.c - schedules and lives, of the configuration and of shapes. */
#include "mta/deliver/retry.h"

#include "base/random.h"
#include "mta/site/shaping.h"
#include "mta/site/way.h"

/* NULL: nobody knows yet where its mail goes. */
static const struct shape *shape_of(struct deliverer *dr, const struct rcpt *r, struct shape *room)
{
	const struct way *w = way_of(queue_domain_of(dr->queue, r));
	const struct flow *f = queue_flow_of(dr->queue, r);

	return w->site
		   ? shaping_tenant(pool_get(w->site, queue_pool_of(dr->queue, r)), f->tenant, room)
		   : NULL;
}

/* In whole seconds, at least one. */
static int64_t delay_s(const struct deliverer *dr, const struct shape *shape, unsigned attempts)
{
	const struct shape_schedule *own = shape ? &shape->retry : NULL;
	int64_t ms = own && own->n ? own->ms[MIN_OF(attempts ? attempts - 1 : 0, own->n - 1)]
				   : deliver_retry_ms(dr->options, attempts);
	int64_t spread = ms * dr->options->jitter / 100;

	ms += random_jitter(2 * spread) - MAX_OF(spread, (int64_t)0);
	return MAX_OF((ms + 999) / 1000, (int64_t)1);
}

static void cut_life(struct deliverer *dr, rcpt_ref ref, const struct shape *shape)
{
	const struct rcpt *r = queue_rcpt(dr->queue, ref);
	struct job_info info;
	int64_t end_s;

	if (!shape || !shape->v[SHAPE_LIFE] || spool_job_info(dr->spool, r->job, &info) < 0)
		return;
	end_s = times_of_wall_ms(&dr->queue->times, info.accepted_ms + shape->v[SHAPE_LIFE]) / 1000;
	if (end_s < r->expires_s)
		rcpt_set_expiry(&dr->queue->slab, ref, (uint32_t)MAX_OF(end_s, (int64_t)0));
}

int64_t retry_next_ms(struct deliverer *dr, rcpt_ref ref, const struct outcome *o,
		      const struct meaning *m)
{
	const struct rcpt *r = queue_rcpt(dr->queue, ref);
	struct shape room;
	const struct shape *shape = shape_of(dr, r, &room);
	int64_t next = meaning_next_ms(m, o, o->at_ms + delay_s(dr, shape, o->attempt) * 1000);

	cut_life(dr, ref, shape);
	return MIN_OF(next, MAX_OF(queue_wall_ms(dr->queue, r->expires_s), o->at_ms + 1000));
}
