/* mta/site/provider.c - who waits at the door of a provider, and who makes room. */
#include "mta/site/provider.h"

enum { BEHIND_MS = 100 }; /* longer than a waiting pool needs to look again */

static bool is_full(const struct pool *p)
{
	const struct site_limits *provider = p->provider;

	return provider && atomic_load(&provider->connections) >=
			       limits_slots(p->shape.v[SHAPE_PROVIDER_CONNECTIONS], false);
}

static int others(const struct pool *p)
{
	const struct site_limits *provider = p->provider;

	if (!provider)
		return 0;
	return atomic_load_explicit(&provider->starved, memory_order_relaxed) -
	       (p->at_door == provider);
}

bool provider_others_wait(const struct pool *p)
{
	return others(p) > 0 && is_full(p);
}

bool provider_is_behind(const struct pool *p)
{
	return others(p) > 0 && (!p->at_door || sites_now(p->sites) < p->behind_until_ms);
}

void provider_wait(struct pool *p)
{
	if (p->at_door || p->n_channels || (!is_full(p) && !provider_is_behind(p)))
		return;
	p->at_door = p->provider;
	p->behind_until_ms = sites_now(p->sites) + (p->had_slot ? BEHIND_MS : 0);
	p->had_slot = false;
	atomic_fetch_add(&p->at_door->starved, 1);
}

void provider_leave(struct pool *p)
{
	if (p->at_door)
		atomic_fetch_sub(&p->at_door->starved, 1);
	p->at_door = NULL;
}
