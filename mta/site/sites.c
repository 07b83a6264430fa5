/* mta/site/sites.c - the site room as a part of the engine. */
#include "mta/site/sites.h"

#include "mta/shape/part.h"
#include "mta/site/channel.h"
#include "mta/site/failures.h"
#include "mta/site/gate.h"
#include "mta/site/shaping.h"
#include "mta/site/suspend.h"
#include "mta/site/relay.h"
#include "mta/site/tenants.h"
#include "mta/site/trace.h"
#include "mta/site/warming.h"
#include "mta/site/way.h"
#include "mta/tlsrpt/tlsrpt.h"
#include "mta/token/tokens.h"

struct sites *sites_of(struct lane *l)
{
	return lane_state(l, &site_part);
}

/* ---- all pools --------------------------------------------------------------------------- */

static void each_site(struct sites *s, void (*fn)(struct site *site))
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&s->map, &pos, NULL); l; l = map_next(&s->map, &pos, l))
		fn(container_of(l, struct site, link));
}

static void look_at_rules(struct site *site)
{
	struct pool *p;

	list_each(&site->pools, p, struct pool, link)
		pool_rules_changed(p);
}

static void pump_soon(struct site *site)
{
	struct pool *p;

	list_each(&site->pools, p, struct pool, link)
		pool_pump_soon(p);
}

static void end_pauses(struct site *site)
{
	struct pool *p;

	list_each(&site->pools, p, struct pool, link) {
		pool_end_pause(p);
		pool_pump_soon(p);
	}
}

/* New sites may begin: first all ways, then all sites. */
static void reshape(struct sites *s)
{
	struct table *domains = &s->queue->domains;

	s->shape_generation = shape_generation(s->lane);
	s->policies->off = s->smtp->policy == TLS_WORD_NEVER &&
			   !(shapes_asks(shape_set(s->lane)) & SHAPE_ASKS_TLS);
	for (uint32_t i = 0; i < domains->n; i++)
		if (domains->by_index[i])
			way_reshape(way_of(domain_at(domains, i)));
	each_site(s, site_reshape);
}

/* An order ended one, or a message showed that it is over: its source may take its turn again. */
static void look_at_suspensions(struct sites *s)
{
	unsigned seen = limits_resumptions(s->limits);

	if (s->resumptions != seen)
		each_site(s, end_pauses);
	s->resumptions = seen;
}

/* A domain that a cap names has a site of its own. */
static bool caps_changed(struct sites *s)
{
	bool any = rules_keys(s->queue->rules, RULE_CAP) & SELECTS(SELECT_DOMAIN);
	unsigned now = any ? rules_generation(s->queue->rules) : 0, before = s->capped_domains;

	s->capped_domains = now;
	return now != before;
}

/* It may have sources now, or other ones. */
static void options_changed(struct site *site)
{
	struct pool *p;

	list_each(&site->pools, p, struct pool, link)
		pool_new_sources(p);
	end_pauses(site);
}

static void look_at_sources(struct sites *s)
{
	s->source_changes = egress_changes(s->egress);
	each_site(s, options_changed);
}

static void tenants_changed_here(struct site *site)
{
	struct pool *p;

	list_each(&site->pools, p, struct pool, link)
		pool_tenants_changed(p);
}

static void look_at_tenants(struct sites *s)
{
	unsigned now = tenancy_generation(s->queue->tenancy);

	if (s->tenant_changes != now)
		each_site(s, tenants_changed_here);
	s->tenant_changes = now;
}

static void site_changed(void *state)
{
	struct sites *s = state;

	if (s->shape_generation != shape_generation(s->lane) || caps_changed(s))
		reshape(s);
	if (s->source_changes != egress_changes(s->egress))
		look_at_sources(s);
	warming_look(s);
	relays_fed_look(s);
	look_at_suspensions(s);
	look_at_tenants(s);
}

static void source_recovered(struct egress_news *n)
{
	each_site(container_of(n, struct sites, news), end_pauses);
}

static void flows_changed(struct queue_ways *w)
{
	each_site(container_of(w, struct sites, ways), look_at_rules);
}

void sites_rule_changed(struct engine *e, struct slice key, struct slice value)
{
	if (suspend_check(key, value) < 0 && tenants_check(key, value) < 0)
		return;
	suspend_changed(engine_shared(e, &site_part), key, value);
	tenants_changed(engine_shared(e, &site_part), key, value);
	engine_changed(e);
}

/* ---- life -------------------------------------------------------------------------------- */

static bool is_trusted(const struct dns_options *d, const struct ip *ip)
{
	for (unsigned i = 0; i < d->trusted.n; i++)
		if (ip_net_has(&d->trusted.nets[i], ip))
			return true;
	return false;
}

static int open_resolver(struct sites *s)
{
	const struct dns_options *d = s->dns;
	struct resolver_options o;
	int r;

	resolver_options_default(&o);
	if (d->servers.n == 0) {
		r = resolver_options_system(&o, "/etc/resolv.conf");
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < d->servers.n && i < DNS_SERVERS_MAX; i++) {
		o.servers[i].ip = d->servers.at[i].ip;
		o.servers[i].port = d->servers.at[i].port;
		o.n_servers = i + 1;
	}
	for (unsigned i = 0; i < o.n_servers; i++)
		o.servers[i].trusted = is_trusted(d, &o.servers[i].ip);
	o.timeout_ms = (uint32_t)d->timeout;
	o.tries = (uint32_t)d->tries;
	o.cache_entries = (uint32_t)d->cache;
	o.pending = (uint32_t)d->pending;
	r = resolver_new(&s->resolver, s->loop->ev, &o);
	s->policies->resolver = s->resolver;
	return r;
}

