/* mta/site/reach.c - who reached a host, and who did not. */
#include "mta/site/reach.h"

#include "mta/site/channel.h"
#include "mta/site/pair.h"
#include "mta/site/relay.h"

static bool is_plain(const struct source *s)
{
	return s->ip.family && !source_proxy(s);
}

static uint16_t port_of(const struct channel *ch)
{
	const struct relay *relay = ch->pool->site->relay;

	return relay ? relay->route->port : (uint16_t)ch->pool->sites->smtp->port;
}

/* Another source has reached it, and nobody has failed to since. */
static bool others_reach(const struct reach *r, const struct source *source, int64_t now)
{
	unsigned i = r->by[0] == source;

	return r->by[i] && now - r->at_ms[i] <= REACH_MS && r->at_ms[i] > r->failed_ms;
}

static void doubt(struct channel *ch, int64_t now)
{
	ch->host->reach.doubted = ch->source;
	ch->host->reach.doubted_ms = now;
}

/* The name that tells sites apart: a provider's sites are one. */
static const char *scope_of(const struct site *s)
{
	return s->provider ? s->provider->name : s->shared->name;
}

static void settle_doubt(struct channel *ch, int64_t now)
{
	struct reach *r = &ch->host->reach;

	if (r->doubted && r->doubted != ch->source && now - r->doubted_ms <= REACH_MS)
		egress_source_missed(ch->pool->sites->egress, r->doubted, scope_of(ch->pool->site),
				     &ch->host->ip, port_of(ch));
	r->doubted = NULL;
}

void reach_made(struct channel *ch)
{
	struct reach *r = &ch->host->reach;
	int64_t now = sites_now(ch->pool->sites);

	settle_doubt(ch, now);
	if (r->by[0] != ch->source) {
		r->by[1] = r->by[0];
		r->at_ms[1] = r->at_ms[0];
		r->by[0] = ch->source;
	}
	r->at_ms[0] = now;
	source_reached(ch->source);
}

bool reach_missed(struct channel *ch, int err)
{
	struct sites *s = ch->pool->sites;
	struct reach *r = &ch->host->reach;
	int64_t now = sites_now(s);
	bool others = others_reach(r, ch->source, now);

	r->failed_ms = now;
	if (!is_plain(ch->source) || (!others && !source_misses(ch->source)))
		return false;
	if (others)
		doubt(ch, now);
	pair_cut(s, ch->host, ch->source, err);
	return true;
}

void reach_no_way(struct channel *ch)
{
	if (is_plain(ch->source))
		doubt(ch, sites_now(ch->pool->sites));
}
