/* mta/site/fallback.c - who lends its sources to a pool that has none to use. */
#include "mta/site/fallback.h"

#include "base/clock.h"
#include "base/log.h"
#include "mta/site/pair.h"
#include "mta/site/suspend.h"

static bool may_use(const struct pool *p, const struct source *source, bool well)
{
	const struct source_limits *e = suspend_entry(p->site, &source->ip);

	return !source_err(source) && !suspend_holds(e) && !(well && suspend_tries(e)) &&
	       !suspend_ordered(p, &source->ip, NULL);
}

/* A source of the pool may be used at the site; well: no suspension is on trial either.  Sources
 * whose family the site has not do not count; a pool that has no others stays as it is. */
static bool serves(const struct pool *p, unsigned index, bool well)
{
	const struct source *source;
	bool any = false;
	unsigned i;

	for (i = 0; (source = egress_source(p->sites->egress, index, i)) != NULL; i++) {
		if (!pair_fits(p, source))
			continue;
		any = true;
		if (may_use(p, source, well))
			return true;
	}
	return i && !any && index == p->index;
}

static unsigned find_lender(const struct pool *p)
{
	struct egress *e = p->sites->egress;
	unsigned index = egress_fallback(e, p->index);

	for (unsigned n = 0; index != EGRESS_SURPLUS && n < FALLBACKS_MAX; n++) {
		if (serves(p, index, false))
			return index;
		index = egress_fallback(e, index);
	}
	return p->index;
}

static void lend(struct pool *p, unsigned lender)
{
	struct sites *s = p->sites;
	bool ends = lender == p->index, began = p->lender == p->index;

	if (began)
		count_add(&s->counters.pools_on_fallback, 1);
	if (ends)
		count_sub(&s->counters.pools_on_fallback, 1);
	log_warn(ends ? "pool.own-sources" : "pool.fallback", kv_str("site", p->site->name),
		 kv_str("pool", egress_pool_name(s->egress, p->index)),
		 kv_str("from", egress_pool_name(s->egress, lender)));
	p->lender = lender;
	p->lent_ms = clock_wall_ms();
	pool_new_sources(p);
	pool_end_pause(p);
}

void fallback_look(struct pool *p)
{
	unsigned lender = p->index;

	if (p->lender == p->index && egress_fallback(p->sites->egress, p->index) == EGRESS_SURPLUS)
		return;
	if (!serves(p, p->index, true))
		lender = find_lender(p);
	if (lender != p->lender)
		lend(p, lender);
}