static void site_reload(void *state)
{
	struct sites *s = state;
	const struct settings *all = engine_settings(lane_engine(s->lane));

	s->options = settings_of(all, &site_option_set);
	s->dns = settings_of(all, &dns_option_set);
	s->smtp = settings_of(all, &smtp_option_set);
	failures_reload(s->failures, all, engine_lanes(lane_engine(s->lane)));
	s->policies->port = (uint16_t)s->smtp->port;
	s->route_options = (struct route_options){
		.ipv4 = s->dns->ipv4,
		.ipv6 = s->dns->ipv6,
		.allowed = s->dns->allowed.nets,
		.n_allowed = s->dns->allowed.n,
		.own_names = s->dns->own_names,
		.n_own_names = s->dns->n_own_names,
		.own_ips = s->dns->own_ips,
		.n_own_ips = s->dns->n_own_ips,
	};
	reshape(s);
	look_at_sources(s);
	look_at_tenants(s);
	if (s->resolver)
		relays_reload(s);
}

static int load_suspension(void *limits, struct slice key, struct slice value)
{
	suspend_changed(limits, key, value);
	tenants_changed(limits, key, value);
	return 0;
}

static int site_open(struct engine *e, void **ret_shared)
{
	*ret_shared = limits_new();
	return spool_each_rule(engine_spool(e), SLICE("suspend"), load_suspension, *ret_shared);
}

static void site_close(void *shared)
{
	(void)limits_free(shared);
}

static int site_start(struct lane *l, void **ret_state)
{
	struct sites *s = must_alloc(sizeof(*s));
	int r;

	*ret_state = s; /* also when it fails: stop() frees it */
	s->lane = l;
	s->loop = lane_loop(l);
	s->queue = queue_of(l);
	s->census = census_of(l);
	s->warmup = warmup_of(lane_engine(l));
	s->failures = failures_new();
	s->egress = egress_of(l);
	s->policies = policies_of(l);
	s->tlsrpt = tlsrpt_of(l);
	s->tokens = tokens_of(l);
	s->limits = engine_shared(lane_engine(l), &site_part);
	s->ways = (struct queue_ways){ sizeof(struct way), way_begin, way_busy, way_due,
				       flows_changed,      way_place };
	s->queue->ways = &s->ways;
	s->news.recovered = source_recovered;
	egress_tell(s->egress, &s->news);
	map_init(&s->map);
	map_init(&s->hosts);
	map_init(&s->gates);
	list_init(&s->asking);
	list_init(&s->relays);
	map_init(&s->fed_relays);
	channel_init(s);
	s->routes = routes_of(engine_settings(lane_engine(l)));
	site_reload(s);
	r = open_resolver(s);
	if (r < 0)
		return r;
	relays_reload(s);
	relays_fed_look(s);
	return tls_client_new(&s->tls, s->smtp->ca_file);
}

static void site_quiet(void *state)
{
	struct sites *s = state;

	s->stopping = true;
	each_site(s, pump_soon);
}

void sites_end_channels(struct sites *s)
{
	struct table *domains = &s->queue->domains;

	s->freeing = s->stopping = true;
	for (uint32_t i = 0; i < domains->n; i++)
		if (domains->by_index[i])
			way_end(way_of(domain_at(domains, i)));
	each_site(s, site_end_channels);
	loop_run_turn_end(s->loop);
}

static void site_stop(void *state)
{
	struct sites *s = state;
	struct map_link *l;

	trace_end(s);
	sites_end_channels(s);
	relays_end(s);
	while ((l = map_any(&s->map)) != NULL)
		site_free(container_of(l, struct site, link));
	gates_end(s);
	site_free_hosts(s);
	map_free(&s->map);
	map_free(&s->hosts);
	resolver_free(s->resolver);
	loop_run_turn_end(s->loop);
	tls_context_free(s->tls);
	(void)failures_free(s->failures);
	free(s);
}

#define ROW(member, type, help) COUNTER_ROW(site_counters, member, type, help)
static const struct counter_row counter_rows[] = {
	ROW(sessions_opened, COUNTER, "Delivery connections opened"),
	ROW(sessions_failed, COUNTER, "Delivery connections that failed before they could be used"),
	ROW(sessions_tls, COUNTER, "Delivery connections with TLS"),
	ROW(sessions_resumed, COUNTER, "Delivery connections with a resumed TLS session"),
	ROW(route_queries, COUNTER, "Questions for the mail hosts of a domain"),
	ROW(races, COUNTER, "Connections begun beside one of the other address family"),
	ROW(races_lost, COUNTER, "Addresses that lost such a race"),
	ROW(site_backoffs, COUNTER, "Pauses of sites when no host could be reached"),
	ROW(site_walls, COUNTER, "Times that a source left a site alone that refused everything"),
	ROW(provider_walls, COUNTER,
	    "Times that a source left a provider alone that refused everything at several sites"),
	ROW(provider_troubles, COUNTER,
	    "Replies that slowed a source down at all sites of a provider"),
	ROW(source_suspensions, COUNTER, "Suspensions of a source at a provider that refused it"),
	ROW(tenant_suspensions, COUNTER,
	    "Suspensions of a tenant at a provider that refused its mail"),
	ROW(pools_on_fallback, GAUGE, "Pools that leave from the sources of another one, by site"),
	ROW(sessions_open, GAUGE, "Delivery connections open"),
	ROW(sites, GAUGE, "Sites known"),
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part site_part = {
	.name = "sites",
	.open = site_open,
	.start = site_start,
	.changed = site_changed,
	.reload = site_reload,
	.quiet = site_quiet,
	.stop = site_stop,
	.close = site_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct sites, counters),
};
