/* mta/site/relay_fed.c - tenants' own smart hosts on a lane: looked up as soon as they are told,
 * found by tenant and number. */
#include "base/hash.h"
#include "mta/site/relay.h"

static uint64_t fed_hash(const struct smart_route *r)
{
	return hash_mix(hash_mix(r->id + 1) ^ r->tenant);
}

struct relay *relay_fed_of(const struct sites *s, const struct smart_route *route)
{
	for (struct map_link *l = map_find(&s->fed_relays, fed_hash(route)); l;
	     l = map_find_next(l)) {
		struct relay *r = container_of(l, struct relay, fed_link);
		if (r->route->tenant == route->tenant && r->route->id == route->id)
			return r;
	}
	return NULL;
}

static void take(struct sites *s, struct smart_route *route)
{
	struct relay *old = relay_fed_of(s, route), *r = relay_take(s, old, route);

	if (!old)
		map_insert(&s->fed_relays, &r->fed_link, fed_hash(route));
}

/* Those that are gone stay known by their sites, which may still have connections. */
void relays_fed_look(struct sites *s)
{
	struct smart_fed *now = smart_fed_now(lane_engine(s->lane)), *old = s->fed;
	struct map_link *l = NULL;
	size_t pos = 0;

	if (now == old) {
		(void)smart_fed_unref(now);
		return;
	}
	while ((l = map_next(&s->fed_relays, &pos, l)))
		container_of(l, struct relay, fed_link)->kept = false;
	s->fed = now;
	for (unsigned i = 0; i < now->n; i++)
		take(s, now->at[i]);
	pos = 0;
	l = NULL;
	while ((l = map_next(&s->fed_relays, &pos, l))) {
		struct relay *r = container_of(l, struct relay, fed_link);
		if (!r->kept)
			relay_drop(r);
	}
	(void)smart_fed_unref(old);
}

/* The relays themselves end with the others. */
void relays_fed_end(struct sites *s)
{
	map_free(&s->fed_relays);
	s->fed = smart_fed_unref(s->fed);
}
