/* mta/site/seats.c - the seats that a connection takes, all or none, and gives back. */
#include "mta/site/seats.h"

#include "mta/site/kin.h"
#include "mta/site/own.h"
#include "mta/site/provider.h"
#include "mta/site/steer.h"
#include "mta/site/suspend.h"

static int64_t site_slots(const int64_t *v, bool transactional)
{
	int64_t max = v[SHAPE_CONNECTIONS];

	return transactional ? max : max - limits_kept(max, v[SHAPE_CONNECTIONS_KEPT]);
}

static int64_t source_slots(const struct channel *ch, bool transactional)
{
	int64_t most =
	    limits_slots(channel_shape(ch)->v[SHAPE_CONNECTIONS_PER_SOURCE], transactional);

	return MIN_OF(most, steer_slots(ch->pool, ch->steer, transactional));
}

/* A place at each of: the site, the source, the source at this site, the provider.  All or none. */
static bool take_shared_slots(struct channel *ch, bool transactional)
{
	struct pool *p = ch->pool;
	struct sites *s = p->sites;
	const int64_t *v = channel_shape(ch)->v;
	const bool per_source = ch->steer || v[SHAPE_CONNECTIONS_PER_SOURCE] < v[SHAPE_CONNECTIONS];
	slot_count *at_site = &p->shared->connections;
	slot_count *of_source = &ch->source->connections, *both = NULL;

	if (!slots_take(at_site, site_slots(v, transactional)))
		return false;
	if (!slots_take(of_source, limits_slots(egress_slots_max(s->egress), transactional)))
		goto give_site;
	if (per_source)
		both = &limits_source(p->per_source, &ch->source->ip)->connections;
	if (both && !slots_take(both, source_slots(ch, transactional)))
		goto give_source;
	if (!own_sit(ch))
		goto give_both;
	if (!kin_sit(ch, transactional))
		goto give_own;
	if (p->provider && !slots_take(&p->provider->connections,
				       limits_slots(v[SHAPE_PROVIDER_CONNECTIONS], transactional)))
		goto give_kin;
	ch->site_source_slots = both;
	ch->shared = p->shared;
	ch->provider = p->provider;
	provider_leave(p);
	return true;
give_kin:
	kin_rise(ch);
give_own:
	own_rise(ch);
give_both:
	if (both)
		slots_give(both);
give_source:
	slots_give(of_source);
give_site:
	slots_give(at_site);
	return false;
}

void seats_end_try(struct channel *ch)
{
	if (ch->trying)
		slots_give(&ch->standing->tries);
	ch->trying = false;
}

bool seats_take(struct channel *ch, bool transactional)
{
	struct sites *s = ch->pool->sites;

	if (s->n_channels >= limits_slots(s->options->lane_sessions, transactional))
		return false;
	if (transactional ? !pool_may_take_kept(ch->pool)
			  : !pool_may_take(ch->pool) || provider_is_behind(ch->pool))
		return false;
	ch->scope = suspend_scope(ch->pool->site);
	ch->standing = limits_source(ch->scope, &ch->source->ip);
	ch->trying = suspend_tries(ch->standing);
	if (ch->trying && !slots_take(&ch->standing->tries, 1)) {
		ch->trying = false;
		return false;
	}
	if (steer_take_probe(ch) && take_shared_slots(ch, transactional))
		return true;
	steer_end_probe(ch);
	seats_end_try(ch);
	return false;
}

void seats_count_leaving(const struct channel *ch, int n)
{
	atomic_fetch_add(&ch->shared->leaving, n);
	if (ch->provider)
		atomic_fetch_add(&ch->provider->leaving, n);
	own_count_leaving(ch, n);
}

void seats_give(struct channel *ch)
{
	seats_end_try(ch);
	steer_end_probe(ch);
	if (ch->quitting)
		seats_count_leaving(ch, -1);
	own_rise(ch);
	kin_rise(ch);
	slots_give(&ch->shared->connections);
	slots_give(&ch->source->connections);
	if (ch->site_source_slots)
		slots_give(ch->site_source_slots);
	if (ch->provider) {
		slots_give(&ch->provider->connections);
		ch->pool->had_slot = true;
	}
}
